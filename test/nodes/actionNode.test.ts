import type { IDataObject } from 'n8n-workflow';
import { entries } from '../support/emulator';
import { emulator, run, useEmulator, usePackage } from '../support/operation';
import { closedPort } from '../../tools/ports';

usePackage();
useEmulator();
afterEach(() => {
	// Every request that a test sends through the node must fit the contract, except for ids that are not valid.
	const broken = requests().flatMap(({ contractErrors }) =>
		contractErrors.filter(({ code }) => code !== 30005),
	);
	expect(broken).toEqual([]);
});

const requests = () => entries(emulator, 'request');
/** The ID of a conversation that there is not. */
const NOWHERE = '11111111-2222-4333-8444-555555555555';
const byId = (conversationId: string) => ({ __rl: true, mode: 'id', value: conversationId });

async function startedConversation(parameters: IDataObject = {}): Promise<string> {
	const { items } = await run('conversation: create', parameters);
	return items[0]!.json.conversationId as string;
}

test('a conversation from its first word to its end, as items', async () => {
	const created = await run('conversation: create', {
		customerId: 'jdoe',
		customer: { preferredName: 'John' },
		contextVariables: { variable: [{ name: 'product', value: 'Heat pump' }] },
		options: { startMessage: 'Hello?', skipAiAgent: true },
	});
	expect(created.items[0]!.json).toEqual({
		conversationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
		isNew: true,
		messageId: expect.stringMatching(/^\d{13}$/),
	});
	const conversationId = created.items[0]!.json.conversationId as string;
	const again = await run('conversation: create', {
		customerId: 'jdoe',
		options: { startMessage: 'Still there?' },
	});
	expect(again.items[0]!.json).toEqual({ conversationId, isNew: false, messageId: null });

	const sent = await run('message: send', { conversationId: byId(conversationId), text: 'It is loud' });
	expect(sent.items[0]!.json).toEqual({
		conversationId,
		messageId: expect.stringMatching(/^\d{13}$/),
	});
	const typing = await run('message: sendTyping', { conversationId: byId(conversationId) });
	expect(typing.items[0]!.json).toMatchObject({ conversationId });
	const messageId = sent.items[0]!.json.messageId as string;
	const read = await run('message: markAsRead', { conversationId: byId(conversationId), messageId });
	expect(read.items[0]!.json).toEqual({ conversationId, messageId });
	const event = await run('customEvent: send', {
		conversationId: byId(conversationId),
		eventName: 'Order',
		eventValue: '{"id":7}',
	});
	expect(event.items[0]!.json).toMatchObject({ conversationId });

	const context = await run('conversation: getContext', { conversationId: byId(conversationId) });
	expect(context.items.map(({ json }) => json)).toEqual([
		{ conversationId, context: { product: 'Heat pump' } },
	]);
	const list = await run('conversation: getContext', {
		conversationId: byId(conversationId),
		options: { outputFormat: 'list' },
	});
	expect(list.items.map(({ json }) => json)).toEqual([
		{ conversationId, name: 'product', value: 'Heat pump' },
	]);
	const messages = await run('message: getMany', { conversationId: byId(conversationId) });
	expect(messages.items.map(({ json }) => json.text)).toEqual(['Hello?', 'It is loud']);
	expect(messages.items[1]!.json).toEqual({
		text: 'It is loud',
		plainText: 'It is loud',
		conversationId,
		from: { id: 'jdoe', name: 'John' },
		fromType: 'customer',
		sentAt: expect.stringMatching(/Z$/),
		messageId,
		attachments: [],
		buttons: [],
		cards: [],
		eventType: 'message',
		eventName: null,
		activityId: null,
		textFormat: null,
		replyToId: null,
		locale: null,
		activity: expect.objectContaining({ type: 'message', messageId }),
	});
	const active = await run('conversation: getMany', {});
	expect(active.items.map(({ json }) => json)).toEqual([{ conversationId, timestamp: expect.any(String) }]);

	const ended = await run('conversation: end', { conversationId: byId(conversationId) });
	expect(ended.items[0]!.json).toMatchObject({ conversationId });
	expect((await run('conversation: getMany', {})).items).toEqual([]);
	expect(
		requests().map(({ operationId, status, contractErrors }) => [operationId, status, contractErrors]),
	).toEqual(requests().map(({ operationId }) => [operationId, 200, []]));
	expect(entries(emulator, 'token')).toHaveLength(1);
});

