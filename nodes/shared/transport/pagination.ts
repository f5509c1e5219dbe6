import { nonEmptyText, readKey, textOf, type Json } from '../json';
import { ServiceError } from './errors';
import type { ReadRequest } from './request';

/** A list that comes in pages. */
export interface ListRequest {
	/** The request of the list, without what tells its pages apart. */
	request: ReadRequest;
	/** The answer's key that holds the entries. */
	entriesKey: string;
	/** How many entries at the most; undefined for all. */
	limit: number | undefined;
	/** The largest page that is asked for; undefined where the request itself says how large pages are. */
	maxPageSize?: number;
}

/** How a service gives its lists. */
export interface PageReader {
	/** The answer's key that holds what names the next page: its cursor. */
	cursorKey: string;
	/** What tells the entries of a list apart, where pages may overlap or come again. */
	idKey?: (list: ListRequest) => string | undefined;
	/**
	 * The request of a page.
	 * @param list with the limit that is left.
	 * @param cursor what the page before gave; undefined for the first.
	 * @throws ServiceError where the cursor leads to another place, to which no credential may go.
	 */
	pageRequest: (list: ListRequest, cursor: string | undefined) => ReadRequest;
	/**
	 * The error of a list that breaks off: what was read is not all, and nobody should take it for that.
	 * @param count how many entries were read.
	 * @param why the error of a later page, or that the pages go on, but bring nothing new.
	 */
	brokenOff: (count: number, why: 'repeatedCursor' | 'noProgress' | ServiceError) => ServiceError;
}

/** Makes a call and gives its answer. */
type Call = (request: ReadRequest) => Promise<Json>;

/** One page, and what names the next one; undefined after the last. */
export interface Page {
	entries: Json[];
	next: string | undefined;
}

/**
 * Reads one page.
 * @param cursor what the page before gave; undefined for the first.
 */
export async function readPage(
	list: ListRequest,
	reader: PageReader,
	call: Call,
	cursor?: string,
): Promise<Page> {
	const answer = await call(reader.pageRequest(list, cursor));
	const entries = readKey(answer, list.entriesKey);
	return {
		entries: Array.isArray(entries) ? entries : [],
		next: nonEmptyText(readKey(answer, reader.cursorKey)) ?? undefined,
	};
}

/** Pages without anything new that are put up with; a filter of the service can leave one empty. */
const MAX_PAGES_WITHOUT_PROGRESS = 3;

/**
 * What was seen of a list so far: what begins and ends each page is enough to see it come again, and little to keep of a
 * long list.
 */
class SeenPages {
	private readonly heads = new Set<string>();
	private readonly pages = new Set<string>();
	private before = new Set<string>();

	constructor(private readonly idOf: (entry: Json) => string | null) {}

	/** The entries of a page that neither the page before had, nor began an earlier one; none of a page that comes again. */
	fresh(entries: Json[]): Json[] {
		const ids = entries.map(this.idOf);
		const head = ids[0] ?? null;
		const page = `${head} ${ids.at(-1) ?? null} ${entries.length}`;
		const isRepeated = head !== null && this.pages.has(page);
		const isKnown = (id: string | null) => id !== null && (this.before.has(id) || this.heads.has(id));
		const fresh = isRepeated ? [] : entries.filter((_, index) => !isKnown(ids[index] ?? null));
		if (head !== null) this.heads.add(head);
		this.pages.add(page);
		this.before = new Set(ids.filter((id) => id !== null));
		return fresh;
	}
}

/**
 * Reads the entries of a list page by page, and holds one page at a time. An entry that the page before had already, or
 * that began an earlier one, is not given again.
 * @throws ServiceError when a later page fails, a cursor is given a second time, or the pages bring nothing new: never
 * a silent end, never a loop.
 */
export async function* readList(list: ListRequest, reader: PageReader, call: Call): AsyncGenerator<Json> {
	const idKey = reader.idKey?.(list);
	const seen = new SeenPages((entry) => (idKey === undefined ? null : textOf(readKey(entry, idKey))));
	const wanted = list.limit ?? Infinity;
	const cursors = new Set<string>();
	let count = 0;
	let withoutProgress = 0;
	for (let cursor: string | undefined; ;) {
		const limit = list.limit && wanted - count;
		const isLater = cursor !== undefined;
		const { entries, next } = await readPage({ ...list, limit }, reader, call, cursor).catch(
			(error: unknown) => {
				throw isLater && error instanceof ServiceError ? reader.brokenOff(count, error) : error;
			},
		);
		const fresh = seen.fresh(entries);
		const given = fresh.slice(0, wanted - count);
		yield* given;
		count += given.length;
		if (next === undefined || count >= wanted) return;
		if (cursors.has(next)) throw reader.brokenOff(count, 'repeatedCursor');
		withoutProgress = fresh.length === 0 ? withoutProgress + 1 : 0;
		if (withoutProgress >= MAX_PAGES_WITHOUT_PROGRESS) throw reader.brokenOff(count, 'noProgress');
		cursors.add(next);
		cursor = next;
	}
}

/** A service whose pages name the next one by its URL. */
interface LinkedPages {
	/** The answer's key that holds the next page's URL. */
	linkKey: string;
	/** The service's name, for errors. */
	service: string;
	/** The credential's field that holds the service's address, for errors. */
	hostField: string;
	/** The request of the first page. */
	firstRequest?: (list: ListRequest) => ReadRequest;
	/** The request of a page by its URL; undefined where that leads to another place, which is not followed. */
	follow: (request: ReadRequest, link: string) => ReadRequest | undefined;
}

/** How a service gives its lists whose pages name the next one by its URL. */
export function linkedPages({ linkKey, service, hostField, firstRequest, follow }: LinkedPages): PageReader {
	return {
		cursorKey: linkKey,
		pageRequest: (list, link) => {
			if (link === undefined) return firstRequest?.(list) ?? list.request;
			const next = follow(list.request, link);
			if (next !== undefined) return next;
			throw new ServiceError({
				message: `${service} named a next page that is somewhere else`,
				description: `It is not followed, as the credential would go along. Check ${hostField} in the credential.`,
			});
		},
		brokenOff: (_count, why) =>
			why instanceof ServiceError
				? why
				: new ServiceError({
						message: `The pages of ${service} bring nothing new`,
						description: 'The list was not read to its end. Run the node again.',
					}),
	};
}
