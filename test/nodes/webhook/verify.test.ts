import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { importJWK, SignJWT, type JWK } from 'jose';
import { connectionFrom, type Connection } from '../../../nodes/Dynamics365Messaging/connection';
import { knownTokenCount, verifyCaller } from '../../../nodes/Dynamics365Messaging/webhook/verify';
import { listen } from '../../../tools/ports';
import { REAL_TIMERS } from '../../support/timers';

const TENANT = 'b5122edb-5678-4def-99e2-abcdef123456';
const CLIENT = '9f6c021d-1234-4abc-8df7-123456789abc';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateJwk = pair.privateKey.export({ format: 'jwk' }) as JWK;

let server: Server;
let connection: Connection;
/** What the authority answers: undefined is an error of its own. */
let answered: unknown;
let asked = 0;
/** Each test has an authority of its own, as keys are remembered by it. */
let paths = 0;

const jwkOf = (keys: typeof pair, kid = 'k1') => ({
	...keys.publicKey.export({ format: 'jwk' }),
	kid,
	use: 'sig',
});

/** An authority that, as Entra's, does not say for which algorithm its keys are. */
beforeAll(async () => {
	const pem = (name: string) => readFileSync(join(process.env.TEST_CERTIFICATE_FOLDER!, name), 'utf8');
	server = createServer({ key: pem('key.pem'), cert: pem('cert.pem') }, (_, response) => {
		asked++;
		if (answered === undefined) response.statusCode = 500;
		response.end(JSON.stringify(answered ?? {}));
	});
	await listen(server);
});
beforeEach(() => {
	const { port } = server.address() as AddressInfo;
	answered = { keys: [jwkOf(pair)] };
	asked = 0;
	connection = {
		...connectionFrom({
			tenantId: TENANT,
			clientId: CLIENT,
			clientSecret: 'x',
			organizationId: TENANT,
			channelId: TENANT,
			geo: 'eu',
			authorityHost: `https://localhost:${port}`,
		}),
		authorityHost: `https://localhost:${port}/${paths++}`,
	};
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => void server.close());

async function sign(
	alg: string,
	{ kid = 'k1', key = privateJwk, ...given }: { kid?: string; key?: JWK; aud?: string; jti?: string } = {},
): Promise<string> {
	const now = Math.floor(Date.now() / 1000);
	const claims = {
		iss: `https://sts.windows.net/${TENANT}/`,
		aud: CLIENT,
		appid: CLIENT,
		tid: TENANT,
		iat: now,
		nbf: now,
		exp: now + 60,
		...given,
	};
	return await new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(await importJWK(key, alg));
}

test('RS256 is believed', async () => {
	await expect(verifyCaller(`Bearer ${await sign('RS256')}`, connection)).resolves.toBeUndefined();
});

test.each(['RS384', 'RS512', 'PS256'])('%s by the right key is not', async (alg) => {
	await expect(verifyCaller(`Bearer ${await sign(alg)}`, connection)).rejects.toThrow('not believed');
});

/** Sets the clock that the code under test reads. */
const clockAt = (ms: number) => jest.spyOn(Date, 'now').mockReturnValue(ms);
const verify = async (token: string, audience?: string) =>
	await verifyCaller(`Bearer ${token}`, connection, { audience });

describe('several keys of one id', () => {
	const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
	test.each([
		['the same key twice', [jwkOf(pair), jwkOf(pair)]],
		['another one before it', [jwkOf(other), jwkOf(pair)]],
		['another one after it', [jwkOf(pair), jwkOf(other)]],
		['one that cannot be read before it', [{ kty: 'RSA', kid: 'k1' }, jwkOf(pair)]],
		['entries that are no keys', [null, 'x', {}, 7, [], { kty: 5, kid: 'k1' }, jwkOf(pair)]],
		['one that is too short before it', [jwkOf(weak), jwkOf(pair)]],
		['one that is private before it', [{ ...privateJwk, kid: 'k1' }, jwkOf(pair)]],
		[
			'one for another use, and one for another algorithm',
			[
				{ ...jwkOf(other), use: 'enc' },
				{ ...jwkOf(other), alg: 'PS512' },
				{ kty: 'oct', k: 'AAAA', kid: 'k1' },
				{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k1' },
				jwkOf(pair),
			],
		],
		['ids that are no texts', [{ ...jwkOf(other), kid: null }, { ...jwkOf(other), kid: 1 }, jwkOf(pair)]],
	])('believe whom one of them signed for: %s', async (_, keys) => {
		answered = { keys };
		await expect(verify(await sign('RS256'))).resolves.toBeUndefined();
	});

	test('believe nobody else', async () => {
		answered = { keys: [jwkOf(pair), jwkOf(pair)] };
		const key = other.privateKey.export({ format: 'jwk' }) as JWK;
		await expect(verify(await sign('RS256', { key }))).rejects.toThrow('SIGNATURE');
		await expect(verify(await sign('RS256', { aud: 'x' }))).rejects.toThrow('aud');
	});
});

test.each([
	[CLIENT.toUpperCase(), undefined],
	[`api://${CLIENT.toUpperCase()}`, undefined],
	[`API://${CLIENT}`, undefined],
	['api://Contoso.Example.com/Messaging', 'api://contoso.example.com/messaging'],
	['api://contoso.example.com/messaging', 'API://CONTOSO.EXAMPLE.COM/MESSAGING'],
])('the audience %s is believed, whatever its casing', async (aud, audience) => {
	await expect(verify(await sign('RS256', { aud }), audience)).resolves.toBeUndefined();
});

test.each([
	[`api://${CLIENT}/`, undefined],
	[`api://${CLIENT.toUpperCase()}/x`, undefined],
	['api://contoso.example.com/x', 'api://contoso.example.com/y'],
	// The Kelvin sign is a k in lower case elsewhere.
	['api://\u212Aontoso', 'api://kontoso'],
	['', ''],
])('the audience %s is not, beside %s', async (aud, audience) => {
	await expect(verify(await sign('RS256', { aud }), audience)).rejects.toThrow('aud');
});

describe('a fetch that fails at a rotation', () => {
	const fresh = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const freshToken = async () =>
		await sign('RS256', { kid: 'k2', key: fresh.privateKey.export({ format: 'jwk' }) });

	test.each([
		['an error', undefined],
		['no keys', { keys: [] }],
		['no key set', { keys: 'none' }],
	])('pauses for seconds and costs no look-up: %s', async (_, failure) => {
		const start = Date.now();
		await verify(await sign('RS256'));
		answered = failure;
		for (let time = 0; time < 6; time++) {
			clockAt(start + time * 3_000);
			await expect(verify(await freshToken())).rejects.toThrow('cannot be fetched');
			await expect(verify(await freshToken())).rejects.toThrow('cannot be fetched');
			await expect(verify(await sign('RS256'))).resolves.toBeUndefined();
		}
		expect(asked).toBe(7);
		answered = { keys: [jwkOf(pair), jwkOf(fresh, 'k2')] };
		clockAt(start + 18_000);
		await expect(verify(await freshToken())).resolves.toBeUndefined();
	});

	test('is over when the clock was set back', async () => {
		const start = Date.now();
		await verify(await sign('RS256'));
		answered = undefined;
		await expect(verify(await freshToken())).rejects.toThrow('cannot be fetched');
		answered = { keys: [jwkOf(fresh, 'k2')] };
		clockAt(start - 60_000);
		await expect(verify(await freshToken())).resolves.toBeUndefined();
	});

	test('is one fetch for all who ask meanwhile', async () => {
		await verify(await sign('RS256'));
		answered = { keys: [jwkOf(fresh, 'k2')] };
		const token = await freshToken();
		await Promise.all(Array.from({ length: 20 }, async () => await verify(token)));
		expect(asked).toBe(2);
	});
});

describe('a token that comes again', () => {
	/** Sets every clock, also that of jose. */
	const dateAt = (ms: number) => jest.useFakeTimers({ now: ms, doNotFake: [...REAL_TIMERS] });
	afterEach(() => void jest.useRealTimers());

	test('is believed, and its signature is not verified again', async () => {
		const token = await sign('RS256');
		const verifies = jest.spyOn(crypto.subtle, 'verify');
		for (let time = 0; time < 3; time++) await verify(token);
		expect(verifies).toHaveBeenCalledTimes(1);
	});

	test.each([
		['ended', 361_000, 'exp'],
		['not begun yet, as the clock was set back', -301_000, 'nbf'],
	])('is not when it has %s', async (_, later, claim) => {
		const token = await sign('RS256');
		await verify(token);
		dateAt(Date.now() + later);
		await expect(verify(token)).rejects.toThrow(claim);
	});

	test('is not by another app, another caller or another tenant', async () => {
		const token = await sign('RS256');
		await verify(token);
		const by = async (other: Partial<Connection>, callerObjectId?: string) =>
			await verifyCaller(`Bearer ${token}`, { ...connection, ...other }, { callerObjectId });
		await expect(by({ clientId: TENANT })).rejects.toThrow('appid');
		await expect(by({}, CLIENT)).rejects.toThrow('oid');
		await expect(by({ tenantId: CLIENT })).rejects.toThrow('iss');
		await expect(by({})).resolves.toBeUndefined();
	});

	test('is not when its key has been withdrawn', async () => {
		const token = await sign('RS256');
		await verify(token);
		const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
		answered = { keys: [jwkOf(other, 'k2')] };
		await verify(await sign('RS256', { kid: 'k2', key: other.privateKey.export({ format: 'jwk' }) }));
		await expect(verify(token)).rejects.toThrow('not believed');
	});

	test('is not with another signature, or another word', async () => {
		const token = await sign('RS256');
		await verify(token);
		const [head, claims = '', signature] = token.split('.');
		const [, , other] = (await sign('RS256', { aud: 'x' })).split('.');
		await expect(verify([head, claims, other].join('.'))).rejects.toThrow('SIGNATURE');
		const changed = Buffer.from(claims, 'base64url')
			.toString()
			.replace(/"exp":(\d)/, '"exp":9$1');
		const forged = [head, Buffer.from(changed).toString('base64url'), signature].join('.');
		await expect(verify(forged)).rejects.toThrow('SIGNATURE');
	});

	test('is remembered among a thousand, and what is refused is not', async () => {
		const before = knownTokenCount();
		await expect(verify(await sign('PS256'))).rejects.toThrow('not believed');
		expect(knownTokenCount()).toBe(before);
		for (let time = 0; time < 1_005; time++) await verify(await sign('RS256', { jti: String(time) }));
		expect(knownTokenCount()).toBe(1_000);
	});
});
