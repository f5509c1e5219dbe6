import { requestBody, bodyText } from './requestBody';
import { PROXY_PASSWORD, ServiceError, uncertain, type Verification } from './errors';
import { sendHttps, TransportError, type HttpsResponse } from './https';
import { parseJson, type Json } from '../json';
import { backoffMs, cancelled, Throttle, retryAfterMs } from './throttle';
import type { ServiceRequest } from './request';
import { TokenRefusal } from '../entra/tokenErrors';

/**
 * With what a service is shown who calls: a token that can be renewed, or something that stays.
 * @see tokenProofs
 */
export interface TokenProvider {
	/** @throws ServiceError, TransportError where there is none to be had. */
	get: () => Promise<string>;
	/** Another one after a 401; null where that would not help. */
	renew: (rejected: string) => Promise<string | null>;
	noteAccepted: (proof: string) => void;
	/** Whether the service ever accepted one, so that its 401 may pass. */
	hasBeenAccepted: () => boolean;
}

/** A proof that is all there is. */
export function staticCredential(proof: string): TokenProvider {
	return {
		get: async () => await Promise.resolve(proof),
		renew: async () => await Promise.resolve(null),
		noteAccepted: () => undefined,
		hasBeenAccepted: () => false,
	};
}

/** A call as it goes out. */
export interface OutgoingCall {
	method: string;
	url: URL;
	/** '' where there is none. */
	body: string;
}

/** What errors call the way to a service. */
export interface Destination {
	/** The credential's fields that lead to it. */
	fields: string;
	/** The one of them that holds its address. */
	hostField: string;
	/** The words for a host that does not exist, where more can be said of it. */
	unknownHost?: (host: string) => { message: string; description: string } | undefined;
}

/** A service as a credential leads to it: where it is, how it knows who calls, and what its answers mean. */
export interface Service<Request extends ServiceRequest = ServiceRequest> {
	/** https; what proves who calls goes to it and nowhere else. */
	urlOf: (request: Request) => URL;
	tokens: TokenProvider;
	/** The headers by which the service knows who calls. */
	sign: (proof: string, call: OutgoingCall) => Record<string, string>;
	/** @param looking how a person finds out whether what was sent arrived; undefined where nothing was. */
	explain: (response: HttpsResponse, looking?: Verification) => ServiceError;
	destination: Destination;
}

async function send<Request extends ServiceRequest>(
	service: Service<Request>,
	request: Request,
	proof: string,
	signal?: AbortSignal,
): Promise<HttpsResponse> {
	const { method } = request;
	const url = service.urlOf(request);
	const body = method === 'GET' || request.body === undefined ? undefined : requestBody(request.body);
	const call: OutgoingCall = {
		method,
		url,
		// Whole only for those who look at it: it can be large.
		get body() {
			return bodyText(body ?? '');
		},
	};
	return await sendHttps({
		method,
		url,
		headers: {
			accept: 'application/json',
			...(body !== undefined && { 'content-type': 'application/json' }),
			...request.headers,
			...service.sign(proof, call),
		},
		body,
		signal,
	});
}

/** What Node.js says of a certificate that it does not trust, and what to do about it. */
const CERTIFICATE_FIXES: Record<string, string> = {
	CERT_HAS_EXPIRED: 'Its certificate has expired: tell whoever runs it, and check the clock of this machine.',
	CERT_NOT_YET_VALID: 'Its certificate is not valid yet: check the clock of this machine.',
	ERR_TLS_CERT_ALTNAME_INVALID: 'Its certificate is for another name: check the host in the credential.',
};
const UNKNOWN_ISSUER = new Set([
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'CERT_UNTRUSTED',
]);

function certificateFix(code: string): string | undefined {
	if (UNKNOWN_ISSUER.has(code)) {
		return 'If a proxy stands in between, give n8n its certificate through NODE_EXTRA_CA_CERTS.';
	}
	return CERTIFICATE_FIXES[code];
}

/** What a call does that does something; undefined for one that only looks. */
function lookingOf(request: ServiceRequest | undefined): Verification | undefined {
	return !request || request.method === 'GET' ? undefined : request;
}

/** The words for a proxy that failed: it is the set-up of n8n, not the credential. */
function proxyFailed(code: string, proxy: string): { message: string; description: string } {
	if (code === 'PROXY_407') {
		return { message: PROXY_PASSWORD.message, description: PROXY_PASSWORD.fix };
	}
	if (code.startsWith('PROXY_')) {
		return {
			message: `The proxy lets no connection through (HTTP status ${code.slice(6)})`,
			description: 'Ask whoever runs the proxy (HTTPS_PROXY of n8n) to allow this host.',
		};
	}
	return {
		message: `The proxy ${proxy} cannot be reached`,
		description: 'Check HTTPS_PROXY of n8n.',
	};
}

