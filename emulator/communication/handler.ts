import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { FAULT_DETAIL, isPause, isStatus, parseBody, sendFault, singleHeaders, spoilTokens } from '../http';
import { type CommunicationAuthentication, type CommunicationEntry, type Log, shortened } from '../log';
import { type Settings, type StatusFault, takeFault } from '../settings';
import { type AccessParts, admit, authenticationOf } from './access';
import { type ApiParts, CommunicationApi, type Done } from './api';
import { codeOf, CommunicationError } from './errors';
import { readRepeatability, RepeatedRequests } from './repeatability';
import { resolve, type Resolved } from './request';
import type { SignedRequest } from './signature';

export interface CommunicationParts extends ApiParts, AccessParts {
	settings: Settings;
	log: Log;
	origin: () => string;
	/** Numbers from 0 to 1, for faults with a probability. */
	random: () => number;
}

interface Answer extends Done {
	headers?: Record<string, string>;
	errorCode?: string;
	errorMessage?: string;
	isRepeated?: boolean;
}

const errorAnswer = (status: number, code: string, message: string, more: object = {}): Answer => ({
	status,
	headers: {
		'x-ms-error-code': code,
		...(code === 'RepeatabilityRejected' && { 'Repeatability-Result': 'rejected' }),
	},
	body: { error: { code, message, ...more } },
	errorCode: code,
	errorMessage: message,
});

const faultAnswer = ({ status }: StatusFault): Answer => errorAnswer(status, codeOf(status), FAULT_DETAIL);

/** The calls that are recognised by their Repeatability-Request-ID. Source: docs/service-facts.md#acs-repeatability. */
const RECOGNISED = new Set([
	'communication.sendMessage',
	'communication.deleteConversation',
	'communication.terminateConversation',
	'communication.addParticipants',
	'communication.removeParticipants',
]);

/** Does each of those once for each id. On all other calls the headers are not looked at. */
class Calls {
	private readonly api: CommunicationApi;
	private readonly recognised = new RepeatedRequests<Done>();

	constructor(private readonly parts: CommunicationParts) {
		this.api = new CommunicationApi(parts);
	}

	/** @throws CommunicationError for what the service refuses */
	async answer(
		signed: SignedRequest,
		{ errors, id = '', operationId }: Resolved,
		body: unknown,
		authentication: CommunicationAuthentication | undefined,
	): Promise<Answer> {
		const { origin, settings } = this.parts;
		await admit(this.parts, signed, authentication);
		const { headers, pathAndQuery: path } = signed;
		const [error] = errors;
		if (error) throw error;
		const now = Date.now() + settings.clockSkewMs;
		const run = () => this.api.answer({ operationId, id, url: new URL(path, origin()), body, now });
		if (operationId === null || !RECOGNISED.has(operationId)) return run();

		const repeatable = readRepeatability(headers, path, signed.body, now);
		if (!repeatable) return run();
		const { answer, isRepeated } = this.recognised.once(repeatable, run);
		return { ...answer, headers: { 'Repeatability-Result': 'accepted' }, isRepeated };
	}
}

async function decide(calls: Calls, ...request: Parameters<Calls['answer']>): Promise<Answer> {
	try {
		return await calls.answer(...request);
	} catch (error) {
		if (!(error instanceof CommunicationError)) throw error;
		return errorAnswer(error.status, error.code, error.message, error.more);
	}
}

function sendAnswer(response: Response, { body, headers = {}, status }: Answer): void {
	response.status(status).set(headers);
	if (body === undefined) response.end();
	else response.setHeader('Content-Type', 'application/json; charset=utf-8').end(JSON.stringify(body));
}

/** Azure Communication Services: access, repeatability, faults and log around {@link CommunicationApi}. */
export function communicationHandler(parts: CommunicationParts) {
	const calls = new Calls(parts);
	return async (request: Request, response: Response): Promise<void> => {
		const headers = singleHeaders(request.headers);
		const body = parseBody(request.body);
		const { method, originalUrl: path } = request;
		const clientRequestId = headers['x-ms-client-request-id'];
		if (clientRequestId !== undefined) response.setHeader('x-ms-client-request-id', clientRequestId);
		const correlationId = randomUUID();
		response.setHeader('MS-CV', correlationId);
		const resolved = resolve({
			method,
			path,
			// A body without a content type is wrong too, which the contract alone does not say.
			headers: { ...(body !== undefined && { 'content-type': '' }), ...headers },
			body,
		});
		const { operationId, id } = resolved;
		const conversationId = operationId === 'communication.listTemplates' ? undefined : id;
		const authentication = authenticationOf(headers.authorization, parts.world);
		const target = { operationId, conversationId, hasToken: authentication === 'entra' };
		const fault = takeFault(parts.settings.faults, target, parts.random);
		const record = (answered: Pick<Answer, 'status' | 'errorCode' | 'errorMessage'>, done?: Answer) =>
			parts.log.add<CommunicationEntry>({
				kind: 'communication',
				method,
				path,
				operationId,
				status: answered.status,
				errorCode: answered.errorCode,
				errorMessage: answered.errorMessage,
				correlationId,
				authentication,
				repeatabilityRequestId: headers['repeatability-request-id'],
				firstSent: headers['repeatability-first-sent'],
				repeated: done?.isRepeated ?? false,
				conversationId: conversationId ?? done?.conversationId,
				messageId: done?.isRepeated ? undefined : done?.messageId,
				fault,
				body: shortened(body),
			});
		const cut = (done?: Answer) => {
			record({ status: 0 }, done);
			request.socket.destroy();
		};

		if (fault === 'resetBefore') return cut();
		if (isStatus(fault)) {
			const answer = faultAnswer(fault);
			record(answer);
			return sendFault(response, fault, () => sendAnswer(response, answer));
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		await spoilTokens(parts.identity, fault);
		const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
		const signed = { method, pathAndQuery: path, headers, body: raw };
		const answer = await decide(calls, signed, resolved, body, authentication);
		if (fault === 'resetAfter') return cut(answer);
		record(answer, answer);
		sendAnswer(response, answer);
	};
}
