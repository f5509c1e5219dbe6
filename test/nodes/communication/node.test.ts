import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	IDataObject,
	ILoadOptionsFunctions,
	IWorkflowBase,
} from 'n8n-workflow';
import type { Emulator, FaultRule } from '../../../emulator';
import { validateCommunicationRequest } from '../../../emulator/communication/validate';
import { AzureCommunicationConversations } from '../../../nodes/AzureCommunicationConversations/AzureCommunicationConversations.node';
import { actionNode } from '../../../nodes/AzureCommunicationConversations/operations';
import { communicationCredential, entries, testEmulator } from '../../support/emulator';
import { runWorkflow } from '../../support/n8n';
import {
	emulator,
	loader,
	runCommunication as run,
	useEmulator,
	usePackage,
	type Authentication,
	type Given,
} from '../../support/operation';
import { oneNode } from '../../support/n8n';

/** The seeded conversation: a customer on WhatsApp has just written. */
let conversationId: string;

usePackage();
useEmulator();
beforeEach(() => void (conversationId = emulator.world.communicationConversationId));

const say = async (parameters: IDataObject = {}, given?: Given) =>
	await run(
		'message: send',
		{ conversationId, content: 'Hello', options: { maxRetryTime: 0 }, ...parameters },
		given,
	);
/** A template by its name and language, with the values of its placeholders. */
const chosen = (template: string, value: IDataObject | null = null, more: IDataObject = {}): IDataObject => ({
	kind: 'template',
	template: { __rl: true, mode: 'name', value: template },
	placeholders: { mappingMode: 'defineBelow', value, schema: [], matchingColumns: [] },
	...more,
});
const retried = { options: { maxRetryTime: 30 } };

/** The messages of the business, the oldest first. */
const said = (id = conversationId) =>
	emulator.communication.conversations
		.find((conversation) => conversation.id === id)!
		.messages.map(({ message }) => message as { kind: string; content?: string })
		.filter(({ content }) => content !== 'Where is my order?');
const calls = () => entries(emulator, 'communication');
const fault = (operation: string, action: FaultRule['action'], times = 1): FaultRule => ({
	match: { operationId: `communication.${operation}` },
	action,
	times,
});

/** Every call that was made fits the contract. */
function expectContract() {
	for (const { method, path, body, repeatabilityRequestId, firstSent } of calls()) {
		const headers = {
			authorization: 'Bearer x',
			...(repeatabilityRequestId && { 'repeatability-request-id': repeatabilityRequestId }),
			...(firstSent && { 'repeatability-first-sent': firstSent }),
		};
		expect(validateCommunicationRequest({ method, path, headers, body }).errors).toEqual([]);
	}
}

const ajv = new Ajv({ strict: false });
const schemaOf = (path: string) =>
	JSON.parse(
		readFileSync(
			join(
				__dirname,
				'../../../dist/nodes/AzureCommunicationConversations/__schema__/v1.0.0',
				`${path.replace(': ', '/')}.json`,
			),
			'utf8',
		),
	) as { properties: Record<string, unknown>; required: string[] };

