import { createHash } from 'node:crypto';
import {
	decodeProtectedHeader,
	errors,
	jwtVerify,
	type JWTPayload,
	type JWTVerifyOptions,
	type JWTVerifyResult,
} from 'jose';
import { CLOUDS, type Connection } from '../connection';
import { keysFor, type TenantKeys } from './keys';

/** The delivery's token is missing or not accepted. The reason is for n8n's log only, so that a forger learns nothing. */
export class TokenRejected extends Error {
	constructor(
		/** What failed, e.g. `aud`, without any value of the token. */
		readonly reason: string,
	) {
		super(`The caller is not believed: ${reason}`);
		this.name = 'TokenRejected';
	}
}

/** Microsoft's own default. Source: docs/service-facts.md#webhook-token. */
const CLOCK_SKEW_SECONDS = 300;
/** Entra's tokens have about 2,000 characters; a much longer text is not decoded. */
const MAX_TOKEN_LENGTH = 8_192;
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/**
 * The issuers of a tenant's tokens, in version 1 and 2. With another authority (a proxy, a sovereign cloud, the emulator)
 * version 2 may name that host or the public one. The keys are the authority's in both cases.
 */
function issuersOf(authorityHost: string, tenantId: string): string[] {
	const v2Hosts = new Set([authorityHost, CLOUDS.global.authorityHost]);
	const v1Host =
		authorityHost === CLOUDS.china.authorityHost ? 'https://sts.chinacloudapi.cn' : 'https://sts.windows.net';
	return [`${v1Host}/${tenantId}/`, ...[...v2Hosts].map((host) => `${host}/${tenantId}/v2.0`)];
}

