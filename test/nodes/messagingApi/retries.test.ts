import { createServer } from 'node:https';
import { makeCertificate, type Emulator, type FaultAction, type FaultRule } from '../../../emulator';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { ServiceError } from '../../../nodes/shared/transport/errors';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import type { ServiceRequest } from '../../../nodes/shared/transport/request';
import { callMessagingApi, credentialFor, entries, openCall, testEmulator } from '../../support/emulator';
import { close, listen } from '../../../tools/ports';

let emulator: Emulator;
beforeEach(async () => void (emulator = await started()));
afterEach(async () => await emulator.close());

const connection = (given = {}, of = emulator) => connectionFrom({ ...credentialFor(of), ...given });

/** An emulator that has issued a token already, so that faults meet the service alone. */
async function started(): Promise<Emulator> {
	const one = await testEmulator();
	await callMessagingApi(connection({}, one), read);
	return one;
}
const read: ServiceRequest = { method: 'GET', path: '/conversations' };
const send: ServiceRequest = openCall;
const repeat: ServiceRequest = {
	...openCall,
	body: { customercontext: { customerid: 'jdoe' } },
	isIdempotent: true,
};
const requests = () => entries(emulator, 'request');
const faults = (...rules: Array<FaultAction | FaultRule>) => {
	emulator.settings.faults = rules.map((rule) =>
		typeof rule === 'object' && 'action' in rule ? rule : { action: rule, times: 1 },
	);
};

/** Tries that the emulator saw, and how it ended. */
async function outcome(request: ServiceRequest, throttle: Throttle, of = emulator, given = {}) {
	const before = entries(of, 'request').length;
	const error = await callMessagingApi(connection(given, of), request, throttle).then(
		() => undefined,
		(thrown: unknown) => thrown as { outcome: string; description: string; httpCode: number | null },
	);
	return { tries: entries(of, 'request').length - before, error };
}

// Only these calls are repeated: reads, idempotent calls, and calls that surely did not arrive.
test.each<[string, FaultAction, { read: number; repeat: number; send: number; outcome: string }]>([
	['429', { status: 429, retryAfter: 1 }, { read: 2, repeat: 2, send: 2, outcome: 'notSent' }],
	['429 without Retry-After', { status: 429 }, { read: 2, repeat: 2, send: 2, outcome: 'notSent' }],
	[
		'503 with Retry-After',
		{ status: 503, retryAfter: 1 },
		{ read: 2, repeat: 2, send: 2, outcome: 'notSent' },
	],
	['503 without Retry-After', { status: 503 }, { read: 2, repeat: 2, send: 1, outcome: 'uncertain' }],
	['500', { status: 500 }, { read: 2, repeat: 2, send: 1, outcome: 'uncertain' }],
	['408', { status: 408 }, { read: 2, repeat: 2, send: 1, outcome: 'uncertain' }],
	['504', { status: 504 }, { read: 2, repeat: 2, send: 1, outcome: 'uncertain' }],
	[
		'a reset before the request is processed',
		'resetBefore',
		{ read: 2, repeat: 2, send: 1, outcome: 'uncertain' },
	],
	['a reset after it', 'resetAfter', { read: 2, repeat: 2, send: 1, outcome: 'uncertain' }],
	['400', { status: 400 }, { read: 1, repeat: 1, send: 1, outcome: 'notSent' }],
	['404', { status: 404 }, { read: 1, repeat: 1, send: 1, outcome: 'notSent' }],
	['a slow answer', { delayMs: 50 }, { read: 1, repeat: 1, send: 1, outcome: 'none' }],
])('%s', async (_, action, expected) => {
	const check = async (kind: 'read' | 'repeat' | 'send', request: ServiceRequest) => {
		const own = await started();
		own.settings.faults = [{ action, times: 1 }];
		const { tries, error } = await outcome(request, new Throttle(20_000), own);
		await own.close();
		const isFine = expected.outcome === 'none' || tries === 2;
		return [kind, tries, isFine ? error : error?.outcome];
	};
	const isFine = (kind: 'read' | 'repeat' | 'send') => expected.outcome === 'none' || expected[kind] === 2;
	const end = (kind: 'read' | 'repeat' | 'send') =>
		isFine(kind) ? undefined : kind === 'read' ? 'notSent' : expected.outcome;
	expect(await Promise.all([check('read', read), check('repeat', repeat), check('send', send)])).toEqual([
		['read', expected.read, end('read')],
		['repeat', expected.repeat, end('repeat')],
		['send', expected.send, end('send')],
	]);
});

