import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { optionsField, concurrencyOption, retryOption } from './fields';
import type { BasePlan, Effect, Operation } from './operation';

/** What the properties of a node need to know of an operation. */
type Listed = Pick<
	Operation<never, BasePlan>,
	'resource' | 'operation' | 'name' | 'action' | 'description' | 'effect' | 'fields'
>;

/** A resource as the drop-down has it, with the operation that is chosen at first. */
export type Resource = INodePropertyOptions & { value: string; first: string };

/** The options that an operation has because of what it does, beside its own. */
type CommonOptions = Record<Effect, INodeProperties[]>;

/**
 * The options that all operations of a node have by what they do.
 * @param whatMayHaveArrived what becomes of a message whose answer was lost. A whole sentence.
 */
export function commonOptions(whatMayHaveArrived: string): CommonOptions {
	const retry = retryOption(whatMayHaveArrived);
	return { send: [concurrencyOption, retry], configure: [retry], read: [retry], none: [] };
}

/**
 * Finds an operation.
 * @returns undefined where there is none of that name.
 */
export function findOperation<T extends Pick<Listed, 'resource' | 'operation'>>(
	operations: readonly T[],
	resource: string,
	operation: string,
): T | undefined {
	return operations.find((entry) => entry.resource === resource && entry.operation === operation);
}

function operationField(operations: readonly Listed[], resource: string, first: string): INodeProperties {
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: [resource] } },
		options: operations
			.filter((entry) => entry.resource === resource)
			.map(({ name, operation, action, description }) => ({ name, value: operation, action, description })),
		default: first,
	};
}

/** All fields of an operation: its own, with the options that all of its kind have, by their names. */
export function fieldsWith(
	{ effect, fields }: Pick<Listed, 'effect' | 'fields'>,
	optionsOf: CommonOptions,
): INodeProperties[] {
	const common = optionsOf[effect];
	if (common.length === 0) return fields;
	const own = fields.find(({ name }) => name === 'options');
	const options = [...((own?.options ?? []) as INodeProperties[]), ...common].sort((one, other) =>
		one.displayName.localeCompare(other.displayName),
	);
	return [...fields.filter((field) => field !== own), optionsField(options)];
}

function shownFor(
	{ resource, operation }: Pick<Listed, 'resource' | 'operation'>,
	field: INodeProperties,
): INodeProperties {
	const show = { resource: [resource], operation: [operation], ...field.displayOptions?.show };
	return { ...field, displayOptions: { ...field.displayOptions, show } };
}

/**
 * All properties of an action node, derived from its registry.
 * @param firstResource what is chosen at first.
 */
export function propertiesOf(
	resources: readonly Resource[],
	firstResource: string,
	operations: readonly Listed[],
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
		...resources.map(({ value, first }) => operationField(operations, value, first)),
		...operations.flatMap((entry) => fieldsWith(entry, optionsOf).map((field) => shownFor(entry, field))),
	];
}
