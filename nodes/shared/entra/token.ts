import { createHash } from 'node:crypto';
import {
	ConfidentialClientApplication,
	type INetworkModule,
	type NetworkRequestOptions,
} from '@azure/msal-node';
import { IdleMap } from '../idleMap';
import { parseJson } from '../json';
import { ServiceError } from '../transport/errors';
import { sendHttps, TransportError } from '../transport/https';
import type { TokenProvider } from '../transport/retry';
import type { AppCredential } from './appCredential';
import { readCertificate } from './certificate';
import {
	explainAuthorityFailure,
	explainTokenFailure,
	isRefusal,
	type TokenErrorExplanations,
} from './tokenErrors';

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

/**
 * An access token, and how long it serves. All times here are milliseconds of `performance.now()`: a clock that is set must
 * neither end a good token nor keep a bad one, or a pause.
 */
interface AccessToken {
	value: string;
	/** From when on a new one is asked for. */
	refreshAt: number;
	endsAt: number;
}

/** What is kept for a credential. */
interface Session {
	/** MSAL's client. Its own cache is not read, as it asks for a new token before it gives one that is still good. */
	client: ConfidentialClientApplication;
	/** The time limit of the pending request, in milliseconds. */
	timeoutMs: number;
	/** The transport error of the pending request. */
	failure: ServiceError | undefined;
	/** The pending request. There is one at most, as MSAL would send one for each caller. */
	pending: Promise<string> | undefined;
	token: AccessToken | undefined;
	/** Until when the token in hand serves without another try to refresh it. */
	refreshPausedUntil: number;
	/** Why the last try to refresh it was refused; it is told until the next try. */
	refusal: ServiceError | undefined;
	/** When a token was renewed after a 401; undefined where the service accepted one since. */
	renewedAt: number | undefined;
}

/** The secret is part of the key, so that a new one never gets the old one's cached token. */
const sessions = new IdleMap<Session>();

/** How many credentials have a client now. */
export function sessionCount(): number {
	return sessions.size;
}

/**
 * How long no token is renewed after a 401 where the service did not accept the fresh one either. Then it is rather the
 * app that is refused than the token; but the set-up may be mended meanwhile, and another token be needed for it.
 */
const RENEWAL_PAUSE_MS = 60_000;

/** MSAL's own margin, for a token without `refresh_in`: so long before its end it is refreshed. */
const REFRESH_BEFORE_END_MS = 300_000;
/** So long before its end a token is no longer sent, as a request takes a while to arrive. */
const END_MARGIN_MS = 5_000;
/** How long a failed refresh is not tried again. Constant, so that an authority that is back is soon seen. */
const REFRESH_PAUSE_MS = 30_000;

/** So long a token serves at the most and at the least, and is not refreshed, whatever the authority says of its end. */
const MAX_LIFETIME_MS = 24 * 60 * 60_000;
const MIN_LIFETIME_MS = 30_000;

const TOKEN_TIMEOUT_MS = 15_000;
/** While a good token is in hand, callers wait no longer for a new one. */
const REFRESH_TIMEOUT_MS = 3_000;
const MSAL_MAX_BYTES = 1024 * 1024;

/**
 * Makes the network client of MSAL. MSAL's own would follow redirects and send the secret along.
 * @param session gives the time limit, and gets the error, as the one that MSAL throws instead says less.
 */
function networkClient(session: () => Session): INetworkModule {
	const send = async <T>(method: 'GET' | 'POST', url: string, options?: NetworkRequestOptions) =>
		await sendToAuthority<T>(method, url, session().timeoutMs, options).catch((error: unknown) => {
			if (error instanceof ServiceError) session().failure = error;
			throw error;
		});
	return {
		sendGetRequestAsync: async (url, options) => await send('GET', url, options),
		sendPostRequestAsync: async (url, options) => await send('POST', url, options),
	};
}

