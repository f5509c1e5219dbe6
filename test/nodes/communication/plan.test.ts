import { urlBelow, type ServiceRequest } from '../../../nodes/shared/transport/request';
import { withIds } from '../../../nodes/AzureCommunicationConversations/api/request';
import { connectionFrom } from '../../../nodes/AzureCommunicationConversations/api/connection';
import { actionNode } from '../../../nodes/AzureCommunicationConversations/operations';
import { AzureCommunicationConversations } from '../../../nodes/AzureCommunicationConversations/AzureCommunicationConversations.node';
import { parametersOf } from '../../support/parameters';
import { AzureCommunicationServicesApi } from '../../../credentials/AzureCommunicationServicesApi.credentials';

const ID = '19:34adfa4f-cedf-4dc0-ba29-b6d1a69ab345@thread.v2';
const CHANNEL = 'e41a6c37-90bd-4f52-a8d6-3b7f15c9e280';

const CONNECTION = connectionFrom({
	authentication: 'userToken',
	userToken: 'token',
	endpoint: 'https://contoso.communication.azure.com',
});

/** @param channelId the one of the credential. */
function plan(path: string, given: Record<string, unknown> = {}, channelId?: string) {
	const [resource, name] = path.split(': ') as [string, string];
	const operation = actionNode.find(resource, name)!;
	const defaults = Object.fromEntries(
		actionNode.fieldsOf(operation).map((field) => [field.name, field.default]),
	);
	const { parameters } = parametersOf({ ...defaults, conversationId: ID, ...given });
	const planned = operation.plan(parameters, { ...CONNECTION, channelId });
	if (planned.kind === 'steps') throw new Error('it makes no one request of the service');
	const request: ServiceRequest & { body?: object } =
		planned.kind === 'call' ? planned.request : planned.list.request;
	return { request, orderingKey: planned.orderingKey };
}

const participants = { participant: [{ kind: 'external', contactId: '1' }] };
const WRITES: Array<[string, Record<string, unknown>, boolean]> = [
	['conversation: create', {}, false],
	['conversation: delete', {}, true],
	['conversation: terminate', {}, true],
	['message: send', { content: 'x' }, true],
	['participant: add', { participants }, true],
	['participant: remove', { participantIds: '1' }, true],
];

// All of these take the pair but the creation of a conversation. Source: docs/service-facts.md#acs-repeatability.
test.each(WRITES)('%s: recognised when it is repeated, and then repeated', (path, given, isIdempotent) => {
	const { request, orderingKey } = plan(path, given);
	expect(request).toMatchObject({ isIdempotent });
	const { headers } = withIds(request, new Date('2022-04-13T18:09:12.345Z'));
	const guid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
	expect(headers).toEqual({
		'x-ms-client-request-id': guid,
		...(isIdempotent && {
			'repeatability-request-id': guid,
			'repeatability-first-sent': 'Wed, 13 Apr 2022 18:09:12 GMT',
		}),
	});
	expect(orderingKey).toBe(isIdempotent ? `conversation ${ID}` : undefined);
});

describe('Repetition ID and First Sent', () => {
	const firstSent = '2022-04-13T18:09:12.345Z';
	const headersOf = (given: Record<string, unknown>, options: Record<string, unknown>) =>
		withIds(plan('message: send', { content: 'x', ...given, options }).request).headers!;
	const idOf = (given: Record<string, unknown>, repetitionId: string) =>
		headersOf(given, { repetitionId, firstSent })['repeatability-request-id'];

	test('make another run’s request a repetition', () => {
		const headers = headersOf({}, { repetitionId: 'order 17', firstSent });
		expect(headers).toMatchObject({
			'repeatability-request-id': expect.stringMatching(
				/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
			),
			'repeatability-first-sent': 'Wed, 13 Apr 2022 18:09:12 GMT',
		});
		expect(idOf({}, 'order 17')).toBe(headers['repeatability-request-id']);
	});

	test.each<[string, Record<string, unknown>, string]>([
		['another ID', {}, 'order 18'],
		['another conversation', { conversationId: '19:other@thread.v2' }, 'order 17'],
	])('%s is another message', (_name, given, repetitionId) => {
		expect(idOf(given, repetitionId)).not.toBe(idOf({}, 'order 17'));
	});

	test.each([[{ repetitionId: 'order 17' }], [{ firstSent }]])('belong together: %j', (options) => {
		expect(() => plan('message: send', { content: 'x', options })).toThrow('belong together');
	});
});

