import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { nonEmptyText, readKey } from '../../shared/json';

/** The header with which an active trigger answers at its URL. */
export const TRIGGER_HEADER = 'x-dynamics365-messaging-trigger';

/** A hash of an n8n instance's ID: it tells instances apart without giving the ID away. */
export function instanceMark(instanceId: string): string {
	return createHash('sha256').update(instanceId).digest('hex').slice(0, 16);
}

/** What answers at a webhook URL; `code` is Node.js's own, such as `ECONNREFUSED`. */
type Probed =
	| { kind: 'trigger'; mark: string }
	| { kind: 'other'; status: number }
	| { kind: 'unreachable'; code: string };

const TIMEOUT_MS = 5_000;

/**
 * Asks a webhook URL whether an active trigger of this package is there, which answers a GET with its header. No
 * credential is sent, and redirects are not followed. Does not throw.
 */
export async function probe(url: URL): Promise<Probed> {
	if (!/^https?:$/.test(url.protocol)) return { kind: 'unreachable', code: 'NOT_HTTP' };
	const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
	return await new Promise((resolve) => {
		const outgoing = request(url, { method: 'GET', signal: AbortSignal.timeout(TIMEOUT_MS) });
		outgoing.on('response', (answer: IncomingMessage) => {
			answer.resume();
			const mark = nonEmptyText(answer.headers[TRIGGER_HEADER]);
			const status = answer.statusCode ?? 0;
			resolve(mark === null || status !== 200 ? { kind: 'other', status } : { kind: 'trigger', mark });
		});
		outgoing.on('error', (error) => {
			const code = nonEmptyText(readKey(error, 'code')) ?? error.name;
			resolve({ kind: 'unreachable', code });
		});
		outgoing.end();
	});
}
