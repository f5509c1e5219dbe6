import { tokenProvider } from '../../shared/entra/token';
import { Client } from '../../shared/transport/client';
import type { Service } from '../../shared/transport/retry';
import { Throttle } from '../../shared/transport/throttle';
import type { Destination } from '../../shared/transport/transportErrors';
import { requireChannel, type Connection } from '../connection';
import { explainMessagingError, FIELDS_OF_HOST } from './errors';
import { pageReader } from './pages';
import { messagingUrl } from './request';

/**
 * The headers of every request to the Messaging API. Source: docs/service-facts.md#hosts-and-headers.
 * @throws InputError where the credential names no channel.
 */
export function authorizationHeaders(connection: Connection, token: string): Record<string, string> {
	return {
		authorization: `Bearer ${token}`,
		'channel-id': requireChannel(connection).channelId,
		'organization-id': connection.organizationId,
	};
}

/** An organization's host, made from the credential's Geo and Organization ID. */
const ORGANIZATION_HOST = /^m-[0-9a-f-]{36}\.([a-z]+)\.omnichannelengagementhub\./;

/** How errors name the Messaging API and the credential's fields that lead to it. */
export const MESSAGING_API: Destination = {
	name: 'service',
	fields: FIELDS_OF_HOST,
	hostField: 'Base URL',
	unknownHost: (host) =>
		ORGANIZATION_HOST.test(host)
			? {
					message: `There is no host ${host}: Geo or Organization ID is wrong`,
					fix: 'Choose the Geo of the Dynamics 365 environment, and check Organization ID in the credential.',
				}
			: undefined,
};

/**
 * Makes a client of the Messaging API.
 * @param throttle shared by the calls of an execution; without it for what only looks.
 * @throws InputError where the credential names no channel.
 * @example
 * const { json } = await messagingClient(connection).call({ method: 'GET', path: '/conversations' });
 */
export function messagingClient(connection: Connection, throttle: Throttle = Throttle.forLooks()): Client {
	requireChannel(connection);
	const service: Service = {
		urlOf: (request) => messagingUrl(connection.origin, request),
		tokens: tokenProvider(connection),
		sign: (token) => authorizationHeaders(connection, token),
		explain: explainMessagingError,
		destination: MESSAGING_API,
	};
	return new Client(service, throttle, pageReader);
}