test.each([
	['conversation: get', {}],
	['conversation: getMany', {}],
	['message: getMany', {}],
	['template: getMany', { channelId: CHANNEL }],
])('%s only looks', (path, given) => {
	expect(Object.keys(withIds(plan(path, given).request).headers!)).toEqual(['x-ms-client-request-id']);
});

const bodyOf = (given: Record<string, unknown>) => {
	const { request } = plan('message: send', given);
	return request.body as Record<string, unknown> | undefined;
};
const URL_ = 'https://example.com/a';

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
	['text', { content: ' Hi \n' }, { kind: 'text', content: ' Hi \n' }],
	['image', { mediaUri: URL_, caption: 'C', fileName: 'f' }, { kind: 'image', mediaUri: URL_, caption: 'C' }],
	['video', { mediaUri: URL_, caption: 'C', fileName: 'f' }, { kind: 'video', mediaUri: URL_, caption: 'C' }],
	[
		'document',
		{ mediaUri: URL_, caption: 'C', fileName: 'f' },
		{ kind: 'document', mediaUri: URL_, caption: 'C', fileName: 'f' },
	],
	['audio', { mediaUri: URL_, caption: 'C', fileName: 'f' }, { kind: 'audio', mediaUri: URL_ }],
	[
		'image',
		{ mediaUri: ' https://example.com/ä b.png' },
		{ kind: 'image', mediaUri: 'https://example.com/%C3%A4%20b.png' },
	],
	[
		'image',
		{ mediaUri: '\u202ahttps://example.com/b.png\u200b\ufeff\u202c' },
		{ kind: 'image', mediaUri: 'https://example.com/b.png' },
	],
])('%s: what it has, and nothing else', (kind, given, request) => {
	expect(bodyOf({ kind, ...given })).toEqual({ request });
});

describe('the channel', () => {
	const ofCredential = '11111111-2222-4333-8444-555555555555';
	const pathOf = (given: string, channelId?: string) =>
		plan('template: getMany', { channelId: given }, channelId).request.path;
	const channelsOf = (given: string, channelId?: string) =>
		(
			plan('conversation: create', { deliveryChannelIds: given }, channelId).request.body as {
				conversation: { deliveryChannelIds?: string[] };
			}
		).conversation.deliveryChannelIds;
	const filterOf = (options: object, channelId?: string) =>
		plan('conversation: getMany', { options }, channelId).request.query;

	test('is the node’s, or else the credential’s', () => {
		expect(pathOf(CHANNEL, ofCredential)).toBe(`/messages/channels/${CHANNEL}/templates`);
		expect(pathOf(' ', ofCredential)).toBe(`/messages/channels/${ofCredential}/templates`);
		expect(channelsOf(CHANNEL, ofCredential)).toEqual([CHANNEL]);
		expect(channelsOf('', ofCredential)).toEqual([ofCredential]);
		expect(channelsOf('')).toBeUndefined();
	});

	test('is asked for in both places where there is none', () => {
		expect(() => pathOf('')).toThrow(/Channel ID is empty, here and in the credential/);
		expect(() => pathOf('x', ofCredential)).toThrow('Channel ID: x is not a channel’s ID');
	});

	test('limits a list only where the option is there', () => {
		expect(filterOf({}, ofCredential)).toEqual({});
		expect(filterOf({ channelId: '' }, ofCredential)).toEqual({ channelId: ofCredential });
		expect(filterOf({ channelId: CHANNEL }, ofCredential)).toEqual({ channelId: CHANNEL });
		expect(filterOf({ channelId: '' })).toEqual({});
	});
});