describe('every operation', () => {
	const CONTACTS = {
		participant: [
			{ kind: 'external', contactId: '14255550199', displayName: 'Bo' },
			{ kind: 'internal', contactId: '8:acs:support' },
		],
	};
	const PARAMETERS: Record<string, (world: Emulator['world']) => IDataObject> = {
		'conversation: create': ({ communicationChannelId }) => ({
			topic: 'Heat pump',
			deliveryChannelIds: communicationChannelId,
			outboundDeliveryStrategy: 'internalOnly',
			participants: CONTACTS,
			initialMessage: 'Hello',
		}),
		'conversation: delete': () => ({}),
		'conversation: get': () => ({}),
		'conversation: getMany': () => ({}),
		'conversation: terminate': () => ({}),
		'message: getMany': () => ({}),
		'message: send': () => ({ content: 'Hello' }),
		'participant: add': () => ({ participants: CONTACTS }),
		'participant: remove': () => ({ participantIds: '14255550123, ' }),
		'template: getMany': ({ communicationChannelId }) => ({ channelId: communicationChannelId }),
	};

	test('is tried here', () => {
		const names = actionNode.operations.map(({ resource, operation }) => `${resource}: ${operation}`);
		expect(Object.keys(PARAMETERS).sort()).toEqual(names.sort());
	});

	test.each(Object.keys(PARAMETERS))('%s: its call fits the contract, its items its schema', async (path) => {
		const { items, error } = await run(path, { conversationId, ...PARAMETERS[path]!(emulator.world) });
		expect(error).toBeUndefined();
		expect(items.length).toBeGreaterThan(0);
		expectContract();
		const schema = schemaOf(path);
		const isValid = ajv.compile(schema);
		for (const { json, pairedItem } of items) {
			expect([isValid(json), isValid.errors]).toEqual([true, null]);
			expect(Object.keys(json)).toEqual(schema.required);
			expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(schema.required));
			expect(pairedItem).toEqual({ item: 0 });
		}
	});

	test('create makes what was asked for', async () => {
		const { items } = await run('conversation: create', PARAMETERS['conversation: create']!(emulator.world));
		expect(calls().at(-1)!.body).toEqual({
			conversation: {
				topic: 'Heat pump',
				deliveryChannelIds: [emulator.world.communicationChannelId],
				outboundDeliveryStrategy: 'internalOnly',
				participants: [
					{ kind: 'external', displayName: 'Bo', contacts: [{ id: '14255550199', kind: 'whatsApp' }] },
					{ kind: 'internal', contact: { id: '8:acs:support', kind: 'communication' } },
				],
			},
			initialMessage: { content: 'Hello' },
		});
		expect(said(items[0]!.json.conversationId as string)).toEqual([{ kind: 'text', content: 'Hello' }]);
	});

	test('add takes a number as people write it, and remove says which ID it wants', async () => {
		const participant = [{ kind: 'external', contactId: ' +1 (425) 555-0199 ' }];
		await run('participant: add', { conversationId, participants: { participant } });
		expect(calls().at(-1)!.body).toEqual({
			participants: [{ kind: 'external', contacts: [{ id: '+14255550199', kind: 'whatsApp' }] }],
		});
		const { error } = await run('participant: remove', { conversationId, participantIds: '+4930' });
		expect(error).toMatchObject({
			message: expect.stringContaining('The participant was not removed'),
			description: expect.stringContaining('not the phone number'),
		});
	});

	test('add takes a bot with its app, and a customer without a number', async () => {
		const participant = [
			{ kind: 'bot', contactId: '8:acs:bot', botAppId: 'app', displayName: 'Bot' },
			{ kind: 'external', contactId: 'US.13491208655302741918' },
		];
		await run('participant: add', { conversationId, participants: { participant } });
		expect(calls().at(-1)).toMatchObject({
			status: 207,
			body: {
				participants: [
					{
						kind: 'internal',
						displayName: 'Bot',
						contact: { id: '8:acs:bot', kind: 'bot', botAppId: 'app' },
					},
					{ kind: 'external', contacts: [{ id: 'US.13491208655302741918', kind: 'whatsApp' }] },
				],
			},
		});
		const appless = { participant: [{ kind: 'bot', contactId: '8:acs:bot' }] };
		expect((await run('participant: add', { conversationId, participants: appless })).error).toMatchObject({
			message: 'Participant 1 has no Bot App ID',
		});
	});

	test('delete, terminate, add and remove do so', async () => {
		await run('participant: add', { conversationId, participants: CONTACTS });
		const [conversation] = emulator.communication.conversations;
		expect(conversation!.participants.map(({ displayName }) => displayName)).toEqual([
			'Ada',
			'Contoso',
			'Bo',
			undefined,
		]);
		await run('participant: remove', { conversationId, participantIds: ['14255550199', '8:acs:support'] });
		expect(conversation!.participants).toHaveLength(2);
		await run('conversation: terminate', { conversationId });
		expect(conversation!.isTerminated).toBe(true);
		await run('conversation: delete', { conversationId: encodeURIComponent(conversationId) });
		expect(emulator.communication.conversations).toEqual([]);
	});

	test('get many of a channel, and of a participant', async () => {
		emulator.communication.addConversations(3);
		const channelId = emulator.world.communicationChannelId.toUpperCase();
		expect((await run('conversation: getMany', { options: { channelId } })).items).toHaveLength(4);
		const participantId = '14255550123';
		expect((await run('conversation: getMany', { options: { participantId } })).items).toHaveLength(1);
		expect(
			(await run('message: getMany', { conversationId, options: { participantId } })).items,
		).toHaveLength(1);
		await say();
		expect(
			(await run('message: getMany', { conversationId, options: { participantId } })).items,
		).toHaveLength(1);
	});
});

