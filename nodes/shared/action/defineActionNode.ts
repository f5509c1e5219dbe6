import {
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
} from 'n8n-workflow';
import { commonOptions } from './fields/options';
import type { Listed, Operation, Resource } from './operation';
import { fieldsWith, listOperations, propertiesOf } from './properties';
import { runItems, type Connector } from './run';

/** What makes an action node. */
interface ActionNodeDefinition<Connection, Service extends string> extends Pick<
	Connector<Connection, Service>,
	'client' | 'firstService'
> {
	resources: ReadonlyArray<Resource<Operation<Connection, Service>>>;
	/** The resource that is chosen at first. */
	firstResource: string;
	/** What becomes of a message whose answer was lost, as Max Retry Time says it. A whole sentence. */
	lostAnswers: string;
	/** Reads the credential for an operation of a resource. @throws InputError naming its field. */
	connect: (context: IExecuteFunctions, resource: string) => Promise<Connection>;
}

/** An action node, as its class and its tests use it. */
export interface ActionNode<Connection, Service extends string> {
	/** Its resources, in the order of the drop-down. */
	resources: ReadonlyArray<Resource<Operation<Connection, Service>>>;
	/** Every operation, in the order of the drop-downs. */
	operations: ReadonlyArray<Listed<Operation<Connection, Service>>>;
	/** All properties of the node. */
	properties: INodeProperties[];
	/** Finds an operation; undefined where there is none of that name. */
	find: (resource: string, operation: string) => Listed<Operation<Connection, Service>> | undefined;
	/** All fields of an operation, with the options that all of its kind have. */
	fieldsOf: (operation: Operation<Connection, Service>) => INodeProperties[];
	/**
	 * Runs what the node's Resource and Operation name, for all items.
	 * @throws NodeOperationError where there is no such operation; NodeApiError, NodeOperationError of the first item that
	 * fails, unless Continue On Fail is set.
	 */
	execute: (context: IExecuteFunctions) => Promise<INodeExecutionData[][]>;
}

/**
 * Makes an action node of its resources: fields, drop-downs and execution follow from the operations.
 * @example
 * const actionNode = defineActionNode({ resources: [conversation, message], firstResource: 'message', … });
 * // in the node's class: properties: actionNode.properties, execute() { return actionNode.execute(this) }
 */
export function defineActionNode<Connection, Service extends string>(
	definition: ActionNodeDefinition<Connection, Service>,
): ActionNode<Connection, Service> {
	const { resources, firstResource, lostAnswers, connect, client, firstService } = definition;
	const options = commonOptions(lostAnswers);
	const operations = listOperations(resources);
	const find = (resource: string, operation: string) =>
		operations.find((entry) => entry.resource === resource && entry.operation === operation);
	return {
		resources,
		operations,
		properties: propertiesOf(resources, firstResource, options),
		find,
		fieldsOf: (operation) => fieldsWith(operation, options),
		execute: async (context) => {
			const resource = context.getNodeParameter('resource', 0);
			const name = context.getNodeParameter('operation', 0);
			const operation = find(resource, name);
			if (!operation) {
				throw new NodeOperationError(context.getNode(), `There is no operation ${name} for ${resource}`, {
					description: 'Choose Resource and Operation again: the node may be from another version.',
				});
			}
			const connector = { connect: async () => await connect(context, resource), client, firstService };
			return [await runItems(context, operation, connector)];
		},
	};
}
