import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { StreamedBody, type RequestBody } from './requestBody';

/**
 * One HTTPS exchange. Everything that carries a secret or a token goes through here: the token request that MSAL
 * makes, the calls to the service, the tenant's keys. n8n's own request helper is not there in a credential's
 * test nor in MSAL, and it does not tell a request that never left from one whose answer was lost.
 * Node.js' global agent is used, which is where n8n installs its proxy.
 */
interface HttpsRequest {
	method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
	url: URL;
	headers?: Record<string, string>;
	body?: RequestBody;
	/** Milliseconds for the whole exchange, after which it is given up. */
	timeoutMs?: number;
	/** The longest answer that is read, in bytes. */
	maxBytes?: number;
	signal?: AbortSignal;
}

export interface HttpsResponse {
	status: number;
	headers: IncomingHttpHeaders;
	body: string;
}

/** Whether a socket's TLS handshake is done, which is when its cipher is agreed. */
function isSecure(socket: TLSSocket): boolean {
	return Boolean(socket.getProtocol()) && !socket.connecting && Boolean(socket.getCipher()?.name);
}

/** The proxy that an error is about: it names another host or port than the one that was called. */
function proxyOf(error: NodeJS.ErrnoException, url: URL): string | undefined {
	if (error.code?.startsWith('PROXY_')) return 'HTTPS_PROXY';
	const { hostname, address, port } = error as { hostname?: unknown; address?: unknown; port?: unknown };
	if (typeof hostname === 'string') return hostname === url.hostname ? undefined : hostname;
	if (typeof address !== 'string' || typeof port !== 'number') return undefined;
	return port === Number(url.port || 443) ? undefined : `${address}:${port}`;
}

/** Long enough for a 128 MB attachment over a slow line. */
const DEFAULT_TIMEOUT_MS = 5 * 60_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** The exchange ended without an answer. `sent` says whether the request may have arrived. */
export class TransportError extends Error {
	constructor(
		/** The operating system's or TLS' code: ENOTFOUND, ECONNREFUSED, CERT_HAS_EXPIRED, ETIMEDOUT, … */
		readonly code: string,
		/** `no`: no byte of it left, so it surely did not arrive. `maybe`: the connection stood when it broke. */
		readonly sent: 'no' | 'maybe',
		/** The host and port that were called, for the person who reads the error. */
		readonly host: string,
		/** The proxy in between, where it is what failed. */
		readonly proxy?: string,
	) {
		super(`${code} (${host})`);
		this.name = 'TransportError';
	}
}

/**
 * Sends a request and reads the whole answer as text. Redirects are answers like any other: they are not followed.
 * @throws TransportError when there is no whole answer, and at once for any URL that is not https.
 */
export async function sendHttps(options: HttpsRequest): Promise<HttpsResponse> {
	const { url } = options;
	if (url.protocol !== 'https:') throw new TransportError('NOT_HTTPS', 'no', url.host);
	const body = typeof options.body === 'string' ? Buffer.from(options.body, 'utf8') : options.body;
	const headers = { ...options.headers, ...(body && { 'content-length': String(body.byteLength) }) };
	const deadline = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
	const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
	const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
	return await new Promise((resolve, reject) => {
		let sent: 'no' | 'maybe' = 'no';
		const outgoing = request(url, { method: options.method, headers, signal });
		const fail = (error: NodeJS.ErrnoException) => {
			const timedOut = signal.aborted && !options.signal?.aborted;
			outgoing.destroy();
			const code = timedOut ? 'ETIMEDOUT' : (error.code ?? error.name);
			reject(new TransportError(code, sent, url.host, proxyOf(error, url)));
		};
		outgoing.on('socket', (socket) => {
			// A new socket carries the request only after its TLS handshake; a kept-alive one, and one that a proxy's agent
			// hands over with its handshake done, at once.
			if (socket instanceof TLSSocket && !isSecure(socket))
				socket.once('secureConnect', () => (sent = 'maybe'));
			else sent = 'maybe';
		});
		outgoing.on('error', fail);
		outgoing.on('response', (incoming) => {
			// A proxy that lets no connection through answers itself, before there is TLS: nothing left this machine.
			if (!(incoming.socket instanceof TLSSocket)) {
				const refusal = Object.assign(new Error(), { code: `PROXY_${incoming.statusCode ?? 0}` });
				sent = 'no';
				return fail(refusal);
			}
			const chunks: Buffer[] = [];
			let bytes = 0;
			incoming.on('data', (chunk: Buffer) => {
				bytes += chunk.length;
				if (bytes > maxBytes) return fail(Object.assign(new Error(), { code: 'ANSWER_TOO_LONG' }));
				chunks.push(chunk);
			});
			incoming.on('error', fail);
			incoming.on('end', () => {
				// What was answered before it was there whole would never go on, and hold its connection and its files.
				if (!outgoing.writableEnded) outgoing.destroy();
				resolve({
					status: incoming.statusCode ?? 0,
					headers: incoming.headers,
					body: Buffer.concat(chunks).toString('utf8'),
				});
			});
		});
		// No faster than the connection takes them, so that no more than a piece or two are there at a time.
		if (body instanceof StreamedBody) {
			Readable.from(body, { highWaterMark: 1 }).on('error', fail).pipe(outgoing);
		} else outgoing.end(body);
	});
}
