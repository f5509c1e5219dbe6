import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { type Failure, FAULT_DETAIL, requestFields, serve, type ServeParts } from '../http/serve';
import type { CommunicationAuthentication, CommunicationEntry } from '../log';
import { type AccessParts, admit, authenticationOf } from './access';
import { type ApiParts, CommunicationApi, type Done } from './api';
import { codeOf, CommunicationError } from './errors';
import { readRepeatability, RepeatedRequests } from './repeatability';
import { resolve, type Resolved } from './validate';
import type { SignedRequest } from './signature';

export type CommunicationParts = ServeParts & ApiParts & AccessParts;

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

/** The operations that take an idempotency key; all others ignore it. Source: docs/service-facts.md#acs-repeatability. */
const HAVE_IDEMPOTENCY_KEY = new Set([
	'communication.sendMessage',
	'communication.deleteConversation',
	'communication.terminateConversation',
	'communication.addParticipants',
	'communication.removeParticipants',
]);

/** Checks who calls, then the request, and carries it out: once for each idempotency key. */
class Calls {
	private readonly api: CommunicationApi;
	private readonly repeated = new RepeatedRequests<Done>();

	constructor(private readonly parts: CommunicationParts) {
		this.api = new CommunicationApi(parts);
	}

	async answer(...request: Parameters<Calls['carryOut']>): Promise<Answer> {
		try {
			return await this.carryOut(...request);
		} catch (error) {
			if (!(error instanceof CommunicationError)) throw error;
			return errorAnswer(error.status, error.code, error.message, error.more);
		}
	}

	/** @throws CommunicationError for what the service refuses */
	private async carryOut(
		signed: SignedRequest,
		{ errors: [error], id = '', operationId }: Resolved,
		body: unknown,
		authentication: CommunicationAuthentication | undefined,
	): Promise<Answer> {
		const { origin, settings } = this.parts;
		await admit(this.parts, signed, authentication);
		if (error) throw error;
		const { headers, pathAndQuery: path } = signed;
		const now = Date.now() + settings.clockSkewMs;
		const run = () => this.api.answer({ operationId, id, url: new URL(path, origin()), body, now });
		const hasKey = operationId !== null && HAVE_IDEMPOTENCY_KEY.has(operationId);
		const keyed = hasKey ? readRepeatability(headers, path, signed.body, now) : undefined;
		if (!keyed) return run();
		const { answer, isRepeated } = this.repeated.once(keyed, run);
		return { ...answer, headers: { 'Repeatability-Result': 'accepted' }, isRepeated };
	}
}

function sendAnswer(response: Response, { body, headers = {}, status }: Answer): void {
	response.status(status).set(headers);
	if (body === undefined) response.end();
	else response.setHeader('Content-Type', 'application/json; charset=utf-8').end(JSON.stringify(body));
}

/** Answers a request that cannot be read in the form of Azure Communication Services. */
export function communicationFailure(response: Response, { detail, status }: Failure): void {
	response.setHeader('MS-CV', randomUUID());
	sendAnswer(response, errorAnswer(status, codeOf(status), detail));
}

/** The request handler of Azure Communication Services: authentication, idempotency, faults and log around {@link CommunicationApi}. */
export function communicationHandler(parts: CommunicationParts) {
	const calls = new Calls(parts);
	return serve<string, Answer>(parts, (request, response) => {
		const { body, headers, method, path, raw } = request;
		const clientRequestId = headers['x-ms-client-request-id'];
		if (clientRequestId !== undefined) response.setHeader('x-ms-client-request-id', clientRequestId);
		const correlationId = randomUUID();
		response.setHeader('MS-CV', correlationId);
		const resolved = resolve(request);
		const { id, operationId } = resolved;
		const conversationId = operationId === 'communication.listTemplates' ? undefined : id;
		const authentication = authenticationOf(headers.authorization, parts.world);
		const signed = { method, pathAndQuery: path, headers, body: raw };
		return {
			target: { operationId, conversationId, hasToken: authentication === 'entra' },
			decide: () => calls.answer(signed, resolved, body, authentication),
			onFault: ({ status }) => errorAnswer(status, codeOf(status), FAULT_DETAIL),
			record: (logged, done) =>
				parts.log.add<CommunicationEntry>({
					kind: 'communication',
					...requestFields(request, logged),
					operationId,
					errorMessage: logged.errorMessage,
					correlationId,
					authentication,
					repeatabilityRequestId: headers['repeatability-request-id'],
					firstSent: headers['repeatability-first-sent'],
					repeated: done?.isRepeated ?? false,
					conversationId: conversationId ?? done?.conversationId,
					messageId: done?.isRepeated ? undefined : done?.messageId,
				}),
			send: (answer) => sendAnswer(response, answer),
		};
	});
}
