import type { IncomingHttpHeaders } from 'node:http';
import { readKey } from '../json';
import { proxyVariableFor } from './proxy';
import type { RequestBody } from './requestBody';
import { roundTrip, RoundTripError, wordsOf, type Answer } from './roundTrip';

/**
 * One HTTPS request. Whatever carries a secret or a token is sent from here: MSAL's token requests, the requests to the
 * services, and those for the tenant's keys. It is written by hand, as n8n's request helper is absent in a credential's
 * test and in MSAL, and does not tell a request that never left from one whose answer was lost.
 * It uses Node.js' global agent, where n8n installs its proxy. That keeps connections alive and reuses them, the one that was
 * used last first, and closes one that was idle for five seconds, or as long as the service says. So a run has as many
 * connections to a service as it makes calls at once: no more than Parallel Conversations says, which is 50 at the most.
 * The agents that n8n installs for a proxy (n8n 2.41) keep none alive: each call then has a connection of its own.
 */
interface HttpsRequest {
	method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
	url: URL;
	headers?: Record<string, string>;
	body?: RequestBody;
	/** Milliseconds for the request and its answer. */
	timeoutMs?: number;
	/** The longest answer that is accepted, in bytes. */
	maxBytes?: number;
	signal?: AbortSignal;
}

/** An answer, with its whole body as text. */
export interface HttpsResponse {
	status: number;
	headers: IncomingHttpHeaders;
	/** Decoded; '' where only the headers came of an answer that is no success. */
	body: string;
	/** Of a 407, the variable of n8n's environment that names the proxy, e.g. `ALL_PROXY`. */
	proxyVariable?: string;
}

/** A proxy of n8n's set-up. */
export interface FailedProxy {
	/** Its host, with its port where that is known; undefined where it answered itself. */
	host: string | undefined;
	/** The variable of n8n's environment that names it, e.g. `ALL_PROXY`. */
	variable: string;
}

/** The proxy that failed, where an error names another host or port than the one that was called. */
function proxyOf({ code, cause }: RoundTripError, url: URL): FailedProxy | undefined {
	const variable = proxyVariableFor(url);
	if (code.startsWith('PROXY_')) return { host: undefined, variable };
	const [hostname, address, port] = ['hostname', 'address', 'port'].map((key) => readKey(cause, key));
	if (typeof hostname === 'string') {
		return hostname === url.hostname ? undefined : { host: hostname, variable };
	}
	if (typeof address !== 'string' || typeof port !== 'number') return undefined;
	return port === Number(url.port || 443) ? undefined : { host: `${address}:${port}`, variable };
}

/** Enough for an attachment of 128 MB on a slow line. */
const DEFAULT_TIMEOUT_MS = 5 * 60_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** There was no answer. `sent` says whether the request may have arrived. */
export class TransportError extends Error {
	constructor(
		/** A code of the operating system or of TLS, e.g. `ENOTFOUND`, or one of ours, e.g. `NOT_HTTPS`. */
		readonly code: string,
		/** `no`: no byte was sent. `maybe`: the connection failed after it was established. */
		readonly sent: 'no' | 'maybe',
		/** The host that was called, with its port where that is not 443. */
		readonly host: string,
		/** The proxy, where it is what failed. */
		readonly proxy?: FailedProxy,
	) {
		super(`${wordsOf(code) ?? code} (${host})`);
		this.name = 'TransportError';
	}
}

/**
 * What is left of an answer that did not come whole. The status alone decides what became of a request that was refused;
 * that of a success does not say what it did, and neither does one that the caller no longer waits for.
 */
function refusalIn({ code, head }: RoundTripError): Answer | undefined {
	if (code === 'ABORT_ERR' || head === undefined) return undefined;
	return head.status >= 200 && head.status <= 299 ? undefined : { ...head, body: Buffer.alloc(0) };
}

/**
 * Sends a request and reads the whole answer. Redirects are returned, not followed.
 * @throws TransportError where the answer is missing, that of a success is incomplete, or the URL is not https.
 */
export async function sendHttps(options: HttpsRequest): Promise<HttpsResponse> {
	const { url, timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
	if (url.protocol !== 'https:') throw new TransportError('NOT_HTTPS', 'no', url.host);
	// Where a redirect leads is of no use here, so its page is not either.
	const wantsBody = ({ status }: { status: number }) => status < 300 || status > 399;
	const answer = await roundTrip({ ...options, timeoutMs, maxBytes, wantsBody }).catch((error: unknown) => {
		if (!(error instanceof RoundTripError)) throw error;
		const refusal = refusalIn(error);
		if (refusal) return refusal;
		throw new TransportError(error.code, error.sent, url.host, proxyOf(error, url));
	});
	const body = answer.body.toString('utf8');
	// A proxy that reads TLS answers within the connection, as the service would.
	return answer.status === 407
		? { ...answer, body, proxyVariable: proxyVariableFor(url) }
		: { ...answer, body };
}
