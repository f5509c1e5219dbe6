import * as shared from '../../shared/transport/request';

/** The two services that are called: the Messaging API itself, and Dataverse, which holds the channel's record. */
export type Api = 'messaging' | 'dataverse';

interface OfApi {
	/** The Messaging API where it is left out. */
	api?: Api;
}

export type ReadRequest = shared.ReadRequest & OfApi;
export type SendRequest = shared.SendRequest & OfApi;
export type ApiRequest = ReadRequest | SendRequest;

/**
 * What all calls of an API are below.
 * Source: docs/service-facts.md#hosts-and-headers and docs/service-facts.md#dataverse-access.
 */
const API_PATHS: Record<Api, string> = { messaging: '/api/v1.0/consumer', dataverse: '/api/data/v9.2' };

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
	return shared.urlBelow(origin, API_PATHS[request.api ?? 'messaging'], request);
}
