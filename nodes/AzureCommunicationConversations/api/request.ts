import { randomUUID } from 'node:crypto';
import type { ListRequest } from '../../shared/transport/pagination';
import type { ServiceRequest, ReadRequest, SendRequest } from '../../shared/transport/request';

/** Source: docs/service-facts.md#acs-calls. */
const CONVERSATIONS = '/messages/conversations';

/** What can follow a conversation's own path. */
type ConversationPart =
	'' | ':terminate' | '/messages' | '/messages:send' | '/participants:add' | '/participants:remove';

/** The path of all conversations. */
export const conversationsPath = (): string => CONVERSATIONS;

/** The path of a conversation. Its id, such as `19:…@thread.v2`, is percent-encoded. */
export function conversationPath(conversationId: string, part: ConversationPart = ''): string {
	return `${CONVERSATIONS}/${encodeURIComponent(conversationId)}${part}`;
}

/** The path of a channel's templates. */
export function templatesPath(channelId: string): string {
	return `/messages/channels/${encodeURIComponent(channelId)}/templates`;
}

/** A call that the service knows again by its IDs, so that it may be repeated. */
type KeyedRequest<Body> = SendRequest<Body> & { hasIdempotencyKey: true };

/**
 * A request with the ids of its own that every try of it carries: the one by which support finds it, and, where doing
 * it twice would not be the same as doing it once, the pair by which the service knows a repeated one and answers as it
 * did the first time. Source: docs/service-facts.md#acs-repeatability.
 */
export function withIds<Request extends ServiceRequest>(request: Request, now: Date = new Date()): Request {
	return {
		...request,
		headers: {
			...request.headers,
			'x-ms-client-request-id': randomUUID(),
			...('hasIdempotencyKey' in request && {
				'repeatability-request-id': randomUUID(),
				'repeatability-first-sent': now.toUTCString(),
			}),
		},
	};
}

/** A call that looks. */
export function readRequest(path: string, query: Record<string, string> = {}): ReadRequest {
	return { method: 'GET', path, query };
}

/** A call with an idempotency key, which {@link withIds} adds: the service knows a repeated one. */
export function idempotentRequest<Body extends object>(
	method: 'POST' | 'DELETE',
	path: string,
	body: Body | undefined,
	howToVerify: string,
): KeyedRequest<Body> {
	return { method, path, body, isIdempotent: true, hasIdempotencyKey: true, howToVerify };
}

/** A list in pages. @param limit how many entries at the most; undefined for all. */
export function listRequest(request: ReadRequest, limit: number | undefined): ListRequest {
	return { request, entriesKey: 'value', limit };
}
