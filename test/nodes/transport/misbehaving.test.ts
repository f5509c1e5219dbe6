// Every way out of the package against servers that do what they should not: each exchange ends by its time, with an
// error that a person understands, and leaves no connection, timer or listener.
import { getEventListeners } from 'node:events';
import { close } from '../../../tools/ports';
import { waitFor } from '../../../tools/wait';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { probe } from '../../../nodes/Dynamics365Messaging/setup/probe';
import { keysFor } from '../../../nodes/Dynamics365Messaging/webhook/keys';
import { getToken } from '../../../nodes/shared/entra/token';
import { download } from '../../../nodes/shared/transport/download';
import { collect } from '../../../nodes/shared/transport/roundTrip';
import { sendHttps, TransportError } from '../../../nodes/shared/transport/https';
import {
	BEHAVIOURS,
	BODY,
	reset,
	startMisbehaving,
	type Behaviour,
	type Misbehaving,
} from '../../support/misbehaving';

/** What came of an exchange. */
interface Ended {
	ms: number;
	/** What was returned, or the error. */
	result: unknown;
	/** How many listeners are left on the caller's signal. */
	listeners: number;
}

/** The time limits of the ways out that have one of their own, in milliseconds. */
const LIMITS = new Map<Way, number>([
	['probe', 5_000],
	['keys', 5_000],
	['token', 30_000],
]);
type Way = 'service' | 'send' | 'file' | 'probe' | 'keys' | 'token';
const WAYS: Way[] = ['service', 'send', 'file', 'probe', 'keys', 'token'];
/** The limit of the others is short where nothing else ends the exchange. */
const limitOf = (way: Way, { isEndless }: Pick<Behaviour, 'isEndless'>): number =>
	LIMITS.get(way) ?? (isEndless ? 700 : 15_000);
/** Sixty servers and more at a time on a busy machine. */
const SLACK_MS = 8_000;
const MAX_BYTES = 1_000_000;

const connection = (port: number) => ({
	...connectionFrom({
		tenantId: '1f0a4b2d-e793-4d8c-9b56-c8124ef7a391',
		clientId: '9f6c021d-1234-4abc-8df7-123456789abc',
		clientSecret: 'x',
		organizationId: '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60',
		geo: 'eu',
		channelId: '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391',
		baseUrl: `https://localhost:${port}`,
		authorityHost: `https://localhost:${port}`,
	}),
});

async function timed(limitMs: number, run: (signal: AbortSignal) => Promise<unknown>): Promise<Ended> {
	const started = performance.now();
	const controller = new AbortController();
	const timer = setTimeout(() => controller.abort(), limitMs);
	const result = await run(controller.signal).catch((error: unknown) => error);
	clearTimeout(timer);
	return {
		ms: performance.now() - started,
		result,
		listeners: getEventListeners(controller.signal, 'abort').length,
	};
}

const leave: Record<
	Way,
	(port: number, signal: AbortSignal, limitMs: number, path?: string) => Promise<unknown>
> = {
	service: async (port, _, limitMs) =>
		await sendHttps({
			method: 'GET',
			url: new URL(`https://localhost:${port}/`),
			timeoutMs: limitMs,
			maxBytes: MAX_BYTES,
		}),
	send: async (port, _, limitMs, path = '/') =>
		await sendHttps({
			method: 'POST',
			url: new URL(`https://localhost:${port}${path}`),
			body: '{}',
			timeoutMs: limitMs,
			maxBytes: MAX_BYTES,
		}),
	file: async (port, signal, _, path = '/') =>
		await download(
			`https://localhost:${port}${path}`,
			{ maxBytes: MAX_BYTES, signal, ownOrigin: `https://localhost:${port}` },
			collect,
		),
	probe: async (port, _, __, path = '/') => await probe(new URL(`https://localhost:${port}${path}`)),
	keys: async (port) => await keysFor(connection(port), 'kid'),
	token: async (port) => await getToken(connection(port)),
};

const ended = new Map<string, Ended>();
const of = (way: Way, name: string): Ended => ended.get(`${way} ${name}`)!;
const servers = new Map<string, Misbehaving>();

