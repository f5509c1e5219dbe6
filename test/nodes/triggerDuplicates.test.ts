import { request, type ClientRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { credentialFor, testEmulator } from '../support/emulator';
import type { Emulator } from '../../emulator';
import { loadPackage, oneNode, serveTrigger, type LoadedPackage, type TriggerServer } from '../support/n8n';

const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';
const OK = { type: 'message', conversation: { id: CONVERSATION }, text: 'ok' };

let emulator: Emulator;
let loader: LoadedPackage;
let trigger: TriggerServer;

beforeAll(async () => void ([emulator, loader] = await Promise.all([testEmulator(), loadPackage()])));
beforeEach(async () => {
	// Each test has a trigger of its own, by its node's id, so that they know nothing of one another's deliveries.
	const json = oneNode('dynamics365MessagingTrigger', { verification: 'none' }, { id: crypto.randomUUID() });
	trigger = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
});
afterEach(async () => await trigger.close());
afterAll(async () => await emulator.close());

/** @param replyTo where the caller posts a reply below what it replies to */
function send(body: object, conversation = CONVERSATION, replyTo?: string): ClientRequest {
	const { hostname, port, pathname } = new URL(trigger.url);
	const sent = request({
		hostname,
		port,
		path: `${pathname}/v3/conversations/${conversation}/activities${replyTo ? `/${replyTo}` : ''}`,
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		agent: false,
	});
	sent.end(JSON.stringify(body));
	return sent;
}

/** Delivers and waits for the status. */
async function deliver(...given: Parameters<typeof send>): Promise<number | undefined> {
	const sent = send(...given);
	return await new Promise((resolve, reject) => {
		sent.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
		sent.on('error', reject);
	});
}

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await pause(5);
}

/** Delays n8n's answers until the test releases them with a status. */
function holdAnswers(): { waiting: () => number; letGo: (status?: number) => void } {
	const held: Array<(status: number) => void> = [];
	trigger.beforeAnswer = async () => await new Promise<number>((resolve) => held.push(resolve));
	return {
		waiting: () => held.length,
		letGo: (status = 200) => {
			trigger.beforeAnswer = async () => status;
			for (const resolve of held.splice(0)) resolve(status);
		},
	};
}

/** Delivers, gives up before the answer, and waits until the trigger has noticed. */
async function deliverAndGiveUp(body: object, held: ReturnType<typeof holdAnswers>): Promise<void> {
	const before = held.waiting();
	const sent = send(body);
	sent.on('error', () => undefined);
	await until(() => held.waiting() > before);
	sent.destroy();
	await pause(50);
}

const runs = () => trigger.runs.length;

test.each([
	['with an id', { ...OK, id: '1756399395731' }],
	['without one', OK],
])('below the activity to which it replies, a delivery %s is the same delivery', async (_, body) => {
	const held = holdAnswers();
	await deliverAndGiveUp(body, held);
	held.letGo();
	expect(await deliver(body, CONVERSATION, '1756399395700')).toBe(200);
	expect(runs()).toBe(1);
	expect(trigger.runs[0]?.[0]?.json).toMatchObject({ conversationId: CONVERSATION, text: 'ok' });
});

