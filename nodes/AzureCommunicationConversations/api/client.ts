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

/** What errors call the way to the resource. */
const RESOURCE: Destination = {
	name: 'service',
	fields: ENDPOINT,
	hostField: ENDPOINT,
	unknownHost: (host: string) => ({
		message: `There is no host ${host}: Endpoint is wrong`,
		fix: 'Copy the endpoint of the resource from the Azure portal (Keys) into the credential.',
	}),
};

/** How requests are signed: with a key, or with a token. */
function signing(authentication: Authentication): Pick<Service, 'tokens' | 'sign'> {
	if (authentication.kind === 'accessKey') {
		return { tokens: staticCredential(authentication.key), sign: (key, call) => signWithKey(key, call) };
	}
	const tokens =
		authentication.kind === 'entra'
			? tokenProvider(authentication.source)
			: staticCredential(authentication.token);
	return { tokens, sign: (token) => ({ authorization: `Bearer ${token}` }) };
}

/** The largest page that is asked for. The service gives fewer where it will. Source: docs/service-facts.md#acs-paging. */
const PAGE_SIZE = 100;

/**
 * The client of the resource.
 * @param throttle of the run; by default nothing is tried again.
 * @example
 * const { json } = await communicationClient(connection).call(readRequest(conversationPath(conversationId)));
 */
export function communicationClient(connection: Connection, throttle: Throttle = new Throttle()): Client {
	const { origin, apiVersion, authentication } = connection;
	/** The link to a next page has a version of its own. */
	const urlOf = (request: ServiceRequest) =>
		urlBelow(origin, '', { ...request, query: { 'api-version': apiVersion, ...request.query } });
	/** A page by its link: of the resource itself, however it is spelled; undefined for every other place. */
	const follow = (_: ReadRequest, link: string): ReadRequest | undefined => {
		if (!URL.canParse(link, origin)) return undefined;
		const url = new URL(link, origin);
		if (url.origin !== origin || !url.pathname.startsWith('/messages/')) return undefined;
		return { method: 'GET', path: url.pathname, query: Object.fromEntries(url.searchParams) };
	};
	const service: Service = {
		urlOf,
		prepare: withIds,
		...signing(authentication),
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
