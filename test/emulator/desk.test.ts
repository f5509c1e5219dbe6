import http from 'node:http';
import { decodeProtectedHeader } from 'jose';
import {
	type DeliveryEntry,
	type DeskEntry,
	DeskError,
	type Emulator,
	type FaultRule,
	makeCertificate,
	startEmulator,
} from '../../emulator';
import { type Client, connect, type Hook, send, start, startConversation, startHook } from './support';

let emulator: Emulator;
let client: Client;
let hook: Hook;
beforeAll(async () => {
	emulator = await start();
	hook = await startHook();
	emulator.setWebhookUrl(hook.url);
	client = await connect(emulator);
});
afterAll(async () => {
	await emulator.close();
	await hook.close();
});

const get = (path: string, headers: Record<string, string> = {}) =>
	send(emulator.deskOrigin + path, { headers });
const sendJson = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
	send(emulator.deskOrigin + path, {
		method,
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body),
	});
const act = (id: string, action: string, body: unknown = {}) =>
	sendJson('POST', `/api/conversations/${id}/${action}`, body);
const received = (id: string) =>
	hook.received.filter(({ path }) => path.includes(id)).map(({ body }) => body);

test('a representative’s day over HTTP', async () => {
	const id = await startConversation(client, {
		customercontext: { customerid: 'c1', preferredname: 'Jo' },
		startmessage: { message: 'Hi' },
	});
	expect((await act(id, 'accept', { agentName: 'Ada' })).json).toMatchObject({
		conversation: { state: 'active', representative: { name: 'Ada' } },
	});
	expect((await act(id, 'typing')).status).toBe(200);
	expect((await act(id, 'reply', { text: 'hello' })).json.messageId).toMatch(/^\d{13}$/);
	expect((await act(id, 'transfer', { to: 'agent', agentName: 'Eve' })).status).toBe(200);
	expect((await act(id, 'custom-event', { name: 'Order', value: { a: 1 } })).status).toBe(200);
	expect((await act(id, 'wrap-up')).json).toMatchObject({ conversation: { state: 'wrapUp' } });
	expect((await act(id, 'close')).json).toMatchObject({ conversation: { state: 'closed' } });
	await emulator.idle();
	expect(received(id).map((body) => body.name ?? body.Name ?? body.text ?? body.type)).toEqual([
		'AgentAccepted',
		'typing',
		'hello',
		'TransferToAgentInitiated',
		'TransferAgentAcceptSession',
		'Order',
		'AgentClosed',
		'ConversationClosed',
	]);
	const conversation = (await get(`/api/conversations/${id}`)).json;
	expect(conversation).toMatchObject({
		id,
		customer: { id: 'c1', name: 'Jo' },
		representative: { name: 'Eve' },
		channel: { name: emulator.world.channelName, isOwn: true },
	});
	expect(conversation.lines).toMatchObject([
		{ who: 'customer', name: 'Jo', text: 'Hi' },
		{ who: 'system', text: 'AgentAccepted · Ada' },
		{ who: 'representative', name: 'Ada', text: 'hello' },
		{ who: 'system' },
		{ who: 'system', text: 'TransferAgentAcceptSession · Eve' },
		{ who: 'system', text: 'Custom event Order' },
		{ who: 'system' },
		{ who: 'system' },
	]);
	const all: { id: string }[] = JSON.parse((await get('/api/conversations')).text);
	expect(all.map((one) => one.id)).toContain(id);
});

test('a reply with quick replies and a card, over HTTP', async () => {
	const id = await startConversation(client);
	emulator.desk.accept(id);
	const card = { contentType: 'application/vnd.microsoft.card.hero', content: { title: 'Pump' } };
	const { json } = await act(id, 'reply', { text: 'Which?', buttons: ['One', ' ', 7, 'Two '], card });
	const form = new FormData();
	form.set('text', 'Sure?');
	form.set('buttons', 'Yes\r\n\r\nNo, thank you');
	const encoded = new Response(form);
	const answer = await send(`${emulator.deskOrigin}/api/conversations/${id}/reply`, {
		method: 'POST',
		headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
		body: Buffer.from(await encoded.arrayBuffer()),
	});
	expect(answer.status).toBe(200);
	await emulator.idle();
	const action = (title: string) => ({ type: 'imBack', title, value: title });
	expect(received(id).slice(1)).toMatchObject([
		{ text: 'Which?', attachments: [card], suggestedActions: { actions: [action('One'), action('Two')] } },
		{ text: 'Sure?', suggestedActions: { actions: [action('Yes'), action('No, thank you')] } },
	]);
	const { lines } = (await get(`/api/conversations/${id}`)).json as { lines: object[] };
	expect(lines.slice(-2)).toMatchObject([
		{ text: 'Which?', cards: [card], buttons: [action('One'), action('Two')] },
		{ text: 'Sure?', buttons: [action('Yes'), action('No, thank you')] },
	]);
	const { messages } = (await client('GET', `/conversation/${id}/messages`)).json as { messages: object[] };
	expect(messages).toMatchObject([{ messageId: json.messageId, attachments: [card] }, { attachments: [] }]);
});

