import { badQuery, notEmulated, unknownColumn } from './errors';
import { type Column, type EdmType, GUID, type Row, type Table, type Value } from './schema';

/** The columns, rows and order that a request asks for. */
export interface Query {
	/** Undefined means every column. */
	select: Column[] | undefined;
	filter: (row: Row) => boolean;
	compare: (left: Row, right: Row) => number;
	skipToken: SkipToken | undefined;
}

/** Where a page begins. */
interface SkipToken {
	/** From 2. */
	page: number;
	/** The id of the last row of the page before. */
	last: string;
}

/** The preferences of a `Prefer` header. */
export interface Preferences {
	isRepresentation: boolean;
	maxPageSize: number | undefined;
	/** Whether labels come along with numbers and look-ups. */
	hasLabels: boolean;
}

/** Reads a `Prefer` header. Unknown preferences are ignored, as RFC 7240 demands. */
export function parsePrefer(header = ''): Preferences {
	const size = Number(/(?:odata\.)?maxpagesize\s*=\s*(\d+)/i.exec(header)?.[1] ?? 0);
	return {
		isRepresentation: /\breturn\s*=\s*representation\b/i.test(header),
		maxPageSize: size > 0 ? size : undefined,
		hasLabels: /include-annotations\s*=\s*"?[^";]*(\*|FormattedValue)/i.test(header),
	};
}

function columnOf(table: Table, name: string): Column {
	const column = table.columns.get(name);
	if (!column) throw unknownColumn(name, table);
	return column;
}

/** Folds the case of a text, because Dataverse compares texts without regard to it. */
const folded = (value: Value): Value => (typeof value === 'string' ? value.toLowerCase() : value);

/** Compares values as Dataverse does; null comes first. */
function compareValues(left: Value, right: Value): number {
	const [a, b] = [folded(left), folded(right)];
	if (a === b) return 0;
	if (a === null || b === null) return a === null ? -1 : 1;
	return a < b ? -1 : 1;
}

/** Reads a literal of a filter: a text in quotes, a GUID or an integer; undefined for anything else. */
function literalOf(text: string): { value: Value; type: EdmType } | undefined {
	const quoted = /^'((?:[^']|'')*)'$/.exec(text)?.[1];
	if (quoted !== undefined) return { value: quoted.replaceAll("''", "'"), type: 'Edm.String' };
	if (GUID.test(text)) return { value: text, type: 'Edm.Guid' };
	return /^-?\d+$/.test(text) ? { value: Number(text), type: 'Edm.Int32' } : undefined;
}

/** The query function for a column with one of several values. Source: docs/service-facts.md#conversation-record. */
const IN = /^Microsoft\.Dynamics\.CRM\.In\(PropertyName='(\w+)',PropertyValues=\[(.*)\]\)$/s;

/** Reads a `$filter` that is the query function `In` alone; undefined for any other. */
function parseIn(table: Table, text: string): Query['filter'] | undefined {
	const [, name, list = ''] = IN.exec(text) ?? [];
	if (name === undefined) return undefined;
	const column = columnOf(table, name);
	const values = list.split(',').map((given) => {
		const literal = literalOf(given.trim());
		if (literal?.type !== 'Edm.String') throw badQuery(`Expected literal type token but found '${given}'.`);
		if (column.type === 'Edm.Guid' && !GUID.test(String(literal.value)))
			throw badQuery(`Unrecognized Guid format.`);
		return String(folded(literal.value));
	});
	const wanted = new Set(values);
	return (row) => wanted.has(String(folded(row[column.name] ?? null)));
}

/** Reads a `$filter` of a supported kind: {@link parseIn}, or columns that equal literals, joined by `and`. */
function parseFilter(table: Table, text: string): Query['filter'] {
	const isOneOf = parseIn(table, text);
	if (isOneOf) return isOneOf;
	// An `and` followed by an even number of quotes is not inside a text.
	const terms = text.split(/ and (?=(?:[^']*'[^']*')*[^']*$)/).map((term) => {
		const [, name, given = ''] = /^(\w+) eq (.+)$/s.exec(term) ?? [];
		const literal = literalOf(given);
		if (name === undefined || !literal) throw notEmulated(`The $filter ${text}`);
		const { type } = columnOf(table, name);
		if (literal.type !== type) {
			throw badQuery(
				`A binary operator with incompatible types was detected. Found operand types '${type}' and '${literal.type}' for operator kind 'Equal'.`,
			);
		}
		return { name, value: literal.value };
	});
	return (row) => terms.every(({ name, value }) => compareValues(row[name] ?? null, value) === 0);
}

/** Reads an `$orderby` of at most one column. */
function parseOrder(table: Table, text: string | null): Query['compare'] {
	const [, name = '', direction] = text === null ? [] : (/^(\w+)(?: (asc|desc))?$/.exec(text) ?? []);
	if (text !== null && name === '') throw notEmulated(`The $orderby ${text}`);
	// Equal rows, and all rows without an `$orderby`, are sorted by their keys. This is inferred.
	const asked =
		text === null ? [] : [{ column: columnOf(table, name).name, sign: direction === 'desc' ? -1 : 1 }];
	const all = [...asked, { column: table.idColumn, sign: 1 }];
	return (left, right) => {
		for (const { column, sign } of all) {
			const order = compareValues(left[column] ?? null, right[column] ?? null);
			if (order !== 0) return order * sign;
		}
		return 0;
	};
}

/** Writes a skip token in the form of Dataverse: a cookie inside a cookie, escaped twice. */
export function writeSkipToken({ page, last }: SkipToken, idColumn: string): string {
	const inner = `<cookie page="${page - 1}"><${idColumn} last="{${last.toUpperCase()}}" /></cookie>`;
	const escaped = encodeURIComponent(encodeURIComponent(inner));
	return `<cookie pagenumber="${page}" pagingcookie="${escaped}" istracking="False" />`;
}

function parseSkipToken(text: string): SkipToken {
	const [, page, escaped] = /^<cookie pagenumber="(\d+)" pagingcookie="([^"]*)"/.exec(text) ?? [];
	let inner = '';
	try {
		inner = decodeURIComponent(decodeURIComponent(escaped ?? ''));
	} catch {
		// Without the inner cookie, the token is refused below.
	}
	const last = /last="\{([0-9A-F-]{36})\}"/.exec(inner)?.[1];
	if (page === undefined || last === undefined) throw badQuery('Malformed XML in the paging cookie.');
	return { page: Number(page), last: last.toLowerCase() };
}

/**
 * Reads the query options of a request that has passed the contract.
 *
 * @throws DataverseError 0x80060888 for a wrong option, or 501 for one that is not emulated
 */
export function parseQuery(table: Table, params: URLSearchParams): Query {
	const [select, filter, skipToken] = ['$select', '$filter', '$skiptoken'].map((name) => params.get(name));
	return {
		select: select?.split(',').map((name) => columnOf(table, name.trim())),
		filter: filter ? parseFilter(table, filter) : () => true,
		compare: parseOrder(table, params.get('$orderby')),
		skipToken: skipToken ? parseSkipToken(skipToken) : undefined,
	};
}
