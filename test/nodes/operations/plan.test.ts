import { validateRequest } from '../../../emulator/contract';
import { InputError } from '../../../nodes/Dynamics365Messaging/api/errors';
import type { Json } from '../../../nodes/Dynamics365Messaging/api/json';
import { urlOf } from '../../../nodes/Dynamics365Messaging/api/request';
import { parameterReader } from '../../../nodes/Dynamics365Messaging/operations/parameters';
import {
	findOperation,
	OPERATIONS,
	properties,
} from '../../../nodes/Dynamics365Messaging/operations/registry';
import type { Plan } from '../../../nodes/Dynamics365Messaging/operations/types';

const CHANNEL = '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391';
const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';

/** What n8n would give: the parameters of the workflow, and the fields' defaults where it has none. */
function plan(path: string, given: Record<string, unknown>): Plan {
	const [resource, name] = path.split(': ') as [string, string];
	const operation = findOperation(resource, name)!;
	const defaults = Object.fromEntries(operation.fields.map((field) => [field.name, field.default]));
	const values: Record<string, unknown> = { ...defaults, ...given };
	return operation.plan(
		parameterReader({
			get: (key) => values[key],
			getLocator: (key) => values[key],
			toIso: (value) =>
				Number.isNaN(Date.parse(String(value))) ? undefined : new Date(String(value)).toISOString(),
		}),
		CHANNEL,
	);
}

function requestOf(path: string, given: Record<string, unknown>) {
	const planned = plan(path, given);
	if (planned.kind === 'download') throw new Error('it makes no request of the service');
	return planned.kind === 'call' ? planned.request : planned.list.request;
}

/** The ways in which the request breaks the contract: none, for whatever the node lets through. */
function contractErrors(path: string, given: Record<string, unknown>) {
	const request = requestOf(path, given);
	const url = urlOf('https://localhost', request);
	return validateRequest({
		method: request.method,
		path: url.pathname + url.search,
		headers: {
			authorization: 'Bearer x',
			'channel-id': CHANNEL,
			'organization-id': '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60',
			'content-type': 'application/json',
		},
		body: request.body,
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
	])('%s %j', (path, given, body) => {
		expect(requestOf(path, given).body).toEqual(body);
		expect(contractErrors(path, given)).toMatchObject({
			operationId: expect.any(String),
			errors: [],
		});
	});

	test('the older create path can be chosen', () => {
		expect(requestOf('conversation: create', {}).path).toBe('/conversation/create');
		expect(requestOf('conversation: create', { options: { createPath: '/conversations/create' } }).path).toBe(
			'/conversations/create',
		);
		expect(
			contractErrors('conversation: create', { options: { createPath: '/conversations/create' } }).errors,
		).toEqual([]);
	});

	test('an id is percent-encoded in the path and as it is in the body', () => {
		const request = requestOf('message: send', { conversationId: ' 19:a/b?c#d ', text: 'x' });
		expect(request.path).toBe('/conversation/19%3Aa%2Fb%3Fc%23d');
		expect(request.body).toMatchObject({ conversation: { id: '19:a/b?c#d' } });
		expect(urlOf('https://localhost', request).pathname).toBe(
			'/api/v1.0/consumer/conversation/19%3Aa%2Fb%3Fc%23d',
		);
	});

	test('a start time goes out in UTC', () => {
		const options = { startTime: '2026-01-31T10:00:00+01:00' };
		expect(requestOf('conversation: getMany', { options }).query).toEqual({
			StartTimeStamp: '2026-01-31T09:00:00.000Z',
		});
		expect(requestOf('message: getMany', { ...inConversation, options }).query).toEqual({
			StartTimeStamp: '2026-01-31T09:00:00.000Z',
		});
	});

	test.each([
		['conversation: getMany', { returnAll: true }, undefined, 250],
		['conversation: getMany', { limit: 7 }, 7, 250],
		['message: getMany', { ...inConversation, limit: '7' }, 7, 100],
		['message: getMany', inConversation, 50, 100],
	])('%s %j reads up to %p in pages of at most %i', (path, given, limit, maxPageSize) => {
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
			(n) => ({ ...inConversation, ...attachments({ ...file, name: x(n) }) }),
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
	])('%s of %s', (field, path, given, limit) => {
		expect(contractErrors(path, given(limit)).errors).toEqual([]);
		expect(() => plan(path, given(limit + 1))).toThrow(InputError);
		expect(() => plan(path, given(limit + 1))).toThrow(field);
	});
});

describe('what is refused, by the field’s name', () => {
	test.each<[string, Record<string, unknown>, string]>([
		['message: send', { conversationId: '' }, 'Conversation'],
		['message: send', { conversationId: '.', text: 'x' }, 'Conversation'],
		['conversation: end', { conversationId: ' .. ' }, 'Conversation'],
		['conversation: end', { conversationId: { id: 'x' } }, 'Conversation'],
		['message: send', { conversationId: 'Create', text: 'x' }, 'Conversation is not an ID'],
		['message: send', { conversationId: '\ud800', text: 'x' }, 'Conversation is not an ID'],
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
			{ ...inConversation, ...attachments({ ...file, contentType: '' }) },
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
	])('%s %j', (path, given, message) => {
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
	const callOf = (path: string) => {
		const planned = plan(path, { ...inConversation, text: 'x', eventName: 'E' });
		if (planned.kind !== 'call') throw new Error('not a call');
		return planned.toItems;
	};
	test.each<[string, Json, unknown]>([
		[
			'conversation: create',
			{ conversationId: 'c', isNew: true, messageId: '1' },
			[{ conversationId: 'c', isNew: true, messageId: '1' }],
		],
		[
			'conversation: create',
			{ ConversationId: 'c', IsNew: false, MessageId: '' },
			[{ conversationId: 'c', isNew: false, messageId: null }],
		],
		[
			'conversation: create',
			{ conversationid: 'c', isnew: true, messageid: 1756399395730 },
			[{ conversationId: 'c', isNew: true, messageId: '1756399395730' }],
		],
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
		[
			'message: getMany',
			{ Type: 'message', MessageId: '1', Text: 'x' },
			{
				conversationId: CONVERSATION,
				messageId: '1',
				type: 'message',
				text: 'x',
				timestamp: null,
				from: null,
				attachments: [],
				channelData: null,
			},
		],
	])('%s: an entry %j', (path, entry, item) => {
		const planned = plan(path, inConversation);
		expect(planned.kind === 'list' && planned.toItem(entry)).toEqual(item);
	});
});
