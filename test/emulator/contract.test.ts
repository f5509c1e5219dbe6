import {
	describeCode,
	document,
	validateAnswer,
	validateDelivery,
	validateRequest,
} from '../../emulator/messaging/validate';

const GUID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const CONSUMER = '/api/v1.0/consumer';
const HEADERS = { Authorization: 'Bearer x.y.z', 'channel-id': GUID, 'organization-id': GUID };

const codes = (request: Partial<Parameters<typeof validateRequest>[0]>) => [
	...new Set(
		validateRequest({
			method: 'GET',
			path: `${CONSUMER}/conversations`,
			headers: HEADERS,
			...request,
		}).errors.map(({ code }) => code),
	),
];
const activityCodes = (body: unknown) =>
	codes({ method: 'POST', path: `${CONSUMER}/conversation/${GUID}`, body });
const createCodes = (body: unknown) =>
	codes({ method: 'POST', path: `${CONSUMER}/conversation/create`, body });

const place = { channelId: GUID, conversation: { id: GUID } };
const text = (count: number, unit = 'a') => unit.repeat(count);
const attachment = { contentType: 'image/png', contentUrl: 'https://example.com/a.png', name: 'a.png' };
const message = { type: 'message', ...place, text: 'hello' };
const withAttachment = (change: object) => ({
	type: 'message',
	...place,
	attachments: [{ ...attachment, ...change }],
});
const customEvent = {
	type: 'event',
	name: 'Order',
	conversation: { id: GUID },
	channelData: { customEvent: true, customEventName: 'Order', customEventValue: '{"a":{"value":1}}' },
};
const withChannelData = (change: object) => ({
	...customEvent,
	channelData: { ...customEvent.channelData, ...change },
});

describe('operations', () => {
	test.each([
		['POST', '/conversation/create', 'createConversation'],
		['POST', '/conversations/create', 'createConversationOlderPath'],
		['POST', `/conversation/${GUID}`, 'sendActivity'],
		['GET', '/conversations', 'listConversations'],
		['GET', `/conversation/${GUID}/messages`, 'listMessages'],
		['GET', `/conversation/${GUID}/context?`, 'getContext'],
		['GET', '/conversation/create', null],
		['DELETE', `/conversation/${GUID}`, null],
		['GET', '/nothing', null],
	])('%s %s is %s', (method, path, operationId) => {
		expect(validateRequest({ method, path: CONSUMER + path, headers: HEADERS }).operationId).toBe(
			operationId,
		);
	});
});

describe('headers', () => {
	const { Authorization, 'channel-id': channelId, 'organization-id': organizationId } = HEADERS;
	test.each<[string, Record<string, string>, (number | null)[]]>([
		['all there', HEADERS, []],
		['in other casing', { authorization: Authorization, 'Channel-Id': GUID, 'ORGANIZATION-ID': GUID }, []],
		['no token', { 'channel-id': channelId, 'organization-id': organizationId }, [null]],
		['a basic credential', { ...HEADERS, Authorization: 'Basic eDp5' }, [null]],
		['no organisation', { Authorization, 'channel-id': channelId }, [30001]],
		['an organisation without dashes', { ...HEADERS, 'organization-id': GUID.replaceAll('-', '') }, [30001]],
		['no channel', { Authorization, 'organization-id': organizationId }, [30002]],
		['a channel that is no GUID', { ...HEADERS, 'channel-id': 'abc' }, [30002]],
		[
			'the old names',
			{ Authorization, 'x-ms-channel-id': GUID, 'x-ms-organization-id': GUID },
			[30001, 30002],
		],
	])('%s', (_name, headers, expected) => {
		expect(codes({ headers })).toEqual(expected);
	});

	test('the first error is the one that the service would answer', () => {
		const { errors } = validateRequest({
			method: 'POST',
			path: `${CONSUMER}/conversation/x`,
			headers: {},
			body: {},
		});
		expect(errors.map(({ status, code }) => code ?? status)).toEqual([
			401, 30001, 30002, 30005, 30012, 30003,
		]);
	});

	test.each([
		['application/json', []],
		['application/json; charset=utf-8', []],
		['text/plain', [30012]],
		['', [30012]],
	])('content type %s', (contentType, expected) => {
		const request = { method: 'POST', path: `${CONSUMER}/conversation/create`, body: {} };
		expect(codes({ ...request, headers: { ...HEADERS, 'Content-Type': contentType } })).toEqual(expected);
	});
});

