import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { type ContractRequest, lowerCaseKeys } from '../contract/open';
import { type FaultAction, type FaultTarget, type Settings, type StatusFault, takeFault } from '../settings';
import { type Log, shortened } from '../log';

/** What every service of the emulator needs. */
export interface ServeParts {
	settings: Settings;
	log: Log;
	/** Makes tokens invalid when a fault asks for it. */
	identity: {
		revokeTokens(): void;
		retireKeys(): Promise<void>;
		hasAccepted(authorization: string | undefined): boolean;
	};
	/** The origin of the service, which is known only after it listens. */
	origin: () => string;
	/** Returns a number from 0 to 1, for faults with a probability. */
	random: () => number;
}

/** A request as it was received. */
export interface ServedRequest extends ContractRequest {
	/** Path and query, exactly as they were sent. */
	path: string;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** Parsed; a text that is not JSON stays a text, which the contract refuses. */
	body: unknown;
	/** The bytes of the body. */
	raw: Buffer;
}

/** A request that reached no service, e.g. because its body cannot be unpacked. */
export interface Failure {
	status: number;
	/** What is wrong, in a sentence without a full stop. */
	detail: string;
}

/** The part of an answer that is the same for all services. */
export interface Answered<Code> {
	status: number;
	errorCode?: Code;
	/** The reason, for services whose log has it. */
	errorMessage?: string;
}

/** The part of a log entry that is the same for all services. */
interface Logged<Code> extends Answered<Code> {
	/** The status of the answer; 0 when the connection was cut on purpose. */
	status: number;
	fault: FaultAction | undefined;
}

/** How a service handles one request. */
interface Served<Code, Answer extends Answered<Code>> {
	/** What fault rules are compared with. */
	target: FaultTarget;
	/** Carries out the request and makes the answer. */
	decide(): Promise<Answer>;
	/** Makes the service's answer for an injected status. */
	onFault(fault: StatusFault): Answer;
	/** Writes the log entry. @param answer undefined for a request that was not carried out */
	record(logged: Logged<Code>, answer?: Answer): void;
	/** Sends the answer. */
	send(answer: Answer): void;
}

/** Takes the first value of each header. Node.js has the names in lower case already. */
const singleHeaders = (headers: IncomingHttpHeaders): Record<string, string> =>
	Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name, (Array.isArray(value) ? value[0] : value) ?? '']),
	);

function parseBody(raw: Buffer): unknown {
	if (raw.length === 0) return undefined;
	const text = raw.toString('utf8');
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

function readRequest(request: Request): ServedRequest {
	const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
	const body = parseBody(raw);
	return {
		method: request.method,
		path: request.originalUrl,
		// A body without a content type must be refused, but the contract does not require the header.
		headers: { ...(body !== undefined && { 'content-type': '' }), ...singleHeaders(request.headers) },
		body,
		raw,
	};
}

/**
 * Makes the fields of a log entry that every call of a service with a contract has.
 *
 * @param request as {@link serve} passed it to the service
 * @param logged as {@link serve} passed it to `record`
 */
export const requestFields = <Code>(
	{ body, method, path }: ServedRequest,
	{ errorCode, fault, status }: Logged<Code>,
) => ({ method, path, status, errorCode, fault, body: shortened(body) });

/** Whether a request has a bearer token, valid or not. */
export const hasBearer = ({ headers }: ContractRequest): boolean =>
	/^Bearer \S+$/i.test(lowerCaseKeys(headers).authorization ?? '');

/** The text of an injected error. */
export const FAULT_DETAIL = 'A fault was injected.';

const isPause = (fault: FaultAction | undefined): fault is { delayMs: number } =>
	typeof fault === 'object' && 'delayMs' in fault;
const isStatus = (fault: FaultAction | undefined): fault is StatusFault =>
	typeof fault === 'object' && 'status' in fault;

/**
 * Makes the request handler of one service. For each request it applies the first fault rule that matches, lets the
 * service decide, writes the log, and sends the answer.
 *
 * @param parts the fault rules, the random numbers for their probabilities, and the identity whose tokens they spoil
 * @param read reads a request, and sets the headers that every answer has; `params` are those of the route
 * @returns a handler for Express; it rejects with what `decide` throws
 *
 * @example
 * const echo = serve<number, { status: number; body: unknown }>(parts, (request, response) => ({
 * 	target: { operationId: 'echo', hasToken: hasBearer(request) },
 * 	decide: () => Promise.resolve({ status: 200, body: request.body }),
 * 	onFault: ({ status }) => ({ status, body: FAULT_DETAIL }),
 * 	record: (logged) => console.log(request.path, logged.status),
 * 	send: ({ body, status }) => void response.status(status).json(body),
 * }));
 */
export function serve<Code, Answer extends Answered<Code>, Params = Record<string, string>>(
	{ identity, random, settings }: Pick<ServeParts, 'identity' | 'random' | 'settings'>,
	read: (request: ServedRequest, response: Response, params: Params) => Served<Code, Answer>,
) {
	return async (request: Request<Params>, response: Response): Promise<void> => {
		const served = read(readRequest(request as Request), response, request.params);
		const usedToken = identity.hasAccepted(request.headers.authorization);
		const fault = takeFault(settings.faults, { ...served.target, usedToken }, random);
		const record = ({ errorCode, errorMessage, status }: Answered<Code>, answer?: Answer) =>
			served.record({ status, errorCode, errorMessage, fault }, answer);
		const cut = (answer?: Answer) => {
			record({ status: 0 }, answer);
			request.socket.destroy();
		};

		if (fault === 'resetBefore') return cut();
		if (isStatus(fault)) {
			const done = fault.isCarriedOut ? await served.decide() : undefined;
			const answer = served.onFault(fault);
			record(answer, done);
			if (fault.retryAfter !== undefined) response.setHeader('Retry-After', String(fault.retryAfter));
			if (fault.body === undefined) return served.send(answer);
			if (fault.contentType !== undefined) response.setHeader('Content-Type', fault.contentType);
			response.status(fault.status).end(fault.body);
			return;
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		// The tokens become invalid before the request is checked, which then goes on as usual.
		if (fault === 'revokeTokens') identity.revokeTokens();
		if (fault === 'rotateKeys') await identity.retireKeys();
		const answer = await served.decide();
		if (fault === 'resetAfter') return cut(answer);
		record(answer, answer);
		served.send(answer);
	};
}
