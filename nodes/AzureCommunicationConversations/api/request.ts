import { randomUUID } from 'node:crypto';
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

/** A call that the service knows again by its ids, so that it may be repeated. */
type IdempotentRequest = SendRequest & { isRecognised: true };

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
			...('isRecognised' in request && {
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

/** A call whose repetition the service recognises by {@link withIds}. */
export function idempotentRequest(
	method: 'POST' | 'DELETE',
	path: string,
	body: Record<string, unknown> | undefined,
	howToVerify: string,
): IdempotentRequest {
	return { method, path, body, isIdempotent: true, isRecognised: true, howToVerify };
}
