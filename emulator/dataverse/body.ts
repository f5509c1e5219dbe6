import { isObject } from '../contract';
import { badKey, badPayload, badQuery, DataverseError } from './errors';
import { type Column, GUID, type Row, type Table, tableOf, type Value } from './schema';

/** What a body sets: columns by their names, look-ups as the id of the row that they are bound to, or null. */
export type Changes = Row;

const conversionError = (table: Table, { type }: Column, value: unknown) =>
	badPayload(
		table,
		`Microsoft.OData.ODataException: Cannot convert the literal '${String(value)}' to the expected type '${type}'.`,
	);

/** The value as the column's type has it; undefined when it has no such value. */
function converted({ type }: Column, value: unknown): Value | undefined {
	switch (type) {
		case 'Edm.String':
			return typeof value === 'string' ? value : undefined;
		case 'Edm.Guid':
			return typeof value === 'string' && GUID.test(value) ? value.toLowerCase() : undefined;
		case 'Edm.Boolean':
			return typeof value === 'boolean' ? value : undefined;
		case 'Edm.Int32':
		case 'Edm.Int64': {
			// Digits in a text are read as a number.
			const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
			return Number.isInteger(number) ? (number as number) : undefined;
		}
		case 'Edm.DateTimeOffset':
			return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined;
	}
}

function readValue(table: Table, column: Column, value: unknown): Value {
	if (value === null && column.isNullable) return null;
	const read = converted(column, value);
	if (read === undefined) throw conversionError(table, column, value);
	const { maxLength, name, options } = column;
	if (typeof read === 'string' && maxLength !== undefined && read.length > maxLength) {
		throw new DataverseError(
			'0x80044331',
			`A validation error occurred. The length of the '${name}' attribute of the '${table.logicalName}' entity exceeded the maximum allowed length of '${maxLength}'.`,
		);
	}
	if (typeof read === 'number' && options && !options.includes(read)) {
		throw new DataverseError(
			'0x8004431a',
			`A validation error occurred. The value ${read} of '${name}' on record of type '${table.logicalName}' is outside the valid range. Accepted Values: ${options.join(',')}`,
		);
	}
	return read;
}

/** Reads `/set(id)`, with or without the slash or the environment's URL before it. */
function readReference(table: Table, target: Table, value: unknown): string | null {
	if (value === null) return null;
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	const [, set, key = ''] = /^(?:https:\/\/[^/]+\/api\/data\/v9\.\d)?\/?(\w+)\(([^)]*)\)$/.exec(text) ?? [];
	if (set !== target.entitySet) {
		const segment = set ?? text;
		throw badPayload(
			table,
			`Microsoft.OData.ODataException: Resource not found for the segment '${segment}'.`,
		);
	}
	if (!GUID.test(key)) throw badKey();
	return key.toLowerCase();
}

function readBinding(table: Table, navigation: string, value: unknown): [string, Value] {
	const column = [...table.columns.values()].find(({ lookup }) => lookup?.navigation === navigation);
	if (!column?.lookup) {
		throw badPayload(
			table,
			`Microsoft.OData.ODataException: An undeclared property '${navigation}' which only has property annotations in the payload but no property value was found in the payload. In OData, only declared navigation properties and declared named streams can be represented as properties without values.`,
		);
	}
	return [column.name, readReference(table, tableOf(column.lookup.table), value)];
}

/**
 * Reads the body of a POST or a PATCH.
 *
 * @param body parsed; a text is JSON that could not be
 * @throws DataverseError for what Dataverse would refuse before it looks at any record
 */
export function readChanges(table: Table, body: unknown, contentType: string | undefined): Changes {
	if (!isObject(body)) {
		throw badPayload(
			table,
			`Microsoft.OData.ODataException: ${body === undefined ? 'The body is empty.' : 'The body is not a JSON object.'}`,
		);
	}
	// That another media type is refused is documented; with what it is refused is inferred.
	if (contentType !== undefined && !/^application\/json\s*(;|$)/i.test(contentType)) {
		throw badPayload(
			table,
			`Microsoft.OData.ODataContentTypeException: A supported MIME type could not be found that matches the content type '${contentType}'.`,
		);
	}
	const changes: [string, Value][] = [];
	for (const [key, value] of Object.entries(body)) {
		const navigation = /^(.+)@odata\.bind$/.exec(key)?.[1];
		const column = table.columns.get(key);
		if (navigation !== undefined) changes.push(readBinding(table, navigation, value));
		else if (column?.lookup) {
			throw badQuery(
				'CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.',
			);
		} else if (column && !column.isReadOnly) changes.push([key, readValue(table, column, value)]);
		else if (!column && !key.startsWith('@')) {
			throw badPayload(
				table,
				`Microsoft.Crm.CrmException: Invalid property '${key}' was found in entity 'Microsoft.Dynamics.CRM.${table.logicalName}'. ---> Microsoft.OData.ODataException: Does not support untyped value in non-open type.`,
			);
		}
	}
	return Object.fromEntries(changes);
}
