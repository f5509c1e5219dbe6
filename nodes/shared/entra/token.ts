import { createHash } from 'node:crypto';
import {
	ConfidentialClientApplication,
	type INetworkModule,
	type NetworkRequestOptions,
	type NodeAuthOptions,
} from '@azure/msal-node';
import { parseJson } from '../json';
import { ServiceError } from '../transport/errors';
import { sendHttps, TransportError } from '../transport/https';
import type { TokenProvider } from '../transport/retry';
import type { AppCredential, ClientAuthentication } from './appCredential';
import { readCertificate } from './certificate';
import { explainAuthorityFailure, explainTokenFailure, type TokenErrorExplanations } from './tokenErrors';

/** What a token is for, and in whose name it is asked for. */
export interface TokenSource extends AppCredential {
	/** What Entra's codes mean that are about what the token is for. */
	tokenErrors: TokenErrorExplanations;
	/** The token's whole scope, with `/.default`. */
	scope: string;
	/** Who decides on the token, as one and the same can be good at one and not at another: the service's origin, */
	origin: string;
	/** and the channel, where there is one. */
	channelId?: string;
}

/**
 * Access tokens for the services, by OAuth 2.0 client credentials through MSAL. Each distinct credential has one
 * confidential client, whose cache MSAL keeps; the secret or key is part of what makes credentials distinct, so that a
 * rotated one never meets the old cache.
 */
interface Session {
	client: ConfidentialClientApplication;
	/** What went wrong on the wire in the request that is under way. */
	failure: ServiceError | undefined;
	/** The one request that may be under way: MSAL would send as many as are asked for at once. */
	pending: Promise<string> | undefined;
	token: string | undefined;
	/** When a token was last fetched because its predecessor got a 401; epoch milliseconds. */
	renewedAt: number;
	/** How many were fetched for that reason since the service last accepted one. */
	renewals: number;
	/** Whether the service ever accepted a token of this credential. */
	hasWorked: boolean;
}

const sessions = new Map<string, Session>();

/**
 * How many tokens are fetched in a row because the one before got a 401, and how long it then takes until the next.
 * Where the service never accepted one, the channel is not authorised, and asking for more would not help; where it did,
 * they may have been revoked one after the other.
 */
const RENEWALS = { never: { inARow: 1, pauseMs: 60_000 }, hasWorked: { inARow: 3, pauseMs: 1_000 } };

const MSAL_TIMEOUT_MS = 30_000;
const MSAL_MAX_BYTES = 1024 * 1024;

/**
 * MSAL's own network client follows redirects, which would carry the secret along; this one does not.
 * @param onFailure is told what went wrong: MSAL wraps it in an error of its own, which says less.
 */
function networkClient(onFailure: (failure: ServiceError) => void): INetworkModule {
	const send = async <T>(method: 'GET' | 'POST', url: string, options?: NetworkRequestOptions) =>
		await askAuthority<T>(method, url, options).catch((error: unknown) => {
			if (error instanceof ServiceError) onFailure(error);
			throw error;
		});
	return {
		sendGetRequestAsync: async (url, options) => await send('GET', url, options),
		sendPostRequestAsync: async (url, options) => await send('POST', url, options),
	};
}

async function askAuthority<T>(method: 'GET' | 'POST', url: string, options: NetworkRequestOptions = {}) {
	const response = await sendHttps({
		method,
		url: new URL(url),
		headers: options.headers,
		body: options.body,
		timeoutMs: MSAL_TIMEOUT_MS,
		maxBytes: MSAL_MAX_BYTES,
	}).catch((error: unknown) => {
		throw error instanceof TransportError ? explainAuthorityFailure(error) : error;
	});
	const { status, headers, body } = response;
	const json = parseJson(body);
	// MSAL would remember these for a minute or longer and refuse to ask again, whatever the answer said.
	if (status === 429 || status >= 500 || typeof json !== 'object' || json === null) {
		throw explainAuthorityFailure(response);
	}
	const flatHeaders = Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name, String(value)]),
	);
	return { status, headers: flatHeaders, body: json as T };
}

function keyOf(source: TokenSource): string {
	const { authorityHost, tenantId, clientId, authentication, scope, origin, channelId } = source;
	return createHash('sha256')
		.update(JSON.stringify([authorityHost, tenantId, clientId, authentication, scope, origin, channelId]))
		.digest('base64');
}

