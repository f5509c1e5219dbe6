import { gzipSync } from 'node:zlib';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { makeCertificate, type Emulator } from '../../../emulator';
import { explainTransportError } from '../../../nodes/shared/transport/transportErrors';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { sendHttps, TransportError } from '../../../nodes/shared/transport/https';
import type { ListRequest } from '../../../nodes/shared/transport/pagination';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import { MESSAGING_API, messagingClient } from '../../../nodes/Dynamics365Messaging/messagingApi/client';
import { messagingUrl } from '../../../nodes/Dynamics365Messaging/messagingApi/request';
import type { ServiceRequest } from '../../../nodes/shared/transport/request';
import { callMessagingApi, credentialFor, entries, openCall, testEmulator } from '../../support/emulator';
import { close, closedPort, listen } from '../../../tools/ports';

let emulator: Emulator;
const list = { method: 'GET', path: '/conversations' } as const;
const create = openCall;
const connection = (given = {}) => connectionFrom({ ...credentialFor(emulator), ...given });

beforeEach(async () => void (emulator = await testEmulator()));
afterEach(async () => await emulator.close());

/** A server with the emulator's certificate that answers as the test says; the emulator stays the authority. */
async function otherServer(
	answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: Server; origin: string }> {
	const server = createServer(emulator.certificate, answer);
	const port = await listen(server);
	return { server, origin: `https://localhost:${port}` };
}

test('a revoked token costs one more token and one more try for each of the requests that met it', async () => {
	await callMessagingApi(connection(), list);
	emulator.revokeTokens();
	await Promise.all(Array.from({ length: 20 }, async () => await callMessagingApi(connection(), list)));
	expect(entries(emulator, 'token')).toHaveLength(2);
	const statuses = entries(emulator, 'request').map(({ status }) => status);
	expect(statuses.filter((status) => status === 401)).toHaveLength(20);
	expect(statuses.filter((status) => status === 200)).toHaveLength(21);
});

test.each<[string, ServiceRequest, number]>([
	['a success', list, 200],
	['a request that is wrong', { method: 'GET', path: '/conversations', query: { PageSize: '0' } }, 400],
	[
		'what does not exist',
		{ method: 'GET', path: `/conversation/${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}/messages` },
		404,
	],
])(
	'a token is renewed when it is revoked, however soon, where it was accepted by %s',
	async (_, request, status) => {
		for (let revoked = 0; revoked < 8; revoked++) {
			await callMessagingApi(connection(), request).catch(() => undefined);
			emulator.revokeTokens();
		}
		await callMessagingApi(connection(), list);
		expect(entries(emulator, 'token')).toHaveLength(9);
		const statuses = entries(emulator, 'request').map((entry) => entry.status);
		expect(statuses.filter((one) => one === status).length).toBeGreaterThanOrEqual(8);
	},
);

describe('a channel that was taken from the app', () => {
	const refused = { httpCode: 401, outcome: 'notSent', message: expect.stringContaining('did not accept') };
	const requests = () => entries(emulator, 'request').length;
	const spent = () => [entries(emulator, 'token').length, requests()];
	/** A run that may try again for a minute, as the nodes have it. */
	const throttle = () => new Throttle(60_000);

	beforeEach(async () => {
		await callMessagingApi(connection(), list);
		emulator.settings.channelAuthorized = false;
	});

	test('costs one fresh token and one more try, and one try for each later message', async () => {
		const run = throttle();
		for (let message = 0; message < 4; message++) {
			await expect(callMessagingApi(connection(), create, run)).rejects.toMatchObject(refused);
		}
		expect(spent()).toEqual([2, 1 + 2 + 3]);
	});

	test.each([2, 300])(
		'costs %i messages at once one fresh token, and each one more try at the most',
		async (count) => {
			const run = throttle();
			const ends = await Promise.allSettled(
				Array.from({ length: count }, async () => await callMessagingApi(connection(), create, run)),
			);
			for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: refused });
			const [tokens, calls = 0] = spent();
			expect(tokens).toBe(2);
			expect(calls).toBeLessThanOrEqual(1 + 2 * count);
		},
	);

	test('is used again as soon as the app has it back, with the token in hand', async () => {
		await expect(callMessagingApi(connection(), create, throttle())).rejects.toMatchObject(refused);
		emulator.settings.channelAuthorized = true;
		await callMessagingApi(connection(), create, throttle());
		emulator.revokeTokens();
		await callMessagingApi(connection(), create, throttle());
		expect(spent()).toEqual([3, 1 + 2 + 1 + 2]);
	});

	test.each([403, 429, 503])(
		'is not taken for given back by an answer that may be of a gateway: %i',
		async (status) => {
			await expect(callMessagingApi(connection(), create)).rejects.toMatchObject(refused);
			emulator.settings.faults = [{ action: { status }, times: 1 }];
			await expect(callMessagingApi(connection(), create)).rejects.toMatchObject({ httpCode: status });
			await expect(callMessagingApi(connection(), create)).rejects.toMatchObject(refused);
			expect(spent()).toEqual([2, 1 + 2 + 1 + 1]);
		},
	);
});

