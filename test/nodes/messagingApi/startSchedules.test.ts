import fc from 'fast-check';
import type { FaultAction, FaultRule } from '../../../emulator';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { messagingClient } from '../../../nodes/Dynamics365Messaging/messagingApi/client';
import { activityRequest } from '../../../nodes/Dynamics365Messaging/messagingApi/sendActivity';
import { deliverMessage } from '../../../nodes/Dynamics365Messaging/messagingApi/startConversation';
import { ServiceError } from '../../../nodes/shared/transport/errors';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import { credentialFor, openCall, testEmulator } from '../../support/emulator';
import { FAULTS, MessagingModel, type Fault, type Run, type Schedule } from '../../support/messagingModel';

/**
 * A search over what can go wrong while Send or Start says something: whatever the network, the representatives, the
 * clocks and other runs do, nothing is said twice, and nothing is called delivered, or not sent, that is not.
 */
const SEED = Number(process.env.SCHEDULES_SEED ?? 228_463);
const SCHEDULES = Number(process.env.SCHEDULES ?? 2_000);
const SOCKET_SCHEDULES = 36;

// Of the very many errors of a search nobody reads the stacks, which take most of its time.
const { stackTraceLimit } = Error;
beforeAll(() => void (Error.stackTraceLimit = 0));
afterAll(() => void (Error.stackTraceLimit = stackTraceLimit));

beforeAll(() => {
	process.stdout.write(
		`The schedules' seed is ${SEED}; SCHEDULES_SEED=… takes another one, SCHEDULES=100000 tries more.\n`,
	);
});

/** What the node says of an item. */
interface Said {
	outcome: 'delivered' | 'notSent' | 'uncertain';
	conversationId: string | null;
	messageId: string | null;
}

type Starter = Parameters<typeof deliverMessage>[0];

/** Starts or continues a conversation with the words of an item. */
async function say(starter: Starter, channelId: string, text: string, skipsAiAgent: boolean): Promise<Said> {
	const request = {
		method: 'POST',
		path: '/conversation/create',
		body: { customercontext: { customerid: 'jdoe' } },
		isIdempotent: true,
		howToVerify: 'Look.',
	} as const;
	const start = { request, startMessage: skipsAiAgent ? { message: text } : undefined };
	const message = (id: string) => activityRequest(channelId, id, { type: 'message', text });
	return await deliverMessage(starter, { start, message }).then(
		({ conversationId, messageId }): Said => ({ outcome: 'delivered', conversationId, messageId }),
		(error: unknown): Said => {
			if (!(error instanceof ServiceError)) throw error;
			return { outcome: error.outcome, conversationId: error.conversationId, messageId: null };
		},
	);
}

/** Carries out a schedule in the model. @returns what the node says of each item, by run, and what arrived */
async function carryOut(schedule: Schedule) {
	const model = new MessagingModel(structuredClone(schedule));
	const works = schedule.runs.map(async ({ startsAt, texts, skipsAiAgent }, run) => {
		await model.time.wait(startsAt);
		const seen = new Set<string>();
		const said: Said[] = [];
		for (const [item, text] of texts.entries()) {
			const client = model.clientFor(run, item);
			said.push(await say({ client, seen, now: () => model.time.now }, 'channel', text, skipsAiAgent));
		}
		return said;
	});
	await model.time.runToEnd();
	return { said: await Promise.all(works), arrivals: model.arrivals };
}

/** What of the node's words is not so; empty where all is well. */
async function faultsOf(schedule: Schedule): Promise<string[]> {
	const { said, arrivals } = await carryOut(schedule);
	return said.flatMap((items, run) =>
		items.flatMap((one, item) => {
			const arrived = arrivals.filter((arrival) => arrival.run === run && arrival.item === item);
			const where = `run ${run}, item ${item}, ${one.outcome}, arrived ${arrived.length} times`;
			if (arrived.length > 1) return [`${where}: said twice`];
			const [arrival] = arrived;
			if (one.outcome === 'notSent') return arrival ? [`${where}: it did arrive`] : [];
			if (one.outcome === 'uncertain') return [];
			if (!arrival) return [`${where}: it did not arrive`];
			const isRight = arrival.conversationId === one.conversationId && arrival.messageId === one.messageId;
			return isRight ? [] : [`${where}: it names another message`];
		}),
	);
}

const HOST_DIFFERENCE = 30_000;
const faultList = (maxLength: number) => fc.array(fc.constantFrom<Fault>(...FAULTS), { maxLength });
const words = fc.constantFrom('Hello', 'Hello', 'Hello ', 'Hi');
const runs = fc.record({
	startsAt: fc.constantFrom(0, 0, 5, 20, 60, 500, 3_000, 9_000, 20_000),
	texts: fc.array(words, { minLength: 1, maxLength: 2 }),
	skipsAiAgent: fc.constantFrom(true, true, true, false),
	faults: fc.record({ create: faultList(4), read: faultList(2), send: faultList(2) }),
});
const schedules: fc.Arbitrary<Schedule> = fc.record({
	activeSince: fc.constantFrom(
		undefined,
		undefined,
		10,
		2_000,
		8_000,
		20_000,
		44_000,
		60_000,
		90_000,
		700_000,
	),
	firstWords: fc.option(words, { nil: undefined }),
	runs: fc.array(runs, { minLength: 1, maxLength: 3 }),
	closesAfter: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
	isClosedReadable: fc.boolean(),
	clock: fc.constantFrom(0, 0, 30_000, -30_000, 3_600_000, -3_600_000),
	idClock: fc.integer({ min: -HOST_DIFFERENCE, max: HOST_DIFFERENCE }),
	seed: fc.integer(),
});

