import * as fc from 'fast-check';
import { KNOWN_EVENTS } from '../../../nodes/Dynamics365Messaging/activity/events';
import { NotAnActivity, readActivity } from '../../../nodes/Dynamics365Messaging/activity/read';
import type { Json } from '../../../nodes/shared/json';

const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';
const CHANNEL = '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391';
const NOW = '2026-11-20T12:00:00.000Z';
const read = (body: Json) => readActivity(body, CONVERSATION, NOW);
const conversation = { id: CONVERSATION };

/** The documentation's samples, and what a workflow sees of each. */
const SAMPLES: Array<[string, { [key: string]: Json }, Record<string, unknown>]> = [
	[
		'accepted',
		{
			type: 'message',
			channelId: CHANNEL,
			conversation,
			text: 'EventName: **_AgentAccepted_**',
			name: 'AgentAccepted',
		},
		{
			eventType: 'conversationEvent',
			eventName: 'AgentAccepted',
			eventCategory: 'agentJoined',
			conversationEnded: false,
			from: null,
		},
	],
	[
		'accepted, as the table has it',
		{ type: 'event', channelId: CHANNEL, conversation, name: 'AgentAccepted' },
		{
			eventType: 'conversationEvent',
			eventName: 'AgentAccepted',
			eventCategory: 'agentJoined',
			conversationEnded: false,
		},
	],
	[
		'typing',
		{ type: 'typing', channelId: 'MessagingApi', conversation, recipient: { id: 'r' } },
		{
			eventType: 'typing',
			channelId: 'MessagingApi',
			conversationEnded: false,
			from: null,
			activityId: null,
		},
	],
	[
		'message',
		{
			type: 'message',
			channelId: CHANNEL,
			from: { id: 's', name: 'Ana' },
			conversation,
			textFormat: 'markdown',
			text: 'hello',
		},
		{
			eventType: 'message',
			text: 'hello',
			textFormat: 'markdown',
			attachments: [],
			from: { id: 's', name: 'Ana' },
		},
	],
	[
		'attachment',
		{
			type: 'message',
			channelId: CHANNEL,
			from: { id: 's', name: 'Ana' },
			conversation,
			textFormat: 'markdown',
			attachments: [
				{
					contentType: 'image/jpeg',
					contentUrl: 'https://x/1',
					content: null,
					name: 'issue (1).jpg',
					thumbnailUrl: null,
				},
			],
		},
		{
			eventType: 'message',
			text: null,
			attachments: [
				{
					contentType: 'image/jpeg',
					contentUrl: 'https://x/1',
					content: null,
					name: 'issue (1).jpg',
					thumbnailUrl: null,
				},
			],
		},
	],
	[
		'representative closed',
		{
			type: 'message',
			channelId: CHANNEL,
			from: { id: 's' },
			conversation,
			text: 'EventName: **_AgentClosed_**',
			name: 'AgentClosed',
		},
		{
			eventType: 'conversationEvent',
			eventName: 'AgentClosed',
			eventCategory: 'agentLeft',
			conversationEnded: false,
			from: { id: 's', name: null },
		},
	],
	[
		'conversation closed',
		{
			type: 'message',
			channelId: CHANNEL,
			from: { id: 's' },
			conversation,
			text: 'EventName: **_ConversationClosed_**',
			name: 'ConversationClosed',
		},
		{
			eventType: 'conversationEvent',
			eventName: 'ConversationClosed',
			eventCategory: 'closed',
			conversationEnded: true,
		},
	],
	[
		'custom event',
		{
			type: 'event',
			id: '1756399395730',
			serviceUrl: 'https://webhook.com/',
			channelId: CHANNEL,
			conversation,
			channelData: {
				customEvent: true,
				customEventName: 'CustomTest',
				customEventValue: '{"Order":{"Id":7},"Text":"Hi"}',
			},
			name: 'CustomTest',
		},
		{
			eventType: 'customEvent',
			activityId: '1756399395730',
			customEventName: 'CustomTest',
			customEventValue: { Order: { Id: 7 }, Text: 'Hi' },
			conversationEnded: false,
		},
	],
];

/** The schema's own keys in PascalCase, as Copilot Studio sends them; what is inside ChannelData stays. */
function pascal(value: Json): Json {
	if (Array.isArray(value)) return value.map(pascal);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => [
			key.charAt(0).toUpperCase() + key.slice(1),
			key === 'channelData' ? inner : pascal(inner),
		]),
	);
}

