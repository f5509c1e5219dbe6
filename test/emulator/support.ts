import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { CommunicationEntry, DataverseEntry, Emulator } from '../../emulator';
import { type EmulatorOptions, startEmulator } from '../../emulator';
import type { Certificate } from '../../emulator/certificate';
import { makeCertificate } from '../../emulator/certificate';
import { resourceOf } from '../../emulator/world';
import { close, listen } from '../../tools/ports';

export interface Answer {
	status: number;
	headers: http.IncomingHttpHeaders;
	text: string;
	/** Parsed, when it is JSON. */
	json: Record<string, unknown>;
}

/** Sends one request over a connection of its own. For https, only `ca` is trusted, whatever the environment says. */
export function send(
	url: string,
	{ ca, body, ...options }: http.RequestOptions & { ca?: string; body?: string | Buffer } = {},
): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const onResponse = (response: http.IncomingMessage) => {
			const chunks: Buffer[] = [];
			response.on('data', (chunk: Buffer) => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () => {
				const text = Buffer.concat(chunks).toString('utf8');
				const isJson = /json/.test(response.headers['content-type'] ?? '');
				resolve({
					status: response.statusCode ?? 0,
					headers: response.headers,
					text,
					json: isJson ? JSON.parse(text) : {},
				});
			});
		};
		const request = url.startsWith('https:')
			? https.request(url, { agent: false, ca, ...options }, onResponse)
			: http.request(url, { agent: false, ...options }, onResponse);
		request.on('error', reject).end(body);
	});
}

/** Made once per test file, because it takes long. */
let certificate: Promise<Certificate> | undefined;

/** Starts an emulator on free ports, with short pauses. */
export async function start(options: EmulatorOptions = {}): Promise<Emulator> {
	certificate ??= makeCertificate();
	return startEmulator({
		port: 0,
		deskPort: 0,
		certificate: await certificate,
		contextLagMs: 0,
		...options,
		delivery: { retryDelayMs: 5, ...options.delivery },
	});
}

export function requestToken(
	emulator: Emulator,
	form: Record<string, string | undefined> = {},
	tenant = emulator.world.tenantId,
): Promise<Answer> {
	const { clientId, clientSecret } = emulator.world;
	const fields = Object.entries({
		grant_type: 'client_credentials',
		client_id: clientId,
		client_secret: clientSecret,
		scope: `${resourceOf(emulator.world)}/.default`,
		...form,
	}).filter((entry): entry is [string, string] => entry[1] !== undefined);
	return send(`${emulator.origin}/${tenant}/oauth2/v2.0/token`, {
		method: 'POST',
		ca: emulator.certificate.cert,
		headers: { 'content-type': 'application/x-www-form-urlencoded' },
		body: new URLSearchParams(fields).toString(),
	});
}

export interface CallOptions {
	headers?: Record<string, string | undefined>;
	/** Sent as it is when it is a string. */
	body?: unknown;
}

export type Client = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

/** Sends a request to an emulator. JSON gets its content type; a header that is undefined is not sent. */
function call(
	{ certificate: { cert: ca } }: Emulator,
	method: string,
	url: string,
	headers: Record<string, string | undefined>,
	given: unknown,
): Promise<Answer> {
	const body = typeof given === 'string' || given === undefined ? given : JSON.stringify(given);
	const all = { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers };
	const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
	return send(url, { method, ca, headers: sent, body });
}

/** Makes a client of the Messaging API with a valid token; paths begin after `consumer`. */
export async function connect(emulator: Emulator): Promise<Client> {
	const { json } = await requestToken(emulator);
	const { organizationId, channelId } = emulator.world;
	const common = {
		authorization: `Bearer ${String(json.access_token)}`,
		'organization-id': organizationId,
		'channel-id': channelId,
	};
	return (method, path, { headers, body } = {}) =>
		call(emulator, method, `${emulator.origin}/api/v1.0/consumer${path}`, { ...common, ...headers }, body);
}

/** Makes a client of Dataverse with a valid token; paths begin after `v9.2`. */
export async function connectDataverse(emulator: Emulator): Promise<Client> {
	const { json } = await requestToken(emulator, { scope: `${emulator.origin}/.default` });
	const authorization = `Bearer ${String(json.access_token)}`;
	return (method, path, { headers, body } = {}) =>
		call(emulator, method, `${emulator.origin}/api/data/v9.2${path}`, { authorization, ...headers }, body);
}

/** The paths of Dataverse's tables. */
export const CHANNELS = '/msdyn_occustommessagingchannels';
export const IDENTITIES = '/managedidentities';
/** The id of no row. */
export const UNKNOWN = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';