describe('an activity with an id', () => {
	const withId = { ...OK, id: '1756399395730' };

	test('is dropped when it was accepted before', async () => {
		expect([
			await deliver(withId),
			await deliver(withId),
			await deliver({ ...withId, text: 'changed' }),
		]).toEqual([200, 200, 200]);
		expect(runs()).toBe(1);
	});

	test('is not dropped where it is an update or the deletion of a message, which have its id', async () => {
		await trigger.close();
		const parameters = { verification: 'none', events: ['message', 'other'] };
		const json = oneNode('dynamics365MessagingTrigger', parameters, { id: crypto.randomUUID() });
		trigger = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
		const update = { ...withId, type: 'messageUpdate', text: 'better' };
		for (const one of [
			withId,
			update,
			update,
			{ ...update, text: 'best' },
			{ ...withId, type: 'messageDelete' },
		])
			expect(await deliver(one)).toBe(200);
		// The same update twice is a retry.
		expect(runs()).toBe(4);
	});

	/** Puts a trigger in place that takes everything. */
	async function serveAll(): Promise<void> {
		await trigger.close();
		const parameters = {
			verification: 'none',
			events: ['message', 'other', 'customEvent', 'conversationEvent'],
		};
		const json = oneNode('dynamics365MessagingTrigger', parameters, { id: crypto.randomUUID() });
		trigger = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
	}
	const like = { ...withId, type: 'messageReaction', text: undefined, reactionsAdded: [{ type: 'like' }] };
	const unlike = { ...like, reactionsAdded: undefined, reactionsRemoved: [{ type: 'like' }] };
	const update = { ...withId, type: 'messageUpdate', text: 'better' };
	const event = (name: string, value: unknown) => ({
		...withId,
		type: 'event',
		text: undefined,
		name,
		value,
	});

	test.each<[string, object[], number]>([
		['a reaction is given, taken back and given again', [withId, like, unlike, like], 4],
		['a reaction comes twice', [like, like], 1],
		['an update is taken back', [update, { ...update, text: 'best' }, update, update], 3],
		['events of several names are about one message', [event('read', 1), event('reaction', 1)], 2],
		['an event of one name has other values', [event('read', 1), event('read', 2), event('read', 2)], 2],
		['the casing of the type differs', [withId, { ...withId, type: 'Message' }], 1],
		[
			'a deletion is repeated',
			[withId, { ...withId, type: 'messageDelete' }, { ...withId, type: 'messageDelete' }],
			2,
		],
		['a message comes again after its update', [withId, update, withId], 2],
	])('where %s, each runs that is no repetition', async (_, bodies, expected) => {
		await serveAll();
		for (const body of bodies) expect(await deliver(body)).toBe(200);
		expect(runs()).toBe(expected);
	});

	test('an update that is taken back runs, also where the answer to its first delivery was lost', async () => {
		await serveAll();
		const held = holdAnswers();
		await deliverAndGiveUp(update, held);
		held.letGo();
		for (const body of [update, { ...update, text: 'best' }, update]) expect(await deliver(body)).toBe(200);
		expect(runs()).toBe(3);
	});

	test('is forgotten after an hour', async () => {
		await deliver(withId);
		const now = performance.now();
		const clock = jest.spyOn(performance, 'now').mockImplementation(() => now + 59 * 60_000);
		await deliver(withId);
		expect(runs()).toBe(1);
		clock.mockImplementation(() => now + 61 * 60_000);
		await deliver(withId);
		clock.mockRestore();
		expect(runs()).toBe(2);
	});

	test('is another one in another conversation', async () => {
		const other = '11111111-2222-4333-8444-555555555555';
		await deliver(withId);
		await deliver({ ...withId, conversation: { id: other } }, other);
		expect(runs()).toBe(2);
	});

	test('is not dropped when n8n could not take it', async () => {
		trigger.beforeAnswer = async () => 500;
		expect(await deliver(withId)).toBe(500);
		trigger.beforeAnswer = async () => 200;
		expect(await deliver(withId)).toBe(200);
		expect(runs()).toBe(2);
	});

	test('waits for the earlier delivery: dropped if that is taken', async () => {
		const held = holdAnswers();
		const first = deliver(withId);
		await until(() => held.waiting() === 1);
		const second = deliver(withId);
		held.letGo(200);
		expect([await first, await second]).toEqual([200, 200]);
		expect(runs()).toBe(1);
	});

	test('of two retries that wait for a delivery which n8n does not take, one runs', async () => {
		const held = holdAnswers();
		const first = deliver(withId);
		await until(() => held.waiting() === 1);
		let asked = 0;
		trigger.beforeWebhook = async () => void asked++;
		const retries = [deliver(withId), deliver(withId)];
		await until(() => asked === 2);
		await pause(50);
		held.letGo(500);
		trigger.beforeAnswer = async () => 200;
		expect(await Promise.all([first, ...retries])).toEqual([500, 200, 200]);
		expect(runs()).toBe(2);
	});

	test('waits for the earlier delivery: taken if that is not', async () => {
		const held = holdAnswers();
		const first = deliver(withId);
		await until(() => held.waiting() === 1);
		const second = deliver(withId);
		await pause(50);
		expect(runs()).toBe(1);
		held.letGo(500);
		expect(await first).toBe(500);
		trigger.beforeAnswer = async () => 200;
		await second;
		expect(runs()).toBe(2);
	});
});

