import { createHash } from 'node:crypto';
import {
	ConfidentialClientApplication,
	type INetworkModule,
	type NetworkRequestOptions,
} from '@azure/msal-node';
import { parseJson } from '../json';
import { ServiceError } from '../transport/errors';
import { sendHttps, TransportError } from '../transport/https';
import type { TokenProvider } from '../transport/retry';
import type { AppCredential } from './appCredential';
import { readCertificate } from './certificate';
import { explainAuthorityFailure, explainTokenFailure, type TokenErrorExplanations } from './tokenErrors';

/** What a token is for, and which app gets it. */
export interface TokenSource extends AppCredential {
	/** Explanations of Entra's codes that are about the scope. */
	tokenErrors: TokenErrorExplanations;
	/** The token's whole scope, with `/.default`. */
	scope: string;
	/** The origin of the service. Together with the channel it decides whether a token is accepted. */
	origin: string;
	/** The channel, where the service has channels. */
	channelId?: string;
}

/** What is kept for a credential. */
interface Session {
	/** MSAL's client, which caches the token. */
	client: ConfidentialClientApplication;
	/** The transport error of the pending request. */
	failure: ServiceError | undefined;
	/** The pending request. There is one at most, as MSAL would send one for each caller. */
	pending: Promise<string> | undefined;
	token: string | undefined;
	/** When a token was last renewed after a 401; epoch milliseconds. */
	renewedAt: number;
	/** How many tokens were renewed after a 401 since the service last accepted one. */
	renewals: number;
	/** Whether the service ever accepted a token of this credential. */
	hasBeenAccepted: boolean;
}

/** The secret is part of the key, so that a new one never gets the old one's cached token. */
const sessions = new Map<string, Session>();

/**
 * How many tokens are renewed in a row after a 401, and the pause until the next. A service that never accepted a token
 * has probably not authorised the app, and a new token would not help. One that did may have revoked several tokens.
 */
const RENEWALS = { neverAccepted: { inARow: 1, pauseMs: 60_000 }, accepted: { inARow: 3, pauseMs: 1_000 } };

const MSAL_TIMEOUT_MS = 30_000;
const MSAL_MAX_BYTES = 1024 * 1024;

/**
 * Makes the network client of MSAL. MSAL's own would follow redirects and send the secret along.
 * @param onFailure gets the error, as the one that MSAL throws instead says less.
 */
function networkClient(onFailure: (failure: ServiceError) => void): INetworkModule {
	const send = async <T>(method: 'GET' | 'POST', url: string, options?: NetworkRequestOptions) =>
		await sendToAuthority<T>(method, url, options).catch((error: unknown) => {
			if (error instanceof ServiceError) onFailure(error);
			throw error;
		});
	return {
		sendGetRequestAsync: async (url, options) => await send('GET', url, options),
		sendPostRequestAsync: async (url, options) => await send('POST', url, options),
	};
}

async function sendToAuthority<T>(method: 'GET' | 'POST', url: string, options: NetworkRequestOptions = {}) {
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
	// After such an answer MSAL would refuse to send a request for a minute or longer, whatever the answer said.
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

/** Makes MSAL's client of an app. @throws InputError where the certificate or its key cannot be used. */
function newClient(
	{ authorityHost, tenantId, clientId, authentication }: TokenSource,
	network: INetworkModule,
): ConfidentialClientApplication {
	const authority = `${authorityHost}/${tenantId}`;
	return new ConfidentialClientApplication({
		auth: {
			clientId,
			...(authentication.kind === 'clientSecret'
				? { clientSecret: authentication.clientSecret }
				: { clientCertificate: readCertificate(authentication) }),
			authority,
			// Both keep MSAL from discovering the token endpoint: it could be on another host, and get the secret.
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
	const existing = sessions.get(key);
	if (existing) return existing;
	const network = networkClient((failure) => (session.failure = failure));
	const session: Session = {
		client: newClient(source, network),
		failure: undefined,
		pending: undefined,
		token: undefined,
		renewedAt: 0,
		renewals: 0,
		hasBeenAccepted: false,
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

/** Lets all callers share the pending request of a session. */
async function shareRequest(session: Session, fetch: () => Promise<string>): Promise<string> {
	session.pending ??= fetch().finally(() => (session.pending = undefined));
	return await session.pending;
}

/**
 * Gets an access token by OAuth 2.0 client credentials through MSAL, from its cache while the token is valid. Callers at
 * the same time share one request.
 * @returns the token, without `Bearer`.
 * @throws ServiceError with Entra's code (`AADSTS…`), or where the authority cannot be reached; InputError where the
 * certificate or its key cannot be used.
 * @example
 * const authorization = `Bearer ${await getToken(connection)}`;
 */
export async function getToken(source: TokenSource): Promise<string> {
	const session = sessionOf(source);
	return await shareRequest(session, async () => await fetchToken(session, source, false));
}

/**
 * Gets another token after a 401. All requests with the rejected token share one fresh token.
 * @returns null where another token would not help, as `rejected` itself is one that was renewed a moment ago.
 */
async function renewToken(source: TokenSource, rejected: string): Promise<string | null> {
	const session = sessionOf(source);
	while (session.pending) {
		const token = await session.pending;
		// The pending call may have read the rejected token from the cache.
		if (token !== rejected) return token;
	}
	if (session.token !== rejected) return await getToken(source);
	const { renewals, renewedAt, hasBeenAccepted } = session;
	const { inARow, pauseMs } = RENEWALS[hasBeenAccepted ? 'accepted' : 'neverAccepted'];
	const isSpent = renewals >= inARow;
	if (isSpent && Date.now() - renewedAt < pauseMs) return null;
	return await shareRequest(session, async () => {
		const token = await fetchToken(session, source, true);
		session.renewedAt = Date.now();
		session.renewals = isSpent ? 1 : renewals + 1;
		return token;
	});
}

/**
 * Makes the provider of the tokens of an app for a service.
 * @example
 * const tokens = tokenProvider(connection);
 * const token = await tokens.get();
 */
export function tokenProvider(source: TokenSource): TokenProvider {
	return {
		get: async () => await getToken(source),
		renew: async (rejected) => await renewToken(source, rejected),
		noteAccepted: (token) => {
			const session = sessionOf(source);
			session.hasBeenAccepted = true;
			if (session.token === token) session.renewals = 0;
		},
		hasBeenAccepted: () => sessionOf(source).hasBeenAccepted,
	};
}