test('pages are followed to the end, and items stay paired', async () => {
	const conversationId = await startedConversation();
	const texts = Array.from({ length: 120 }, (_, index) => `message ${index}`);
	await run(
		'message: send',
		{ conversationId: byId(conversationId), text: '={{ $json.text }}' },
		{ items: texts.map((text) => ({ text })) },
	);
	const all = await run('message: getMany', { conversationId: byId(conversationId), returnAll: true });
	expect(all.items.map(({ json }) => json.text)).toEqual(texts);
	expect(requests().filter(({ operationId }) => operationId === 'listMessages')).toHaveLength(2);
	const twice = await run(
		'message: getMany',
		{ conversationId: byId(conversationId), limit: 2 },
		{ items: [{}, {}] },
	);
	expect(twice.items.map(({ pairedItem }) => pairedItem)).toEqual([
		{ item: 0 },
		{ item: 0 },
		{ item: 1 },
		{ item: 1 },
	]);
});

test('cards of a message are told from its files, and say what it says where it has no text', async () => {
	const conversationId = await startedConversation();
	emulator.desk.accept(conversationId, {});
	const contentType = 'application/vnd.microsoft.card.hero';
	const content = { text: 'Turn it **off**', buttons: [{ type: 'imBack', title: 'Done', value: 'done' }] };
	const file = { name: 'a.txt', contentType: 'text/plain', data: Buffer.from('turn it off') };
	emulator.desk.reply(conversationId, { files: [file], card: { contentType, content } });
	emulator.desk.reply(conversationId, { text: '*Well?*' });
	const { items } = await run('message: getMany', { conversationId: byId(conversationId) });
	expect(items.map(({ json }) => json)).toMatchObject([
		{
			text: 'Turn it **off**',
			plainText: 'Turn it off',
			attachments: [{ name: 'a.txt' }],
			buttons: [{ title: 'Done', value: 'done', type: 'imBack', url: null }],
			cards: [{ contentType, name: null, content }],
		},
		{ text: '*Well?*', plainText: 'Well?', attachments: [], buttons: [], cards: [] },
	]);

	// Both lists are taken, and a list of both.
	const { attachments, cards } = items[0]!.json as { attachments: IDataObject[]; cards: IDataObject[] };
	const downloaded = await run(
		'message: downloadAttachments',
		{},
		{ items: [{ attachments }, { attachments: cards }, { attachments: [...cards, ...attachments] }] },
	);
	expect(downloaded.items.map(({ binary }) => Object.keys(binary ?? {}))).toEqual([
		['attachment_0'],
		[],
		['attachment_1'],
	]);
});

test('the files of a message come as binary fields, or as an error that says why not', async () => {
	const conversationId = await startedConversation();
	emulator.desk.accept(conversationId, {});
	const file = { name: 'a.txt', contentType: 'text/plain', data: Buffer.from('turn it off') };
	emulator.desk.reply(conversationId, { files: [file, file] });
	await emulator.idle();
	const delivery = entries(emulator, 'delivery').at(-1)!.activity as { attachments: IDataObject[] };
	const item = { attachments: delivery.attachments };
	const { items } = await run('message: downloadAttachments', {}, { items: [item] });
	expect(Object.keys(items[0]!.binary!)).toEqual(['attachment_0', 'attachment_1']);
	expect(items[0]!.json.attachments).toMatchObject([
		{ binaryProperty: 'attachment_0', downloadError: null },
		{},
	]);
	expect(items[0]!.pairedItem).toEqual({ item: 0 });

	const gone = {
		attachments: [...delivery.attachments, { contentUrl: `${emulator.origin}/gone`, name: 'b.txt' }],
	};
	const { error } = await run('message: downloadAttachments', {}, { items: [gone] });
	expect(error).toMatchObject({
		message: '1 of 3 attachments could not be fetched',
		description: expect.stringContaining('b.txt: the host answered with HTTP status 404'),
	});
	const secret = [
		{ contentUrl: `${emulator.origin}/gone/a.png?sig=abc123&se=1` },
		{ contentUrl: `data:image/png;base64,!!${'QUJD'.repeat(2_000)}` },
		{ contentUrl: ` data:image/gif;base64,!!${'QUJD'.repeat(2_000)}`, name: ' ' },
		{ contentUrl: 'example.com/b.png?sig=abc123', name: '' },
		{ contentUrl: '', name: `c.png${'x'.repeat(1_000)}` },
	];
	const { error: withUrls } = await run(
		'message: downloadAttachments',
		{},
		{ items: [{ attachments: secret }] },
	);
	expect(withUrls?.description).toContain('/gone/a.png: ');
	expect(withUrls?.description).toContain('a data URI (image/png) of 8,024 characters: ');
	expect(withUrls?.description).toContain('. a data URI (image/gif) of 8,024 characters: ');
	expect(withUrls?.description).toContain('. example.com/b.png: ');
	expect(withUrls?.description).toMatch(/\. c\.pngx{95}: /);
	expect(JSON.stringify(withUrls)).not.toMatch(/abc123|QUJDQUJD/);

	const tooMany = await run(
		'message: downloadAttachments',
		{ options: { maxAttachments: 1 } },
		{ items: [item] },
	);
	expect(tooMany.error).toMatchObject({ message: '1 of 2 attachments could not be fetched' });
	const none = await run('message: downloadAttachments', { attachments: 'oops' });
	expect(none.error).toMatchObject({ message: expect.stringContaining('Attachments is not a list') });
});