beforeAll(async () => {
	const run = async (behaviour: Behaviour, ways: Way[]) => {
		const { port } = servers.get(behaviour.name)!;
		for (const way of ways) {
			const limitMs = limitOf(way, behaviour);
			const result = await timed(limitMs, async (signal) => await leave[way](port, signal, limitMs));
			ended.set(`${way} ${behaviour.name}`, result);
		}
	};
	for (const behaviour of BEHAVIOURS) servers.set(behaviour.name, await startMisbehaving(behaviour));
	// The ways with a short limit a few at a time, so that the limit is not over for want of a processor.
	for (let at = 0; at < BEHAVIOURS.length; at += 5) {
		await Promise.all(
			BEHAVIOURS.slice(at, at + 5).map(async (one) => await run(one, ['service', 'send', 'file'])),
		);
	}
	// The others wait for their own limits, all at once.
	await Promise.all(
		(['probe', 'keys', 'token'] as const).map(
			async (way) => await Promise.all(BEHAVIOURS.map(async (one) => await run(one, [way]))),
		),
	);
}, 120_000);

afterAll(async () => {
	for (const { server, open } of servers.values()) {
		for (const socket of open) socket.destroy();
		await close(server);
	}
});

const rows = BEHAVIOURS.map((behaviour): [string, Behaviour] => [behaviour.name, behaviour]);

test.each(rows)('each way out ends in its time, and says something: %s', (name, behaviour) => {
	for (const way of WAYS) {
		const { ms, result, listeners } = of(way, name);
		expect([way, ms < limitOf(way, behaviour) + SLACK_MS, listeners]).toEqual([way, true, 0]);
		if (result instanceof Error) expect(result.message).toMatch(/\w+ \w+|\(localhost:\d+\)/);
	}
});

test.each(rows)('a service call and a download make of it what is true: %s', (name, { service, file }) => {
	for (const { result } of [of('service', name), of('send', name)]) {
		if (typeof service === 'number') expect(result).toMatchObject({ status: service });
		else {
			expect(result).toBeInstanceOf(TransportError);
			expect((result as TransportError).code).toMatch(service);
		}
	}
	if (typeof file === 'string') expect(String(of('file', name).result)).toBe(file);
	else expect(of('file', name).result).toMatchObject({ message: expect.stringMatching(file) });
});

test.each(rows)('no connection is left: %s', async (name) => {
	const { open } = servers.get(name)!;
	// An honest answer leaves its connection to Node.js' agent, which closes it after five seconds.
	await waitFor('the connections to be closed', 12_000, () => open.size === 0);
});

test('no timer of a way out is left', () => {
	expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBeLessThan(10);
});

describe('an answer that is cut at each of its bytes', () => {
	const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
	const cuts = Array.from({ length: answer.length }, (_, at) => answer.slice(0, at));

	test.each<['end' | 'reset', 'send' | 'file' | 'probe']>([
		['end', 'send'],
		['end', 'file'],
		['end', 'probe'],
		['reset', 'send'],
		['reset', 'file'],
		['reset', 'probe'],
	])(
		'by %s: %s',
		async (how, way) => {
			const { server, port, open } = await startMisbehaving({
				name: 'cut',
				service: 0,
				file: '',
				request: (socket, head) => {
					const before = cuts[Number(/\/(\d+)/.exec(head)?.[1])] ?? '';
					socket.write(before, () => (how === 'end' ? socket.end() : reset(socket)));
				},
			});
			const limitMs = limitOf(way, {});
			const cutAt = async (at: number) =>
				await timed(limitMs, async (signal) => await leave[way](port, signal, limitMs, `/${at}`));
			const results: unknown[] = [];
			for (let at = 0; at < cuts.length; at += 10) {
				const some = cuts.slice(at, at + 10).map(async (_, index) => await cutAt(at + index));
				results.push(...(await Promise.all(some)).map(({ result }) => result));
			}
			const error = {
				send: { name: 'TransportError', sent: 'maybe', code: expect.stringMatching(/ECONNRESET|EPIPE/) },
				file: { message: expect.stringMatching(/closed before/) },
				probe: { kind: expect.stringMatching(/other|unreachable/) },
			}[way];
			for (const result of results) expect(result).toMatchObject(error);
			await waitFor('the connections to be closed', 5_000, () => open.size === 0);
			await close(server);
		},
		120_000,
	);
});
