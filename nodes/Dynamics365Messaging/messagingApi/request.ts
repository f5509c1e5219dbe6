import { urlBelow, type ServiceRequest } from '../../shared/transport/request';

/** The path of the Messaging API. Source: docs/service-facts.md#hosts-and-headers. */
const BASE_PATH = '/api/v1.0/consumer';

/** The path of a conversation, or of a part of it. The ID is percent-encoded, and was checked when it was read. */
export function conversationPath(conversationId: string, part: '' | '/messages' | '/context' = ''): string {
	return `/conversation/${encodeURIComponent(conversationId)}${part}`;
}

/**
 * The whole URL of a request of the Messaging API.
 * @throws Error when the request's path leads out of the API's path or origin.
 */
export function messagingUrl(origin: string, request: ServiceRequest): URL {
	return urlBelow(origin, BASE_PATH, request);
}