test.each([
	['without a type', { content: {} }],
	['without a content', { contentType: 'application/vnd.microsoft.card.hero' }],
	['that is a text', 'a card'],
])('a card %s is refused', async (_, card) => {
	const id = await startConversation(client);
	emulator.desk.accept(id);
	expect((await act(id, 'reply', { card })).status).toBe(400);
});

test('a reply with a file', async () => {
	const id = await startConversation(client);
	emulator.desk.accept(id);
	const form = new FormData();
	form.set('text', 'your bill');
	form.set('file', new Blob(['a bill'], { type: 'application/pdf' }), 'Rechnung März.pdf');
	const encoded = new Response(form);
	const answer = await send(`${emulator.deskOrigin}/api/conversations/${id}/reply`, {
		method: 'POST',
		headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
		body: Buffer.from(await encoded.arrayBuffer()),
	});
	expect(answer.status).toBe(200);
	await emulator.idle();
	const [, delivered] = received(id);
	const attachments = delivered?.attachments as { contentUrl: string }[];
	expect(delivered).toMatchObject({
		text: 'your bill',
		attachments: [{ contentType: 'application/pdf', name: 'Rechnung März.pdf' }],
	});
	const url = String(attachments[0]?.contentUrl);
	const fromService = await send(url, { ca: emulator.certificate.cert });
	const fromDesk = await get(new URL(url).pathname);
	expect([fromService.text, fromDesk.text]).toEqual(['a bill', 'a bill']);
});

describe('out of hours', () => {
	test.each<[string, { holiday?: boolean } | undefined, string]>([
		['in the evening', undefined, 'OutOfOperatingHoursDueToNonWorkingHours'],
		['on a holiday', { holiday: true }, 'OutOfOperatingHoursDueToHoliday'],
	])('%s, the webhook is told, and the conversation goes on waiting', async (_when, options, name) => {
		const id = await startConversation(client);
		emulator.desk.outOfHours(id, options);
		await emulator.idle();
		expect(received(id)).toEqual([
			{
				type: 'message',
				channelId: emulator.world.channelId,
				conversation: { id },
				text: `EventName: **_${name}_**`,
				name,
			},
		]);
		expect(emulator.desk.get(id)).toMatchObject({ state: 'waiting', lines: [{ text: name }] });
	});

	test('as an event, where the organization sends those', async () => {
		emulator.settings.delivery.systemEventsAs = 'event';
		const id = await startConversation(client);
		emulator.desk.outOfHours(id);
		await emulator.idle();
		emulator.settings.delivery.systemEventsAs = 'message';
		expect(received(id)).toMatchObject([{ type: 'event', name: 'OutOfOperatingHoursDueToNonWorkingHours' }]);
	});

	test.each(['active', 'closed'])('not of a conversation that is %s', async (state) => {
		const id = await startConversation(client);
		if (state === 'active') emulator.desk.accept(id);
		else emulator.desk.close(id);
		expect(() => emulator.desk.outOfHours(id)).toThrow(DeskError);
	});
});

test('a reply in plain text', async () => {
	const id = await startConversation(client);
	emulator.desk.accept(id);
	await act(id, 'reply', { text: '**as** it stands', textFormat: 'plain' });
	await act(id, 'reply', { text: '**bold**' });
	await emulator.idle();
	expect(received(id).slice(1)).toMatchObject([{ textFormat: 'plain' }, { textFormat: 'markdown' }]);
	const { lines } = emulator.desk.get(id);
	expect(lines.slice(-2).map(({ isPlain }) => isPlain)).toEqual([true, undefined]);
});

