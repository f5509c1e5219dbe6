import { badQuery, unknownColumn } from './errors';
import { compareValues, parseFilter, type Predicate } from './filter';
import { type Column, type Row, type Table, tableOf } from './schema';

/** A look-up that comes with its row. */
export interface Expansion {
	column: Column;
	table: Table;
	select: Column[] | undefined;
}

/** What a request asks to see. */
export interface Query {
	/** Undefined: every column. */
	select: Column[] | undefined;
	expand: Expansion[];
	filter: Predicate;
	compare: (left: Row, right: Row) => number;
	top: number | undefined;
	isCounted: boolean;
	skipToken: SkipToken | undefined;
}

/** Where a page begins. */
export interface SkipToken {
	/** From 2. */
	page: number;
	/** The id of the last row of the page before. */
	last: string;
}

/** What the `Prefer` header asks for. */
export interface Preferences {
	isRepresentation: boolean;
	maxPageSize: number | undefined;
	/** Names of annotations, a `*` at the end stands for anything; undefined: none are wanted. */
	annotations: string | undefined;
}

/** Reads the `Prefer` header; what is not known is not looked at, as the header's definition wants it. */
export function parsePrefer(header = ''): Preferences {
	const annotations = /odata\.include-annotations\s*=\s*(?:"([^"]*)"|([^\s,;"]+))/i.exec(header);
	const size = Number(/(?:odata\.)?maxpagesize\s*=\s*(\d+)/i.exec(header)?.[1] ?? 0);
	return {
		isRepresentation: /\breturn\s*=\s*representation\b/i.test(header),
		maxPageSize: size > 0 ? size : undefined,
		annotations: annotations ? (annotations[1] ?? annotations[2]) : undefined,
	};
}

/** Whether an annotation is among those that were asked for. */
export const wants = ({ annotations = '' }: Preferences, term: string): boolean =>
	annotations
		.split(',')
		.map((pattern) => pattern.trim())
		.some((pattern) => (pattern.endsWith('*') ? term.startsWith(pattern.slice(0, -1)) : pattern === term));

const listed = (text: string): string[] =>
	text
		.split(',')
		.map((name) => name.trim())
		.filter((name) => name !== '');

function columnOf(table: Table, name: string): Column {
	const column = table.columns.get(name);
	if (!column) throw unknownColumn(name, table);
	return column;
}

const parseSelect = (table: Table, text: string | null): Column[] | undefined =>
	text === null ? undefined : listed(text).map((name) => columnOf(table, name));

/** Single-valued look-ups, each with a `$select` of its own or none: what the contract's tables have. */
function parseExpand(table: Table, text: string): Expansion[] {
	const items = text.match(/[^,()]+(\([^()]*\))?/g) ?? [];
	return items.map((item) => {
		const [, name = '', inner] = /^\s*(\w+)\s*(?:\(([^()]*)\))?\s*$/.exec(item) ?? [];
		const column = [...table.columns.values()].find(({ lookup }) => lookup?.navigation === name);
		if (!column?.lookup) throw unknownColumn(name || item.trim(), table);
		const target = tableOf(column.lookup.table);
		const options = new URLSearchParams(inner?.replaceAll(';', '&') ?? '');
		const other = [...options.keys()].find((option) => option !== '$select');
		if (other !== undefined) throw badQuery(`The query option '${other}' in $expand is not supported.`);
		return { column, table: target, select: parseSelect(target, options.get('$select')) };
	});
}

function parseOrder(table: Table, text: string): Query['compare'] {
	const terms = listed(text).map((term) => {
		const [, name, direction] = /^(\S+)(?:\s+(asc|desc))?$/.exec(term) ?? [];
		if (name === undefined) throw badQuery(`Syntax error at position 0 in '${term}'.`);
		return { name: columnOf(table, name).name, sign: direction === 'desc' ? -1 : 1 };
	});
	// The key decides between equals, and alone where nothing is asked for; that it does so is inferred.
	const all = [...terms, { name: table.idColumn, sign: 1 }];
	return (left, right) => {
		for (const { name, sign } of all) {
			const order = compareValues(left[name] ?? null, right[name] ?? null);
			if (order !== 0) return order * sign;
		}
		return 0;
	};
}

/** The token in the form that Dataverse's has: a cookie inside a cookie, escaped twice. */
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
		// Is refused below.
	}
	const last = /last="\{([0-9A-F-]{36})\}"/.exec(inner)?.[1];
	if (page === undefined || last === undefined) throw badQuery('Malformed XML in the paging cookie.');
	return { page: Number(page), last: last.toLowerCase() };
}

function parseTop(text: string | null): number | undefined {
	if (text === null) return undefined;
	if (/^[1-9]\d*$/.test(text)) return Number(text);
	throw badQuery(
		`Invalid value '${text}' for $top query option found. The $top query option requires a positive integer value.`,
	);
}

/**
 * Reads the query options of a request.
 *
 * @param options the names of those that the call takes
 * @throws DataverseError 0x80060888 for what cannot be read
 */
export function parseQuery(table: Table, options: string[], params: URLSearchParams): Query {
	for (const name of params.keys()) {
		if (name === '$skip') throw badQuery('Skip Clause is not supported in CRM');
		if (!options.includes(name)) throw badQuery(`The query parameter ${name} is not supported`);
		if (params.getAll(name).length > 1) {
			throw badQuery(
				`Query option '${name}' was specified more than once, but it must be specified at most once.`,
			);
		}
	}
	const [filter, skipToken] = [params.get('$filter'), params.get('$skiptoken')];
	return {
		select: parseSelect(table, params.get('$select')),
		expand: parseExpand(table, params.get('$expand') ?? ''),
		filter: filter === null ? () => true : parseFilter(filter, table),
		compare: parseOrder(table, params.get('$orderby') ?? ''),
		top: parseTop(params.get('$top')),
		isCounted: params.get('$count') === 'true',
		skipToken: skipToken === null ? undefined : parseSkipToken(skipToken),
	};
}
