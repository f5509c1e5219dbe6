import { tokenProvider, type TokenSource } from '../../shared/entra/token';
import { Client } from '../../shared/transport/client';
import { InputError } from '../../shared/transport/errors';
import { linkedPages } from '../../shared/transport/pagination';
import { urlBelow, type ReadRequest } from '../../shared/transport/request';
import type { Service } from '../../shared/transport/retry';
import { Throttle } from '../../shared/transport/throttle';
import type { Connection } from '../connection';
import { explainDataverseError } from './errors';

/** The path of the Dataverse Web API. Source: docs/service-facts.md#dataverse-access. */
const BASE_PATH = '/api/data/v9.2';

/** The credential's field that holds Dataverse's address. */
const HOST_FIELD = 'Environment URL';

/**
 * The source of the tokens for Dataverse, whose origin and scope are those of the environment.
 * Source: docs/service-facts.md#dataverse-access.
 * @throws InputError where the credential has no Environment URL.
 */
export function dataverseTokens({ environmentUrl, tokenErrors, ...connection }: Connection): TokenSource {
	if (environmentUrl === undefined) {
		throw new InputError(
			'Environment URL is missing in the credential',
			'Enter the address of the Dynamics 365 environment, such as https://contoso.crm4.dynamics.com: the records of channels and conversations are there.',
		);
	}
	return {
		...connection,
		origin: environmentUrl,
		scope: `${environmentUrl}/.default`,
		tokenErrors: {
			...tokenErrors,
			'500011': {
				message: 'Entra does not know Environment URL in this tenant',
				fix: 'Copy the address of the environment from the browser, such as https://contoso.crm4.dynamics.com, and check Tenant ID.',
			},
		},
	};
}

/**
 * Makes a client of Dataverse, which holds the channel's record.
 * @param throttle shared by the calls of an execution; without it for what only looks.
 * @throws InputError where the credential has no Environment URL.
 * @example
 * const { json } = await dataverseClient(connection).call(channelRequest(connection.channelId));
 */
export function dataverseClient(connection: Connection, throttle: Throttle = Throttle.forLooks()): Client {
	const tokens = dataverseTokens(connection);
	const { origin } = tokens;
	const urlOf: Service['urlOf'] = (request) => urlBelow(origin, BASE_PATH, request);
	/** The request of the next page, which Dataverse gives by its URL; undefined where that is another table or origin. */
	const follow = (request: ReadRequest, link: string): ReadRequest | undefined => {
		const url = URL.canParse(link) ? new URL(link) : undefined;
		if (url?.origin !== origin || url.pathname !== urlOf(request).pathname) return undefined;
		return { ...request, query: Object.fromEntries(url.searchParams) };
	};
	const service: Service = {
		urlOf,
		tokens: tokenProvider(tokens),
		sign: (token) => ({ authorization: `Bearer ${token}` }),
		explain: explainDataverseError,
		destination: { name: 'service', fields: HOST_FIELD, hostField: HOST_FIELD },
	};
	const pages = { linkKey: '@odata.nextLink', service: 'Dataverse', hostField: HOST_FIELD, follow };
	return new Client(service, throttle, linkedPages(pages));
}
