interface Addressed {
	/** Below the path of the service, made by the functions that its folder has for that. */
	path: string;
	query?: Record<string, string>;
	/** Beyond those that every call has. */
	headers?: Record<string, string>;
}

/** A call that only looks. */
export interface ReadRequest extends Addressed {
	method: 'GET';
}

/** A call that does something. */
export interface SendRequest extends Addressed {
	method: 'POST' | 'PATCH' | 'DELETE';
	body?: Record<string, unknown>;
	/** Whether doing it twice is the same as doing it once, so that it may be repeated after its answer was lost. */
	isIdempotent: boolean;
	/** What a person does to find out whether it arrived, where its answer was lost. Whole sentences. */
	howToVerify: string;
}

/** A call to a service, before it has a host, a token or headers. Operations build it; only `exchange` sends it. */
export type ServiceRequest = ReadRequest | SendRequest;

/**
 * The whole URL of a request.
 * @param base what all paths of the service begin with, e.g. `/api/v1.0/consumer`.
 * @throws Error when it would leave that path or the origin, whatever was put into the request's path.
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
