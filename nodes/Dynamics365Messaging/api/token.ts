import { createHash } from 'node:crypto';
import {
	ConfidentialClientApplication,
	type INetworkModule,
	type NetworkRequestOptions,
} from '@azure/msal-node';
import type { Connection } from './connection';
import { ServiceError } from './errors';
import { sendHttps, TransportError } from './https';
import { parseJson } from './json';
import { explainTokenFailure } from './tokenErrors';

/**
 * Access tokens for the service, by OAuth 2.0 client credentials through MSAL. Each distinct credential has one
 * confidential client for the life of the process, whose cache MSAL keeps; the secret is part of what makes
 * credentials distinct, so that a rotated one never meets the old cache.
 */
interface Session {
	client: ConfidentialClientApplication;
	/** What went wrong on the wire in the request that is under way. */
	failure: NetworkFailure | undefined;
	/** The one request that may be under way: MSAL would send as many as are asked for at once. */
	pending: Promise<string> | undefined;
	token: string | undefined;
	/** When the token was fetched because its predecessor got a 401; epoch milliseconds. */
	renewedAt: number | undefined;
}

const sessions = new Map<string, Session>();

/** A renewed token that gets a 401 as well means that the channel is not authorised: asking for more would not help. */
const RENEWAL_PAUSE_MS = 60_000;

const MSAL_TIMEOUT_MS = 30_000;
const MSAL_MAX_BYTES = 1024 * 1024;

/** What went wrong below MSAL: it would wrap these in an error of its own, which says less. */
type NetworkFailure = ServiceError | TransportError;

/**
 * MSAL's own network client follows redirects, which would carry the secret along; this one does not.
 * @param onFailure is told what went wrong before MSAL wraps it.
 */
function networkClient(onFailure: (failure: NetworkFailure) => void): INetworkModule {
	const send = async <T>(method: 'GET' | 'POST', url: string, options?: NetworkRequestOptions) =>
		await exchange<T>(method, url, options).catch((error: unknown) => {
			if (error instanceof ServiceError || error instanceof TransportError) onFailure(error);
			throw error;
		});
	return {
		sendGetRequestAsync: async (url, options) => await send('GET', url, options),
		sendPostRequestAsync: async (url, options) => await send('POST', url, options),
	};
}

async function exchange<T>(method: 'GET' | 'POST', url: string, options: NetworkRequestOptions = {}) {
	const { status, headers, body } = await sendHttps({
		method,
		url: new URL(url),
		headers: options.headers,
		body: options.body,
		timeoutMs: MSAL_TIMEOUT_MS,
		maxBytes: MSAL_MAX_BYTES,
	});
	const json = parseJson(body);
	if (typeof json !== 'object' || json === null) {
		throw new ServiceError({
			message: 'The token authority did not answer with JSON',
			description: 'Check Authority Host in the credential, and the proxy between n8n and the internet.',
			httpCode: status,
		});
	}
	const flatHeaders = Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name, String(value)]),
	);
	return { status, headers: flatHeaders, body: json as T };
}

function keyOf(connection: Connection): string {
	const { authorityHost, tenantId, clientId, clientSecret, scope, channelId } = connection;
	return createHash('sha256')
		.update(JSON.stringify([authorityHost, tenantId, clientId, clientSecret, scope, channelId]))
		.digest('base64');
}

function newClient(
	{ authorityHost, tenantId, clientId, clientSecret }: Connection,
	network: INetworkModule,
): ConfidentialClientApplication {
	const authority = `${authorityHost}/${tenantId}`;
	return new ConfidentialClientApplication({
		auth: {
			clientId,
			clientSecret,
			authority,
			// Both spare MSAL a discovery: of the host at a public one, and of a token endpoint that is documented
			// anyway. Discovered, it could be on another host, and the secret would go there.
			knownAuthorities: [new URL(authorityHost).host],
			authorityMetadata: JSON.stringify({
				issuer: `${authority}/v2.0`,
				authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
				token_endpoint: `${authority}/oauth2/v2.0/token`,
				jwks_uri: `${authority}/discovery/v2.0/keys`,
			}),
		},
		system: { networkClient: network },
	});
}

function sessionOf(connection: Connection): Session {
	const key = keyOf(connection);
	const known = sessions.get(key);
	if (known) return known;
	const network = networkClient((failure) => (session.failure = failure));
	const session: Session = {
		client: newClient(connection, network),
		failure: undefined,
		pending: undefined,
		token: undefined,
		renewedAt: undefined,
	};
	sessions.set(key, session);
	return session;
}

async function fetchToken(session: Session, connection: Connection, skipCache: boolean): Promise<string> {
	session.failure = undefined;
	const result = await session.client
		.acquireTokenByClientCredential({ scopes: [connection.scope], skipCache })
		.catch((error: unknown) => {
			throw session.failure ?? explainTokenFailure(error);
		});
	if (!result?.accessToken) throw explainTokenFailure(undefined);
	if (result.accessToken !== session.token) session.renewedAt = undefined;
	session.token = result.accessToken;
	return result.accessToken;
}

async function shared(session: Session, fetch: () => Promise<string>): Promise<string> {
	session.pending ??= fetch().finally(() => (session.pending = undefined));
	return await session.pending;
}

/**
 * A token for the service, from MSAL's cache while it is good. Calls that come while one is being fetched share it.
 * @throws ServiceError with Entra's code (`AADSTS…`), TransportError when the authority cannot be reached.
 */
export async function getToken(connection: Connection): Promise<string> {
	const session = sessionOf(connection);
	return await shared(session, async () => await fetchToken(session, connection, false));
}

/**
 * Another token after one got a 401; all that got it share one fresh token.
 * @param rejected the token that was not accepted.
 * @returns null where a further token would not help, because `rejected` is one that was fetched just now for this
 * very reason and the service accepted nothing with it.
 */
export async function renewToken(connection: Connection, rejected: string): Promise<string | null> {
	const session = sessionOf(connection);
	while (session.pending) {
		const token = await session.pending;
		// What was under way may have been a look into the cache, which still held the rejected one.
		if (token !== rejected) return token;
	}
	if (session.token !== rejected) return await getToken(connection);
	if (session.renewedAt !== undefined && Date.now() - session.renewedAt < RENEWAL_PAUSE_MS) return null;
	return await shared(session, async () => {
		const token = await fetchToken(session, connection, true);
		session.renewedAt = Date.now();
		return token;
	});
}

/** Notes that the service accepted a token, so that its next 401 is worth another one. */
export function noteAccepted(connection: Connection, token: string): void {
	const session = sessionOf(connection);
	if (session.token === token) session.renewedAt = undefined;
}