describe.each(SAMPLES)('%s', (_, sample, expected) => {
	test('in camelCase', () => expect(read(sample)).toMatchObject(expected));
	test('in PascalCase', () => expect(read(pascal(sample))).toMatchObject(expected));
	test('is passed on exactly as it came', () => {
		const sent = pascal(sample);
		expect(read(sent).activity).toBe(sent);
	});
	test('with what every item has', () => {
		expect(read(sample)).toMatchObject({ conversationId: CONVERSATION, receivedAt: NOW });
	});
	test('without the conversation in the body', () => {
		const rest = Object.fromEntries(Object.entries(sample).filter(([key]) => key !== 'conversation'));
		expect(read(rest)).toMatchObject({ ...expected, conversationId: CONVERSATION });
	});
});

const CATEGORIES: Record<string, string> = {
	agentJoined: 'AgentAccepted AgentAssigned AgentJoinedCustomerConversation AgentJoinedConversation',
	agentLeft: 'AgentEndSession AgentEndedSession AgentDisconnected AgentClosed',
	closed:
		'PrimaryAgentEndConversation ConversationClose ConversationClosed SupervisorForceClosedConversation',
	consult:
		'AgentEndedConsult ConsultAgentInitiated ConsultAgentFailed ConsultAgentAcceptSession ConsultAgentEndSession ConsultAgentRejectSession ConsultAgentSessionTimedOut ConsultAgentRemoved ConsultAgentLeftPublicConversation',
	transfer:
		'TransferToAgentInitiated TransferToAgentFailed TransferAgentAcceptSession TransferAgentRejectSession TransferAgentTimedOutSession TransferToQueueInitiated TransferToQueueFailed AgentTransferAcceptedSession AgentTransferFailed QueueTransferFailed',
	customer: 'CustomerDisconnected CustomerDisconnectedAgentWaiting',
	outOfHours: 'OutOfOperatingHoursDueToNonWorkingHours OutOfOperatingHoursDueToHoliday',
	other: 'AgentStartSecondaryChannel AgentRaiseSecondaryChannel AgentEndSecondaryChannel SomethingNewIn2027',
};

describe.each(
	Object.entries(CATEGORIES).flatMap(([category, names]) =>
		names.split(' ').map((name) => [name, category] as const),
	),
)('%s is of category %s', (name, eventCategory) => {
	const expected = {
		eventType: 'conversationEvent',
		eventName: name,
		eventCategory,
		conversationEnded: eventCategory === 'closed',
	};
	test.each<[string, Json]>([
		['as a message', { type: 'message', name, text: `EventName: **_${name}_**` }],
		['as a message whose name is in the text only', { type: 'message', text: `EventName: **_${name}_**` }],
		['as an event', { type: 'event', name }],
	])('%s', (_, body) => {
		const item = read(body);
		expect(item).toMatchObject(expected);
		expect(item).not.toHaveProperty('text');
	});
});