describe('queries', () => {
	test.each([
		[
			'/conversations',
			{ PageSize: '1', StartTimeStamp: '2026-11-20T11:00:00Z', ContinuationToken: GUID },
			[],
		],
		['/conversations', { PageSize: '250', StartTimeStamp: '2026-11-20' }, []],
		['/conversations', { PageSize: '0' }, [30007]],
		['/conversations', { PageSize: '251' }, [30007]],
		['/conversations', { PageSize: '1.5' }, [30007]],
		['/conversations', { PageSize: 'many' }, [30007]],
		['/conversations', { PageSize: '' }, [30007]],
		['/conversations', { PageSize: ['1', '2'] }, [30007]],
		['/conversations', { ContinuationToken: 'x' }, [30009]],
		['/conversations', { ContinuationToken: '2026-11-20T11:00:00.1234567+00:00' }, [30009]],
		['/conversations', { StartTimeStamp: '20.11.2026' }, [30006]],
		['/conversations', { StartTimeStamp: '2026-13-20T11:00:00Z' }, [30006]],
		['/conversations', { StartTimeStamp: '2026-11-20T11:00:00 01:00' }, [30006]],
		['/conversations', { startTimeStamp: '2026-11-20' }, [30003]],
		[
			`/conversation/${GUID}/messages`,
			{ PageSize: '100', StartTimeStamp: '2026-11-20T11:00:00.5+01:00' },
			[],
		],
		[`/conversation/${GUID}/messages`, { PageSize: '101' }, [30008]],
		[`/conversation/${GUID}/messages`, { PageSize: '0' }, [30008]],
		[`/conversation/${GUID}/messages`, { ContinuationToken: '2026-11-20T11:00:00.1234567+00:00' }, []],
		[`/conversation/${GUID}/messages`, { ContinuationToken: '2026-11-20T11:00:00.1234567 00:00' }, [30009]],
		[`/conversation/${GUID}/messages`, { ContinuationToken: GUID }, [30009]],
		['/conversation/x/messages', {}, [30005]],
		['/conversation/x/context', {}, [30005]],
	])('%s with the query of row %#', (path, query, expected) => {
		expect(codes({ path: CONSUMER + path, query })).toEqual(expected);
	});

	test('a plus sign that was not encoded arrives as a space', () => {
		const path = `${CONSUMER}/conversation/${GUID}/messages?ContinuationToken=2026-11-20T11:00:00.1234567`;
		expect(codes({ path: `${path}+00:00` })).toEqual([30009]);
		expect(codes({ path: `${path}%2B00:00` })).toEqual([]);
	});
});

describe('create', () => {
	const variables = (count: number) =>
		Object.fromEntries(Array.from({ length: count }, (_, index) => [`v${index}`, { value: index }]));
	const full = {
		customercontext: {
			customerid: text(200),
			firstname: 'John',
			lastname: 'Doe',
			preferredname: 'John Doe',
			email: 'john.doe@email.com',
			phonenumber: '1234567890',
		},
		conversationcontext: { productname: { isDisplayable: true, value: 'XBox' } },
		conversationrequestid: 'r',
		startmessage: { message: 'Hi', displayname: 'John' },
		skipdeflectionbot: true,
	};
	test.each<[string, unknown, number[]]>([
		['nothing', {}, []],
		['everything', full, []],
		['a string of JSON', JSON.stringify(full), []],
		['no body', undefined, [30012]],
		['a list', [], [30012]],
		['null', null, [30012]],
		['broken JSON', '{"a"', [30012]],
		['an unknown field', { customerContext: {} }, [30012]],
		['an id that is too long', { customercontext: { customerid: text(201) } }, [30012]],
		['a name that is too long', { customercontext: { preferredname: text(201) } }, [30012]],
		['a number for a name', { customercontext: { firstname: 5 } }, [30012]],
		['100 variables', { conversationcontext: variables(100) }, []],
		['101 variables', { conversationcontext: variables(101) }, [30010]],
		['a bare variable', { conversationcontext: { a: 'b' } }, [30012]],
		['a variable without value', { conversationcontext: { a: { isDisplayable: true } } }, [30012]],
		['27 KB of start message', { startmessage: { message: text(27 * 1024) } }, []],
		['a byte more', { startmessage: { message: text(27 * 1024 + 1) } }, [30012]],
		['more bytes than characters', { startmessage: { message: text(14_000, 'é') } }, [30012]],
	])('%s', (_name, body, expected) => {
		expect(createCodes(body)).toEqual(expected);
	});
});

