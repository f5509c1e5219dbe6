import type { IDataObject, INodeProperties } from 'n8n-workflow';
import type { InputError } from '../transport/errors';
import type { ParameterReader } from './parameters';

/** What all plans have in common. */
export interface BasePlan {
	/** Items with the same key are carried out one after the other, in their order. */
	orderingKey?: string;
}

/** What an operation does to its service: say something, change the set-up, only look, or nothing at all. */
export type Effect = 'send' | 'configure' | 'read' | 'none';

/**
 * One operation of an action node: all that it is stands in its own file, its node's registry lists it.
 * `Credential` is what an operation may know of the credential, `Plan` what an item asks for, read and checked, before
 * anything is sent.
 */
export interface Operation<Credential, Plan extends BasePlan, Resource extends string = string> {
	resource: Resource;
	/** The value of the `operation` parameter, e.g. `getMany`. */
	operation: string;
	/** As the drop-down shows it, e.g. `Get Many`. */
	name: string;
	/** As the node creator shows it, in sentence case. A language model reads it as what the tool does. */
	action: string;
	description: string;
	effect: Effect;
	/** Its own fields, without display options: the registry adds them, and the options that all have. */
	fields: INodeProperties[];
	/**
	 * Reads the item's parameters, checks them and plans the call. Pure but for the reading.
	 * @throws InputError naming the field.
	 */
	plan: (parameters: ParameterReader, credential: Credential) => Plan;
	/** The items of an operation that has something to say of a credential that cannot be used; else it is an error. */
	brokenCredential?: (error: InputError) => IDataObject[];
}