test.each<[string, Json, Record<string, unknown>]>([
	[
		'a known name without its text',
		{ type: 'message', name: 'AgentAccepted', text: 'Ana is here' },
		{ eventType: 'conversationEvent', eventName: 'AgentAccepted' },
	],
	[
		'an unknown name on an ordinary message',
		{ type: 'message', name: 'greeting', text: 'hello' },
		{ eventType: 'message', text: 'hello' },
	],
	[
		'a text that only mentions an event',
		{ type: 'message', text: 'EventName: AgentAccepted is what I saw' },
		{ eventType: 'message' },
	],
	[
		'a message of nothing',
		{ type: 'message' },
		{ eventType: 'message', text: null, textFormat: null, attachments: [], from: null, channelId: null },
	],
	['an event without a name', { type: 'event' }, { eventType: 'other' }],
	[
		'an unknown type',
		{ type: 'messageReaction', reactions: [] },
		{ eventType: 'other', conversationEnded: false },
	],
	[
		'the end of the conversation',
		{ type: 'endOfConversation' },
		{ eventType: 'other', conversationEnded: true },
	],
	['a type in capitals', { Type: 'Message', Text: 'hi' }, { eventType: 'message', text: 'hi' }],
	[
		'a custom event that is named like a conversation event',
		{ type: 'event', name: 'ConversationClosed', channelData: { customEvent: true } },
		{
			eventType: 'customEvent',
			customEventName: 'ConversationClosed',
			customEventValue: null,
			conversationEnded: false,
		},
	],
	[
		'a custom event whose value is no JSON',
		{ type: 'event', name: 'X', channelData: { customEvent: true, customEventValue: '{oops' } },
		{ eventType: 'customEvent', customEventValue: '{oops' },
	],
	[
		'a custom event whose value is JSON null',
		{ type: 'event', name: 'X', channelData: { customEvent: true, customEventValue: 'null' } },
		{ customEventValue: null },
	],
	[
		'a custom event whose value is an object already',
		{ type: 'event', name: 'X', channelData: { customEvent: true, customEventValue: { Id: 1 } } },
		{ customEventValue: { Id: 1 } },
	],
	['both casings at once', { type: 'message', text: 'camel', Text: 'pascal' }, { text: 'camel' }],
	['a numeric id', { type: 'message', id: 17 }, { activityId: '17' }],
	[
		'attachments that are none',
		{ type: 'message', attachments: ['x', null, { name: 'y' }] },
		{ attachments: [{ name: 'y', contentUrl: null, contentType: null, content: null, thumbnailUrl: null }] },
	],
	['attachments that are no list', { type: 'message', attachments: { name: 'y' } }, { attachments: [] }],
	[
		'a known name without its marks',
		{ type: 'message', text: 'eventname: agentclosed' },
		{ eventType: 'conversationEvent', eventName: 'agentclosed', eventCategory: 'agentLeft' },
	],
	[
		'a line break and words behind the name',
		{ type: 'message', text: 'EventName: **_AgentClosed_**<br>by Ana' },
		{ eventType: 'conversationEvent', eventName: 'AgentClosed' },
	],
	[
		'marks around the word',
		{ type: 'message', text: '**EventName:** AgentClosed' },
		{ eventType: 'conversationEvent', eventName: 'AgentClosed' },
	],
	[
		'an unknown name without the marks',
		{ type: 'message', text: 'eventname: test' },
		{ eventType: 'message', text: 'eventname: test' },
	],
	[
		'a sender’s name beside the text',
		{ type: 'message', name: 'Ana', text: 'EventName: **_ConversationClosed_**' },
		{ eventName: 'ConversationClosed', conversationEnded: true },
	],
	[
		'a name with white space around it',
		{ type: 'message', name: ' ConversationClosed ' },
		{ eventName: 'ConversationClosed', conversationEnded: true },
	],
	[
		'an event that has its name in the text only',
		{ type: 'event', text: 'EventName: **_AgentAccepted_**' },
		{ eventName: 'AgentAccepted' },
	],
	[
		'another type that names an event',
		{ type: 'conversationUpdate', name: 'ConversationClosed' },
		{ eventType: 'conversationEvent', conversationEnded: true },
	],
	[
		'a customEvent that is only a text',
		{ type: 'message', text: 'hi', channelData: { customEvent: 'true' } },
		{ eventType: 'message', text: 'hi' },
	],
	[
		'a number that JavaScript cannot hold',
		{
			type: 'event',
			name: 'X',
			channelData: { customEvent: true, customEventValue: '12345678901234567890' },
		},
		{ customEventValue: '12345678901234567890' },
	],
	[
		'a number that it can',
		{ type: 'event', name: 'X', channelData: { customEvent: true, customEventValue: '7.5' } },
		{ customEventValue: 7.5 },
	],
	[
		'a custom event with a number that JavaScript cannot hold',
		{
			type: 'event',
			name: 'X',
			channelData: { customEvent: true, customEventValue: '{"id": 9007199254740993, "n": 7}' },
		},
		{ customEventValue: { id: '9007199254740993', n: 7 } },
	],
	[
		'a custom event whose value is nested too deeply',
		{ type: 'event', name: 'X', channelData: { customEvent: true, customEventValue: '['.repeat(200_000) } },
		{ customEventValue: '['.repeat(200_000) },
	],
	[
		'a custom event whose value is nested too deeply, and closed',
		{
			type: 'event',
			name: 'X',
			channelData: { customEvent: true, customEventValue: '['.repeat(66) + ']'.repeat(66) },
		},
		{ customEventValue: '['.repeat(66) + ']'.repeat(66) },
	],
	[
		'a text that is no Markdown',
		{ type: 'message', text: 'Dial *123*45#', textFormat: 'Plain' },
		{ plainText: 'Dial *123*45#', textFormat: 'Plain' },
	],
	[
		'the conversation in other capitals',
		{ type: 'typing', conversation: { id: CONVERSATION.toUpperCase() } },
		{ eventType: 'typing' },
	],
])('reads %s', (_, body, expected) => expect(read(body)).toMatchObject(expected));

