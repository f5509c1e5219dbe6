import { validateRequest } from '../../../emulator/messaging/validate';
import type { Connection } from '../../../nodes/Dynamics365Messaging/connection';
import { messagingUrl } from '../../../nodes/Dynamics365Messaging/messagingApi/request';
import { readStartedConversation } from '../../../nodes/Dynamics365Messaging/messagingApi/startConversation';
import { actionNode } from '../../../nodes/Dynamics365Messaging/operations';
import type { Plan } from '../../../nodes/Dynamics365Messaging/operations/operation';
import { readDataUri } from '../../../nodes/shared/dataUri';
import type { Json } from '../../../nodes/shared/json';
import { InputError, ServiceError } from '../../../nodes/shared/transport/errors';
import { bodyText, requestBody } from '../../../nodes/shared/transport/requestBody';
import { parametersOf, type GivenFile } from '../../support/parameters';
import { carryOut, type PlannedRequest } from '../../support/plans';

const { operations: OPERATIONS, properties } = actionNode;

const CHANNEL = '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391';
const CREDENTIAL: Connection = {
	organizationId: '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60',
	authentication: { kind: 'clientSecret', clientSecret: 's' },
	authorityHost: 'https://login.microsoftonline.com',
	scope: '',
	tokenErrors: {},
	channelId: CHANNEL,
	tenantId: 'b7c1f0d4-52e9-4a36-9d18-6e0f3a87c245',
	clientId: '4e9a2c76-8d1b-47f5-a3c0-91b5d6e8f027',
	origin: 'https://m-x.eu.omnichannelengagementhub.com',
	environmentUrl: undefined,
};
const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';

/** The item's binary fields. */
const FILES: Record<string, GivenFile> = {
	photo: { mimeType: 'image/jpeg', fileName: 'photo.jpg', fileExtension: 'jpg' },
	nameless: { mimeType: 'image/png', fileExtension: 'png' },
	bare: { mimeType: 'text/plain', fileName: 'README' },
	invoice: { mimeType: 'application/pdf', fileName: 'Rechnung 4711', fileExtension: 'pdf' },
	dated: { mimeType: 'application/pdf', fileName: 'Rechnung 12.5.2026', fileExtension: '.pdf' },
	jpeg: { mimeType: 'image/jpeg', fileName: 'a.JPEG', fileExtension: 'jpg' },
	path: { mimeType: 'image/jpeg', fileName: '../..\\a\r\n/\u202eb\0.jpg', fileExtension: 'jpg' },
	video: { mimeType: 'video/webm; codecs="vp8, opus"', fileName: 'a.webm', fileExtension: 'webm' },
	typeless: { mimeType: '', fileName: 'a.bin' },
	split: { mimeType: 'image/png\r\nx: y', fileName: 'a.png' },
};

/** What n8n would give: the parameters of the workflow, and the fields' defaults where it has none. */
function read(path: string, given: Record<string, unknown>, files = FILES) {
	const [resource, name] = path.split(': ') as [string, string];
	const operation = actionNode.find(resource, name)!;
	const defaults = Object.fromEntries(
		actionNode.fieldsOf(operation).map((field) => [field.name, field.default]),
	);
	const { parameters, check } = parametersOf({ ...defaults, ...given }, files);
	return { plan: operation.plan(parameters, CREDENTIAL), check };
}

const plan = (path: string, given: Record<string, unknown>): Plan => read(path, given).plan;

function thrownBy(work: () => unknown): unknown {
	try {
		work();
	} catch (error) {
		return error;
	}
	return undefined;
}

/** The first request that a plan makes. */
async function requestOf(path: string, given: Record<string, unknown>): Promise<PlannedRequest> {
	const answer = { conversationId: CONVERSATION, isNew: true };
	const { requests } = await carryOut(plan(path, given), CREDENTIAL, [answer]);
	return requests[0]!;
}

/** The ways in which the request breaks the contract: none, for whatever the node lets through. */
async function contractErrors(path: string, given: Record<string, unknown>) {
	const request = await requestOf(path, given);
	const url = messagingUrl('https://localhost', request);
	return validateRequest({
		method: request.method,
		path: url.pathname + url.search,
		headers: {
			authorization: 'Bearer x',
			'channel-id': CHANNEL,
			'organization-id': '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60',
			'content-type': 'application/json',
		},
		body: request.method === 'POST' ? request.body : undefined,
	});
}

const inConversation = { conversationId: CONVERSATION };
const activity = { channelId: CHANNEL, conversation: { id: CONVERSATION } };
const file = {
	url: 'https://example.com/a/photo%20of%20it.jpg',
	contentType: 'image/jpeg',
	name: 'photo.jpg',
};
const attachments = (...attachment: unknown[]) => ({ attachments: { attachment } });
const variables = (...variable: unknown[]) => ({ contextMode: 'fields', contextVariables: { variable } });
const json = (contextJson: unknown) => ({ contextMode: 'json', contextJson });

