import { createServer, request, type ClientRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Workflow, type IDataObject, type INodeTypes } from 'n8n-workflow';
import type { Emulator } from '../../emulator';
import { close, listen } from '../../tools/ports';
import { credentialFor, testEmulator } from '../support/emulator';
import { loadPackage, oneNode, serveTrigger, type LoadedPackage, type TriggerServer } from '../support/n8n';

const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';
const OTHER = '11111111-2222-4333-8444-555555555555';
const ON_SUCCESS = { verification: 'none', respond: 'onSuccess' };
/** Memory of the built package, which is what n8n runs. */
const { placeCount } = jest.requireActual<{ placeCount: () => number }>(
	'../../dist/nodes/Dynamics365Messaging/webhook/conversationLine.js',
);

let emulator: Emulator;
let loader: LoadedPackage;
let trigger: TriggerServer;

beforeAll(async () => void ([emulator, loader] = await Promise.all([testEmulator(), loadPackage()])));
afterEach(async () => {
	expect(placeCount()).toBe(0);
	await trigger.close();
});
afterAll(async () => await emulator.close());

const nodeWith = (parameters: IDataObject) =>
	oneNode('dynamics365MessagingTrigger', parameters, { id: crypto.randomUUID() });

async function serve(parameters: IDataObject = ON_SUCCESS): Promise<void> {
	trigger = await serveTrigger(loader, nodeWith(parameters), {
		dynamics365MessagingApi: credentialFor(emulator),
	});
}

interface Sent {
	conversation?: string;
	id?: string;
	type?: string;
	token?: string;
	attachments?: object[];
}

function send(text: string, { conversation = CONVERSATION, token, ...activity }: Sent = {}): ClientRequest {
	const { hostname, port, pathname } = new URL(trigger.url);
	const sent = request({
		hostname,
		port,
		path: `${pathname}/v3/conversations/${conversation}/activities`,
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			...(token !== undefined && { authorization: `Bearer ${token}` }),
		},
		agent: false,
	});
	sent.on('error', () => undefined);
	sent.end(JSON.stringify({ type: 'message', conversation: { id: conversation }, text, ...activity }));
	return sent;
}

/** The status that a caller gets. */
async function statusOf(sent: ClientRequest): Promise<number | undefined> {
	return await new Promise((resolve, reject) => {
		sent.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
		sent.on('error', reject);
	});
}

const deliver = async (text: string, sent?: Sent) => await statusOf(send(text, sent));

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await pause(5);
}

const texts = () => trigger.runs.flat().map(({ json }) => json.text);

/** Holds each run, by the text of its delivery, until it is ended with a status. */
function holdRuns(): { end: (text: string, status?: number) => Promise<void>; running: () => unknown[] } {
	const held = new Map<unknown, (status: number) => void>();
	trigger.beforeAnswer = async () =>
		await new Promise<number>((resolve) => held.set(texts().at(-1), resolve));
	return {
		running: () => [...held.keys()],
		end: async (text, status = 200) => {
			await until(() => held.has(text));
			held.get(text)?.(status);
			held.delete(text);
		},
	};
}

/** Has a caller disconnect, and lets the trigger notice it. */
async function disconnect(sent: ClientRequest): Promise<void> {
	const closed = new Promise((resolve) => sent.once('close', resolve));
	sent.destroy();
	await closed;
	// The other end of the connection is in this process too, and hears of it in a turn of its event loop.
	await pause(50);
}

