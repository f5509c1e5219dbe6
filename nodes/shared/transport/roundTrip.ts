import {
	request as httpRequest,
	type ClientRequest,
	type IncomingHttpHeaders,
	type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { nonEmptyText, readKey } from '../json';
import { CodingError, decodeBody, isTooLong, type Pieces } from './contentCoding';
import { StreamedBody, type RequestBody } from './requestBody';
import { USER_AGENT } from './userAgent';

/** A connection that was opened for one request, and how the request is worded on it. */
export interface Route {
	/** Connected, and after its TLS handshake where the URL is https. */
	socket: Socket;
	/** What is asked for, where it is not the URL's path: a proxy for http wants the whole URL. */
	path?: string;
	headers?: Record<string, string>;
}

/** One HTTP request and its answer. */
interface RoundTrip {
	method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
	url: URL;
	headers?: Record<string, string>;
	body?: RequestBody;
	/** Milliseconds for all of it: looking up, connecting, sending, and the whole answer. */
	timeoutMs?: number;
	/** Ends it earlier. */
	signal?: AbortSignal;
	/** The longest body that is accepted, in bytes, as it comes and after decoding. */
	maxBytes: number;
	/** Takes the body as its pieces come, decoded, in place of {@link Answer.body}. The exchange ends when it has ended. */
	takeBody?: (pieces: Pieces) => Promise<void>;
	/** Whether the body is to be read. Where it is not, the connection is closed after the headers. */
	wantsBody?: (head: AnswerHead) => boolean;
	/** Opens a connection for this request alone; without it, Node.js' global agent does, where n8n has its proxy. */
	connect?: (signal: AbortSignal) => Promise<Route>;
}

/** An answer without its body. */
interface AnswerHead {
	status: number;
	headers: IncomingHttpHeaders;
}

/** An answer with its body. */
export interface Answer extends AnswerHead {
	/** Decoded; empty where it was not wanted, or taken. */
	body: Buffer;
}

/** What is known while a request is under way. */
interface Progress {
	/** `no`: no byte was sent. `maybe`: the connection is established, so the request may have arrived. */
	sent: 'no' | 'maybe';
	head: AnswerHead | undefined;
}

/** Why all is closed that a request has open. Without a reason, Node.js makes an error with its stack for each request. */
const ENDED = new Error('nobody waits for the answer any more');

/** More 1xx answers than an honest server sends: it has one for a request, or a few while it works. */
const MAX_INTERIM_ANSWERS = 100;

/** What went wrong, in words for after a colon. */
const WORDS: Record<string, string> = {
	ABORT_ERR: 'it was cancelled',
	ETIMEDOUT: 'there was no whole answer in time',
	ECONNRESET: 'the connection was closed before the whole answer was there',
	EPIPE: 'the connection was closed before the whole request was sent',
	ANSWER_TOO_LONG: 'the answer is too long',
	BROKEN_ENCODING: 'the answer is compressed, and broken',
	UNKNOWN_ENCODING: 'the answer is compressed in a way that is not known here',
	UNEXPECTED_UPGRADE: 'the host switched to another protocol, which nobody asked for',
	INTERIM_ANSWERS: 'the host sends interim answers (HTTP status 1xx) without an end',
	URL_NOT_USABLE: 'the user name or password in the URL cannot be read',
	HPE_HEADER_OVERFLOW: 'the headers of the answer are too long',
};

/** Says in words what a code means; undefined where there are no better words than the code. Pure. */
export function wordsOf(code: string): string | undefined {
	if (Object.hasOwn(WORDS, code)) return WORDS[code];
	if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
	// OpenSSL's own message has numbers of its source, and line breaks.
	return /^(EPROTO$|ERR_SSL_)/.test(code) ? `there is no TLS connection to the host (${code})` : undefined;
}

/** There is no answer, or not the whole of it. The message is in words for after a colon. */
export class RoundTripError extends Error {
	constructor(
		/** A code of the operating system, of TLS or of Node.js, or one of ours. */
		readonly code: string,
		readonly sent: Progress['sent'],
		/** What came of the answer, where its headers did. */
		readonly head: AnswerHead | undefined,
		override readonly cause: unknown,
	) {
		super(wordsOf(code) ?? nonEmptyText(readKey(cause, 'message')) ?? code);
		this.name = 'RoundTripError';
	}
}

/** An error with a code of ours. */
function coded(code: string): Error {
	return Object.assign(new Error(code), { code });
}

/** The name of an error, which most of them inherit: it is no key of their own. */
function errorNameOf(error: unknown): string {
	const isObject = typeof error === 'object' && error !== null;
	return (isObject && 'name' in error && nonEmptyText(error.name)) || 'Error';
}

/** The code of an error. Node.js gives none to what cannot be decoded in a URL. */
function codeOf(error: unknown): string {
	const name = errorNameOf(error);
	const code = nonEmptyText(readKey(error, 'code')) ?? name;
	if (code === 'ERR_STREAM_PREMATURE_CLOSE') return 'ECONNRESET';
	return name === 'URIError' ? 'URL_NOT_USABLE' : code;
}

/** Whether the TLS handshake of a socket is done: only then has it a cipher. */
function isSecure(socket: TLSSocket): boolean {
	return Boolean(socket.getProtocol()) && !socket.connecting && Boolean(socket.getCipher()?.name);
}

/** Notes when the request may have left. */
function watchSending(outgoing: ClientRequest, progress: Progress): void {
	const isUnderWay = () => (progress.sent = 'maybe');
	outgoing.on('socket', (socket) => {
		// A new socket sends the request after its TLS handshake. A kept-alive socket, and one from a proxy's agent whose
		// handshake is done, sends it at once.
		if (socket instanceof TLSSocket && !isSecure(socket)) socket.once('secureConnect', isUnderWay);
		else isUnderWay();
	});
}

/** The decoded body of an answer, as its pieces come. @throws CodingError where its length is said to be too large. */
function bodyOf({ headers }: AnswerHead, incoming: IncomingMessage, maxBytes: number): Pieces {
	const codings = [headers['content-encoding'], headers['transfer-encoding']]
		.filter((one) => one !== undefined)
		.join(', ');
	if (isTooLong(Number(headers['content-length']), codings, maxBytes))
		throw new CodingError('ANSWER_TOO_LONG');
	return decodeBody(incoming, codings, maxBytes);
}

/** Reads a body as a whole. */
export async function collect(pieces: Pieces): Promise<Buffer> {
	const all: Buffer[] = [];
	for await (const piece of pieces) all.push(piece);
	return Buffer.concat(all);
}

/** Writes the body, with its pieces made no faster than the connection takes them: one or two are in memory at a time. */
function write(outgoing: ClientRequest, body: RequestBody | undefined, fail: (error: Error) => void): void {
	if (!(body instanceof StreamedBody)) return void outgoing.end(body);
	const source = Readable.from(body, { highWaterMark: 1 });
	source.on('error', fail).pipe(outgoing);
	outgoing.on('close', () => source.destroy());
}

/**
 * Sends the request and waits for what comes of it: each of Node.js' ways to end, also those without an answer and an
 * error. The time limit is not watched here.
 * @param ending is aborted when nobody waits any more: then all is closed that is open.
 */
async function send(options: RoundTrip, progress: Progress, ending: AbortSignal): Promise<Answer> {
	const { url, method, body } = options;
	const route = await options.connect?.(ending);
	if (route && ending.aborted) route.socket.destroy();
	ending.throwIfAborted();
	const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
	const length = typeof body === 'string' ? Buffer.byteLength(body) : body?.byteLength;
	const headers = {
		'user-agent': USER_AGENT,
		...route?.headers,
		...options.headers,
		...(length !== undefined && { 'content-length': String(length) }),
	};
	return await new Promise((resolve, reject) => {
		const outgoing = request(url, {
			method,
			headers,
			...(route && { createConnection: () => route.socket }),
			...(route?.path !== undefined && { path: route.path }),
		});
		let isDone = false;
		const fail = (error: Error) => {
			outgoing.destroy();
			reject(error);
		};
		// A proxy that refuses to connect answers itself, before there is TLS. The request was not sent.
		const refusedByProxy = ({ socket, statusCode }: IncomingMessage): boolean => {
			if (url.protocol !== 'https:' || socket instanceof TLSSocket) return false;
			progress.sent = 'no';
			fail(coded(`PROXY_${statusCode ?? 0}`));
			return true;
		};
		ending.addEventListener('abort', () => {
			if (!isDone) outgoing.destroy();
		});
		watchSending(outgoing, progress);
		let answered: IncomingMessage | undefined;
		// What comes after a whole answer, such as bytes beyond its length, does not make it worse.
		outgoing.on('error', (error) => {
			if (!answered?.complete) fail(error);
		});
		// Node.js closes a request without an error where the connection became something else.
		outgoing.on('close', () => {
			if (!progress.head) fail(coded('ECONNRESET'));
		});
		let interimAnswers = 0;
		outgoing.on('information', () => {
			if (++interimAnswers > MAX_INTERIM_ANSWERS) fail(coded('INTERIM_ANSWERS'));
		});
		// Without a listener, Node.js closes the connection of a 101 and says nothing: neither an answer nor an error.
		outgoing.on('upgrade', (incoming, socket) => {
			socket.on('error', () => undefined).destroy();
			if (!refusedByProxy(incoming)) fail(coded('UNEXPECTED_UPGRADE'));
		});
		outgoing.on('response', (incoming) => {
			const head = { status: incoming.statusCode ?? 0, headers: incoming.headers };
			incoming.on('error', fail);
			if (refusedByProxy(incoming)) return;
			// It says that it upgrades, but not to what.
			if (head.status === 101) return fail(coded('UNEXPECTED_UPGRADE'));
			answered = incoming;
			progress.head = head;
			if (options.wantsBody?.(head) === false) {
				outgoing.destroy();
				return resolve({ ...head, body: Buffer.alloc(0) });
			}
			const read = async (): Promise<Buffer> => {
				const pieces = bodyOf(head, incoming, options.maxBytes);
				if (!options.takeBody) return await collect(pieces);
				await options.takeBody(pieces);
				return Buffer.alloc(0);
			};
			read().then((whole) => {
				isDone = true;
				// An answer that came before the whole request was sent would leave the rest, its socket and its files open.
				if (!outgoing.writableEnded || !incoming.complete) outgoing.destroy();
				resolve({ ...head, body: whole });
			}, fail);
		});
		write(outgoing, body, fail);
	});
}

/**
 * Sends one HTTP request and reads its answer. This is the one way out of the package: whatever the other side does, it
 * ends by its time, and leaves no socket, timer or listener behind. Redirects are returned, not followed. What is
 * compressed is decoded.
 * @throws RoundTripError where the answer is missing or incomplete.
 * @example
 * const { status, body } = await roundTrip({ method: 'GET', url, timeoutMs: 5_000, maxBytes: 1024 * 1024 });
 */
export async function roundTrip(options: RoundTrip): Promise<Answer> {
	const { signal, timeoutMs } = options;
	const progress: Progress = { sent: 'no', head: undefined };
	const ending = new AbortController();
	let giveUp = (_code: string): void => undefined;
	const givenUp = new Promise<never>((_, reject) => (giveUp = (code) => reject(coded(code))));
	const onAbort = () => giveUp(errorNameOf(signal?.reason) === 'TimeoutError' ? 'ETIMEDOUT' : 'ABORT_ERR');
	const timer = timeoutMs === undefined ? undefined : setTimeout(() => giveUp('ETIMEDOUT'), timeoutMs);
	signal?.addEventListener('abort', onAbort);
	if (signal?.aborted) onAbort();
	// Nobody waits for what comes after the time limit, so the limit holds whatever Node.js makes of the connection.
	const answer = signal?.aborted ? givenUp : Promise.race([givenUp, send(options, progress, ending.signal)]);
	return await answer
		.catch((error: unknown) => {
			throw new RoundTripError(codeOf(error), progress.sent, progress.head, error);
		})
		.finally(() => {
			clearTimeout(timer);
			signal?.removeEventListener('abort', onAbort);
			ending.abort(ENDED);
		});
}
