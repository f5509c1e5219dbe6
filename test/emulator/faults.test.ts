import { decodeProtectedHeader } from 'jose';
import type { Emulator, FaultAction, RequestEntry, StatusFault } from '../../emulator';
import { type Client, connect, requestToken, send, start, startConversation } from './support';

let emulator: Emulator;
let client: Client;
beforeAll(async () => {
	emulator = await start();
});
beforeEach(async () => {
	emulator.settings.faults = [];
	client = await connect(emulator);
});
afterAll(() => emulator.close());

const conversations = (caller = client) => caller('GET', '/conversations');
const sendTo = (id: string, activity: object) =>
	client('POST', `/conversation/${id}`, {
		body: { channelId: emulator.world.channelId, conversation: { id }, ...activity },
	});
const say = (id: string, text: string) => sendTo(id, { type: 'message', text });
const textsOf = async (id: string) => {
	const { json } = await client('GET', `/conversation/${id}/messages`);
	return (json.messages as { messageId: string; text: string }[]).map(({ messageId, text }) => [
		messageId,
		text,
	]);
};
const requests = () => emulator.log.filter((entry): entry is RequestEntry => entry.kind === 'request');
const publishedKeys = async () => {
	const url = `${emulator.origin}/${emulator.world.tenantId}/discovery/v2.0/keys`;
	const { json } = await send(url, { ca: emulator.certificate.cert });
	return (json.keys as { kid: string }[]).map(({ kid }) => kid);
};
const apply = (action: FaultAction, operationId: string, times?: number) => {
	emulator.settings.faults = [{ match: { operationId }, action, times }];
};

describe('tokens that go bad under a request', () => {
	test.each(['revokeTokens', 'rotateKeys'] as const)(
		'%s: this request and all later ones get 401, with a new token it goes on',
		async (action) => {
			apply(action, 'listConversations', 1);
			const other = await connect(emulator);
			const { status, json } = await conversations();
			expect([status, json.title]).toEqual([401, 'Unauthorized']);
			expect(requests().at(-1)).toMatchObject({ status: 401, fault: action });
			expect([(await conversations()).status, (await conversations(other)).status]).toEqual([401, 401]);
			const renewed = await conversations(await connect(emulator));
			expect(renewed.status).toBe(200);
			expect(requests().at(-1)).toMatchObject({ status: 200, fault: undefined });
		},
	);

	test.each(['revokeTokens', 'rotateKeys'] as const)(
		'%s at the token endpoint: the new token is good, the old ones are not',
		async (action) => {
			apply(action, 'token', 1);
			const renewed = await connect(emulator);
			expect([(await conversations()).status, (await conversations(renewed)).status]).toEqual([401, 200]);
		},
	);

	test.each(['revokeTokens', 'rotateKeys'] as const)(
		'%s waits for a request with a token',
		async (action) => {
			apply(action, 'listConversations', 1);
			const { status } = await client('GET', '/conversations', { headers: { authorization: undefined } });
			expect(status).toBe(401);
			expect(requests().at(-1)).toMatchObject({ status: 401, fault: undefined });
			expect((await conversations(await connect(emulator))).status).toBe(401);
			expect(requests().at(-1)).toMatchObject({ fault: action });
		},
	);

	test('a rule for used tokens waits until a service has accepted the token', async () => {
		const fresh = await connect(emulator);
		emulator.settings.faults = [{ match: { usedToken: true }, action: 'revokeTokens', times: 1 }];
		expect([(await conversations(fresh)).status, (await conversations(fresh)).status]).toEqual([200, 401]);
		emulator.settings.faults = [{ match: { usedToken: true }, action: 'revokeTokens' }];
		expect((await conversations(await connect(emulator))).status).toBe(200);
	});

	test('after rotateKeys a delivery that was signed before can still be verified', async () => {
		const delivered = await emulator.issueDeliveryToken();
		apply('rotateKeys', 'listConversations', 1);
		await conversations();
		const { json } = await requestToken(emulator);
		const [before, after] = [delivered, String(json.access_token)].map(
			(one) => decodeProtectedHeader(one).kid,
		);
		expect(before).not.toBe(after);
		expect(await publishedKeys()).toEqual([after, before]);
	});

	test('keys that are rotated from outside leave the last access tokens good', async () => {
		await emulator.rotateKeys();
		expect((await conversations()).status).toBe(200);
	});
});