describe('a template', () => {
	const sent = (template: unknown, placeholders: unknown = { value: null }) =>
		(bodyOf({ kind: 'template', template, placeholders }) as { request: { template: object } }).request
			.template;

	test.each(['a|en', ' a | en ', 'a|en_US', 'a|zh_Hans', 'a|es_419'])(
		'is named with its language: %j',
		(template) => {
			const [name, language] = template.split('|').map((part) => part.trim());
			expect(sent(template)).toEqual({ name, language });
		},
	);

	test.each<[unknown, string]>([
		['', 'Template is empty'],
		[undefined, 'Template is empty'],
		['appointment_reminder', 'Template has no language: appointment_reminder'],
		['appointment_reminder|', 'Template has no language'],
		['|en', 'Template has no name'],
		['a|English', 'Template has a language that is no language code: English'],
		[{ name: 'a' }, 'Template must be a text'],
	])('%j is none', (template, message) => {
		expect(() => sent(template)).toThrow(message);
	});

	test('has the values of its placeholders', () => {
		expect(sent('a|en', { value: { body_1: 7 } })).toEqual({
			name: 'a',
			language: 'en',
			values: [{ name: 'body1', kind: 'text', text: '7' }],
			bindings: { kind: 'whatsApp', body: [{ refValue: 'body1' }] },
		});
	});
});

test('no conversation’s ID leads out of the path', () => {
	for (const conversationId of ['19:a/../../x', '19:a?b#c', 'ü', '19:%2e%2e']) {
		const { request } = plan('conversation: get', { conversationId });
		const url = urlBelow('https://localhost', '', request);
		expect(decodeURIComponent(url.pathname)).toBe(`/messages/conversations/${conversationId}`);
	}
});

test('node and credential say when Microsoft ends the service, and what it recommends instead', () => {
	const { description, properties } = new AzureCommunicationConversations().description;
	expect(description).toContain('30 September 2028');
	const noticesOf = (fields: typeof properties) =>
		fields.filter(({ type }) => type === 'notice').map(({ displayName }) => displayName);
	const notices = noticesOf(new AzureCommunicationServicesApi().properties);
	for (const [ended] of [noticesOf(properties), notices]) {
		expect(ended).toMatch(/30 September 2028.*23 October 2026.*Contact Center, Infobip and Telesign/);
	}
	expect(notices).toContainEqual(expect.stringContaining('contradict'));
});

test.each([
	['as a whole', encodeURIComponent(ID), ID],
	['in its colon alone', ID.replace(':', '%3a'), ID],
	['in its @ alone', ID.replace('@', '%40'), ID],
	['in a letter', ID.replace('f', '%66'), ID],
	['not at all', ID, ID],
	['of an ID without a domain', '19%3Aacs_V1-x.y', '19:acs_V1-x.y'],
	['so that it is no ID when decoded', 'abc%2Fd', 'abc%2Fd'],
	['so that it is a path when decoded', '19%3Aa%2F..%2Fb', '19%3Aa%2F..%2Fb'],
	['with a percent sign in it', '19:50%25@thread.v2', '19:50%25@thread.v2'],
	['with a broken escape', '19%3aacs%zz@thread.v2', '19%3aacs%zz@thread.v2'],
])('an ID that is percent-encoded %s is the one that the person means', (_name, conversationId, id) => {
	const { orderingKey, request } = plan('message: send', { content: 'x', conversationId });
	expect(request.path).toBe(`/messages/conversations/${encodeURIComponent(id)}/messages:send`);
	expect(orderingKey).toBe(`conversation ${id.toLowerCase()}`);
	expect(plan('conversation: get', { conversationId }).request.path).toBe(
		`/messages/conversations/${encodeURIComponent(id)}`,
	);
});

test.each([
	['../../offer.pdf', 'offer.pdf'],
	['C:\\x\\offer.pdf', 'offer.pdf'],
	['offer\r\n\0.pdf', 'offer.pdf'],
	['chats%2F42%252Foffer.pdf', 'offer.pdf'],
	['\u202e\u061coffer\u200b.pdf', 'offer.pdf'],
	['..', undefined],
])('the name of a document is its last part, without signs that cannot be seen: %j', (fileName, name) => {
	const url = 'https://example.com/offer.pdf';
	const { request } = plan('message: send', { kind: 'document', mediaUri: url, fileName });
	expect(request.body).toMatchObject({ request: { kind: 'document', mediaUri: url } });
	expect((request.body as { request: object }).request).toEqual({
		kind: 'document',
		mediaUri: url,
		...(name !== undefined && { fileName: name }),
	});
});
