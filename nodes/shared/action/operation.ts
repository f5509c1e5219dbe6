import type { IDataObject, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import type { Json } from '../json';
import type { ServiceCalls } from '../transport/client';
import type { InputError } from '../transport/errors';
import type { ListRequest } from '../transport/pagination';
import type { ReadRequest, ServiceRequest } from '../transport/request';
import type { BinaryStore } from './binaryStore';
import type { ParameterReader } from './parameters';

/** Which of the node's services a plan is for; by default the node's first. */
interface OfService<Service> {
	service?: Service;
}

/** A plan of one request. */
export interface CallPlan<Service extends string = string> extends OfService<Service> {
	kind: 'call';
	request: ServiceRequest;
	/** What reads the result where the answer is a success without a body; without it that is given as null. */
	whenEmpty?: ReadRequest;
	/**
	 * Makes the output items from the JSON of the answer.
	 * @throws ServiceError where the answer reports a failure in spite of its status.
	 */
	toItems: (answer: Json) => IDataObject[];
	/** A warning that n8n shows with the output. */
	hint?: string;
	/**
	 * Adds to the items what they can do without, such as a preview. It is called when every item of the run was sent.
	 * Where it throws, the items stay as they are.
	 */
	complete?: (items: IDataObject[], lookUp: LookUp) => Promise<IDataObject[]>;
}

/**
 * Reads the entries of a list, once for all items of a run. It is tried once, and given up after a few seconds.
 * @throws ServiceError where the list cannot be read.
 */
export type LookUp = (list: ListRequest) => Promise<Json[]>;

/** A plan that reads a list: an item for each entry, or items made from all entries. */
type ListPlan<Service extends string = string> = OfService<Service> & {
	kind: 'list';
	list: ListRequest;
} & ({ toItem: (entry: Json) => IDataObject } | { toItems: (entries: Json[]) => IDataObject[] });

/** A plan of several requests, where one needs the answer of another. */
interface StepsPlan<Connection, Service extends string> {
	kind: 'steps';
	/** Sends its requests by the clients of the context only, so that a test sees each of them. */
	run: (context: StepsContext<Connection, Service>) => Promise<Output>;
}

/** What steps have at hand. */
export interface StepsContext<Connection, Service extends string = string> {
	connection: Connection;
	/**
	 * Gives the client of a service, which shares the run's throttle.
	 * @param connection another one than the run's own.
	 * @throws InputError where the credential does not lead to the service.
	 */
	client: (service: Service, connection?: Connection) => ServiceCalls;
	/** What the steps of one item note for those of later items of the run, e.g. conversations. */
	seen: Set<string>;
	n8n: Host;
}

/** What n8n offers to steps. */
export interface Host {
	/** The ID of the n8n instance. */
	instanceId: string;
	/** Data that the workflow keeps from run to run. */
	memory: IDataObject;
	/** Aborted when the execution is cancelled. */
	signal: AbortSignal | undefined;
	/** Keeps files as binary data of n8n. */
	binary: BinaryStore;
}

/** The output for an item. */
export interface Output {
	items: Array<Pick<INodeExecutionData, 'json' | 'binary'>>;
	/** A warning that n8n shows with the output, once for all items with the same one. */
	hint?: string;
}

/** What to do for an item. Its parameters are read and checked, and nothing is sent yet. */
export type Plan<Connection, Service extends string = string> = (
	CallPlan<Service> | ListPlan<Service> | StepsPlan<Connection, Service>
) & {
	/** Items with the same key run one after the other, in their order. */
	orderingKey?: string;
};

/** The effect of an operation on its service: it sends, changes the set-up, only reads, or sends no request. */
export type Effect = 'send' | 'configure' | 'read' | 'none';

/**
 * One operation of an action node. It has its own file, and its resource lists it.
 * @typeParam Credential the part of the connection that an operation may read.
 */
export interface Operation<Connection, Service extends string = string, Credential = Connection> {
	/** The value of the `operation` parameter, e.g. `getMany`. */
	operation: string;
	/** As the drop-down shows it, e.g. `Get Many`. */
	name: string;
	/** As the node creator shows it, in sentence case. For a language model it describes the tool. */
	action: string;
	description: string;
	effect: Effect;
	/** A warning for whoever makes a tool for AI agents of it. Whole sentences. */
	toolNotice?: string;
	/** How long each of its requests is tried at the most, in milliseconds; undefined for as long as the node's option says. */
	maxTryMs?: number;
	/** Its own fields. The display options and the options of its effect are added. */
	fields: INodeProperties[];
	/**
	 * Reads and checks the parameters of an item, and plans what to do. Pure.
	 * @throws InputError with the name of the wrong field.
	 */
	plan: (parameters: ParameterReader, credential: Credential) => Plan<Connection, Service>;
	/** Makes items for a credential that cannot be used; without it that is an error. */
	brokenCredential?: (error: InputError, parameters: ParameterReader) => IDataObject[];
}

/** A resource of an action node with its operations, in the order of the drop-downs. */
export interface Resource<AnyOperation> {
	/** As the drop-down shows it, e.g. `Custom Event`. */
	name: string;
	/** The value of the `resource` parameter, e.g. `customEvent`. */
	value: string;
	/** The value of the operation that is selected by default. */
	firstOperation: string;
	operations: readonly AnyOperation[];
}

/** An operation with the value of its resource. */
export type Listed<AnyOperation> = AnyOperation & { resource: string };
