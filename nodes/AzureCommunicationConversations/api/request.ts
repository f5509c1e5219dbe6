import { randomUUID } from 'node:crypto';
import type { ListRequest } from '../../shared/transport/pagination';
import type { ServiceRequest, ReadRequest, SendRequest } from '../../shared/transport/request';

/** The path of all conversations. Source: docs/service-facts.md#acs-calls. */
export const CONVERSATIONS_PATH = '/messages/conversations';

/** What can follow the path of a conversation. */
type ConversationPart =
	'' | ':terminate' | '/messages' | '/messages:send' | '/participants:add' | '/participants:remove';

/** Makes the path of a conversation. Its ID, such as `19:…@thread.v2`, is percent-encoded. */
export function conversationPath(conversationId: string, part: ConversationPart = ''): string {
	return `${CONVERSATIONS_PATH}/${encodeURIComponent(conversationId)}${part}`;
}

/** What the service recognises a repeated request by, where it is not this run that sent it first. */
export interface Repetition {
	/** A GUID. */
	id: string;
	firstSent: Date;
}

/** A request with an idempotency key, so that it may be repeated. */
type KeyedRequest<Body> = SendRequest<Body> & { hasIdempotencyKey: true };

function repetitionHeaders({ id, firstSent }: Repetition): Record<string, string> {
	return { 'repeatability-request-id': id, 'repeatability-first-sent': firstSent.toUTCString() };
}

/**
 * Adds the headers that all tries of a request share: an ID for the service's support, and for a request with an
 * idempotency key the two headers by which the service recognises a repetition and gives the first answer again.
 * Source: docs/service-facts.md#acs-repeatability.
 * @param now when the request is sent first.
 */
export function withIds<Request extends ServiceRequest>(request: Request, now: Date = new Date()): Request {
	return {
		...request,
		headers: {
			...('hasIdempotencyKey' in request && repetitionHeaders({ id: randomUUID(), firstSent: now })),
			...request.headers,
			'x-ms-client-request-id': randomUUID(),
		},
	};
}

/** Makes a request that only reads. */
export function readRequest(path: string, query: Record<string, string> = {}): ReadRequest {
	return { method: 'GET', path, query };
}

/**
 * Makes a request with an idempotency key, which {@link withIds} adds.
 * @param howToVerify what a person does after the answer was lost. A whole sentence.
 * @param repetition the key, where it is not a new one.
 */
export function idempotentRequest<Body extends object>(
	method: 'POST' | 'DELETE',
	path: string,
	body: Body | undefined,
	howToVerify: string,
	repetition?: Repetition,
): KeyedRequest<Body> {
	const headers = repetition ? { headers: repetitionHeaders(repetition) } : {};
	return { method, path, body, isIdempotent: true, hasIdempotencyKey: true, howToVerify, ...headers };
}

/** Makes the request of the resource's conversations. */
export function conversationsRequest(query: Record<string, string> = {}): ReadRequest {
	return readRequest(CONVERSATIONS_PATH, query);
}

/** Makes the request of a channel's templates. */
export function templatesRequest(channelId: string): ReadRequest {
	return readRequest(`/messages/channels/${encodeURIComponent(channelId)}/templates`);
}

/** Makes the list of a request. @param limit how many entries at the most; undefined for all. */
export function listRequest(request: ReadRequest, limit: number | undefined): ListRequest {
	return { request, entriesKey: 'value', limit };
}
