import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { nonEmptyText, readKey } from '../../shared/json';

/** The header by which an active trigger is known at its URL. */
export const TRIGGER_HEADER = 'x-dynamics365-messaging-trigger';

/** What tells n8n instances apart without naming them. */
export function instanceMark(instanceId: string): string {
	return createHash('sha256').update(instanceId).digest('hex').slice(0, 16);
}

/** What stands at a webhook URL. */
export type Probed =
	| { kind: 'trigger'; mark: string }
	| { kind: 'other'; status: number }
	| { kind: 'unreachable'; code: string };

const TIMEOUT_MS = 5_000;

/**
 * Asks a webhook URL who is there: an active trigger of this package answers a GET with its header. Nothing of ours goes
 * along, and redirects are not followed.
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
