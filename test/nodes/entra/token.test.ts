import type { Emulator } from '../../../emulator';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { getToken, tokenProvider } from '../../../nodes/shared/entra/token';
import { credentialFor, entries, testEmulator } from '../../support/emulator';

let emulator: Emulator;
const connection = () => connectionFrom(credentialFor(emulator));
const tokenRequests = () => entries(emulator, 'token').length;

beforeEach(async () => void (emulator = await testEmulator()));
afterEach(async () => await emulator.close());

test('a thousand at once cost one token request', async () => {
	const tokens = await Promise.all(Array.from({ length: 1000 }, async () => await getToken(connection())));
	expect(new Set(tokens).size).toBe(1);
	expect(tokenRequests()).toBe(1);
});

test('later calls are served from the cache', async () => {
	const first = await getToken(connection());
	expect(await getToken(connection())).toBe(first);
	expect(tokenRequests()).toBe(1);
});

test('the spelling of an id makes no other credential', async () => {
	await getToken(connection());
	const { tenantId } = connection();
	await getToken(connectionFrom({ ...credentialFor(emulator), tenantId: `{${tenantId.toUpperCase()}}` }));
	expect(tokenRequests()).toBe(1);
});

test('a rotated secret is never served from the old cache', async () => {
	await getToken(connection());
	emulator.world.clientSecret = 'the-new-one';
	await getToken(connection());
	expect(tokenRequests()).toBe(2);
	const old = connectionFrom({ ...credentialFor(emulator), clientSecret: 'wrong' });
	await expect(getToken(old)).rejects.toMatchObject({ code: 'AADSTS7000215' });
});

test('all that got a 401 share one fresh token', async () => {
	const old = await getToken(connection());
	const fresh = await Promise.all(
		Array.from({ length: 100 }, async () => await tokenProvider(connection()).renew(old)),
	);
	expect(new Set(fresh).size).toBe(1);
	expect(fresh[0]).not.toBe(old);
	expect(await tokenProvider(connection()).renew(old)).toBe(fresh[0]);
	expect(await getToken(connection())).toBe(fresh[0]);
	expect(tokenRequests()).toBe(2);
});

test('a cache look-up that has begun does not give the rejected token back', async () => {
	const old = await getToken(connection());
	const looking = getToken(connection());
	const fresh = await tokenProvider(connection()).renew(old);
	expect(await looking).toBe(old);
	expect(fresh).not.toBe(old);
});

test('a fresh token that is rejected is not renewed at once, unless it was accepted in between', async () => {
	const old = await getToken(connection());
	const fresh = (await tokenProvider(connection()).renew(old))!;
	expect(await tokenProvider(connection()).renew(fresh)).toBeNull();
	tokenProvider(connection()).noteAccepted(fresh);
	expect(await tokenProvider(connection()).renew(fresh)).not.toBe(fresh);
	expect(tokenRequests()).toBe(3);
});

test.each([
	['a wrong secret', { clientSecret: 'wrong' }, 'AADSTS7000215', 'secret is wrong'],
	['an expired secret', { clientSecret: 'expired-secret' }, 'AADSTS7000222', 'expired'],
	[
		'an unknown app',
		{ clientId: '11111111-2222-4333-8444-555555555555' },
		'AADSTS700016',
		'not known in this tenant',
	],
	[
		'a wrong tenant',
		{ tenantId: '11111111-2222-4333-8444-555555555555' },
		'AADSTS90002',
		'tenant does not exist',
	],
	['a wrong zone', { zone: 'crm2' }, 'AADSTS500011', 'Geo (or Zone) or Organization ID'],
])('says what is wrong: %s', async (_, given, code, words) => {
	const error = await getToken(connectionFrom({ ...credentialFor(emulator), ...given })).catch(
		(e: unknown) => e,
	);
	expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
	expect(error).toHaveProperty('correlationId', expect.stringMatching(/^[0-9a-f-]{36}$/));
});

test('a failure is not kept: the next call asks again', async () => {
	emulator.world.clientSecret = 'other';
	const wrong = connectionFrom({ ...credentialFor(emulator), clientSecret: 'not-yet' });
	await expect(getToken(wrong)).rejects.toThrow();
	emulator.world.clientSecret = 'not-yet';
	await expect(getToken(wrong)).resolves.toBeTruthy();
});