describe('Message: Send', () => {
	// The sample of Microsoft's page. Source: docs/service-facts.md#acs-messages.
	test('sends the sample’s request, and gives the sample’s answer', async () => {
		const sample = '19:34adfa4f-cedf-4dc0-ba29-b6d1a69ab345@thread.v2';
		emulator.settings.faults = [
			fault('sendMessage', {
				status: 200,
				body: '{"messageId":"1593107077690"}',
				contentType: 'application/json',
			}),
		];
		const { items } = await say({
			conversationId: { __rl: true, mode: 'id', value: sample },
			content: 'I need help',
			outboundDeliveryStrategy: 'allParticipants',
		});
		const [call] = calls();
		expect(call).toMatchObject({
			method: 'POST',
			path: '/messages/conversations/19%3A34adfa4f-cedf-4dc0-ba29-b6d1a69ab345%40thread.v2/messages:send?api-version=2025-04-01-preview',
		});
		expect(call!.body).toEqual({
			request: { kind: 'text', content: 'I need help' },
			outboundDeliveryStrategy: 'allParticipants',
		});
		expect(items).toEqual([
			{ json: { conversationId: sample, messageId: '1593107077690' }, pairedItem: { item: 0 } },
		]);
	});

	test('every kind, and a template’s values of every kind, in one workflow', async () => {
		const file = join(__dirname, '../../../demo/workflows/business-messages.json');
		const { nodes, connections } = JSON.parse(readFileSync(file, 'utf8')) as IWorkflowBase;
		const { Start: start, ...others } = connections;
		const json = { ...oneNode('azureCommunicationConversations', {}), connections: others };
		const workflow = { ...json, nodes: nodes.filter(({ name }) => name !== 'Start') };
		expect(start!.main![0]![0]!.node).toBe(workflow.nodes[0]!.name);
		const credentials = { azureCommunicationServicesApi: communicationCredential(emulator) };
		const ran = await runWorkflow(loader, workflow, credentials, [{ body: { conversationId } }]);
		expect(ran.data.resultData.error).toBeUndefined();
		expect(said().map(({ kind }) => kind)).toEqual([
			'text',
			'image',
			'video',
			'document',
			'audio',
			...Array.from({ length: 5 }, () => 'template'),
		]);
		const values = JSON.stringify(said()).match(/"kind":"\w+"/g);
		for (const kind of ['text', 'image', 'video', 'document', 'location', 'quickAction']) {
			expect(values).toContain(`"kind":"${kind}"`);
		}
		expect(said()[3]).toEqual({
			kind: 'document',
			mediaUri: 'https://example.com/manual.pdf',
			caption: 'The manual',
			fileName: 'manual.pdf',
		});
		expect(said()[5]).toEqual({
			kind: 'template',
			template: {
				name: 'purchase_feedback',
				language: 'en',
				values: [
					{ name: 'headerFile', kind: 'image', url: 'https://example.com/heat-pump.jpg' },
					{ name: 'body1', kind: 'text', text: 'Anna' },
					{ name: 'body2', kind: 'text', text: 'heat pump' },
					{ name: 'buttonAction1', kind: 'quickAction', payload: 'likes-it' },
					{ name: 'buttonAction2', kind: 'quickAction', payload: 'does-not' },
					{ name: 'buttonAction3', kind: 'quickAction', text: 'heat-pump' },
				],
				bindings: {
					kind: 'whatsApp',
					header: [{ refValue: 'headerFile' }],
					body: [{ refValue: 'body1' }, { refValue: 'body2' }],
					buttons: [
						{ subType: 'quickReply', refValue: 'buttonAction1' },
						{ subType: 'quickReply', refValue: 'buttonAction2' },
						{ subType: 'url', refValue: 'buttonAction3' },
					],
				},
			},
		});
		expect(said()[6]).toMatchObject({
			template: {
				values: [
					{
						kind: 'location',
						latitude: 52.52,
						longitude: 13.405,
						locationName: 'Contoso Berlin',
						address: 'Torstr. 1, Berlin',
					},
					{},
				],
			},
		});
		expectContract();
	});

	describe('a template’s preview', () => {
		const reminder = { body_customer_name: 'Anna', body_time: '={{ $json.time }}' };
		const days = { header_day: 'Friday', body_day: 'Friday' };
		const remind = async (more: IDataObject = {}, given?: Given) =>
			await say(chosen('appointment_reminder|en_US', { ...reminder, ...days }, more), {
				items: [{ time: '9:30' }],
				...given,
			});
		const channel = () => ({ channelId: emulator.world.communicationChannelId });
		const TEXT =
			'See you on Friday\nHello Anna, your technician arrives on Friday at 9:30.\nContoso heat pumps';
		const lookUps = () => calls().filter(({ operationId }) => operationId === 'communication.listTemplates');

		test('is what the customer reads, and fits the schema', async () => {
			const { items, error } = await remind(channel());
			expect(error).toBeUndefined();
			expect(items.map(({ json }) => json)).toEqual([
				{ conversationId, messageId: expect.stringMatching(/^\d{13}$/), preview: TEXT },
			]);
			const isValid = ajv.compile(schemaOf('message: send'));
			expect([isValid(items[0]!.json), isValid.errors]).toEqual([true, null]);
		});

		test('by the channel of the credential, and of a template that is given as JSON', async () => {
			const templateJson = {
				name: 'shipping_confirmation',
				language: 'en_US',
				values: [{ name: 'days', kind: 'text', text: 3 }],
				bindings: { kind: 'whatsApp', body: [{ refValue: 'days' }] },
			};
			const { items } = await say(
				{ kind: 'template', templateSource: 'json', templateJson },
				{ credential: channel() },
			);
			expect(items[0]!.json.preview).toMatch(/^Your package .* in 3 business days\.\n/);
		});

		test('of many items costs one look-up, after the last message', async () => {
			emulator.settings.communication.maxPageSize = 3;
			const times = ['8:00', '9:00', '10:00'];
			const { items } = await remind(channel(), { items: times.map((time) => ({ time })) });
			expect(items.map(({ json }) => String(json.preview).includes(` at `))).toEqual([true, true, true]);
			expect(items.map(({ json }) => /at (\S+)\.$/m.exec(String(json.preview))?.[1])).toEqual(times);
			expect(lookUps()).toHaveLength(3);
			expect(calls().map(({ operationId }) => operationId)).toEqual([
				...times.map(() => 'communication.sendMessage'),
				...lookUps().map(() => 'communication.listTemplates'),
			]);
		});

		test.each<[string, FaultRule['action']]>([
			['is refused', { status: 403 }],
			['is throttled', { status: 429, retryAfter: 3600 }],
			['breaks', 'resetBefore'],
			[
				'says nothing of use',
				{ status: 200, body: '{"value":[{"name":[]},null]}', contentType: 'application/json' },
			],
			['never answers', { delayMs: 60_000 }],
		])('is not there where the look-up %s, and the message is sent once', async (_name, action) => {
			emulator.settings.faults = [fault('listTemplates', action, 99)];
			const startedAt = performance.now();
			const { items, error } = await remind(channel(), { items: [{ time: 1 }, { time: 2 }] });
			expect(error).toBeUndefined();
			expect(items.map(({ json }) => Object.keys(json))).toEqual([
				['conversationId', 'messageId'],
				['conversationId', 'messageId'],
			]);
			expect(said()).toHaveLength(2);
			expect(lookUps().length).toBeLessThanOrEqual(1);
			expect(performance.now() - startedAt).toBeLessThan(20_000);
		});

		test('is not looked for without a channel, nor with one that is none', async () => {
			for (const channelId of ['', '..', 'x']) {
				const { items, error } = await remind({ channelId });
				expect(error).toBeUndefined();
				expect(items[0]!.json).not.toHaveProperty('preview');
			}
			expect(lookUps()).toEqual([]);
		});

		test('is not looked for where nothing was sent', async () => {
			emulator.settings.faults = [fault('sendMessage', { status: 400 })];
			const given: Given = { node: { onError: 'continueRegularOutput' } };
			const { items } = await remind(channel(), given);
			expect(items[0]!.json).toHaveProperty('error');
			expect(lookUps()).toEqual([]);
		});
	});

	test('tells below the node of values that no binding uses', async () => {
		const template = {
			name: 'shipping_confirmation',
			language: 'en_US',
			values: [
				{ name: 'days', kind: 'text', text: '3' },
				{ name: 'forgotten', kind: 'text', text: 'x' },
			],
			bindings: { kind: 'whatsApp', body: [{ refValue: 'days' }] },
		};
		const { hints, error } = await say({ kind: 'template', templateSource: 'json', templateJson: template });
		expect(error).toBeUndefined();
		expect(hints).toMatchObject([{ message: expect.stringContaining('forgotten') }]);
	});

	test.each<[string, IDataObject, string]>([
		['no text', { content: ' ' }, 'Text is empty'],
		['no conversation', { conversationId: '={{ $json.none }}' }, 'Conversation is empty'],
		['a conversation that leads elsewhere', { conversationId: '..' }, 'Conversation is not an ID'],
		['an unknown kind', { kind: 'sticker' }, 'Kind is unknown'],
		['an unknown strategy', { outboundDeliveryStrategy: 'allChannels' }, 'Deliver To is unknown'],
		['no file', { kind: 'image', mediaUri: '={{ $json.none }}' }, 'Media URL is empty'],
		['a file that nobody can fetch', { kind: 'audio', mediaUri: 'http://10.0.0.1/a.mp3' }, 'private'],
		['what is no JSON', { kind: 'template', templateSource: 'json', templateJson: '{' }, 'is not JSON'],
		['no template', chosen('={{ $json.none }}'), 'Template is empty'],
		['a template without its language', chosen('invoice'), 'Template has no language: invoice'],
		[
			'an empty placeholder',
			chosen('shipping_confirmation|en_US', { body_1: '={{ $json.none }}' }),
			'Body {{1}} is empty',
		],
		['an object in a placeholder', chosen('a|en', { body_1: '={{ $json }}' }), 'Body {{1}} must be a text'],
		[
			'a binding to nothing',
			{
				kind: 'template',
				templateSource: 'json',
				templateJson: {
					name: 'a',
					language: 'en',
					bindings: { kind: 'whatsApp', header: [{ refValue: 'x' }] },
				},
			},
			'header refers to x',
		],
	])('refuses %s before anything is sent', async (_, parameters, message) => {
		const { error } = await say(parameters, { items: [{}, {}] });
		expect(error).toMatchObject({
			message: expect.stringContaining(message),
			context: { outcome: 'notSent' },
		});
		expect(calls()).toEqual([]);
	});

	test('the items of one conversation in their order, others side by side', async () => {
		emulator.communication.addConversations(3);
		const ids = emulator.communication.conversations.map(({ id }) => id);
		for (const id of ids) emulator.communication.receive(id, 'Where is my order?');
		const items = Array.from({ length: 40 }, (_, index) => ({ id: ids[index % 4], text: `${index}` }));
		emulator.settings.faults = [
			{ ...fault('sendMessage', { delayMs: 5 }), times: undefined, probability: 0.5 },
		];
		const parameters = { conversationId: '={{ $json.id }}', content: '={{ $json.text }}' };
		const { items: given } = await say(parameters, { items });
		expect(given.map(({ pairedItem }) => pairedItem)).toEqual(items.map((_, item) => ({ item })));
		for (const id of ids) {
			const expected = items.filter((item) => item.id === id).map(({ text }) => text);
			expect(said(id).map(({ content }) => content)).toEqual(expected);
		}
		expect(entries(emulator, 'token')).toHaveLength(1);
	});
});