test('any activity as it is', async () => {
	const id = '5d1c8e72-3b4a-4f60-9a8d-2e7f6c5b4a39';
	const { status, json } = await act(id, 'deliver', { type: 'somethingNew' });
	expect([status, json.conversationId]).toEqual([200, id]);
	await emulator.idle();
	expect(received(id)).toEqual([{ type: 'somethingNew' }]);
});

describe('what cannot be done', () => {
	test.each<[string, string, unknown, number]>([
		['waiting', 'reply', { text: 'x' }, 409],
		['waiting', 'typing', {}, 409],
		['waiting', 'transfer', {}, 409],
		['waiting', 'wrap-up', {}, 409],
		['active', 'accept', {}, 409],
		['active', 'reply', {}, 400],
		['active', 'custom-event', {}, 400],
		['active', 'no-such-thing', {}, 404],
		['closed', 'accept', {}, 409],
		['closed', 'reply', { text: 'x' }, 409],
		['closed', 'custom-event', { name: 'x' }, 409],
		['closed', 'close', {}, 409],
	])('%s: %s', async (state, action, body, status) => {
		const id = await startConversation(client);
		if (state !== 'waiting') emulator.desk.accept(id);
		if (state === 'closed') emulator.desk.close(id);
		expect((await act(id, action, body)).status).toBe(status);
	});

	test('with a conversation that is not there', async () => {
		const { status, json } = await act('0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d', 'accept');
		expect([status, typeof json.error]).toEqual([404, 'string']);
	});

	test('with JSON that is broken', async () => {
		const { status } = await send(`${emulator.deskOrigin}/api/channel`, {
			method: 'PUT',
			headers: { 'content-type': 'application/json' },
			body: '{',
		});
		expect(status).toBe(400);
	});
});

test('the webhook URL of the channel', async () => {
	const url = 'https://n8n.example.com/webhook/x';
	expect((await get('/api/channel')).json).toEqual({ webhookUrl: hook.url });
	expect((await sendJson('PUT', '/api/channel', { webhookUrl: url })).json).toEqual({ webhookUrl: url });
	expect((await sendJson('PUT', '/api/channel', { webhookUrl: null })).json).toEqual({ webhookUrl: null });
	for (const webhookUrl of ['ftp://x', 'n8n', 5]) {
		expect((await sendJson('PUT', '/api/channel', { webhookUrl })).status).toBe(400);
	}
	emulator.setWebhookUrl(hook.url);
	expect((await get('/api/channel')).json).toEqual({ webhookUrl: hook.url });
});

test('the world is what the credential needs', async () => {
	const { organizationId, channelId, clientId, clientSecret, tenantId } = emulator.world;
	expect((await get('/api/world')).json).toEqual({
		tenantId,
		clientId,
		clientSecret,
		organizationId,
		geo: 'Europe, Middle East, Africa (eu)',
		channelId,
		channelName: 'Contoso Messenger',
		environmentUrl: emulator.origin,
		baseUrl: emulator.origin,
		authorityHost: emulator.origin,
		communication: {
			endpoint: emulator.origin,
			accessKey: emulator.world.communicationAccessKey,
			userToken: emulator.world.communicationUserToken,
			channelId: emulator.world.communicationChannelId,
			conversationId: emulator.world.communicationConversationId,
		},
		customerWebhookUrl: null,
		certificateFile: null,
	});
});

test('the log, whole and from an entry on', async () => {
	const whole: { seq: number }[] = JSON.parse((await get('/api/log')).text);
	expect(whole.map(({ seq }) => seq)).toEqual(whole.map((_, index) => index + 1));
	const rest: { seq: number }[] = JSON.parse((await get(`/api/log?since=${whole.length - 2}`)).text);
	expect(rest).toEqual(whole.slice(-2));
});

test('the stream tells of a delivery when it is queued and when it is done', async () => {
	const id = await startConversation(client);
	const since = emulator.log.length;
	const text = await new Promise<string>((resolve, reject) => {
		let seen = '';
		const request = http.get(
			`${emulator.deskOrigin}/api/events?since=${since}`,
			{ agent: false },
			(response) => {
				expect(response.headers['content-type']).toBe('text/event-stream');
				emulator.desk.accept(id);
				response.on('data', (chunk: Buffer) => {
					seen += chunk.toString('utf8');
					if (!seen.includes('"outcome":"accepted"')) return;
					resolve(seen);
					request.destroy();
				});
			},
		);
		request.on('error', reject);
	});
	const entries = text
		.split('\n')
		.filter((line) => line.startsWith('data: {"seq"'))
		.map((line) => JSON.parse(line.slice(6)));
	expect(entries.map(({ kind, outcome }) => outcome ?? kind)).toEqual([
		'state',
		'desk',
		'pending',
		expect.stringMatching(/pending|accepted/),
		'accepted',
	]);
	expect(entries[2].seq).toBe(entries.at(-1).seq);
});

