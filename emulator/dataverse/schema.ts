import { join } from 'node:path';
import { type Json, isObject, objectAt, readDocument } from '../contract/open';

export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export type Value = string | number | boolean | null;
/** A row: its values by the names of the columns. The column of a look-up is named `_…_value`. */
export type Row = Record<string, Value>;

export type EdmType =
	'Edm.String' | 'Edm.Guid' | 'Edm.Int32' | 'Edm.Int64' | 'Edm.Boolean' | 'Edm.DateTimeOffset';

export interface Column {
	name: string;
	type: EdmType;
	/** The value of a new row. */
	initial: Value;
	/** The look-up's navigation property, and the logical name of the table that it refers to. */
	lookup?: { navigation: string; table: string };
}

export interface Table {
	logicalName: string;
	entitySet: string;
	/** The last part of the names of privileges. */
	schemaName: string;
	displayName: string;
	idColumn: string;
	/** The column whose value is the label of a look-up that refers to a row; undefined where nothing refers to the table. */
	nameColumn: string | undefined;
	columns: ReadonlyMap<string, Column>;
}

/** The contract of Dataverse, `contract.yaml`. */
export const document = readDocument(join(__dirname, 'contract.yaml'));

const textAt = (node: Json, key: string): string | undefined => {
	const value = node[key];
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

/** The OData type of a column's schema. @throws Error for a schema without a type */
export function edmTypeOf(schema: Json): EdmType {
	const name = [schema.type].flat().find((type) => typeof type === 'string') ?? '';
	const type = FORMATS[textAt(schema, 'format') ?? ''] ?? TYPES[name];
	if (type) return type;
	throw new Error('The contract gives a column no type');
}

function toColumn(name: string, schema: Json): Column {
	const lookup = objectAt(schema, 'x-lookup');
	const [navigation, table] = [textAt(lookup, 'navigation'), textAt(lookup, 'table')];
	return {
		name,
		type: edmTypeOf(schema),
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
	const properties = objectAt(schema, 'properties');
	const columns = Object.keys(properties).map(
		(name) => [name, toColumn(name, objectAt(properties, name))] as const,
	);
	return {
		logicalName,
		entitySet: required('entitySet'),
		schemaName: required('schemaName'),
		displayName: required('displayName'),
		idColumn: required('id'),
		nameColumn: textAt(about, 'name'),
		columns: new Map(columns),
	};
}

/** The contract's tables, by their logical names. */
export const tables: ReadonlyMap<string, Table> = new Map(
	Object.entries(objectAt(document, 'components', 'schemas')).flatMap(([name, schema]) =>
		isObject(schema) && 'x-table' in schema ? [[name, toTable(name, schema)] as const] : [],
	),
);

/** Finds a table by its logical name. @throws Error for a table that the contract does not have */
export function tableOf(logicalName: string): Table {
	const table = tables.get(logicalName);
	if (!table) throw new Error(`The contract has no table ${logicalName}`);
	return table;
}
