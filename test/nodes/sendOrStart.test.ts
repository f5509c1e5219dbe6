import type { IDataObject, INode } from 'n8n-workflow';
import type { FaultRule } from '../../emulator';
import { entries } from '../support/emulator';
import { emulator, run as runOperation, useEmulator, usePackage } from '../support/operation';

usePackage();
useEmulator();

async function run(operation: string, parameters: IDataObject, items?: IDataObject[], node?: Partial<INode>) {
	return await runOperation(`conversation: ${operation}`, parameters, { items, node });
}

const say = async (parameters: IDataObject = {}, items?: IDataObject[], node?: Partial<INode>) =>
	await run('sendOrStart', { customerId: 'jdoe', text: 'Hello', ...parameters }, items, node);
const direct = { options: { skipAiAgent: true } };
const create = (options: IDataObject = {}) =>
	run('create', { customerId: 'jdoe', options: { skipAiAgent: true, startMessage: 'Hello', ...options } });

/** What arrived, conversation by conversation. */
const said = () =>
	emulator.desk
		.list()
		.map(({ lines }) => lines.filter(({ who }) => who === 'customer').map(({ text }) => text));
const calls = () =>
	entries(emulator, 'request')
		.filter(({ method }) => method === 'POST')
		.map(({ operationId }) => operationId);
const onCreate = (action: FaultRule['action'], times = 1): FaultRule => ({
	match: { operationId: 'createConversation' },
	action,
	times,
});
const onSend = (action: FaultRule['action'], times = 1): FaultRule => ({
	match: { operationId: 'sendActivity' },
	action,
	times,
});

describe('what is said arrives once', () => {
	test('as the start message of a new conversation without the AI agent, and later as messages', async () => {
		const first = await say(direct);
		expect(first.items[0]!.json).toEqual({
			conversationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
			isNew: true,
			messageId: expect.stringMatching(/^\d{13}$/),
			delivered: 'startMessage',
		});
		const { conversationId } = first.items[0]!.json;
		const second = await say({ ...direct, text: 'It is loud' });
		expect(second.items[0]!.json).toEqual({
			conversationId,
			isNew: false,
			messageId: expect.stringMatching(/^\d{13}$/),
			delivered: 'message',
		});
		expect(said()).toEqual([['Hello', 'It is loud']]);
	});

	test('as a message where an AI agent is there, or files go along', async () => {
		expect((await say()).items[0]!.json).toMatchObject({ isNew: true, delivered: 'message' });
		const attachment = { source: 'url', url: 'data:text/plain;base64,aGk=', name: 'a.txt' };
		const withFile = { ...direct, customerId: 'anna', attachments: { attachment: [attachment] } };
		expect((await say(withFile)).items[0]!.json).toMatchObject({ isNew: true, delivered: 'message' });
		expect(said()).toEqual([['Hello'], ['Hello']]);
	});

	test('in a conversation that was started anew, where it was closed in between; a second time is an error', async () => {
		const closing: FaultRule = onSend({ status: 404, code: 30013 });
		emulator.settings.faults = [closing];
		expect((await say()).items[0]!.json).toMatchObject({ delivered: 'message' });
		expect(calls()).toEqual(['createConversation', 'sendActivity', 'createConversation', 'sendActivity']);
		emulator.settings.faults = [{ ...closing, times: 2 }];
		const { error } = await say({ text: 'again' });
		expect(error).toMatchObject({ httpCode: '404', context: { code: '30013', outcome: 'notSent' } });
		expect(said()).toEqual([['Hello']]);
	});

	test('in a new conversation where a representative closed the first one between the two calls', async () => {
		const stop = emulator.onLog((entry) => {
			if (entry.kind === 'request' && entry.operationId === 'createConversation') {
				stop();
				emulator.desk.accept(entry.conversationId!);
				emulator.desk.close(entry.conversationId!);
			}
		});
		const { items } = await say();
		expect(items[0]!.json).toMatchObject({ isNew: true, delivered: 'message' });
		expect(said()).toEqual([[], ['Hello']]);
	});

	test('not at all where the channel itself is gone, and nothing is started for it a second time', async () => {
		emulator.settings.faults = [onSend({ status: 404, code: 30004 })];
		expect((await say()).error).toMatchObject({ context: { code: '30004', outcome: 'notSent' } });
		expect(calls()).toEqual(['createConversation', 'sendActivity']);
	});

	test('customers side by side, each one’s words in their order', async () => {
		const items = Array.from({ length: 60 }, (_, index) => ({ id: `c${index % 6}`, text: `${index}` }));
		emulator.settings.faults = [{ ...onSend({ delayMs: 5 }), times: undefined, probability: 0.5 }];
		const { items: given } = await say({ customerId: '={{ $json.id }}', text: '={{ $json.text }}' }, items);
		expect(given.map(({ pairedItem }) => pairedItem)).toEqual(items.map((_, item) => ({ item })));
		expect(new Set(given.map(({ json }) => json.conversationId)).size).toBe(6);
		const expected = Array.from({ length: 6 }, (_, customer) =>
			items.filter(({ id }) => id === `c${customer}`).map(({ text }) => text),
		);
		expect(said().sort()).toEqual(expected.sort());
	});
});