describe('what is sent', () => {
	test.each<[string, Record<string, unknown>, Record<string, unknown> | undefined]>([
		['conversation: create', {}, {}],
		['conversation: create', { customerId: ' jdoe ' }, { customercontext: { customerid: 'jdoe' } }],
		[
			'conversation: create',
			{
				customerId: 'jdoe',
				customer: {
					firstName: 'John',
					lastName: 'Doe',
					preferredName: 'J',
					email: 'j@example.com',
					phoneNumber: '+31 6',
				},
				...variables({ name: 'product', value: 'XBox' }, { name: 'vip', value: 'yes', isDisplayable: false }),
				options: {
					startMessage: 'Hello',
					startMessageDisplayName: 'John',
					skipAiAgent: true,
					requestId: 'r-1',
				},
			},
			{
				customercontext: {
					customerid: 'jdoe',
					firstname: 'John',
					lastname: 'Doe',
					preferredname: 'J',
					email: 'j@example.com',
					phonenumber: '+31 6',
				},
				conversationcontext: {
					product: { isDisplayable: true, value: 'XBox' },
					vip: { isDisplayable: false, value: 'yes' },
				},
				conversationrequestid: 'r-1',
				startmessage: { message: 'Hello', displayname: 'John' },
				skipdeflectionbot: true,
			},
		],
		[
			'conversation: create',
			json('{"a":"x","b":2,"c":true,"d":{"value":"y","isDisplayable":false},"e":{"value":"z"}}'),
			{
				conversationcontext: {
					a: { isDisplayable: true, value: 'x' },
					b: { isDisplayable: true, value: 2 },
					c: { isDisplayable: true, value: true },
					d: { isDisplayable: false, value: 'y' },
					e: { isDisplayable: true, value: 'z' },
				},
			},
		],
		[
			'conversation: create',
			json({ a: 'x' }),
			{ conversationcontext: { a: { isDisplayable: true, value: 'x' } } },
		],
		['conversation: create', { options: { startMessageDisplayName: 'no message' } }, {}],
		['conversation: end', inConversation, { type: 'endOfConversation', ...activity }],
		['conversation: getContext', inConversation, undefined],
		['conversation: getMany', {}, undefined],
		['message: send', { ...inConversation, text: 'hi' }, { type: 'message', text: 'hi', ...activity }],
		['message: send', { ...inConversation, text: 42 }, { type: 'message', text: '42', ...activity }],
		[
			'message: send',
			{
				...inConversation,
				...attachments(
					file,
					{ url: file.url, contentType: 'image/jpeg' },
					{ url: 'data:text/plain;base64,aGk=', name: 'a.txt' },
				),
			},
			{
				type: 'message',
				attachments: [
					{ contentUrl: file.url, contentType: 'image/jpeg', name: 'photo.jpg' },
					{ contentUrl: file.url, contentType: 'image/jpeg', name: 'photo of it.jpg' },
					{ contentUrl: 'data:text/plain;base64,aGk=', contentType: 'text/plain', name: 'a.txt' },
				],
				...activity,
			},
		],
		[
			'message: send',
			{
				...inConversation,
				text: 'hi',
				options: { senderId: 's', senderName: 'Sam', messageId: 'm', automated: true },
			},
			{
				type: 'message',
				id: 'm',
				from: { id: 's', name: 'Sam' },
				text: 'hi',
				channelData: { 'messagingapi-oc': { type: 'AutomatedMessage' } },
				...activity,
			},
		],
		[
			'message: sendTyping',
			{ ...inConversation, senderName: 'Sam' },
			{ type: 'typing', from: { name: 'Sam' }, ...activity },
		],
		[
			'message: markAsRead',
			{ ...inConversation, messageId: '1756399395730' },
			{ type: 'event', name: 'MessageRead', value: { messageId: '1756399395730' }, ...activity },
		],
		['message: getMany', inConversation, undefined],
		[
			'customEvent: send',
			{
				...inConversation,
				eventName: 'Order',
				eventValue: '{"id":{"isDisplayable":true,"value":7}}',
				options: { senderId: 's' },
			},
			{
				type: 'event',
				name: 'Order',
				from: { id: 's' },
				channelData: {
					customEvent: true,
					customEventName: 'Order',
					customEventValue: '{"id":{"isDisplayable":true,"value":7}}',
				},
				...activity,
			},
		],
		[
			'customEvent: send',
			{ ...inConversation, eventName: 'Order', eventValue: { id: 7 } },
			{
				type: 'event',
				name: 'Order',
				channelData: { customEvent: true, customEventName: 'Order', customEventValue: '{"id":7}' },
				...activity,
			},
		],
	])('%s makes the body of its parameters (row %#)', async (path, given, body) => {
		expect((await requestOf(path, given)).body).toEqual(body);
		expect(await contractErrors(path, given)).toMatchObject({
			operationId: expect.any(String),
			errors: [],
		});
	});

	test('the older create path can be chosen', async () => {
		const older = { options: { createPath: '/conversations/create' } };
		expect((await requestOf('conversation: create', {})).path).toBe('/conversation/create');
		expect((await requestOf('conversation: create', older)).path).toBe('/conversations/create');
		expect((await contractErrors('conversation: create', older)).errors).toEqual([]);
	});

	test.each([
		['with its dashes encoded', CONVERSATION.replaceAll('-', '%2D'), CONVERSATION],
		['with one of them encoded', CONVERSATION.replace('-', '%2d'), CONVERSATION],
		['in capitals, which stay', CONVERSATION.toUpperCase(), CONVERSATION.toUpperCase()],
		['in braces', ` {${CONVERSATION}} `, CONVERSATION],
		['before the braces that the editor adds', `${CONVERSATION} }}`, CONVERSATION],
		['in encoded braces, as in an address of Dynamics', `%7b${CONVERSATION.toUpperCase()}%7D`, CONVERSATION],
		[
			'in capitals with its dashes encoded',
			CONVERSATION.toUpperCase().replaceAll('-', '%2D'),
			CONVERSATION.toUpperCase(),
		],
		['without its dashes', CONVERSATION.replaceAll('-', ''), CONVERSATION],
	])('an id %s is the one that the person means', async (_name, given, id) => {
		const request = await requestOf('message: send', { conversationId: given, text: 'x' });
		expect(request.path).toBe(`/conversation/${encodeURIComponent(id)}`);
		expect(request.body).toMatchObject({ conversation: { id } });
	});

	test('a record is named in lower case, as it is in Dataverse', async () => {
		const given = { conversationId: CONVERSATION.toUpperCase() };
		const asked = await requestOf('availability: getForConversation', given);
		expect(asked.body).toMatchObject({ ConversationId: CONVERSATION });
		expect(JSON.stringify(plan('conversation: get', given))).toContain(CONVERSATION);
	});

	test('a start time goes out in UTC', async () => {
		const options = { startTime: '2026-01-31T10:00:00+01:00' };
		expect((await requestOf('conversation: getMany', { options })).query).toEqual({
			StartTimeStamp: '2026-01-31T09:00:00.000Z',
		});
		expect((await requestOf('message: getMany', { ...inConversation, options })).query).toEqual({
			StartTimeStamp: '2026-01-31T09:00:00.000Z',
		});
	});

	test.each([
		['conversation: getMany', { returnAll: true }, undefined, 250],
		['conversation: getMany', { limit: 7 }, 7, 250],
		['message: getMany', { ...inConversation, limit: '7' }, 7, 100],
		['message: getMany', inConversation, 50, 100],
	])('%s reads as many as its limit says, in pages (row %#)', (path, given, limit, maxPageSize) => {
		expect(plan(path, given)).toMatchObject({ kind: 'list', list: { limit, maxPageSize } });
	});
});

const x = (length: number) => 'x'.repeat(length);
const many = (count: number) =>
	Array.from({ length: count }, (_, index) => ({ name: `n${index}`, value: 'v' }));

