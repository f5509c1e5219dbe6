import http, { createServer, type Server } from 'node:http';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { installGlobalProxyAgent } from '@n8n/backend-network';
import dns from 'node:dns';
import { download } from '../../../nodes/shared/transport/download';
import { collect } from '../../../nodes/shared/transport/roundTrip';
import type { Emulator } from '../../../emulator';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import { callMessagingApi, credentialFor, entries, openCall, testEmulator } from '../../support/emulator';
import { closedPort, listen } from '../../../tools/ports';
import { waitFor } from '../../../tools/wait';

/** A proxy for TLS connections, as companies have them: it passes bytes on, and notes who asked for which host. */
interface Proxy {
	server: Server;
	url: string;
	asked: string[];
	/** Answers in place of a connection. */
	refusal: string | undefined;
	/** The status of a connection that is there. */
	success: number;
	sockets: Set<Socket>;
}

const own = { http: http.globalAgent, https: https.globalAgent };
let emulator: Emulator;
let proxy: Proxy;

async function startProxy(): Promise<Proxy> {
	const server = createServer((_, response) => response.writeHead(405).end());
	const started: Proxy = { server, url: '', asked: [], refusal: undefined, success: 200, sockets: new Set() };
	server.on('connect', (request, socket: Socket, head) => {
		started.asked.push(request.url ?? '');
		started.sockets.add(socket);
		socket.on('error', () => undefined);
		if (started.refusal !== undefined) return void socket.end(started.refusal);
		const [host, port] = (request.url ?? '').split(':');
		const target = connect(Number(port), host === 'localhost' ? '127.0.0.1' : host, () => {
			socket.write(`HTTP/1.1 ${started.success} Connection established\r\n\r\n`);
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
	for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY']) delete process.env[name];
	jest.restoreAllMocks();
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

test.each(['https_proxy', 'ALL_PROXY', 'all_proxy'])(
	'the variable that names the proxy is named: %s',
	async (name) => {
		delete process.env.HTTPS_PROXY;
		const port = await closedPort();
		try {
			process.env[name] = `http://127.0.0.1:${port}`;
			installGlobalProxyAgent();
			await expect(call()).rejects.toMatchObject({ description: `Check ${name} of n8n.` });
			process.env[name] = proxy.url;
			installGlobalProxyAgent();
			for (const [status, words] of [
				[407, `Put it into ${name} of n8n`],
				[403, `(${name} of n8n)`],
			] as const) {
				proxy.refusal = `HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`;
				await expect(call()).rejects.toMatchObject({ description: expect.stringContaining(words) });
			}
		} finally {
			delete process.env[name];
		}
	},
);

test.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'])(
	'it is named for the password of a proxy that reads TLS and answers itself, too: %s',
	async (name) => {
		delete process.env.HTTPS_PROXY;
		process.env[name] = proxy.url;
		try {
			installGlobalProxyAgent();
			for (const operationId of ['createConversation', 'token']) {
				const action = { status: 407, body: '<html>', contentType: 'text/html' };
				emulator.settings.faults = [{ match: { operationId }, action }];
				const other = { ...credentialFor(emulator), scope: `https://${operationId}.example.com/.default` };
				const given = operationId === 'token' ? other : credentialFor(emulator);
				await expect(
					callMessagingApi(connectionFrom(given), openCall, new Throttle(0)),
				).rejects.toMatchObject({ description: expect.stringContaining(`Put it into ${name} of n8n`) });
			}
		} finally {
			delete process.env[name];
		}
	},
);

test('an answer that is lost behind the proxy leaves it uncertain, and nothing is sent again', async () => {
	emulator.settings.faults = [{ match: { operationId: 'createConversation' }, action: 'resetAfter' }];
	const lost = callMessagingApi(connectionFrom(credentialFor(emulator)), openCall, new Throttle(10_000));
	await expect(lost).rejects.toMatchObject({ outcome: 'uncertain' });
	expect(entries(emulator, 'request')).toHaveLength(1);
});

describe('a file behind the proxy', () => {
	/** What this machine's look-up says of the hosts of the internet; the others are looked up as usual. */
	function lookUps(answers: Record<string, string | NodeJS.ErrnoException>): void {
		const real = dns.lookup;
		jest.spyOn(dns, 'lookup').mockImplementation(((
			host: string,
			given: object,
			callback: (...result: unknown[]) => void,
		) => {
			const answer = answers[host];
			if (answer === undefined) real(host, given, callback as never);
			else if (typeof answer === 'string') callback(null, [{ address: answer, family: 4 }]);
			else callback(answer);
		}) as never);
	}
	const notFound = (code: string) => Object.assign(new Error(`getaddrinfo ${code}`), { code });
	const get = async (url: string, ownOrigin?: string) =>
		(
			await download(url, { maxBytes: 100_000, signal: AbortSignal.timeout(5_000), ownOrigin }, collect)
		).toString();

	test.each(['10.0.0.8', '169.254.169.254', '127.0.0.1', '168.63.129.16'])(
		'is not asked for where its name leads to %s',
		async (address) => {
			process.env.HTTP_PROXY = proxy.url;
			lookUps({ 'files.example.com': address });
			for (const url of ['https://files.example.com/x', 'http://files.example.com/x']) {
				await expect(get(url)).rejects.toThrow('files.example.com is not an address on the internet');
			}
			expect(proxy.asked).toEqual([]);
		},
	);

	test.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'])(
		'is asked for by %s where its name leads to the internet, or only the proxy can say',
		async (name) => {
			delete process.env.HTTPS_PROXY;
			process.env[name] = proxy.url;
			try {
				proxy.refusal = 'HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n';
				lookUps({
					'files.example.com': '8.8.8.8',
					'unknown.example.com': notFound('ENOTFOUND'),
					'slow.example.com': notFound('EAI_AGAIN'),
				});
				for (const host of ['files', 'unknown', 'slow']) {
					await expect(get(`https://${host}.example.com/x`)).rejects.toThrow(
						'the proxy lets no connection through (HTTP status 403)',
					);
				}
				expect(proxy.asked).toEqual(['files', 'unknown', 'slow'].map((host) => `${host}.example.com:443`));
			} finally {
				delete process.env[name];
			}
		},
	);

	test.each([
		'https://intranet/x',
		'https://files.corp/x',
		'https://nas.local/x',
		'https://nas.local./x',
		'https://nas.local../x',
		'https://db.internal/x',
		'https://wiki.intranet/x',
		'https://router.home.arpa/x',
		'https://localhost.localdomain/x',
		'https://kubernetes.default.svc/x',
	])(
		'is not asked for where only the proxy can look it up, and its name is an internal one: %s',
		async (url) => {
			lookUps({ [new URL(url).hostname]: notFound('ENOTFOUND') });
			await expect(get(url)).rejects.toThrow('is not an address on the internet');
			expect(proxy.asked).toEqual([]);
		},
	);

	test('comes through it, whole, in https and in http, and leaves no connection', async () => {
		const { host } = new URL(emulator.origin);
		// The emulator answers a path that it does not know: what matters is that its answer comes.
		await expect(get(`https://${host}/x`, emulator.origin)).rejects.toThrow('HTTP status 4');
		expect(proxy.asked).toEqual([host]);
		await waitFor(
			'the tunnel to be closed',
			2_000,
			() => [...proxy.sockets].every((one) => one.destroyed),
			10,
		);
		process.env.HTTP_PROXY = proxy.url.replace('//', '//user:p%40ss@');
		const asked: unknown[] = [];
		proxy.server.removeAllListeners('request').on('request', (request, response) => {
			asked.push(request.url, request.headers.host, request.headers['proxy-authorization']);
			response.end('from the proxy');
		});
		lookUps({ 'files.example.com': '8.8.8.8' });
		expect(await get('http://files.example.com:81/a?b=c')).toBe('from the proxy');
		const pair = Buffer.from('user:p@ss').toString('base64');
		expect(asked).toEqual(['http://files.example.com:81/a?b=c', 'files.example.com:81', `Basic ${pair}`]);
	});

	test('is asked for with our name, the password as it is, and any answer of success', async () => {
		const { host } = new URL(emulator.origin);
		process.env.HTTPS_PROXY = proxy.url.replace('//', '//user:50%off@');
		const heads: unknown[] = [];
		proxy.success = 201;
		proxy.server.prependListener('connect', ({ headers }) => {
			heads.push(headers['user-agent'], headers['proxy-authorization']);
		});
		await expect(get(`https://${host}/x`, emulator.origin)).rejects.toThrow('HTTP status 4');
		const pair = Buffer.from('user:50%off').toString('base64');
		expect(heads).toEqual([expect.stringMatching(/^n8n-nodes-dynamics365-messaging\//), `Basic ${pair}`]);
	});

	test('is not asked for after a redirect to an internal name', async () => {
		process.env.HTTP_PROXY = proxy.url;
		const asked: unknown[] = [];
		proxy.server.removeAllListeners('request').on('request', (request, response) => {
			asked.push(request.url);
			response.writeHead(302, { location: 'http://inside.example.com/secret' }).end();
		});
		lookUps({ 'files.example.com': '8.8.8.8', 'inside.example.com': '10.1.2.3' });
		await expect(get('http://files.example.com/x')).rejects.toThrow('inside.example.com is not an address');
		expect(asked).toEqual(['http://files.example.com/x']);
	});

	test('goes past it where NO_PROXY says so, and is checked all the same', async () => {
		process.env.NO_PROXY = 'files.example.com';
		lookUps({ 'files.example.com': '10.0.0.8' });
		await expect(get('https://files.example.com/x')).rejects.toThrow('not an address on the internet');
		expect(proxy.asked).toEqual([]);
	});

	test('is given up in its time where the proxy says nothing, and the connection is closed', async () => {
		proxy.server.removeAllListeners('connect').on('connect', (_, socket: Socket) => {
			socket.on('error', () => undefined).on('end', () => socket.end());
			socket.resume();
			proxy.sockets.add(socket);
		});
		lookUps({ 'files.example.com': '8.8.8.8' });
		const signal = AbortSignal.timeout(500);
		await expect(
			download('https://files.example.com/x', { maxBytes: 1, signal, ownOrigin: undefined }, collect),
		).rejects.toThrow('it took too long');
		await waitFor(
			'the connection to be closed',
			2_000,
			() => [...proxy.sockets].every((one) => one.destroyed),
			10,
		);
	});
});