test('a request that breaks on a new connection may have arrived too', async () => {
	const { server, origin } = await otherServer((request) => request.socket.destroy());
	await expect(callMessagingApi(connection({ baseUrl: origin }), create)).rejects.toMatchObject({
		message: expect.stringContaining('may have arrived'),
	});
	server.close();
});

test('nothing but a 401 is tried again, and a lost answer says that it may have arrived', async () => {
	emulator.settings.faults = [
		{ match: { operationId: 'createConversation' }, action: { status: 503, retryAfter: 1 }, times: 1 },
	];
	await expect(callMessagingApi(connection(), create)).rejects.toMatchObject({ httpCode: 503 });
	emulator.settings.faults = [
		{ match: { operationId: 'createConversation' }, action: 'resetAfter', times: 1 },
	];
	await expect(callMessagingApi(connection(), create)).rejects.toMatchObject({
		message: expect.stringContaining('may have arrived'),
		description: expect.stringContaining('Look in the conversation'),
	});
	expect(entries(emulator, 'request')).toHaveLength(2);
});

test('redirects are not followed, so that the token does not go along', async () => {
	let visited = 0;
	const target = await otherServer((_, response) => {
		visited++;
		response.end('{}');
	});
	const { server, origin } = await otherServer((_, response) => {
		response.writeHead(307, { location: `${target.origin}/api/v1.0/consumer/conversations` }).end();
	});
	await expect(callMessagingApi(connection({ baseUrl: origin }), list)).rejects.toMatchObject({
		httpCode: 307,
	});
	expect(visited).toBe(0);
	server.close();
	target.server.close();
});

test('an authority that redirects does not get the secret sent on', async () => {
	let visited = 0;
	const target = await otherServer((_, response) => {
		visited++;
		response.end('{}');
	});
	const { server, origin } = await otherServer((_, response) => {
		response.writeHead(308, { location: target.origin }).end();
	});
	await expect(callMessagingApi(connection({ authorityHost: origin }), list)).rejects.toMatchObject({
		httpCode: 308,
	});
	expect(visited).toBe(0);
	server.close();
	target.server.close();
});

test('plain http is refused before anything is sent', async () => {
	await expect(sendHttps({ method: 'GET', url: new URL(emulator.deskOrigin) })).rejects.toMatchObject({
		code: 'NOT_HTTPS',
		sent: 'no',
	});
});

test.each<[string, (host: string) => object, string, string, string | RegExp]>([
	['nobody listens', (host) => ({ baseUrl: `https://${host}` }), 'service', 'localhost', 'ECONNREFUSED'],
	[
		'no authority',
		(host) => ({ authorityHost: `https://${host}` }),
		'token authority',
		'localhost',
		'ECONNREFUSED',
	],
	[
		'no such host',
		(host) => ({ baseUrl: `https://${host}` }),
		'service',
		'nowhere.invalid',
		/ENOTFOUND|EAI_AGAIN/,
	],
])('says which host cannot be reached: %s', async (_, given, whose, name, code) => {
	const host = name === 'localhost' ? `localhost:${await closedPort()}` : name;
	await expect(callMessagingApi(connection(given(host)), create)).rejects.toMatchObject({
		message: expect.stringContaining(`${whose} at ${host} cannot be reached`),
		code: expect.stringMatching(code),
		httpCode: null,
	});
});

