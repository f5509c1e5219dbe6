import type { Emulator } from '../../emulator';
import { validateAnswer } from '../../emulator/messaging/validate';
import { type Answer, type Client, connect, send, start, startConversation } from './support';

let emulator: Emulator;
let client: Client;
beforeAll(async () => {
	emulator = await start();
	client = await connect(emulator);
});
afterAll(() => emulator.close());

const channelId = () => emulator.world.channelId;
const message = (id: string, text: string, more: object = {}) => ({
	type: 'message',
	channelId: channelId(),
	conversation: { id },
	text,
	...more,
});
const say = (id: string, text: string, more?: object) =>
	client('POST', `/conversation/${id}`, { body: message(id, text, more) });
const listed = async (query = '') => {
	const { json } = await client('GET', `/conversations${query}`);
	return json as {
		conversations: { conversationid: string; timestamp: string }[];
		continuationtoken: string | null;
	};
};
const messagesOf = async (id: string, query = '') => {
	const { json } = await client('GET', `/conversation/${id}/messages${query}`);
	return json as {
		messages: { text: string; messageId: string; timestamp: string; from: object; attachments: object[] }[];
		continuationToken?: string;
	};
};
const codeOf = ({ status, json }: Answer) => [status, json.errorCode];
const unknown = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';

