import { nonEmptyText, readKey, textOf, type Json } from '../json';
import { ServiceError } from './errors';
import type { ReadRequest } from './request';

/** A request for a list, which comes in pages. */
export interface ListRequest {
	/** The request, without the parameters of a page. */
	request: ReadRequest;
	/** The answer's key for the entries. */
	entriesKey: string;
	/** How many entries at the most; undefined for all. */
	limit: number | undefined;
	/** The largest page that is asked for; undefined where the request itself has the page size. */
	maxPageSize?: number;
}

/** How a service splits its lists into pages. */
export interface PageReader {
	/** The answer's key for the cursor, which names the next page. */
	cursorKey: string;
	/** The key of an entry's ID, where pages may overlap or be repeated. */
	idKey?: (list: ListRequest) => string | undefined;
	/**
	 * Makes the request of a page.
	 * @param list its limit is how many entries are still wanted.
	 * @param cursor from the page before; undefined for the first page.
	 * @throws ServiceError where the cursor leads to another host, which must not get the credential.
	 */
	pageRequest: (list: ListRequest, cursor: string | undefined) => ReadRequest;
	/**
	 * Makes the error of a list that was not read to its end.
	 * @param count how many entries were read.
	 * @param why the error of a later page, a cursor that was given twice, or pages without new entries.
	 */
	brokenOff: (count: number, why: 'repeatedCursor' | 'noProgress' | ServiceError) => ServiceError;
}

/** Sends a request and returns the JSON of the answer. */
type Call = (request: ReadRequest) => Promise<Json>;

/** One page of a list. */
export interface Page {
	entries: Json[];
	/** The cursor of the next page; undefined after the last. */
	next: string | undefined;
}

/**
 * Reads one page of a list.
 * @param cursor from the page before; undefined for the first page.
 * @throws ServiceError what `call` and the reader throw.
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

/** Pages without new entries before the list is given up. A filter of the service can leave a page empty. */
const MAX_PAGES_WITHOUT_PROGRESS = 3;

/**
 * Recognises repeated entries and pages. It keeps the first and last ID of each page only, as a list can be long.
 */
class SeenPages {
	private readonly heads = new Set<string>();
	private readonly pages = new Set<string>();
	private before = new Set<string>();

	constructor(private readonly idOf: (entry: Json) => string | null) {}

	/** Returns the entries that are neither in the page before nor the first of an earlier page; none of a repeated page. */
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
 * Reads a list page by page, with one page in memory at a time, and leaves out entries that come again.
 * @throws ServiceError where a page fails, a cursor comes a second time, or the pages have no new entries. So the list
 * never ends early without an error, and never goes on for ever.
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
		const wantedEntries = fresh.slice(0, wanted - count);
		yield* wantedEntries;
		count += wantedEntries.length;
		if (next === undefined || count >= wanted) return;
		if (cursors.has(next)) throw reader.brokenOff(count, 'repeatedCursor');
		withoutProgress = fresh.length === 0 ? withoutProgress + 1 : 0;
		if (withoutProgress >= MAX_PAGES_WITHOUT_PROGRESS) throw reader.brokenOff(count, 'noProgress');
		cursors.add(next);
		cursor = next;
	}
}

/** A service whose pages contain the URL of the next one. */
interface LinkedPages {
	/** The answer's key for that URL. */
	linkKey: string;
	/** The service's name, for errors. */
	service: string;
	/** The credential's field for the service's address, for errors. */
	hostField: string;
	/** Makes the request of the first page; by default that of the list. */
	firstRequest?: (list: ListRequest) => ReadRequest;
	/** Makes the request of a page from its URL; undefined where the URL leads to another host or path. */
	follow: (request: ReadRequest, link: string) => ReadRequest | undefined;
}

/** Makes the page reader of a service whose pages contain the URL of the next one. */
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
