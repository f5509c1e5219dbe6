import type { INodeProperties } from 'n8n-workflow';
import { byName, optionsField, type CommonOptions } from './fields/options';
import type { Listed, Operation, Resource } from './operation';

/** What the properties of a node need to know of an operation. */
type Shown = Pick<
	Operation<never, never>,
	'operation' | 'name' | 'action' | 'description' | 'effect' | 'fields'
>;

/** All operations of a node, each with its resource, in the order of the drop-downs. */
export function listOperations<AnyOperation>(
	resources: ReadonlyArray<Resource<AnyOperation>>,
): Array<Listed<AnyOperation>> {
	return resources.flatMap(({ value, operations }) =>
		operations.map((operation) => ({ ...operation, resource: value })),
	);
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

/** All fields of an operation: its own, with the options that all of its kind have, by their names. */
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
 * All properties of an action node, derived from its resources.
 * @param firstResource what is chosen at first.
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
