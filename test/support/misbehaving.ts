import { readFileSync } from 'node:fs';
import { createServer as createTcp, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { listen } from '../../tools/ports';

/** What a server does with a connection: `request` is called once, when the headers of a request are there. */
export interface Behaviour {
	name: string;
	/** At once after the TLS handshake. */
	connected?: (socket: Socket) => void;
	request?: (socket: Socket, head: string) => void;
	/** Before TLS, on the bare connection; then there is no TLS. */
	bare?: (socket: Socket) => void;
	/** What a service call makes of it: a status, or the code of the error. */
	service: number | RegExp;
	/** What a download makes of it: the content, or the reason why there is none. */
	file: string | RegExp;
	/** Whether it never ends by itself, so that only the time limit does. */
	isEndless?: boolean;
}

/** The body that honest servers of the table send: JSON, so that all ways out can read it. */
export const BODY = '{"ok":true}';

/** The bare connections of TLS servers by the client's port: only those can be reset. */
const bareSockets = new Map<number | undefined, Socket>();

/** Ends a connection of a TLS server without the usual farewell. */
export const reset = (socket: Socket): void => void bareSockets.get(socket.remotePort)?.resetAndDestroy();

const text = (head: string, body = '') => `HTTP/1.1 ${head}\r\n\r\n${body}`;
const sends = (answer: string | Buffer) => (socket: Socket) => void socket.write(answer);
const sendsAndEnds = (answer: string | Buffer) => (socket: Socket) => void socket.end(answer);
const repeats = (first: string, piece: string | Buffer, everyMs: number) => (socket: Socket) => {
	socket.write(first);
	const timer = setInterval(() => socket.write(piece), everyMs);
	socket.on('close', () => clearInterval(timer));
};
const encoded = (coding: string, body: Buffer, status = '200 OK') =>
	Buffer.concat([
		Buffer.from(text(`${status}\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.length}`)),
		body,
	]);
const redirect = (location: string, status = '302 Found') =>
	sends(text(`${status}\r\nlocation: ${location}\r\ncontent-length: 0`));

const TIMEOUT = /ETIMEDOUT/;
const LATE = /too long/;
const CUT = /closed before/;
const RESET = /ECONNRESET|EPIPE/;
const gzipped = gzipSync(BODY);

/** The servers. Each is run against each way out of the package. */
export const BEHAVIOURS: Behaviour[] = [
	// Connections.
	{
		name: 'closes at once, before TLS',
		bare: (socket) => void socket.destroy(),
		service: RESET,
		file: /closed/,
	},
	{
		name: 'resets at once, before TLS',
		bare: (socket) => void socket.resetAndDestroy(),
		service: RESET,
		file: /closed/,
	},
	{
		name: 'says nothing in the TLS handshake',
		bare: () => undefined,
		service: TIMEOUT,
		file: LATE,
		isEndless: true,
	},
	{
		name: 'answers the TLS handshake in plain HTTP',
		bare: sendsAndEnds(text('200 OK\r\ncontent-length: 2', 'ok')),
		service: /SSL|EPROTO/,
		file: /^there is no TLS connection to the host \(\w+\)$/,
	},
	{
		name: 'closes after the TLS handshake',
		connected: (socket) => void socket.end(),
		service: RESET,
		file: CUT,
	},
	{
		name: 'resets after the TLS handshake',
		connected: reset,
		service: RESET,
		file: CUT,
	},
	{ name: 'closes without an answer', request: (socket) => void socket.end(), service: RESET, file: CUT },
	{ name: 'says nothing', request: () => undefined, service: TIMEOUT, file: LATE, isEndless: true },
	// Headers.
	{
		name: '101',
		request: sends(text('101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket')),
		service: /UNEXPECTED_UPGRADE/,
		file: /another protocol/,
	},
	{
		name: '101 without an upgrade',
		request: sends(text('101 Switching Protocols')),
		service: /UNEXPECTED_UPGRADE/,
		file: /another protocol/,
	},
	{
		name: '101 and the end',
		request: sendsAndEnds(text('101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c')),
		service: /UNEXPECTED_UPGRADE/,
		file: /another protocol/,
	},
	{
		name: '200 with an upgrade',
		request: sends(text('200 OK\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 11', BODY)),
		service: 200,
		file: BODY,
	},
	{
		name: 'half a status line',
		request: sends('HTTP/1.1 20'),
		service: TIMEOUT,
		file: LATE,
		isEndless: true,
	},
	{
		name: 'half a header',
		request: sends('HTTP/1.1 200 OK\r\ncontent-le'),
		service: TIMEOUT,
		file: LATE,
		isEndless: true,
	},
	{
		name: 'half a header and the end',
		request: sendsAndEnds('HTTP/1.1 200 OK\r\ncontent-le'),
		service: RESET,
		file: CUT,
	},
	{
		name: 'endless headers',
		request: repeats('HTTP/1.1 200 OK\r\n', `x: ${'y'.repeat(5_000)}\r\n`, 5),
		service: /HPE_HEADER_OVERFLOW/,
		file: /headers .* too long/,
	},
	{
		name: 'a header one byte at a time',
		request: repeats('HTTP/1.1 200 OK\r\nx: ', 'y', 20),
		service: TIMEOUT,
		file: LATE,
		isEndless: true,
	},
	{ name: 'no HTTP', request: sends('SSH-2.0-OpenSSH_9.2\r\n'), service: /HPE_/, file: /not HTTP/ },
	{
		name: 'HTTP/2',
		request: sends(Buffer.from('000012040000000000000300000064', 'hex')),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{ name: 'binary noise', request: sends(Buffer.alloc(3000, 0xf7)), service: /HPE_/, file: /not HTTP/ },
	{
		name: 'a status that is no number',
		request: sends('HTTP/1.1 abc OK\r\n\r\n'),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{
		name: '100 Continue without an end',
		request: repeats('', text('100 Continue'), 1),
		service: /INTERIM_ANSWERS|ETIMEDOUT/,
		file: /interim|too long/,
		isEndless: true,
	},
	{
		name: '102 and 103 in a flood',
		request: repeats('', text('103 Early Hints\r\nlink: </a>').repeat(200), 1),
		service: /INTERIM_ANSWERS/,
		file: /interim/,
	},
	{
		name: 'a few 1xx, then the answer',
		request: sends(
			text('100 Continue') + text('103 Early Hints') + text('200 OK\r\ncontent-length: 11', BODY),
		),
		service: 200,
		file: BODY,
	},
	// Bodies.
	{
		name: 'an endless body',
		request: repeats(text('200 OK'), Buffer.alloc(60_000, 32), 1),
		service: /ANSWER_TOO_LONG/,
		file: /larger than/,
	},
	{
		name: 'an endless chunked body',
		request: repeats(text('200 OK\r\ntransfer-encoding: chunked'), `ea60\r\n${' '.repeat(60_000)}\r\n`, 1),
		service: /ANSWER_TOO_LONG/,
		file: /larger than/,
	},
	{
		name: 'an endless body of a refusal',
		request: repeats(text('400 Bad Request'), Buffer.alloc(60_000, 32), 1),
		service: 400,
		file: /HTTP status 400/,
	},
	{
		name: 'a body one byte at a time',
		request: repeats(text('200 OK'), ' ', 20),
		service: TIMEOUT,
		file: LATE,
		isEndless: true,
	},
	{
		name: 'a body that stops',
		request: sends(text('200 OK\r\ncontent-length: 20', '{')),
		service: TIMEOUT,
		file: LATE,
		isEndless: true,
	},
	{
		name: 'a length that is too long, and the end',
		request: sendsAndEnds(text('200 OK\r\ncontent-length: 2000', BODY)),
		service: RESET,
		file: CUT,
	},
	{
		name: 'a length beyond what is accepted',
		request: sends(text('200 OK\r\ncontent-length: 99999999999', BODY)),
		service: /ANSWER_TOO_LONG/,
		file: /larger than/,
	},
	{
		name: 'a length that is too short',
		request: sends(text('200 OK\r\ncontent-length: 2', BODY)),
		service: 200,
		file: BODY.slice(0, 2),
	},
	{
		name: 'a length that is no number',
		request: sends(text('200 OK\r\ncontent-length: ten', BODY)),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{
		name: 'two lengths',
		request: sends(text('200 OK\r\ncontent-length: 11\r\ncontent-length: 5', BODY)),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{
		name: 'a length and chunks',
		request: sends(
			text('200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked', `b\r\n${BODY}\r\n0\r\n\r\n`),
		),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{ name: 'no length, and the end', request: sendsAndEnds(text('200 OK', BODY)), service: 200, file: BODY },
	{
		name: 'a chunk that lies',
		request: sends(text('200 OK\r\ntransfer-encoding: chunked', `2\r\n${BODY}\r\n0\r\n\r\n`)),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{
		name: 'a chunk of no number',
		request: sends(text('200 OK\r\ntransfer-encoding: chunked', `zz\r\n${BODY}\r\n0\r\n\r\n`)),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{
		name: 'a chunk longer than memory',
		request: sends(text('200 OK\r\ntransfer-encoding: chunked', `ffffffffffffffff0\r\n${BODY}`)),
		service: /HPE_/,
		file: /not HTTP/,
	},
	{
		name: 'chunks without their end, and the end',
		request: sendsAndEnds(text('200 OK\r\ntransfer-encoding: chunked', `b\r\n${BODY}\r\n`)),
		service: RESET,
		file: CUT,
	},
	{
		name: 'endless trailers',
		request: repeats(
			text('200 OK\r\ntransfer-encoding: chunked', `b\r\n${BODY}\r\n0\r\n`),
			`x: ${'y'.repeat(5_000)}\r\n`,
			2,
		),
		service: /HPE_HEADER_OVERFLOW/,
		file: /headers .* too long/,
	},
	{
		name: '204 with a body',
		request: sends(text('204 No Content\r\ncontent-length: 11', BODY)),
		service: 204,
		file: /HTTP status 204/,
	},
	{
		name: '304 with a body',
		request: sends(text('304 Not Modified\r\ncontent-length: 11', BODY)),
		service: 304,
		file: /HTTP status 304/,
	},
	{
		name: '205 that goes on',
		request: repeats(text('205 Reset Content'), ' ', 20),
		service: TIMEOUT,
		file: /HTTP status 205/,
		isEndless: true,
	},
	{
		name: '999',
		request: sends(text('999 Denied\r\ncontent-length: 0')),
		service: 999,
		file: /HTTP status 999/,
	},
	{
		name: 'two answers',
		request: sends(text('200 OK\r\ncontent-length: 11', BODY).repeat(2)),
		service: 200,
		file: BODY,
	},
	// Compressed bodies.
	{ name: 'gzip', request: sends(encoded('gzip', gzipped)), service: 200, file: BODY },
	{
		name: 'GZIP in capitals, by its old name',
		request: sends(encoded('X-GZIP', gzipped)),
		service: 200,
		file: BODY,
	},
	{ name: 'deflate', request: sends(encoded('deflate', deflateSync(BODY))), service: 200, file: BODY },
	{
		name: 'deflate without its head',
		request: sends(encoded('deflate', deflateRawSync(BODY))),
		service: 200,
		file: BODY,
	},
	{ name: 'br', request: sends(encoded('br', brotliCompressSync(BODY))), service: 200, file: BODY },
	{
		name: 'gzip, then br',
		request: sends(encoded('gzip, identity, br', brotliCompressSync(gzipped))),
		service: 200,
		file: BODY,
	},
	{
		name: 'gzip on the way alone',
		request: sendsAndEnds(
			Buffer.concat([
				Buffer.from(text(`200 OK\r\ntransfer-encoding: gzip, chunked`, `${gzipped.length.toString(16)}\r\n`)),
				gzipped,
				Buffer.from('\r\n0\r\n\r\n'),
			]),
		),
		service: 200,
		file: BODY,
	},
	{
		name: 'gzip in quotes, with a parameter',
		request: sends(encoded('"gzip";q=1', gzipped)),
		service: 200,
		file: BODY,
	},
	{ name: 'an empty gzip', request: sends(encoded('gzip', Buffer.alloc(0))), service: 200, file: '' },
	{
		name: 'an encoding that is none',
		request: sends(encoded('utf-8', Buffer.from(BODY))),
		service: 200,
		file: BODY,
	},
	{
		name: 'an encoding that is a mistake of the uploader',
		request: sends(encoded('base64', Buffer.from(BODY))),
		service: 200,
		file: BODY,
	},
	{
		name: 'a gzip bomb',
		request: sends(encoded('gzip', gzipSync(Buffer.alloc(20_000_000)))),
		service: /ANSWER_TOO_LONG/,
		file: /larger than/,
	},
	{
		name: 'a gzip bomb in a gzip',
		request: sends(encoded('gzip, gzip', gzipSync(gzipSync(Buffer.alloc(20_000_000))))),
		service: /ANSWER_TOO_LONG/,
		file: /larger than/,
	},
	{
		name: 'a br bomb',
		request: sends(encoded('br', brotliCompressSync(Buffer.alloc(20_000_000)))),
		service: /ANSWER_TOO_LONG/,
		file: /larger than/,
	},
	{
		name: 'more encodings than anybody needs',
		request: sends(encoded('gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipped))))),
		service: /UNKNOWN_ENCODING/,
		file: /not known here/,
	},
	{
		name: 'a broken gzip',
		request: sends(encoded('gzip', Buffer.from(BODY))),
		service: /BROKEN_ENCODING/,
		file: /broken/,
	},
	{
		name: 'half a gzip',
		request: sends(encoded('gzip', gzipped.subarray(0, -9))),
		service: /BROKEN_ENCODING/,
		file: /broken/,
	},
	{
		name: 'an unknown encoding',
		request: sends(encoded('rot13', Buffer.from(BODY))),
		service: /UNKNOWN_ENCODING/,
		file: /not known here/,
	},
	{
		name: 'a broken gzip of a refusal',
		request: sends(encoded('gzip', Buffer.from(BODY), '403 Forbidden')),
		service: 403,
		file: /HTTP status 403/,
	},
	// Redirects.
	{ name: 'a redirect to itself', request: redirect('/x'), service: 302, file: /too many redirects/ },
	{
		name: 'a redirect to http',
		request: redirect('http://localhost:1/'),
		service: 302,
		file: /from https to http/,
	},
	{
		name: 'a redirect to a file',
		request: redirect('file:///etc/passwd'),
		service: 302,
		file: /not a protocol/,
	},
	{
		name: 'a redirect to a data URI',
		request: redirect('data:text/plain,x'),
		service: 302,
		file: /not a protocol/,
	},
	{
		name: 'a redirect to an internal address',
		request: redirect('https://10.0.0.1/'),
		service: 302,
		file: /not an address on the internet/,
	},
	{
		name: 'a redirect to an internal IPv6 address',
		request: redirect('https://[::ffff:10.0.0.1]/'),
		service: 302,
		file: /not an address on the internet/,
	},
	{
		name: 'a redirect without a Location',
		request: sends(text('302 Found\r\ncontent-length: 0')),
		service: 302,
		file: /HTTP status 302/,
	},
	{
		name: 'a redirect to an empty Location',
		request: redirect(''),
		service: 302,
		file: /too many redirects|HTTP status 302/,
	},
	{ name: 'a redirect to what is no URL', request: redirect('https://[/'), service: 302, file: /no URL/ },
	{
		name: 'a redirect with a user name that cannot be read',
		request: redirect('https://%ff@localhost:1/'),
		service: 302,
		file: /ECONNREFUSED/,
	},
	{
		name: '303 to a port that nobody listens on',
		request: redirect('https://localhost:1/', '303 See Other'),
		service: 303,
		file: /ECONNREFUSED/,
	},
	{
		name: '307 to itself',
		request: redirect('/y', '307 Temporary Redirect'),
		service: 307,
		file: /too many redirects/,
	},
	{
		name: '308 with a huge Location',
		request: redirect(`/${'z'.repeat(20_000)}`, '308 Permanent Redirect'),
		service: /HPE_HEADER_OVERFLOW/,
		file: /headers .* too long/,
	},
	{
		name: 'a redirect whose page never ends',
		request: repeats(text('302 Found\r\nlocation: /x'), Buffer.alloc(60_000, 32), 1),
		service: 302,
		file: /too many redirects/,
	},
	{
		name: '300 with an endless page and no Location',
		request: repeats(text('300 Multiple Choices'), Buffer.alloc(60_000, 32), 1),
		service: 300,
		file: /HTTP status 300/,
	},
];

export interface Misbehaving {
	server: Server;
	port: number;
	/** The connections that the client has not closed. */
	open: Set<Socket>;
}

/** Whether the headers of a request have come. */
const HEAD_END = '\r\n\r\n';

function serveConnection(socket: Socket, { connected, request }: Behaviour): void {
	socket.on('error', () => undefined);
	connected?.(socket);
	let received = '';
	socket.on('data', (chunk) => {
		received += chunk.toString('latin1');
		if (!received.includes(HEAD_END)) return;
		request?.(socket, received);
		received = '';
	});
}

/** Starts a server of TLS, or of bare TCP where the behaviour comes before TLS. */
export async function startMisbehaving(behaviour: Behaviour): Promise<Misbehaving> {
	const pem = (name: string) => readFileSync(join(process.env.TEST_CERTIFICATE_FOLDER!, `${name}.pem`));
	const open = new Set<Socket>();
	const track = (socket: Socket) => {
		open.add(socket);
		bareSockets.set(socket.remotePort, socket);
		socket.on('error', () => undefined).on('close', () => open.delete(socket));
	};
	const { bare } = behaviour;
	const server = bare
		? createTcp((socket) => {
				socket.resume();
				bare(socket);
			})
		: createTls({ key: pem('key'), cert: pem('cert') }, (socket) => serveConnection(socket, behaviour));
	server.on('connection', track);
	server.on('tlsClientError', () => undefined);
	return { server, port: await listen(server), open };
}
