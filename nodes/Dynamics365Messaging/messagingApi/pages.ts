import { callService } from './client';
import type { Connection } from '../connection';
import { ServiceError } from '../../shared/transport/errors';
import { nonEmptyText, readKey, textOf, type Json } from '../../shared/json';
import { Throttle } from '../../shared/transport/throttle';
import type { ReadRequest } from './request';

/** What tells the entries of a list apart. */
const ID_KEYS = { conversations: 'conversationId', messages: 'messageId' } as const;

/** A list that comes in pages. */
export interface PagedRequest {
	request: ReadRequest;
	/** The answer's key that holds the entries. */
	entriesKey: keyof typeof ID_KEYS;
	/** How many entries at the most; undefined for all. */
	limit: number | undefined;
	/** The largest page that the service gives. */
	maxPageSize: number;
}

/**
 * Reads one page.
 * @param continuationToken what the page before gave; undefined for the first.
 */
export async function readPage(
	connection: Connection,
	{ request, entriesKey, limit, maxPageSize }: PagedRequest,
	continuationToken?: string,
	pace: Throttle = new Throttle(0),
): Promise<{ entries: Json[]; next: string | undefined }> {
	const query = {
		...request.query,
		PageSize: String(Math.min(limit ?? maxPageSize, maxPageSize)),
		...(continuationToken !== undefined && { ContinuationToken: continuationToken }),
	};
	const answer = await callService(connection, { ...request, query }, pace);
	const entries = readKey(answer, entriesKey);
	const next = readKey(answer, 'continuationToken');
	return {
		entries: Array.isArray(entries) ? entries : [],
		next: nonEmptyText(next) ?? undefined,
	};
}

/** Pages without anything new that are put up with; a filter of the service can leave one empty. */
const MAX_PAGES_WITHOUT_PROGRESS = 3;

/** The error of a list that breaks off: what was read is not all, and nobody should take it for that. */
function brokenOff(count: number, why: string, cause?: ServiceError): ServiceError {
	const { description, httpCode, code, correlationId } = cause ?? {
		description: 'Run the node again: the list is read from its start.',
	};
	const message = `The list broke off after ${count} entries: ${why}`;
	return new ServiceError({ message, description, httpCode, code, correlationId });
}

/**
 * Reads a list page by page, following the continuation tokens, and holds one page at a time. An entry that the page
 * before had already, or that began an earlier one, is not given again.
 * @throws ServiceError saying how many were read, when a later page fails, a token is given a second time, or the
 * pages bring nothing new: never a silent end, never a loop.
 */
export async function* readPages(
	connection: Connection,
	paged: PagedRequest,
	pace: Throttle = new Throttle(0),
): AsyncGenerator<Json> {
	const idOf = (entry: Json) => textOf(readKey(entry, ID_KEYS[paged.entriesKey]));
	const tokens = new Set<string>();
	const wanted = paged.limit ?? Infinity;
	let count = 0;
	let withoutProgress = 0;
	const heads = new Set<string>();
	const pages = new Set<string>();
	let before = new Set<string | undefined>();
	let token: string | undefined;
	do {
		const limit = paged.limit && wanted - count;
		const { entries, next } = await readPage(connection, { ...paged, limit }, token, pace).catch(
			(error: unknown) => {
				const isLater = token !== undefined && error instanceof ServiceError;
				throw isLater ? brokenOff(count, error.message, error) : error;
			},
		);
		const head = idOf(entries[0] ?? null);
		// Pages can come round again. What begins and ends each is enough to see it, and little to keep of a long list.
		const page = `${head} ${idOf(entries.at(-1) ?? null)} ${entries.length}`;
		const isRepeated = head !== null && pages.has(page);
		const isKnown = (id: string | null) => id !== null && (before.has(id) || heads.has(id));
		const fresh = isRepeated ? [] : entries.filter((entry) => !isKnown(idOf(entry)));
		const given = fresh.slice(0, wanted - count);
		yield* given;
		count += given.length;
		if (next === undefined || count >= wanted) return;
		if (tokens.has(next)) throw brokenOff(count, 'the service gave the same page token twice');
		withoutProgress = fresh.length === 0 ? withoutProgress + 1 : 0;
		if (withoutProgress >= MAX_PAGES_WITHOUT_PROGRESS) {
			throw brokenOff(count, 'its next pages bring nothing new');
		}
		tokens.add(next);
		if (head !== null) heads.add(head);
		pages.add(page);
		before = new Set(entries.map((entry) => idOf(entry) ?? undefined));
		token = next;
	} while (token !== undefined);
}
