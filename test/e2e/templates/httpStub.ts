import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { close, listen } from '../../../tools/ports';

export type Json = Record<string, unknown>;

/** A request that a stub got. */
export interface StubRequest<Body = Json> {
	method: string;
	/** Without its query. */
	path: string;
	query: URLSearchParams;
	headers: IncomingMessage['headers'];
	/** Parsed where it is an object of JSON; else an object with the text as it came. */
	body: Body;
}

/** What a stub answers: an object as JSON, a Buffer as it is. */
export interface StubAnswer {
	status?: number;
	/** The target of a redirect. */
	location?: string;
	body?: object | Buffer;
	/** Default: JSON, and bytes for a Buffer. */
	contentType?: string;
	/** How long the request waits for its answer, milliseconds. */
	delayMs?: number;
	/** Cuts the connection instead of answering. */
	isCut?: boolean;
}

/** A server on this machine that replaces another service. */
export interface HttpStub<Body = Json> {
	url: string;
	/** The oldest first. */
	requests: Array<StubRequest<Body>>;
	/** Sets the answer to later requests. */
	answer: (request: StubRequest<Body>) => StubAnswer;
	close: () => Promise<void>;
}

function parsed(content: string): Json {
	return content.startsWith('{') ? (JSON.parse(content) as Json) : { text: content };
}

async function read<Body>(request: IncomingMessage): Promise<StubRequest<Body>> {
	const { method = '', url = '/', headers } = request;
	const { pathname: path, searchParams: query } = new URL(url, 'http://localhost');
	return { method, path, query, headers, body: parsed(await text(request)) as Body };
}

/**
 * Starts a server that keeps what it gets.
 * @param answer the answer to every request; 200 and an empty object by default.
 */
export async function startHttpStub<Body = Json>(
	answer: HttpStub<Body>['answer'] = () => ({}),
): Promise<HttpStub<Body>> {
	const server = createServer((incoming, response) => {
		void read<Body>(incoming).then((request) => {
			stub.requests.push(request);
			const { status = 200, body = {}, location, delayMs = 0, isCut, ...answer } = stub.answer(request);
			if (isCut) return incoming.socket.destroy();
			const type =
				answer.contentType ?? (Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json');
			setTimeout(() => {
				response.writeHead(status, { 'content-type': type, ...(location && { location }) });
				response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
			}, delayMs);
		});
	});
	const stub: HttpStub<Body> = {
		url: `http://127.0.0.1:${await listen(server)}`,
		requests: [],
		answer,
		close: async () => await close(server),
	};
	return stub;
}
