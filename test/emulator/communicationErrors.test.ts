import type { Emulator } from '../../emulator';
import { isReachable } from '../../emulator/communication/rules';
import {
	type CommunicationClient,
	communicationEntries,
	communicationErrorOf,
	connectCommunication,
	start,
} from './support';

let emulator: Emulator;
let acs: CommunicationClient;
beforeAll(async () => {
	emulator = await start();
	acs = connectCommunication(emulator);
});
afterAll(() => emulator.close());

const messages = () => emulator.communication.conversations[0]?.messages ?? [];
const sent = (body: unknown) => acs('POST', `${acs.own}/messages:send`, { body });
const sentRequest = (request: unknown) => sent({ request });
const UNKNOWN_CHANNEL = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';

describe('calls that are refused', () => {
	test.each<[string, string, string, unknown, number, string]>([
		['a path that is not there', 'GET', '/notifications', undefined, 404, 'NotFound'],
		['a path in other casing', 'GET', '/Conversations', undefined, 404, 'NotFound'],
		['a broken encoding', 'GET', '/conversations/%E0%A4%A', undefined, 404, 'ConversationNotFound'],
		['half an escape', 'GET', '/conversations/%/messages', undefined, 404, 'ConversationNotFound'],
		['a broken encoding of a channel', 'GET', '/channels/%ff/templates', undefined, 400, 'BadRequest'],
		['a broken encoding elsewhere', 'GET', '/%ff', undefined, 404, 'NotFound'],
		['a method that is not there', 'PATCH', '/conversations', {}, 405, 'MethodNotAllowed'],
		['an action that is not there', 'POST', '/conversations/19%3Ax:analyze', {}, 405, 'MethodNotAllowed'],
		['an action whose colon is encoded', 'POST', '/conversations/x%3Aterminate', {}, 405, 'MethodNotAllowed'],
		['a conversation', 'GET', '/conversations/19%3Ax', undefined, 404, 'ConversationNotFound'],
		['its deletion', 'DELETE', '/conversations/19%3Ax', undefined, 404, 'ConversationNotFound'],
		['its end', 'POST', '/conversations/19%3Ax:terminate', undefined, 404, 'ConversationNotFound'],
		['its messages', 'GET', '/conversations/19%3Ax/messages', undefined, 404, 'ConversationNotFound'],
		[
			'a message to it',
			'POST',
			'/conversations/19%3Ax/messages:send',
			{ request: { kind: 'text', content: 'x' } },
			404,
			'ConversationNotFound',
		],
		[
			'a participant for it',
			'POST',
			'/conversations/19%3Ax/participants:add',
			{ participants: [{ kind: 'internal', contact: { id: 'x', kind: 'communication' } }] },
			404,
			'ConversationNotFound',
		],
		[
			'one less',
			'POST',
			'/conversations/19%3Ax/participants:remove',
			{ participantIds: ['x'] },
			404,
			'ConversationNotFound',
		],
		['templates', 'GET', `/channels/${UNKNOWN_CHANNEL}/templates`, undefined, 404, 'ChannelNotFound'],
		['a channel that is no GUID', 'GET', '/channels/x/templates', undefined, 400, 'BadRequest'],
		['no version', 'GET', '/conversations?x=1', undefined, 400, 'ApiVersionUnspecified'],
		[
			'another version',
			'GET',
			'/conversations?api-version=2024-08-30',
			undefined,
			400,
			'UnsupportedApiVersion',
		],
		[
			'a page of nothing',
			'GET',
			'/conversations?api-version=2025-04-01-preview&maxPageSize=0',
			undefined,
			400,
			'BadRequest',
		],
		[
			'a page of some',
			'GET',
			'/conversations?api-version=2025-04-01-preview&maxPageSize=some',
			undefined,
			400,
			'BadRequest',
		],
		[
			'a filter that is no GUID',
			'GET',
			'/conversations?api-version=2025-04-01-preview&channelId=x',
			undefined,
			400,
			'BadRequest',
		],
		[
			'a continuation token',
			'GET',
			'/conversations?api-version=2025-04-01-preview&continuationToken=x',
			undefined,
			400,
			'BadRequest',
		],
		['no conversation to create', 'POST', '/conversations', {}, 400, 'BadRequest'],
		[
			'a conversation on another channel',
			'POST',
			'/conversations',
			{ conversation: { deliveryChannelIds: [UNKNOWN_CHANNEL] } },
			400,
			'BadRequest',
		],
		[
			'a participant of no kind',
			'POST',
			'/conversations',
			{ conversation: { participants: [{ contacts: [] }] } },
			400,
			'BadRequest',
		],
		['an empty list of ids', 'POST', '', { participantIds: [] }, 400, 'BadRequest'],
	])('%s', async (_name, method, path, body, status, code) => {
		const answer = await acs(method, path || `${acs.own}/participants:remove`, { body });
		expect(communicationErrorOf(answer)).toEqual([status, code]);
		expect(communicationEntries(emulator).at(-1)).toMatchObject({ status, errorCode: code });
	});

	test('the version comes before everything else that is wrong', async () => {
		const answer = await acs('POST', `${acs.own}/messages:send?api-version=1`, { body: 'no JSON' });
		expect(communicationErrorOf(answer)).toEqual([400, 'UnsupportedApiVersion']);
		expect(answer.json.error).toMatchObject({
			message: `The HTTP resource that matches the request URI '/messages${acs.own}/messages:send' does not support the API version '1'.`,
		});
	});

	test.each(['text/plain', undefined])('a body of the type %s', async (type) => {
		const body = { request: { kind: 'text', content: 'x' } };
		const headers = { 'content-type': type };
		const answer = await acs('POST', `${acs.own}/messages:send`, { headers, body });
		expect(communicationErrorOf(answer)).toEqual([415, 'UnsupportedMediaType']);
	});

	test('a client’s request id that is no GUID', async () => {
		const answer = await acs('GET', '/conversations', { headers: { 'x-ms-client-request-id': 'x' } });
		expect(communicationErrorOf(answer)).toEqual([400, 'BadRequest']);
	});
});

