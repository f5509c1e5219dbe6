/** A call to the service, before it has a host, a token or headers. Operations build it; only `client` sends it. */
export interface ApiRequest {
	method: 'GET' | 'POST';
	/** Below `/api/v1.0/consumer`, made by the functions of this file. */
	path: string;
	query?: Record<string, string>;
	body?: Record<string, unknown>;
}

/** All calls of the service are below it. Source: shared reference, "Host, headers, token". */
const API_PATH = '/api/v1.0/consumer';

/** What can follow a conversation's own path. */
type ConversationPart = '' | '/messages' | '/context';

/** The path of a conversation. The id is percent-encoded; `readConversationId` has refused what leads elsewhere. */
export function conversationPath(conversationId: string, part: ConversationPart = ''): string {
	return `/conversation/${encodeURIComponent(conversationId)}${part}`;
}

/**
 * The whole URL of a request.
 * @throws Error when it would leave the API's path or origin, whatever was put into the path.
 */
export function urlOf(origin: string, request: ApiRequest): URL {
	const url = new URL(`${origin}${API_PATH}${request.path}`);
	if (url.origin !== origin || url.pathname !== `${API_PATH}${request.path}`) {
		throw new Error('The request would leave the Messaging API');
	}
	url.search = new URLSearchParams(request.query).toString();
	return url;
}