function unreachable(
	code: string,
	host: string,
	words: Destination | undefined,
): { message: string; description: string } {
	const told = code === 'ENOTFOUND' ? words?.unknownHost?.(host) : undefined;
	if (told) return told;
	if (code === 'EAI_AGAIN') {
		return {
			message: `The name ${host} could not be looked up`,
			description: 'The DNS server of this machine did not answer: check its network.',
		};
	}
	const fields = words?.fields ?? 'Tenant ID and Authority Host';
	return {
		message: `The ${whoIs(words)} at ${host} cannot be reached`,
		description: `Check ${fields} in the credential, and that n8n may call this host.`,
	};
}

function whoIs(words: Destination | undefined): string {
	return words === undefined ? 'token authority' : 'service';
}

/**
 * Explains an exchange that ended without an answer; says plainly when a message may have arrived all the same.
 * @param call what was sent to a service; undefined where it was the token request.
 */
export function explainTransportError(
	{ code, host, sent, proxy }: TransportError,
	call?: { request: ServiceRequest; words: Destination },
): ServiceError {
	const looking = lookingOf(call?.request);
	if (sent === 'maybe' && looking) {
		const words = uncertain(`The answer of the service at ${host} was lost`, looking);
		return new ServiceError({ ...words, code, outcome: 'uncertain' });
	}
	if (code === 'ABORT_ERR') return cancelled();
	if (proxy !== undefined) return new ServiceError({ ...proxyFailed(code, proxy), code });
	const fix = certificateFix(code);
	if (fix !== undefined) {
		const message = `The certificate of the ${whoIs(call?.words)} at ${host} is not trusted`;
		return new ServiceError({ message, description: fix, code });
	}
	return new ServiceError({ ...unreachable(code, host, call?.words), code });
}

/** A success. */
export interface ServiceResponse {
	/** null where the body is empty. */
	json: Json;
	/** The service's clock, epoch milliseconds; null where it does not show it. */
	date: number | null;
}

/** One try that did not succeed. */
interface Failure {
	error: ServiceError;
	/** Whether another try can do no harm: what was sent surely did not arrive, or may well arrive twice. */
	repeatable: boolean;
	/** Whether it is worth another try, or would only fail the same way again. */
	passing: boolean | 'rarely';
	/** Whether the service asks to be left alone, and for how many milliseconds, if it says so. */
	busy: boolean;
	retryAfter: number | undefined;
}

/** The one place that says what may be tried again. @param request undefined where it was the token request. */
function failure(
	error: ServiceError,
	request: ServiceRequest | undefined,
	more: Partial<Pick<Failure, 'passing' | 'busy' | 'retryAfter'>>,
): Failure {
	const repeatable = lookingOf(request)?.isIdempotent !== false || error.outcome === 'notSent';
	return { error, repeatable, passing: false, busy: false, retryAfter: undefined, ...more };
}

function failedAnswer(
	{ explain }: Service<never>,
	response: HttpsResponse,
	request: ServiceRequest,
): Failure {
	const { status, headers } = response;
	return failure(explain(response, lookingOf(request)), request, {
		passing: status === 429 || status === 408 || status >= 500,
		busy: status === 429 || status === 503,
		retryAfter: retryAfterMs(headers['retry-after'], headers.date),
	});
}

/** What would only go the same way again. */
const FINAL = new Set(['ABORT_ERR', 'NOT_HTTPS', 'ANSWER_TOO_LONG']);

/** What hardly ever heals while one waits: a name that is not known, a certificate that is not trusted, a proxy's no. */
function isLasting(code: string): boolean {
	return code === 'ENOTFOUND' || /^PROXY_4/.test(code) || certificateFix(code) !== undefined;
}

function failedTransport(
	cause: TransportError,
	call: { request: ServiceRequest; words: Destination } | undefined,
): Failure {
	const { code } = cause;
	const passing = FINAL.has(code) ? false : isLasting(code) ? 'rarely' : true;
	return failure(explainTransportError(cause, call), call?.request, { passing });
}

/** A token that could not be had: nothing was sent to the service, so it may always be tried again. */
function failedToken(error: unknown): Failure {
	if (error instanceof TransportError) return failedTransport(error, undefined);
	if (error instanceof TokenRefusal) {
		const { retryAfter, passing } = error;
		return failure(error, undefined, { passing, busy: retryAfter !== undefined, retryAfter });
	}
	throw error;
}

/** Fresh tokens in one try, each after one that was accepted elsewhere and yet refused here. */
const MAX_FRESH_TOKENS = 5;

/**
 * Makes a call once, and again with a fresh token where the one before was not accepted.
 * @param ready waits until a call may go out.
 */
async function tryOnce<Request extends ServiceRequest>(
	service: Service<Request>,
	request: Request,
	pace: Throttle,
	ready: () => Promise<void>,
): Promise<ServiceResponse | Failure> {
	const { tokens, destination } = service;
	let refused: Failure | undefined;
	let proof: string | Failure | null = await tokens.get().catch(failedToken);
	for (let fresh = 0; fresh <= MAX_FRESH_TOKENS && proof !== null; fresh++) {
		if (typeof proof !== 'string') return proof;
		await ready();
		const response = await send(service, request, proof, pace.signal).catch((error: unknown) => {
			if (error instanceof TransportError) return failedTransport(error, { request, words: destination });
			throw error;
		});
		if ('error' in response) return response;
		if (response.status !== 401) return readResponse(service, request, proof, response);
		const passing = tokens.hasBeenAccepted() && 'rarely';
		refused = { ...failedAnswer(service, response, request), passing };
		proof = await tokens.renew(proof).catch(failedToken);
	}
	if (refused) return refused;
	throw new Error('There was neither a token nor an answer');
}

