import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { type ContractError, objectAt } from '../contract/open';
import type { Channels } from '../dataverse/channels';
import type { Identity } from '../entra/identity';
import { hasBearer, requestFields, serve, type ServedRequest, type ServeParts } from '../http/serve';
import type { RequestEntry } from '../log';
import { resourceOf, type World } from '../world';
import { type Done, MessagingApi, type MessagingCall, type MessagingParts } from './api';
import { type Problem, problemOf, problemOfFault, ServiceError, unauthorized } from './errors';
import { validateRequest } from './validate';

export interface MessagingHandlerParts extends ServeParts, MessagingParts {
	identity: Identity;
	world: World;
	channels: Channels;
}

type Answer = Problem & Partial<Done>;

function customerIdOf(body: unknown): string | undefined {
	const { customerid } = objectAt(body, 'customercontext');
	return typeof customerid === 'string' ? customerid : undefined;
}

/** Sends an answer; problems have a media type of their own. */
export function sendAnswer(response: Response, { body, status }: Problem): void {
	response
		.status(status)
		.type(status >= 400 ? 'application/problem+json' : 'application/json')
		.send(JSON.stringify(body));
}

/** Checks a request in the order of the service (token, headers, channel, then the rest), and carries it out. */
async function decide(
	parts: MessagingHandlerParts,
	api: MessagingApi,
	{ headers }: ServedRequest,
	operationId: string | null,
	errors: ContractError[],
	call: MessagingCall,
): Promise<Answer> {
	const { channels, identity, settings, world } = parts;
	const failOn = (error: ContractError | undefined) => {
		if (error) throw new ServiceError(error.code, error.detail);
	};
	try {
		const refusal = await identity.refuses(headers.authorization, resourceOf(world));
		if (refusal) throw unauthorized(refusal);
		if (operationId === null) {
			const detail = 'The service has no such path and method.';
			throw new ServiceError(null, detail, { status: 404, title: 'Not Found' });
		}
		failOn(errors.find(({ path }) => path.startsWith('/header/')));
		const notAuthorized = () => unauthorized('The channel is not authorized for the organization.');
		const isOrganization = headers['organization-id']?.toLowerCase() === world.organizationId;
		if (!isOrganization || !settings.channelAuthorized) throw notAuthorized();
		const channel = channels.find(call.channelId);
		// That a channel of another kind is answered like a missing one is inferred.
		if (!channel?.isMessagingApi) {
			throw new ServiceError(30004, 'There is no configuration of this channel.');
		}
		if (!channel.isOfApp) throw notAuthorized();
		if (!settings.linkedToWorkstream || channel.workstreamId === null) {
			throw new ServiceError(30014, 'The channel is not linked to a workstream.');
		}
		failOn(errors[0]);
		return { status: 200, ...api.answer(operationId, call) };
	} catch (error) {
		if (error instanceof ServiceError) return problemOf(error, settings);
		throw error;
	}
}

/** The request handler of the Messaging API: faults and log around {@link MessagingApi}. */
export function messagingHandler(parts: MessagingHandlerParts) {
	const api = new MessagingApi(parts);
	return serve<number, Answer>(parts, (request, response) => {
		const correlationId = randomUUID();
		response.setHeader('x-ms-correlation-id', correlationId);
		const { body, headers, path } = request;
		const { errors, operationId } = validateRequest(request);
		const url = new URL(path, 'https://localhost');
		const conversationId = /\/conversation\/([0-9a-f-]{36})(\/|$)/i.exec(url.pathname)?.[1]?.toLowerCase();
		const customerId = customerIdOf(body);
		const call: MessagingCall = {
			channelId: headers['channel-id']?.toLowerCase() ?? '',
			query: url.searchParams,
			body,
			conversation: conversationId ? parts.conversations.find(conversationId) : undefined,
		};
		return {
			target: { operationId, conversationId, customerId, hasToken: hasBearer(request) },
			decide: () => decide(parts, api, request, operationId, errors, call),
			onFault: (fault) => problemOfFault(fault, parts.settings),
			record: (logged, done) =>
				parts.log.add<RequestEntry>({
					kind: 'request',
					...requestFields(request, logged),
					operationId,
					correlationId,
					conversationId: conversationId ?? done?.conversationId,
					customerId,
					messageId: done?.messageId,
					contractErrors: errors,
				}),
			send: (answer) => sendAnswer(response, answer),
		};
	});
}