test(`of ${SCHEDULES} schedules none makes the node say a thing twice, or call it what it is not`, async () => {
	const property = fc.asyncProperty(schedules, async (schedule) => {
		const found = await faultsOf(schedule);
		if (found.length > 0) throw new Error(found.join('\n'));
	});
	await fc.assert(property, { seed: SEED, numRuns: SCHEDULES });
}, 600_000);

const quiet: Schedule = {
	runs: [],
	closesAfter: [],
	isClosedReadable: false,
	clock: 0,
	idClock: 0,
	seed: SEED,
};
const runOf = (faults: Partial<Run['faults']>, startsAt = 0, text = 'Hello'): Run => ({
	startsAt,
	texts: [text],
	skipsAiAgent: true,
	faults: { create: [], read: [], send: [], ...faults },
});

/** All combinations of one value of each list. */
function combinations<T extends unknown[]>(...lists: { [Index in keyof T]: T[Index][] }): T[] {
	return lists.reduce<unknown[][]>(
		(found, list) => found.flatMap((some) => list.map((one) => [...some, one])),
		[[]],
	) as T[];
}

const SPOILT: Fault[] = FAULTS.filter((fault) => fault !== 'none' && fault !== 'refused');
const ANSWERS: Fault[] = ['lostAfter', 'emptyAfter', 'unreadableAfter', 'throttledForLong'];
/** What goes wrong after the opening: nothing, the re-opening, or the reading. */
const AFTER: Array<[Fault, Fault]> = [
	['none', 'none'],
	...ANSWERS.map((fault): [Fault, Fault] => [fault, 'none']),
	...ANSWERS.map((fault): [Fault, Fault] => ['none', fault]),
];

describe.each(SPOILT)('an opening whose call is %s', (opening) => {
	test('is told as it is, whatever follows it, closes, speaks and is late', async () => {
		const all = combinations<
			[[Fault, Fault], number[], number | undefined, string, number | undefined, number]
		>(
			AFTER,
			[[], [1], [2], [3]],
			[undefined, -2_000, 5],
			['Hello', 'Hi'],
			[undefined, 2_000, 60_000],
			[0, -30_000, 30_000],
		);
		const found = new Set<string>();
		for (const [[reopening, reading], closesAfter, other, otherText, activeSince, idClock] of all) {
			const run = runOf({ create: [opening, reopening], read: [reading] }, 2_000);
			const runs =
				other === undefined ? [run] : [run, runOf({ create: [opening] }, 2_000 + other, otherText)];
			const schedule = { ...quiet, activeSince, firstWords: otherText, runs, closesAfter, idClock };
			for (const fault of await faultsOf(schedule)) found.add(`${fault} ${JSON.stringify(schedule)}`);
		}
		expect([...found].slice(0, 3)).toEqual([]);
	}, 120_000);
});

describe('what can be known is not called uncertain', () => {
	test.each<[string, Schedule, string[]]>([
		[
			'a refused and throttled opening',
			{ ...quiet, runs: [runOf({ create: ['refused', 'throttled'] })] },
			['delivered'],
		],
		[
			'a throttled message',
			{ ...quiet, activeSince: 0, runs: [runOf({ send: ['throttled'] })] },
			['delivered'],
		],
		['a pause that is too long', { ...quiet, runs: [runOf({ create: ['throttledForLong'] })] }, ['notSent']],
		['a lost opening', { ...quiet, runs: [runOf({ create: ['lostAfter'] })] }, ['uncertain']],
		...SPOILT.filter((fault) => !fault.startsWith('throttled')).map((fault): [string, Schedule, string[]] => [
			`an opening that is ${fault}, in an older conversation`,
			{
				...quiet,
				activeSince: 60_000,
				firstWords: 'Hello',
				idClock: 10_000,
				runs: [runOf({ create: [fault, 'throttled'], read: ['throttled'] })],
			},
			['delivered'],
		]),
		[
			'the same words twice in a run, the second opening lost',
			{ ...quiet, runs: [{ ...runOf({ create: ['none', 'lostAfter'] }), texts: ['Hello', 'Hello'] }] },
			['delivered', 'delivered'],
		],
		[
			'a lost opening, and the words that follow it',
			{
				...quiet,
				runs: [{ ...runOf({ create: ['lostBefore', 'none', 'lostAfter'] }), texts: ['Hello', 'Hello'] }],
			},
			['uncertain', 'delivered'],
		],
	])('%s', async (_, schedule, outcomes) => {
		expect(await faultsOf(schedule)).toEqual([]);
		const { said } = await carryOut(schedule);
		expect(said.flat().map(({ outcome }) => outcome)).toEqual(outcomes);
	});
});