describe('limits: the last that passes, the first that does not', () => {
	test.each<[string, string, (n: number) => Record<string, unknown>, number]>([
		['Customer ID', 'conversation: create', (n) => ({ customerId: x(n) }), 200],
		['First Name', 'conversation: create', (n) => ({ customer: { firstName: x(n) } }), 200],
		['Last Name', 'conversation: create', (n) => ({ customer: { lastName: x(n) } }), 200],
		['Preferred Name', 'conversation: create', (n) => ({ customer: { preferredName: x(n) } }), 200],
		['Phone Number', 'conversation: create', (n) => ({ customer: { phoneNumber: x(n) } }), 200],
		[
			'Email',
			'conversation: create',
			(n) => ({ customer: { email: `${x(n - 14)}@my.example.com`.slice(-n) } }),
			200,
		],
		['Context Variables', 'conversation: create', (n) => variables(...many(n)), 100],
		[
			'Context Variables',
			'conversation: create',
			(n) => json(Object.fromEntries(many(n).map(({ name }) => [name, 1]))),
			100,
		],
		['Start Message', 'conversation: create', (n) => ({ options: { startMessage: x(n) } }), 27 * 1024],
		[
			'Start Message',
			'conversation: create',
			(n) => ({ options: { startMessage: `${'ü'.repeat(13 * 1024)}${x(n - 26 * 1024)}` } }),
			27 * 1024,
		],
		['Text', 'message: send', (n) => ({ ...inConversation, text: x(n) }), 6000],
		['Text', 'message: send', (n) => ({ ...inConversation, text: '😀'.repeat(n / 2) + x(n % 2) }), 6000],
		[
			'Content Type',
			'message: send',
			(n) => ({ ...inConversation, ...attachments({ ...file, contentType: x(n) }) }),
			256,
		],
		[
			'File Name',
			'message: send',
			(n) => ({ ...inConversation, ...attachments({ ...file, name: `${x(n - 4)}.jpg` }) }),
			256,
		],
		[
			'Sender ID',
			'message: send',
			(n) => ({ ...inConversation, text: 'x', options: { senderId: x(n) } }),
			256,
		],
		[
			'Sender Name',
			'message: send',
			(n) => ({ ...inConversation, text: 'x', options: { senderName: x(n) } }),
			256,
		],
		['Sender Name', 'message: sendTyping', (n) => ({ ...inConversation, senderName: x(n) }), 256],
		['Event Name', 'customEvent: send', (n) => ({ ...inConversation, eventName: x(n) }), 256],
		[
			'Sender ID',
			'customEvent: send',
			(n) => ({ ...inConversation, eventName: 'E', options: { senderId: x(n) } }),
			256,
		],
	])('%s of %s', async (field, path, given, limit) => {
		expect((await contractErrors(path, given(limit))).errors).toEqual([]);
		expect(() => plan(path, given(limit + 1))).toThrow(InputError);
		expect(() => plan(path, given(limit + 1))).toThrow(field);
	});
});

describe('what is refused, by the field’s name', () => {
	/** Every operation that asks for a conversation. */
	const CONVERSATION_OPERATIONS = actionNode.operations
		.filter(({ fields }) => fields.some(({ name }) => name === 'conversationId'))
		.map(({ resource, operation }) => `${resource}: ${operation}`);
	const NO_CONVERSATIONS = [
		'kim-berger',
		'Create',
		'19:a@thread.v2',
		`${CONVERSATION}0`,
		`0${CONVERSATION}`,
		`create/${CONVERSATION}`,
		`${CONVERSATION}\n${CONVERSATION}`,
		`${CONVERSATION}%zz`,
		'%2E%2E%2Fcreate',
	];

	test('the operations that ask for a conversation are these', () => {
		expect(CONVERSATION_OPERATIONS).toEqual([
			'availability: getForConversation',
			'conversation: end',
			'conversation: get',
			'conversation: getContext',
			'conversation: getTranscript',
			'customEvent: send',
			'message: getMany',
			'message: markAsRead',
			'message: send',
			'message: sendTyping',
		]);
	});

	test('of a conversation, the error says where a right one is', () => {
		const says = /conversationId that the trigger.*by your own ID.*Send or Start/;
		try {
			plan('message: send', { conversationId: 'kim-berger', text: 'x' });
			expect(true).toBe(false);
		} catch (error) {
			expect(error).toMatchObject({ description: expect.stringMatching(says) });
		}
	});

	test.each<[string, Record<string, unknown>, string]>([
		['message: send', { conversationId: '' }, 'Conversation'],
		['message: send', { conversationId: '.', text: 'x' }, 'Conversation'],
		['conversation: end', { conversationId: ' .. ' }, 'Conversation'],
		['conversation: end', { conversationId: { id: 'x' } }, 'Conversation'],
		...CONVERSATION_OPERATIONS.flatMap((path) =>
			NO_CONVERSATIONS.map((conversationId): [string, Record<string, unknown>, string] => [
				path,
				{ conversationId },
				`Conversation is not a GUID: ${conversationId}`,
			]),
		),
		...['{}', '{ }', '{{}}', '{', '%7B%7D'].flatMap(
			(none): Array<[string, Record<string, unknown>, string]> => [
				['message: send', { conversationId: none, text: 'x' }, 'Conversation is not a GUID'],
				// What an expression gives for an object is not nothing: nothing would be the channel of the credential.
				['channel: get', { channelId: none }, 'Channel is not a GUID'],
				['channel: linkManagedIdentity', { channelId: none }, 'Channel is not a GUID'],
				['channel: linkManagedIdentity', { channelId: '', appId: none }, 'App ID is not a GUID'],
				['channel: delete', { channelId: none }, 'Channel is not a GUID'],
			],
		),
		['message: send', { conversationId: '\ud800', text: 'x' }, 'Conversation has half a character'],
		['message: send', inConversation, 'neither Text nor Attachments'],
		['message: send', { ...inConversation, text: '  \n' }, 'neither Text nor Attachments'],
		['message: send', { ...inConversation, text: ['x'] }, 'Text must be a text'],
		['message: send', { ...inConversation, ...attachments({ ...file, url: '' }) }, 'Attachment 1 has no URL'],
		[
			'message: send',
			{ ...inConversation, ...attachments(file, { ...file, url: 'C:\\photo.jpg' }) },
			'Attachment 2: URL',
		],
		[
			'message: send',
			{ ...inConversation, ...attachments({ url: 'https://example.com/a.xyz', contentType: '' }) },
			'Attachment 1 has no Content Type',
		],
		[
			'message: send',
			{ ...inConversation, ...attachments({ url: 'https://example.com/', contentType: 'a/b' }) },
			'Attachment 1 has no File Name',
		],
		['message: sendTyping', { ...inConversation, senderName: ' ' }, 'Sender Name'],
		['message: markAsRead', { ...inConversation, messageId: '' }, 'Message ID'],
		['message: markAsRead', { ...inConversation, messageId: '175639939573' }, 'Message ID'],
		['message: markAsRead', { ...inConversation, messageId: '17563993957300' }, 'Message ID'],
		['customEvent: send', { ...inConversation, eventName: ' ' }, 'Event Name'],
		['customEvent: send', { ...inConversation, eventName: 'messageREAD ' }, 'must not be MessageRead'],
		['customEvent: send', { ...inConversation, eventName: 'E', eventValue: '[1]' }, 'Event Value'],
		['customEvent: send', { ...inConversation, eventName: 'E', eventValue: 'oops' }, 'Event Value'],
		['customEvent: send', { ...inConversation, eventName: 'E', eventValue: 'null' }, 'Event Value'],
		[
			'customEvent: send',
			{ ...inConversation, eventName: 'E', eventValue: '{"id": 9007199254740993}' },
			'Event Value has a number',
		],
		[
			'customEvent: send',
			{ ...inConversation, eventName: 'E', eventValue: '{"id": {"value": 1e400}}' },
			'Event Value has a number',
		],
		[
			'customEvent: send',
			{ ...inConversation, eventName: 'E', eventValue: { id: Infinity } },
			'Event Value has a number',
		],
		[
			'customEvent: send',
			{ ...inConversation, eventName: 'E', eventValue: { id: 2 ** 60 } },
			'Event Value has a number',
		],
		['conversation: create', json('{"a": 0.1000000000000000055}'), 'Context Variables (JSON) has a number'],
		['conversation: create', { customer: { email: 'nobody' } }, 'Email'],
		['conversation: create', json('[]'), 'Context Variables (JSON)'],
		['conversation: create', json('{oops'), 'Context Variables (JSON)'],
		['conversation: create', json({ a: null }), 'Context Variables: a'],
		['conversation: create', json({ a: { value: ['x'] } }), 'Context Variables: a'],
		['conversation: create', json({ a: { isDisplayable: true } }), 'Context Variables (JSON): a'],
		[
			'conversation: create',
			json({ a: { value: 'x', isDisplayable: 'yes' } }),
			'Context Variables (JSON): a',
		],
		['conversation: create', json({ a: { value: 'x', other: 1 } }), 'Context Variables (JSON): a'],
		['conversation: create', variables({ name: ' ', value: 'x' }), 'without a name'],
		['conversation: create', variables({ name: 'a', value: 'x' }, { name: 'a', value: 'y' }), 'a twice'],
		['conversation: create', { options: { createPath: '/x' } }, 'Create Path'],
		['conversation: getMany', { limit: 0 }, 'Limit'],
		['conversation: getMany', { limit: 1.5 }, 'Limit'],
		['message: getMany', { ...inConversation, limit: 'many' }, 'Limit'],
		['message: getMany', { ...inConversation, options: { startTime: 'yesterday-ish' } }, 'Start Time'],
	])('%s refuses the parameters of row %#', (path, given, message) => {
		expect(() => plan(path, given)).toThrow(InputError);
		expect(() => plan(path, given)).toThrow(message);
	});
});

