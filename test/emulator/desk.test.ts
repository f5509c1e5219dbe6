import http from 'node:http';
import { type Emulator, makeCertificate, startEmulator } from '../../emulator';
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
		baseUrl: emulator.origin,
		authorityHost: emulator.origin,
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
	});
});

test('the page is there, and may load nothing from elsewhere', async () => {
	const { status, text, headers } = await get('/');
	expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
	expect(headers['content-security-policy']).toContain("default-src 'none'");
	const linked = [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => String(path));
	expect(linked).toEqual(expect.arrayContaining(['desk.css', 'desk.js']));
	for (const path of linked) expect((await get(`/${path}`)).status).toBe(200);
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