describe('what goes wrong on purpose', () => {
	interface Faults {
		rules: (FaultRule & { id: number })[];
		services: { name: string; operationIds: string[] }[];
	}
	const faults = async () => JSON.parse((await get('/api/faults')).text) as Faults;
	const addFault = (rule: unknown) => sendJson('POST', '/api/faults', rule);
	const remove = (path: string) => send(emulator.deskOrigin + path, { method: 'DELETE' });
	const list = async () => (await client('GET', '/conversations')).status;
	const lastDeed = () => emulator.log.filter((entry): entry is DeskEntry => entry.kind === 'desk').at(-1);
	afterEach(() => {
		emulator.settings.faults = [];
		emulator.settings.delivery.signed = true;
	});

	test('a rule is counted down, and is gone when it is used up', async () => {
		const rule = {
			action: { status: 429, retryAfter: 7 },
			match: { operationId: 'listConversations' },
			times: 2,
		};
		const { status, json } = await addFault(rule);
		const id: unknown = expect.any(Number);
		expect([status, json.rules]).toEqual([200, [{ ...rule, id }]]);
		expect(lastDeed()).toMatchObject({ action: 'addFault', detail: JSON.stringify(rule) });
		const refused = await client('GET', '/conversations');
		expect([refused.status, refused.headers['retry-after']]).toEqual([429, '7']);
		expect((await faults()).rules).toEqual([{ ...rule, times: 1, id }]);
		expect(await list()).toBe(429);
		expect((await faults()).rules).toEqual([]);
		expect(await list()).toBe(200);
	});

	test('the newest rule is tried first', async () => {
		await addFault({ action: { status: 500 } });
		await addFault({ action: { status: 503 }, times: 1 });
		expect([await list(), await list()]).toEqual([503, 500]);
	});

	test('a rule for one conversation leaves the others alone', async () => {
		const [id, other] = [await startConversation(client), await startConversation(client)];
		await addFault({ action: { status: 500 }, match: { conversationId: id } });
		const read = async (of: string) => (await client('GET', `/conversation/${of}/messages`)).status;
		expect([await read(id), await read(other)]).toEqual([500, 200]);
	});

	test('a pause, and a connection that is cut', async () => {
		await addFault({ action: { delayMs: 80 }, times: 1 });
		const startedAt = Date.now();
		expect(await list()).toBe(200);
		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(75);
		await addFault({ action: 'resetBefore' });
		await expect(list()).rejects.toThrow();
	});

	test('rules are cleared one by one, or all at once; those of whoever embeds the emulator too', async () => {
		emulator.settings.faults = [{ action: { status: 500 }, probability: 0.5 }];
		await addFault({ action: { status: 503 } });
		await addFault({ action: { status: 429 } });
		const ids = (await faults()).rules.map(({ id }) => id);
		expect(new Set(ids).size).toBe(3);
		expect((await remove(`/api/faults/${ids[1]}`)).status).toBe(200);
		expect((await faults()).rules).toEqual([
			{ action: { status: 429 }, id: ids[0] },
			{ action: { status: 500 }, probability: 0.5, id: ids[2] },
		]);
		expect(lastDeed()).toMatchObject({ action: 'clearFaults', detail: String(ids[1]) });
		expect((await remove(`/api/faults/${ids[1]}`)).status).toBe(404);
		expect((await remove('/api/faults')).json.rules).toEqual([]);
		expect(emulator.settings.faults).toEqual([]);
		expect(lastDeed()).toMatchObject({ action: 'clearFaults', detail: 'all' });
	});

	test('a rule can be for every call of every service', async () => {
		const { services } = await faults();
		const operationIds = services.flatMap((service) => service.operationIds);
		expect(operationIds).toEqual(
			expect.arrayContaining(['token', 'sendActivity', 'dataverse.whoAmI', 'communication.sendMessage']),
		);
		expect(operationIds).not.toContain('deliverActivity');
		for (const operationId of operationIds) {
			const { status } = await addFault({ action: 'resetAfter', match: { operationId }, times: 1 });
			expect([operationId, status]).toEqual([operationId, 200]);
		}
	});

	test.each<[string, unknown]>([
		['no object', 'resetBefore'],
		['a list', []],
		['no action', { times: 1 }],
		['an unknown action', { action: 'explode' }],
		['an unknown field', { action: 'resetBefore', forever: true }],
		['dice', { action: 'resetBefore', probability: 0.5 }],
		['a pause that is no number', { action: { delayMs: '5' } }],
		['a pause before now', { action: { delayMs: -1 } }],
		['a pause without an end', { action: { delayMs: 600_001 } }],
		['a pause with a status', { action: { delayMs: 5, status: 500 } }],
		['a success', { action: { status: 200 } }],
		['a status that is none', { action: { status: 600 } }],
		['half a status', { action: { status: 429.5 } }],
		['a body', { action: { status: 500, body: '<h1>' } }],
		['a code that the contract may not have', { action: { status: 400, code: 1 } }],
		['a Retry-After in words', { action: { status: 429, retryAfter: 'soon' } }],
		['a Retry-After before now', { action: { status: 429, retryAfter: -1 } }],
		['never', { action: 'resetBefore', times: 0 }],
		['too often', { action: 'resetBefore', times: 1_001 }],
		['half a time', { action: 'resetBefore', times: 1.5 }],
		['any match', { action: 'resetBefore', match: 'all' }],
		['an unknown match', { action: 'resetBefore', match: { path: '/' } }],
		['an unknown call', { action: 'resetBefore', match: { operationId: 'deliverActivity' } }],
		['a call that is no text', { action: 'resetBefore', match: { operationId: 1 } }],
		['no conversation', { action: 'resetBefore', match: { conversationId: '' } }],
	])('no rule: %s', async (_name, rule) => {
		const before = emulator.log.length;
		const { status, json } = await addFault(rule);
		expect([status, typeof json.error]).toEqual([400, 'string']);
		expect(emulator.settings.faults).toEqual([]);
		expect(emulator.log.length).toBe(before);
	});

	test('a rule needs a body of JSON', async () => {
		const path = `${emulator.deskOrigin}/api/faults`;
		const body = JSON.stringify({ action: 'resetBefore' });
		expect((await send(path, { method: 'POST', body })).status).toBe(400);
		expect(emulator.settings.faults).toEqual([]);
	});

	test('tokens are revoked', async () => {
		expect(await list()).toBe(200);
		expect((await sendJson('POST', '/api/tokens/revoke', {})).status).toBe(200);
		expect(lastDeed()).toMatchObject({ action: 'revokeTokens' });
		expect(await list()).toBe(401);
		client = await connect(emulator);
		expect(await list()).toBe(200);
	});

	test('keys are rotated', async () => {
		const keyOf = (token: string) => String(decodeProtectedHeader(token).kid);
		const before = keyOf(await emulator.issueDeliveryToken());
		expect((await sendJson('POST', '/api/keys/rotate', {})).status).toBe(200);
		expect(lastDeed()).toMatchObject({ action: 'rotateKeys' });
		expect(keyOf(await emulator.issueDeliveryToken())).not.toBe(before);
		expect(await list()).toBe(200);
	});

	test('deliveries are signed, or not', async () => {
		const deliver = async () => {
			const id = await startConversation(client);
			emulator.desk.accept(id);
			await emulator.idle();
			return hook.received.find(({ path }) => path.includes(id))?.headers.authorization;
		};
		const { retryDelayMs, tries } = emulator.settings.delivery;
		expect((await get('/api/delivery')).json).toEqual({ retryDelayMs, signed: true, tries });
		expect(await deliver()).toMatch(/^Bearer /);
		expect((await sendJson('PUT', '/api/delivery', { signed: false })).json).toMatchObject({ signed: false });
		expect(lastDeed()).toMatchObject({ action: 'signDeliveries', detail: 'no' });
		expect(await deliver()).toBeUndefined();
		for (const body of [{}, { signed: 'yes' }, { signed: null }]) {
			expect((await sendJson('PUT', '/api/delivery', body)).status).toBe(400);
		}
		expect((await get('/api/delivery')).json).toMatchObject({ signed: false });
		await sendJson('PUT', '/api/delivery', { signed: true });
		expect(await deliver()).toMatch(/^Bearer /);
	});

	test('an activity is delivered again, as the log has it', async () => {
		const id = await startConversation(client);
		emulator.desk.accept(id);
		await emulator.idle();
		const first = emulator.log.find(
			(entry): entry is DeliveryEntry => entry.kind === 'delivery' && entry.conversationId === id,
		);
		expect((await act(id, 'deliver', first?.activity)).status).toBe(200);
		await emulator.idle();
		const [once, again] = received(id);
		expect([once?.name, again]).toEqual(['AgentAccepted', once]);
	});
});

