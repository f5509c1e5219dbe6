import { ServiceError } from '../../shared/transport/errors';
import type { ListRequest, PageReader } from '../../shared/transport/pagination';
import { conversationPath } from './request';

/** The key of an entry's ID, by the key of its list. */
const ID_KEYS: Record<string, string> = { conversations: 'conversationId', messages: 'messageId' };

/**
 * The list of the channel's active conversations. Source: docs/service-facts.md#list-conversations.
 * @param limit how many at the most; undefined for all.
 * @param query such as `StartTimeStamp`.
 */
export function conversationList(limit: number | undefined, query: Record<string, string> = {}): ListRequest {
	const request = { method: 'GET', path: '/conversations', query } as const;
	return { request, entriesKey: 'conversations', limit, maxPageSize: 250 };
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

const WHY = {
	repeatedCursor: 'the service gave the same page token twice',
	noProgress: 'its next pages bring nothing new',
};

/** How the lists of the Messaging API are paged: each page has the token of the next one. */
export const pageReader: PageReader = {
	cursorKey: 'continuationToken',
	idKey: ({ entriesKey }) => ID_KEYS[entriesKey],
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
		const message = `The list broke off after ${count} entries: ${reason}`;
		return new ServiceError({ message, description, httpCode, code, correlationId });
	},
};