describe('a lost answer', () => {
	test('is asked for again under the same id and date: delivered once, and known', async () => {
		emulator.settings.faults = [fault('sendMessage', 'resetAfter'), fault('sendMessage', { status: 500 })];
		const { items, error } = await say(retried);
		expect(error).toBeUndefined();
		expect(items[0]!.json.messageId).toBe(emulator.communication.conversations[0]!.messages.at(-1)!.id);
		expect(said()).toHaveLength(1);
		const tries = calls();
		expect(tries.map(({ status, repeated }) => [status, repeated])).toEqual([
			[0, false],
			[500, false],
			[200, true],
		]);
		expect(new Set(tries.map(({ repeatabilityRequestId }) => repeatabilityRequestId)).size).toBe(1);
		expect(new Set(tries.map(({ firstSent }) => firstSent)).size).toBe(1);
	});

	test('and each item has an id of its own', async () => {
		await say(retried, { items: [{}, {}, {}] });
		expect(new Set(calls().map(({ repeatabilityRequestId }) => repeatabilityRequestId)).size).toBe(3);
		expect(said()).toHaveLength(3);
	});

	test.each([
		['conversation: terminate', 'terminateConversation', {}],
		['conversation: delete', 'deleteConversation', {}],
		['participant: remove', 'removeParticipants', { participantIds: '14255550123' }],
		[
			'participant: add',
			'addParticipants',
			{ participants: { participant: [{ kind: 'external', contactId: '14255550199' }] } },
		],
	])('of %s does not make it an error', async (path, operation, parameters) => {
		emulator.settings.faults = [fault(operation, 'resetAfter')];
		const { error, items } = await run(path, { conversationId, ...retried, ...parameters });
		expect(error).toBeUndefined();
		expect(items).toHaveLength(1);
		expect(calls().map(({ repeated }) => repeated)).toEqual([false, true]);
	});

	test('of create leaves it uncertain: that alone is not recognised', async () => {
		emulator.settings.faults = [fault('createConversation', 'resetAfter')];
		const { error } = await run('conversation: create', { topic: 'x', ...retried });
		expect(error).toMatchObject({
			message: expect.stringContaining('may have arrived'),
			description: expect.stringContaining('Conversation: Get Many'),
			context: { outcome: 'uncertain' },
		});
		expect(emulator.communication.conversations).toHaveLength(2);
		expect(calls()).toHaveLength(1);
	});

	test.each<[string, FaultRule['action']]>([
		['429', { status: 429, retryAfter: 3600 }],
		['400', { status: 400 }],
		['401', { status: 401 }],
	])('of a message, and then %s: nobody is told that it did not arrive', async (_, action) => {
		emulator.settings.faults = [fault('sendMessage', 'resetAfter'), fault('sendMessage', action)];
		const { error } = await say(retried, { authentication: 'accessKey' });
		expect(said()).toHaveLength(1);
		expect(error).toMatchObject({
			message: expect.stringMatching(/^An earlier try may have arrived/),
			description: expect.stringMatching(/^Check whether it is in conversation/),
			context: { outcome: 'uncertain' },
		});
	});

	test('is not said again by n8n’s Retry On Fail', async () => {
		emulator.settings.faults = [fault('sendMessage', 'resetAfter')];
		const node = { retryOnFail: true, maxTries: 2, waitBetweenTries: 10 };
		const { error } = await say({}, { node });
		expect(error).toMatchObject({ context: { outcome: 'uncertain' } });
		expect(said()).toHaveLength(1);
		expect(calls()).toHaveLength(1);
	});

	test('that never comes is uncertain at the end, and says how to look', async () => {
		emulator.settings.faults = [fault('sendMessage', 'resetAfter', 99)];
		const { error } = await say();
		expect(error).toMatchObject({
			description: expect.stringContaining(`conversation ${conversationId} (Message: Get Many)`),
			context: { outcome: 'uncertain' },
		});
	});
});

