import http, { createServer, type Server } from 'node:http';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { installGlobalProxyAgent } from '@n8n/backend-network';
import type { Emulator } from '../../../emulator';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import { callMessagingApi, credentialFor, entries, openCall, testEmulator } from '../../support/emulator';
import { closedPort, listen } from '../../../tools/ports';

/** A proxy for TLS connections, as companies have them: it passes bytes on, and notes who asked for which host. */
interface Proxy {
	server: Server;
	url: string;
	asked: string[];
	/** Answers in place of a connection. */
	refusal: string | undefined;
	sockets: Set<Socket>;
}

const own = { http: http.globalAgent, https: https.globalAgent };
let emulator: Emulator;
let proxy: Proxy;

async function startProxy(): Promise<Proxy> {
	const server = createServer((_, response) => response.writeHead(405).end());
	const started: Proxy = { server, url: '', asked: [], refusal: undefined, sockets: new Set() };
	server.on('connect', (request, socket: Socket, head) => {
		started.asked.push(request.url ?? '');
		started.sockets.add(socket);
		socket.on('error', () => undefined);
		if (started.refusal !== undefined) return void socket.end(started.refusal);
		const [host, port] = (request.url ?? '').split(':');
		const target = connect(Number(port), host === 'localhost' ? '127.0.0.1' : host, () => {
			socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
			target.write(head);
			target.pipe(socket).pipe(target);
		});
		target.on('error', () => socket.destroy());
	});
	const port = await listen(server);
	started.url = `http://127.0.0.1:${port}`;
	return started;
}

beforeEach(async () => {
	emulator = await testEmulator();
	proxy = await startProxy();
	process.env.HTTPS_PROXY = proxy.url;
	// As n8n does it at its start.
	installGlobalProxyAgent();
});

afterEach(async () => {
	http.globalAgent = own.http;
	https.globalAgent = own.https;
	delete process.env.HTTPS_PROXY;
	for (const socket of proxy.sockets) socket.destroy();
	proxy.server.close();
	await emulator.close();
});

const call = async () =>
	await callMessagingApi(connectionFrom(credentialFor(emulator)), openCall, new Throttle(0));

test('the token and every call go through the proxy that n8n is set up with', async () => {
	await call();
	await call();
	const host = new URL(emulator.origin).host;
	expect(new Set(proxy.asked)).toEqual(new Set([host]));
	expect(proxy.asked.length).toBeGreaterThanOrEqual(2);
	expect(entries(emulator, 'token')).toHaveLength(1);
	expect(entries(emulator, 'request')).toHaveLength(2);
});

test.each([
	[403, 'The proxy lets no connection through (HTTP status 403)', 'HTTPS_PROXY'],
	[407, 'The proxy between n8n and the service wants a password', 'user:password@'],
	[502, 'The proxy lets no connection through (HTTP status 502)', 'HTTPS_PROXY'],
	[503, 'The proxy lets no connection through (HTTP status 503)', 'HTTPS_PROXY'],
])(
	'a proxy that refuses with %i is one behind which nothing arrived',
	async (status, message, description) => {
		const refused = { message, description: expect.stringContaining(description), outcome: 'notSent' };
		proxy.refusal = `HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`;
		await expect(call()).rejects.toMatchObject(refused);
		proxy.refusal = undefined;
		await call();
		for (const socket of proxy.sockets) socket.destroy();
		const before = emulator.log.length;
		proxy.refusal = `HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`;
		await expect(call()).rejects.toMatchObject(refused);
		expect(emulator.log).toHaveLength(before);
	},
);

test.each(['127.0.0.1', 'no-such-proxy.invalid'])(
	'a proxy that is not there is named, and is no mistake of the credential: %s',
	async (name) => {
		const port = await closedPort();
		process.env.HTTPS_PROXY = `http://${name}:${port}`;
		installGlobalProxyAgent();
		const shown = name === '127.0.0.1' ? `${name}:${port}` : name;
		await expect(call()).rejects.toMatchObject({
			message: `The proxy ${shown} cannot be reached`,
			description: 'Check HTTPS_PROXY of n8n.',
			outcome: 'notSent',
		});
	},
);

test('an answer that is lost behind the proxy leaves it uncertain, and nothing is sent again', async () => {
	emulator.settings.faults = [{ match: { operationId: 'createConversation' }, action: 'resetAfter' }];
	const lost = callMessagingApi(connectionFrom(credentialFor(emulator)), openCall, new Throttle(10_000));
	await expect(lost).rejects.toMatchObject({ outcome: 'uncertain' });
	expect(entries(emulator, 'request')).toHaveLength(1);
});
