import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { RequestEntry } from '../../../emulator';
import type { Stage } from '../../../tools/n8n/stage';
import { makeCredential } from '../../../tools/n8n/workflows';
import { type CredentialIds, type Filling, type Published, publishTemplate } from './support';
import { listen } from '../../../tools/ports';

export type Json = Record<string, unknown>;

/** A header that only the test and its templates know. */
export interface Secret {
	credentialId: string;
	headers: Record<string, string>;
}

/** Makes the Header Auth credential that the notes of a template ask for. */
export async function makeSecret({ n8n }: Stage): Promise<Secret> {
	const [name, value] = ['x-channel-secret', randomUUID()];
	const credentialId = await makeCredential(n8n, 'httpHeaderAuth', { name, value });
	return { credentialId, headers: { [name]: value } };
}

/** The credential of the nodes for Dynamics 365, as a person chooses it. */
export function ownCredentials({ credentialId: id }: Stage): CredentialIds {
	const names = ['dynamics365Messaging', 'dynamics365MessagingTool', 'dynamics365MessagingTrigger'];
	return Object.fromEntries(
		names.map((name) => [`n8n-nodes-dynamics365-messaging.${name}`, { type: 'dynamics365MessagingApi', id }]),
	);
}

/** Publishes a template, and takes it out of production when `play` is over. */
export async function inProduction<T>(
	stage: Stage,
	name: string,
	filling: Filling,
	play: (published: Published) => Promise<T>,
): Promise<T> {
	// Whatever was played before: the channel is nobody's, so that the template's trigger can have it.
	stage.emulator.setWebhookUrl(null);
	const published = await publishTemplate(stage, name, filling);
	// Where it fails, the whole stage is taken down.
	const result = await play(published);
	await stage.emulator.idle();
	await stage.n8n.rest('POST', `/workflows/${published.id}/deactivate`, {});
	return result;
}

/** Sets fields of a template's node “Settings”, and throws where it has no such field. */
export function settings(values: Record<string, string>): Filling['set'] {
	return ({ name, parameters }) => {
		if (name !== 'Settings') return;
		const { assignments } = parameters.assignments as { assignments: Array<{ name: string; value: string }> };
		for (const [field, value] of Object.entries(values)) {
			const found = assignments.find((one) => one.name === field);
			if (!found) throw new Error(`The node Settings has no field ${field}`);
			found.value = value;
		}
	};
}

/** What somebody's server was asked. */
export interface Asked {
	path: string;
	query: URLSearchParams;
	headers: IncomingHttpHeaders;
	body: Json;
}

export interface Server {
	url: string;
	/** In the order in which it came. */
	asked: Asked[];
	/** Answers what comes from now on. */
	answer: (request: Asked) => { status: number; body: Json; location?: string };
	close: () => void;
}

/** A server of the customer's, which keeps what it was asked and says yes to everything. */
export async function startServer(): Promise<Server> {
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request
			.on('data', (chunk: Buffer) => chunks.push(chunk))
			.on('end', () => {
				const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
				const text = Buffer.concat(chunks).toString('utf8');
				const asked = { path, query, headers: request.headers, body: JSON.parse(text || '{}') as Json };
				it.asked.push(asked);
				const { status, body, location } = it.answer(asked);
				const headers = { 'content-type': 'application/json', ...(location && { location }) };
				response.writeHead(status, headers).end(JSON.stringify(body));
			});
	});
	const port = await listen(server);
	const it: Server = {
		url: `http://127.0.0.1:${port}`,
		asked: [],
		answer: () => ({ status: 200, body: {} }),
		close: () => {
			server.close();
			server.closeAllConnections();
		},
	};
	return it;
}

/** Posts JSON to a webhook, and reads what it answers. */
export async function say(
	url: string,
	body: Json,
	headers: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
	const response = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body),
	});
	const text = await response.text();
	return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Json) : { text } };
}

/** The calls of the Messaging API that were made since `seq`. */
export function callsSince({ emulator }: Stage, seq: number): RequestEntry[] {
	return emulator.log.filter((entry): entry is RequestEntry => entry.kind === 'request' && entry.seq > seq);
}
