import { createHash, createHmac } from 'node:crypto';
import type { OutgoingCall } from '../../shared/transport/retry';

/**
 * Makes the headers that sign a request with an access key (HMAC-SHA256). Pure.
 * It is checked against the published vectors. Source: docs/service-facts.md#acs-signature.
 * @param key the access key, base64.
 * @param call its path and query are signed exactly as they are sent.
 * @param now is signed too. The service accepts it for a few minutes.
 */
export function signWithKey(key: string, call: OutgoingCall, now: Date = new Date()): Record<string, string> {
	const { method, url, body } = call;
	const date = now.toUTCString();
	const hash = createHash('sha256').update(body, 'utf8').digest('base64');
	const text = `${method}\n${url.pathname}${url.search}\n${date};${url.host};${hash}`;
	const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
	return {
		'x-ms-date': date,
		'x-ms-content-sha256': hash,
		authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
	};
}