describe('what n8n is told', () => {
	test.each<[string, IDataObject, string]>([
		['the parameter is missing, as in a workflow of an earlier version', {}, 'onReceived'],
		['Immediately', { respond: 'immediately' }, 'onReceived'],
		['When Workflow Succeeds', { respond: 'onSuccess' }, 'lastNode'],
	])('%s', async (_, parameters, mode) => {
		await serve(parameters);
		const nodeTypes: INodeTypes = {
			getByName: () => trigger.node,
			getByNameAndVersion: () => trigger.node,
			getKnownTypes: () => ({}),
		};
		const workflow = new Workflow({ ...nodeWith(parameters), nodeTypes });
		const node = workflow.nodes.Dynamics;
		const description = trigger.node.description.webhooks?.find(({ name }) => name === 'default');
		if (!node || !description) throw new Error('no webhook');
		const evaluated = (expression: unknown) =>
			workflow.expression.getSimpleParameterValue(node, expression as string, 'webhook', {});
		expect(evaluated(description.responseMode)).toBe(mode);
		expect(evaluated(description.responseData)).toBe('noData');
	});
});

test('the deliveries of a conversation run one after the other, each answered at the end of its run', async () => {
	await serve();
	const held = holdRuns();
	const answered: string[] = [];
	const all = [];
	for (const text of ['a', 'b', 'c']) {
		all.push(deliver(text).then((status) => answered.push(`${text} ${status}`)));
		await until(() => placeCount() === all.length);
	}
	await until(() => held.running().length === 1);
	for (const text of ['a', 'b', 'c']) {
		await until(() => held.running().includes(text));
		expect(held.running()).toEqual([text]);
		await held.end(text);
		await until(() => answered.includes(`${text} 200`));
	}
	await Promise.all(all);
	expect(texts()).toEqual(['a', 'b', 'c']);
	expect(answered).toEqual(['a 200', 'b 200', 'c 200']);
});

test('different conversations run side by side', async () => {
	await serve();
	const held = holdRuns();
	const both = [deliver('a'), deliver('b', { conversation: OTHER })];
	await until(() => held.running().length === 2);
	await held.end('b');
	expect(await both[1]).toBe(200);
	await held.end('a');
	expect(await both[0]).toBe(200);
});

test('the case of the conversation’s ID makes no other conversation', async () => {
	await serve();
	const held = holdRuns();
	const first = deliver('a');
	await until(() => held.running().length === 1);
	const second = deliver('b', { conversation: CONVERSATION.toUpperCase() });
	await until(() => placeCount() === 2);
	expect(held.running()).toEqual(['a']);
	await held.end('a');
	await held.end('b');
	expect([await first, await second]).toEqual([200, 200]);
});

test('dropped kinds and duplicates are answered at once, while a run is under way', async () => {
	await serve();
	expect(await deliver('known', { id: 'known' })).toBe(200);
	const held = holdRuns();
	const running = deliver('a');
	await until(() => held.running().length === 1);
	expect(await deliver('', { type: 'typing' })).toBe(200);
	expect(await deliver('known', { id: 'known' })).toBe(200);
	expect(texts()).toEqual(['known', 'a']);
	await held.end('a');
	expect(await running).toBe(200);
});

describe.each([
	['with an ID', { id: '1756399395730' }],
	['without an ID', {}],
])('an activity %s', (_, activity) => {
	test('has its run’s answer for its retry, and no second run', async () => {
		await serve();
		const held = holdRuns();
		const sent = send('a', activity);
		await until(() => held.running().length === 1);
		await disconnect(sent);
		const retry = deliver('a', activity);
		const behind = deliver('b');
		await until(() => placeCount() === 2);
		await held.end('a');
		expect(await retry).toBe(200);
		await held.end('b');
		expect(await behind).toBe(200);
		expect(texts()).toEqual(['a', 'b']);
	});

	test('is run again when its run has failed', async () => {
		await serve();
		trigger.beforeAnswer = async () => 500;
		expect(await deliver('a', activity)).toBe(500);
		trigger.beforeAnswer = async () => 200;
		expect(await deliver('a', activity)).toBe(200);
		expect(texts()).toEqual(['a', 'a']);
	});

	test('is run by its waiting retry when its run fails', async () => {
		await serve();
		const held = holdRuns();
		const sent = send('a', activity);
		await until(() => held.running().length === 1);
		await disconnect(sent);
		const retry = deliver('a', activity);
		await held.end('a', 500);
		await held.end('a', 200);
		expect(await retry).toBe(200);
		expect(texts()).toEqual(['a', 'a']);
	});

	test('whose caller disconnects while it waits runs once, in its place', async () => {
		await serve();
		const held = holdRuns();
		const first = deliver('first');
		await until(() => placeCount() === 1);
		const sent = send('a', activity);
		await until(() => placeCount() === 2);
		const behind = deliver('behind');
		await until(() => placeCount() === 3);
		await disconnect(sent);
		const retry = deliver('a', activity);
		await pause(50);
		expect(placeCount()).toBe(3);
		for (const text of ['first', 'a', 'behind']) await held.end(text);
		expect(await Promise.all([first, retry, behind])).toEqual([200, 200, 200]);
		expect(texts()).toEqual(['first', 'a', 'behind']);
	});
});

