import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The largest difference between a signed date and the clock. Inferred, as Microsoft's pages give no number. */
const LONGEST_SKEW_MS = 5 * 60_000;
const AUTHORIZATION = /^HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(\S+)$/;

/** A request as it was received. */
export interface SignedRequest {
	method: string;
	/** Exactly as it was sent: neither decoded nor sorted. */
	pathAndQuery: string;
	/** Names in lower case. */
	headers: Record<string, string>;
	body: Buffer;
}

/** Whether a text is a date in the form of RFC 7231, e.g. `Wed, 13 Apr 2022 18:09:12 GMT`. */
export const isHttpDate = (text: string): boolean => {
	const time = Date.parse(text);
	return !Number.isNaN(time) && new Date(time).toUTCString() === text;
};

/** Whether two texts are equal. The comparison takes the same time wherever they differ. */
export function isSame(one: string, other: string): boolean {
	const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
	return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}

/** The SHA-256 hash of a body in base64; an empty body has one too. */
export const hashOf = (body: Buffer): string => createHash('sha256').update(body).digest('base64');

/**
 * Computes the signature of a request, in base64.
 *
 * @see https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial
 * @param key the access key, base64
 */
export function signatureOf(
	{ headers, method, pathAndQuery }: Omit<SignedRequest, 'body'>,
	key: string,
): string {
	const signed = ['x-ms-date', 'host', 'x-ms-content-sha256'].map((name) => headers[name] ?? '').join(';');
	return createHmac('sha256', Buffer.from(key, 'base64'))
		.update(`${method}\n${pathAndQuery}\n${signed}`)
		.digest('base64');
}

/**
 * Checks the signature of a request. Returns why it is refused; undefined when it is valid.
 *
 * @param key the access key, base64
 * @param now milliseconds since 1970
 */
export function refuseSignature(request: SignedRequest, key: string, now: number): string | undefined {
	const { body, headers } = request;
	const signature = AUTHORIZATION.exec(headers.authorization ?? '')?.[1];
	if (signature === undefined) {
		return 'The Authorization header must be HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=….';
	}
	const date = headers['x-ms-date'] ?? '';
	if (!isHttpDate(date)) return 'The x-ms-date header is missing, or no RFC 1123 date.';
	if (Math.abs(now - Date.parse(date)) > LONGEST_SKEW_MS) {
		return 'The x-ms-date header is more than 5 minutes off.';
	}
	if (!isSame(headers['x-ms-content-sha256'] ?? '', hashOf(body))) {
		return 'The x-ms-content-sha256 header is not the hash of the body.';
	}
	return isSame(signature, signatureOf(request, key)) ? undefined : 'The signature does not match.';
}
