import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { close, freePort, listen } from '../tools/ports';

/** A message that a workflow sent to the customer's app. */
export interface Shown {
	/** ISO 8601. */
	at: string;
	conversationId: string;
	show: string;
	text?: string;
}

/** The customer's app. It stands for the user's own app, bot or gateway. */
export interface CustomerApp {
	/** The URL to which workflows post messages for the customer. */
	url: string;
	shown: Shown[];
	close(): Promise<void>;
}

/** Starts the customer's app. It stores every message that it gets. */
export async function startCustomerApp(): Promise<CustomerApp> {
	const shown: Shown[] = [];
	const server = createServer((request, response) => {
		void readJson(request).then((body) => {
			const known = request.method === 'POST' && body !== undefined;
			if (known) shown.push({ ...body, at: new Date().toISOString() });
			response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
			response.end(JSON.stringify(known ? { shown: body.text ?? body.show } : { shown: null }));
		});
	});
	const port = await listen(server, await freePort(5680));
	return {
		url: `http://127.0.0.1:${port}`,
		shown,
		close: () => close(server),
	};
}

async function readJson(request: IncomingMessage): Promise<Omit<Shown, 'at'> | undefined> {
	return parse<Omit<Shown, 'at'>>(await text(request));
}

/** The request of the customer's app to n8n when the customer writes. */
export interface CustomerMessage {
	customerId: string;
	name: string;
	text: string;
	end?: boolean;
}

/** What the workflow answers to it. */
export interface Sent {
	conversationId: string;
	isNew: boolean;
	messageId: string | null;
}

/** Sends a message of the customer to the workflow's production webhook. */
export async function write(webhookUrl: string, message: CustomerMessage): Promise<Sent> {
	const response = await fetch(webhookUrl, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(message),
		signal: AbortSignal.timeout(60_000),
	});
	const content = await response.text();
	const answer = response.ok ? parse<Sent>(content) : undefined;
	if (!answer?.conversationId) {
		throw new Error(`The customer wrote, and n8n answered ${response.status}: ${content.slice(0, 500)}`);
	}
	return answer;
}

function parse<T>(content: string): T | undefined {
	try {
		return JSON.parse(content) as T;
	} catch {
		return undefined;
	}
}