test('a start time is read in the workflow’s time zone where it names none', async () => {
	await run('conversation: getMany', { options: { startTime: '2026-01-31T10:00:00' } });
	expect(requests()[0]!.path).toContain(encodeURIComponent('2026-01-31T09:00:00.000Z'));
});

describe('errors', () => {
	test('of the service carry its status, code and correlation id', async () => {
		const conversationId = await startedConversation();
		await run('conversation: end', { conversationId: byId(conversationId) });
		const { error } = await run('message: send', { conversationId: byId(conversationId), text: 'too late' });
		const request = requests().at(-1)!;
		expect(error).toMatchObject({
			name: 'NodeApiError',
			httpCode: '404',
			message: 'The conversation does not exist or is closed already',
			description: expect.stringMatching(
				new RegExp(`Send or Start.*\\(HTTP 404 · 30013 · correlation ID ${request.correlationId}\\)$`),
			),
			context: { itemIndex: 0, code: '30013', correlationId: request.correlationId },
		});
	});

	test.each(['message: getMany', 'conversation: getContext'])(
		'of %s after the end lead to the transcript',
		async (operation) => {
			const conversationId = await startedConversation();
			emulator.desk.close(conversationId);
			const { error } = await run(operation, { conversationId: byId(conversationId) });
			expect(error).toMatchObject({
				name: 'NodeApiError',
				httpCode: '404',
				message: 'The conversation does not exist or is closed already',
				description: expect.stringContaining('Conversation: Get Transcript'),
				context: { itemIndex: 0, code: '30013' },
			});
		},
	);

	test('of a lost answer say so in their message, also under Continue On Fail, and nowhere to try again', async () => {
		const conversationId = await startedConversation();
		const sending = { conversationId: byId(conversationId), text: 'hi' };
		emulator.settings.faults = [{ match: { operationId: 'sendActivity' }, action: 'resetAfter' }];
		const { error } = await run('message: send', sending);
		expect(error).toMatchObject({
			message: expect.stringContaining('may have arrived'),
			description: expect.stringContaining('Message: Get Many'),
			context: { code: 'ECONNRESET' },
		});
		const { items } = await run('message: send', sending, { node: { onError: 'continueRegularOutput' } });
		expect(items[0]!.json.error).toContain('may have arrived');
		expect(JSON.stringify([error, items])).not.toMatch(/retry/i);
		expect(requests().filter(({ operationId }) => operationId === 'sendActivity')).toHaveLength(2);
	});

	test('of a host that cannot be reached name it', async () => {
		const host = `localhost:${await closedPort()}`;
		const { error } = await run(
			'conversation: create',
			{ options: { maxRetryTime: 0 } },
			{ credential: { baseUrl: `https://${host}` } },
		);
		expect(error).toMatchObject({
			message: `The service at ${host} cannot be reached`,
			context: { code: 'ECONNREFUSED' },
		});
	});

	test('of what was typed come before anything goes out, the token request included', async () => {
		const items = [{ text: 'fine' }, { text: 'x'.repeat(6001) }];
		const { error } = await run(
			'message: send',
			{ conversationId: byId(NOWHERE), text: '={{ $json.text }}' },
			{ items },
		);
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringContaining('Text is longer than 6,000 characters'),
			context: { itemIndex: 1 },
		});
		expect(emulator.log).toEqual([]);
	});

	test('under Continue On Fail stand in the place of their item', async () => {
		const conversationId = await startedConversation();
		const items = [{ id: conversationId }, { id: NOWHERE }, { id: '..' }, { id: conversationId }];
		const { items: given } = await run(
			'message: send',
			{ conversationId: byId('={{ $json.id }}'), text: 'hi' },
			{ items, node: { onError: 'continueRegularOutput' } },
		);
		expect(given.map(({ pairedItem }) => pairedItem)).toEqual([
			{ item: 0 },
			{ item: 1 },
			{ item: 2 },
			{ item: 3 },
		]);
		expect(given[0]!.json).toMatchObject({ conversationId });
		expect(given[1]!.json).toEqual({
			error: expect.any(String),
			errorDetails: {
				description: expect.stringContaining('Send or Start opens a new one'),
				httpCode: expect.stringMatching(/^40[04]$/),
				code: expect.stringMatching(/^300\d\d$/),
				correlationId: expect.any(String),
				outcome: 'notSent',
				conversationId: NOWHERE,
			},
		});
		expect(given[2]!.json).toEqual({
			error: expect.stringContaining('Conversation'),
			errorDetails: {
				description: expect.any(String),
				httpCode: null,
				code: null,
				correlationId: null,
				outcome: 'notSent',
			},
		});
		expect(given[3]!.json).toMatchObject({ conversationId });
	});

	test('go to the error output with their details, where that is chosen', async () => {
		const conversationId = await startedConversation();
		const { items: sent, errorItems } = await run(
			'message: send',
			{ conversationId: byId('={{ $json.id }}'), text: 'hi' },
			{ items: [{ id: NOWHERE }, { id: conversationId }], node: { onError: 'continueErrorOutput' } },
		);
		expect(sent.map(({ json }) => json)).toMatchObject([{ conversationId }]);
		expect(errorItems.map(({ json }) => json)).toMatchObject([
			{
				id: NOWHERE,
				error: expect.any(String),
				errorDetails: { httpCode: expect.any(String) },
			},
		]);
	});

	test('of the credential name the field, and under Continue On Fail every item has them', async () => {
		const broken = { credential: { organizationId: 'oops' }, items: [{}, {}] };
		expect((await run('conversation: create', {}, broken)).error).toMatchObject({
			message: expect.stringContaining('Organization ID'),
		});
		const { items } = await run(
			'conversation: create',
			{},
			{ ...broken, node: { onError: 'continueRegularOutput' } },
		);
		expect(items).toHaveLength(2);
	});

	test('of Options are those of their item under Continue On Fail: nothing passes as sent', async () => {
		const conversationId = await startedConversation();
		const options = { maxRetryTime: '={{ $json.id === "first" ? $("Nowhere").first().json.at : 5 }}' };
		const parameters = { conversationId: byId(conversationId), text: 'hi', options };
		const node = { onError: 'continueRegularOutput' } as const;
		const { items } = await run('message: send', parameters, {
			items: [{ id: 'first' }, { id: 'second' }],
			node,
		});
		expect(items.map(({ json }) => json)).toMatchObject([
			{ error: expect.any(String), errorDetails: { outcome: 'notSent' } },
			{ conversationId },
		]);
		const first = { items: [{ id: 'first' }], node };
		expect((await run('message: send', parameters, first)).items).toMatchObject([
			{ json: { errorDetails: { outcome: 'notSent' } } },
		]);
		const wrong = { ...parameters, options: { parallelConversations: 'many' } };
		expect((await run('message: send', wrong, first)).items).toMatchObject([
			{ json: { error: expect.stringContaining('Parallel Conversations') } },
		]);
		expect((await run('message: send', parameters, { items: [{ id: 'first' }] })).error).toBeDefined();
	});

	test('never hold the secret or the token', async () => {
		const { error } = await run(
			'conversation: create',
			{},
			{ credential: { clientSecret: 'hunter2-secret' } },
		);
		expect(error).toMatchObject({ context: { code: 'AADSTS7000215' } });
		const shown = JSON.stringify(error) + String(error?.stack);
		expect(shown).not.toContain('hunter2-secret');
		emulator.settings.channelAuthorized = false;
		const refused = await run('conversation: create', {});
		expect(refused.error).toMatchObject({ httpCode: '401' });
		expect(JSON.stringify(refused.error) + String(refused.error?.stack)).not.toContain('eyJ');
	});
});

