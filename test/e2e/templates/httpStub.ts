import { createServer, type IncomingMessage } from 'node:http';
import { listen } from '../../../tools/ports';

/** A request that a stub got. */
export interface StubRequest {
	method: string;
	/** With its query. */
	path: string;
	headers: IncomingMessage['headers'];
	/** Parsed where it is JSON, else the text as it came. */
	body: unknown;
}

/** What a stub answers: an object as JSON, a Buffer as it is. */
export interface StubAnswer {
	status?: number;
	body?: object | Buffer;
}

/** A server on this machine that stands for somebody else's. */
export interface HttpStub {
	url: string;
	/** The oldest first. */
	requests: StubRequest[];
	close: () => Promise<void>;
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

async function read(request: IncomingMessage): Promise<StubRequest> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	const { method = '', url = '', headers } = request;
	return { method, path: url, headers, body: parsed(Buffer.concat(chunks).toString('utf8')) };
}

/**
 * Starts a server that keeps what it gets.
 * @param answer what it answers; 200 and an empty object when nobody says otherwise.
 */
export async function startHttpStub(
	answer: (request: StubRequest) => StubAnswer = () => ({}),
): Promise<HttpStub> {
	const requests: StubRequest[] = [];
	const server = createServer((incoming, response) => {
		void read(incoming).then((request) => {
			requests.push(request);
			const { status = 200, body = {} } = answer(request);
			const type = Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json';
			response.writeHead(status, { 'content-type': type });
			response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
		});
	});
	const port = await listen(server);
	return {
		url: `http://127.0.0.1:${port}`,
		requests,
		close: async () =>
			await new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
