import { isRecord, nonEmptyText, readKey, type Json } from '../json';
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
	/**
	 * Gives what tells an entry from every other one, where pages may overlap or be repeated; null where nothing does.
	 * Of an entry that comes again, it is the same.
	 */
	identityOf?: (list: ListRequest, entry: Json) => string | null;
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

/** Says what came in place of an object with a list. */
function whatCame(answer: Json, key: string): string {
	if (answer === null) return 'is empty';
	if (Array.isArray(answer)) return 'is a list';
	if (!isRecord(answer)) return `is a ${typeof answer}`;
	const found = readKey(answer, key);
	if (found !== undefined)
		return `has ${key}, which is ${found === null ? 'null' : `no list but of type ${typeof found}`}`;
	const keys = Object.keys(answer);
	const some = keys.slice(0, 5).map((name) => name.slice(0, 40));
	return keys.length === 0
		? 'is an object without any key'
		: `is an object with other keys (${some.join(', ')})`;
}

/**
 * Reads the list of an answer. A list that is missing is not an empty one, as something else may have answered. Pure.
 * @param key of the list.
 * @throws ServiceError where there is no list, which says what came.
 */
export function readEntries(answer: Json, key: string): Json[] {
	const entries = readKey(answer, key);
	if (Array.isArray(entries)) return entries;
	throw new ServiceError({
		message: `The answer has no list of ${key}`,
		description: `It came with success, but it ${whatCame(answer, key)}. Check the address of the service in the credential, and the proxy between n8n and the service.`,
	});
}

/**
 * Reads one page of a list.
 * @param cursor from the page before; undefined for the first page.
 * @throws ServiceError what `call` and the reader throw, and where the answer has no list.
 */
export async function readPage(
	list: ListRequest,
	reader: PageReader,
	call: Call,
	cursor?: string,
): Promise<Page> {
	const answer = await call(reader.pageRequest(list, cursor));
	return {
		entries: readEntries(answer, list.entriesKey),
		next: nonEmptyText(readKey(answer, reader.cursorKey)) ?? undefined,
	};
}

/** Pages without new entries before the list is given up. A filter of the service can leave a page empty. */
const MAX_PAGES_WITHOUT_PROGRESS = 3;

/** Counts how often each text comes. */
function countsOf(texts: Array<string | null>): Map<string, number> {
	const counts = new Map<string, number>();
	for (const text of texts) if (text !== null) counts.set(text, (counts.get(text) ?? 0) + 1);
	return counts;
}

/**
 * Recognises repeated entries and pages. It keeps the first and the last identity of each page only, as a list can be
 * long.
 */
class SeenPages {
	private readonly heads = new Set<string>();
	private readonly pages = new Set<string>();
	private before = new Map<string, number>();

	constructor(private readonly identityOf: (entry: Json) => string | null) {}

	/**
	 * Returns the entries that are neither in the page before nor the first of an earlier page; none of a repeated page.
	 * Of entries that look the same, those are new which the page before did not have as often: pages that overlap
	 * repeat all that there are.
	 */
	fresh(entries: Json[]): Json[] {
		const identities = entries.map(this.identityOf);
		const head = identities[0] ?? null;
		const page = `${head} ${identities.at(-1) ?? null} ${entries.length}`;
		const isRepeated = head !== null && this.pages.has(page);
		// It is not needed again, so it is used up.
		const repeats = this.before;
		const isKnown = (identity: string | null) => {
			if (identity === null) return false;
			const left = repeats.get(identity);
			if (left === undefined) return this.heads.has(identity);
			repeats.set(identity, left - 1);
			return left > 0;
		};
		const fresh = isRepeated ? [] : entries.filter((_, index) => !isKnown(identities[index] ?? null));
		if (head !== null) this.heads.add(head);
		this.pages.add(page);
		this.before = countsOf(identities);
		return fresh;
	}
}

/**
 * Reads a list page by page, with one page in memory at a time, and leaves out entries that come again.
 * @returns the new entries of each page, together: a step for each entry of a long list would take longer than the reading.
 * @throws ServiceError where a page fails, a cursor comes a second time, or the pages have no new entries. So the list
 * never ends early without an error, and never goes on for ever.
 */
export async function* readPages(list: ListRequest, reader: PageReader, call: Call): AsyncGenerator<Json[]> {
	const seen = new SeenPages((entry) => reader.identityOf?.(list, entry) ?? null);
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
		yield wantedEntries;
		count += wantedEntries.length;
		if (next === undefined || count >= wanted) return;
		if (cursors.has(next)) throw reader.brokenOff(count, 'repeatedCursor');
		withoutProgress = fresh.length === 0 ? withoutProgress + 1 : 0;
		if (withoutProgress >= MAX_PAGES_WITHOUT_PROGRESS) throw reader.brokenOff(count, 'noProgress');
		cursors.add(next);
		cursor = next;
	}
}

/** Reads a list as {@link readPages} does, entry by entry: for short lists. */
export async function* readList(...list: Parameters<typeof readPages>): AsyncGenerator<Json> {
	for await (const entries of readPages(...list)) yield* entries;
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