test.each<[string, Json | undefined]>([
	['nothing', undefined],
	['null', null],
	['a list', [{ type: 'message' }]],
	['a text', '{"type":"message"}'],
	['a number', 1],
	['no type', { text: 'hello' }],
	['an empty type', { type: ' ' }],
	['a type that is no text', { type: { message: true } }],
	['another conversation', { type: 'message', conversation: { id: 'another' } }],
	['another conversation in PascalCase', { Type: 'message', Conversation: { Id: 'another' } }],
])('refuses %s', (_, body) => {
	expect(() => readActivity(body, CONVERSATION, NOW)).toThrow(NotAnActivity);
});

test('the plain text is read only when it is asked for', () => {
	const item = read({ type: 'message', text: '**a**' });
	expect(Object.getOwnPropertyDescriptor(item, 'plainText')).toMatchObject({ get: expect.any(Function) });
	expect({ ...item }).toMatchObject({ plainText: 'a' });
});

test.each([
	'EventName: a' + '_'.repeat(40_000) + '!',
	'EventName:' + ' '.repeat(1_000_000),
	'*'.repeat(1_000_000),
])('a text that is made to be slow costs no time', (text) => {
	const start = performance.now();
	expect(read({ type: 'event', name: 'X', text })).toMatchObject({ eventName: 'X' });
	expect(performance.now() - start).toBeLessThan(200);
});

test('reads whatever comes without throwing, and passes every activity on', () => {
	const key = fc.constantFrom(
		'type',
		'Type',
		'name',
		'text',
		'Text',
		'from',
		'attachments',
		'channelData',
		'ChannelData',
		'customEvent',
		'customEventValue',
		'id',
		'Id',
		'__proto__',
		'constructor',
		'x',
	);
	const value = fc.letrec<{ json: Json }>((tie) => ({
		json: fc.oneof(
			{ depthSize: 'small' },
			fc.constantFrom('message', 'event', 'typing', 'AgentAccepted', 'EventName: **_X_**', true, null, 0),
			fc.string(),
			fc.double(),
			fc.array(tie('json'), { maxLength: 3 }),
			fc.dictionary(key, tie('json'), { maxKeys: 6 }) as fc.Arbitrary<Json>,
		),
	})).json;
	fc.assert(
		fc.property(value, (body) => {
			try {
				const item = read(body);
				expect(item.activity).toBe(body);
				expect(JSON.parse(JSON.stringify(item))).toMatchObject({ eventType: item.eventType });
			} catch (error) {
				if (!(error instanceof NotAnActivity)) throw error;
			}
		}),
		{ numRuns: 2000 },
	);
});

test.each<[Json, string[]]>([
	[
		{ type: 'message', text: '**Hi**', from: { id: 's', name: 'Ana' } },
		[
			...['text', 'plainText', 'conversationId', 'from', 'eventType', 'attachments', 'buttons', 'cards'],
			...['textFormat', 'replyToId', 'locale'],
		],
	],
	[{ type: 'typing' }, ['conversationId', 'from', 'eventType']],
	[
		{ type: 'event', name: 'AgentAccepted' },
		['conversationId', 'from', 'eventType', 'eventName', 'eventCategory'],
	],
	[
		{ type: 'event', name: 'Order', channelData: { customEvent: true, customEventValue: '1' } },
		['conversationId', 'from', 'eventType', 'customEventName', 'customEventValue'],
	],
	[{ type: 'trace' }, ['conversationId', 'from', 'eventType']],
])('what people use first comes first, and the activity last: %j', (body, first) => {
	const last = ['conversationEnded', 'channelId', 'activityId', 'receivedAt', 'activity'];
	expect(Object.keys({ ...read(body) })).toEqual([...first, ...last]);
});

test('each event of the list has a category and a word of explanation', () => {
	expect(KNOWN_EVENTS.length).toBeGreaterThan(35);
	expect(KNOWN_EVENTS.find(({ name }) => name === 'AgentAccepted')!.meaning).toBe('A representative joined');
	for (const { name, meaning } of KNOWN_EVENTS) {
		expect(`${name}: ${meaning}`).toMatch(/^[A-Za-z]+: (A|It|No|The) [a-zA-Z();, ]{5,70}$/);
	}
	expect(KNOWN_EVENTS.map(({ name }) => name)).toEqual(KNOWN_EVENTS.map(({ name }) => name).sort());
});
