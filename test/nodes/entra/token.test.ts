import type { Emulator, FaultAction } from '../../../emulator';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { getToken, sessionCount, timesOf, tokenProvider } from '../../../nodes/shared/entra/token';
import { ServiceError } from '../../../nodes/shared/transport/errors';
import { waitFor } from '../../../tools/wait';
import { movableClocks } from '../../support/clocks';
import { credentialFor, entries, testEmulator } from '../../support/emulator';

let emulator: Emulator;
const connection = () => connectionFrom(credentialFor(emulator));
const tokenRequests = () => entries(emulator, 'token').length;
let clocks: ReturnType<typeof movableClocks>;
/** Lets time pass. */
const clock = (seconds: number) => clocks.pass(seconds * 1000);
beforeEach(async () => {
	emulator = await testEmulator();
	clocks = movableClocks();
});
afterEach(async () => {
	clocks.restore();
	await emulator.close();
});

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

test('a fresh token that is rejected is not renewed for a minute, unless it was accepted in between', async () => {
	const { get, renew, noteAccepted } = tokenProvider(connection());
	const fresh = (await renew(await get()))!;
	noteAccepted('another');
	expect(await renew(fresh)).toBeNull();
	noteAccepted(fresh);
	const second = (await renew(fresh))!;
	expect(second).not.toBe(fresh);
	clock(59);
	expect(await renew(second)).toBeNull();
	clock(2);
	expect(await renew(second)).not.toBe(second);
	expect(tokenRequests()).toBe(4);
	clocks.set(-86_400_000);
	expect(await renew(await get())).toBeNull();
	clock(61);
	expect(await renew(await get())).not.toBeNull();
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

describe('a token that is still good', () => {
	const DAY = 86_400;
	const down: Array<[string, FaultAction]> = [
		['503', { status: 503 }],
		['429', { status: 429, retryAfter: 1 }],
		['429 in JSON', { status: 429, code: 90_055 }],
		['a cut connection', 'resetBefore'],
		['a lost answer', 'resetAfter'],
		['a page of 200', { status: 200, body: '<html>sign in</html>', contentType: 'text/html' }],
		['a page of 404', { status: 404, body: '<html>no</html>', contentType: 'text/html' }],
		['a redirect', { status: 302, body: '' }],
		['JSON of somebody else', { status: 403, body: '{"error":{"code":"Forbidden"}}' }],
		['JSON without a token', { status: 200, body: '{}' }],
		['an error of OAuth that is temporary', { status: 400, body: '{"error":"temporarily_unavailable"}' }],
	];
	const authority = (action: FaultAction, times?: number) => {
		emulator.settings.faults = [{ match: { operationId: 'token' }, action, times }];
	};
	const get = async () => await getToken(connection());
	/** Lets time pass while the credential is in use: what is idle for an hour is dropped. */
	const clockInUse = (seconds: number) => {
		for (let left = seconds; left > 0; left -= 1_800) {
			clock(Math.min(left, 1_800));
			tokenProvider(connection()).noteAccepted('another');
		}
	};
	/** A token of a day that the authority wants refreshed after half of it, and half a day later. */
	const halfway = async () => {
		Object.assign(emulator.settings, { tokenLifetimeSeconds: DAY, tokenRefreshSeconds: DAY / 2 });
		const token = await get();
		clockInUse(DAY / 2 - 10);
		expect(await get()).toBe(token);
		expect(tokenRequests()).toBe(1);
		clock(20);
		return token;
	};

	test.each(down)('serves until its end while the authority is down, by %s', async (_, action) => {
		const token = await halfway();
		authority(action);
		expect(await get()).toBe(token);
		clockInUse(DAY / 2 - 20);
		expect(await get()).toBe(token);
		expect(tokenRequests()).toBe(3);
		clock(10);
		await expect(get()).rejects.toBeInstanceOf(ServiceError);
		authority(action, 0);
		expect(await get()).not.toBe(token);
	});

	test('serves for the last five minutes, where the authority gives no time for a refresh', async () => {
		const token = await get();
		clock(3_310);
		authority({ status: 503 });
		expect(await get()).toBe(token);
		authority({ status: 503 }, 0);
		clock(31);
		expect(await get()).not.toBe(token);
	});

	test('costs one request in half a minute, however many want it', async () => {
		const token = await halfway();
		authority({ status: 503 });
		const all = async () => new Set(await Promise.all(Array.from({ length: 300 }, get)));
		expect(await all()).toEqual(new Set([token]));
		expect(await all()).toEqual(new Set([token]));
		clock(25);
		expect(await get()).toBe(token);
		expect(tokenRequests()).toBe(2);
		clock(6);
		await all();
		expect(tokenRequests()).toBe(3);
		emulator.settings.faults = [];
		clock(31);
		const [fresh] = await all();
		expect(fresh).not.toBe(token);
		expect(await get()).toBe(fresh);
		expect(tokenRequests()).toBe(4);
	});

	test('is not refreshed before the authority wants to be asked again', async () => {
		const token = await halfway();
		authority({ status: 429, retryAfter: 600 }, 1);
		expect(await get()).toBe(token);
		clock(590);
		expect(await get()).toBe(token);
		clock(20);
		expect(await get()).not.toBe(token);
	});

	test('waits three seconds for an authority that accepts and says nothing, and then not at all', async () => {
		const token = await halfway();
		authority({ delayMs: 4_000 });
		const from = performance.now();
		expect(await get()).toBe(token);
		const waited = performance.now() - from;
		expect(waited).toBeLessThan(5_000);
		for (let call = 0; call < 20; call++) expect(await get()).toBe(token);
		expect(performance.now() - from - waited).toBeLessThan(500);
		await waitFor('the late answer', 5_000, () => tokenRequests() === 2, 10);
	}, 10_000);

	test('hides no refusal of Entra', async () => {
		const token = await halfway();
		authority({ status: 401, code: 7_000_222 });
		for (let call = 0; call < 20; call++)
			await expect(get()).rejects.toMatchObject({ code: 'AADSTS7000222' });
		expect(tokenRequests()).toBe(2);
		clock(31);
		await expect(get()).rejects.toMatchObject({ code: 'AADSTS7000222' });
		expect(tokenRequests()).toBe(3);
		authority({ status: 401, code: 7_000_222 }, 0);
		clock(31);
		expect(await get()).not.toBe(token);
	});

	test.each([-DAY, -60, 60, 2 * DAY])(
		'serves as long where the machine’s clock is set by %i s',
		async (set) => {
			const token = await get();
			clocks.set(set * 1000);
			authority({ status: 503 });
			clock(3_200);
			expect(await get()).toBe(token);
			expect(tokenRequests()).toBe(1);
			clock(150);
			expect(await get()).toBe(token);
			expect(tokenRequests()).toBe(2);
			clock(300);
			await expect(get()).rejects.toMatchObject({ httpCode: 503 });
		},
	);

	test.each([-DAY, 2 * DAY])(
		'is refreshed after half a minute where Entra refused once and the clock is set by %i s',
		async (set) => {
			const token = await halfway();
			authority({ status: 401, code: 7_000_222 });
			await expect(get()).rejects.toMatchObject({ code: 'AADSTS7000222' });
			authority({ status: 401, code: 7_000_222 }, 0);
			clocks.set(set * 1000);
			clock(20);
			await expect(get()).rejects.toMatchObject({ code: 'AADSTS7000222' });
			clock(11);
			expect(await get()).not.toBe(token);
		},
	);

	test('is not given again where a fresh one was asked for after a 401', async () => {
		const token = await halfway();
		authority({ status: 503 });
		await expect(tokenProvider(connection()).renew(token)).rejects.toMatchObject({ httpCode: 503 });
		const refreshing = get();
		await expect(tokenProvider(connection()).renew(token)).rejects.toMatchObject({ httpCode: 503 });
		expect(await refreshing).toBe(token);
	});
});

test.each<unknown>([0, -1, -1e12, 'soon', '', null, '0', 1, 200, 1e12, 1e15, 1e300, {}, [], true])(
	'a token that says it serves for %j seconds costs one request, and serves no longer than a day',
	async (seconds) => {
		const answer = { token_type: 'Bearer', access_token: 'a.b.c', expires_in: seconds, refresh_in: seconds };
		const action = { status: 200, body: JSON.stringify(answer), contentType: 'application/json' };
		emulator.settings.faults = [{ match: { operationId: 'token' }, action }];
		for (let call = 0; call < 20; call++) expect(await getToken(connection())).toBe('a.b.c');
		expect(tokenRequests()).toBe(1);
		clock(86_400);
		await getToken(connection());
		expect(tokenRequests()).toBe(2);
	},
);

test.each([
	[3_600, undefined, 3_300, 3_595],
	[86_400, 43_200, 43_200, 86_395],
	[NaN, NaN, 30, 30],
	[undefined, undefined, 30, 30],
	[100_000, Infinity, 86_100, 86_395],
	[20, -5, 30, 30],
	[200, undefined, 30, 195],
])('a token of %p s, to be refreshed after %p s', (end, refresh, refreshAt, endsAt) => {
	const now = 1_000_000;
	const ms = (seconds?: number) => (seconds === undefined ? undefined : seconds * 1000);
	expect(timesOf(now, ms(end), ms(refresh))).toEqual({
		refreshAt: now + refreshAt * 1000,
		endsAt: now + endsAt * 1000,
	});
});

test('of two hundred credentials in turn, those that nobody has used for an hour are dropped', async () => {
	clock(3_600);
	const credentials = Array.from({ length: 200 }, (_, index) => ({
		...connection(),
		channelId: `channel-${index}`,
	}));
	for (const one of credentials) {
		await getToken(one);
		clock(60);
	}
	expect(sessionCount()).toBeLessThanOrEqual(60);
	clock(3_600);
	await getToken(connection());
	expect(sessionCount()).toBe(1);
});
