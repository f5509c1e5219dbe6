import type { IBinaryData, IDataObject, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import type { Json } from '../json';
import type { ServiceCalls } from '../transport/client';
import type { InputError } from '../transport/errors';
import type { ListRequest } from '../transport/pagination';
import type { ServiceRequest } from '../transport/request';
import type { ParameterReader } from './parameters';

/** Which of the node's services a plan is for; the node's first where it is left out. */
interface OfService<Service> {
	service?: Service;
}

/** One call. */
export interface CallPlan<Service extends string = string> extends OfService<Service> {
	kind: 'call';
	request: ServiceRequest;
	/**
	 * Turns the answer's JSON into the items that come out.
	 * @throws ServiceError where a success is none.
	 */
	toItems: (answer: Json) => IDataObject[];
	/** What the items alone would not show; said below the node. */
	hint?: string;
}

/** A list in pages: an item for each entry as it is read, or items made of all entries. */
export type ListPlan<Service extends string = string> = OfService<Service> & {
	kind: 'list';
	list: ListRequest;
} & ({ toItem: (entry: Json) => IDataObject } | { toItems: (entries: Json[]) => IDataObject[] });

/** Several calls, of which each needs the answer of the one before. */
export interface StepsPlan<Connection, Service extends string> {
	kind: 'steps';
	/** Makes its calls by the clients that it is given, so that a test sees each of them. */
	run: (context: StepsContext<Connection, Service>) => Promise<Output>;
}

/** What steps work with. */
export interface StepsContext<Connection, Service extends string = string> {
	connection: Connection;
	/**
	 * The client of a service, which holds to the run's pauses.
	 * @param connection where it is not to be the run's own.
	 * @throws InputError where the credential has no way to the service.
	 */
	client: (service: Service, connection?: Connection) => ServiceCalls;
	/** What the steps of this run leave for those of the items after them, such as the conversations they have seen. */
	seen: Set<string>;
	n8n: Host;
}

/** What steps can ask of the n8n that they run in. */
export interface Host {
	/** The instance's own ID. */
	instanceId: string;
	/** What the workflow keeps from run to run. */
	memory: IDataObject;
	/** Ends what is under way when the execution is cancelled. */
	signal: AbortSignal | undefined;
	/** Keeps a file where n8n keeps files. */
	writeBinary: (data: Buffer, fileName?: string, mimeType?: string) => Promise<IBinaryData>;
}

/** What comes out for an item. */
export interface Output {
	items: Array<Pick<INodeExecutionData, 'json' | 'binary'>>;
	/** What the items alone would not show; said once below the node for all of its items. */
	hint?: string;
}

/** What an item asks for, read and checked, before anything is sent. */
export type Plan<Connection, Service extends string = string> = (
	CallPlan<Service> | ListPlan<Service> | StepsPlan<Connection, Service>
) & {
	/** Items with the same key are carried out one after the other, in their order. */
	orderingKey?: string;
};

/** What an operation does to its service: say something, change the set-up, only read, or nothing at all. */
export type Effect = 'send' | 'configure' | 'read' | 'none';

/**
 * One operation of an action node: all that it is stands in its own file, and its resource lists it.
 * `Credential` is what an operation may know of the connection.
 */
export interface Operation<Connection, Service extends string = string, Credential = Connection> {
	/** The value of the `operation` parameter, e.g. `getMany`. */
	operation: string;
	/** As the drop-down shows it, e.g. `Get Many`. */
	name: string;
	/** As the node creator shows it, in sentence case. A language model reads it as what the tool does. */
	action: string;
	description: string;
	effect: Effect;
	/** Its own fields, without display options: these are added, and the options that all have. */
	fields: INodeProperties[];
	/**
	 * Reads the item's parameters, checks them and plans what is to be done. Pure but for the reading.
	 * @throws InputError naming the field.
	 */
	plan: (parameters: ParameterReader, credential: Credential) => Plan<Connection, Service>;
	/** The items of an operation that has something to say of a credential that cannot be used; else it is an error. */
	brokenCredential?: (error: InputError) => IDataObject[];
}

/** A resource of an action node with its operations, in the order of the drop-downs. */
export interface Resource<AnyOperation> {
	/** As the drop-down shows it, e.g. `Custom Event`. */
	name: string;
	/** The value of the `resource` parameter, e.g. `customEvent`. */
	value: string;
	/** The operation that is chosen at first. */
	firstOperation: string;
	operations: readonly AnyOperation[];
}

/** An operation with the resource that it is of. */
export type Listed<AnyOperation> = AnyOperation & { resource: string };