describe('the registry', () => {
	test('lists each operation once, with a field of its own for each parameter', () => {
		const names = OPERATIONS.map(({ resource, operation }) => `${resource}: ${operation}`);
		expect(new Set(names).size).toBe(names.length);
		for (const { fields } of OPERATIONS)
			expect(new Set(fields.map(({ name }) => name)).size).toBe(fields.length);
	});

	test('fills the drop-downs', () => {
		const offered = properties
			.filter(({ name }) => name === 'operation')
			.flatMap(({ displayOptions, options }) =>
				(options ?? []).map(
					(option) =>
						`${String(displayOptions!.show!.resource)}: ${String((option as { value: string }).value)}`,
				),
			);
		expect(offered.sort()).toEqual(
			OPERATIONS.map(({ resource, operation }) => `${resource}: ${operation}`).sort(),
		);
	});

	test('shows the limit beside the field', () => {
		const texts = JSON.stringify(properties);
		for (const limit of [
			'At most 6,000 characters',
			'At most 200 characters',
			'At most 256 characters',
			'At most 100.',
			'27 KB',
		]) {
			expect(texts).toContain(limit);
		}
	});
});

describe('what comes out', () => {
	test.each<[Json, unknown]>([
		[
			{ conversationId: 'c', isNew: true, messageId: '1' },
			{ conversationId: 'c', isNew: true, messageId: '1', startMessage: 'delivered' },
		],
		[
			{ ConversationId: 'c', IsNew: false, MessageId: '' },
			{ conversationId: 'c', isNew: false, messageId: null, startMessage: 'dropped' },
		],
		[
			{ conversationid: 'c', isnew: true, messageid: 1756399395730 },
			{ conversationId: 'c', isNew: true, messageId: '1756399395730', startMessage: 'delivered' },
		],
	])('conversation: create %j', async (answer, started) => {
		expect(readStartedConversation(answer, true, 'Look.')).toEqual(started);
		expect(readStartedConversation(answer, false, 'Look.')).toMatchObject({ startMessage: 'none' });
		const { conversationId, isNew, messageId } = readStartedConversation(answer, true, 'Look.');
		const { items } = await carryOut(plan('conversation: create', {}), CREDENTIAL, [answer]);
		expect(items).toEqual([{ conversationId, isNew, messageId }]);
	});

	test.each<[Json]>([[null], [{}], [{ conversationId: ' ' }], [[]]])(
		'conversation: create looks for the conversation where the answer is %j',
		(answer) =>
			expect(thrownBy(() => readStartedConversation(answer, true, 'Look.'))).toMatchObject({
				outcome: 'uncertain',
				description: 'Look.',
			}),
	);

	const callOf = (path: string) => {
		const planned = plan(path, { ...inConversation, text: 'x', eventName: 'E' });
		if (planned.kind !== 'call') throw new Error('not a call');
		return planned.toItems;
	};
	test.each<[string, Json, unknown]>([
		['message: send', { messageId: '1' }, [{ conversationId: CONVERSATION, messageId: '1' }]],
		['message: send', { MessageId: '' }, [{ conversationId: CONVERSATION, messageId: null }]],
		['message: sendTyping', null, [{ conversationId: CONVERSATION, messageId: null }]],
		['conversation: end', {}, [{ conversationId: CONVERSATION, messageId: null }]],
		['customEvent: send', [], [{ conversationId: CONVERSATION, messageId: null }]],
		[
			'conversation: getContext',
			{ Context: [{ Name: 'a', Value: 'x' }] },
			[{ conversationId: CONVERSATION, context: { a: 'x' } }],
		],
		['conversation: getContext', {}, [{ conversationId: CONVERSATION, context: {} }]],
	])('%s %j', (path, answer, items) => expect(callOf(path)(answer)).toEqual(items));

	test.each<[string, Json, unknown]>([
		[
			'conversation: getMany',
			{ conversationid: 'c', timestamp: 't' },
			{ conversationId: 'c', timestamp: 't' },
		],
		['conversation: getMany', { ConversationId: 'c' }, { conversationId: 'c', timestamp: null }],
	])('%s: an entry %j', (path, entry, item) => {
		const planned = plan(path, inConversation);
		expect(planned.kind === 'list' && 'toItem' in planned && planned.toItem(entry)).toEqual(item);
	});
});