/** Waits before the trigger is called, as n8n does while it looks up the workflow. */
function lookUpSlowly(ms: number): void {
	trigger.beforeWebhook = async () => await pause(ms);
}

test('what was heard and has no id is forgotten at once, so that memory does not grow with what is said', async () => {
	const { rememberedCount } = jest.requireActual<{ rememberedCount: () => number }>(
		'../../dist/nodes/Dynamics365Messaging/webhook/duplicates.js',
	);
	const before = rememberedCount();
	for (let count = 0; count < 200; count++) await deliver(OK);
	expect(runs()).toBe(200);
	await until(() => rememberedCount() === before);
});

describe('an activity without an id', () => {
	test('is said as often as it is heard: two equal ones are two messages', async () => {
		expect([await deliver(OK), await deliver(OK), await deliver(OK)]).toEqual([200, 200, 200]);
		expect(runs()).toBe(3);
	});

	test('is two messages too when both are under way at once', async () => {
		const held = holdAnswers();
		const both = [deliver(OK), deliver(OK)];
		await until(() => held.waiting() === 2);
		held.letGo();
		expect(await Promise.all(both)).toEqual([200, 200]);
		expect(runs()).toBe(2);
	});

	test('is a retry, once, when the answer to the earlier delivery did not reach the caller', async () => {
		const held = holdAnswers();
		await deliverAndGiveUp(OK, held);
		held.letGo();
		await pause(20);
		expect(await deliver(OK)).toBe(200);
		expect(runs()).toBe(1);
		expect(await deliver(OK)).toBe(200);
		expect(runs()).toBe(2);
	});

	test('is a retry also while the earlier delivery is still being taken', async () => {
		const held = holdAnswers();
		await deliverAndGiveUp(OK, held);
		const retry = deliver(OK);
		await pause(50);
		held.letGo();
		expect(await retry).toBe(200);
		expect(runs()).toBe(1);
	});

	test('is taken when the earlier delivery, whose caller had disconnected, was not', async () => {
		const held = holdAnswers();
		await deliverAndGiveUp(OK, held);
		const retry = deliver(OK);
		await pause(50);
		held.letGo(500);
		trigger.beforeAnswer = async () => 200;
		expect(await retry).toBe(200);
		expect(runs()).toBe(2);
	});

	test('is a retry too when the caller of the earlier delivery disconnected before the trigger ran', async () => {
		lookUpSlowly(100);
		const sent = send(OK);
		sent.on('error', () => undefined);
		await pause(50);
		sent.destroy();
		await until(() => runs() === 1);
		expect(await deliver(OK)).toBe(200);
		expect(runs()).toBe(1);
	});

	test('two that nobody heard are two retries', async () => {
		const held = holdAnswers();
		const both = [send(OK), send(OK)];
		for (const sent of both) sent.on('error', () => undefined);
		await until(() => held.waiting() === 2);
		for (const sent of both) sent.destroy();
		await pause(50);
		held.letGo();
		await pause(20);
		expect([await deliver(OK), await deliver(OK)]).toEqual([200, 200]);
		expect(runs()).toBe(2);
		await deliver(OK);
		expect(runs()).toBe(3);
	});

	test('is a retry a second time when the answer to the first retry is lost as well', async () => {
		const held = holdAnswers();
		await deliverAndGiveUp(OK, held);
		const retry = send(OK);
		retry.on('error', () => undefined);
		await pause(50);
		retry.destroy();
		await pause(50);
		held.letGo();
		await pause(50);
		expect(await deliver(OK)).toBe(200);
		expect(runs()).toBe(1);
	});

	test('is another one a minute later, when nobody retries any more', async () => {
		const held = holdAnswers();
		await deliverAndGiveUp(OK, held);
		held.letGo();
		await pause(20);
		const now = performance.now();
		const clock = jest.spyOn(performance, 'now').mockImplementation(() => now + 61_000);
		await deliver(OK);
		clock.mockRestore();
		expect(runs()).toBe(2);
	});

	test('is another one when anything of it differs', async () => {
		const held = holdAnswers();
		await deliverAndGiveUp(OK, held);
		held.letGo();
		await deliver({ ...OK, text: 'ok!' });
		expect(runs()).toBe(2);
	});
});
