import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { isGuid } from '../../shared/entra/appCredential';
import type { Connection } from '../connection';
import { sendHttps } from '../../shared/transport/https';
import { parseJson, readKey, textOf } from '../../shared/json';

/** The keys cannot be had now: nobody can be believed or refused. */
export class KeysUnavailable extends Error {
	constructor(reason: string) {
		super(`The signing keys of the tenant cannot be fetched: ${reason}`);
		this.name = 'KeysUnavailable';
	}
}

export interface TenantKeys {
	/** The tenant's GUID, also where the credential names it by a domain. */
	tenantId: string;
	keyIds: Set<string>;
	find: JWTVerifyGetKey;
	fetchedAt: number;
}

/** One tenant's keys, and when they may be asked for again. */
interface Cache {
	keys: TenantKeys | undefined;
	fetching: Promise<TenantKeys> | undefined;
	/** Why the last fetch failed, until one succeeds. */
	failure: KeysUnavailable | undefined;
	/** When we last asked again, though there were keys; epoch milliseconds. */
	askedAgainAt: number;
}

/**
 * An unknown key id makes us ask again, but forged ones must not make us ask often.
 * Source: docs/service-facts.md#webhook-token.
 */
const ASK_AGAIN_PAUSE_MS = 5 * 60_000;
/** A key that the tenant withdrew is believed for no longer. Microsoft advises to look once a day. */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** For all that is fetched: short, as a delivery waits for it and Dynamics gives up after ten seconds. */
const FETCH_TIMEOUT_MS = 5_000;
/** Entra's keys have some 15 KB. */
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

/** A credential may name its tenant by a domain; tokens name it by its GUID, which the tenant's metadata holds. */
async function tenantGuid({ authorityHost, tenantId }: Connection, signal: AbortSignal): Promise<string> {
	if (isGuid(tenantId)) return tenantId;
	const metadata = await getJson(
		`${authorityHost}/${tenantId}/v2.0/.well-known/openid-configuration`,
		signal,
	);
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

/** Asks for the keys once at a time; gives those that are there where that fails. */
async function refresh(cache: Cache, connection: Connection): Promise<TenantKeys> {
	cache.askedAgainAt = cache.keys ? Date.now() : cache.askedAgainAt;
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
 * The tenant's keys: fetched when there are none, when a token names one that is not among them (at most once in five
 * minutes, however many do) and once a day. While the authority is down, the keys that are there go on serving.
 * @param keyId the `kid` of the token that is to be verified.
 * @throws KeysUnavailable when this key is not there and may only be missing because the authority is down.
 */
export async function keysFor(connection: Connection, keyId: string): Promise<TenantKeys> {
	const cacheKey = `${connection.authorityHost}/${connection.tenantId}`;
	const cache: Cache = caches.get(cacheKey) ?? {
		keys: undefined,
		fetching: undefined,
		failure: undefined,
		askedAgainAt: -Infinity,
	};
	caches.set(cacheKey, cache);
	const mayAsk = Date.now() - cache.askedAgainAt >= ASK_AGAIN_PAUSE_MS;
	if (cache.keys?.keyIds.has(keyId)) {
		const isOld = Date.now() - cache.keys.fetchedAt > MAX_AGE_MS;
		return isOld && mayAsk ? await refresh(cache, connection) : cache.keys;
	}
	const keys = !cache.keys || cache.fetching || mayAsk ? await refresh(cache, connection) : cache.keys;
	if (!keys.keyIds.has(keyId) && cache.failure) throw cache.failure;
	return keys;
}
