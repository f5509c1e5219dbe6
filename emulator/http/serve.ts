import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import type { ContractRequest } from '../contract/open';
import { type FaultAction, type FaultTarget, type Settings, type StatusFault, takeFault } from '../settings';
import { type Log, shortened } from '../log';

/** What every service of the emulator stands on. */
export interface ServeParts {
	settings: Settings;
	log: Log;
	/** Whose tokens a fault spoils. */
	identity: { revokeTokens(): void; retireKeys(): Promise<void> };
	/** Of the service; known only after it listens. */
	origin: () => string;
	/** Numbers from 0 to 1, for faults with a probability. */
	random: () => number;
}

/** A request as it came over the wire. */
export interface ServedRequest extends ContractRequest {
	/** Path and query, exactly as they were sent. */
	path: string;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** Parsed, or as it came when it is no JSON, for the contract to refuse. */
	body: unknown;
	raw: Buffer;
}

/** An answer, as far as all services have the same. */
export interface Answered<Code> {
	status: number;
	errorCode?: Code;
	/** The reason, where the log tells it. */
	errorMessage?: string;
}

/** What the log has of a request, whatever its service. */
export interface Logged<Code> extends Answered<Code> {
	/** What was answered; 0 when the connection was cut on purpose. */
	status: number;
	fault: FaultAction | undefined;
}

/** What a service makes of one request. */
export interface Served<Code, Answer extends Answered<Code>> {
	/** What fault rules look at. */
	target: FaultTarget;
	/** Works out the answer, and does what was asked for. */
	decide(): Promise<Answer>;
	/** The service's own answer for an injected status. */
	onFault(fault: StatusFault): Answer;
	/** Writes the log. @param answer of a request that was processed */
	record(logged: Logged<Code>, answer?: Answer): void;
	send(answer: Answer): void;
}

/** Header names as Node.js gives them; of those that may come more than once, the first. */
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
		// A body without a content type is wrong too, which the contract alone does not say.
		headers: { ...(body !== undefined && { 'content-type': '' }), ...singleHeaders(request.headers) },
		body,
		raw,
	};
}

/** The fields of a log entry that every call of a service with a contract has. */
export const requestFields = <Code>(
	{ body, method, path }: ServedRequest,
	{ errorCode, fault, status }: Logged<Code>,
) => ({ method, path, status, errorCode, fault, body: shortened(body) });

/** Whether a request brings a bearer token, good or not. */
export const hasBearer = ({ headers }: ContractRequest): boolean =>
	Object.entries(headers).some(
		([name, value]) => name.toLowerCase() === 'authorization' && /^Bearer \S+$/i.test(value),
	);

/** What an injected error says where nothing better is known. */
export const FAULT_DETAIL = 'A fault was injected.';

const isPause = (fault: FaultAction | undefined): fault is { delayMs: number } =>
	typeof fault === 'object' && 'delayMs' in fault;
const isStatus = (fault: FaultAction | undefined): fault is StatusFault =>
	typeof fault === 'object' && 'status' in fault;

/**
 * Handles the requests of one service: takes the fault that a rule has for it, lets the service decide, writes the log,
 * and sends the answer.
 *
 * @param read what the service makes of a request; headers that every answer has, it sets here
 */
export function serve<Code, Answer extends Answered<Code>, Params = Record<string, string>>(
	{ identity, random, settings }: Pick<ServeParts, 'identity' | 'random' | 'settings'>,
	read: (request: ServedRequest, response: Response, params: Params) => Served<Code, Answer>,
) {
	return async (request: Request<Params>, response: Response): Promise<void> => {
		const served = read(readRequest(request as Request), response, request.params);
		const fault = takeFault(settings.faults, served.target, random);
		const record = ({ errorCode, errorMessage, status }: Answered<Code>, answer?: Answer) =>
			served.record({ status, errorCode, errorMessage, fault }, answer);
		const cut = (answer?: Answer) => {
			record({ status: 0 }, answer);
			request.socket.destroy();
		};

		if (fault === 'resetBefore') return cut();
		if (isStatus(fault)) {
			const answer = served.onFault(fault);
			record(answer);
			if (fault.retryAfter !== undefined) response.setHeader('Retry-After', String(fault.retryAfter));
			if (fault.body === undefined) return served.send(answer);
			if (fault.contentType !== undefined) response.setHeader('Content-Type', fault.contentType);
			response.status(fault.status).end(fault.body);
			return;
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		// Spoils the tokens before the request is looked at, which then takes its normal course.
		if (fault === 'revokeTokens') identity.revokeTokens();
		if (fault === 'rotateKeys') await identity.retireKeys();
		const answer = await served.decide();
		if (fault === 'resetAfter') return cut(answer);
		record(answer, answer);
		served.send(answer);
	};
}
