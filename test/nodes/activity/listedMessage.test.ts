import { readListedMessage } from '../../../nodes/Dynamics365Messaging/activity/listedMessage';
import type { Json } from '../../../nodes/shared/json';

const CONVERSATION = '9f6c021d-1234-4abc-8df7-123456789abc';
const read = (entry: Json) => readListedMessage(entry, CONVERSATION);

test('the sample of the documentation has its words first and the entry last', () => {
	const entry = {
		type: 'message',
		attachments: [],
		text: 'Message **1**',
		messageId: '12313',
		timestamp: '2025-04-15T12:37:00+00:00',
		from: {},
		channelData: {},
	};
	const item = read(entry);
	expect(item).toEqual({
		text: 'Message **1**',
		plainText: 'Message 1',
		conversationId: CONVERSATION,
		from: { id: null, name: null },
		fromType: null,
		sentAt: '2025-04-15T12:37:00.000Z',
		messageId: '12313',
		attachments: [],
		buttons: [],
		cards: [],
		eventType: 'message',
		eventName: null,
		activityId: null,
		textFormat: null,
		replyToId: null,
		locale: null,
		activity: entry,
	});
	expect(Object.keys(item).slice(0, 5)).toEqual(['text', 'plainText', 'conversationId', 'from', 'fromType']);
	expect(Object.keys(item).at(-1)).toBe('activity');
});

const automated = { 'messagingapi-oc': { type: 'AutomatedMessage' } };

test.each<[string, { [key: string]: Json }, string | null]>([
	['a tag of the customer', { channelData: { tags: 'ChannelId-lcw,FromCustomer' } }, 'customer'],
	['tags as a list', { channelData: { tags: ['FromCustomer'] } }, 'customer'],
	['tags as JSON', { channelData: { tags: '["FromCustomer"]' } }, 'customer'],
	['another casing', { ChannelData: { Tags: 'fromcustomer' } }, 'customer'],
	['both tags', { channelData: { tags: 'public,FromCustomer' } }, 'customer'],
	['what only the customer’s side sends', { channelData: automated }, 'customer'],
	['a public tag', { channelData: { tags: 'public,client_activity_id:7' } }, 'representative'],
	['a notice', { channelData: { tags: 'public,system' } }, 'system'],
	['an event as a text', { text: 'EventName: **_AgentAccepted_**' }, 'system'],
	['an event by its name', { type: 'event', name: 'AgentAccepted' }, 'system'],
	['a tag that only contains the word', { channelData: { tags: 'NotFromCustomer,republic' } }, null],
	['a tag of another kind', { channelData: { tags: 'Hidden' } }, null],
	['a name that looks like one', { from: { id: 'agent', name: 'Customer' } }, null],
	['a channel data that is no object', { channelData: 'FromCustomer' }, null],
	['nothing', {}, null],
])('who said it, by %s', (_, entry, fromType) => {
	expect(read({ type: 'message', text: 'Hello', ...entry }).fromType).toBe(fromType);
});

test.each<[Json, string, string | null]>([
	[{ Type: 'Message', Text: 'x' }, 'message', null],
	[
		{ type: 'message', text: 'EventName: **_AgentAccepted_**', name: 'AgentAccepted' },
		'conversationEvent',
		'AgentAccepted',
	],
	[{ type: 'typing' }, 'other', null],
	[{}, 'other', null],
	[null, 'other', null],
	['x', 'other', null],
])('%j is an item of the type %s', (entry, eventType, eventName) => {
	expect(read(entry)).toMatchObject({
		eventType,
		eventName,
		activity: entry === null || entry === 'x' ? {} : entry,
	});
});

test('keys are read in any casing, and what is no time is none', () => {
	const entry = { MessageId: '1', Id: 'mine', Timestamp: 'soon', From: { Id: 7, Name: 'Ana' } };
	expect(read(entry)).toMatchObject({
		messageId: '1',
		activityId: 'mine',
		sentAt: null,
		from: { id: '7', name: 'Ana' },
	});
});
