import {
	requestWithRetry as exchangeWith,
	type ServiceResponse,
	type Service,
	type Destination,
} from '../../shared/transport/retry';
import type { Json } from '../../shared/json';
import { Throttle } from '../../shared/transport/throttle';
import { tokenProvider } from '../../shared/entra/token';
import { connectionTo, type Connection } from '../connection';
import { explainDataverseError } from '../dataverse/requests';
import { explainMessagingError, WAY_TO_SERVICE } from './errors';
import { urlOf, type Api, type ApiRequest } from './request';

/** The headers of every call of the Messaging API. Source: docs/service-facts.md#hosts-and-headers. */
export function authorizationHeaders(connection: Connection, token: string): Record<string, string> {
	return {
		authorization: `Bearer ${token}`,
		'channel-id': connection.channelId,
		'organization-id': connection.organizationId,
	};
}

/** The host of an organization, as the credential's Geo and Organization ID make it. */
const ORGANIZATION_HOST = /^m-[0-9a-f-]{36}\.([a-z]+)\.omnichannelengagementhub\./;

/** What errors call the way to the two services. */
export const WORDS: Record<Api, Destination> = {
	messaging: {
		fields: WAY_TO_SERVICE,
		hostField: 'Base URL',
		unknownHost: (host) =>
			ORGANIZATION_HOST.test(host)
				? {
						message: `There is no host ${host}: Geo or Organization ID is wrong`,
						description:
							'Choose the Geo in which the Dynamics 365 environment is, and check Organization ID in the credential.',
					}
				: undefined,
	},
	dataverse: { fields: 'Environment URL', hostField: 'Environment URL' },
};

/** One of the two services, as the credential leads to it. */
function serviceOf(connection: Connection): Service<ApiRequest> {
	const { api, origin } = connection;
	return {
		urlOf: (request) => urlOf(origin, request),
		tokens: tokenProvider(connection),
		sign: (token) =>
			api === 'dataverse' ? { authorization: `Bearer ${token}` } : authorizationHeaders(connection, token),
		explain: api === 'dataverse' ? explainDataverseError : explainMessagingError,
		destination: WORDS[api],
	};
}

/**
 * Makes a call, and makes it again as the shared {@link exchangeWith} does.
 * @param connection the credential's; the request says which of its two services is meant.
 * @throws InputError where the credential does not lead to that service; ServiceError.
 */
export async function exchange(
	connection: Connection,
	request: ApiRequest,
	pace: Throttle,
): Promise<ServiceResponse> {
	return await exchangeWith(serviceOf(connectionTo(connection, request.api ?? 'messaging')), request, pace);
}

/**
 * As {@link exchange}, for those who want the answer's JSON alone.
 * @param pace of the run; by default nothing is tried again.
 */
export async function callService(
	connection: Connection,
	request: ApiRequest,
	pace: Throttle = new Throttle(0),
): Promise<Json> {
	return (await exchange(connection, request, pace)).json;
}