/** Waits until a run is held back. */
async function held(throttle: Throttle): Promise<void> {
	const isFree = async () =>
		await throttle.waitForNextTry(0).then(
			() => true,
			() => false,
		);
	while (await isFree()) await new Promise(setImmediate);
}

test('every call of a run waits as Retry-After says, not only the one that was told', async () => {
	faults({ status: 429, retryAfter: 2 });
	const throttle = new Throttle(60_000);
	const first = callMessagingApi(connection(), send, throttle);
	await held(throttle);
	await Promise.all([
		first,
		...Array.from({ length: 5 }, async () => await callMessagingApi(connection(), read, throttle)),
	]);
	const [refused, ...later] = requests()
		.slice(1)
		.map(({ at }) => Date.parse(at));
	expect(later).toHaveLength(6);
	for (const at of later) expect(at - refused!).toBeGreaterThanOrEqual(1_990);
	expect(Math.max(...later) - refused!).toBeLessThan(4_000);
});

test('it ends after the time that a run gives it, and says how often it was tried', async () => {
	faults({ action: { status: 429 } });
	const { tries, error } = await outcome(send, new Throttle(4_000));
	expect(tries).toBeGreaterThan(1);
	expect(error).toMatchObject({ httpCode: 429, outcome: 'notSent' });
	expect(error!.description).toMatch(/It was tried \d times in \d+ s\.$/);
	expect((await outcome(send, new Throttle(0))).tries).toBe(1);
});

test('it does not wait at all for longer than it may', async () => {
	faults({ status: 429, retryAfter: 3600 });
	const from = Date.now();
	const throttle = new Throttle(60_000);
	const { tries, error } = await outcome(send, throttle);
	expect([tries, error!.httpCode]).toEqual([1, 429]);
	const pause = /The service asks for a pause of 3,(600|59\d) s, until \S+Z: try again then\./;
	expect(error!.description).toMatch(pause);
	// Nor does what was never tried: it is told as not sent, with the time from when on it may be.
	await expect(callMessagingApi(connection(), send, throttle)).rejects.toMatchObject({
		message: expect.stringMatching(/^This was not tried: /),
		description: expect.stringMatching(pause),
		outcome: 'notSent',
	});
	expect(Date.now() - from).toBeLessThan(5_000);
});

test('where an earlier try of a idempotent call may have arrived, the end of it is uncertain', async () => {
	faults('resetAfter', { action: { status: 429, retryAfter: 3600 } });
	const { error } = await outcome(repeat, new Throttle(10_000));
	expect(error).toMatchObject({
		httpCode: 429,
		outcome: 'uncertain',
		message: expect.stringContaining('An earlier try may have arrived, and then: '),
		description: expect.stringContaining(repeat.howToVerify),
	});
});

test('so it is however it ends: held back by another call, without a token, or cancelled', async () => {
	const controller = new AbortController();
	const throttle = new Throttle(30_000, controller.signal);
	faults('resetAfter');
	const ends = [callMessagingApi(connection(), repeat, throttle)];
	while (requests().length < 2) await new Promise(setImmediate);
	throttle.pauseAll(3_600_000, new ServiceError({ message: 'busy', description: '' }));
	await expect(ends[0]).rejects.toMatchObject({
		message: 'An earlier try may have arrived, and then: This was not tried: busy',
		outcome: 'uncertain',
	});

	faults('resetAfter');
	const cancelledPace = new Throttle(30_000, controller.signal);
	const running = callMessagingApi(connection(), repeat, cancelledPace);
	while (requests().length < 3) await new Promise(setImmediate);
	setTimeout(() => controller.abort(), 100);
	await expect(running).rejects.toMatchObject({
		code: 'ABORT_ERR',
		outcome: 'uncertain',
		message: expect.stringContaining('an earlier try may have arrived'),
		description: repeat.howToVerify,
	});

	faults('resetAfter');
	const withoutToken = callMessagingApi(connection(), repeat, new Throttle(30_000));
	while (requests().length < 4) await new Promise(setImmediate);
	emulator.revokeTokens();
	emulator.world.clientSecret = 'another';
	await expect(withoutToken).rejects.toMatchObject({ code: 'AADSTS7000215', outcome: 'uncertain' });
});

