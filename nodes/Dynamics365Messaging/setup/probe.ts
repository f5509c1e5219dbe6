import { createHash } from 'node:crypto';
import { nonEmptyText, readKey } from '../../shared/json';
import { roundTrip } from '../../shared/transport/roundTrip';
import type { Connection } from '../connection';
import { normalizeUrl } from './webhookUrl';

/** The header with which an active trigger answers at its URL. */
export const TRIGGER_HEADER = 'x-dynamics365-messaging-trigger';

/** Beside it: the mark of the app and the channel for which a signed delivery came since the process began. */
export const SIGNED_DELIVERY_HEADER = `${TRIGGER_HEADER}-signed-delivery`;

function hashOf(parts: string[]): string {
	return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/**
 * What a trigger answers a probe: a hash of its n8n instance's ID and of the URL that it takes for its own. A clone of the
 * instance elsewhere has the same ID and another URL. It gives neither away. Pure.
 */
export function triggerMark(instanceId: string, ownUrl: string): string {
	return hashOf([instanceId, normalizeUrl(ownUrl)]);
}

/**
 * A hash of what a signed delivery proves something of: an app of a tenant, and a channel. It gives none of them away. Pure.
 */
export function signedDeliveryMark({ authorityHost, tenantId, clientId, channelId }: Connection): string {
	return hashOf([authorityHost, tenantId, clientId, channelId]);
}

/**
 * What answers at a webhook URL. `signedDelivery` is a {@link signedDeliveryMark}, null where the trigger knows of none;
 * `code` is Node.js's own, such as `ECONNREFUSED`.
 */
export type Probed =
	| { kind: 'trigger'; mark: string; signedDelivery: string | null }
	| { kind: 'other'; status: number }
	| { kind: 'unreachable'; code: string };

/** The statuses with which a proxy or a firewall answers in place of n8n: it asks for a login, refuses, or n8n is down. */
const IN_BETWEEN = [401, 403, 407, 408, 425, 429];

/** Whether an answer leaves open whether a trigger is active there: none came, or it was not n8n's. Pure. */
export function isNoAnswerOfN8n(found: Probed | undefined): boolean {
	if (found?.kind !== 'other') return found?.kind === 'unreachable';
	const { status } = found;
	return status >= 500 || (status >= 300 && status < 400) || IN_BETWEEN.includes(status);
}

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
			: { kind: 'trigger', mark, signedDelivery: nonEmptyText(headers[SIGNED_DELIVERY_HEADER]) };
	} catch (error) {
		return { kind: 'unreachable', code: nonEmptyText(readKey(error, 'code')) ?? 'UNKNOWN' };
	}
}