/** Starts an emulator, and makes a client of its Dataverse. */
export async function startDataverse(): Promise<{ emulator: Emulator; dataverse: Client }> {
	const emulator = await start();
	return { emulator, dataverse: await connectDataverse(emulator) };
}

/** Starts a conversation. @returns its id */
export async function startConversation(client: Client, body: unknown = {}): Promise<string> {
	const { json } = await client('POST', '/conversation/create', { body });
	return String(json.conversationId);
}

export interface Received {
	path: string;
	headers: http.IncomingHttpHeaders;
	body: Record<string, unknown>;
}

export interface Hook {
	url: string;
	received: Received[];
	/** Gives the status for each request; 0 means no answer. */
	answer: (received: Received, count: number) => number | Promise<number>;
	close(): Promise<void>;
}

/** A webhook on a real socket. */
export async function startHook(): Promise<Hook> {
	const hook: Hook = { url: '', received: [], answer: () => 200, close: async () => undefined };
	const server = http.createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		const answer = async () => {
			const received = {
				path: request.url ?? '',
				headers: request.headers,
				body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
			};
			hook.received.push(received);
			const status = await hook.answer(received, hook.received.length);
			if (status !== 0) response.writeHead(status).end();
		};
		request.on('end', () => void answer());
	});
	const port = await listen(server);
	hook.url = `http://127.0.0.1:${port}/webhook/secret-path`;
	hook.close = async () => await close(server);
	return hook;
}

/** The status and the code of an error of Dataverse. */
export const dataverseErrorOf = ({ json, status }: Answer) => [
	status,
	(json.error as { code?: string } | undefined)?.code,
];

/** The text of an error of Dataverse. */
export const dataverseTextOf = ({ json }: Answer) =>
	String((json.error as { message?: string } | undefined)?.message);

/** The rows of a list of Dataverse. */
export const rowsOf = ({ json }: Answer) => json.value as Record<string, unknown>[];

/** The log's entries of Dataverse, in order. */
export const dataverseEntries = ({ log }: Emulator) =>
	log.filter((entry): entry is DataverseEntry => entry.kind === 'dataverse');

/** The headers of a signed request. They are computed independently of the emulator's own code, to test it. */
export function signedHeaders(
	key: string,
	{ body = '', method, url }: { method: string; url: string; body?: string },
	date = new Date().toUTCString(),
): Record<string, string> {
	const { host, pathname, search } = new URL(url);
	const hash = createHash('sha256').update(body, 'utf8').digest('base64');
	const text = `${method}\n${pathname}${search}\n${date};${host};${hash}`;
	const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
	return {
		'x-ms-date': date,
		'x-ms-content-sha256': hash,
		authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
	};
}

export const COMMUNICATION_SCOPE = 'https://communication.azure.com/.default';

export interface CommunicationClient {
	(method: string, path: string, options?: CallOptions): Promise<Answer>;
	/** The path of the conversation that exists from the start. */
	own: string;
}

/**
 * Makes a client of Azure Communication Services that signs with the access key, or has a token. Paths begin after
 * `/messages`, and get an `api-version` when they have no query.
 */
export function connectCommunication(emulator: Emulator, token?: string): CommunicationClient {
	const { communicationAccessKey, communicationConversationId } = emulator.world;
	const client = (method: string, path: string, { headers, body: given }: CallOptions = {}) => {
		const url = `${emulator.origin}/messages${path}${path.includes('?') ? '' : '?api-version=2025-04-01-preview'}`;
		const body = typeof given === 'string' || given === undefined ? given : JSON.stringify(given);
		const signed =
			token === undefined
				? signedHeaders(communicationAccessKey, { method, url, body })
				: { authorization: `Bearer ${token}` };
		return call(emulator, method, url, { ...signed, ...headers }, body);
	};
	return Object.assign(client, { own: `/conversations/${encodeURIComponent(communicationConversationId)}` });
}

/** The log's entries of Azure Communication Services, in order. */
export const communicationEntries = ({ log }: Emulator) =>
	log.filter((entry): entry is CommunicationEntry => entry.kind === 'communication');

/** Status, code, and the inner error's text of an error of Azure Communication Services. */
export function communicationErrorOf({ headers, json, status }: Answer): unknown[] {
	const { code, innererror } = json.error as { code: string; innererror?: { message: string } };
	expect(headers['x-ms-error-code']).toBe(code);
	return innererror ? [status, code, innererror.message] : [status, code];
}
