import type { INodeProperties } from 'n8n-workflow';
import { byName, optionsField, type CommonOptions } from './fields/options';
import type { Listed, Operation, Resource } from './operation';

/** The parts of an operation that properties are made from. */
type Shown = Pick<
	Operation<never, never>,
	'operation' | 'name' | 'action' | 'description' | 'effect' | 'fields' | 'toolNotice'
>;

/** Lists all operations of a node, each with its resource, in the order of the drop-downs. */
export function listOperations<AnyOperation>(
	resources: ReadonlyArray<Resource<AnyOperation>>,
): Array<Listed<AnyOperation>> {
	return resources.flatMap(({ value, operations }) =>
		operations.map((operation) => ({ ...operation, resource: value })),
	);
}

/** Whether an AI agent may have an operation as a tool: what changes the set-up is for people. Pure. */
export function isForAgents({ effect }: Pick<Operation<never, never>, 'effect'>): boolean {
	return effect !== 'configure';
}

/**
 * Makes the properties of the node's tool for AI agents: it does not offer what changes the set-up, and warns where an
 * operation has a warning for whoever makes a tool of it. n8n's editor shows them in place of those of the node.
 * Source: docs/service-facts.md#n8n-tools.
 * @param firstResource the value that is selected by default. It must have an operation for agents.
 */
export function toolPropertiesOf(
	resources: ReadonlyArray<Resource<Shown>>,
	firstResource: string,
	optionsOf: CommonOptions,
): INodeProperties[] {
	const withNotice = (operation: Shown): Shown => {
		if (operation.toolNotice === undefined) return operation;
		const notice = {
			displayName: operation.toolNotice,
			name: 'toolNotice',
			type: 'notice',
			default: '',
		} as const;
		return { ...operation, fields: [notice, ...operation.fields] };
	};
	const forAgents = resources
		.map((resource) => ({ ...resource, operations: resource.operations.filter(isForAgents).map(withNotice) }))
		.filter(({ operations }) => operations.length > 0);
	return propertiesOf(forAgents, firstResource, optionsOf);
}

function operationField({ value, firstOperation, operations }: Resource<Shown>): INodeProperties {
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: [value] } },
		options: operations.map(({ name, operation, action, description }) => ({
			name,
			value: operation,
			action,
			description,
		})),
		default: firstOperation,
	};
}

/** Makes all fields of an operation: its own, and in Options, sorted by name, those that its effect adds. */
export function fieldsWith(
	{ effect, fields }: Pick<Shown, 'effect' | 'fields'>,
	optionsOf: CommonOptions,
): INodeProperties[] {
	const common = optionsOf[effect];
	if (common.length === 0) return fields;
	const own = fields.find(({ name }) => name === 'options');
	const options = byName([...((own?.options ?? []) as INodeProperties[]), ...common]);
	return [...fields.filter((field) => field !== own), optionsField(options)];
}

function shownFor({ resource, operation }: Listed<Shown>, field: INodeProperties): INodeProperties {
	const show = { resource: [resource], operation: [operation], ...field.displayOptions?.show };
	return { ...field, displayOptions: { ...field.displayOptions, show } };
}

/**
 * Makes all properties of an action node from its resources.
 * @param firstResource the value that is selected by default.
 */
export function propertiesOf(
	resources: ReadonlyArray<Resource<Shown>>,
	firstResource: string,
	optionsOf: CommonOptions,
): INodeProperties[] {
	return [
		{
			displayName: 'Resource',
			name: 'resource',
			type: 'options',
			noDataExpression: true,
			options: resources.map(({ name, value }) => ({ name, value })),
			default: firstResource,
		},
		...resources.map(operationField),
		...listOperations(resources).flatMap((entry) =>
			fieldsWith(entry, optionsOf).map((field) => shownFor(entry, field)),
		),
	];
}