describe('without a Channel ID in the credential', () => {
	const credential = { channelId: '' };

	test.each<[string, IDataObject]>([
		['conversation: create', { customerId: 'kim' }],
		['conversation: end', { conversationId: byId(NOWHERE) }],
		['conversation: getContext', { conversationId: byId(NOWHERE) }],
		['conversation: getMany', {}],
		['conversation: sendOrStart', { customerId: 'kim', text: 'Hello' }],
		['customEvent: send', { conversationId: byId(NOWHERE), eventName: 'Order' }],
		['message: getMany', { conversationId: byId(NOWHERE) }],
		['message: markAsRead', { conversationId: byId(NOWHERE), messageId: '1756399395730' }],
		['message: send', { conversationId: byId(NOWHERE), text: 'Hello' }],
		['message: sendTyping', { conversationId: byId(NOWHERE) }],
	])('%s names the field, and asks for no token', async (operation, parameters) => {
		const { error } = await run(operation, parameters, { credential });
		expect(error).toMatchObject({
			message: 'Channel ID is missing in the credential',
			description: expect.stringMatching(/Channel: Create.*Channel: Get Many/),
			context: { outcome: 'notSent' },
		});
		expect(emulator.log).toEqual([]);
	});

	test('what Dataverse answers is read all the same', async () => {
		const conversationId = byId(await startedConversation());
		for (const operation of ['conversation: get', 'conversation: getTranscript']) {
			expect((await run(operation, { conversationId }, { credential })).error).toBeUndefined();
		}
	});
});