test('a certificate that nobody vouches for is told apart from a host that is down', async () => {
	const server = createServer(await makeCertificate());
	const port = await listen(server);
	await expect(callMessagingApi(connection({ baseUrl: `https://localhost:${port}` }), list)).rejects.toThrow(
		'is not trusted',
	);
	server.close();
});

test('an answer that drips, is cut or never ends is given up', async () => {
	const { server, origin } = await otherServer((request, response) => {
		response.writeHead(200, { 'content-type': 'application/json' });
		if (request.url === '/cut') response.write('{"a":', () => response.destroy());
		else setInterval(() => response.write(request.url === '/long' ? 'x'.repeat(100_000) : ' '), 20).unref();
	});
	const get = async (path: string, options = {}) =>
		await sendHttps({ method: 'GET', url: new URL(path, origin), ...options }).catch(
			(error: unknown) => error,
		);
	expect(await get('/drip', { timeoutMs: 300 })).toMatchObject({ code: 'ETIMEDOUT', sent: 'maybe' });
	expect(await get('/cut')).toMatchObject({ code: 'ECONNRESET' });
	expect(await get('/long', { maxBytes: 1_000_000 })).toMatchObject({ code: 'ANSWER_TOO_LONG' });
	const cancelled = new AbortController();
	const waiting = get('/drip', { signal: cancelled.signal });
	cancelled.abort();
	expect(await waiting).toMatchObject({ code: 'ABORT_ERR' });
	await close(server);
});

test.each<[string, number, string, Buffer, object]>([
	['a success', 201, 'gzip', gzipSync('{"conversationId":"x"}'), { conversationId: 'x' }],
	['a broken success', 201, 'gzip', Buffer.from('{}'), { outcome: 'uncertain', code: 'BROKEN_ENCODING' }],
	['an unknown success', 201, 'zip', Buffer.from('{}'), { outcome: 'uncertain', code: 'UNKNOWN_ENCODING' }],
	['a broken refusal', 400, 'gzip', Buffer.from('{}'), { outcome: 'notSent', httpCode: 400 }],
	['an unknown refusal', 403, 'zip', Buffer.from('{}'), { outcome: 'notSent', httpCode: 403 }],
	['a broken failure', 500, 'br', Buffer.from('{}'), { outcome: 'uncertain', httpCode: 500 }],
])('a POST is uncertain only where it is: %s (%i), in %s', async (_, status, coding, body, expected) => {
	const { server, origin } = await otherServer((__, response) =>
		response.writeHead(status, { 'content-encoding': coding, 'content-type': 'application/json' }).end(body),
	);
	const ended = await callMessagingApi(connection({ baseUrl: origin }), create).catch(
		(error: unknown) => error,
	);
	expect(ended).toMatchObject(expected);
	await close(server);
});

test.each<[string, string]>([
	['HPE_INVALID_CONSTANT', 'cannot be used: the answer is not HTTP'],
	['ANSWER_TOO_LONG', 'cannot be used: the answer is too long'],
	['UNEXPECTED_UPGRADE', 'cannot be used: the host switched to another protocol'],
	['BROKEN_ENCODING', 'cannot be used: the answer is compressed, and broken'],
	['ETIMEDOUT', 'did not answer in time'],
	['ECONNREFUSED', 'cannot be reached'],
])('says of %s what happened', (code, words) => {
	const error = explainTransportError(new TransportError(code, 'maybe', 'host'), MESSAGING_API);
	expect(error.message).toContain(words);
});