describe('what a customer says, in an active conversation or a new one', () => {
	const said = { customerId: 'jdoe', text: 'Hello' };
	/** What goes out where the customer has an active conversation: the call that finds it, and the message. */
	const delivered = async (given: Record<string, unknown>) => {
		const active = { conversationId: CONVERSATION, isNew: false };
		const planned = plan('conversation: sendOrStart', given);
		const { requests } = await carryOut(planned, CREDENTIAL, [active, { messageId: '1' }]);
		const [start, message] = requests;
		return { start: start!, message: message!, orderingKey: planned.orderingKey };
	};

	test.each<[string, Record<string, unknown>, unknown]>([
		['without the AI agent', { options: { skipAiAgent: true } }, { message: 'Hello' }],
		[
			'with the sender’s name',
			{ options: { skipAiAgent: true, senderName: 'John' } },
			{ message: 'Hello', displayname: 'John' },
		],
		[
			'with a name of its own',
			{ options: { skipAiAgent: true, senderName: 'John', startMessageDisplayName: 'J' } },
			{ message: 'Hello', displayname: 'J' },
		],
		['with the AI agent', {}, undefined],
		['with files', { ...attachments(file), options: { skipAiAgent: true } }, undefined],
		['marked as automated', { options: { skipAiAgent: true, automated: true } }, undefined],
	])('%s: the start message is right', async (_, given, startMessage) => {
		const { start, message } = await delivered({ ...said, ...given });
		expect(start.body?.startmessage).toEqual(startMessage);
		expect(message.body).toMatchObject({ type: 'message', text: 'Hello', ...activity });
		expect((await contractErrors('conversation: sendOrStart', { ...said, ...given })).errors).toEqual([]);
	});

	test('all that starting and sending know goes along', async () => {
		const given = {
			...said,
			customer: { preferredName: 'J' },
			...variables({ name: 'a', value: 'b' }),
			options: { requestId: 'r', createPath: '/conversations/create', senderId: 's', messageId: 'm' },
		};
		const { start, message, orderingKey } = await delivered(given);
		expect(start).toMatchObject({
			path: '/conversations/create',
			isIdempotent: true,
			body: {
				customercontext: { customerid: 'jdoe', preferredname: 'J' },
				conversationcontext: { a: { isDisplayable: true, value: 'b' } },
				conversationrequestid: 'r',
			},
		});
		expect(message.body).toMatchObject({ id: 'm', from: { id: 's' } });
		expect(orderingKey).toBe((await delivered({ ...said, customerId: ' JDoe ' })).orderingKey);
	});

	test.each([
		['Customer ID is empty', { text: 'x' }],
		['Customer ID is empty', { text: 'x', customerId: ' ' }],
		['neither Text nor Attachments', { customerId: 'jdoe' }],
		['longer than 6,000', { customerId: 'jdoe', text: x(6001) }],
	])('%s: nothing is sent', (message, given) => {
		expect(() => plan('conversation: sendOrStart', given)).toThrow(message);
	});
});

describe('files by URL', () => {
	const sent = async (url: string, name = 'a.bin') => {
		const given = { ...inConversation, ...attachments({ url, contentType: 'a/b', name }) };
		expect((await contractErrors('message: send', given)).errors).toEqual([]);
		const { body } = await requestOf('message: send', given);
		const [attachment] = body?.attachments as Array<{ contentUrl: string; name: string }>;
		return attachment!;
	};
	const bytes = Buffer.from(Array.from({ length: 200 }, (_, index) => 255 - index));
	const base64 = bytes.toString('base64');

	test.each([
		['base64 in lines', base64.replace(/.{76}/g, '$&\r\n'), base64],
		['base64 in the alphabet of URLs', bytes.toString('base64url'), base64],
		['a type with commas', `data:video/webm;codecs=vp8,opus;base64,${base64}`, 'codecs=vp8%2Copus'],
		['blanks before the mark', `data:a/b; base64,${base64}`, `data:a/b;base64,${base64}`],
		['percent-encoded', 'data:text/plain,a%20b', 'data:text/plain;base64,YSBi'],
		['a type of its own only', 'data:;base64,YSBi', 'data:a/b;base64,YSBi'],
	])('%s is taken', async (_, url, expected) => {
		expect((await sent(url)).contentUrl).toContain(expected);
	});

	test.each(['10\u00a0000\u202f€', 'un\u00adseen\u200b', '\u200fשלום', 'a\u2011b', 'a b', 'a\nb', '100%'])(
		'a text in a data URI stays as it is: %j',
		async (text) => {
			const { contentUrl } = await sent(` data:text/plain,${text}\n`);
			expect(readDataUri(contentUrl)?.data.toString()).toBe(text);
		},
	);

	test.each(['\u200bhttps://example.com/a.jpg', ' \ufeffhttps://example.com/a.jpg\u202c'])(
		'a URL is taken without what nobody sees: %j',
		async (url) => expect((await sent(url)).contentUrl).toBe('https://example.com/a.jpg'),
	);

	test('16 MB of base64, bare or as a data URI, are taken', async () => {
		const large = 'QUJD'.repeat(16_000_000 / 4);
		for (const url of [large, `data:a/b;base64,${large}`]) expect((await sent(url)).contentUrl).toBe(url);
	});

	test.each([
		'data:a/b;base64,',
		'data:a/b;base64,??',
		'data:a/b',
		'https://[oops',
		'photo-of-the-broken-heat-pump-2026',
		'3e8a1c52-90ab-4cde-8f01-23456789abcd',
		'Please see the file that I sent before',
		`${base64}?`,
	])('%s is refused', (url) => {
		const given = { ...inConversation, ...attachments({ ...file, url }) };
		expect(() => plan('message: send', given)).toThrow('Attachment 1: URL cannot be fetched');
	});

	test.each([
		['https://example.com/chats%2F42%2Fphoto.jpg?alt=media', 'photo.jpg'],
		['https://example.com/a%5Cb%5Cphoto.jpg', 'photo.jpg'],
		['https://example.com/photo%0D%0A%00.jpg', 'photo.jpg'],
		['https://example.com/%E2%80%AEphoto.jpg', 'photo.jpg'],
		['https://example.com/Gr%C3%BC%C3%9Fe%20x.jpg', 'Grüße x.jpg'],
		['https://example.com/Gr%FC%DFe.jpg', 'Grüße.jpg'],
		['https://example.com/chats%252F42%252Fphoto.jpg', 'photo.jpg'],
		['https://example.com/a%255c..%25255Cphoto.jpg', 'photo.jpg'],
		['https://example.com/%D8%9C%EF%BB%BFphoto.j%E2%80%8Bpg', 'photo.jpg'],
		['https://example.com/100%25.jpg', '100%.jpg'],
	])('%s is named %s', async (url, name) => expect((await sent(url, '')).name).toBe(name));

	test.each([
		['https://example.com/4711', 'application/pdf', '', '4711.pdf'],
		['https://example.com/', 'image/jpeg', '', 'file.jpg'],
		['https://example.com/file.php?id=4', 'image/png', '', 'file.php.png'],
		['https://example.com/4711', 'application/pdf', 'Rechnung 4711', 'Rechnung 4711.pdf'],
		['https://example.com/4711', 'application/pdf', 'Rechnung.final', 'Rechnung.final'],
		['data:application/pdf;base64,QUJD', '', '', 'file.pdf'],
		['data:Image/JPEG;q=1;base64,QUJD', '', 'Photo 12.5.2026', 'Photo 12.5.2026.jpg'],
		[base64, 'audio/x-wav', '', 'file.wav'],
	])('%s of %s, called “%s”, is named %s', async (url, contentType, name, expected) => {
		const given = { ...inConversation, ...attachments({ url, contentType, name }) };
		expect((await requestOf('message: send', given)).body).toMatchObject({
			attachments: [{ name: expected }],
		});
	});
});

