import { parseJson, type Json } from '../json';
import { backoffDelay } from './backoff';
import { ServiceError } from './errors';
import { sendHttps, TransportError, type HttpsResponse } from './https';
import { verificationOf, type ServiceRequest, type Verification } from './request';
import { bodyText, requestBody } from './requestBody';
import type { Throttle } from './throttle';
import { explainTransportError, type Destination } from './transportErrors';

/**
 * Supplies the credential that is sent with a request: a token that can be renewed, or something that stays.
 * @see staticCredential
 */
export interface TokenProvider {
	/** @throws ServiceError where there is none to be had. */
	get: () => Promise<string>;
	/** Another one after a 401; null where that would not help. */
	renew: (rejected: string) => Promise<string | null>;
	noteAccepted: (token: string) => void;
	/** Whether the service ever accepted one, so that its 401 may pass. */
	hasBeenAccepted: () => boolean;
}

/** A credential that stays as it is: a 401 is final. */
export function staticCredential(credential: string): TokenProvider {
	return {
		get: async () => await Promise.resolve(credential),
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

/** A service as a credential leads to it: where it is, how it knows who calls, and what its answers mean. */
export interface Service {
	/** https; the credential goes to it and nowhere else. */
	urlOf: (request: ServiceRequest) => URL;
	/** What is added to every request. */
	prepare?: (request: ServiceRequest) => ServiceRequest;
	tokens: TokenProvider;
	/** The headers by which the service knows who calls. */
	sign: (credential: string, call: OutgoingCall) => Record<string, string>;
	/** @param verification how to find out whether what was sent arrived; undefined where nothing was sent. */
	explain: (response: HttpsResponse, verification?: Verification) => ServiceError;
	destination: Destination;
}

/** A success. */
export interface ServiceResponse {
	/** null where the body is empty. */
	json: Json;
	/** The service's clock, epoch milliseconds; null where it does not show it. */
	date: number | null;
}

async function send(
	{ urlOf, sign, destination }: Service,
	request: ServiceRequest,
	credential: string,
	signal?: AbortSignal,
): Promise<HttpsResponse | ServiceError> {
	const { method } = request;
	const url = urlOf(request);
	const body = request.method === 'GET' || !request.body ? undefined : await requestBody(request.body);
	const call: OutgoingCall = {
		method,
		url,
		// Whole only for those who look at it: it can be large.
		get body() {
			return bodyText(body ?? '');
		},
	};
	const headers = {
		accept: 'application/json',
		...(body !== undefined && { 'content-type': 'application/json' }),
		...request.headers,
		...sign(credential, call),
	};
	return await sendHttps({ method, url, headers, body, signal }).catch((error: unknown) => {
		if (!(error instanceof TransportError)) throw error;
		return explainTransportError(error, destination, verificationOf(request));
	});
}

/** An error, given back so that another try can be decided on; whatever else is thrown on. */
function asServiceError(error: unknown): ServiceError {
	if (error instanceof ServiceError) return error;
	throw error;
}

/** Fresh tokens in one try, each after one that was accepted elsewhere and yet refused here. */
const MAX_FRESH_TOKENS = 5;

/**
 * Makes a call once, and again with a fresh token where the one before was not accepted.
 * @param waitForSlot waits until a call may go out.
 * @returns the error where another try may be of use.
 */
async function tryOnce(
	service: Service,
	request: ServiceRequest,
	throttle: Throttle,
	waitForSlot: () => Promise<void>,
): Promise<ServiceResponse | ServiceError> {
	const { tokens, explain } = service;
	let refused: ServiceError | undefined;
	let token = await tokens.get().catch(asServiceError);
	for (let fresh = 0; fresh <= MAX_FRESH_TOKENS; fresh++) {
		if (token instanceof ServiceError) return token;
		await waitForSlot();
		const response = await send(service, request, token, throttle.signal);
		if (response instanceof ServiceError) return response;
		if (response.status !== 401) return readResponse(service, request, token, response);
		const retry = tokens.hasBeenAccepted() ? 'limited' : 'never';
		refused = explain(response, verificationOf(request)).with({ retry });
		const renewed: string | ServiceError | null = await tokens.renew(token).catch(asServiceError);
		if (renewed === null) return refused;
		token = renewed;
	}
	if (refused) return refused;
	throw new Error('There was neither a token nor an answer');
}

/** Whether an answer is one that only somebody gets whose token was accepted. */
function isAccepted({ status }: HttpsResponse): boolean {
	return isSuccess(status) || status === 400 || status === 404;
}

function isSuccess(status: number): boolean {
	return status >= 200 && status <= 299;
}

function readResponse(
	{ tokens, explain, destination }: Service,
	request: ServiceRequest,
	token: string,
	response: HttpsResponse,
): ServiceResponse | ServiceError {
	const { status, headers, body } = response;
	const verification = verificationOf(request);
	if (isAccepted(response)) tokens.noteAccepted(token);
	if (!isSuccess(status)) return explain(response, verification);
	const date = Date.parse(headers.date ?? '');
	const json = body.trim() === '' ? null : parseJson(body);
	if (json !== undefined) return { json, date: Number.isNaN(date) ? null : date };
	return new ServiceError({
		message: 'The answer of the service is not readable',
		description: `It arrived, with HTTP status ${status}, but the answer is no JSON. Check ${destination.hostField} in the credential, and the proxy between n8n and the service.${verification ? ` ${verification.howToVerify}` : ''}`,
		httpCode: status,
		outcome: verification ? 'uncertain' : 'notSent',
	});
}

/** Tries after the first one of what hardly ever heals. */
const LIMITED_RETRIES = 2;

/**
 * The one place that says what is tried again: what is of use, and can do no harm, as the request surely did not arrive
 * or may well arrive twice. Pure.
 * @param tries how many there were.
 */
function mayRetry({ retry, outcome }: ServiceError, request: ServiceRequest, tries: number): boolean {
	const isSafe = outcome === 'notSent' || verificationOf(request)?.isIdempotent !== false;
	return isSafe && (retry === 'yes' || (retry === 'limited' && tries <= LIMITED_RETRIES));
}

/** Says how often it was tried, where it was more than once. */
function afterTries(error: ServiceError, tries: number, startedAt: number): ServiceError {
	if (tries === 1) return error;
	const seconds = Math.max(1, Math.round((Date.now() - startedAt) / 1000));
	return error.with({ description: `${error.description} It was tried ${tries} times in ${seconds} s.` });
}

/** The words for a last try that surely did not arrive, where an earlier one may have. */
function afterLostTry(last: ServiceError, request: ServiceRequest): ServiceError {
	const verification = verificationOf(request);
	if (last.outcome === 'uncertain' || !verification) return last;
	const { howToVerify } = verification;
	const isCancelled = last.code === 'ABORT_ERR';
	return last.with({
		message: isCancelled
			? 'The execution was cancelled while this was tried again: an earlier try may have arrived'
			: `An earlier try may have arrived, and then: ${last.message}`,
		description: isCancelled ? howToVerify : `${howToVerify} ${last.description}`,
		outcome: 'uncertain',
	});
}

/**
 * Makes a call, and makes it again where that is safe and of use, for as long as the run's throttle says: what only
 * reads or is idempotent after every failure that may pass, what is not only where it surely did not arrive. A 401 is
 * met with one fresh token. 429 and 503 hold back every call of the run.
 * @throws ServiceError for every answer but 2xx, and for none; its `outcome` says whether what was sent may have arrived.
 */
export async function requestWithRetry(
	service: Service,
	given: ServiceRequest,
	throttle: Throttle,
): Promise<ServiceResponse> {
	const request = service.prepare?.(given) ?? given;
	// Of an idempotent request, an earlier try may have arrived, however the last one ends.
	const state = { mayHaveArrived: false };
	return await requestUntilDone(service, request, throttle, state).catch((error: unknown) => {
		throw error instanceof ServiceError && state.mayHaveArrived ? afterLostTry(error, request) : error;
	});
}

async function requestUntilDone(
	service: Service,
	request: ServiceRequest,
	throttle: Throttle,
	state: { mayHaveArrived: boolean },
): Promise<ServiceResponse> {
	const startedAt = Date.now();
	const deadline = startedAt + throttle.maxRetryMs;
	let triedAt = startedAt;
	const waitForSlot = async () => {
		await throttle.waitForSlot(deadline);
		triedAt = Date.now();
	};
	for (let tries = 1; ; tries++) {
		await waitForSlot();
		const result = await tryOnce(service, request, throttle, waitForSlot);
		if (!(result instanceof ServiceError)) return result;
		state.mayHaveArrived ||= result.outcome === 'uncertain';
		const pause = result.retryAfterMs || backoffDelay(tries);
		if (result.isThrottled) throttle.pauseAll(pause, result);
		if (!mayRetry(result, request, tries) || Date.now() + pause > deadline) {
			throw afterTries(result, tries, startedAt).with({ triedAt });
		}
		if (!result.isThrottled) await throttle.wait(pause);
	}
}
