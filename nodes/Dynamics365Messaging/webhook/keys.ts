import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';
import { isGuid } from '../../shared/entra/appCredential';
import type { Connection } from '../connection';
import { sendHttps } from '../../shared/transport/https';
import { readEntries } from '../../shared/transport/pagination';
import { IdleMap } from '../../shared/idleMap';
import { parseJson, readKey, textOf, type Json } from '../../shared/json';

/** The keys cannot be fetched now, so that a token can be neither accepted nor rejected. */
export class KeysUnavailable extends Error {
	constructor(reason: string) {
		super(`The signing keys of the tenant cannot be fetched: ${reason}`);
		this.name = 'KeysUnavailable';
	}
}

/** The keys of a tenant. What is fetched anew is another object. */
export interface TenantKeys {
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
	/** The last fetch, until one succeeds: why it failed, and when; epoch milliseconds. */
	failed: { reason: KeysUnavailable; at: number } | undefined;
	lookUps: LookUps;
}

/**
 * How many look-ups for unknown key IDs are left. A new key must be found soon, but forged key IDs must not cause many
 * fetches. Source: docs/service-facts.md#webhook-token.
 */
interface LookUps {
	left: number;
	/** Since when the next one is being waited for; epoch milliseconds. */
	since: number;
}

const MAX_LOOK_UPS = 4;
const LOOK_UP_EVERY_MS = 30_000;
/** How long nothing is fetched after a fetch that failed: while a token waits for it, and while known keys serve. */
const FAILED_PAUSE_MS = 3_000;
const FAILED_PAUSE_KNOWN_MS = 60_000;
/** How long a withdrawn key is accepted at the most. Microsoft advises to fetch the keys once a day. */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** For metadata and keys together. A delivery waits for them, and Dynamics gives up after ten seconds. */
const FETCH_TIMEOUT_MS = 5_000;
/** Entra's key set has about 15 KB. */
const MAX_BYTES = 1024 * 1024;

/** How long the keys of a tenant are kept that nobody asks for: a quiet channel goes on while the authority is down. */
const MAX_IDLE_MS = 2 * MAX_AGE_MS;

const caches = new IdleMap<Cache>(MAX_IDLE_MS);

/** Whether a time is over. A clock that was set back counts as if it were. */
function isOver(since: number, ms: number, now: number): boolean {
	return now < since || now - since >= ms;
}

/** Adds the look-ups that have become due. Pure. */
function withDue({ left, since }: LookUps, now: number): LookUps {
	if (now < since) return { left: MAX_LOOK_UPS, since: now };
	const due = Math.floor((now - since) / LOOK_UP_EVERY_MS);
	return { left: Math.min(MAX_LOOK_UPS, left + due), since: since + due * LOOK_UP_EVERY_MS };
}

/** Takes one of the look-ups. @returns whether there was one */
function takeLookUp(cache: Cache, now: number): boolean {
	const { left, since } = withDue(cache.lookUps, now);
	cache.lookUps = left > 0 ? { left: left - 1, since: left === MAX_LOOK_UPS ? now : since } : { left, since };
	return left > 0;
}

async function getJson(url: string, signal: AbortSignal): Promise<Json> {
	const { status, body } = await sendHttps({ method: 'GET', url: new URL(url), signal, maxBytes: MAX_BYTES });
	if (status !== 200) throw new Error(`HTTP status ${status}`);
	const json = parseJson(body);
	if (json === undefined) throw new Error('the answer is no JSON');
	return json;
}

function isKey(value: unknown): value is JWK {
	return typeof readKey(value, 'kty') === 'string';
}

/** The keys of an answer. One without any is an error, so that it does not take the place of the known ones. */
function keySetOf(answer: Json): JSONWebKeySet {
	const keys = readEntries(answer, 'keys').filter(isKey);
	if (keys.length === 0) throw new Error('the answer holds no keys');
	return { keys };
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
	const set = keySetOf(await getJson(`${connection.authorityHost}/${tenantId}/discovery/v2.0/keys`, signal));
	return {
		tenantId,
		keyIds: new Set(set.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))),
		find: createLocalJWKSet(set),
		fetchedAt: Date.now(),
	};
}

/** Fetches the keys, with one fetch at a time. Where that fails, the known keys are returned. */
async function refresh(cache: Cache, connection: Connection): Promise<TenantKeys> {
	cache.fetching ??= fetchKeys(connection)
		.then((keys) => {
			cache.failed = undefined;
			return (cache.keys = keys);
		})
		.catch((error: unknown) => {
			const reason = new KeysUnavailable(error instanceof Error ? error.message : String(error));
			cache.failed = { reason, at: Date.now() };
			// A failure says nothing about a key, so it costs no look-up.
			cache.lookUps.left = Math.min(MAX_LOOK_UPS, cache.lookUps.left + 1);
			if (cache.keys) return cache.keys;
			throw reason;
		})
		.finally(() => (cache.fetching = undefined));
	return await cache.fetching;
}

/**
 * Returns the tenant's keys from a cache. They are fetched when there are none, once a day, and when a token names an
 * unknown key: four times in a row, then once in 30 seconds. While the authority is down, the known keys are returned.
 * @param keyId the `kid` of the token that is to be verified.
 * @returns the keys, which need not hold `keyId`.
 * @throws KeysUnavailable when `keyId` is unknown and the last fetch failed, so that the key may exist all the same.
 * @example
 * const { tenantId, find } = await keysFor(connection, kid);
 * const { payload } = await jwtVerify(token, find, { algorithms: ['RS256'] });
 */
export async function keysFor(connection: Connection, keyId: string): Promise<TenantKeys> {
	const cacheKey = `${connection.authorityHost}/${connection.tenantId}`;
	const now = Date.now();
	const cache = caches.getOrMake(cacheKey, () => ({
		keys: undefined,
		fetching: undefined,
		failed: undefined,
		lookUps: { left: MAX_LOOK_UPS, since: now },
	}));
	const { keys, failed } = cache;
	if (keys?.keyIds.has(keyId)) {
		const mayFetch = !failed || isOver(failed.at, FAILED_PAUSE_KNOWN_MS, now);
		return mayFetch && isOver(keys.fetchedAt, MAX_AGE_MS, now) ? await refresh(cache, connection) : keys;
	}
	if (failed && !cache.fetching && !isOver(failed.at, FAILED_PAUSE_MS, now)) throw failed.reason;
	const isWanted = !keys || cache.fetching || takeLookUp(cache, now);
	const found = isWanted ? await refresh(cache, connection) : keys;
	if (!found.keyIds.has(keyId) && cache.failed) throw cache.failed.reason;
	return found;
}