test.each<[url: string, contentType: string, more?: object]>([
	['https://example.com/files/photo.jpg', 'image/jpeg'],
	['https://example.com/files/PHOTO.JPG', 'image/jpeg'],
	['https://example.com/offer.pdf?sig=a%2Fb.png&v=2#page=3', 'application/pdf'],
	['https://example.com/my%20offer%2Epdf', 'application/pdf'],
	[
		'https://example.com/a%2Fb%2Fprices.XLSX',
		'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
	],
	['https://example.com/offer.tar.zip', 'application/zip'],
	// The end of the URL comes before File Name, and what a person gave before both.
	['https://example.com/photo.jpg', 'image/jpeg', { name: 'photo.png' }],
	['https://example.com/files/7?as=photo.png', 'application/pdf', { name: 'offer.pdf' }],
	['https://example.com/photo.php', 'image/png', { name: 'photo.png' }],
	['https://example.com/photo.jpg', 'image/webp', { contentType: 'image/webp' }],
	['https://example.com/photo.jpg', 'image/jpeg', { contentType: ' ' }],
	[Buffer.from('the file itself, in base64').toString('base64'), 'text/plain', { name: 'a.txt' }],
	['data:image/png;base64,cGhvdG8=', 'image/png', { name: 'a.jpg' }],
])('the content type of %s is told by its end: %s', async (url, contentType, ...[more]) => {
	const given = { ...inConversation, ...attachments({ url, ...more }) };
	const { attachments: sent } = (await requestOf('message: send', given)).body as Record<string, unknown[]>;
	expect(sent).toMatchObject([{ contentType }]);
});

test.each([
	'https://example.com/',
	'https://example.com/files/photo',
	'https://example.com/photo.',
	'https://example.com/.jpg',
	'https://example.com/photo.jpgx',
	'https://example.com/photo.jpg/',
	'https://photo.jpg',
	'https://example.com/?name=photo.jpg',
	'https://example.com/photo.constructor',
])('of %s no content type is told, and the error asks for it', (url) => {
	const given = { ...inConversation, ...attachments({ url, name: 'photo.xyz' }) };
	expect(() => plan('message: send', given)).toThrow('Attachment 1 has no Content Type');
});

test.each([
	'image/png\r\nx: y',
	'image/png;a=\0',
	'image/png\nb',
	'image/../png',
	'../../png',
	'image/..',
	'C:\\x',
	'c:/x.png',
	'image\\png',
	'a/b;c="\u2028"',
])('a content type that is none is refused by the field’s name: %j', (contentType) => {
	const given = { ...inConversation, ...attachments({ ...file, contentType }) };
	for (const path of ['message: send', 'conversation: sendOrStart']) {
		const started = path === 'message: send' ? given : { ...given, customerId: 'c' };
		expect(() => plan(path, started)).toThrow('Attachment 1: Content Type is not a MIME type');
	}
});

test.each([
	[' image/png\r\n', 'image/png'],
	['application/vnd.ms-excel.sheet.macroEnabled.12', 'application/vnd.ms-excel.sheet.macroEnabled.12'],
	['video/webm; codecs="vp8, opus"', 'video/webm; codecs="vp8, opus"'],
	['text/x..y', 'text/x..y'],
	['jpeg', 'jpeg'],
])('a content type goes out as it is: %j', async (contentType, expected) => {
	const given = { ...inConversation, ...attachments({ ...file, contentType }) };
	const { attachments: sent } = (await requestOf('message: send', given)).body as Record<string, unknown[]>;
	expect(sent).toMatchObject([{ contentType: expected }]);
});

test.each([
	['../../photo.jpg', 'photo.jpg'],
	['C:\\a\\photo.jpg', 'photo.jpg'],
	['photo\r\nx: y\0.jpg', 'photox: y.jpg'],
	['a/b/../photo.jpg/..', 'photo.jpg'],
	['photo.jpg. ..', 'photo.jpg'],
	['photo.jpg/...', 'photo.jpg'],
	['chats%2F42%2Fphoto.jpg', 'photo.jpg'],
])('a file name is its last part, without signs that cannot be seen: %j', async (name, expected) => {
	const given = { ...inConversation, ...attachments({ ...file, name }) };
	const { attachments: sent } = (await requestOf('message: send', given)).body as Record<string, unknown[]>;
	expect(sent).toMatchObject([{ name: expected }]);
});

test.each(['5 MB', '', ' ', NaN, Infinity, '1e999', 1e308, -1, '-1', true, null, [5], { a: 1 }])(
	'a limit that is no number is refused by the field’s name: %p',
	(value) => {
		const sending = { ...inConversation, text: 'x' };
		for (const [path, given, name, label] of [
			['message: send', sending, 'maxAttachmentSizeMb', 'Max Attachment Size (MB)'],
			[
				'message: downloadAttachments',
				{ attachments: [] },
				'maxAttachmentSizeMb',
				'Max Attachment Size (MB)',
			],
			['message: downloadAttachments', { attachments: [] }, 'maxAttachments', 'Max Attachments'],
		] as const) {
			expect(() => plan(path, { ...given, options: { [name]: value } })).toThrow(`${label} must be`);
		}
		expect(() => plan('message: getMany', { ...inConversation, limit: value })).toThrow('Limit must be');
	},
);

test.each(['5', ' 5 ', 5, '5e0'])('a limit that is a number is taken: %p', (value) => {
	const options = { maxAttachmentSizeMb: value };
	expect(() => plan('message: send', { ...inConversation, text: 'x', options })).not.toThrow();
	const limits = { maxAttachmentSizeMb: value, maxAttachments: value };
	expect(() => plan('message: downloadAttachments', { attachments: [], options: limits })).not.toThrow();
});