async function sendToAuthority<T>(
	method: 'GET' | 'POST',
	url: string,
	timeoutMs: number,
	options: NetworkRequestOptions = {},
) {
	const response = await sendHttps({
		method,
		url: new URL(url),
		headers: options.headers,
		body: options.body,
		timeoutMs,
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

function newSession(source: TokenSource): Session {
	const session: Session = {
		client: newClient(
			source,
			networkClient(() => session),
		),
		timeoutMs: TOKEN_TIMEOUT_MS,
		failure: undefined,
		pending: undefined,
		token: undefined,
		refreshPausedUntil: 0,
		refusal: undefined,
		renewedAt: undefined,
	};
	return session;
}

/** The keys of sources, each of which is read for every request of a run and is not changed. */
const keys = new WeakMap<TokenSource, string>();

function sessionOf(source: TokenSource): Session {
	const key = keys.get(source) ?? keyOf(source);
	keys.set(source, key);
	return sessions.getOrMake(key, () => newSession(source));
}

/**
 * Asks the authority for a token.
 * @throws ServiceError where it did not answer as an authority does, or without a token; what MSAL throws where it
 * refused.
 */
async function requestToken(session: Session, { scope, tokenErrors }: TokenSource, timeoutMs: number) {
	session.failure = undefined;
	session.timeoutMs = timeoutMs;
	const result = await session.client
		.acquireTokenByClientCredential({ scopes: [scope], skipCache: true })
		.catch((error: unknown) => {
			throw session.failure ?? error;
		});
	if (!result?.accessToken) throw explainTokenFailure(undefined, tokenErrors);
	const { accessToken: value, expiresOn, refreshOn } = result;
	// MSAL has just made dates of the seconds in the answer.
	const today = Date.now();
	const until = (date: Date | null | undefined) => date && date.getTime() - today;
	const times = timesOf(performance.now(), until(expiresOn) ?? undefined, until(refreshOn) ?? undefined);
	session.token = { value, ...times };
	session.refreshPausedUntil = 0;
	session.refusal = undefined;
	return value;
}

/**
 * Decides how long a token serves. An answer may name any time, or none that can be read: a token that has ended at its
 * start would cost a request a call, and one that never ends would not be refreshed. The service has the last word, as its
 * 401 renews a token. Pure.
 * @param now by `performance.now()`.
 * @param endsIn milliseconds until its end.
 * @param refreshIn milliseconds until it is to be refreshed.
 */
export function timesOf(
	now: number,
	endsIn = NaN,
	refreshIn = Infinity,
): Pick<AccessToken, 'refreshAt' | 'endsAt'> {
	const within = (ms: number) => now + Math.min(Math.max(ms, MIN_LIFETIME_MS), MAX_LIFETIME_MS);
	const end = Number.isNaN(endsIn) ? 0 : Math.min(endsIn, MAX_LIFETIME_MS);
	const wanted = Number.isNaN(refreshIn) ? Infinity : refreshIn;
	return {
		refreshAt: within(Math.min(wanted, end - REFRESH_BEFORE_END_MS)),
		endsAt: within(end - END_MARGIN_MS),
	};
}

/** Gets a token from the authority. @throws ServiceError */
async function fetchToken(session: Session, source: TokenSource): Promise<string> {
	return await requestToken(session, source, TOKEN_TIMEOUT_MS).catch((error: unknown) => {
		throw asServiceError(error, source);
	});
}

function asServiceError(error: unknown, { tokenErrors }: TokenSource): ServiceError {
	return error instanceof ServiceError ? error : explainTokenFailure(error, tokenErrors);
}

/**
 * Gets a new token before the end of the one in hand, which serves on where the authority is down.
 * @throws ServiceError where Entra refuses, as that does not end by itself, and nobody would hear of it until the end. For
 * half a minute every caller gets the same refusal, so that it costs one request and not one a call.
 */
async function refreshToken(session: Session, source: TokenSource, inHand: AccessToken): Promise<string> {
	return await requestToken(session, source, REFRESH_TIMEOUT_MS).catch((error: unknown) => {
		const explained = asServiceError(error, source);
		session.refreshPausedUntil = performance.now() + Math.max(REFRESH_PAUSE_MS, explained.retryAfterMs ?? 0);
		session.refusal = isRefusal(error) ? explained : undefined;
		if (session.refusal) throw session.refusal;
		return inHand.value;
	});
}

/** Lets all callers share the pending request of a session. */
async function shareRequest(session: Session, fetch: () => Promise<string>): Promise<string> {
	session.pending ??= fetch().finally(() => (session.pending = undefined));
	return await session.pending;
}

/**
 * Gets an access token by OAuth 2.0 client credentials through MSAL. It is kept until the authority wants it refreshed
 * (`refresh_in`), or until five minutes before its end. From then on the one in hand serves until its end where the
 * authority cannot be reached. Callers at the same time share one request.
 * @returns the token, without `Bearer`.
 * @throws ServiceError with Entra's code (`AADSTS…`), or where the authority cannot be reached; InputError where the
 * certificate or its key cannot be used.
 * @example
 * const authorization = `Bearer ${await getToken(connection)}`;
 */
export async function getToken(source: TokenSource): Promise<string> {
	const session = sessionOf(source);
	const { token, pending } = session;
	if (pending) return await pending;
	const now = performance.now();
	if (!token || now >= token.endsAt) {
		return await shareRequest(session, async () => await fetchToken(session, source));
	}
	if (now < token.refreshAt) return token.value;
	if (now < session.refreshPausedUntil) {
		if (session.refusal) throw session.refusal;
		return token.value;
	}
	return await shareRequest(session, async () => await refreshToken(session, source, token));
}

/**
 * Gets another token after a 401. All requests with the rejected token share one fresh token.
 * @returns null where another token would not help, as the last one that was renewed was not accepted either.
 */
async function renewToken(source: TokenSource, rejected: string): Promise<string | null> {
	const session = sessionOf(source);
	while (session.pending) {
		const token = await session.pending;
		// The pending request may have ended with the rejected token, as the one in hand.
		if (token !== rejected) return token;
	}
	if (session.token?.value !== rejected) return await getToken(source);
	const { renewedAt } = session;
	if (renewedAt !== undefined && performance.now() - renewedAt < RENEWAL_PAUSE_MS) return null;
	return await shareRequest(session, async () => {
		const token = await fetchToken(session, source);
		session.renewedAt = performance.now();
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
			if (session.token?.value === token) session.renewedAt = undefined;
		},
	};
}
