import { createServer, type Server } from 'node:https';
import type { Emulator } from '../../../emulator';
import { messagingClient } from '../../../nodes/Dynamics365Messaging/messagingApi/client';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import {
	wasActiveBefore,
	startConversation,
	readStartedConversation,
	type StartedConversation,
} from '../../../nodes/Dynamics365Messaging/messagingApi/startConversation';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import { credentialFor, openCall, testEmulator } from '../../support/emulator';
import { close, listen } from '../../../tools/ports';

let emulator: Emulator;
let server: Server;
beforeAll(async () => void (emulator = await testEmulator()));
afterAll(async () => await emulator.close());
afterEach(async () => await close(server));

interface Service {
	/** The answer to the second create call; the connection of the first one is cut. */
	isNew: boolean;
	/** How far the service's clock is from ours, milliseconds; null: it does not show it. */
	clock?: number | null;
	/** The messages that are in the conversation then: texts, and their ages in milliseconds. */
	messages?: Array<{ text: string; age: number }>;
	/** A 429 before the call that is cut off, to be waited for. */
	isBusy?: boolean;
	/** A 429 after it. */
	isBusyThen?: boolean;
	/** A 429 to the reading of the messages. */
	isBusyReading?: boolean;
}

const HELLO = { message: 'Hello' };

/** Starts a conversation at a service that cuts the connection of the first call. */
async function startAt(
	{ isNew, clock = 0, messages = [], isBusy = false, isBusyThen = false, isBusyReading = false }: Service,
	seen: string[] = [],
	startMessage?: { message: string },
) {
	let calls = 0;
	let reads = 0;
	server = createServer(emulator.certificate, (request, response) => {
		const now = Date.now() + (clock ?? 0);
		if (clock === null) response.sendDate = false;
		else response.setHeader('Date', new Date(now).toUTCString());
		const call = request.method === 'POST' ? ++calls - (isBusy ? 1 : 0) : undefined;
		if (call === 0) return void response.writeHead(429, { 'retry-after': '7' }).end();
		if (call === 1) return void request.socket.destroy();
		if (call === 2 && isBusyThen) return void response.writeHead(429, { 'retry-after': '6' }).end();
		if (call !== undefined) return void response.end(JSON.stringify({ conversationId: 'c', isNew }));
		if (++reads === 1 && isBusyReading) return void response.writeHead(429, { 'retry-after': '9' }).end();
		const listed = messages.map(({ text, age }) => ({ text, messageId: String(now - age) }));
		response.end(JSON.stringify({ messages: listed }));
	});
	const port = await listen(server);
	const baseUrl = `https://localhost:${port}`;
	const connection = connectionFrom({ ...credentialFor(emulator), baseUrl });
	const starter = { client: messagingClient(connection, new Throttle(15_000)), seen: new Set(seen) };
	const request = { ...openCall, isIdempotent: true };
	return await startConversation(starter, { request, startMessage }).catch(
		({ outcome }: { outcome: string }) => outcome,
	);
}

const dropped = { isNew: false, startMessage: 'dropped', messageId: null } as const;
const HOUR = 3_600_000;

