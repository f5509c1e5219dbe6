import { nonEmptyText, parseJson, readKey, type Json } from '../json';
import { backoffDelay } from './backoff';
import { ServiceError, serviceErrorOf } from './errors';
import { sendHttps, TransportError, type HttpsResponse } from './https';
import { verificationOf, type ServiceRequest, type Verification } from './request';
import { bodyText, requestBody } from './requestBody';
import { pauseAdvice, type Throttle } from './throttle';
import { explainTransportError, type Destination } from './transportErrors';

/** Supplies the credential of a service's requests: a token, or a secret that does not change. */
export interface TokenProvider {
	/** @throws ServiceError where there is no token. */
	get: () => Promise<string>;
	/** Gets another token after a 401; null where that would not help. */
	renew: (rejected: string) => Promise<string | null>;
	/** Notes that the service accepted a token. */
	noteAccepted: (token: string) => void;
}

/** Supplies a credential that cannot be renewed, so that a 401 is final. */
export function staticCredential(credential: string): TokenProvider {
	return {
		get: async () => await Promise.resolve(credential),
		renew: async () => await Promise.resolve(null),
		noteAccepted: () => undefined,
	};
}

/** What is signed of a request. */
export interface OutgoingCall {
	method: string;
	url: URL;
	/** '' where there is none. */
	body: string;
}

/** A service: where it is, how its requests are signed, and what its errors mean. */
export interface Service {
	/** Makes the https URL of a request. The credential is sent there and to no other host. */
	urlOf: (request: ServiceRequest) => URL;
	/** Adds what every try of one request has in common, e.g. an ID. */
	prepare?: (request: ServiceRequest) => ServiceRequest;
	tokens: TokenProvider;
	/** Makes the headers that authenticate a request. */
	sign: (credential: string, call: OutgoingCall) => Record<string, string>;
	/** @param verification of the request; undefined for one that only reads. */
	explain: (response: HttpsResponse, verification?: Verification) => ServiceError;
	destination: Destination;
}

/** A successful answer. */
export interface ServiceResponse {
	/** null where the body is empty. */
	json: Json;
	/** The service's clock, epoch milliseconds; null where it is not known. */
	date: number | null;
	/** Whether an earlier try of the same request may have arrived, so that this answer may tell of what that one did. */
	mayRepeat: boolean;
}

/** The successful answer to one try. */
type Answer = Omit<ServiceResponse, 'mayRepeat'>;