describe('access', () => {
	test.each<[Authentication, string]>([
		['clientSecret', 'entra'],
		['accessKey', 'accessKey'],
		['userToken', 'userToken'],
	])('by %s', async (authentication, seen) => {
		const { error } = await say({ content: 'Schöne Grüße 👋' }, { authentication });
		expect(error).toBeUndefined();
		expect(calls()).toMatchObject([{ authentication: seen, status: 200 }]);
		// A query that URLs encode in more than one way, as the signature covers it.
		const options = { participantId: 'a b+c/ü&x=1' };
		const listed = await run('conversation: getMany', { options }, { authentication });
		expect(listed).toMatchObject({ error: undefined, items: [] });
	});

	test('by a connection string, and in the later version', async () => {
		const secretAccessKey = `endpoint=${emulator.origin}/;accesskey=${emulator.world.communicationAccessKey}`;
		const credential = { endpoint: '', secretAccessKey, apiVersion: '2025-09-01-preview' };
		const { error } = await say({}, { authentication: 'accessKey', credential });
		expect(error).toBeUndefined();
		expect(calls()[0]!.path).toContain('api-version=2025-09-01-preview');
	});

	test('tells two resources of one app apart: what one refuses costs the other no tokens', async () => {
		const other = await testEmulator();
		other.settings.faults = [{ action: { status: 401 } }];
		const both = { authorityHost: emulator.origin };
		await say({}, { credential: both });
		const { error } = await say(retried, { credential: { ...both, endpoint: other.origin } });
		expect(error).toMatchObject({ httpCode: '401' });
		await other.close();
		expect(entries(emulator, 'token')).toHaveLength(3);
		await say({}, { credential: both });
		expect(entries(emulator, 'token')).toHaveLength(3);
	});

	test('by a certificate', async () => {
		const { certificate } = emulator;
		emulator.world.certificates.push(certificate.cert);
		const credential = {
			authentication: 'certificate',
			certificate: certificate.cert,
			privateKey: certificate.key,
		};
		expect((await say({}, { credential })).error).toBeUndefined();
		expect(entries(emulator, 'token')).toMatchObject([{ authentication: 'certificate' }]);
	});

	test('with one fresh token where the one before was revoked', async () => {
		await say();
		emulator.settings.faults = [fault('sendMessage', 'revokeTokens')];
		expect((await say()).error).toBeUndefined();
		expect(entries(emulator, 'token')).toHaveLength(2);
	});

	test('signs each try anew', async () => {
		emulator.settings.faults = [fault('sendMessage', { status: 503, retryAfter: 1 })];
		expect((await say(retried, { authentication: 'accessKey' })).error).toBeUndefined();
		expect(calls().map(({ status }) => status)).toEqual([503, 200]);
	});

	test.each<[Authentication, IDataObject, string]>([
		['accessKey', { secretAccessKey: 'AAAA' }, 'did not accept the access key'],
		['userToken', { userToken: 'old' }, 'did not accept the user access token'],
	])('refused for a wrong %s', async (authentication, credential, message) => {
		const { error } = await say(retried, { authentication, credential });
		expect(error).toMatchObject({ httpCode: '401', message: expect.stringContaining(message) });
		expect(calls()).toHaveLength(1);
	});

	test.each<[Authentication, 'entra' | 'accessKey' | 'userToken', string]>([
		['clientSecret', 'entra', 'Access control'],
		['accessKey', 'accessKey', 'use an Entra app'],
		['userToken', 'userToken', 'participant of the conversation'],
	])('forbidden for %s', async (authentication, kind, fix) => {
		emulator.settings.communication.refuse = kind;
		const { error } = await say({}, { authentication });
		expect(error).toMatchObject({ httpCode: '403', description: expect.stringContaining(fix) });
	});

	test('where Entra knows no such resource', async () => {
		const { error } = await say({}, { credential: { scope: 'https://other.example.com/.default' } });
		expect(error).toMatchObject({
			message: expect.stringContaining('cannot get a token for Azure Communication Services'),
			context: { code: 'AADSTS500011' },
		});
	});
});

