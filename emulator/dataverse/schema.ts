import { join } from 'node:path';
import { isObject, type Json, loadDocument } from '../contract';

export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export type Value = string | number | boolean | null;
/** A row by its columns' names, look-ups as `_…_value`. */
export type Row = Record<string, Value>;

export type EdmType =
	'Edm.String' | 'Edm.Guid' | 'Edm.Int32' | 'Edm.Int64' | 'Edm.Boolean' | 'Edm.DateTimeOffset';

export interface Column {
	name: string;
	type: EdmType;
	isNullable: boolean;
	isReadOnly: boolean;
	maxLength?: number;
	/** The values of a choice. */
	options?: number[];
	/** Formatted values, by the value as text. */
	labels: Record<string, string>;
	/** What a new row has. */
	initial: Value;
	/** A look-up's navigation property and the logical name of the table that it leads to. */
	lookup?: { navigation: string; table: string };
}

export interface Table {
	logicalName: string;
	entitySet: string;
	/** What privileges are named after. */
	schemaName: string;
	displayName: string;
	idColumn: string;
	nameColumn: string;
	columns: ReadonlyMap<string, Column>;
}

/** One call of the contract. */
export interface Operation {
	operationId: string;
	/** The table of a call on a set or a row; a function has none. */
	table?: Table;
	/** The query options that it takes, without parameter aliases. */
	options: string[];
	/** What stands in the brackets of the path. */
	args: { name: string; isGuid: boolean }[];
}

/** The contract of Dataverse, `contract.yaml`. */
export const document: Readonly<Json> = loadDocument(join(__dirname, 'contract.yaml'));

const objectAt = (node: unknown, key: string): Json => {
	const value = isObject(node) ? node[key] : undefined;
	return isObject(value) ? value : {};
};
const textAt = (node: unknown, key: string): string | undefined => {
	const value = isObject(node) ? node[key] : undefined;
	return typeof value === 'string' ? value : undefined;
};
const isValue = (value: unknown): value is Value =>
	value === null || ['string', 'number', 'boolean'].includes(typeof value);

const FORMATS: Record<string, EdmType> = {
	uuid: 'Edm.Guid',
	'date-time': 'Edm.DateTimeOffset',
	int64: 'Edm.Int64',
};
const TYPES: Record<string, EdmType> = {
	string: 'Edm.String',
	integer: 'Edm.Int32',
	boolean: 'Edm.Boolean',
};

function toColumn(name: string, schema: Json): Column {
	const types = [schema.type].flat().filter((type) => typeof type === 'string');
	const type = FORMATS[textAt(schema, 'format') ?? ''] ?? TYPES[types[0] ?? ''];
	if (!type) throw new Error(`The contract gives the column ${name} no type`);
	const lookup = objectAt(schema, 'x-lookup');
	const [navigation, table] = [textAt(lookup, 'navigation'), textAt(lookup, 'table')];
	return {
		name,
		type,
		isNullable: types.includes('null'),
		isReadOnly: schema.readOnly === true,
		maxLength: typeof schema.maxLength === 'number' ? schema.maxLength : undefined,
		options: Array.isArray(schema.enum)
			? schema.enum.filter((option) => typeof option === 'number')
			: undefined,
		labels: Object.fromEntries(
			Object.entries(objectAt(schema, 'x-labels')).map(([value, label]) => [value, String(label)]),
		),
		initial: isValue(schema.default) ? schema.default : null,
		lookup: navigation && table ? { navigation, table } : undefined,
	};
}

function toTable(logicalName: string, schema: Json): Table {
	const about = objectAt(schema, 'x-table');
	const required = (key: string) => {
		const text = textAt(about, key);
		if (text === undefined) throw new Error(`The contract gives the table ${logicalName} no ${key}`);
		return text;
	};
	const columns = Object.entries(objectAt(schema, 'properties')).map(
		([name, column]) => [name, toColumn(name, isObject(column) ? column : {})] as const,
	);
	return {
		logicalName,
		entitySet: required('entitySet'),
		schemaName: required('schemaName'),
		displayName: required('displayName'),
		idColumn: required('id'),
		nameColumn: required('name'),
		columns: new Map(columns),
	};
}

const schemas = objectAt(document.components, 'schemas');

/** The contract's tables, by their logical names. */
export const tables: ReadonlyMap<string, Table> = new Map(
	Object.entries(schemas).flatMap(([name, schema]) =>
		isObject(schema) && 'x-table' in schema ? [[name, toTable(name, schema)] as const] : [],
	),
);

/** @throws Error for a table that the contract does not have */
export function tableOf(logicalName: string): Table {
	const table = tables.get(logicalName);
	if (!table) throw new Error(`The contract has no table ${logicalName}`);
	return table;
}

/** What stands before the brackets of a path, and whether it has any: `set`, `set(…)`, `function(…)`. */
export type PathKind = 'set' | 'row' | 'function';

/** A function can be bound to a row of the users: it then follows the row. */
const PATH = /^\/api\/data\/v9\.2\/(?:systemusers\([^)]*\)\/Microsoft\.Dynamics\.CRM\.)?(\w+)(\(.*\))?$/;

/** The calls by their method, kind and name, e.g. `GET row managedidentities`. */
const operations = new Map<string, Operation>(
	Object.entries(objectAt(document, 'paths')).flatMap(([path, item]) => {
		const [, name, brackets] = PATH.exec(path) ?? [];
		const logicalName = textAt(item, 'x-table');
		const table = logicalName === undefined ? undefined : tableOf(logicalName);
		const kind: PathKind = !table ? 'function' : brackets ? 'row' : 'set';
		return Object.entries(isObject(item) ? item : {}).flatMap(([method, call]) => {
			const operationId = textAt(call, 'operationId');
			if (operationId === undefined || !isObject(call)) return [];
			const parameters = [call.parameters ?? []].flat();
			const placed = (place: string) => parameters.filter((one) => textAt(one, 'in') === place);
			const nameOf = (parameter: unknown) => textAt(parameter, 'name') ?? '';
			const options = placed('query').map(nameOf);
			const args = placed('path').map((one) => {
				const isGuid = textAt(objectAt(one, 'schema'), 'format') === 'uuid';
				return { name: nameOf(one), isGuid };
			});
			return [[`${method.toUpperCase()} ${kind} ${name}`, { operationId, table, options, args }] as const];
		});
	}),
);

/** The call of a method and a path, if the contract has it. */
export const findOperation = (method: string, kind: PathKind, name: string): Operation | undefined =>
	operations.get(`${method} ${kind} ${name}`);

/** What kinds of paths begin with a name, whatever the method. */
export const kindsOf = (name: string): PathKind[] =>
	(['set', 'row', 'function'] as const).filter((kind) =>
		[...operations.keys()].some((key) => key.endsWith(` ${kind} ${name}`)),
	);

/**
 * The HTTP status that a code comes with.
 *
 * @throws Error for a code that the contract does not have
 */
export function statusOf(code: string): number {
	const { status } = objectAt(document['x-error-codes'], code);
	if (typeof status !== 'number') throw new Error(`The contract has no error code ${code}`);
	return status;
}
