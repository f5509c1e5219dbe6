import { createHash } from 'node:crypto';
import { nonEmptyText, readKey, type Json } from '../../shared/json';
import { ServiceError } from '../../shared/transport/errors';
import type { ListRequest, PageReader } from '../../shared/transport/pagination';
import { conversationPath } from './request';
import { messageIdOf } from './sendActivity';

/**
 * The list of the channel's active conversations. Source: docs/service-facts.md#list-conversations.
 * @param limit how many at the most; undefined for all.
 * @param query such as `StartTimeStamp`.
 * @param maxPageSize how many conversations a page has at the most, up to 250.
 */
export function conversationList(
	limit: number | undefined,
	query: Record<string, string> = {},
	maxPageSize = 250,
): ListRequest {
	const request = { method: 'GET', path: '/conversations', query } as const;
	return { request, entriesKey: 'conversations', limit, maxPageSize };
}

/** The list of a conversation's messages; its parameters are those of {@link conversationList}. Source: docs/service-facts.md#list-messages. */
export function messageList(
	conversationId: string,
	limit?: number,
	query: Record<string, string> = {},
): ListRequest {
	const request = { method: 'GET', path: conversationPath(conversationId, '/messages'), query } as const;
	return { request, entriesKey: 'messages', limit, maxPageSize: 100 };
}

/** What of a message is the same each time it is read. The URL of a file is not: the service may sign it anew. */
const LASTING_KEYS = ['timestamp', 'type', 'from', 'text'];

/**
 * Tells an entry of a list from every other one. A conversation has its ID. The ID of a message is the time in
 * milliseconds, which two messages may share, so what they say counts as well. Pure.
 * Source: docs/service-facts.md#message-ids.
 * @returns null where the entry has no ID.
 */
function identityOf({ entriesKey }: ListRequest, entry: Json): string | null {
	if (entriesKey === 'conversations') return nonEmptyText(readKey(entry, 'conversationId'));
	const id = messageIdOf(entry);
	if (id === null) return null;
	const attachments = readKey(entry, 'attachments');
	const names = Array.isArray(attachments)
		? attachments.map((file) => [readKey(file, 'name') ?? null, readKey(file, 'contentType') ?? null])
		: [];
	const content = [...LASTING_KEYS.map((key) => readKey(entry, key) ?? null), names];
	// A text can be long, and one of each page is kept.
	return `${id} ${createHash('sha256').update(JSON.stringify(content)).digest('base64url')}`;
}

const WHY = {
	repeatedCursor: 'the service gave the same page token twice',
	noProgress: 'its next pages bring nothing new',
};

/** How the lists of the Messaging API are paged: each page has the token of the next one. */
export const pageReader: PageReader = {
	cursorKey: 'continuationToken',
	identityOf,
	pageRequest: ({ request, limit, maxPageSize = 50 }, continuationToken) => ({
		...request,
		query: {
			...request.query,
			PageSize: String(Math.min(limit ?? maxPageSize, maxPageSize)),
			...(continuationToken !== undefined && { ContinuationToken: continuationToken }),
		},
	}),
	brokenOff: (count, why) => {
		const { description, httpCode, code, correlationId } =
			why instanceof ServiceError
				? why
				: { description: 'Run the node again: the list is read from its start.' };
		const reason = why instanceof ServiceError ? why.message : WHY[why];
		const message = `The list ended early, after ${count} entries: ${reason}`;
		return new ServiceError({ message, description, httpCode, code, correlationId });
	},
};