describe('files of binary fields', () => {
	const binary = (binaryPropertyName: string, more = {}) => ({
		...inConversation,
		...attachments({ source: 'binary', binaryPropertyName, contentType: '', name: '', ...more }),
	});
	const sent = async (given: Record<string, unknown>, files: Record<string, GivenFile> = FILES) => {
		const { plan: planned, check } = read('message: send', given, files);
		await check();
		const { requests } = await carryOut(planned, CREDENTIAL);
		return JSON.parse(bodyText(await requestBody(requests[0]!.body!))) as { attachments: unknown[] };
	};

	test.each<[Record<string, unknown>, Record<string, unknown>]>([
		[
			binary('photo'),
			{ name: 'photo.jpg', contentType: 'image/jpeg', contentUrl: 'data:image/jpeg;base64,cGhvdG8=' },
		],
		[binary('nameless'), { name: 'file.png', contentType: 'image/png' }],
		[binary('bare', { name: 'README.txt' }), { name: 'README.txt' }],
		[binary('invoice'), { name: 'Rechnung 4711.pdf' }],
		[binary('invoice', { name: 'Angebot' }), { name: 'Angebot.pdf' }],
		[binary('dated'), { name: 'Rechnung 12.5.2026.pdf' }],
		[binary('jpeg'), { name: 'a.JPEG' }],
		[binary('path'), { name: 'b.jpg' }],
		[binary('photo', { name: 'C:\\x\\y.jpg' }), { name: 'y.jpg' }],
		[
			binary('video'),
			{
				contentType: 'video/webm; codecs="vp8, opus"',
				contentUrl: 'data:video/webm;codecs=vp8%2C%20opus;base64,dmlkZW8=',
			},
		],
		[binary('typeless', { contentType: 'a/b' }), { contentType: 'a/b' }],
		[
			{ ...binary('photo'), options: { attachmentEncoding: 'base64' } },
			{ contentType: 'image/jpeg', contentUrl: 'cGhvdG8=' },
		],
	])('name, type and encoding are right in row %#', async (given, expected) =>
		expect((await sent(given)).attachments).toEqual([expect.objectContaining(expected)]),
	);

	// As n8n describes a file: its extension is whatever stands behind the last dot of the name.
	test.each<[string, Partial<GivenFile>, string]>([
		['Rechnung 4711.pdf', { fileName: 'Rechnung 4711' }, ''],
		['Rechnung Nr. 4711.pdf', { fileName: 'Rechnung Nr. 4711', fileExtension: ' 4711' }, ''],
		['Rechnung 12.5.2026.pdf', { fileName: 'Rechnung 12.5.2026', fileExtension: '2026' }, ''],
		['Vertrag.pdf', { fileName: 'Rechnung 12.5.2026', fileExtension: '2026' }, 'Vertrag'],
		['Mr.Smith.pdf', { fileName: 'Mr.Smith', fileExtension: 'Smith' }, ''],
		['offer.v2.pdf', { fileName: 'offer.v2', fileExtension: 'v2' }, ''],
		['offer.v2', { fileName: 'a.pdf' }, 'offer.v2'],
		['file.pdf', {}, ''],
		['photo.jpg', { fileName: 'chats%2F42%2Fphoto.jpg', fileExtension: 'jpg', mimeType: 'image/jpeg' }, ''],
		['Grüße 1.pdf', { fileName: 'Gr%C3%BC%C3%9Fe%201.pdf', fileExtension: 'pdf' }, ''],
		['50%off.pdf', { fileName: '50%off.pdf', fileExtension: 'pdf' }, ''],
		['Grüße%20.pdf', { fileName: 'Grüße%20.pdf', fileExtension: 'pdf' }, ''],
		['a.jsonl', { fileName: 'a.jsonl', fileExtension: 'jsonl', mimeType: 'application/json' }, ''],
		['a.docm', { fileName: 'a.docm', fileExtension: 'docm', mimeType: 'application/x-unknown' }, ''],
		['export.json', { fileName: 'export', mimeType: 'application/json; charset=utf-8' }, ''],
		['photo.jpg', { fileName: 'photo.jpg', fileExtension: 'jpg', mimeType: '' }, ''],
	])('%s is the name of %j, called “%s”', async (expected, described, name) => {
		const files = { one: { mimeType: 'application/pdf', ...described } };
		expect(await sent(binary('one', { name }), files)).toMatchObject({ attachments: [{ name: expected }] });
	});

	test('a type of the binary field that ends its line is refused by the field’s name', () =>
		expect(() => plan('message: send', binary('split'))).toThrow(
			'Attachment 1: Content Type is not a MIME type',
		));

	test('several go along, with URLs between them, and take their places', async () => {
		const given = {
			...inConversation,
			...attachments({ source: 'binary', binaryPropertyName: 'photo' }, file, {
				source: 'binary',
				binaryPropertyName: 'nameless',
			}),
		};
		expect(await sent(given)).toHaveProperty('attachments', [
			{ contentType: 'image/jpeg', name: 'photo.jpg', contentUrl: 'data:image/jpeg;base64,cGhvdG8=' },
			{ contentType: file.contentType, name: file.name, contentUrl: file.url },
			{ contentType: 'image/png', name: 'file.png', contentUrl: 'data:image/png;base64,bmFtZWxlc3M=' },
		]);
	});

	test('of a whole file that is given as a name, the error shows the beginning', () => {
		const error = thrownBy(() => plan('message: send', binary('QUJD'.repeat(1_000_000))));
		expect(error).toMatchObject({ message: expect.stringContaining('no binary field “QUJDQUJD') });
		expect(String(error).length).toBeLessThan(300);
	});

	test.each<[string, string, Record<string, unknown>]>([
		['there is no binary field “gone”', 'The item has: photo, nameless', binary('gone')],
		['has no Input Data Field Name', 'The item has: photo', binary(' ')],
		['the file name README has no extension', 'photo.jpg', binary('bare')],
		['has no Content Type', 'MIME type', binary('typeless')],
		[
			'Max Attachment Size (MB) must be',
			'It is 0',
			{ ...binary('photo'), options: { maxAttachmentSizeMb: 0 } },
		],
		[
			'Attachment Encoding is unknown',
			'Choose',
			{ ...binary('photo'), options: { attachmentEncoding: 'hex' } },
		],
	])('%s', (message, description, given) => {
		expect(thrownBy(() => plan('message: send', given))).toMatchObject({
			message: expect.stringContaining(message),
			description: expect.stringContaining(description),
		});
	});

	test.each<[number, number | undefined, string | undefined, string]>([
		[0, undefined, 'is empty', 'The file in the binary field has 0 bytes.'],
		[5 * 1024 * 1024, undefined, undefined, ''],
		[5 * 1024 * 1024 + 1, undefined, 'is larger than 5 MB', 'It has 5,242,881 bytes.'],
		[8_000_000, undefined, 'is larger than 5 MB', 'It has 8,000,000 bytes.'],
		[512 * 1024, 0.5, undefined, ''],
		[512 * 1024 + 1, 0.5, 'is larger than 0.5 MB', 'It has 524,289 bytes.'],
	])('a file of %i bytes with the limit %p: %p', async (bytes, maxAttachmentSizeMb, message, description) => {
		const files = { photo: { ...FILES.photo!, data: Buffer.alloc(bytes) } };
		const options = maxAttachmentSizeMb === undefined ? {} : { maxAttachmentSizeMb };
		const { plan: planned, check } = read('message: send', { ...binary('photo'), options }, files);
		const { requests } = await carryOut(planned, CREDENTIAL);
		const reading = requestBody(requests[0]!.body!);
		// Before anything is sent, and once more when it is read: n8n does not always know a file's size before.
		for (const checked of [check(), reading.then(() => undefined)]) {
			const error = await checked.catch((thrown: unknown) => thrown);
			if (message === undefined) expect(error).toBeUndefined();
			else
				expect(error).toMatchObject({
					message: `Attachment 1: photo.jpg ${message}`,
					description: expect.stringContaining(description),
				});
		}
	});
});