test.each<[string, Service, typeof dropped | 'uncertain']>([
	// The first call may have opened one that was closed since.
	['is new', { isNew: true }, 'uncertain'],
	['began just now', { isNew: false, messages: [{ text: 'Hello', age: 5 }] }, 'uncertain'],
	['began a while ago', { isNew: false, messages: [{ text: 'Hello', age: 60_000 }] }, dropped],
	['began a while ago with other words', { isNew: false, messages: [{ text: 'Hi', age: 60_000 }] }, dropped],
	[
		'began within what clocks may differ by',
		{ isNew: false, messages: [{ text: 'Hi', age: 30_000 }] },
		'uncertain',
	],
	[
		'began just now by a clock that is ahead',
		{ isNew: false, clock: HOUR, messages: [{ text: 'Hi', age: 5 }] },
		'uncertain',
	],
	[
		'began an hour ago by a clock that is behind',
		{ isNew: false, clock: -HOUR, messages: [{ text: 'Hello', age: HOUR }] },
		dropped,
	],
	[
		'began an hour ago, at a service that shows no clock',
		{ isNew: false, clock: null, messages: [{ text: 'Hello', age: HOUR }] },
		'uncertain',
	],
	[
		'began a while ago, and has the words as its newest',
		{
			isNew: false,
			messages: [
				{ text: 'Hello', age: 5 },
				{ text: 'Hi', age: 60_000 },
			],
		},
		dropped,
	],
	['has no messages', { isNew: false }, 'uncertain'],
	[
		'began while this call waited',
		{ isNew: false, isBusy: true, messages: [{ text: 'Hi', age: 48_000 }] },
		'uncertain',
	],
	[
		'began before the lost call, which the next one waited after',
		{ isNew: false, isBusyThen: true, messages: [{ text: 'Hi', age: 56_000 }] },
		dropped,
	],
	[
		'began after the lost call, which the next one waited after',
		{ isNew: false, isBusyThen: true, messages: [{ text: 'Hi', age: 48_000 }] },
		'uncertain',
	],
])('after a lost answer, a conversation that %s', async (_, service, expected) => {
	const started = await startAt(service, [], HELLO);
	if (expected === 'uncertain') expect(started).toBe(expected);
	else expect(started).toEqual({ conversationId: 'c', ...expected });
});

test('a pause while the messages are read makes a conversation neither older nor younger', async () => {
	const messages = [{ text: 'Hi', age: 40_000 }];
	expect(await startAt({ isNew: false, isBusyReading: true, messages }, [], HELLO)).toBe('uncertain');
	messages[0]!.age = 60_000;
	expect(await startAt({ isNew: false, isBusyReading: true, messages }, [], HELLO)).toMatchObject(dropped);
});

test('a conversation that this run has seen before was active before, whatever it begins with', async () => {
	const started = await startAt({ isNew: false, messages: [{ text: 'Hello', age: 5 }] }, ['c'], HELLO);
	expect(started).toEqual({ conversationId: 'c', ...dropped });
});

// The first try, whose answer was lost, may have opened the conversation that the second one is given.
test.each<[string, Service, string[], object]>([
	['was not known', { isNew: true }, [], { isNew: true }],
	['has no messages', { isNew: false }, [], { isNew: true, mayBeOlder: true }],
	[
		'has a young message',
		{ isNew: false, messages: [{ text: 'Hi', age: 5 }] },
		[],
		{ isNew: true, mayBeOlder: true },
	],
	['has an old message', { isNew: false, messages: [{ text: 'Hi', age: 60_000 }] }, [], { isNew: false }],
	['was active in this run before', { isNew: false }, ['c'], { isNew: false }],
])('without a start message, a conversation that %s', async (_, service, seen, expected) => {
	const started = await startAt(service, seen);
	expect(started).toEqual({ conversationId: 'c', messageId: null, startMessage: 'none', ...expected });
});

// The clocks of the service's hosts may differ. Sending a message twice is worse than asking a person to check.
test.each<[number | undefined, number | null, number, boolean]>([
	[undefined, 100_000, 0, false],
	[0, null, 0, false],
	[0, 45_000, 0, false],
	[0, 45_001, 0, true],
	[0, 50_001, 5_001, false],
	[0, 50_001, 5_000, true],
	[60_000, 0, 0, false],
])(
	'a first message at %p, the answer at %p, %p ms after the call: surely active before: %p',
	(first, answeredAt, passed, expected) => {
		expect(wasActiveBefore(first, answeredAt, passed)).toBe(expected);
	},
);

test.each<[unknown, Partial<StartedConversation> | undefined]>([
	[{ isNew: 'true' }, { isNew: true, startMessage: 'delivered' }],
	[{ isNew: 'True' }, { isNew: true, startMessage: 'delivered' }],
	[
		{ isNew: 'False', messageId: '1' },
		{ isNew: false, startMessage: 'dropped' },
	],
	[{ messageId: '1756399395730' }, { isNew: true, startMessage: 'delivered' }],
	[{}, undefined],
	[{ isNew: null }, undefined],
	[{ isNew: 1 }, undefined],
])('the answer %j says whether the start message was delivered', (answer, started) => {
	const read = () => readStartedConversation({ conversationId: 'c', ...(answer as object) }, true, 'Look.');
	if (started) expect(read()).toMatchObject(started);
	else expect(read).toThrow('did not say whether');
});
