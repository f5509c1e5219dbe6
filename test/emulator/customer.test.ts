import http from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import type { DeskEntry, Emulator, RequestEntry } from '../../emulator';
import { closedPort, close, listen } from '../../tools/ports';
import { send, start } from './support';

let emulator: Emulator;
beforeAll(async () => {
	emulator = await start();
});
afterAll(async () => await emulator.close());

const write = async (way: 'direct' | 'webhook', body: unknown) =>
	await send(`${emulator.deskOrigin}/api/customer/${way}`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	});
const callsSince = (count: number) =>
	emulator.log
		.slice(count)
		.filter((entry): entry is RequestEntry => entry.kind === 'request')
		.map(({ operationId }) => operationId);
const wordsOf = (id: unknown) =>
	emulator.desk.get(String(id)).lines.flatMap(({ who, text }) => (who === 'customer' ? [text] : []));

describe('straight to Dynamics 365', () => {
	test('the first words open a conversation, the next go on in it, and the customer leaves', async () => {
		const before = emulator.log.length;
		const { json } = await write('direct', { customerId: 'kim', name: 'Kim', text: ' Hello ' });
		const { conversationId } = json;
		expect(emulator.desk.get(String(conversationId))).toMatchObject({
			customerId: 'kim',
			customer: { name: 'Kim' },
		});
		expect((await write('direct', { conversationId, text: 'It is loud.' })).json).toEqual({ conversationId });
		expect(wordsOf(conversationId)).toEqual(['Hello', 'It is loud.']);
		expect((await write('direct', { conversationId, leaves: true })).status).toBe(200);
		expect(emulator.desk.get(String(conversationId)).state).toBe('closed');
		expect(callsSince(before)).toEqual(['createConversation', 'sendActivity', 'sendActivity']);
		const deeds = emulator.log.filter((entry): entry is DeskEntry => entry.kind === 'desk');
		expect(deeds.map(({ action }) => action)).toEqual(['customerWrites', 'customerWrites', 'customerLeaves']);

		const again = await write('direct', { conversationId, text: 'Once more' });
		expect(again.json.conversationId).not.toBe(conversationId);
		expect(emulator.desk.get(String(again.json.conversationId))).toMatchObject({ customerId: 'kim' });
		expect((await write('direct', { conversationId, leaves: true })).status).toBe(409);
	});

	test('a customer whose conversation is open goes on in it, by name and ID alone', async () => {
		const first = await write('direct', { customerId: 'jo', name: 'Jo', text: 'One' });
		const second = await write('direct', { customerId: 'jo', name: 'Jo', text: 'Two' });
		expect(second.json).toEqual(first.json);
		expect(wordsOf(first.json.conversationId)).toEqual(['One', 'Two']);
	});

	test.each([
		['no text', { customerId: 'kim', text: ' ' }, 400],
		['no ID', { name: 'Kim', text: 'x' }, 400],
		['an unknown conversation', { conversationId: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d', text: 'x' }, 404],
		['nobody who leaves', { customerId: 'nobody', leaves: true }, 409],
	])('refused: %s', async (_name, body, status) => {
		const { json, status: answered } = await write('direct', body);
		expect([answered, typeof json.error]).toEqual([status, 'string']);
	});

	test('what the service says is passed on', async () => {
		emulator.settings.faults = [
			{ action: { status: 503 }, match: { operationId: 'createConversation' }, times: 1 },
		];
		const { json, status } = await write('direct', { customerId: 'sam', text: 'x' });
		expect([status, json.error]).toEqual([
			502,
			expect.stringMatching(/^The Messaging API answered 503\. \w/),
		]);
		emulator.settings.faults = [{ action: { status: 500 }, match: { operationId: 'token' }, times: 1 }];
		const entra = await write('direct', { customerId: 'sam', text: 'x' });
		expect(entra.json.error).toMatch(/^Microsoft Entra answered 500/);
		emulator.settings.faults = [
			{ action: 'resetBefore', match: { operationId: 'createConversation' }, times: 1 },
		];
		const cut = await write('direct', { customerId: 'sam', text: 'x' });
		expect(cut.json.error).toMatch(/The connection was cut/);
		const { json: created } = await write('direct', { customerId: 'sam', text: 'x' });
		const long = await write('direct', { conversationId: created.conversationId, text: 'x'.repeat(6_001) });
		expect(long.json.error).toMatch(/^The Messaging API answered 400/);
	});
});

describe('through the webhook of a workflow', () => {
	let url = '';
	let server: http.Server;
	let answer = { status: 200, body: '' };
	const got: Array<{ headers: http.IncomingHttpHeaders; body: Record<string, unknown> }> = [];
	beforeAll(async () => {
		server = http.createServer((request, response) => {
			void textOf(request).then((body) => {
				got.push({ headers: request.headers, body: JSON.parse(body) });
				response.writeHead(answer.status, { location: 'http://127.0.0.1:1/' }).end(answer.body);
			});
		});
		url = `http://127.0.0.1:${await listen(server)}/webhook/customer`;
	});
	afterAll(async () => await close(server));
	const say = async (more: object = {}) =>
		await write('webhook', { url, customerId: 'kim', name: 'Kim', text: 'Hello', ...more });

	test('the post is that of a customer’s app, and the conversation of its answer is passed on', async () => {
		answer = { status: 200, body: '{"conversationId":"abc","isNew":true}' };
		const { json, status } = await say({ headerName: 'X-Secret', headerValue: 'value' });
		expect([status, json]).toEqual([200, { conversationId: 'abc' }]);
		expect(got.at(-1)).toMatchObject({
			headers: { 'x-secret': 'value', 'content-type': 'application/json; charset=utf-8' },
			body: { customerId: 'kim', name: 'Kim', text: 'Hello', messageId: expect.any(String) },
		});
		expect(Number(new Date(String(got.at(-1)?.body.sentAt)))).toBeCloseTo(Date.now(), -5);
		await say({ text: undefined, leaves: true });
		expect(got.at(-1)?.body).toMatchObject({ customerId: 'kim', end: true });
		expect(got.at(-1)?.body).not.toHaveProperty('text');
		expect(JSON.stringify(emulator.log)).not.toContain('webhook/customer');
	});

	test.each([
		['a text without JSON', 'ok', 200, {}],
		['an empty answer', '', 204, {}],
	])('taken: %s', async (_name, body, status, json) => {
		answer = { status, body };
		expect((await say()).json).toEqual(json);
	});

	test.each([
		[
			404,
			'{"message":"The requested webhook \\"POST x\\" is not registered."}',
			/^No workflow is listening at this URL/,
		],
		[301, '', /leads on to another one/],
		[403, 'Authorization data is wrong!', /asks for authentication/],
		[200, 'n8n is starting up. Please wait', /n8n is starting/],
	])('%i %s is said in plain words', async (status, body, words) => {
		answer = { status, body };
		const { json, status: answered } = await say();
		expect([answered, json.error]).toEqual([502, expect.stringMatching(words)]);
	});

	test('nothing listens', async () => {
		const { json, status } = await say({ url: `http://127.0.0.1:${await closedPort()}/webhook` });
		expect([status, json.error]).toEqual([502, expect.stringMatching(/^Nothing listens at this URL/)]);
	});

	test.each([
		['no URL', { url: '' }],
		['a file', { url: 'file:///etc/passwd' }],
		['another protocol', { url: 'ftp://127.0.0.1/' }],
		['a script', { url: 'javascript:alert(1)' }],
		['what is no URL', { url: 'http://' }],
		['a password', { url: 'http://user:word@127.0.0.1/' }],
		['two headers in one', { headerName: 'x-secret', headerValue: 'a\r\nhost: b' }],
		['no header name', { headerName: 'a b', headerValue: 'c' }],
	])('refused before anything is posted: %s', async (_name, more) => {
		const posts = got.length;
		const { json, status } = await say(more);
		expect([status, typeof json.error, got.length]).toEqual([400, 'string', posts]);
	});
});

test('the certificate can be fetched at the desk, and its key cannot', async () => {
	const { headers, text } = await send(`${emulator.deskOrigin}/certificate.pem`);
	expect(text).toBe(emulator.certificate.cert);
	expect(text).not.toContain('KEY');
	expect(headers['content-disposition']).toContain('certificate.pem');
});