test('equal texts from two callers are two messages, one after the other', async () => {
	await serve();
	const held = holdRuns();
	const both = [deliver('ok'), deliver('ok')];
	await until(() => placeCount() === 2);
	await held.end('ok');
	await held.end('ok');
	expect(await Promise.all(both)).toEqual([200, 200]);
	expect(texts()).toEqual(['ok', 'ok']);
});

test('without the choice, the deliveries of a conversation run side by side as before', async () => {
	await serve({ verification: 'none' });
	const held = holdRuns();
	const both = [deliver('a'), deliver('b')];
	await until(() => held.running().length === 2);
	expect(placeCount()).toBe(0);
	await held.end('a');
	await held.end('b');
	expect(await Promise.all(both)).toEqual([200, 200]);
});

test('each event type comes out at its own output', async () => {
	await serve({ ...ON_SUCCESS, output: 'perEvent', events: ['message', 'typing'] });
	expect([await deliver('a'), await deliver('', { type: 'typing' })]).toEqual([200, 200]);
	expect(trigger.runs.map((items) => items.map(({ json }) => json.eventType))).toEqual([
		['message'],
		[],
		[],
		['typing'],
	]);
});

test('files are fetched in the delivery’s turn, and the line goes on behind them', async () => {
	await serve({ respond: 'onSuccess', options: { downloadAttachments: true } });
	const asked: unknown[] = [];
	const silent = createServer((incoming) => {
		asked.push(incoming.url);
		incoming.socket.destroy();
	});
	const port = await listen(silent);
	const token = await emulator.issueDeliveryToken();
	const held = holdRuns();
	const attachments = [{ contentType: 'text/plain', contentUrl: `http://localhost:${port}/a`, name: 'a' }];
	const first = deliver('first', { token });
	await until(() => held.running().length === 1);
	const withFile = deliver('a', { token, attachments });
	await until(() => placeCount() === 2);
	expect(asked).toEqual([]);
	await held.end('first');
	await held.end('a');
	expect(await Promise.all([first, withFile])).toEqual([200, 200]);
	const item = trigger.runs.flat().find(({ json }) => json.text === 'a');
	expect(item?.json.attachments).toMatchObject([{ downloadError: expect.any(String) }]);
	await close(silent);
});

test('who brings no valid token takes no place, and does not hold up who does', async () => {
	await serve({ respond: 'onSuccess' });
	const token = await emulator.issueDeliveryToken();
	const held = holdRuns();
	const first = deliver('first', { token });
	await until(() => held.running().length === 1);
	const forged = await Promise.all(
		Array.from({ length: 50 }, async (_, index) =>
			deliver('forged', index % 2 === 0 ? {} : { token: `${token.slice(0, -5)}AAAAA` }),
		),
	);
	expect(new Set(forged)).toEqual(new Set([401]));
	expect(placeCount()).toBe(1);
	await held.end('first');
	expect(await first).toBe(200);
	trigger.beforeAnswer = async () => 200;
	expect(await deliver('second', { token })).toBe(200);
	expect(texts()).toEqual(['first', 'second']);
});
