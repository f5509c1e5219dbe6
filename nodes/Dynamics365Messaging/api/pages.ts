import { callService } from './client';
import type { Connection } from './connection';
import { ServiceError } from './errors';
import { nonEmptyText, readKey, type Json } from './json';
import type { ApiRequest } from './request';

/** A list that comes in pages. */
export interface PagedRequest {
	request: ApiRequest;
	/** The answer's key that holds the entries. */
	entriesKey: 'conversations' | 'messages';
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
	signal?: AbortSignal,
): Promise<{ entries: Json[]; next: string | undefined }> {
	const query = {
		...request.query,
		PageSize: String(Math.min(limit ?? maxPageSize, maxPageSize)),
		...(continuationToken !== undefined && { ContinuationToken: continuationToken }),
	};
	const answer = await callService(connection, { ...request, query }, signal);
	const entries = readKey(answer, entriesKey);
	const next = readKey(answer, 'continuationToken');
	return {
		entries: Array.isArray(entries) ? entries : [],
		next: nonEmptyText(next) ?? undefined,
	};
}

/**
 * Reads a list page by page, following the continuation tokens.
 * @throws ServiceError when the service gives a token a second time, which would go on for ever.
 */
export async function* readPages(
	connection: Connection,
	paged: PagedRequest,
	signal?: AbortSignal,
): AsyncGenerator<Json> {
	const seen = new Set<string>();
	let left = paged.limit ?? Infinity;
	let token: string | undefined;
	do {
		const { entries, next } = await readPage(
			connection,
			{ ...paged, limit: paged.limit && left },
			token,
			signal,
		);
		yield* entries.slice(0, left);
		left -= entries.length;
		if (next !== undefined && seen.has(next)) {
			throw new ServiceError({
				message: 'The service gave the same page token twice',
				description: 'The list was not read to its end. Run the node again.',
			});
		}
		if (next !== undefined) seen.add(next);
		token = next;
	} while (token !== undefined && left > 0);
}
