import * as fc from 'fast-check';
import { createServer, type ServerResponse } from 'node:http';
import * as streams from 'node:stream';
import { placeCount } from '../../../nodes/Dynamics365Messaging/webhook/conversationLine';
import {
	admit,
	admitInOrder,
	identify,
	rememberedCount,
} from '../../../nodes/Dynamics365Messaging/webhook/duplicates';

/** How Dynamics calls. Source: docs/service-facts.md#webhook-delivery. */
const TRIES = 3;
const TIMEOUT_MS = 10_000;

/** A run as n8n would do it: how long it takes, and the status that n8n answers at its end. */
interface Planned {
	ms: number;
	status: 200 | 500;
}

/** What Dynamics delivers. */
interface Delivery {
	conversation: number;
	/** The activity's ID, where it has one, and its text. */
	id: string | null;
	text: string;
	/** When it is sent, milliseconds from the beginning. */
	at: number;
	/** How long Dynamics waits before it tries again, milliseconds. */
	pauseMs: number;
	/** How long n8n needs before it asks the trigger, milliseconds. */
	loadMs: number;
	/** The runs that it may start; the last one counts for any further. */
	runs: Planned[];
}

/** What became of it. */
interface Outcome {
	delivery: Delivery;
	/** In which place it was first seen by the trigger. */
	arrival: number;
	/** The status of each try; 0 where nobody waited for the answer. */
	statuses: number[];
}

interface Run {
	conversation: number;
	what: string;
	/** The delivery whose try started it. */
	outcome: Outcome;
	isFirst: boolean;
	ended: number | undefined;
}

interface World {
	outcomes: Outcome[];
	/** In the order of their start. */
	runs: Run[];
	givenUp: Array<{ conversation: number; status: number; seconds: number }>;
	faults: string[];
}

let server: ReturnType<typeof createServer>;
let requests = 0;
const responses = new Map<string, (response: ServerResponse) => void>();
/** So that no search finds another's deliveries. */
let searches = 0;

beforeAll(() => {
	server = createServer((request, response) => {
		responses.get(request.url ?? '')?.(response);
		responses.delete(request.url ?? '');
	});
});
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => {
	expect(placeCount()).toBe(0);
	expect(jest.getTimerCount()).toBe(0);
	jest.useRealTimers();
});