test.each([
	['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'NODE_EXTRA_CA_CERTS'],
	['DEPTH_ZERO_SELF_SIGNED_CERT', 'NODE_EXTRA_CA_CERTS'],
	['CERT_HAS_EXPIRED', 'expired'],
	['ERR_TLS_CERT_ALTNAME_INVALID', 'another name'],
])('says what to do about %s', (code, words) => {
	const error = explainTransportError(new TransportError(code, 'no', 'host'), MESSAGING_API, create);
	expect(error.message).toContain('is not trusted');
	expect(error.description).toContain(words);
});

test('a cancelled execution is not told as an unreachable host', () => {
	expect(
		explainTransportError(new TransportError('ABORT_ERR', 'no', 'host'), MESSAGING_API, create).message,
	).toContain('cancelled');
});

test('an answer behind a byte order mark is read, of the service and of the authority', async () => {
	const mark = '\uFEFF';
	const { server, origin } = await otherServer((request, response) =>
		response.end(
			request.url?.includes('/token')
				? `${mark}{"token_type":"Bearer","expires_in":3600,"access_token":"t"}`
				: `${mark}{"conversationId":"x"}`,
		),
	);
	const there = connection({ baseUrl: origin, authorityHost: origin });
	await expect(callMessagingApi(there, create)).resolves.toEqual({ conversationId: 'x' });
	server.close();
});

test('an answer that is no JSON is an error, not an empty success', async () => {
	const { server, origin } = await otherServer((_, response) =>
		response.end('<html>sign in to the proxy</html>'),
	);
	await expect(callMessagingApi(connection({ baseUrl: origin }), create)).rejects.toThrow('not readable');
	server.close();
});

describe('paths', () => {
	test.each(['/../x', '/conversation/..', '/conversation/../../x', '/x?y=1', '/x#y'])(
		'%s does not leave the API',
		(path) => {
			expect(() => messagingUrl('https://localhost:1', { method: 'GET', path })).toThrow('leave the API');
		},
	);
});

describe('pages', () => {
	const paged = (limit?: number): ListRequest => ({
		request: list,
		entriesKey: 'conversations',
		limit,
		maxPageSize: 2,
	});
	const readAll = async (request: ListRequest) => {
		const all = [];
		for await (const entry of messagingClient(connection()).list(request)) all.push(entry);
		return all;
	};
	const open = async (count: number) => {
		for (let index = 0; index < count; index++) await callMessagingApi(connection(), create);
	};
	const listed = () =>
		entries(emulator, 'request').filter(({ operationId }) => operationId === 'listConversations');

	test.each([
		[undefined, 5, 3],
		[1, 1, 1],
		[2, 2, 1],
		[3, 3, 2],
		[50, 5, 3],
	])('with the limit %p gives %i of 5 in %i pages', async (limit, count, pages) => {
		await open(5);
		const found = await readAll(paged(limit));
		expect(found).toHaveLength(count);
		expect(new Set(found.map((entry) => JSON.stringify(entry))).size).toBe(count);
		expect(listed()).toHaveLength(pages);
	});

	test('asks for no more than is wanted', async () => {
		await open(3);
		await readAll(paged(1));
		expect(listed()[0]!.path).toContain('PageSize=1');
	});

	test('gives no more than was asked for, whatever the service gives, and reads a token that is a number', async () => {
		const asked: string[] = [];
		const { server, origin } = await otherServer((request, response) => {
			asked.push(request.url ?? '');
			response.end(`{"Conversations":[{},{},{}],"ContinuationToken":${asked.length}}`);
		});
		const all = [];
		for await (const entry of messagingClient(connection({ baseUrl: origin })).list(paged(4)))
			all.push(entry);
		expect(all).toHaveLength(4);
		expect(asked[1]).toContain('ContinuationToken=1');
		server.close();
	});

	test('a token that comes twice ends in an error, not in a loop', async () => {
		const { server, origin } = await otherServer((_, response) =>
			response.end('{"conversations":[{"conversationid":"1"}],"continuationtoken":"same"}'),
		);
		const read = async () => {
			for await (const entry of messagingClient(connection({ baseUrl: origin })).list(paged())) void entry;
		};
		await expect(read()).rejects.toThrow('same page token twice');
		server.close();
	});
});