const FILE = 'https://example.com/a.png';

test.each([
	['foo', 415, 'UnsupportedMediaType'],
	['gzip', 400, 'BadRequest'],
])('a body whose content encoding is not true: %s', async (encoding, status, code) => {
	const answer = await acs('POST', '/conversations', {
		body: {},
		headers: { 'content-encoding': encoding },
	});
	expect(communicationErrorOf(answer)).toEqual([status, code]);
	expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
	expect(answer.headers['ms-cv']).toEqual(expect.any(String));
});

test.each<[string, object]>([
	['text', { content: 'x' }],
	['image', { mediaUri: FILE, caption: 'x' }],
	['video', { mediaUri: FILE, caption: 'x' }],
	['document', { mediaUri: FILE, caption: 'x', fileName: 'a.pdf' }],
	['audio', { mediaUri: FILE }],
	['template', { template: { name: 'shipping_confirmation', language: 'de' } }],
])('a message of the kind %s is taken as it is', async (kind, content) => {
	const { status } = await sentRequest({ kind, ...content });
	expect([status, messages().at(-1)?.message]).toEqual([200, { kind, ...content }]);
});

describe('messages that are not valid', () => {
	test.each<[string, unknown, string | undefined]>([
		['no JSON', '{"request"', undefined],
		['a list', [], undefined],
		['nothing to send', {}, 'request'],
		['a message that is not wrapped', { kind: 'text', content: 'x' }, 'request'],
		['no kind', { request: { content: 'x' } }, 'request.kind'],
		['a sticker', { request: { kind: 'sticker', mediaUri: FILE } }, 'request'],
		['a reaction', { request: { kind: 'reaction', emoji: '👍' } }, 'request'],
		['an image of old', { request: { kind: 'image_v0', mediaUri: FILE } }, 'request'],
		['a text without content', { request: { kind: 'text' } }, 'request.content'],
		['a content of a number', { request: { kind: 'text', content: 1 } }, 'request.content'],
		['an image without a URL', { request: { kind: 'image' } }, 'request.mediaUri'],
		['a URL that is none', { request: { kind: 'image', mediaUri: 'a b' } }, 'request.mediaUri'],
		['audio with a caption', { request: { kind: 'audio', mediaUri: FILE, caption: 'x' } }, 'request'],
		[
			'a template without a name',
			{ request: { kind: 'template', template: { language: 'en' } } },
			'request.template.name',
		],
		[
			'another strategy',
			{ request: { kind: 'text', content: 'x' }, outboundDeliveryStrategy: 'allChannels' },
			'outboundDeliveryStrategy',
		],
	])('%s', async (_name, body, target) => {
		const count = messages().length;
		const answer = await sent(body);
		expect(communicationErrorOf(answer)).toEqual([400, 'BadRequest']);
		expect((answer.json.error as { target?: string }).target).toBe(target);
		expect(messages()).toHaveLength(count);
	});
});

