import {
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
} from 'n8n-workflow';
import { commonOptions } from './fields/options';
import type { Listed, Operation, Resource } from './operation';
import { fieldsWith, isForAgents, listOperations, propertiesOf, toolPropertiesOf } from './properties';
import { runItems, type Connector } from './run';

/** The parts of an action node. */
interface ActionNodeDefinition<Connection, Service extends string> extends Pick<
	Connector<Connection, Service>,
	'client' | 'firstService'
> {
	resources: ReadonlyArray<Resource<Operation<Connection, Service>>>;
	/** The value of the resource that is selected by default. */
	firstResource: string;
	/** What happens to a message whose answer was lost: a whole sentence, for the description of Max Retry Time. */
	lostAnswers: string;
	/** Reads the credential. @throws InputError with the name of the wrong field. */
	connect: (context: IExecuteFunctions) => Promise<Connection>;
}

/** An action node, as its class and its tests use it. */
interface ActionNode<Connection, Service extends string> {
	/** Its resources, in the order of the drop-down. */
	resources: ReadonlyArray<Resource<Operation<Connection, Service>>>;
	/** Every operation, in the order of the drop-downs. */
	operations: ReadonlyArray<Listed<Operation<Connection, Service>>>;
	/** All properties of the node. */
	properties: INodeProperties[];
	/** The properties of its tool for AI agents. */
	toolProperties: INodeProperties[];
	/** Finds an operation; undefined where there is none with these values. */
	find: (resource: string, operation: string) => Listed<Operation<Connection, Service>> | undefined;
	/** All fields of an operation, with the options that its effect adds. */
	fieldsOf: (operation: Operation<Connection, Service>) => INodeProperties[];
	/**
	 * Runs the selected operation for all items.
	 * @throws NodeOperationError where there is no such operation, or an AI agent may not have it; NodeApiError or NodeOperationError of the first item
	 * that fails, unless Continue On Fail is set.
	 */
	execute: (context: IExecuteFunctions) => Promise<INodeExecutionData[][]>;
}

/**
 * Whether an AI agent runs the node as its tool: n8n gives a tool's node the suffix `Tool`, and n8n's own agents run a
 * node outside of any workflow, in the mode `internal`. Source: docs/service-facts.md#n8n-tools.
 */
function isTool(context: IExecuteFunctions): boolean {
	return context.getNode().type.endsWith('Tool') || context.getMode() === 'internal';
}

/**
 * Makes an action node from its resources. Drop-downs, fields and execution are derived from the operations.
 * @example
 * const actionNode = defineActionNode<Connection, 'communication'>({
 *   resources: [conversation, message],
 *   firstResource: 'message',
 *   lostAnswers: 'A message that may have arrived is not sent again.',
 *   connect: async (context) => connectionFrom(await context.getCredentials('azureCommunicationServicesApi')),
 *   client: (service, connection, throttle) => communicationClient(connection, throttle),
 *   firstService: 'communication',
 * });
 * // The class of the node has `properties: actionNode.properties`, and `execute` calls `actionNode.execute(this)`.
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
		toolProperties: toolPropertiesOf(resources, firstResource, options),
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
			if (isTool(context) && !isForAgents(operation)) {
				throw new NodeOperationError(
					context.getNode(),
					`AI agents cannot use this operation: “${operation.action}” changes the set-up`,
					{ description: 'Run it in a node of the workflow, not as a tool.' },
				);
			}
			const connector = { connect: async () => await connect(context), client, firstService };
			return [await runItems(context, operation, connector)];
		},
	};
}