describe('errors', () => {
	const details = (error: IDataObject | undefined) =>
		`${String(error?.message)} ${String(error?.description)}`;

	test('WhatsApp’s window: what is the matter, what to do, and its own words', async () => {
		emulator.communication.closeWindow(conversationId);
		const { error } = await say();
		expect(error).toMatchObject({
			message: expect.stringContaining('24 hours'),
			description: expect.stringContaining('(#131047) Re-engagement message'),
			httpCode: '400',
			context: { code: 'BadRequest', outcome: 'notSent' },
		});
		expect(details(error)).toContain('Send a template');
	});

	test('a template that is not there in this language', async () => {
		const { error } = await say(chosen('shipping_confirmation|fr'));
		expect(error?.message).toBe('There is no approved template of this name and language');
		expect(details(error)).toContain('(#132001) Template name does not exist in the translation');
	});

	test('a file that cannot be fetched', async () => {
		const { error } = await say({ kind: 'image', mediaUri: 'https://unreachable.example.com/a.png' });
		expect(error?.message).toContain('could not be fetched from its URL');
		expect(details(error)).toContain('#131053');
	});

	test('a conversation that is not there, and one that is over', async () => {
		expect((await say({ conversationId: '19:nobody@thread.v2' })).error).toMatchObject({
			httpCode: '404',
			message: expect.stringContaining('does not know this conversation'),
		});
		await run('conversation: terminate', { conversationId });
		expect((await say()).error).toMatchObject({
			httpCode: '409',
			description: expect.stringContaining('terminated'),
		});
	});

	test('of x-ms-error-code, target, details and every inner error', async () => {
		const body = JSON.stringify({
			error: {
				code: 'BadRequest',
				message: 'Outer.',
				target: 'request.template',
				details: [{ code: 'D', message: 'Detail.' }],
				innererror: { code: 'I', message: 'Inner.', innererror: { code: 'II', message: 'Innermost.' } },
			},
		});
		emulator.settings.faults = [fault('sendMessage', { status: 400, body, contentType: 'application/json' })];
		const { error } = await say();
		for (const part of ['Outer.', 'Inner.', 'Innermost.', 'Detail.']) {
			expect(details(error)).toContain(part);
		}
		expect(error).toMatchObject({ context: { code: 'BadRequest' } });
	});

	test('a proxy’s page, a bare string and nothing', async () => {
		for (const body of ['<html><title>Blocked</title></html>', 'Nope', '']) {
			emulator.settings.faults = [fault('sendMessage', { status: 400, body })];
			expect((await say()).error).toMatchObject({ httpCode: '400', context: { outcome: 'notSent' } });
		}
	});

	test('a host that does not exist', async () => {
		const { error } = await say(
			{},
			{
				authentication: 'userToken',
				credential: { endpoint: 'https://nowhere.invalid' },
			},
		);
		expect(error?.message).toBe('There is no host nowhere.invalid: Endpoint is wrong');
	});

	test('a 207 names the participants that were not taken', async () => {
		const participant = [
			{ kind: 'external', contactId: '14255550199' },
			{ kind: 'external', contactId: 'invalid-1' },
		];
		const { error } = await run('participant: add', { conversationId, participants: { participant } });
		expect(error).toMatchObject({
			message: '1 of 2 participants was not added: The contact invalid-1 is not valid.',
			description: expect.stringContaining('The others were added'),
			httpCode: '207',
			context: { outcome: 'uncertain' },
		});
		const removed = await run('participant: remove', { conversationId, participantIds: 'x\ny' });
		expect(removed.error).toMatchObject({
			message: expect.stringContaining(
				'2 of 2 participants were not removed: There is no participant x., There',
			),
			context: { outcome: 'notSent' },
		});
	});

	test.each([207, 200])('a %i that does not say who was refused is no success', async (status) => {
		const participants = { participant: [{ kind: 'external', contactId: '14255550199' }] };
		for (const body of ['{}', '[]', '', '{"invalidParticipants":null}']) {
			emulator.settings.faults = [
				{ match: { operationId: 'communication.addParticipants' }, action: { status, body } },
			];
			const { error } = await run('participant: add', { conversationId, participants });
			expect(error).toMatchObject({
				message: 'The answer has no list of invalidParticipants',
				description: expect.stringContaining('Check the participants'),
				context: { outcome: 'uncertain' },
			});
		}
	});

	test('as items where the workflow goes on, with all that is known', async () => {
		emulator.communication.closeWindow(conversationId);
		const { items } = await say({}, { items: [{}, {}], node: { onError: 'continueRegularOutput' } });
		expect(items).toHaveLength(2);
		expect(items[1]).toMatchObject({
			json: {
				error: expect.stringContaining('24 hours'),
				errorDetails: { httpCode: '400', code: 'BadRequest', outcome: 'notSent' },
			},
			pairedItem: { item: 1 },
		});
	});

	test('429 holds the whole run back for as long as the service says', async () => {
		emulator.settings.faults = [fault('sendMessage', { status: 429, retryAfter: 1 })];
		const startedAt = performance.now();
		expect((await say(retried, { items: [{}, {}] })).error).toBeUndefined();
		expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
		expect(said()).toHaveLength(2);
	});
});