describe('activities', () => {
	const read = { type: 'event', name: 'MessageRead', ...place, value: { messageId: '1234567890123' } };
	test.each<[string, unknown, number[]]>([
		['a message', message, []],
		[
			'a message with everything',
			{
				...message,
				...withAttachment({}),
				id: 'x',
				from: { id: text(256), name: text(256) },
				channelData: { 'messagingapi-oc': { type: 'AutomatedMessage' } },
			},
			[],
		],
		['6,000 characters', { ...message, text: text(6000) }, []],
		['6,001 characters', { ...message, text: text(6001) }, [30011]],
		['3,000 emoji, two code units each', { ...message, text: text(3000, '😀') }, []],
		['3,001 emoji', { ...message, text: text(3001, '😀') }, [30011]],
		['a number for a text', { ...message, text: 5 }, [30012]],
		['no text and no attachment', { ...message, text: undefined }, [30016]],
		['an empty text', { ...message, text: '' }, [30016]],
		['an empty text and no attachments', { ...message, text: '', attachments: [] }, [30016]],
		['an empty text with an attachment', { ...withAttachment({}), text: '' }, []],
		['no channel', { ...message, channelId: undefined }, [30002]],
		['a channel that is no GUID', { ...message, channelId: 'MessagingApi' }, [30002]],
		['no conversation', { ...message, conversation: undefined }, [30005]],
		['a conversation that is no GUID', { ...message, conversation: { id: 'x' } }, [30005]],
		['a sender with a long id', { ...message, from: { id: text(257) } }, [30012]],
		['a sender with a long name', { ...message, from: { name: text(257) } }, [30012]],
		['an unknown field', { ...message, textFormat: 'markdown' }, [30012]],
		['unknown channel data', { ...message, channelData: { tags: 'a' } }, [30012]],
		['a file with a long type', withAttachment({ contentType: text(257) }), [30012]],
		['a file with a long name', withAttachment({ name: text(257) }), [30012]],
		['a file without a name', withAttachment({ name: undefined }), [30012]],
		['a file as data URI', withAttachment({ contentUrl: 'data:image/png;base64,aGVsbG8=' }), []],
		['a file as bare base64', withAttachment({ contentUrl: 'aGVsbG8=' }), []],
		['a file that is not base64', withAttachment({ contentUrl: 'hello world' }), [30012]],
		['a file without content', withAttachment({ contentUrl: '' }), [30012]],
		['typing', { type: 'typing', ...place, from: { name: 'John' } }, []],
		['typing without a name', { type: 'typing', ...place, from: {} }, [30012]],
		['typing with a text', { type: 'typing', ...place, from: { name: 'John' }, text: 'x' }, [30012]],
		['the end', { type: 'endOfConversation', ...place }, []],
		['the end without a channel', { type: 'endOfConversation', conversation: { id: GUID } }, [30002]],
		['messages read', read, []],
		['messages read up to nothing', { ...read, value: undefined }, [30012]],
		['messages read up to a wrong id', { ...read, value: { messageId: '123' } }, [30012]],
		['a custom event', customEvent, []],
		['a custom event with a channel', { ...customEvent, channelId: GUID }, []],
		['a custom event whose value is an object', withChannelData({ customEventValue: { a: 1 } }), [30012]],
		['a custom event whose value is no JSON', withChannelData({ customEventValue: 'a=1' }), [30012]],
		['a custom event whose value is a list', withChannelData({ customEventValue: '[]' }), [30012]],
		['a custom event that says it is none', withChannelData({ customEvent: false }), [30003]],
		['a custom event with the reserved name', withChannelData({ customEventName: 'MessageRead' }), [30003]],
		['an event that is not known', { type: 'event', name: 'AgentAccepted', ...place }, [30003]],
		['an event without a name', { ...customEvent, name: undefined }, [30003]],
		['another type', { type: 'conversationUpdate', ...place }, [30003]],
	])('%s', (_name, body, expected) => {
		// JSON drops what is undefined, as it would on its way.
		expect(activityCodes(JSON.parse(JSON.stringify(body)))).toEqual(expected);
	});
});

describe('the webhook', () => {
	const activity = {
		type: 'message',
		channelId: GUID,
		from: { id: 'a', name: 'Ada' },
		conversation: { id: GUID },
		textFormat: 'markdown',
		text: 'hello',
	};
	const path = `/v3/conversations/${GUID}/activities`;
	test.each<[string, string, unknown, boolean]>([
		['a message', path, activity, true],
		[
			'a system event',
			path,
			{ ...activity, from: { id: 'a' }, textFormat: undefined, text: undefined, name: 'X' },
			true,
		],
		['an empty object', path, {}, false],
		['a message with neither text nor files', path, { ...activity, text: undefined }, false],
		['a conversation that is no GUID', '/v3/conversations/x/activities', activity, false],
	])('%s', (_name, at, body, isGood) => {
		const { operationId, errors } = validateDelivery({
			method: 'POST',
			path: at,
			headers: {},
			body: JSON.parse(JSON.stringify(body)),
		});
		expect(operationId).toBe('deliverActivity');
		expect(errors.length === 0).toBe(isGood);
	});
});

test('every code of the service has a status and a title', () => {
	const all = Object.keys(document['x-error-codes'] as object).map(Number);
	expect(all).toEqual(Array.from({ length: 16 }, (_, index) => 30001 + index));
	const notBadRequest = all
		.map((code) => [code, describeCode(code).status])
		.filter(([, status]) => status !== 400);
	expect(notBadRequest).toEqual([
		[30004, 404],
		[30013, 404],
		[30015, 500],
	]);
	expect(() => describeCode(30017)).toThrow('no error code 30017');
});

test('answers are held against the contract too', () => {
	expect(validateAnswer('sendActivity', 200, { messageId: '1234567890123' })).toEqual([]);
	expect(validateAnswer('sendActivity', 200, { messageid: '1234567890123' })).not.toEqual([]);
	expect(
		validateAnswer('listConversations', 200, { conversations: [], continuationToken: null }),
	).not.toEqual([]);
});