describe('templates', () => {
	const MISSING = '(#132001) Template name does not exist in the translation';
	const template = (more: object) => ({
		kind: 'template',
		template: { name: 'purchase_feedback', language: 'en', ...more },
	});
	const values = [
		{ name: 'picture', kind: 'image', url: FILE },
		{ name: 'customer', kind: 'text', text: 'Ada' },
		{ name: 'place', kind: 'location', latitude: 52.5, longitude: 13.4 },
		{ name: 'good', kind: 'quickAction', payload: 'good' },
		{ name: 'review', kind: 'quickAction', text: '1042' },
	];
	const bindings = {
		kind: 'whatsApp',
		header: [{ refValue: 'picture' }],
		body: [{ refValue: 'customer' }, { refValue: 'place' }],
		footer: [{ refValue: 'customer' }],
		buttons: [
			{ subType: 'quickReply', refValue: 'good' },
			{ subType: 'url', refValue: 'review' },
		],
	};

	test('with values of every kind and bindings of every part', async () => {
		expect((await sentRequest(template({ values, bindings }))).status).toBe(200);
	});

	test.each(['header', 'body', 'footer', 'buttons'])('a %s that refers to no value', async (part) => {
		const wrong = { ...bindings, [part]: [{ refValue: 'nothing' }] };
		expect(communicationErrorOf(await sentRequest(template({ values, bindings: wrong })))).toEqual([
			400,
			'BadRequest',
			`The ${part} refers to 'nothing', which is not among the values.`,
		]);
	});

	test('two values of one name', async () => {
		const answer = await sentRequest(template({ values: [values[1], values[1]] }));
		expect(communicationErrorOf(answer)).toEqual([
			400,
			'BadRequest',
			"There are two values with the name 'customer'.",
		]);
	});

	test.each([
		['a name that is not there', { name: 'nothing' }],
		['a language that is not there', { language: 'en_US' }],
		['one that is not approved', { name: 'summer_sale', language: 'en_US' }],
	])('%s', async (_name, more) => {
		expect(communicationErrorOf(await sentRequest(template(more)))).toEqual([400, 'BadRequest', MISSING]);
	});

	test('belong to a channel', async () => {
		const { json } = await acs('POST', '/conversations', { body: { conversation: {} } });
		const path = `/conversations/${encodeURIComponent(String(json.id))}/messages:send`;
		const answer = await acs('POST', path, { body: { request: template({}) } });
		expect(communicationErrorOf(answer)).toEqual([400, 'BadRequest', MISSING]);
	});

	test.each([
		['a value of no kind', { values: [{ name: 'x' }] }],
		['a location of nowhere', { values: [{ name: 'x', kind: 'location', latitude: 1 }] }],
		['bindings of no kind', { values, bindings: { body: [{ refValue: 'customer' }] } }],
		[
			'a button of another kind',
			{ values, bindings: { kind: 'whatsApp', buttons: [{ subType: 'call', refValue: 'good' }] } },
		],
	])('%s', async (_name, more) => {
		expect(communicationErrorOf(await sentRequest(template(more)))).toEqual([400, 'BadRequest']);
	});
});