/** Answers with success, and without what the service says; the request is carried out first, or never. */
const spoilt = (body: string, isCarriedOut: boolean): FaultRule['action'] => ({
	status: 200,
	body,
	isCarriedOut,
});
const NO_ANSWERS = [
	'',
	'{}',
	'[]',
	'null',
	'""',
	'{"conversationId": null}',
	'n8n is starting up. Please wait',
	'<html>',
];

/** What became of items, and where an error says that the customer's words may be. */
const outcomes = (items: Array<{ json: IDataObject }>) =>
	items.map(({ json }) => (json.errorDetails as IDataObject | undefined)?.outcome ?? json.delivered);
const going = { onError: 'continueRegularOutput' } as const;

// What happens to a message whose call was cut off. Each case says what the service had done by then.
describe('a lost answer', () => {
	test.each<[string, FaultRule[], string[][]]>([
		['came to nothing', [onCreate('resetBefore')], [[]]],
		['took place with its start message', [onCreate('resetAfter')], [['Hello']]],
		['failed with 500', [onCreate({ status: 500 })], [[]]],
		['took place, and so did a second that was cut off', [onCreate('resetAfter', 2)], [['Hello']]],
		...NO_ANSWERS.flatMap((body): Array<[string, FaultRule[], string[][]]> => [
			[`was not carried out, and answered ${body}`, [onCreate(spoilt(body, false))], [[]]],
			[`was carried out, and answered ${body}`, [onCreate(spoilt(body, true))], [['Hello']]],
		]),
	])('to a start that %s is uncertain, as nobody can tell', async (_, faults, expected) => {
		emulator.settings.faults = faults;
		const { error } = await say(direct);
		const [conversation] = emulator.desk.list();
		expect(error).toMatchObject({
			description: expect.stringContaining(`active conversation is now ${conversation!.id}`),
			context: { outcome: 'uncertain', conversationId: conversation!.id },
		});
		expect(said()).toEqual(expected);
	});

	test('to a start is uncertain where its conversation was closed at once, and nothing is said twice', async () => {
		emulator.settings.faults = [onCreate('resetAfter')];
		const stop = emulator.onLog((entry) => {
			if (entry.kind !== 'request' || entry.operationId !== 'createConversation') return;
			stop();
			emulator.desk.close(entry.conversationId!);
		});
		const { items } = await say(direct, undefined, going);
		expect(outcomes(items)).toEqual(['uncertain']);
		expect(said()).toEqual([['Hello'], []]);
		const created = await create();
		expect(created.items[0]!.json).toMatchObject({ isNew: false, messageId: null });
	});

	test('of the same words that another run said just now is not taken for those', async () => {
		await say(direct);
		emulator.settings.faults = [onCreate('resetBefore')];
		expect(outcomes((await say(direct, undefined, going)).items)).toEqual(['uncertain']);
		expect(said()).toEqual([['Hello']]);
	});

	test('in a conversation that was active long before says the words there, as they were dropped', async () => {
		await say({ ...direct, text: 'Hi' });
		emulator.settings.clockSkewMs = 60_000;
		emulator.settings.faults = [onCreate(spoilt('', true))];
		expect((await say(direct)).items[0]!.json).toMatchObject({ isNew: false, delivered: 'message' });
		expect(said()).toEqual([['Hi', 'Hello']]);
	});

	test('does not keep the words that follow it from being said', async () => {
		emulator.settings.faults = [onCreate('resetBefore'), onCreate({ delayMs: 0 }), onCreate('resetAfter')];
		const { items } = await say(direct, [{}, {}], going);
		expect(outcomes(items)).toEqual(['uncertain', 'message']);
		expect(said()).toEqual([['Hello']]);
	});

	test.each(NO_ANSWERS)('to a message, which is %j, leaves it uncertain', async (body) => {
		for (const isCarriedOut of [false, true]) {
			emulator.settings.faults = [onSend(spoilt(body, isCarriedOut))];
			const { items } = await say({}, undefined, going);
			expect(outcomes(items)).toEqual(['uncertain']);
		}
		expect(said()).toEqual([['Hello']]);
	});

	test('of the same words said twice in a row is not taken for the first of them', async () => {
		emulator.settings.faults = [onCreate({ delayMs: 0 }), onCreate('resetAfter')];
		const { items } = await say(direct, [{}, {}]);
		expect(items.map(({ json }) => json.delivered)).toEqual(['startMessage', 'message']);
		expect(said()).toEqual([['Hello', 'Hello']]);
	});

	test('of a message leaves it uncertain, and nothing is said again', async () => {
		emulator.settings.faults = [onSend('resetAfter')];
		const { error } = await say();
		expect(error).toMatchObject({
			message: expect.stringContaining('may have arrived'),
			description: expect.stringMatching(
				/conversation [0-9a-f-]{36} \(Message: Get Many, or Conversation: Get Transcript/,
			),
			context: { outcome: 'uncertain', conversationId: emulator.desk.list()[0]!.id },
		});
		expect(said()).toEqual([['Hello']]);
	});

	test('of the start alone leaves nothing uncertain, as the words did not go along', async () => {
		emulator.settings.faults = [onCreate('resetAfter', 9)];
		const { error } = await say({ options: { maxRetryTime: 0 } });
		expect(error).toMatchObject({
			message: 'The answer to opening the conversation was lost, so nothing was said in it',
			context: { outcome: 'notSent' },
		});
		expect(calls()).toEqual(['createConversation']);
	});

	test('that cannot be reconciled stays uncertain', async () => {
		emulator.settings.faults = [
			onCreate('resetAfter'),
			{ match: { operationId: 'listMessages' }, action: { status: 404 } },
		];
		const { items } = await say(direct, undefined, { onError: 'continueRegularOutput' });
		expect(items[0]!.json).toMatchObject({
			error: expect.stringContaining('may have arrived'),
			errorDetails: { outcome: 'uncertain' },
		});
		expect(said()).toEqual([['Hello']]);
	});
});

describe('Create with a start message', () => {
	test.each<[string, FaultRule[], string[][]]>([
		['was processed', [onCreate('resetAfter')], [['Hello']]],
		['was not processed', [onCreate('resetBefore')], [[]]],
	])('whose lost call %s does not advise to send it again unseen', async (_, faults, expected) => {
		for (const skipAiAgent of [true, false]) {
			emulator.settings.faults = faults.map((fault) => ({ ...fault }));
			const customerId = `c${skipAiAgent}`;
			const options = { skipAiAgent, startMessage: 'Hello' };
			const { error } = await run('create', { customerId, options });
			const conversation = emulator.desk.list().at(-1)!;
			expect(error).toMatchObject({
				description: expect.stringMatching(/Look for the words there .* If they are in none/),
				context: { outcome: 'uncertain', conversationId: conversation.id },
			});
		}
		expect(said()).toEqual([...expected, ...expected]);
	});

	test('without a customer ID is not repeated after a lost answer', async () => {
		emulator.settings.faults = [onCreate('resetAfter')];
		const { error } = await run('create', { options: { startMessage: 'Hello' } });
		expect(error).toMatchObject({ context: { outcome: 'uncertain' } });
		expect(calls()).toEqual(['createConversation']);
	});

	test('without one and without words is not either, as it would start another conversation', async () => {
		emulator.settings.faults = [onCreate('resetAfter')];
		expect((await run('create', {})).error).toMatchObject({ context: { outcome: 'uncertain' } });
		expect(emulator.desk.list()).toHaveLength(1);
	});

	test('but with a customer ID and without words it is repeated freely, and the conversation is new', async () => {
		const customer = { preferredName: 'John' };
		const parameters = { customerId: 'jdoe', customer };
		const opened = { conversationId: expect.stringMatching(/^[0-9a-f-]{36}$/), isNew: true };
		emulator.settings.faults = [onCreate('resetAfter')];
		const created = await run('create', parameters);
		expect(created.items[0]!.json).toEqual({ ...opened, messageId: null });
		expect(created.hints).toMatchObject([{ message: expect.stringContaining('was lost once') }]);
		expect(calls()).toHaveLength(2);

		emulator.settings.faults = [onCreate('resetAfter')];
		const said = await say({ ...parameters, customerId: 'other' });
		expect(said.items[0]!.json).toEqual({
			...opened,
			messageId: expect.stringMatching(/^\d{13}$/),
			delivered: 'message',
		});
		expect(said.hints).toEqual(created.hints);
	});

	test('at a path that the service does not know says so', async () => {
		emulator.settings.faults = [onCreate({ status: 404 })];
		expect((await run('create', {})).error).toMatchObject({
			message: 'The service does not know the path that opens conversations',
			description: expect.stringContaining('Create Path'),
		});
	});
});

test('what was given for a new conversation and could not be used is told below the node', async () => {
	const variables = { contextVariables: { variable: [{ name: 'a', value: 'b' }] } };
	expect((await say(variables)).hints).toEqual([]);
	expect((await say()).hints).toEqual([]);
	expect((await say(variables)).hints).toMatchObject([
		{ message: expect.stringContaining('Context Variables'), type: 'warning' },
	]);
	expect((await say({ customer: { lastName: 'Doe' } })).hints).toHaveLength(1);
});
