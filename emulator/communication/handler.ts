import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { FAULT_DETAIL, requestFields, serve, type ServeParts } from '../http/serve';
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
			decide: () => decide(calls, signed, resolved, body, authentication),
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