describe('what keeps its order, and what may be repeated', () => {
	test.each<[string, Record<string, unknown>, string | undefined]>([
		['message: send', { ...inConversation, text: 'x' }, `conversation ${CONVERSATION}`],
		[
			'message: send',
			{ conversationId: CONVERSATION.toUpperCase(), text: 'x' },
			`conversation ${CONVERSATION}`,
		],
		['message: sendTyping', { ...inConversation, senderName: 'J' }, `conversation ${CONVERSATION}`],
		[
			'message: markAsRead',
			{ ...inConversation, messageId: '1756399395730' },
			`conversation ${CONVERSATION}`,
		],
		['customEvent: send', { ...inConversation, eventName: 'E' }, `conversation ${CONVERSATION}`],
		['conversation: end', inConversation, `conversation ${CONVERSATION}`],
		['conversation: create', { customerId: 'jdoe' }, 'customer jdoe'],
		['conversation: create', {}, undefined],
		['message: getMany', inConversation, undefined],
	])('%s waits for what it must not overtake (row %#)', (path, given, orderingKey) =>
		expect(plan(path, given).orderingKey).toBe(orderingKey),
	);

	test.each<[string, Record<string, unknown>, boolean, string]>([
		['message: send', { ...inConversation, text: 'x' }, false, 'Message: Get Many'],
		['message: sendTyping', { ...inConversation, senderName: 'J' }, false, 'no harm'],
		['message: markAsRead', { ...inConversation, messageId: '1756399395730' }, false, 'no harm'],
		['customEvent: send', { ...inConversation, eventName: 'E' }, false, 'AI agent'],
		['conversation: end', inConversation, false, 'Conversation: Get Context'],
		['conversation: create', {}, false, 'Conversation: Get Many'],
		['conversation: create', { customerId: 'jdoe' }, true, 'jdoe'],
		['conversation: create', { customerId: 'jdoe', options: { startMessage: 'x' } }, false, 'jdoe'],
	])(
		'%s says whether it may be repeated, and else how to look (row %#)',
		async (path, given, isIdempotent, howToVerify) => {
			expect(await requestOf(path, given)).toMatchObject({
				isIdempotent,
				howToVerify: expect.stringContaining(howToVerify),
			});
		},
	);

	test.each<[Record<string, unknown>]>([[{ startMessage: 'x', skipAiAgent: true }], [{ startMessage: 'x' }]])(
		'a start message that was lost is not sent as a message: case %#',
		async (options) => {
			const planned = plan('conversation: create', { customerId: 'jdoe', options });
			const lost = new ServiceError({ message: 'lost', description: '', outcome: 'uncertain' });
			const answers: Array<Json | Error> = [lost, { conversationId: CONVERSATION, isNew: true }];
			const { requests, error } = await carryOut(planned, CREDENTIAL, answers);
			expect(requests.map(({ body }) => Object.keys(body ?? {}).includes('startmessage'))).toEqual([
				true,
				false,
			]);
			expect(error).toMatchObject({ outcome: 'uncertain', conversationId: CONVERSATION });
		},
	);
});

describe('what is larger than 28 KB in total is refused before anything is sent', () => {
	const withLongValue = (length: number, letter = 'x') => ({
		...inConversation,
		eventName: 'E',
		eventValue: JSON.stringify({ a: letter.repeat(length) }),
	});
	const variables = (length: number) => ({
		contextMode: 'json',
		contextJson: JSON.stringify({ a: 'x'.repeat(length) }),
	});
	const startMessage = 'x'.repeat(20 * 1024);

	/** The longest value that fits, in letters of so many bytes. */
	const longest = (given: (length: number) => [string, Record<string, unknown>]) => {
		const fits = (length: number) => thrownBy(() => plan(...given(length))) === undefined;
		let [low, high] = [0, 40_000];
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (fits(middle)) low = middle;
			else high = middle;
		}
		return low;
	};

	test('an event counts in bytes of what is sent', async () => {
		for (const [letter, bytes] of [
			['x', 1],
			['é', 2],
			['漢', 3],
		] as const) {
			const length = longest((some) => ['customEvent: send', withLongValue(some, letter)]);
			const { body } = await requestOf('customEvent: send', withLongValue(length, letter));
			const size = Buffer.byteLength(JSON.stringify(body));
			expect(size).toBeLessThanOrEqual(28 * 1024);
			expect(size).toBeGreaterThan(28 * 1024 - bytes);
		}
		expect(thrownBy(() => plan('customEvent: send', withLongValue(28 * 1024)))).toMatchObject({
			message: 'The event is larger than 28 KB in total',
			description: expect.stringContaining('Event Value'),
		});
	});

	test.each<[string, Record<string, unknown>, string | undefined]>([
		['message: send', { text: '漢'.repeat(6000) }, undefined],
		['message: send', { text: '\u0001'.repeat(6000) }, 'The message'],
		['message: send', { text: 'x', attachments: { attachment: [fileOf(60_000)] } }, undefined],
		['message: send', { text: 'x', attachments: { attachment: [linkOf(60_000)] } }, 'The message'],
		['conversation: create', { ...variables(9 * 1024), options: { startMessage } }, 'The start message'],
		['conversation: create', { ...variables(7 * 1024), options: { startMessage } }, undefined],
		['conversation: create', variables(40 * 1024), undefined],
		['conversation: sendOrStart', { customerId: 'j', text: '\u0001'.repeat(6000) }, 'The message'],
		[
			'conversation: sendOrStart',
			{ customerId: 'j', text: 'Hi', ...variables(30_000), options: { skipAiAgent: true } },
			'The start message',
		],
		['conversation: sendOrStart', { customerId: 'j', text: 'Hi', ...variables(30_000) }, undefined],
	])('%s (row %#)', (path, given, what) => {
		const error = thrownBy(() => plan(path, { ...inConversation, ...given }));
		if (what === undefined) expect(error).toBeUndefined();
		else expect(error).toMatchObject({ message: `${what} is larger than 28 KB in total` });
	});
});

function fileOf(bytes: number) {
	return {
		source: 'url',
		url: `data:image/jpeg;base64,${Buffer.alloc(bytes).toString('base64')}`,
		name: 'a.jpg',
	};
}

function linkOf(length: number) {
	return {
		source: 'url',
		url: `https://example.com/a.jpg?${'x'.repeat(length)}`,
		name: 'a.jpg',
		contentType: 'image/jpeg',
	};
}