/** How MSAL shows that it is the app. @throws InputError where the certificate or its key cannot be used. */
function clientCredentialOf(
	authentication: ClientAuthentication,
): Pick<NodeAuthOptions, 'clientSecret' | 'clientCertificate'> {
	if (authentication.kind === 'clientSecret') return { clientSecret: authentication.clientSecret };
	return { clientCertificate: readCertificate(authentication) };
}

function newClient(
	{ authorityHost, tenantId, clientId, authentication }: TokenSource,
	network: INetworkModule,
): ConfidentialClientApplication {
	const authority = `${authorityHost}/${tenantId}`;
	return new ConfidentialClientApplication({
		auth: {
			clientId,
			...clientCredentialOf(authentication),
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

function sessionOf(source: TokenSource): Session {
	const key = keyOf(source);
	const known = sessions.get(key);
	if (known) return known;
	const network = networkClient((failure) => (session.failure = failure));
	const session: Session = {
		client: newClient(source, network),
		failure: undefined,
		pending: undefined,
		token: undefined,
		renewedAt: 0,
		renewals: 0,
		hasWorked: false,
	};
	sessions.set(key, session);
	return session;
}

async function fetchToken(session: Session, source: TokenSource, skipCache: boolean): Promise<string> {
	session.failure = undefined;
	const result = await session.client
		.acquireTokenByClientCredential({ scopes: [source.scope], skipCache })
		.catch((error: unknown) => {
			throw session.failure ?? explainTokenFailure(error, source.tokenErrors);
		});
	if (!result?.accessToken) throw explainTokenFailure(undefined, source.tokenErrors);
	if (result.accessToken !== session.token) session.renewals = 0;
	session.token = result.accessToken;
	return result.accessToken;
}

async function shared(session: Session, fetch: () => Promise<string>): Promise<string> {
	session.pending ??= fetch().finally(() => (session.pending = undefined));
	return await session.pending;
}

/**
 * A token for the service, from MSAL's cache while it is good. Calls that come while one is being fetched share it.
 * @throws ServiceError with Entra's code (`AADSTS…`), or saying why the authority was not reached; InputError where the
 * certificate or its key cannot be used.
 */
export async function getToken(source: TokenSource): Promise<string> {
	const session = sessionOf(source);
	return await shared(session, async () => await fetchToken(session, source, false));
}

/**
 * Another token after one got a 401; all that got it share one fresh token.
 * @param rejected the token that was not accepted.
 * @returns null where a further token would not help, because `rejected` was fetched just now for this very reason and
 * the service accepted nothing with it.
 */
export async function renewToken(source: TokenSource, rejected: string): Promise<string | null> {
	const session = sessionOf(source);
	while (session.pending) {
		const token = await session.pending;
		// What was under way may have been a look into the cache, which still held the rejected one.
		if (token !== rejected) return token;
	}
	if (session.token !== rejected) return await getToken(source);
	const { renewals, renewedAt, hasWorked } = session;
	const { inARow, pauseMs } = RENEWALS[hasWorked ? 'hasWorked' : 'never'];
	const isSpent = renewals >= inARow;
	if (isSpent && Date.now() - renewedAt < pauseMs) return null;
	return await shared(session, async () => {
		const token = await fetchToken(session, source, true);
		session.renewedAt = Date.now();
		session.renewals = isSpent ? 1 : renewals + 1;
		return token;
	});
}

/** Notes that the service accepted a token, so that its next 401 is worth another one. */
export function noteAccepted(source: TokenSource, token: string): void {
	const session = sessionOf(source);
	session.hasWorked = true;
	if (session.token === token) session.renewals = 0;
}

/** Whether the service ever accepted a token of this credential, so that its 401 may pass. */
export function hasBeenAccepted(source: TokenSource): boolean {
	return sessionOf(source).hasWorked;
}

/**
 * Supplies the tokens of a source to the requests of a service.
 * @example
 * const tokens = tokenProvider({ ...app, scope: 'https://communication.azure.com/.default', origin, tokenErrors: {} });
 * const token = await tokens.get();
 */
export function tokenProvider(source: TokenSource): TokenProvider {
	return {
		get: async () => await getToken(source),
		renew: async (rejected) => await renewToken(source, rejected),
		noteAccepted: (token) => noteAccepted(source, token),
		hasBeenAccepted: () => hasBeenAccepted(source),
	};
}
