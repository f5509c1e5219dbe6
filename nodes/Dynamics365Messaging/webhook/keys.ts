import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { isGuid, type Connection } from '../api/connection';
import { sendHttps } from '../api/https';
import { parseJson, readKey, textOf } from '../api/json';

/** The keys cannot be had now: nobody can be believed or refused. */
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
	fetchedAt: number;
}

/** An unknown key id makes us ask again, but forged ones must not make us ask often. Source: shared reference, "Webhook". */
const REFETCH_PAUSE_MS = 5 * 60_000;
/** Short, as a delivery waits for it and Dynamics gives up after ten seconds. */
const FETCH_TIMEOUT_MS = 5_000;

const known = new Map<string, TenantKeys>();
const underWay = new Map<string, Promise<TenantKeys>>();
const lastTried = new Map<string, number>();

async function getJson(url: string): Promise<unknown> {
	const { status, body } = await sendHttps({ method: 'GET', url: new URL(url), timeoutMs: FETCH_TIMEOUT_MS });
	if (status !== 200) throw new Error(`HTTP status ${status}`);
	return parseJson(body);
}

function isKeySet(value: unknown): value is JSONWebKeySet {
	return Array.isArray(readKey(value, 'keys'));
}

/** A credential may name its tenant by a domain; tokens name it by its GUID, which the tenant's metadata holds. */
async function tenantGuid({ authorityHost, tenantId }: Connection): Promise<string> {
	if (isGuid(tenantId)) return tenantId;
	const metadata = await getJson(`${authorityHost}/${tenantId}/v2.0/.well-known/openid-configuration`);
	const guid = textOf(readKey(metadata, 'issuer'))?.toLowerCase().split('/').find(isGuid);
	if (guid === undefined) throw new Error(`no tenant of the name ${tenantId}`);
	return guid;
}

async function fetchKeys(connection: Connection): Promise<TenantKeys> {
	const tenantId = await tenantGuid(connection);
	const set = await getJson(`${connection.authorityHost}/${tenantId}/discovery/v2.0/keys`);
	if (!isKeySet(set)) throw new Error('the answer holds no keys');
	return {
		tenantId,
		keyIds: new Set(set.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))),
		find: createLocalJWKSet(set),
		fetchedAt: Date.now(),
	};
}

/**
 * The tenant's keys, fetched when there are none or when a token names one that is not among them.
 * One fetch is under way at a time. While the authority is down, the keys that are there go on serving.
 * @param keyId the `kid` of the token that is to be verified.
 * @throws KeysUnavailable when there are no keys at all and they cannot be fetched.
 */
export async function keysFor(connection: Connection, keyId: string): Promise<TenantKeys> {
	const cacheKey = `${connection.authorityHost}/${connection.tenantId}`;
	const cached = known.get(cacheKey);
	if (cached?.keyIds.has(keyId)) return cached;
	if (cached && Date.now() - (lastTried.get(cacheKey) ?? 0) < REFETCH_PAUSE_MS) return cached;
	let fetching = underWay.get(cacheKey);
	if (!fetching) {
		lastTried.set(cacheKey, Date.now());
		fetching = fetchKeys(connection)
			.then((keys) => {
				known.set(cacheKey, keys);
				return keys;
			})
			.catch((error: unknown) => {
				if (cached) return cached;
				throw new KeysUnavailable(error instanceof Error ? error.message : String(error));
			})
			.finally(() => underWay.delete(cacheKey));
		underWay.set(cacheKey, fetching);
	}
	return await fetching;
}