test('every successful answer keeps to the contract and carries a correlation id', async () => {
	const created = await client('POST', '/conversation/create', { body: { startmessage: { message: 'Hi' } } });
	const id = String(created.json.conversationId);
	emulator.desk.accept(id);
	emulator.desk.reply(id, {
		text: 'Hello',
		files: [{ name: 'a.txt', contentType: 'text/plain', data: Buffer.from('a') }],
	});
	const sent = await say(id, 'hello', { from: { id: 'j' } });
	const read = await client('POST', `/conversation/${id}`, {
		body: {
			type: 'event',
			name: 'MessageRead',
			channelId: channelId(),
			conversation: { id },
			value: { messageId: sent.json.messageId },
		},
	});
	const answers: [string, Answer][] = [
		['createConversation', created],
		['sendActivity', sent],
		['sendActivity', read],
		['listConversations', await client('GET', '/conversations')],
		['listMessages', await client('GET', `/conversation/${id}/messages`)],
		['getContext', await client('GET', `/conversation/${id}/context`)],
	];
	for (const [operation, { status, json, headers }] of answers) {
		expect([operation, status, validateAnswer(operation, status, json)]).toEqual([operation, 200, []]);
		expect(headers['x-ms-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
	}
	expect(read.json).toEqual({ messageId: '', message: null });
});

describe('create', () => {
	test('a conversation without a start message has no message id', async () => {
		const { json } = await client('POST', '/conversation/create', { body: {} });
		expect(json).toEqual({ conversationId: expect.any(String), isNew: true });
	});

	test('the older path does the same', async () => {
		const { status, json } = await client('POST', '/conversations/create', { body: {} });
		expect([status, json.isNew]).toEqual([200, true]);
	});

	test('the active conversation of a customer is found again, and its start message is lost', async () => {
		const body = { customercontext: { customerid: 'jdoe123' }, startmessage: { message: 'first' } };
		const first = await client('POST', '/conversation/create', { body });
		expect(first.json).toEqual({
			conversationId: expect.any(String),
			isNew: true,
			messageId: expect.stringMatching(/^\d{13}$/),
		});
		const id = String(first.json.conversationId);
		const again = { ...body, startmessage: { message: 'second' } };
		const second = await client('POST', '/conversation/create', { body: again });
		expect(second.json).toEqual({ conversationId: id, isNew: false });
		expect((await messagesOf(id)).messages.map(({ text }) => text)).toEqual(['first']);

		emulator.desk.close(id);
		const third = await client('POST', '/conversation/create', { body: again });
		expect(third.json).toMatchObject({ isNew: true });
		expect(third.json.conversationId).not.toBe(id);
	});

	test('without a customer id every conversation is new', async () => {
		const body = { customercontext: { email: 'a@b.c' } };
		const ids = [await startConversation(client, body), await startConversation(client, body)];
		expect(new Set(ids).size).toBe(2);
	});
});

describe('sending', () => {
	test('message ids are 13 digits and rise, also within a millisecond', async () => {
		const id = await startConversation(client);
		emulator.desk.accept(id);
		const replied = Array.from({ length: 20 }, () => emulator.desk.reply(id, { text: 'x' }).messageId);
		const sent = await say(id, 'y');
		const ids = [...replied, String(sent.json.messageId)];
		expect(ids.every((one) => /^\d{13}$/.test(one))).toBe(true);
		expect(new Set(ids).size).toBe(21);
		expect(ids).toEqual([...ids].sort());
		expect((await messagesOf(id)).messages.map(({ messageId }) => messageId)).toEqual(ids);
	});

	test('embedded files are stored and served with their type', async () => {
		const id = await startConversation(client);
		const data = Buffer.from('a picture').toString('base64');
		const attachments = [
			{ contentType: 'image/png', contentUrl: `data:image/png;base64,${data}`, name: 'a b.png' },
			{ contentType: 'image/png', contentUrl: data, name: 'b.png' },
			{ contentType: 'image/png', contentUrl: 'https://example.com/c.png', name: 'c.png' },
		];
		expect((await say(id, '', { attachments })).status).toBe(200);
		const [stored] = (await messagesOf(id)).messages;
		const urls = stored?.attachments.map((one) => String(Reflect.get(one, 'contentUrl'))) ?? [];
		expect(urls[2]).toBe('https://example.com/c.png');
		for (const url of urls.slice(0, 2)) {
			const file = await send(url, { ca: emulator.certificate.cert });
			expect([file.status, file.headers['content-type'], file.text]).toEqual([200, 'image/png', 'a picture']);
		}
	});

	test.each([
		['bare', ''],
		['in a data URI', 'data:image/png;base64,'],
	])('a file %s may be as large as the organisation allows, and no larger', async (_name, prefix) => {
		const id = await startConversation(client);
		const sendFile = (bytes: number) => {
			const contentUrl = prefix + Buffer.alloc(bytes, 7).toString('base64');
			const link = { contentType: 'image/png', contentUrl: 'https://example.com/c.png', name: 'c.png' };
			return say(id, 'x', { attachments: [link, { contentType: 'image/png', contentUrl, name: 'big.png' }] });
		};
		const allowed = 5 * 1024 * 1024;
		expect(emulator.settings.maxAttachmentBytes).toBe(allowed);
		expect((await sendFile(allowed)).status).toBe(200);
		const { status, json } = await sendFile(allowed + 1);
		expect([status, json]).toEqual([
			400,
			{
				type: expect.any(String),
				title: 'Bad Request',
				status: 400,
				detail: 'The attachment big.png has 5242881 bytes; the organization allows 5242880.',
			},
		]);
		expect((await messagesOf(id)).messages).toHaveLength(1);
		expect(emulator.log.at(-2)).toMatchObject({ status: 400, messageId: undefined });

		emulator.settings.maxAttachmentBytes = 4;
		expect([(await sendFile(4)).status, (await sendFile(5)).status]).toEqual([200, 400]);
		emulator.settings.maxAttachmentBytes = allowed;
	});

	test('a large file is taken, and shortened in the log', async () => {
		const before = emulator.settings.maxAttachmentBytes;
		emulator.settings.maxAttachmentBytes = 20 * 1024 * 1024;
		const id = await startConversation(client);
		const contentUrl = Buffer.alloc(20 * 1024 * 1024, 7).toString('base64');
		const attachments = [{ contentType: 'video/mp4', contentUrl, name: 'a.mp4' }];
		expect((await say(id, '', { attachments })).status).toBe(200);
		expect(JSON.stringify(emulator.log).length).toBeLessThan(1_000_000);
		emulator.settings.maxAttachmentBytes = before;
	});

	test('custom events and typing are taken, and never among the messages', async () => {
		const id = await startConversation(client);
		const event = {
			type: 'event',
			name: 'Order',
			conversation: { id },
			channelData: { customEvent: true, customEventName: 'Order', customEventValue: '{"a":1}' },
		};
		const typing = { type: 'typing', channelId: channelId(), conversation: { id }, from: { name: 'J' } };
		for (const body of [event, typing]) {
			const { status, json } = await client('POST', `/conversation/${id}`, { body });
			expect([status, json]).toEqual([200, { messageId: expect.stringMatching(/^\d{13}$/) }]);
		}
		expect((await messagesOf(id)).messages).toEqual([]);
	});

	test('what was sent is what is listed', async () => {
		const id = await startConversation(client, {
			customercontext: { customerid: 'known', preferredname: 'Jo' },
		});
		const channelData = { 'messagingapi-oc': { type: 'AutomatedMessage' } };
		await say(id, 'hello', { channelData });
		await say(id, 'again', { from: { id: 'x', name: 'Y' } });
		expect((await messagesOf(id)).messages).toEqual([
			expect.objectContaining({
				type: 'message',
				text: 'hello',
				channelData: { ...channelData, tags: 'FromCustomer' },
				from: { id: 'known', name: 'Jo' },
			}),
			expect.objectContaining({ text: 'again', attachments: [], from: { id: 'x', name: 'Y' } }),
		]);
	});
});

describe('states', () => {
	const end = (id: string) =>
		client('POST', `/conversation/${id}`, {
			body: { type: 'endOfConversation', channelId: channelId(), conversation: { id } },
		});
	const isListed = async (id: string) =>
		(await listed('?PageSize=250')).conversations.some(({ conversationid }) => conversationid === id);

	const read = async (id: string) => [
		await client('GET', `/conversation/${id}/messages`),
		await client('GET', `/conversation/${id}/context`),
	];

	test('waiting and active ones are sent to, read and listed; wrap-up and closed ones answer 404', async () => {
		const id = await startConversation(client);
		for (const next of [() => emulator.desk.accept(id), () => emulator.desk.wrapUp(id)]) {
			expect([(await say(id, 'a')).status, await isListed(id)]).toEqual([200, true]);
			expect((await read(id)).map(({ status }) => status)).toEqual([200, 200]);
			next();
		}
		for (const next of [() => emulator.desk.close(id), () => undefined]) {
			const refused = [await say(id, 'b'), ...(await read(id))].map(codeOf);
			expect([refused, await isListed(id)]).toEqual([Array(3).fill([404, 30013]), false]);
			next();
		}
		const changes = emulator.log.filter((entry) => entry.kind === 'state' && entry.conversationId === id);
		expect(changes).toEqual([
			expect.objectContaining({ from: null, to: 'waiting' }),
			expect.objectContaining({ from: 'waiting', to: 'active' }),
			expect.objectContaining({ from: 'active', to: 'wrapUp' }),
			expect.objectContaining({ from: 'wrapUp', to: 'closed' }),
		]);
	});

	test('a setting lets them be read after the close, but not sent to', async () => {
		emulator.settings.readAfterClose = true;
		const id = await startConversation(client);
		await say(id, 'a');
		emulator.desk.accept(id);
		for (const next of [() => emulator.desk.wrapUp(id), () => emulator.desk.close(id)]) {
			next();
			expect((await messagesOf(id)).messages.map(({ text }) => text)).toEqual(['a']);
			expect((await client('GET', `/conversation/${id}/context`)).status).toBe(200);
			expect(codeOf(await say(id, 'b'))).toEqual([404, 30013]);
		}
		expect((await read(unknown)).map(codeOf)).toEqual(Array(2).fill([404, 30013]));
	});

	test('the customer ends the conversation once', async () => {
		const id = await startConversation(client);
		const { status, json } = await end(id);
		expect([status, json]).toEqual([200, { messageId: expect.stringMatching(/^\d{13}$/) }]);
		expect(codeOf(await end(id))).toEqual([404, 30013]);
		expect(emulator.desk.get(id).state).toBe('closed');
	});
});

describe('context', () => {
	const body = { conversationcontext: { issue: { isDisplayable: true, value: 'installation' } } };

	test('gives the variables', async () => {
		const id = await startConversation(client, body);
		const { json } = await client('GET', `/conversation/${id}/context`);
		expect(json).toEqual({ context: [{ name: 'issue', value: 'installation' }] });
	});

	test('is empty for a while', async () => {
		emulator.settings.contextLagMs = 60_000;
		const id = await startConversation(client, body);
		expect((await client('GET', `/conversation/${id}/context`)).json).toEqual({ context: [] });
		emulator.settings.contextLagMs = 0;
		expect((await client('GET', `/conversation/${id}/context`)).json).not.toEqual({ context: [] });
	});
});

describe('pages', () => {
	test('of conversations', async () => {
		const quiet = await start();
		const caller = await connect(quiet);
		const ids: string[] = [];
		for (let count = 0; count < 5; count++) ids.push(await startConversation(caller));

		const seen: string[][] = [];
		let token: unknown;
		do {
			const query = token ? `&ContinuationToken=${String(token)}` : '';
			const { json } = await caller('GET', `/conversations?PageSize=2${query}`);
			token = json.continuationtoken;
			if (token !== null) expect(token).toMatch(/^[0-9a-f-]{36}$/);
			const page = json.conversations as { conversationid: string }[];
			seen.push(page.map(({ conversationid }) => conversationid));
		} while (token);
		expect(seen).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
		expect(token).toBeNull();

		const whole = await caller('GET', '/conversations?PageSize=5');
		expect(whole.json.continuationtoken).toBeNull();
		await quiet.close();
	});

	test('of messages, with the plus sign encoded; one that is not encoded is refused', async () => {
		const id = await startConversation(client);
		for (const text of ['1', '2', '3', '4', '5']) await say(id, text);
		const first = await messagesOf(id, '?PageSize=2');
		expect(first.continuationToken).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$/);
		const token = String(first.continuationToken);
		const second = await messagesOf(id, `?PageSize=2&ContinuationToken=${encodeURIComponent(token)}`);
		const next = encodeURIComponent(String(second.continuationToken));
		const third = await messagesOf(id, `?PageSize=2&ContinuationToken=${next}`);
		const texts = [first, second, third].map(({ messages }) => messages.map(({ text }) => text));
		expect(texts).toEqual([['1', '2'], ['3', '4'], ['5']]);
		expect(third).not.toHaveProperty('continuationToken');
		expect(codeOf(await client('GET', `/conversation/${id}/messages?ContinuationToken=${token}`))).toEqual([
			400, 30009,
		]);
	});

	test('50 when no size is asked for', async () => {
		const id = await startConversation(client);
		for (let count = 0; count < 51; count++) await say(id, String(count));
		const page = await messagesOf(id);
		expect([page.messages.length, typeof page.continuationToken]).toEqual([50, 'string']);
	});

	test('from a time on', async () => {
		const id = await startConversation(client);
		await say(id, 'before');
		await say(id, 'after');
		const { messages } = await messagesOf(id);
		const start = encodeURIComponent(String(messages[1]?.timestamp));
		const later = await messagesOf(id, `?StartTimeStamp=${start}`);
		expect(later.messages.map(({ text }) => text)).toEqual(['after']);
		expect((await listed('?StartTimeStamp=2999-01-01')).conversations).toEqual([]);
		expect((await listed('?StartTimeStamp=2020-01-01T00:00:00')).conversations).not.toEqual([]);
	});
});

describe('errors', () => {
	const conversation =
		(path = '') =>
		async () =>
			`/conversation/${await startConversation(client)}${path}`;
	const at = (path: string) => async () => path;
	const activity = (change: object) => (id: string) => JSON.parse(JSON.stringify(message(id, 'x', change)));

	test.each<[string, number, number | undefined, string, () => Promise<string>, CallParts]>([
		[
			'organisation missing',
			400,
			30001,
			'GET',
			at('/conversations'),
			{ headers: { 'organization-id': undefined } },
		],
		[
			'organisation unknown',
			401,
			undefined,
			'GET',
			at('/conversations'),
			{ headers: { 'organization-id': unknown } },
		],
		['channel missing', 400, 30002, 'GET', at('/conversations'), { headers: { 'channel-id': undefined } }],
		['channel unknown', 404, 30004, 'GET', at('/conversations'), { headers: { 'channel-id': unknown } }],
		[
			'another channel in the body',
			400,
			30002,
			'POST',
			conversation(),
			{ body: activity({ channelId: unknown }) },
		],
		['type not known', 400, 30003, 'POST', conversation(), { body: activity({ type: 'handoff' }) }],
		['event not known', 400, 30003, 'POST', conversation(), { body: activity({ type: 'event', name: 'X' }) }],
		['id is no GUID', 400, 30005, 'GET', at('/conversation/x/messages'), {}],
		['id with broken encoding', 400, 30005, 'GET', at('/conversation/%ff/messages'), {}],
		['id with half an escape', 400, 30005, 'GET', at('/conversation/%/context?x=%ff'), {}],
		['id with half a sign', 400, 30005, 'GET', at('/conversation/%E0%A4/messages'), {}],
		[
			'another id in the body',
			400,
			30005,
			'POST',
			conversation(),
			{ body: activity({ conversation: { id: unknown } }) },
		],
		['bad start', 400, 30006, 'GET', at('/conversations?StartTimeStamp=now'), {}],
		['bad start of messages', 400, 30006, 'GET', conversation('/messages?StartTimeStamp=now'), {}],
		['page of 0', 400, 30007, 'GET', at('/conversations?PageSize=0'), {}],
		['page of 251', 400, 30007, 'GET', at('/conversations?PageSize=251'), {}],
		['page of 101', 400, 30008, 'GET', conversation('/messages?PageSize=101'), {}],
		['token unknown', 400, 30009, 'GET', at(`/conversations?ContinuationToken=${unknown}`), {}],
		['token no GUID', 400, 30009, 'GET', at('/conversations?ContinuationToken=1'), {}],
		[
			'101 variables',
			400,
			30010,
			'POST',
			at('/conversation/create'),
			{
				body: () => ({
					conversationcontext: Object.fromEntries(
						Array.from({ length: 101 }, (_, index) => [`v${index}`, { value: 'x' }]),
					),
				}),
			},
		],
		['long text', 400, 30011, 'POST', conversation(), { body: activity({ text: 'x'.repeat(6001) }) }],
		['no body', 400, 30012, 'POST', conversation(), {}],
		['broken body', 400, 30012, 'POST', conversation(), { body: () => '{"type":' }],
		[
			'no content type',
			400,
			30012,
			'POST',
			at('/conversation/create'),
			{ body: () => '{}', headers: { 'content-type': undefined } },
		],
		[
			'wrong content type',
			400,
			30012,
			'POST',
			at('/conversation/create'),
			{ body: () => '{}', headers: { 'content-type': 'text/plain' } },
		],
		['unknown conversation', 404, 30013, 'POST', at(`/conversation/${unknown}`), { body: activity({}) }],
		['messages of nothing', 404, 30013, 'GET', at(`/conversation/${unknown}/messages`), {}],
		['context of nothing', 404, 30013, 'GET', at(`/conversation/${unknown}/context`), {}],
		['no text', 400, 30016, 'POST', conversation(), { body: activity({ text: undefined }) }],
		['no such path', 404, undefined, 'GET', at('/conversation'), {}],
	])('%s: %i %s', async (_name, status, code, method, pathOf, { body, headers }) => {
		const path = await pathOf();
		const id = /[0-9a-f-]{36}/.exec(path)?.[0] ?? '';
		const answer = await client(method, path, { headers, body: body?.(id) });
		expect(codeOf(answer)).toEqual([status, code]);
		expect(answer.json).toMatchObject({ type: expect.any(String), title: expect.any(String), status });
		expect(answer.json.detail).toEqual(expect.any(String));
		expect(answer.headers['content-type']).toContain('application/problem+json');
		const correlationId = answer.headers['x-ms-correlation-id'];
		expect(emulator.log.at(-1)).toMatchObject({ kind: 'request', status, correlationId });
	});

	test('the switches of the channel', async () => {
		emulator.settings.linkedToWorkstream = false;
		expect(codeOf(await client('GET', '/conversations'))).toEqual([400, 30014]);
		emulator.settings.linkedToWorkstream = true;
		emulator.settings.channelAuthorized = false;
		expect((await client('GET', '/conversations')).status).toBe(401);
		emulator.settings.channelAuthorized = true;
		emulator.settings.errorCodeKey = 'code';
		expect((await client('GET', '/conversations?PageSize=0')).json.code).toBe(30007);
		emulator.settings.errorCodeKey = 'errorCode';
	});

	test('the log says who asked for what, and what was wrong with it', async () => {
		const { json } = await client('POST', '/conversation/create', {
			body: { customercontext: { customerid: 'logged' } },
		});
		expect(emulator.log.at(-1)).toMatchObject({
			kind: 'request',
			method: 'POST',
			path: '/api/v1.0/consumer/conversation/create',
			operationId: 'createConversation',
			status: 200,
			conversationId: json.conversationId,
			customerId: 'logged',
			contractErrors: [],
		});
		await client('GET', '/conversations?PageSize=0');
		expect(emulator.log.at(-1)).toMatchObject({
			errorCode: 30007,
			contractErrors: [{ path: '/query/PageSize' }],
		});
	});
});

interface CallParts {
	headers?: Record<string, string | undefined>;
	body?: (id: string) => unknown;
}

describe('faults', () => {
	afterEach(() => {
		emulator.settings.faults = [];
	});
	const conversations = () => client('GET', '/conversations');

	test('a status, as often as it is asked for', async () => {
		emulator.settings.faults = [{ action: { status: 429, retryAfter: 2 }, times: 1 }];
		const limited = await conversations();
		expect([limited.status, limited.headers['retry-after']]).toEqual([429, '2']);
		expect(limited.headers['x-ms-correlation-id']).toEqual(expect.any(String));
		expect((await conversations()).status).toBe(200);
	});

	test('a code', async () => {
		emulator.settings.faults = [{ action: { status: 500, code: 30015 } }];
		expect(codeOf(await conversations())).toEqual([500, 30015]);
		expect(codeOf(await conversations())).toEqual([500, 30015]);
	});

	test('only for the operation and the conversation that it is for', async () => {
		const id = await startConversation(client);
		emulator.settings.faults = [
			{ match: { operationId: 'listMessages', conversationId: id }, action: { status: 503 } },
		];
		expect((await client('GET', `/conversation/${id}/messages`)).status).toBe(503);
		expect((await client('GET', `/conversation/${id}/context`)).status).toBe(200);
		const another = await startConversation(client);
		expect((await client('GET', `/conversation/${another}/messages`)).status).toBe(200);
	});

	test('a cut before and a cut after the work', async () => {
		const id = await startConversation(client);
		const texts = async () => (await messagesOf(id)).messages.map(({ text }) => text);
		emulator.settings.faults = [{ match: { operationId: 'sendActivity' }, action: 'resetBefore', times: 1 }];
		await expect(say(id, 'lost')).rejects.toThrow();
		expect(await texts()).toEqual([]);
		emulator.settings.faults = [{ match: { operationId: 'sendActivity' }, action: 'resetAfter', times: 1 }];
		await expect(say(id, 'arrived')).rejects.toThrow();
		expect(await texts()).toEqual(['arrived']);
	});

	test('a delay', async () => {
		emulator.settings.faults = [{ action: { delayMs: 120 } }];
		const startedAt = Date.now();
		expect((await conversations()).status).toBe(200);
		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(115);
	});

	test('by chance, the same in every run', async () => {
		const run = async () => {
			const one = await start({ seed: 7 });
			const caller = await connect(one);
			one.settings.faults = [
				{ match: { operationId: 'listConversations' }, action: { status: 500 }, probability: 0.5 },
			];
			const statuses: number[] = [];
			for (let count = 0; count < 12; count++) statuses.push((await caller('GET', '/conversations')).status);
			await one.close();
			return statuses;
		};
		const first = await run();
		expect(new Set(first)).toEqual(new Set([200, 500]));
		expect(await run()).toEqual(first);
	});
});

test('plain http is not answered', async () => {
	await expect(send(emulator.origin.replace('https', 'http'))).rejects.toThrow();
});

test('only this machine is answered', async () => {
	// Also an address of this machine, but not the one that is listened on.
	for (const url of [
		emulator.deskOrigin.replace('127.0.0.1', '127.0.0.2'),
		emulator.origin.replace('localhost', '127.0.0.2'),
	]) {
		await expect(send(url, { timeout: 500 })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
	}
});

test('a port that is taken is said with its number, and nothing stays open', async () => {
	const port = Number(new URL(emulator.origin).port);
	await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
	const free = await start();
	const freePort = Number(new URL(free.origin).port);
	await free.close();
	const deskPort = Number(new URL(emulator.deskOrigin).port);
	await expect(start({ port: freePort, deskPort })).rejects.toMatchObject({
		code: 'EADDRINUSE',
		port: deskPort,
	});
	await (await start({ port: freePort })).close();
});