describe('other sites', () => {
	const port = () => new URL(emulator.deskOrigin).port;
	test.each<[string, () => Record<string, string>, number]>([
		['a tool without an origin', () => ({}), 200],
		['the desk itself', () => ({ origin: emulator.deskOrigin, 'sec-fetch-site': 'same-origin' }), 200],
		[
			'the desk as localhost',
			() => ({ host: `localhost:${port()}`, origin: `http://localhost:${port()}` }),
			200,
		],
		['another site', () => ({ origin: 'https://evil.example' }), 403],
		['another port', () => ({ origin: 'http://127.0.0.1:1' }), 403],
		['a page without an origin', () => ({ origin: 'null' }), 403],
		['a link on another site', () => ({ 'sec-fetch-site': 'cross-site' }), 403],
		['a name that points here', () => ({ host: 'evil.example' }), 403],
		[
			'a name that points here, as its own origin',
			() => ({ host: 'evil.example', origin: 'http://evil.example' }),
			403,
		],
	])('%s', async (_name, headers, status) => {
		expect((await get('/api/world', headers())).status).toBe(status);
		expect((await sendJson('PUT', '/api/channel', { webhookUrl: hook.url }, headers())).status).toBe(status);
		const rule = { action: 'resetBefore', match: { operationId: 'getContext' }, times: 1 };
		expect((await sendJson('POST', '/api/faults', rule, headers())).status).toBe(status);
		const message = { customerId: 'c', text: 'x', url: hook.url };
		expect((await sendJson('POST', '/api/customer/webhook', message, headers())).status).toBe(status);
		expect(emulator.settings.faults).toHaveLength(status === 200 ? 1 : 0);
		emulator.settings.faults = [];
	});
});