describe('lists', () => {
	const list = (parameters: IDataObject = { returnAll: true }) => run('conversation: getMany', parameters);

	test('all of them over several pages, or as many as are asked for', async () => {
		emulator.communication.addConversations(249);
		emulator.settings.communication.maxPageSize = 40;
		const { items } = await list();
		expect(new Set(items.map(({ json }) => json.conversationId)).size).toBe(250);
		expect((await list({ limit: 45 })).items).toHaveLength(45);
		expect((await list({ limit: 3 })).items).toHaveLength(3);
		expect(calls().at(-1)!.path).toContain('maxPageSize=3');
		expectContract();
	});

	test('also with empty pages between, and with conversationId for id', async () => {
		emulator.communication.addConversations(4);
		emulator.settings.communication.maxPageSize = 2;
		emulator.settings.communication.lists = { emptyPages: true, idAsConversationId: true };
		const ids = (await list()).items.map(({ json }) => json.conversationId);
		expect(ids).toEqual(emulator.communication.conversations.map(({ id }) => id));
	});

	test('never on another origin', async () => {
		emulator.communication.addConversations(4);
		emulator.settings.communication.maxPageSize = 2;
		emulator.settings.communication.lists = { foreignNextLink: true };
		expect((await list()).error).toMatchObject({ message: expect.stringContaining('somewhere else') });
		expect(calls()).toHaveLength(1);
	});

	test('but not beyond what is asked for, wherever the next page is', async () => {
		emulator.communication.addConversations(4);
		emulator.settings.communication.maxPageSize = 2;
		emulator.settings.communication.lists = { foreignNextLink: true };
		expect((await list({ limit: 2 })).items).toHaveLength(2);
	});

	test.each<[string, (origin: string) => string, boolean]>([
		['a link without its origin', () => '/messages/conversations?api-version=2025-09-01-preview', true],
		['a link out of the API', (origin) => `${origin}/api/v1.0/consumer/conversations`, false],
		['a link with a user in it', (origin) => origin.replace('https://', 'https://evil@'), false],
		['what is no link', () => 'https://', false],
	])('%s', async (_, linkOf, isFollowed) => {
		const body = JSON.stringify({ value: [], nextLink: linkOf(emulator.origin) });
		emulator.settings.faults = [
			fault('listConversations', { status: 200, body, contentType: 'application/json' }),
		];
		const { error, items } = await list();
		if (!isFollowed) {
			expect(error).toMatchObject({ message: expect.stringContaining('somewhere else') });
			return;
		}
		expect(items).toHaveLength(1);
		expect(calls().at(-1)!.path).toBe('/messages/conversations?api-version=2025-09-01-preview');
	});

	test('never without an end', async () => {
		emulator.communication.addConversations(4);
		emulator.settings.communication.maxPageSize = 2;
		emulator.settings.communication.lists = { sameLink: true };
		expect((await list()).error).toMatchObject({ message: expect.stringContaining('bring nothing new') });
	});

	test('of messages, with what was said by whom', async () => {
		await say({ kind: 'image', mediaUri: 'https://example.com/a.png', caption: 'Look' });
		const { items } = await run('message: getMany', { conversationId });
		expect(items.map(({ json }) => json)).toMatchObject([
			{
				conversationId,
				messageId: expect.stringMatching(/^\d{13}$/),
				kind: 'image',
				text: 'Look',
				mediaUri: 'https://example.com/a.png',
				senderDisplayName: 'Contoso',
			},
			{ kind: 'text', text: 'Where is my order?', mediaUri: null, senderDisplayName: 'Ada' },
		]);
	});
});

