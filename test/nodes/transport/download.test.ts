import http, {
	Agent as HttpAgent,
	createServer as createHttp,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { readFileSync } from 'node:fs';
import dns from 'node:dns';
import net, { connect as tcpConnect, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { ByteBudget, heldBytes } from '../../../nodes/Dynamics365Messaging/attachments/byteBudget';
import { fetchAttachments } from '../../../nodes/Dynamics365Messaging/attachments/fetchAttachments';
import { binaryStore } from '../../../nodes/shared/action/binaryStore';
import { download, type DownloadOptions } from '../../../nodes/shared/transport/download';
import { collect } from '../../../nodes/shared/transport/roundTrip';
import { close, listen } from '../../../tools/ports';
import { waitFor } from '../../../tools/wait';

const servers: Server[] = [];
let origin: string;
let httpOrigin: string;
let asked: IncomingMessage[];

async function serve(
	secure: boolean,
	answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
	const pem = (name: string) => readFileSync(join(process.env.TEST_CERTIFICATE_FOLDER!, name), 'utf8');
	const server = secure
		? createHttps({ key: pem('key.pem'), cert: pem('cert.pem') }, answer)
		: createHttp(answer);
	const port = await listen(server);
	servers.push(server);
	return `${secure ? 'https' : 'http'}://localhost:${port}`;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
	asked.push(request);
	const [, path = '', argument = ''] = /^\/([a-z]*)\??(.*)$/.exec(request.url ?? '') ?? [];
	if (path === 'file') response.end('file content');
	else if (path === 'changed') response.writeHead(203).end('file content');
	else if (path === 'to') response.writeHead(302, { location: decodeURIComponent(argument) }).end();
	else if (path === 'loop') response.writeHead(302, { location: '/loop' }).end();
	else if (path === 'big') response.end(Buffer.alloc(3000));
	else if (path === 'endless') {
		response.writeHead(200);
		const timer = setInterval(() => response.write(Buffer.alloc(500)), 5);
		response.on('close', () => clearInterval(timer));
	} else if (path === 'silent') return;
	else response.writeHead(404).end();
}

beforeAll(
	async () => void ([origin, httpOrigin] = await Promise.all([serve(true, answer), serve(false, answer)])),
);
beforeEach(() => void (asked = []));
afterEach(() => jest.restoreAllMocks());
afterAll(async () => await Promise.all(servers.map(close)));

const options = (given: Partial<DownloadOptions> = {}): DownloadOptions => ({
	maxBytes: 2000,
	signal: AbortSignal.timeout(2_000),
	ownOrigin: origin,
	...given,
});
const bytesOf = async (url: string, given: DownloadOptions) => await download(url, given, collect);
const to = (url: string) => `${origin}/to?${encodeURIComponent(url)}`;

test('fetches a file, following redirects, with nothing of ours going along', async () => {
	expect((await bytesOf(`${origin}/file`, options())).toString()).toBe('file content');
	expect((await bytesOf(to(`${origin}/file`), options())).toString()).toBe('file content');
	expect((await bytesOf(`${origin}/changed`, options())).toString()).toBe('file content');
	for (const { headers } of asked) {
		expect(Object.keys(headers).sort()).toEqual(['accept', 'connection', 'host', 'user-agent']);
		expect(headers.accept).toBe('*/*');
		expect(headers['user-agent']).toMatch(/^n8n-nodes-dynamics365-messaging\/\d+\.\d+\.\d+$/);
	}
});

test.each<[string, Buffer, string]>([
	['a path in UTF-8', Buffer.from('/fil\u00e9?n=\u65e5\u672c'), '/fil%C3%A9?n=%E6%97%A5%E6%9C%AC'],
	['a path in latin1', Buffer.from('/fil\u00e9', 'latin1'), '/fil%E9'],
	['a path that is encoded already', Buffer.from('/fil%C3%A9%20x'), '/fil%C3%A9%20x'],
	['an emoji, relative', Buffer.from('\u{1f600}'), '/%F0%9F%98%80'],
])('asks for the very bytes that a redirect names: %s', async (_, location, path) => {
	const bare = createTcp((socket) => {
		socket.once('data', (chunk) => {
			paths.push(chunk.toString('latin1').split(' ')[1] ?? '');
			const head = Buffer.from('HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: ');
			const end = Buffer.from('\r\n\r\n');
			socket.end(
				paths.length === 1
					? Buffer.concat([head, location, end])
					: 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok',
			);
		});
	});
	const paths: string[] = [];
	const own = `http://localhost:${await listen(bare)}`;
	expect((await bytesOf(`${own}/start`, options({ ownOrigin: own }))).toString()).toBe('ok');
	expect(paths).toEqual(['/start', path]);
	await close(bare);
});

test('a redirect to a host name in UTF-8 is one to that host', async () => {
	const target = Buffer.from('http://b\u00fccher.example/').toString('latin1');
	const own = await serve(false, (_, response) => response.writeHead(302, { location: target }).end());
	const looked: unknown[] = [];
	jest.spyOn(dns, 'lookup').mockImplementation(((
		host: string,
		_: object,
		callback: (error: Error) => void,
	) => {
		looked.push(host);
		callback(new Error('not today'));
	}) as never);
	await expect(bytesOf(own.replace('localhost', '127.0.0.1'), options({ ownOrigin: own }))).rejects.toThrow(
		'not today',
	);
	expect(looked).toEqual(['xn--bcher-kva.example']);
});

test.each([
	['data:text/plain;base64,aGVsbG8=', 'hello'],
	['data:text/plain,a%20b%C3%BC', 'a bü'],
	['data:video/webm;codecs=vp8,opus;base64,aGVsbG8=', 'hello'],
	['data:text/plain; base64,aGVs%62G8%3D', 'hello'],
	['data:text/plain,ü€', 'ü€'],
])('reads %s', async (uri, content) => {
	expect((await bytesOf(uri, options({ ownOrigin: undefined }))).toString()).toBe(content);
});

test.each<[string, () => string, string]>([
	['a file that is not there', () => `${origin}/gone`, 'HTTP status 404'],
	['a file whose length is too large', () => `${origin}/big`, 'larger than'],
	['a file that never ends', () => `${origin}/endless`, 'larger than'],
	['a data URI that is too large', () => `data:,${'x'.repeat(2001)}`, 'larger than'],
	['a circle of redirects', () => `${origin}/loop`, 'too many redirects'],
	['a redirect from https to http', () => to(`${httpOrigin}/file`), 'from https to http'],
	['a redirect to a file of this machine', () => to('file:///etc/passwd'), 'not a protocol'],
	['another protocol', () => 'ftp://example.com/x', 'not a protocol'],
	[
		'a user name that cannot be read',
		() => `${origin.replace('//', '//%ff@')}/file`,
		'the user name or password in the URL cannot be read',
	],
	['no URL', () => 'photo.jpg', 'no URL'],
	['nothing', () => '', 'no URL'],
	['a host that does not exist', () => 'https://nowhere.invalid/x', 'nowhere.invalid'],
])('says why there is no file: %s', async (_, url, reason) => {
	await expect(bytesOf(url(), options())).rejects.toThrow(reason);
});

test('a URL with a user that cannot be read ends no process, however often it comes', async () => {
	const url = `${origin.replace('//', '//%ff@')}/file`;
	for (let time = 0; time < 20; time++) {
		await expect(bytesOf(url, options())).rejects.toThrow('the user name or password in the URL');
	}
});

test('says when it took too long', async () => {
	await expect(bytesOf(`${origin}/silent`, options({ signal: AbortSignal.timeout(100) }))).rejects.toThrow(
		'too long',
	);
});

describe('stays on the internet', () => {
	const elsewhere = { ownOrigin: 'https://m-x.eu.omnichannelengagementhub.com' };
	test.each([
		'https://localhost/',
		'https://127.0.0.1/',
		'http://127.1/',
		'http://2130706433/',
		'http://0x7f000001/',
		'https://[::1]/',
		'https://[::ffff:127.0.0.1]/',
		'http://169.254.169.254/metadata',
		'https://10.0.0.1/',
		'https://192.168.0.1/',
		'https://0.0.0.0/',
		'https://localhost./',
		'https://a.localhost/',
	])('%s is not fetched', async (url) => {
		const connect = jest.spyOn(dns, 'lookup');
		await expect(bytesOf(url, options(elsewhere))).rejects.toThrow('not an address on the internet');
		await expect(bytesOf(url, options({ ownOrigin: undefined }))).rejects.toThrow(
			'not an address on the internet',
		);
		expect(connect).not.toHaveBeenCalled();
	});

	test('not by a name that leads to this machine, also if it led elsewhere a moment before', async () => {
		const port = new URL(httpOrigin).port;
		let lookUps = 0;
		jest.spyOn(dns, 'lookup').mockImplementation(((
			_: string,
			__: object,
			callback: (...given: unknown[]) => void,
		) => {
			lookUps++;
			callback(null, [{ address: lookUps === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }]);
		}) as never);
		await expect(bytesOf(`http://rebinding.example.com:${port}/file`, options(elsewhere))).rejects.toThrow(
			'not an address on the internet',
		);
		expect(lookUps).toBe(1);
		expect(asked).toEqual([]);
	});

	test('not by a connection that something else left open', async () => {
		const agent = new HttpAgent({ keepAlive: true });
		const before = http.globalAgent;
		http.globalAgent = agent;
		try {
			// n8n itself has called an internal name, and its connection is kept for the next request to that name.
			const port = Number(new URL(httpOrigin).port);
			const lookup = jest.spyOn(dns, 'lookup').mockImplementation(((
				_: string,
				{ all }: { all?: boolean },
				callback: (...given: unknown[]) => void,
			) => {
				if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
				else callback(null, '127.0.0.1', 4);
			}) as never);
			const url = `http://intranet.example.com:${port}/file`;
			await new Promise((resolve) => http.get(url, (answered) => answered.resume().on('end', resolve)));
			await waitFor('the connection to be kept', 2_000, () => Object.keys(agent.freeSockets).length === 1, 5);
			asked = [];
			await expect(bytesOf(url, options(elsewhere))).rejects.toThrow('not an address on the internet');
			// Also where the name has another address meanwhile: the kept connection leads to the old one.
			lookup.mockImplementation(((_: string, __: object, callback: (...given: unknown[]) => void) =>
				callback(null, [{ address: '192.0.2.1', family: 4 }])) as never);
			await expect(bytesOf(url, options(elsewhere))).rejects.toThrow('not an address on the internet');
			expect(asked).toEqual([]);
		} finally {
			http.globalAgent = before;
			agent.destroy();
		}
	});

	test('not by an address that differs from the one that was looked up', async () => {
		const port = Number(new URL(httpOrigin).port);
		// Between look-up and connection, something in the system leads the connection elsewhere.
		jest.spyOn(net, 'connect').mockImplementation(() => tcpConnect(port, '127.0.0.1'));
		jest
			.spyOn(dns, 'lookup')
			.mockImplementation(((_: string, __: object, callback: (...given: unknown[]) => void) =>
				callback(null, [{ address: '8.8.8.8', family: 4 }])) as never);
		await expect(bytesOf('http://files.example.com/file', options(elsewhere))).rejects.toThrow(
			'not an address on the internet',
		);
		expect(asked).toEqual([]);
	});

	test('a host that closes the connection at once is no private one', async () => {
		const port = Number(new URL(httpOrigin).port);
		// The address of a socket that is closed is not known any more.
		jest
			.spyOn(net, 'connect')
			.mockImplementation(() =>
				Object.defineProperty(tcpConnect(port, '127.0.0.1'), 'remoteAddress', { value: undefined }),
			);
		jest
			.spyOn(dns, 'lookup')
			.mockImplementation(((_: string, __: object, callback: (...given: unknown[]) => void) =>
				callback(null, [{ address: '8.8.8.8', family: 4 }])) as never);
		await expect(bytesOf('http://files.example.com/file', options(elsewhere))).rejects.toThrow(
			'the connection was closed',
		);
		expect(asked).toEqual([]);
	});

	test.each([
		['127.0.0.2', '127.0.0.1'],
		['::1', '127.0.0.1'],
		['127.0.0.1', '::1'],
		['127.0.0.2', '127.0.0.3', '::1', '127.0.0.1'],
	])(
		'asks the next address where the first is down, also with the settings of n8n: %s, %s',
		async (...all) => {
			// As n8n does it at its start.
			net.setDefaultAutoSelectFamily(false);
			const bare = createHttp((_, response) => response.end('file content'));
			servers.push(bare);
			const port = await new Promise<number>((resolve) =>
				bare.listen(0, '127.0.0.1', () => resolve((bare.address() as net.AddressInfo).port)),
			);
			jest.spyOn(dns, 'lookup').mockImplementation(((
				_: string,
				__: object,
				callback: (...given: unknown[]) => void,
			) =>
				callback(
					null,
					all.map((address) => ({ address, family: net.isIP(address) })),
				)) as never);
			try {
				const own = `http://files.example.com:${port}`;
				expect((await bytesOf(`${own}/file`, options({ ownOrigin: own }))).toString()).toBe('file content');
				// One that is not allowed among them is one too many.
				await expect(bytesOf(`${own}/file`, options(elsewhere))).rejects.toThrow(
					'not an address on the internet',
				);
			} finally {
				net.setDefaultAutoSelectFamily(true);
			}
		},
	);

	test('its connections are never left to anything else', async () => {
		expect((await bytesOf(`${httpOrigin}/file`, options({ ownOrigin: httpOrigin }))).toString()).toBe(
			'file content',
		);
		for (const sockets of [http.globalAgent.sockets, http.globalAgent.freeSockets]) {
			expect(Object.keys(sockets).filter((name) => name.includes(new URL(httpOrigin).port))).toEqual([]);
		}
	});

	test('not after a redirect', async () => {
		// The first host is the credential's own, the one that it leads to is not.
		await expect(bytesOf(to('https://10.0.0.1/secret'), options())).rejects.toThrow(
			'not an address on the internet',
		);
		await expect(bytesOf(to('https://[fe80::1]/'), options())).rejects.toThrow(
			'not an address on the internet',
		);
	});
});

/** Keeps files as n8n does in memory. */
const memory = binaryStore({
	getBinaryPath: (id) => id,
	prepareBinaryData: async (data, fileName, mimeType = '') => ({
		data: (Buffer.isBuffer(data) ? data : await collect(data)).toString('base64'),
		fileName,
		mimeType,
	}),
});

test('attachments come as binary fields, and what cannot be had keeps its URL and the reason', async () => {
	const attachment = (contentUrl: string | null, name: string) => ({
		contentUrl,
		name,
		contentType: 'text/plain',
		content: null,
		thumbnailUrl: null,
	});
	const list = [
		attachment(`${origin}/file`, 'a.txt'),
		attachment(`${origin}/gone`, 'b.txt'),
		attachment(null, 'c.txt'),
		attachment(`${origin}/file`, 'd.txt'),
	];
	const { attachments, binary } = await fetchAttachments(list, { ...options(), maxCount: 3 }, memory);
	expect(binary).toEqual({
		attachment_0: {
			data: Buffer.from('file content').toString('base64'),
			fileName: 'a.txt',
			mimeType: 'text/plain',
		},
	});
	expect(attachments.map(({ binaryProperty, downloadError }) => [binaryProperty, downloadError])).toEqual([
		['attachment_0', null],
		[null, expect.stringContaining('404')],
		[null, expect.stringContaining('no URL')],
		[null, expect.stringContaining('only the first 3')],
	]);
	expect(attachments.map(({ contentUrl }) => contentUrl)).toEqual(list.map(({ contentUrl }) => contentUrl));
});

const fileAt = (contentUrl: string | null, more = {}) => ({
	contentUrl,
	name: 'a.txt',
	contentType: 'text/plain',
	content: null,
	thumbnailUrl: null,
	...more,
});

test('a card has no file: it is passed on without an error, and counts for nothing', async () => {
	const card = fileAt(null, { contentType: 'application/vnd.microsoft.card.hero', content: { title: 'Hi' } });
	const list = [card, fileAt(`${origin}/file`), { ...card, contentUrl: ' ', content: '{}' }, fileAt(null)];
	const { attachments, binary } = await fetchAttachments(list, { ...options(), maxCount: 1 }, memory);
	expect(Object.keys(binary)).toEqual(['attachment_1']);
	expect(attachments.map(({ downloadError }) => downloadError)).toEqual([
		null,
		null,
		null,
		expect.stringContaining('only the first 1'),
	]);
	expect(attachments[0]).toEqual({ ...card, binaryProperty: null, downloadError: null });
});

test.each([
	['../../etc/passwd.txt', 'passwd.txt'],
	['C:\\x\\a\r\nb\u0000.txt', 'ab.txt'],
	['../..', undefined],
	['chats%2F42%2Fa\u061c\ufeff.txt', 'a.txt'],
	['a\ud83d.txt', 'a.txt'],
	['a\ude00\u{1f600}.txt', 'a\u{1f600}.txt'],
	['a.txt. .', 'a.txt'],
])('a file named %j is stored as %s', async (name, stored) => {
	const { attachments, binary } = await fetchAttachments(
		[fileAt(`${origin}/file`, { name })],
		{ ...options(), maxCount: 1 },
		memory,
	);
	expect(binary.attachment_0?.fileName).toBe(stored);
	expect(attachments[0]?.name).toBe(name);
});

test.each([
	['image/png', 'image/png'],
	['video/webm; codecs="vp8, opus"', 'video/webm; codecs="vp8, opus"'],
	['image/png\r\nx: y', 'application/octet-stream'],
	['image/png;a=\0', 'application/octet-stream'],
	['../../png', 'application/octet-stream'],
	['C:\\png', 'application/octet-stream'],
	['IMAGE/Png ; Q="A"', 'image/png; Q="A"'],
	['image/png; name="\u20ac"', 'image/png'],
	['image/*', 'text/plain'],
	['*/*', 'text/plain'],
	['file', 'text/plain'],
	['\u20ac/x', 'text/plain'],
	[' ', 'text/plain'],
	[null, 'text/plain'],
])('a file of the type %j is stored as %s', async (contentType, stored) => {
	const { attachments, binary } = await fetchAttachments(
		[fileAt(`${origin}/file`, { contentType })],
		{ ...options(), maxCount: 1 },
		memory,
	);
	expect(binary.attachment_0?.mimeType).toBe(stored);
	expect(attachments[0]?.contentType).toBe(contentType);
});

test('storing that does not end is given up in time', async () => {
	const { attachments } = await fetchAttachments(
		[fileAt(`${origin}/file`)],
		{ ...options({ signal: AbortSignal.timeout(300) }), maxCount: 1 },
		{ ...memory, write: async () => await new Promise<never>(() => undefined) },
	);
	expect(attachments).toMatchObject([{ binaryProperty: null, downloadError: 'it took too long' }]);
});

test('no more files than allowed are fetched at the same time', async () => {
	let now = 0;
	let most = 0;
	const host = createHttp((_, response) => {
		most = Math.max(most, ++now);
		setTimeout(() => {
			now--;
			response.end('x');
		}, 50);
	});
	servers.push(host);
	const url = `http://localhost:${await listen(host)}/`;
	const list = Array.from({ length: 7 }, () => fileAt(url));
	const limits = { ...options(), maxCount: 9, concurrency: 2 };
	const { binary } = await fetchAttachments(list, limits, memory);
	expect([Object.keys(binary).length, most]).toEqual([7, 2]);
});

test('no more work is begun than there are files, however many may be fetched at the same time', async () => {
	const list = Array.from({ length: 3 }, () => fileAt(`${origin}/file`));
	const limits = { ...options(), maxCount: 9, concurrency: 2 ** 40 };
	expect(Object.keys((await fetchAttachments(list, limits, memory)).binary)).toHaveLength(3);
});

test('eight deliveries with ten files of 5 MB stay within the budgets; what exceeds them keeps its URL', async () => {
	const MB = 1024 * 1024;
	const large = Buffer.alloc(5 * MB);
	const host = createHttp((_, response) => void response.end(large));
	servers.push(host);
	const url = `http://localhost:${await listen(host)}/`;
	const budgets = Array.from({ length: 8 }, () => new ByteBudget(5 * MB));
	let most = 0;
	const fetched = await Promise.all(
		budgets.map(async (budget) => {
			const list = Array.from({ length: 10 }, () => fileAt(url));
			const limits = { ...options({ maxBytes: 5 * MB, signal: AbortSignal.timeout(20_000) }), maxCount: 10 };
			const write = async (data: Buffer | AsyncIterable<Buffer>) => {
				const { length } = Buffer.isBuffer(data) ? data : await collect(data);
				most = Math.max(most, heldBytes());
				return { data: '', mimeType: '', bytes: length };
			};
			return await fetchAttachments(list, { ...limits, budget }, { ...memory, write });
		}),
	);
	const bytesOf = fetched.map(({ binary }) => Object.keys(binary).length * 5 * MB);
	const sum = bytesOf.reduce((one, other) => one + other, 0);
	expect(Math.max(...bytesOf)).toBeLessThanOrEqual(25 * MB);
	expect(most).toBeLessThanOrEqual(64 * MB);
	expect(sum).toBeLessThanOrEqual(64 * MB);
	expect(sum).toBeGreaterThan(25 * MB);
	expect(heldBytes()).toBe(sum);
	const left = fetched.flatMap(({ attachments }) => attachments).filter(({ downloadError }) => downloadError);
	expect(left.length).toBe(80 - sum / (5 * MB));
	for (const { contentUrl, downloadError } of left) {
		expect([contentUrl, downloadError]).toEqual([
			url,
			expect.stringMatching(/25 MB together|too many files/),
		]);
	}
	for (const budget of budgets) budget.release();
	expect(heldBytes()).toBe(0);
});