/** The faults of the emulator that are those of the model. */
const SOCKET_FAULTS: Partial<Record<Fault, FaultAction>> = {
	none: { delayMs: 0 },
	throttled: { status: 429, retryAfter: 1 },
	throttledForLong: { status: 429, retryAfter: 3_600 },
	lostBefore: 'resetBefore',
	lostAfter: 'resetAfter',
	emptyBefore: { status: 200, body: '' },
	emptyAfter: { status: 200, body: '', isCarriedOut: true },
	unreadableBefore: { status: 200, body: 'starting up' },
	unreadableAfter: { status: 200, body: 'starting up', isCarriedOut: true },
};

/** Carries out a schedule of one run against the emulator, in real time. @returns as {@link carryOut} */
async function overSockets({ activeSince, runs: [run], closesAfter, clock, isClosedReadable }: Schedule) {
	const emulator = await testEmulator();
	const connection = connectionFrom(credentialFor(emulator));
	const active = {
		...openCall,
		body: { customercontext: { customerid: 'jdoe' }, startmessage: { message: 'old' } },
	};
	if (activeSince !== undefined) await messagingClient(connection).call(active);
	const rules = (operationId: string, faults: Fault[]) =>
		faults.map((fault): FaultRule => ({ match: { operationId }, action: SOCKET_FAULTS[fault]!, times: 1 }));
	const { create, read, send } = run!.faults;
	emulator.settings.faults = [
		...rules('createConversation', create),
		...rules('listMessages', read),
		...rules('sendActivity', send),
	];
	emulator.settings.clockSkewMs = clock;
	emulator.settings.readAfterClose = isClosedReadable;
	let handled = 0;
	const arrivals: Array<{ item: number; conversationId: string; messageId: string }> = [];
	emulator.onLog((entry) => {
		if (entry.kind !== 'request') return;
		const { fault, body, conversationId, messageId } = entry;
		const isCarriedOut =
			typeof fault === 'object' && 'status' in fault ? fault.isCarriedOut : fault !== 'resetBefore';
		if (!isCarriedOut && fault !== undefined) return;
		const { text, startmessage } = (body ?? {}) as { text?: string; startmessage?: { message: string } };
		const item = run!.texts.indexOf(text ?? startmessage?.message ?? '');
		if (messageId !== undefined) arrivals.push({ item, conversationId: conversationId!, messageId });
		if (!closesAfter.includes(++handled)) return;
		for (const { id, state } of emulator.desk.list()) {
			if (state === 'waiting') emulator.desk.accept(id);
			if (state === 'waiting' || state === 'active') emulator.desk.close(id);
		}
	});
	const client = messagingClient(connection, new Throttle(20_000));
	const seen = new Set<string>();
	const said: Said[] = [];
	for (const text of run!.texts) said.push(await say({ client, seen }, connection.channelId, text, true));
	await emulator.close();
	return { said, arrivals };
}

test('the model does what the emulator does over sockets', async () => {
	const faults = (maxLength: number) =>
		fc.array(fc.constantFrom(...(Object.keys(SOCKET_FAULTS) as Fault[])), { maxLength });
	const given = fc.record({
		activeSince: fc.constantFrom(undefined, 0, 0),
		closesAfter: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
		// The IDs of the emulator's messages go by this machine's clock.
		clock: fc.constantFrom(0, 0, -30_000, 600_000),
		isClosedReadable: fc.boolean(),
		faults: fc.record({ create: faults(3), read: faults(1), send: faults(1) }),
		texts: fc.constantFrom<string[]>(['one'], ['one', 'two']),
	});
	const chosen = fc.sample(given, { seed: SEED, numRuns: SOCKET_SCHEDULES });
	const compare = async ({ texts, faults: of, clock, ...rest }: (typeof chosen)[number]) => {
		const runs = [{ ...runOf(of), texts }];
		const schedule: Schedule = {
			...quiet,
			...rest,
			firstWords: 'old',
			runs,
			clock,
			idClock: -clock,
		};
		const outcomes = ({ said, arrivals }: { said: Said[]; arrivals: Array<{ item: number }> }) =>
			said.map(({ outcome }, item) => `${outcome} ${arrivals.filter((one) => one.item === item).length}`);
		const { said, arrivals } = await carryOut(schedule);
		const expected = outcomes({ said: said.flat(), arrivals });
		return { schedule, expected, real: outcomes(await overSockets(schedule)) };
	};
	for (let index = 0; index < chosen.length; index += 12) {
		for (const { schedule, expected, real } of await Promise.all(
			chosen.slice(index, index + 12).map(compare),
		)) {
			expect({ schedule: JSON.stringify(schedule), outcomes: real }).toEqual({
				schedule: JSON.stringify(schedule),
				outcomes: expected,
			});
		}
	}
}, 300_000);