describe('files that the service cannot get', () => {
	test.each([
		['https://example.com/a.png', true],
		['http://example.com:8080/a.png?x=1', true],
		['https://8.8.8.8/a.png', true],
		['https://172.32.0.1/a.png', true],
		['https://[2606:4700::1111]/a.png', true],
		['ftp://example.com/a.png', false],
		['file:///etc/passwd', false],
		['data:text/plain,x', false],
		['not a URL', false],
		['https://localhost/a.png', false],
		['https://n8n.localhost/a.png', false],
		['https://intranet/a.png', false],
		['https://printer.local/a.png', false],
		['https://127.0.0.1/a.png', false],
		['https://2130706433/a.png', false],
		['https://10.1.2.3/a.png', false],
		['https://172.16.0.1/a.png', false],
		['https://192.168.1.1/a.png', false],
		['https://169.254.169.254/a.png', false],
		['https://[::1]/a.png', false],
		['https://[fd00::1]/a.png', false],
		['https://[fe80::1]/a.png', false],
		['https://[::ffff:10.0.0.1]/a.png', false],
		['https://example.com/unreachable.png', false],
	])('%s: %s', (uri, expected) => {
		expect(isReachable(uri)).toBe(expected);
	});

	test.each([
		['a message', 'request.mediaUri', { kind: 'image', mediaUri: 'https://localhost/a.png' }],
		[
			'a template',
			'request.template',
			{
				kind: 'template',
				template: {
					name: 'invoice',
					language: 'en_US',
					values: [{ name: 'x', kind: 'document', url: 'https://example.com/unreachable.pdf' }],
				},
			},
		],
	])('are refused in %s', async (_name, target, request) => {
		const answer = await sentRequest(request);
		expect(communicationErrorOf(answer)).toEqual([400, 'BadRequest', '(#131053) Media upload error']);
		expect(answer.json.error).toMatchObject({ target, innererror: { code: '131053' } });
	});
});

describe('24 hours after the customer’s last message', () => {
	const text = { kind: 'text', content: 'Are you still there?' };
	const template = { kind: 'template', template: { name: 'shipping_confirmation', language: 'en_US' } };
	const CLOSED = [400, 'BadRequest', '(#131047) Re-engagement message'];
	beforeEach(() => emulator.communication.closeWindow(emulator.world.communicationConversationId));

	test('only templates reach WhatsApp, until the customer writes', async () => {
		expect(communicationErrorOf(await sentRequest(text))).toEqual(CLOSED);
		expect((await sentRequest(template)).status).toBe(200);
		expect(communicationErrorOf(await sentRequest(text))).toEqual(CLOSED);
		emulator.communication.receive(emulator.world.communicationConversationId, 'Yes!');
		expect(messages().at(-1)).toMatchObject({
			message: { kind: 'text', content: 'Yes!' },
			senderDisplayName: 'Ada',
		});
		expect((await sentRequest(text)).status).toBe(200);
	});

	test('colleagues can still write to each other', async () => {
		expect((await sent({ request: text, outboundDeliveryStrategy: 'internalOnly' })).status).toBe(200);
		const answer = await sent({ request: text, outboundDeliveryStrategy: 'allParticipants' });
		expect(communicationErrorOf(answer)).toEqual(CLOSED);
	});

	test('a conversation’s own strategy counts where the message has none', async () => {
		const external = { kind: 'external', contacts: [{ id: '14255550177', kind: 'whatsApp' }] };
		for (const [outboundDeliveryStrategy, status] of [
			['internalOnly', 200],
			['allParticipants', 400],
		]) {
			const { json } = await acs('POST', '/conversations', {
				body: { conversation: { outboundDeliveryStrategy, participants: [external] } },
			});
			const path = `/conversations/${encodeURIComponent(String(json.id))}/messages:send`;
			expect((await acs('POST', path, { body: { request: text } })).status).toBe(status);
		}
	});

	test('a customer who is not on WhatsApp can be written to', async () => {
		const external = { kind: 'external', contacts: [{ id: '8:acs:x', kind: 'communication' }] };
		const { json } = await acs('POST', '/conversations', {
			body: { conversation: { participants: [external] } },
		});
		const path = `/conversations/${encodeURIComponent(String(json.id))}/messages:send`;
		expect((await acs('POST', path, { body: { request: text } })).status).toBe(200);
	});
});