/** The answers that only somebody gets whose token was accepted. */
function isAccepted({ status }: HttpsResponse): boolean {
	return (status >= 200 && status <= 299) || status === 400 || status === 404;
}

function readResponse<Request extends ServiceRequest>(
	service: Service<Request>,
	request: Request,
	proof: string,
	response: HttpsResponse,
): ServiceResponse | Failure {
	if (isAccepted(response)) service.tokens.noteAccepted(proof);
	if (response.status < 200 || response.status > 299) return failedAnswer(service, response, request);
	return readAnswer(service, response, request);
}

function readAnswer(
	{ destination }: Service<never>,
	{ status, headers, body }: HttpsResponse,
	request: ServiceRequest,
): ServiceResponse | Failure {
	const date = Date.parse(headers.date ?? '');
	const json = body.trim() === '' ? null : parseJson(body);
	if (json !== undefined) return { json, date: Number.isNaN(date) ? null : date };
	const looking = lookingOf(request);
	const error = new ServiceError({
		message: 'The answer of the service is not readable',
		description: `It arrived, with HTTP status ${status}, but the answer is no JSON. Check ${destination.hostField} in the credential, and the proxy between n8n and the service.${looking ? ` ${looking.howToVerify}` : ''}`,
		httpCode: status,
		outcome: looking ? 'uncertain' : 'notSent',
	});
	return { ...failure(error, request, {}), repeatable: false };
}

/** Tries after the first one of what hardly ever heals. */
const RARE_TRIES = 2;

/** Says how often it was tried, where it was more than once. */
function afterTries(error: ServiceError, tries: number, startedAt: number): ServiceError {
	if (tries === 1) return error;
	const seconds = Math.max(1, Math.round((Date.now() - startedAt) / 1000));
	return error.with({ description: `${error.description} It was tried ${tries} times in ${seconds} s.` });
}

/**
 * Makes a call, and makes it again where that is allowed and of use, for as long as the run's pace says: what only
 * looks or is repeatable after every passing failure, what is not only where it surely did not arrive. A 401 is met
 * with one fresh token. 429 and 503 hold back every call of the run.
 * @throws ServiceError for every answer but 2xx, and for none; its `outcome` says whether what was sent may have arrived.
 */
export async function requestWithRetry<Request extends ServiceRequest>(
	service: Service<Request>,
	request: Request,
	pace: Throttle,
): Promise<ServiceResponse> {
	// Of a repeatable request, an earlier try may have arrived, however the last one ends.
	const state = { mayHaveArrived: false };
	return await exchangeUntil(service, request, pace, state).catch((error: unknown) => {
		throw error instanceof ServiceError && state.mayHaveArrived ? afterLostTry(error, request) : error;
	});
}

/** The words for a last try that surely did not arrive, where an earlier one may have. */
function afterLostTry(last: ServiceError, request: ServiceRequest): ServiceError {
	const looking = lookingOf(request);
	if (last.outcome === 'uncertain' || !looking) return last;
	const isCancelled = last.code === 'ABORT_ERR';
	return last.with({
		message: isCancelled
			? 'The execution was cancelled while this was tried again: an earlier try may have arrived'
			: `An earlier try may have arrived, and then: ${last.message}`,
		description: isCancelled ? looking.howToVerify : `${looking.howToVerify} ${last.description}`,
		outcome: 'uncertain',
	});
}

async function exchangeUntil<Request extends ServiceRequest>(
	service: Service<Request>,
	request: Request,
	pace: Throttle,
	state: { mayHaveArrived: boolean },
): Promise<ServiceResponse> {
	const startedAt = Date.now();
	const deadline = startedAt + pace.maxRetryMs;
	let triedAt = startedAt;
	const ready = async () => {
		await pace.waitForSlot(deadline);
		triedAt = Date.now();
	};
	for (let tries = 1; ; tries++) {
		await ready();
		const result = await tryOnce(service, request, pace, ready);
		if ('json' in result) return result;
		const { error, repeatable, passing, busy, retryAfter } = result;
		state.mayHaveArrived ||= error.outcome === 'uncertain';
		const pause = retryAfter || backoffMs(tries);
		if (busy) pace.pauseAll(pause, error);
		const another = repeatable && (passing === true || (passing === 'rarely' && tries <= RARE_TRIES));
		if (!another || Date.now() + pause > deadline) {
			throw afterTries(error, tries, startedAt).with({ triedAt });
		}
		if (!busy) await pace.wait(pause);
	}
}
