import {
	requestWithRetry,
	staticCredential,
	type ServiceResponse,
	type Service,
} from '../../shared/transport/retry';
import type { Json } from '../../shared/json';
import { readLinked } from '../../shared/transport/pagination';
import { Throttle } from '../../shared/transport/throttle';
import { urlBelow, type ServiceRequest, type ReadRequest } from '../../shared/transport/request';
import { tokenProvider } from '../../shared/entra/token';
import { ENDPOINT, type Connection } from './connection';
import { explainCommunicationError } from './errors';
import { withIds } from './request';
import { signWithKey } from './signature';

function urlOf({ origin, apiVersion }: Connection, request: ServiceRequest): URL {
	// The link to a next page has a version of its own.
	return urlBelow(origin, '', { ...request, query: { 'api-version': apiVersion, ...request.query } });
}

/** The resource, as the credential leads to it. */
function serviceOf(connection: Connection): Service<ServiceRequest> {
	const { proof } = connection;
	const common = {
		urlOf: (request: ServiceRequest) => urlOf(connection, request),
		explain: explainCommunicationError(proof.kind),
		destination: {
			fields: ENDPOINT,
			hostField: ENDPOINT,
			unknownHost: (host: string) => ({
				message: `There is no host ${host}: Endpoint is wrong`,
				description: 'Copy the endpoint of the resource from the Azure portal (Keys) into the credential.',
			}),
		},
	};
	if (proof.kind === 'accessKey') {
		const sign: Service['sign'] = (key, call) => signWithKey(key, call);
		return { ...common, tokens: staticCredential(proof.key), sign };
	}
	const sign: Service['sign'] = (token) => ({ authorization: `Bearer ${token}` });
	const tokens = proof.kind === 'entra' ? tokenProvider(proof.source) : staticCredential(proof.token);
	return { ...common, tokens, sign };
}

/**
 * Makes a call, and makes it again as {@link requestWithRetry} does.
 * @param pace of the run; by default nothing is tried again.
 * @throws ServiceError for every answer but 2xx, and for none; its `outcome` says whether what was sent may have arrived.
 */
export async function callService(
	connection: Connection,
	request: ServiceRequest,
	pace: Throttle = new Throttle(0),
): Promise<ServiceResponse> {
	return await requestWithRetry(serviceOf(connection), withIds(request), pace);
}

/** A page by its link: of the resource itself, however it is spelled; undefined for every other place. */
function nextRequest(origin: string, link: string): ReadRequest | undefined {
	if (!URL.canParse(link, origin)) return undefined;
	const url = new URL(link, origin);
	if (url.origin !== origin || !url.pathname.startsWith('/messages/')) return undefined;
	return { method: 'GET', path: url.pathname, query: Object.fromEntries(url.searchParams) };
}

/** The largest page that is asked for; the service gives fewer where it will. Source: docs/service-facts.md#acs-paging. */
const PAGE_SIZE = 100;

/**
 * Reads a list page by page.
 * @param limit how many entries at the most; undefined for all.
 * @throws ServiceError also where a link leads to another origin: the credential would go along.
 */
export function listEntries(
	connection: Connection,
	request: ReadRequest,
	limit: number | undefined,
	pace: Throttle = new Throttle(0),
): AsyncGenerator<Json> {
	const first: ReadRequest = {
		...request,
		query: { maxPageSize: String(Math.min(limit ?? PAGE_SIZE, PAGE_SIZE)), ...request.query },
	};
	const list = {
		first,
		linkKey: 'nextLink',
		service: 'Azure Communication Services',
		limit,
		follow: (link: string) => nextRequest(connection.origin, link),
		hostField: ENDPOINT,
	};
	return readLinked(list, async (page) => (await callService(connection, page, pace)).json);
}
