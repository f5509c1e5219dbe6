import { createHash } from 'node:crypto';
import { nonEmptyText, readKey } from '../../shared/json';
import { roundTrip } from '../../shared/transport/roundTrip';
import { normalizeUrl } from './webhookUrl';

/** The header with which an active trigger answers at its URL. */
export const TRIGGER_HEADER = 'x-dynamics365-messaging-trigger';

/** Beside it: that a delivery with an accepted token came since the process began. */
export const VERIFIED_HEADER = `${TRIGGER_HEADER}-verified`;

/**
 * What a trigger answers a probe: a hash of its n8n instance's ID and of the URL that it takes for its own. A clone of the
 * instance elsewhere has the same ID and another URL. It gives neither away. Pure.
 */
export function triggerMark(instanceId: string, ownUrl: string): string {
	return createHash('sha256')
		.update(JSON.stringify([instanceId, normalizeUrl(ownUrl)]))
		.digest('hex')
		.slice(0, 16);
}

/** What answers at a webhook URL; `code` is Node.js's own, such as `ECONNREFUSED`. */
export type Probed =
	| { kind: 'trigger'; mark: string; isVerified: boolean }
	| { kind: 'other'; status: number }
	| { kind: 'unreachable'; code: string };

const TIMEOUT_MS = 5_000;

/**
 * Asks a webhook URL whether an active trigger of this package is there, which answers a GET with its header. No
 * credential is sent, and redirects are not followed. Does not throw.
 */
export async function probe(url: URL): Promise<Probed> {
	if (!/^https?:$/.test(url.protocol)) return { kind: 'unreachable', code: 'NOT_HTTP' };
	try {
		const { status, headers } = await roundTrip({
			method: 'GET',
			url,
			timeoutMs: TIMEOUT_MS,
			maxBytes: 0,
			wantsBody: () => false,
		});
		const mark = nonEmptyText(headers[TRIGGER_HEADER]);
		return mark === null || status !== 200
			? { kind: 'other', status }
			: { kind: 'trigger', mark, isVerified: headers[VERIFIED_HEADER] !== undefined };
	} catch (error) {
		return { kind: 'unreachable', code: nonEmptyText(readKey(error, 'code')) ?? 'UNKNOWN' };
	}
}