describe('in the editor', () => {
	const node = new AzureCommunicationConversations();

	test('Test makes a real call, and tells mistakes apart', async () => {
		const tested = async (authentication: Authentication, given: IDataObject = {}) => {
			const data = { ...communicationCredential(emulator, authentication), ...given };
			const stored = { id: '1', name: 'x', type: 'x', data } as ICredentialsDecrypted;
			const test = node.methods.credentialTest.azureCommunicationServicesApiTest;
			return await test.call({} as ICredentialTestFunctions, stored);
		};
		for (const kind of ['clientSecret', 'accessKey', 'userToken'] as const) {
			expect(await tested(kind)).toMatchObject({ status: 'OK' });
		}
		expect(calls()).toHaveLength(3);
		const { communicationChannelId: channelId } = emulator.world;
		expect(await tested('accessKey', { channelId })).toMatchObject({ status: 'OK' });
		emulator.settings.communication.refuse = 'userToken';
		expect(await tested('userToken')).toMatchObject({ status: 'OK' });
		emulator.settings.communication.refuse = 'accessKey';
		expect(await tested('accessKey')).toMatchObject({ status: 'Error' });
		emulator.settings.communication.refuse = null;
		const mistakes = [
			await tested('clientSecret', { clientSecret: 'nope' }),
			await tested('clientSecret', { tenantId: '11111111-2222-4333-8444-555555555555' }),
			await tested('accessKey', { secretAccessKey: 'AAAA' }),
			await tested('accessKey', { endpoint: 'https://nowhere.invalid' }),
			await tested('userToken', { userToken: 'old' }),
			await tested('userToken', { endpoint: '' }),
			await tested('accessKey', { channelId: 'x' }),
			await tested('accessKey', { channelId: '11111111-2222-4333-8444-555555555555' }),
		];
		expect(mistakes.every(({ status }) => status === 'Error')).toBe(true);
		expect(new Set(mistakes.map(({ message }) => message)).size).toBe(mistakes.length);
	});

	const context = (parameters: IDataObject = {}, credential: IDataObject = {}) =>
		({
			getCredentials: async () => ({ ...communicationCredential(emulator), ...credential }),
			getCurrentNodeParameter: (name: string) => parameters[name],
			getNode: () => ({}),
		}) as unknown as ILoadOptionsFunctions;
	const { searchConversations, searchTemplates } = node.methods.listSearch;

	test('conversations are chosen by their topic', async () => {
		emulator.communication.addConversations(120);
		expect((await searchConversations.call(context())).results).toHaveLength(121);
		expect((await searchConversations.call(context(), ' order 1042')).results).toEqual([
			{ name: `Order 1042 · ${conversationId}`, value: conversationId },
		]);
		emulator.communication.addConversations(100);
		expect((await searchConversations.call(context())).results).toHaveLength(200);
		emulator.communication.addConversations(2_500);
		const before = calls().length;
		expect((await searchConversations.call(context(), 'nothing like it')).results).toEqual([]);
		expect(calls().length - before).toBe(20);
	});

	test('approved templates, each once in each of its languages', async () => {
		const channelId = emulator.world.communicationChannelId;
		const choices = (await searchTemplates.call(context({ channelId }))).results;
		expect(choices.map(({ name }) => name)).toEqual([
			'shipping_confirmation | en_US',
			'shipping_confirmation | de',
			'purchase_feedback | en',
			'store_location | en_US',
			'invoice | en_US',
			'assembly_video | en_US',
			'appointment_reminder | en_US',
		]);
		expect(
			(await searchTemplates.call(context({ channelId }), ' SHIPPING_confirmation | d ')).results,
		).toEqual([{ name: 'shipping_confirmation | de', value: 'shipping_confirmation|de' }]);
		expect((await searchTemplates.call(context({}, { channelId }))).results).toHaveLength(7);
		await expect(searchTemplates.call(context({ channelId: '' }))).rejects.toThrow(
			'Channel ID is empty, here and in the credential',
		);
	});

	describe('the placeholders of a template', () => {
		const { getPlaceholders } = node.methods.resourceMapping;
		const placeholders = async (parameters: IDataObject, credential?: IDataObject) =>
			await getPlaceholders.call(context(parameters, credential));
		const channel = () => ({ channelId: emulator.world.communicationChannelId });

		test('are those of its language, with the channel of the node or the credential', async () => {
			for (const [parameters, credential] of [
				[channel(), {}],
				[{}, channel()],
			]) {
				const { fields } = await placeholders(
					{ template: 'shipping_confirmation|de', ...parameters },
					credential,
				);
				expect(fields).toMatchObject([
					{ id: 'body_1', displayName: 'Body {{1}}: …Es kommt in {{1}} Werktagen an.' },
				]);
			}
		});

		test.each<[string, IDataObject, string]>([
			['no template', {}, 'Choose a template first'],
			['no language', { template: 'invoice' }, 'Template has no language: invoice'],
			[
				'a template that is not there',
				{ template: 'x<b>|en' },
				'The channel has no template x&lt;b&gt; in en',
			],
			['no channel', { template: 'invoice|en_US', channelId: '' }, 'Channel ID is empty, here and in the'],
		])('%s: the editor says why there are none', async (_name, parameters, notice) => {
			const given = await placeholders({ ...channel(), ...parameters });
			expect(given.fields).toEqual([]);
			expect(given.emptyFieldsNotice).toContain(notice);
		});

		test('of a saved node stay where they cannot be read', async () => {
			const saved = { placeholders: { schema: [{ id: 'body_1' }] }, template: 'gone|en', ...channel() };
			await expect(placeholders(saved)).rejects.toThrow('The channel has no template gone in en');
		});
	});
});
