import type { EmbeddedFile } from './requestBody';

interface Addressed {
	/** Below the path of the service, made by the functions that its folder has for that. */
	path: string;
	query?: Record<string, string>;
	/** Beyond those that every call has. */
	headers?: Record<string, string>;
}

/** A call that only reads. */
export interface ReadRequest extends Addressed {
	method: 'GET';
}

/** What a person needs to know of a call that does something, to find out whether it did. */
export interface Verification {
	/** Whether doing it twice is the same as doing it once, so that it may be sent again after its answer was lost. */
	isIdempotent: boolean;
	/** How to find out whether it arrived, where its answer was lost. Whole sentences. */
	howToVerify: string;
}

/** A call that does something. */
export interface SendRequest<Body = object> extends Addressed, Verification {
	method: 'POST' | 'PATCH' | 'DELETE';
	body?: Body;
}

/** A call to a service, before it has a host, a token or headers. Operations build it; a client sends it. */
export type ServiceRequest = ReadRequest | SendRequest;

/** The type of a body in which an {@link EmbeddedFile} may stand in the place of any text. */
export type WithFiles<Body> = Body extends string
	? Body | (string extends Body ? EmbeddedFile : never)
	: Body extends object
		? { [Key in keyof Body]: WithFiles<Body[Key]> }
		: Body;

/** How to find out whether a request arrived; undefined for one that only reads. */
export function verificationOf(request: ServiceRequest): Verification | undefined {
	return request.method === 'GET' ? undefined : request;
}

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
