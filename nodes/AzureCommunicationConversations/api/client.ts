import { tokenProvider } from '../../shared/entra/token';
import { Client } from '../../shared/transport/client';
import { linkedPages } from '../../shared/transport/pagination';
import { urlBelow, type ReadRequest, type ServiceRequest } from '../../shared/transport/request';
import { staticCredential, type Service } from '../../shared/transport/retry';
import { Throttle } from '../../shared/transport/throttle';
import type { Destination } from '../../shared/transport/transportErrors';
import { ENDPOINT, type Authentication, type Connection } from './connection';
import { explainCommunicationError } from './errors';
import { withIds } from './request';
import { signWithKey } from './signature';

/** How errors name the resource and the credential's field that leads to it. */
const RESOURCE: Destination = {
	name: 'service',
	fields: ENDPOINT,
	hostField: ENDPOINT,
	unknownHost: (host: string) => ({
		message: `There is no host ${host}: Endpoint is wrong`,
		fix: 'Copy the endpoint of the resource from the Azure portal (Keys) into the credential.',
	}),
};

/** Signs requests with a key or with a token. */
function signingOf(authentication: Authentication): Pick<Service, 'tokens' | 'sign'> {
	if (authentication.kind === 'accessKey') {
		return { tokens: staticCredential(authentication.key), sign: (key, call) => signWithKey(key, call) };
	}
	const tokens =
		authentication.kind === 'entra'
			? tokenProvider(authentication.source)
			: staticCredential(authentication.token);
	return { tokens, sign: (token) => ({ authorization: `Bearer ${token}` }) };
}

/** The page size that is asked for. The service may give fewer entries. Source: docs/service-facts.md#acs-paging. */
const PAGE_SIZE = 100;

/**
 * Makes the client of a resource.
 * @param throttle shared by the requests of a run; without it nothing is retried.
 * @example
 * const request = readRequest(conversationPath('19:34adfa4f@thread.v2'));
 * const { json } = await communicationClient(connection).call(request);
 */
export function communicationClient(
	connection: Connection,
	throttle: Throttle = Throttle.forLooks(),
): Client {
	const { origin, apiVersion, authentication } = connection;
	/** Makes the URL of a request. That of a next page has an api-version already. */
	const urlOf = (request: ServiceRequest) =>
		urlBelow(origin, '', { ...request, query: { 'api-version': apiVersion, ...request.query } });
	/** Makes the request of a page from its URL, absolute or relative; undefined where it leaves the resource. */
	const follow = (_: ReadRequest, link: string): ReadRequest | undefined => {
		if (!URL.canParse(link, origin)) return undefined;
		const url = new URL(link, origin);
		if (url.origin !== origin || !url.pathname.startsWith('/messages/')) return undefined;
		return { method: 'GET', path: url.pathname, query: Object.fromEntries(url.searchParams) };
	};
	const service: Service = {
		urlOf,
		prepare: withIds,
		...signingOf(authentication),
		explain: explainCommunicationError(authentication.kind),
		destination: RESOURCE,
	};
	const pages = linkedPages({
		linkKey: 'nextLink',
		service: 'Azure Communication Services',
		hostField: ENDPOINT,
		firstRequest: ({ request, limit }) => ({
			...request,
			query: { maxPageSize: String(Math.min(limit ?? PAGE_SIZE, PAGE_SIZE)), ...request.query },
		}),
		follow,
	});
	return new Client(service, throttle, pages);
}