describe('what is sent in place of an answer', () => {
	test.each([
		[2, '2'],
		['Wed, 21 Oct 2026 07:28:00 GMT', 'Wed, 21 Oct 2026 07:28:00 GMT'],
		['soon', 'soon'],
	])('Retry-After %s', async (retryAfter, expected) => {
		apply({ status: 429, retryAfter }, 'listConversations');
		expect((await conversations()).headers['retry-after']).toBe(expected);
		apply({ status: 503, retryAfter, body: 'busy' }, 'token');
		expect((await requestToken(emulator)).headers['retry-after']).toBe(expected);
	});

	test.each<[string, StatusFault, string | undefined]>([
		['the page of a proxy', { status: 502, body: '<h1>Bad</h1>', contentType: 'text/html' }, 'text/html'],
		['a bare string', { status: 400, body: '"bad"', contentType: 'application/json' }, 'application/json'],
		['text without a type', { status: 500, body: 'oops' }, undefined],
		['nothing', { status: 503, body: '' }, undefined],
		['nothing, with a code for the log', { status: 503, body: '', code: 30015 }, undefined],
		['a success that is none', { status: 200, body: '[]', contentType: 'text/plain' }, 'text/plain'],
	])('a body of its own: %s', async (_name, action, contentType) => {
		apply(action, 'listConversations');
		const answer = await conversations();
		expect([answer.status, answer.text]).toEqual([action.status, action.body]);
		expect(answer.headers['content-type']).toBe(contentType);
		expect(answer.headers['x-ms-correlation-id']).toEqual(expect.any(String));
		expect(requests().at(-1)).toMatchObject({ status: action.status, fault: action });
		expect(requests().at(-1)?.errorCode).toBe(action.code);

		apply(action, 'token');
		const token = await requestToken(emulator);
		expect([token.status, token.text, token.headers['content-type']]).toEqual([
			action.status,
			action.body,
			contentType,
		]);
	});

	test.each([
		[401, 700027, 'invalid_client'],
		[401, 7000222, 'invalid_client'],
		[400, 700016, 'unauthorized_client'],
		[400, 50_000, 'invalid_request'],
		[429, 90_100, 'temporarily_unavailable'],
		[503, 90033, 'temporarily_unavailable'],
	])('at the token endpoint %i with %i has the form of Entra’s errors', async (status, code, error) => {
		apply({ status, code }, 'token');
		const answer = await requestToken(emulator);
		expect([answer.status, answer.headers['content-type']]).toEqual([
			status,
			'application/json; charset=utf-8',
		]);
		expect(answer.json).toMatchObject({
			error,
			error_description: expect.stringMatching(new RegExp(`^AADSTS${code}: `)),
			error_codes: [code],
			trace_id: expect.any(String),
			correlation_id: expect.any(String),
		});
		expect(emulator.log.at(-1)).toMatchObject({ kind: 'token', status, errorCode: code });
	});

	test('at the token endpoint without a code, or with one of the service’s', async () => {
		apply({ status: 503 }, 'token');
		expect((await requestToken(emulator)).json).toMatchObject({ status: 503, title: 'Service Unavailable' });
		apply({ status: 500, code: 30015 }, 'token');
		expect((await requestToken(emulator)).json).toMatchObject({ status: 500, errorCode: 30015 });
		expect(emulator.log.at(-1)).toMatchObject({ kind: 'token', status: 500, errorCode: 30015 });
	});
});

test('only for the customer that it is for', async () => {
	emulator.settings.faults = [{ match: { customerId: 'unlucky' }, action: { status: 500 } }];
	const create = async (customerid?: string) => {
		const body = { customercontext: { customerid } };
		return (await client('POST', '/conversation/create', { body })).status;
	};
	expect([await create('unlucky'), await create('lucky'), await create()]).toEqual([500, 200, 200]);
	expect((await conversations()).status).toBe(200);
});

describe('the log alone says what arrived', () => {
	const start = { customercontext: { customerid: 'jo' }, startmessage: { message: 'Hi' } };
	const create = (body: object = start) => client('POST', '/conversation/create', { body });

	test('of a message', async () => {
		const id = await startConversation(client);
		const { json } = await say(id, 'answered');
		expect(requests().at(-1)).toMatchObject({
			status: 200,
			conversationId: id,
			messageId: json.messageId,
			fault: undefined,
		});
		apply('resetBefore', 'sendActivity', 1);
		await expect(say(id, 'lost')).rejects.toThrow();
		const lost = requests().at(-1);
		expect(lost).toMatchObject({ status: 0, conversationId: id, fault: 'resetBefore' });
		expect(lost?.messageId).toBeUndefined();

		apply('resetAfter', 'sendActivity', 1);
		await expect(say(id, 'arrived')).rejects.toThrow();
		const arrived = requests().at(-1);
		expect(arrived).toMatchObject({ status: 0, conversationId: id, fault: 'resetAfter' });
		expect(await textsOf(id)).toEqual([
			[json.messageId, 'answered'],
			[arrived?.messageId, 'arrived'],
		]);

		apply({ delayMs: 5 }, 'sendActivity', 1);
		await say(id, 'late');
		expect(requests().at(-1)).toMatchObject({
			status: 200,
			messageId: expect.stringMatching(/^\d{13}$/),
			fault: { delayMs: 5 },
		});
	});

	test('of a create', async () => {
		apply('resetBefore', 'createConversation', 1);
		await expect(create()).rejects.toThrow();
		const lost = requests().at(-1);
		expect(lost).toMatchObject({ status: 0, customerId: 'jo', fault: 'resetBefore' });
		expect([lost?.conversationId, lost?.messageId]).toEqual([undefined, undefined]);

		apply('resetAfter', 'createConversation', 1);
		await expect(create()).rejects.toThrow();
		const arrived = requests().at(-1);
		expect(arrived).toMatchObject({ status: 0, customerId: 'jo', fault: 'resetAfter' });
		expect(await textsOf(String(arrived?.conversationId))).toEqual([[arrived?.messageId, 'Hi']]);

		// The conversation is there already, so that its start message is lost.
		await create();
		const again = requests().at(-1);
		expect(again).toMatchObject({ status: 200, conversationId: arrived?.conversationId });
		expect(again?.messageId).toBeUndefined();

		const { json } = await create({ startmessage: { message: 'Hello' } });
		const { conversationId, messageId } = json;
		expect(requests().at(-1)).toMatchObject({ status: 200, conversationId, messageId });
		await create({});
		expect(requests().at(-1)?.messageId).toBeUndefined();
	});

	test('what is no message has no message id, and what was refused has nothing', async () => {
		const id = await startConversation(client);
		const { json } = await sendTo(id, { type: 'typing', from: { name: 'Jo' } });
		expect(json.messageId).toMatch(/^\d{13}$/);
		expect(requests().at(-1)?.messageId).toBeUndefined();
		emulator.desk.close(id);
		apply('resetAfter', 'sendActivity');
		await expect(say(id, 'too late')).rejects.toThrow();
		expect(requests().at(-1)).toMatchObject({ status: 0, conversationId: id, messageId: undefined });
	});
});