test('a call that gets a fresh token waits as well where the run is held back meanwhile', async () => {
	const throttle = new Throttle(20_000);
	emulator.settings.faults = [{ match: { operationId: 'token' }, action: { delayMs: 100 } }];
	emulator.revokeTokens();
	const waiting = callMessagingApi(connection(), send, throttle);
	while (requests().length < 2) await new Promise(setImmediate);
	const heldAt = Date.now();
	throttle.pauseAll(1_000, new ServiceError({ message: 'busy', description: '' }));
	await waiting;
	expect(Date.parse(requests().at(-1)!.at) - heldAt).toBeGreaterThanOrEqual(990);
});

test('nothing arrived where no connection came about: it is tried again, and the error says so', async () => {
	const server = createServer(emulator.certificate, (_, response) => response.end('{"conversationId":"c"}'));
	const port = await listen(server);
	await close(server);
	const there = connection({ baseUrl: `https://localhost:${port}` });
	await expect(callMessagingApi(there, send, new Throttle(0))).rejects.toMatchObject({
		code: 'ECONNREFUSED',
		outcome: 'notSent',
	});
	const waiting = callMessagingApi(there, send, new Throttle(20_000));
	setTimeout(() => void listen(server, port), 500);
	await expect(waiting).resolves.toEqual({ conversationId: 'c' });
	await close(server);
});

test.each([
	['a name that nobody knows', { baseUrl: 'https://nowhere.invalid' }, 'ENOTFOUND'],
	['a certificate that is not trusted', undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
])('%s hardly ever heals: it is tried three times, whatever the time', async (_, given, code) => {
	const server = createServer(await makeCertificate());
	const port = await listen(server);
	const baseUrl = given?.baseUrl ?? `https://localhost:${port}`;
	await expect(callMessagingApi(connection({ baseUrl }), send, new Throttle(60_000))).rejects.toMatchObject({
		code: expect.stringMatching(given ? /^(ENOTFOUND|EAI_AGAIN)$/ : code),
		outcome: 'notSent',
		description: expect.stringContaining('tried 3 times'),
	});
	server.close();
});

describe('the token', () => {
	// A credential that has none yet.
	const another = { tenantId: 'contoso.onmicrosoft.com' };
	const atToken = (action: FaultAction, times = 1): FaultRule => ({
		match: { operationId: 'token' },
		action,
		times,
	});
	test.each<[string, FaultAction]>([
		['429', { status: 429, retryAfter: 1 }],
		['503', { status: 503 }],
		['500', { status: 500 }],
		['a reset', 'resetAfter'],
	])('%s of the authority is tried again, as nothing was sent to the service', async (_, action) => {
		faults(atToken(action));
		const { tries, error } = await outcome(send, new Throttle(20_000), emulator, another);
		expect([tries, error]).toEqual([1, undefined]);
		expect(entries(emulator, 'token')).toHaveLength(3);
	});

	test('an authority that stays busy is told by its name', async () => {
		faults(atToken({ status: 503 }, 9));
		const { tries, error } = await outcome(send, new Throttle(0), emulator, another);
		expect(tries).toBe(0);
		expect(error).toMatchObject({ message: 'Entra is not available', httpCode: 503, outcome: 'notSent' });
		faults();
		await callMessagingApi(connection(another), send);
	});

	test('a 401 in the middle of a run costs a token, and the message is sent once', async () => {
		emulator.revokeTokens();
		const { tries, error } = await outcome(send, new Throttle(0));
		expect([tries, error]).toEqual([2, undefined]);
		expect(requests().filter(({ status }) => status === 200)).toHaveLength(2);
	});
});

test('a cancelled run sends nothing more', async () => {
	const controller = new AbortController();
	faults({ action: { status: 429, retryAfter: 5 } });
	const throttle = new Throttle(60_000, controller.signal);
	const waiting = callMessagingApi(connection(), send, throttle);
	await held(throttle);
	controller.abort();
	await expect(waiting).rejects.toMatchObject({ code: 'ABORT_ERR', outcome: 'notSent' });
	expect(requests()).toHaveLength(2);
});
