/** Where a request goes. */
interface Addressed {
	/** Below the base path of the service. Each service has functions that make its paths. */
	path: string;
	query?: Record<string, string>;
	/** In addition to those of every request. */
	headers?: Record<string, string>;
}

/** A request that only reads. */
export interface ReadRequest extends Addressed {
	method: 'GET';
}

/** A request that only reads, but whose arguments are too many for a URL: an action of the service without an effect. */
export interface QueryRequest<Body = object> extends Addressed {
	method: 'POST';
	/** Makes it as safe to repeat as a {@link ReadRequest}. */
	onlyReads: true;
	body: Body;
}

/** How to find out whether a request that changes something had its effect. */
export interface Verification {
	/** Whether sending it twice has the same effect as once, so that it may be sent again after its answer was lost. */
	isIdempotent: boolean;
	/** What a person does to find it out after the answer was lost. Whole sentences. */
	howToVerify: string;
}

/** A request that changes something. */
export interface SendRequest<Body = object> extends Addressed, Verification {
	method: 'POST' | 'PATCH' | 'DELETE';
	onlyReads?: never;
	body?: Body;
	/** The key without which a successful answer does not show that the request had its effect; by default none. */
	confirmedBy?: string;
}

/** A request without host and credential. Operations make it, and a client sends it. */
export type ServiceRequest = ReadRequest | QueryRequest | SendRequest;

/** Returns how to verify a request; undefined for one that only reads. */
export function verificationOf(request: ServiceRequest): Verification | undefined {
	return request.method === 'GET' || request.onlyReads ? undefined : request;
}

/**
 * Makes the URL of a request.
 * @param base the start of all paths of the service, e.g. `/api/v1.0/consumer`.
 * @throws Error where the path of the request leads out of the base path or the origin, e.g. by `..`.
 */
export function urlBelow(origin: string, base: string, request: ServiceRequest): URL {
	const path = `${base}${request.path}`;
	const url = new URL(`${origin}${path}`);
	if (url.origin !== origin || url.pathname !== path) {
		throw new Error('The request would leave the API');
	}
	url.search = new URLSearchParams(request.query).toString();
	return url;
}