/** A request over a connection in memory: Node's own response, and what its caller sees. */
async function call(): Promise<{
	response: ServerResponse;
	status: Promise<number>;
	disconnect: () => void;
}> {
	const [caller, socket] = streams.duplexPair();
	const path = `/${requests++}`;
	const response = new Promise<ServerResponse>((resolve) => responses.set(path, resolve));
	server.emit('connection', socket);
	const status = new Promise<number>((resolve) => {
		caller.once('data', (data: Buffer) => {
			resolve(Number(/^HTTP\/1.1 (\d+)/.exec(data.toString())?.[1]));
			caller.end();
		});
		caller.once('close', () => resolve(0));
		caller.on('error', () => undefined);
	});
	caller.write(`POST ${path} HTTP/1.1\r\nhost: n8n\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
	// duplexPair does not hand a destroyed end on, as the network does.
	return { response: await response, status, disconnect: () => [caller, socket].map((end) => end.destroy()) };
}

/** Lets connections, which need the event loop, do what they have to. */
async function settle(turns = 6): Promise<void> {
	for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function pause(ms: number): Promise<void> {
	if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

/** What n8n and the trigger do with one try. */
async function receive(world: World, outcome: Outcome, response: ServerResponse): Promise<void> {
	const { delivery } = outcome;
	const { conversation, id, text } = delivery;
	await pause(delivery.loadMs);
	// Where the caller gives up in this very instant, its connection is closed before n8n asks the trigger.
	if (delivery.loadMs > 0) await settle(2);
	if (outcome.arrival < 0) outcome.arrival = world.outcomes.filter(({ arrival }) => arrival >= 0).length;
	const what = id ?? text;
	const identity = identify(`search ${searches}`, String(conversation), { id, type: 'message' }, text);
	const admission = await admitInOrder(
		`${searches}/${conversation}`,
		identity,
		response,
		(status, seconds) => void world.givenUp.push({ conversation, status, seconds }),
	);
	if (admission !== 'new') {
		response.statusCode = admission === 'duplicate' ? 200 : 503;
		response.end();
		return;
	}
	const here = world.runs.filter((run) => run.conversation === conversation);
	if (here.some(({ ended }) => ended === undefined)) world.faults.push(`two runs at once: ${what}`);
	const before = here.filter((run) => run.outcome === outcome).length;
	const run: Run = { conversation, what, outcome, isFirst: before === 0, ended: undefined };
	world.runs.push(run);
	const planned = delivery.runs[Math.min(before, delivery.runs.length - 1)] ?? { ms: 0, status: 200 };
	await pause(planned.ms);
	// Whether an answer in the very instant of the time-out was heard, nobody can know: here it was not.
	await settle(2);
	run.ended = planned.status;
	response.statusCode = planned.status;
	response.end();
}

/** What Dynamics does with one delivery. */
async function deliver(world: World, outcome: Outcome): Promise<void> {
	for (let attempt = 0; attempt < TRIES && outcome.statuses.at(-1) !== 200; attempt++) {
		if (attempt > 0) await pause(outcome.delivery.pauseMs);
		const { response, status, disconnect } = await call();
		const timer = setTimeout(disconnect, TIMEOUT_MS);
		void receive(world, outcome, response).catch((error: unknown) => world.faults.push(String(error)));
		outcome.statuses.push(await status);
		clearTimeout(timer);
	}
}

/** @param waits whether the deliveries of a conversation wait for one another. */
async function simulate(deliveries: Delivery[], waits: boolean): Promise<World> {
	searches++;
	const world: World = { outcomes: [], runs: [], givenUp: [], faults: [] };
	const conversations = new Map<number, Promise<void>>();
	const all = deliveries.map(async (delivery) => {
		await pause(delivery.at);
		const outcome: Outcome = { delivery, arrival: -1, statuses: [] };
		world.outcomes.push(outcome);
		const before = waits ? conversations.get(delivery.conversation) : undefined;
		const done = (async () => {
			await before;
			await deliver(world, outcome);
		})();
		conversations.set(delivery.conversation, done);
		await done;
	});
	let isDone = false;
	void Promise.all(all).finally(() => (isDone = true));
	while (!isDone || jest.getTimerCount() > 0) {
		await settle();
		if (jest.getTimerCount() > 0) jest.advanceTimersToNextTimer();
		await settle();
	}
	return world;
}

const isAccepted = ({ statuses }: Outcome) => statuses.includes(200);
const whatOf = ({ delivery: { id, text } }: Outcome) => id ?? text;
const hasFailed = ({ runs }: World, outcome: Outcome) =>
	runs.some((run) => run.outcome === outcome && run.ended !== 200);

/**
 * What must hold of every world.
 * @param keepsPlaces whether each next try comes while its place is kept, so that no run at all comes before an earlier
 * delivery's.
 */
function faultsOf(world: World, keepsPlaces = true): string[] {
	const faults = [...world.faults];
	for (const conversation of new Set(world.outcomes.map(({ delivery }) => delivery.conversation))) {
		const outcomes = world.outcomes.filter(({ delivery }) => delivery.conversation === conversation);
		const runs = world.runs.filter((run) => run.conversation === conversation);
		// Equal deliveries without an ID cannot be told apart, so they are counted.
		for (const what of new Set(outcomes.map(whatOf))) {
			const equal = outcomes.filter((outcome) => whatOf(outcome) === what);
			const succeeded = runs.filter((run) => run.what === what && run.ended === 200).length;
			const accepted = equal.filter(isAccepted).length;
			if (succeeded < accepted) faults.push(`${what}: ${accepted} accepted, ${succeeded} succeeded`);
			if (succeeded > equal.length) faults.push(`${what}: ${equal.length} sent, ${succeeded} succeeded`);
		}
		const compared = runs.filter(
			({ isFirst, outcome }) => (isFirst || keepsPlaces) && isOnly(outcomes, outcome),
		);
		for (const [index, { outcome }] of compared.entries()) {
			const overtaken = compared
				.slice(index + 1)
				.find(
					(later) =>
						later.outcome.arrival < outcome.arrival && (keepsPlaces || !hasFailed(world, later.outcome)),
				);
			if (overtaken) faults.push(`${whatOf(outcome)} ran before ${whatOf(overtaken.outcome)}`);
		}
	}
	return faults;
}

/** Whether no other delivery equals it. */
function isOnly(outcomes: Outcome[], outcome: Outcome): boolean {
	return outcomes.filter((other) => whatOf(other) === whatOf(outcome)).length === 1;
}

const planned: fc.Arbitrary<Planned> = fc.record({
	ms: fc.oneof(
		{ weight: 4, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
		{ weight: 2, arbitrary: fc.integer({ min: 3_000, max: 45_000 }) },
		{ weight: 1, arbitrary: fc.constantFrom(7_999, 8_000, 9_999, 10_000, 10_001, 18_000, 25_000, 40_000) },
	),
	status: fc.oneof(
		{ weight: 5, arbitrary: fc.constant(200 as const) },
		{ weight: 1, arbitrary: fc.constant(500 as const) },
	),
});

/** Deliveries; those with the same ID would be one, so IDs are made from their number. */
function deliveries(conversations: number, loadMs: fc.Arbitrary<number>): fc.Arbitrary<Delivery[]> {
	const one = fc.record({
		conversation: fc.integer({ min: 0, max: conversations - 1 }),
		id: fc.constantFrom('id', null),
		text: fc.constantFrom('ok', 'ok', 'unique'),
		at: fc.integer({ min: 0, max: 30_000 }),
		pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000 })),
		loadMs,
		runs: fc.array(planned, { minLength: 1, maxLength: 3 }),
	});
	return fc.array(one, { minLength: 2, maxLength: conversations * 6 }).map((all) =>
		all.map((delivery, index) => ({
			...delivery,
			id: delivery.id === null ? null : `id ${index}`,
			text: delivery.text === 'ok' ? 'ok' : `text ${index}`,
		})),
	);
}

/** n8n asks the trigger in the very instant in which the caller gives up. */
const askedAtTheTimeout: Delivery[] = [10_000, 1, 0].map((loadMs, index) => ({
	conversation: 0,
	id: index === 0 ? null : `id ${index}`,
	text: 'ok',
	at: 0,
	pauseMs: 0,
	loadMs,
	runs: [{ ms: 0, status: 200 }],
}));

const atOnce = fc.constant(0);
/** A busy n8n asks the trigger when the caller may have gone. */
const busy = fc.oneof(atOnce, fc.integer({ min: 1, max: 12_000 }));

describe.each([
	['wait for one another', true],
	['do not wait for one another', false],
])('where the deliveries of a conversation %s', (_, waits) => {
	test.each([
		['asked at once', atOnce],
		['asked late', busy],
	])('whatever is delivered, %s: one run at a time, in order, none lost, none twice', async (__, loadMs) => {
		await fc.assert(
			fc.asyncProperty(deliveries(4, loadMs), async (given) => {
				expect(faultsOf(await simulate(given, waits), loadMs === atOnce)).toEqual([]);
				expect(placeCount()).toBe(0);
			}),
			{ numRuns: 150, examples: [[askedAtTheTimeout]] },
		);
	});

	test.each([null, 'id'])(
		'a workflow of 25 seconds runs once and is accepted at the third try (ID: %s)',
		async (id) => {
			for (const pauseMs of [0, 1_000, 2_000, 5_000]) {
				const world = await simulate([{ ...LONG, id, pauseMs, runs: [{ ms: 25_000, status: 200 }] }], waits);
				expect(world.runs).toHaveLength(1);
				expect(world.outcomes[0]?.statuses).toEqual([0, 503, 200]);
				expect(world.givenUp).toEqual([]);
			}
		},
	);

	test.each([null, 'id'])('one of 40 seconds runs once and is reported (ID: %s)', async (id) => {
		for (const pauseMs of [0, 1_000, 2_000, 5_000]) {
			const world = await simulate([{ ...LONG, id, pauseMs, runs: [{ ms: 40_000, status: 200 }] }], waits);
			expect(world.runs).toHaveLength(1);
			expect(world.outcomes[0]?.statuses).toEqual([0, 503, 503]);
			expect(world.givenUp).toEqual([{ conversation: 0, status: 200, seconds: 40 }]);
		}
	});
});

const LONG: Delivery = { conversation: 0, id: null, text: 'long', at: 0, pauseMs: 0, loadMs: 0, runs: [] };

test('equal texts behind a long run are each run, and each is accepted once', async () => {
	const ok = (at: number, ms: number): Delivery => ({ ...LONG, text: 'ok', at, runs: [{ ms, status: 200 }] });
	const world = await simulate([ok(0, 22_000), ok(5_000, 100)], false);
	expect(faultsOf(world)).toEqual([]);
	expect(world.outcomes.map(isAccepted)).toEqual([true, true]);
	expect(world.runs).toHaveLength(2);
});

test('what had to wait and then ran for too long is reported by its tries', async () => {
	const first = { ...LONG, id: 'first', runs: [{ ms: 9_000, status: 200 as const }] };
	const second = { ...LONG, id: 'second', at: 1, runs: [{ ms: 19_000, status: 200 as const }] };
	const world = await simulate([first, second], false);
	expect(world.outcomes.map(({ statuses }) => statuses)).toEqual([[200], [503, 0, 503]]);
	expect(world.givenUp).toEqual([{ conversation: 0, status: 200, seconds: 28 }]);
});

describe('one delivery', () => {
	const identity = (text: string, id: string | null = null) =>
		identify(`one ${searches}`, 'c', { id, type: 'message' }, text);
	const admitted = async (response: ServerResponse, text: string, id: string | null = null) =>
		await admitInOrder(`one ${searches}`, identity(text, id), response, () => undefined);
	const answer = (response: ServerResponse, status: number) => {
		response.statusCode = status;
		response.end();
	};
	beforeEach(() => void searches++);

	test('whose caller disconnects while it waits is run by its next try only', async () => {
		const running = await call();
		expect(await admitted(running.response, 'first')).toBe('new');
		const waiting = await call();
		const left = admitted(waiting.response, 'ok');
		waiting.disconnect();
		expect(await left).toBe('undecided');
		const behind = await call();
		const last = admitted(behind.response, 'behind');
		const retry = await call();
		const retried = admitted(retry.response, 'ok');
		answer(running.response, 200);
		expect(await retried).toBe('new');
		answer(retry.response, 200);
		expect(await last).toBe('new');
		answer(behind.response, 200);
	});

	test('whose caller had gone before it was admitted is run, and its retry is a duplicate', async () => {
		const gone = await call();
		gone.disconnect();
		await settle();
		expect(await admitted(gone.response, 'ok')).toBe('new');
		const retry = await call();
		const retried = admitted(retry.response, 'ok');
		answer(gone.response, 200);
		expect(await retried).toBe('duplicate');
		answer(retry.response, 200);
	});

	test('that was told to come again goes to its own place, not to the run of an equal one', async () => {
		const given = await call();
		expect(await admitted(given.response, 'ok')).toBe('new');
		const early = await call();
		const told = admitted(early.response, 'ok');
		await jest.advanceTimersByTimeAsync(8_000);
		expect(await told).toBe('undecided');
		given.disconnect();
		await settle();
		const late = await call();
		const retried = admitted(late.response, 'ok');
		answer(given.response, 200);
		expect(await retried).toBe('new');
		answer(late.response, 200);
	});

	test('whose workflow failed keeps its place for its next tries, after which the next one has its turn', async () => {
		const failing = async () => {
			const { response } = await call();
			expect(await admitted(response, 'first')).toBe('new');
			answer(response, 500);
		};
		await failing();
		const behind = await call();
		const next = admitted(behind.response, 'second');
		await failing();
		await failing();
		expect(await next).toBe('new');
		answer(behind.response, 200);
	});

	test('whose workflow failed, and that never comes again, holds the next one up for 15 seconds', async () => {
		const first = await call();
		await admitted(first.response, 'first');
		answer(first.response, 500);
		await jest.advanceTimersByTimeAsync(8_000);
		const second = await call();
		const waiting = admitted(second.response, 'second');
		await jest.advanceTimersByTimeAsync(6_900);
		expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
		await jest.advanceTimersByTimeAsync(100);
		expect(await waiting).toBe('new');
		answer(second.response, 200);
	});

	test('that a proxy sends twice, with an ID, is run once', async () => {
		const first = await call();
		expect(await admitted(first.response, 'x', 'other')).toBe('new');
		const copies = [await call(), await call()];
		const [one, other] = copies.map(async ({ response }) => await admitted(response, 'x', 'id'));
		answer(first.response, 200);
		expect(await one).toBe('new');
		if (copies[0]) answer(copies[0].response, 200);
		expect(await other).toBe('duplicate');
		if (copies[1]) answer(copies[1].response, 200);
	});

	test('whose response is ended twice is ended once for the line', async () => {
		const givenUp: number[] = [];
		const first = await call();
		const line = `one ${searches}`;
		await admitInOrder(line, identity('a'), first.response, (status) => givenUp.push(status));
		first.disconnect();
		await settle();
		await jest.advanceTimersByTimeAsync(31_000);
		answer(first.response, 200);
		answer(first.response, 500);
		expect(givenUp).toEqual([200]);
	});

	test('waits for eight seconds although the clock is set back', async () => {
		const first = await call();
		await admitted(first.response, 'first');
		const second = await call();
		const waiting = admitted(second.response, 'second');
		jest.setSystemTime(Date.now() - 60 * 60_000);
		await jest.advanceTimersByTimeAsync(8_000);
		expect(await waiting).toBe('undecided');
		answer(second.response, 503);
		answer(first.response, 200);
		await jest.advanceTimersByTimeAsync(15_000);
	});

	test('that n8n never answers holds up its conversation for a minute, and no longer', async () => {
		const first = await call();
		await admitted(first.response, 'first');
		await jest.advanceTimersByTimeAsync(55_000);
		const second = await call();
		const waiting = admitted(second.response, 'second');
		await jest.advanceTimersByTimeAsync(4_900);
		expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
		await jest.advanceTimersByTimeAsync(100);
		expect(await waiting).toBe('new');
		answer(second.response, 200);
	});

	test('that n8n never answers does not stop an equal one a minute after its caller has gone', async () => {
		const first = await call();
		await admitted(first.response, 'ok');
		first.disconnect();
		await settle();
		await jest.advanceTimersByTimeAsync(60 * 60_000);
		const second = await call();
		expect(await admitted(second.response, 'ok')).toBe('new');
		answer(second.response, 200);
	});
});

test('a message and an event with one id are two', () => {
	const keyOf = (type: string) => identify('one', 'c', { id: '1', type }, '{}').key;
	expect(keyOf('event')).not.toBe(keyOf('message'));
	expect(keyOf('Message')).toBe(keyOf('message'));
});

test('no more than 20,000 deliveries of a trigger are remembered, and none makes another forget', async () => {
	const { response, disconnect } = await call();
	disconnect();
	await settle();
	response.setMaxListeners(0);
	const without = { id: null, type: 'message' };
	await admit(identify('few', 'c', without, 'text 0'), response);
	const before = rememberedCount();
	for (let count = 0; count < 20_010; count++)
		await admit(identify('many', 'c', without, `text ${count}`), response);
	expect(rememberedCount() - before).toBe(20_000);
	// The oldest are forgotten: only of the others a repetition is recognised.
	expect(await admit(identify('many', 'c', without, 'text 0'), response)).toBe('new');
	expect(await admit(identify('many', 'c', without, 'text 20009'), response)).toBe('undecided');
	expect(await admit(identify('few', 'c', without, 'text 0'), response)).toBe('undecided');

	for (let other = 0; other < 5; other++)
		for (let count = 0; count < 20_000; count++)
			await admit(identify(`many ${other}`, 'c', without, `text ${count}`), response);
	expect(rememberedCount()).toBe(100_000);
	expect(await admit(identify('few', 'c', without, 'text 0'), response)).toBe('undecided');
});