test('the page is there, and may load nothing from elsewhere', async () => {
	const { status, text, headers } = await get('/');
	expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
	expect(headers['content-security-policy']).toContain("default-src 'none'");
	const linked = [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => String(path));
	expect(linked).toEqual(expect.arrayContaining(['desk.css', 'desk.js']));
	const seen = new Set<string>();
	const follow = async (path: string): Promise<void> => {
		if (seen.has(path)) return;
		seen.add(path);
		const file = await get(`/${path}`);
		expect([path, file.status]).toEqual([path, 200]);
		if (!path.endsWith('.js')) return;
		const imported = [...file.text.matchAll(/^import (?:.* from )?'\.\/(.+)';$/gm)];
		for (const [, name] of imported) await follow(String(name));
	};
	for (const path of linked) await follow(path);
	expect([...seen]).toEqual(expect.arrayContaining(['breaking.js', 'chat.js', 'dom.js', 'wire.js']));
});

test('the page’s modules ask only for elements that the page has', async () => {
	const { text } = await get('/');
	const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => String(id));
	expect(new Set(ids).size).toBe(ids.length);
	for (const name of [
		'breaking',
		'chat',
		'customer',
		'desk',
		'dom',
		'list',
		'markdown',
		'queue',
		'setup',
		'wire',
	]) {
		const { text: source } = await get(`/${name}.js`);
		const asked = [...source.matchAll(/(?:byId|setText)\(\s*'([^']+)'/g)].map(([, id]) => String(id));
		expect([name, asked.filter((id) => !ids.includes(id))]).toEqual([name, []]);
		expect(source).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
	}
	for (const [, id] of text.matchAll(/\s(?:for|aria-controls|aria-labelledby)="([^"]+)"/g)) {
		expect(ids).toContain(id);
	}
});

test('an emulator of its own world', async () => {
	const organizationId = '11f0a9c3-7d52-4e8b-9a61-c4d3b2e5f678';
	const certificate = await makeCertificate();
	const other = await startEmulator({
		port: 0,
		deskPort: 0,
		certificate,
		world: { organizationId, zone: 'crm' },
	});
	expect(other.certificate).toBe(certificate);
	expect(other.world).toMatchObject({ organizationId, zone: 'crm', clientSecret: 'emulator-secret' });
	expect((await (await connect(other))('GET', '/conversations')).status).toBe(200);
	await other.close();
});
