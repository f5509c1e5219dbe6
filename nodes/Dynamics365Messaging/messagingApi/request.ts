import { urlBelow, type ServiceRequest } from '../../shared/transport/request';

/** What all calls are below. Source: docs/service-facts.md#hosts-and-headers. */
const BASE_PATH = '/api/v1.0/consumer';

/** What can follow a conversation's own path. */
type ConversationPart = '' | '/messages' | '/context';

/** The path of a conversation. The ID is percent-encoded; its check has refused what leads elsewhere. */
export function conversationPath(conversationId: string, part: ConversationPart = ''): string {
	return `/conversation/${encodeURIComponent(conversationId)}${part}`;
}

/**
 * The whole URL of a request of the Messaging API.
 * @throws Error when it would leave the API's path or origin, whatever was put into the path.
 */
export function messagingUrl(origin: string, request: ServiceRequest): URL {
	return urlBelow(origin, BASE_PATH, request);
}
