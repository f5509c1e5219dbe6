import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { StreamedBody, type RequestBody } from './requestBody';

/**
 * One HTTPS request. Whatever carries a secret or a token is sent from here: MSAL's token requests, the requests to the
 * services, and those for the tenant's keys. It is written by hand, as n8n's request helper is absent in a credential's
 * test and in MSAL, and does not tell a request that never left from one whose answer was lost.
 * It uses Node.js' global agent, where n8n installs its proxy.
 */
interface HttpsRequest {
	method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
	url: URL;
	headers?: Record<string, string>;
	body?: RequestBody;
	/** Milliseconds for the request and its answer. */
	timeoutMs?: number;
	/** The longest answer that is accepted, in bytes. */
	maxBytes?: number;
	signal?: AbortSignal;
}

/** An answer, with its whole body as text. */
export interface HttpsResponse {
	status: number;
	headers: IncomingHttpHeaders;
	body: string;
}

/** Whether the TLS handshake of a socket is done: only then has it a cipher. */
function isSecure(socket: TLSSocket): boolean {
	return Boolean(socket.getProtocol()) && !socket.connecting && Boolean(socket.getCipher()?.name);
}

/** The proxy that failed, where an error names another host or port than the one that was called. */
function proxyOf(error: NodeJS.ErrnoException, url: URL): string | undefined {
	if (error.code?.startsWith('PROXY_')) return 'HTTPS_PROXY';
	const { hostname, address, port } = error as { hostname?: unknown; address?: unknown; port?: unknown };
	if (typeof hostname === 'string') return hostname === url.hostname ? undefined : hostname;
	if (typeof address !== 'string' || typeof port !== 'number') return undefined;
	return port === Number(url.port || 443) ? undefined : `${address}:${port}`;
}

/** Enough for an attachment of 128 MB on a slow line. */
const DEFAULT_TIMEOUT_MS = 5 * 60_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** There was no answer. `sent` says whether the request may have arrived. */
export class TransportError extends Error {
	constructor(
		/** A code of the operating system or of TLS, e.g. `ENOTFOUND`, or one of ours, e.g. `NOT_HTTPS`. */
		readonly code: string,
		/** `no`: no byte was sent. `maybe`: the connection failed after it was established. */
		readonly sent: 'no' | 'maybe',
		/** The host that was called, with its port where that is not 443. */
		readonly host: string,
		/** The proxy, where it is what failed. */
		readonly proxy?: string,
	) {
		super(`${code} (${host})`);
		this.name = 'TransportError';
	}
}

/**
 * Sends a request and reads the whole answer. Redirects are returned, not followed.
 * @throws TransportError where the answer is missing or incomplete, or the URL is not https.
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
			// A new socket sends the request after its TLS handshake. A kept-alive socket, and one from a proxy's agent whose
			// handshake is done, sends it at once.
			if (socket instanceof TLSSocket && !isSecure(socket))
				socket.once('secureConnect', () => (sent = 'maybe'));
			else sent = 'maybe';
		});
		outgoing.on('error', fail);
		outgoing.on('response', (incoming) => {
			// A proxy that refuses to connect answers itself, before there is TLS. The request was not sent.
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
				// An answer that came before the whole request was sent would leave the rest, its socket and its files open.
				if (!outgoing.writableEnded) outgoing.destroy();
				resolve({
					status: incoming.statusCode ?? 0,
					headers: incoming.headers,
					body: Buffer.concat(chunks).toString('utf8'),
				});
			});
		});
		// The pieces are made no faster than the connection takes them, so only one or two are in memory at a time.
		if (body instanceof StreamedBody) {
			Readable.from(body, { highWaterMark: 1 }).on('error', fail).pipe(outgoing);
		} else outgoing.end(body);
	});
}
