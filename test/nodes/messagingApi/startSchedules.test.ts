import fc from 'fast-check';
import { activityRequest } from '../../../nodes/Dynamics365Messaging/messagingApi/sendActivity';
import { deliverMessage } from '../../../nodes/Dynamics365Messaging/messagingApi/startConversation';
import { ServiceError } from '../../../nodes/shared/transport/errors';
import { FAULTS, MessagingModel, type Fault, type Run, type Schedule } from '../../support/messagingModel';

/**
 * A search over what can go wrong while Send or Start says something: whatever the network, the representatives, the
 * clocks and other runs do, nothing is said twice, and nothing is called delivered, or not sent, that is not.
 */
const SEED = Number(process.env.SCHEDULES_SEED ?? Date.now() % 1_000_000);
const SCHEDULES = Number(process.env.SCHEDULES ?? 4_000);

// Of the very many errors of a search nobody reads the stacks, which take most of its time.
const { stackTraceLimit } = Error;
beforeAll(() => void (Error.stackTraceLimit = 0));
afterAll(() => void (Error.stackTraceLimit = stackTraceLimit));

beforeAll(() => {
	process.stdout.write(
		`The schedules' seed is ${SEED}; SCHEDULES_SEED=${SEED} repeats them, SCHEDULES=100000 tries more.\n`,
	);
});

/** What the node says of an item. */
type Said = { outcome: 'delivered'; conversationId: string; messageId: string | null } | Failed;
interface Failed {
	outcome: 'notSent' | 'uncertain';
	conversationId: string | null;
}

/** Starts or continues a conversation with the words of an item. */
async function say(model: MessagingModel, seen: Set<string>, { texts, skipsAiAgent }: Run, at: [number, number]) {
	const text = texts[at[1]]!;
	const client = model.clientFor(...at);
	const request = {
		method: 'POST',
		path: '/conversation/create',
		body: { customercontext: { customerid: 'jdoe' } },
		isIdempotent: true,
		howToVerify: 'Look.',
	} as const;
	const start = { request, startMessage: skipsAiAgent ? { message: text } : undefined };
	const message = (id: string) => activityRequest('channel', id, { type: 'message', text });
	return await deliverMessage({ client, seen, now: () => model.time.now }, { start, message }).then(
		({ conversationId, messageId }): Said => ({ outcome: 'delivered', conversationId, messageId }),
		(error: unknown): Said => {
			if (!(error instanceof ServiceError)) throw error;
			return { outcome: error.outcome, conversationId: error.conversationId };
		},
	);
}

/** Carries out a schedule. @returns what the node says of each item, by run, and the model with what arrived */
async function carryOut(schedule: Schedule) {
	const model = new MessagingModel(structuredClone(schedule));
	const works = schedule.runs.map(async (run, index) => {
		await model.time.wait(run.startsAt);
		const seen = new Set<string>();
		const said: Said[] = [];
		for (const item of run.texts.keys()) said.push(await say(model, seen, run, [index, item]));
		return said;
	});
	await model.time.runToEnd();
	return { said: await Promise.all(works), model };
}

/** What of the node's words is not so; empty where all is well. */
async function faultsOf(schedule: Schedule): Promise<string[]> {
	const { said, model } = await carryOut(schedule);
	return said.flatMap((items, run) =>
		items.flatMap((one, item) => {
			const arrived = model.arrivals.filter((arrival) => arrival.run === run && arrival.item === item);
			const where = `run ${run}, item ${item}, ${one.outcome}, arrived ${arrived.length} times`;
			if (arrived.length > 1) return [`${where}: said twice`];
			const [arrival] = arrived;
			if (one.outcome === 'notSent') return arrival ? [`${where}: it did arrive`] : [];
			if (one.outcome === 'uncertain') return [];
			if (!arrival) return [`${where}: it did not arrive`];
			const isRight =
				arrival.conversationId === one.conversationId && arrival.messageId === one.messageId;
			return isRight ? [] : [`${where}: it names another message`];
		}),
	);
}

const HOST_DIFFERENCE = 30_000;
const faultList = (maxLength: number) => fc.array(fc.constantFrom<Fault>(...FAULTS), { maxLength });
const words = fc.constantFrom('Hello', 'Hello', 'Hello ', 'Hi');
const runs = fc.record({
	startsAt: fc.constantFrom(0, 0, 5, 20, 60, 500, 3_000, 9_000, 20_000),
	texts: fc.array(words, { minLength: 1, maxLength: 3 }),
	skipsAiAgent: fc.constantFrom(true, true, true, false),
	faults: fc.record({ create: faultList(5), read: faultList(2), send: faultList(3) }),
});
const schedules: fc.Arbitrary<Schedule> = fc
	.record({
		activeSince: fc.constantFrom(undefined, undefined, 10, 2_000, 8_000, 20_000, 44_000, 60_000, 90_000, 700_000),
		firstWords: fc.option(words, { nil: undefined }),
		runs: fc.array(runs, { minLength: 1, maxLength: 3 }),
		closesAfter: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
		clock: fc.constantFrom(0, 0, 30_000, -30_000, 3_600_000, -3_600_000),
		idClock: fc.integer({ min: -HOST_DIFFERENCE, max: HOST_DIFFERENCE }),
		seed: fc.integer(),
	})
	.map((schedule) => schedule);

test(`of ${SCHEDULES} schedules none makes the node say a thing twice, or call it what it is not`, async () => {
	const property = fc.asyncProperty(schedules, async (schedule) => {
		const found = await faultsOf(schedule);
		if (found.length > 0) throw new Error(found.join('\n'));
	});
	await fc.assert(property, { seed: SEED, numRuns: SCHEDULES });
}, 600_000);