async function send(
	{ urlOf, sign, destination }: Service,
	request: ServiceRequest,
	credential: string,
	{ signal, timeoutMs }: Throttle,
): Promise<HttpsResponse | ServiceError> {
	const { method } = request;
	const url = urlOf(request);
	const body = request.method === 'GET' || !request.body ? undefined : await requestBody(request.body);
	const call: OutgoingCall = {
		method,
		url,
		// A getter, as few services sign the body and it can be large.
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
	return await sendHttps({ method, url, headers, body, signal, timeoutMs }).catch((error: unknown) => {
		if (!(error instanceof TransportError)) throw error;
		return explainTransportError(error, destination, verificationOf(request));
	});
}

/**
 * Sends a request once, and once more with a fresh token where the service did not accept the one before.
 * @param waitForSlot waits until a request may be sent.
 * @returns the answer, or the error to decide on.
 */
async function tryOnce(
	service: Service,
	request: ServiceRequest,
	throttle: Throttle,
	waitForSlot: () => Promise<void>,
): Promise<Answer | ServiceError> {
	const { tokens } = service;
	const sendWith = async (token: string) => {
		await waitForSlot();
		return await send(service, request, token, throttle);
	};
	const token = await tokens.get().catch(serviceErrorOf);
	if (token instanceof ServiceError) return token;
	const response = await sendWith(token);
	if (response instanceof ServiceError) return response;
	const isRejected = response.status === 401;
	const fresh = isRejected ? await tokens.renew(token).catch(serviceErrorOf) : null;
	if (fresh === null) return readResponse(service, request, token, response);
	if (fresh instanceof ServiceError) return fresh;
	const second = await sendWith(fresh);
	return second instanceof ServiceError ? second : readResponse(service, request, fresh, second);
}

/** Reads an answer, and notes whether the service accepted the token. */
function readResponse(
	{ tokens, explain, destination }: Service,
	request: ServiceRequest,
	token: string,
	response: HttpsResponse,
): Answer | ServiceError {
	const { status, headers, body } = response;
	const verification = verificationOf(request);
	const isSuccess = status >= 200 && status <= 299;
	// The service checks the token before it answers 400 or 404. A gateway in front of it answers 403, 429 and 5xx, too.
	if (isSuccess || status === 400 || status === 404) tokens.noteAccepted(token);
	if (!isSuccess) return explain(response, verification);
	const date = Date.parse(headers.date ?? '');
	const json = body.trim() === '' ? null : parseJson(body);
	const confirmedBy = 'confirmedBy' in request ? request.confirmedBy : undefined;
	const isConfirmed = confirmedBy === undefined || nonEmptyText(readKey(json, confirmedBy)) !== null;
	if (json !== undefined && isConfirmed) return { json, date: Number.isNaN(date) ? null : date };
	const [message, reason] =
		json === undefined
			? ['The answer of the service is not readable', 'is no JSON']
			: ['The service did not confirm what was sent', `has no ${confirmedBy}`];
	return new ServiceError({
		message,
		description: `It arrived, with HTTP status ${status}, but the answer ${reason}. Check ${destination.hostField} in the credential, and the proxy between n8n and the service.${verification ? ` ${verification.howToVerify}` : ''}`,
		httpCode: status,
		outcome: verification ? 'uncertain' : 'notSent',
	});
}

/** Retries where another try rarely helps. */
const LIMITED_RETRIES = 2;

/**
 * The one place that decides on another try. It must be of use, and safe: the request surely did not arrive, or has the
 * same effect twice as once. Pure.
 * @param tries how many there were.
 */
function mayRetry({ retry, outcome }: ServiceError, request: ServiceRequest, tries: number): boolean {
	const isSafe = outcome === 'notSent' || verificationOf(request)?.isIdempotent !== false;
	return isSafe && (retry === 'yes' || (retry === 'limited' && tries <= LIMITED_RETRIES));
}

/** Adds to an error how long the service asks to wait, and the number of tries where there was more than one. */
function afterTries(error: ServiceError, tries: number, startedAt: number): ServiceError {
	const seconds = Math.max(1, Math.round((performance.now() - startedAt) / 1000));
	const words = [error.description];
	if (error.outcome === 'notSent' && error.isThrottled && error.retryAfterMs)
		words.push(pauseAdvice(error.retryAfterMs));
	if (tries > 1) words.push(`It was tried ${tries} times in ${seconds} s.`);
	return error.with({ description: words.join(' ') });
}

/** Words the error of a last try that surely did not arrive, where an earlier one may have. */
function afterUncertainTry(last: ServiceError, request: ServiceRequest): ServiceError {
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
 * Sends a request, and again where that is safe and of use, until the throttle's time is over, which begins with the first
 * try. A request that only reads or is idempotent is repeated after every temporary failure, any other only where it surely did not arrive. A 401
 * is answered with a fresh token. 429 and 503 pause every request of the run. It is written by hand, as libraries for
 * retries know neither the pause of a whole run nor whether a repetition is safe.
 * @throws ServiceError for every answer but 2xx, and where there is none. Its `outcome` says whether the request may
 * have arrived.
 * @example
 * const throttle = new Throttle(60_000);
 * const { json } = await requestWithRetry(service, { method: 'GET', path: '/conversations' }, throttle);
 */
export async function requestWithRetry(
	service: Service,
	unprepared: ServiceRequest,
	throttle: Throttle,
): Promise<ServiceResponse> {
	const request = service.prepare?.(unprepared) ?? unprepared;
	await throttle.waitForFirstTry();
	const startedAt = performance.now();
	const deadline = startedAt + throttle.maxRetryMs;
	let tries = 1;
	const waitForSlot = async () =>
		await (tries === 1 ? throttle.waitForFirstTry() : throttle.waitForNextTry(deadline));
	// An earlier try of an idempotent request may have arrived, however the last one ends.
	let mayHaveArrived = false;
	try {
		for (; ; tries++) {
			await waitForSlot();
			const result = await tryOnce(service, request, throttle, waitForSlot);
			if (!(result instanceof ServiceError)) return { ...result, mayRepeat: mayHaveArrived };
			mayHaveArrived ||= result.outcome === 'uncertain';
			const pause = result.retryAfterMs || backoffDelay(tries);
			if (result.isThrottled) throttle.pauseAll(pause, result);
			if (!mayRetry(result, request, tries) || performance.now() + pause > deadline) {
				throw afterTries(result, tries, startedAt);
			}
			if (!result.isThrottled) await throttle.wait(pause);
		}
	} catch (error) {
		throw error instanceof ServiceError && mayHaveArrived ? afterUncertainTry(error, request) : error;
	}
}
