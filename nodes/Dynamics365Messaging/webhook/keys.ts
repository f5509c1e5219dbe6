import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { isGuid } from '../../shared/entra/appCredential';
import type { Connection } from '../connection';
import { sendHttps } from '../../shared/transport/https';
import { parseJson, readKey, textOf } from '../../shared/json';

/** The keys cannot be fetched now, so that a token can be neither accepted nor rejected. */
export class KeysUnavailable extends Error {
	constructor(reason: string) {
		super(`The signing keys of the tenant cannot be fetched: ${reason}`);
		this.name = 'KeysUnavailable';
	}
}

interface TenantKeys {
	/** The tenant's GUID, also where the credential names it by a domain. */
	tenantId: string;
	keyIds: Set<string>;
	find: JWTVerifyGetKey;
	/** Epoch milliseconds. */
	fetchedAt: number;
}

/**
 * One tenant's keys. jose's remote key set throws once its keys are stale and cannot be fetched; this cache goes on
 * serving the known keys.
 */
interface Cache {
	keys: TenantKeys | undefined;
	fetching: Promise<TenantKeys> | undefined;
	/** Why the last fetch failed, until one succeeds. */
	failure: KeysUnavailable | undefined;
	/** When known keys were last fetched again; epoch milliseconds. */
	refreshedAt: number;
}

/**
 * A token with an unknown key ID has the keys fetched again, but forged tokens must not cause many fetches.
 * Source: docs/service-facts.md#webhook-token.
 */
const REFRESH_PAUSE_MS = 5 * 60_000;
/** How long a withdrawn key is accepted at the most. Microsoft advises to fetch the keys once a day. */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** For metadata and keys together. A delivery waits for them, and Dynamics gives up after ten seconds. */
const FETCH_TIMEOUT_MS = 5_000;
/** Entra's key set has about 15 KB. */
const MAX_BYTES = 1024 * 1024;

const caches = new Map<string, Cache>();

async function getJson(url: string, signal: AbortSignal): Promise<unknown> {
	const { status, body } = await sendHttps({ method: 'GET', url: new URL(url), signal, maxBytes: MAX_BYTES });
	if (status !== 200) throw new Error(`HTTP status ${status}`);
	return parseJson(body);
}

function isKeySet(value: unknown): value is JSONWebKeySet {
	return Array.isArray(readKey(value, 'keys'));
}

/** The tenant's GUID, which tokens hold. Where the credential has a domain instead, the tenant's metadata tells the GUID. */
async function tenantGuid({ authorityHost, tenantId }: Connection, signal: AbortSignal): Promise<string> {
	if (isGuid(tenantId)) return tenantId;
	const url = `${authorityHost}/${tenantId}/v2.0/.well-known/openid-configuration`;
	const metadata = await getJson(url, signal);
	const guid = textOf(readKey(metadata, 'issuer'))?.toLowerCase().split('/').find(isGuid);
	if (guid === undefined) throw new Error(`no tenant of the name ${tenantId}`);
	return guid;
}

async function fetchKeys(connection: Connection): Promise<TenantKeys> {
	const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
	const tenantId = await tenantGuid(connection, signal);
	const set = await getJson(`${connection.authorityHost}/${tenantId}/discovery/v2.0/keys`, signal);
	if (!isKeySet(set)) throw new Error('the answer holds no keys');
	return {
		tenantId,
		keyIds: new Set(set.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))),
		find: createLocalJWKSet(set),
		fetchedAt: Date.now(),
	};
}

/** Fetches the keys, with one fetch at a time. Where that fails, the known keys are returned. */
async function refresh(cache: Cache, connection: Connection): Promise<TenantKeys> {
	if (cache.keys) cache.refreshedAt = Date.now();
	cache.fetching ??= fetchKeys(connection)
		.then((keys) => {
			cache.failure = undefined;
			return (cache.keys = keys);
		})
		.catch((error: unknown) => {
			cache.failure = new KeysUnavailable(error instanceof Error ? error.message : String(error));
			if (cache.keys) return cache.keys;
			throw cache.failure;
		})
		.finally(() => (cache.fetching = undefined));
	return await cache.fetching;
}

/**
 * Returns the tenant's keys from a cache. They are fetched when there are none, once a day, and when a token names an
 * unknown key, then at most once in five minutes. While the authority is down, the known keys are returned.
 * @param keyId the `kid` of the token that is to be verified.
 * @returns the keys, which need not hold `keyId`.
 * @throws KeysUnavailable when `keyId` is unknown and the last fetch failed, so that the key may exist all the same.
 * @example
 * const { tenantId, find } = await keysFor(connection, kid);
 * const { payload } = await jwtVerify(token, find, { algorithms: ['RS256'] });
 */
export async function keysFor(connection: Connection, keyId: string): Promise<TenantKeys> {
	const cacheKey = `${connection.authorityHost}/${connection.tenantId}`;
	const cache: Cache = caches.get(cacheKey) ?? {
		keys: undefined,
		fetching: undefined,
		failure: undefined,
		refreshedAt: -Infinity,
	};
	caches.set(cacheKey, cache);
	const mayRefresh = Date.now() - cache.refreshedAt >= REFRESH_PAUSE_MS;
	if (cache.keys?.keyIds.has(keyId)) {
		const isOld = Date.now() - cache.keys.fetchedAt > MAX_AGE_MS;
		return isOld && mayRefresh ? await refresh(cache, connection) : cache.keys;
	}
	const keys = !cache.keys || cache.fetching || mayRefresh ? await refresh(cache, connection) : cache.keys;
	if (!keys.keyIds.has(keyId) && cache.failure) throw cache.failure;
	return keys;
}