/** A text with the letters A to Z in lower case; others, such as the Kelvin sign, would become letters that they are not. */
function lower(value: unknown): string | undefined {
	if (typeof value !== 'string') return undefined;
	return value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** What the user sets about which tokens are accepted. */
export interface Trust {
	/** A further accepted audience, for an app whose ID URI is not `api://{appId}`. */
	audience?: string;
	/** The object ID of the only accepted caller. */
	callerObjectId?: string;
}

/** Source: docs/service-facts.md#federated-credential. */
const NO_TOKEN =
	'no Authorization header. If this was Dynamics 365, the channel has no managed identity, or the app has no Application ID URI (Expose an API), or the federated credential is out of date: it must be renewed in Entra after each change of the webhook URL';

/** Checks the claims that jose does not: tenant, app, kind of token, caller. Source: docs/service-facts.md#webhook-token. */
function checkClaims(
	claims: JWTPayload,
	clientId: string,
	tenantId: string,
	{ audience, callerObjectId }: Trust,
): void {
	if (lower(claims.tid) !== tenantId) throw new TokenRejected('tid');
	const apps = [claims.appid, claims.azp].filter((app) => app !== undefined);
	if (apps.length === 0 || apps.some((app) => lower(app) !== clientId))
		throw new TokenRejected('appid or azp');
	if (claims.idtyp !== undefined && claims.idtyp !== 'app') throw new TokenRejected('idtyp');
	if (claims.scp !== undefined) throw new TokenRejected('scp: the token is a user’s');
	if (callerObjectId !== undefined && lower(claims.oid) !== lower(callerObjectId))
		throw new TokenRejected('oid');
	// Entra issues a token for exactly one audience, and writes an app's ID URI as it was typed: maybe in capitals.
	const audiences = [clientId, `api://${clientId}`, ...(audience ? [lower(audience)] : [])];
	if (!audiences.includes(lower(claims.aud))) throw new TokenRejected('aud');
}

function keyIdOf(token: string): string {
	const { kid } = decodeProtectedHeader(token);
	if (typeof kid !== 'string') throw new TokenRejected('kid');
	return kid;
}

/**
 * Verifies that a delivery comes from Dynamics 365: it needs an app-only token of the credential's tenant and app, for
 * the app itself, signed RS256 with one of the tenant's keys, and not expired.
 * @param authorization the delivery's Authorization header.
 * @throws TokenRejected for any other token, or none; KeysUnavailable while that cannot be decided.
 * @example
 * await verifyCaller(request.headers.authorization, connection, { callerObjectId });
 */
export async function verifyCaller(
	authorization: string | undefined,
	connection: Connection,
	trust: Trust = {},
): Promise<void> {
	if (authorization === undefined) throw new TokenRejected(NO_TOKEN);
	if (authorization.length > MAX_TOKEN_LENGTH) throw new TokenRejected('the token is too long');
	const token = BEARER.exec(authorization)?.[1];
	if (token === undefined) throw new TokenRejected('no bearer token');
	await verifyToken(token, connection, trust).catch(refuse);
}

/** Verifies a token with each of the keys that have its ID, as a key set may hold one twice. @throws the error for any other */
async function tryEach(several: unknown, token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
	if (!(several instanceof errors.JWKSMultipleMatchingKeys)) throw several;
	for await (const key of several) {
		const result = await jwtVerify(token, key, options).catch((failure: unknown) => {
			// jose throws a TypeError for a key that it does not use, such as a short one.
			const isOfKey =
				failure instanceof errors.JWSSignatureVerificationFailed || failure instanceof TypeError;
			if (!isOfKey) throw failure;
		});
		if (result) return result;
	}
	throw new errors.JWSSignatureVerificationFailed();
}

/** What is known of a token whose signature was verified. */
interface KnownToken {
	keyId: string;
	/** With which the signature was verified. Where they are fetched anew, the token is verified anew. */
	keys: TenantKeys;
	claims: JWTPayload;
}

/**
 * Tokens whose signature, issuer and form were verified, by a hash of the authority and the token: a caller sends the same
 * one again until it ends, and its signature does not change. Its times and claims are checked for each delivery. Only
 * tokens of the tenant are remembered, so that a forger makes none forget.
 */
const knownTokens = new Map<string, KnownToken>();
const MAX_KNOWN_TOKENS = 1_000;

/** How many tokens are remembered now. */
export function knownTokenCount(): number {
	return knownTokens.size;
}

function remember(key: string, known: KnownToken): void {
	knownTokens.delete(key);
	knownTokens.set(key, known);
	if (knownTokens.size <= MAX_KNOWN_TOKENS) return;
	const [oldest] = knownTokens.keys();
	if (oldest !== undefined) knownTokens.delete(oldest);
}

/** Whether a token has begun and has not ended. jose tells what is wrong with one for which this is false. Pure. */
function isInTime({ exp, nbf }: JWTPayload, now: number): boolean {
	return (
		exp !== undefined &&
		nbf !== undefined &&
		exp > now - CLOCK_SKEW_SECONDS &&
		nbf <= now + CLOCK_SKEW_SECONDS
	);
}

/** The claims of a token that was verified before; undefined where it has to be verified now. */
async function claimsOfKnown(key: string, connection: Connection): Promise<KnownToken | undefined> {
	const known = knownTokens.get(key);
	if (!known || !isInTime(known.claims, Math.floor(Date.now() / 1000))) return undefined;
	return (await keysFor(connection, known.keyId)) === known.keys ? known : undefined;
}

async function verifyToken(token: string, connection: Connection, trust: Trust): Promise<void> {
	const { authorityHost, tenantId, clientId } = connection;
	const key = createHash('sha256').update(`${authorityHost}/${tenantId} ${token}`).digest('base64');
	let known = await claimsOfKnown(key, connection);
	if (!known) {
		known = await verifySignature(token, connection);
		remember(key, known);
	}
	checkClaims(known.claims, clientId, known.keys.tenantId, trust);
}

/** Verifies a token's signature, form, issuer and times. @throws jose's errors, or KeysUnavailable */
async function verifySignature(token: string, connection: Connection): Promise<KnownToken> {
	const keyId = keyIdOf(token);
	const keys = await keysFor(connection, keyId);
	const { tenantId, find } = keys;
	const options: JWTVerifyOptions = {
		algorithms: ['RS256'],
		issuer: issuersOf(connection.authorityHost, tenantId),
		requiredClaims: ['exp', 'nbf', 'iss', 'aud', 'tid'],
		clockTolerance: CLOCK_SKEW_SECONDS,
	};
	const { payload } = await jwtVerify(token, find, options).catch(
		async (error: unknown) => await tryEach(error, token, options),
	);
	return { keyId, keys, claims: payload };
}

/** Turns jose's errors into the claim or code that goes to n8n's log. */
function refuse(error: unknown): never {
	if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
		throw new TokenRejected(error.claim);
	}
	if (error instanceof errors.JOSEError) throw new TokenRejected(error.code);
	// jose throws a TypeError for a text that is not a token.
	if (error instanceof TypeError) throw new TokenRejected('the token cannot be read');
	throw error;
}
