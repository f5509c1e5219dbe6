import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { type Attachments, embeddedBytes } from './attachments';
import type { Channels } from './channels';
import { type ContractError, describeCode, validateRequest } from './contract';
import {
	type Conversation,
	type Conversations,
	epochOf,
	isOpen,
	type Message,
	timestampOf,
} from './conversations';
import { communicationHandler } from './communication/handler';
import type { CommunicationTemplate } from './communication/templates';
import type { Threads } from './communication/threads';
import type { Desk } from './desk';
import { dataverseHandler } from './dataverse/handler';
import type { Tables } from './dataverse/tables';
import { FAULT_DETAIL, isPause, isStatus, parseBody, sendFault, singleHeaders, spoilTokens } from './http';
import { authenticationOf, entraError, type Identity, type TokenAnswer } from './identity';
import { type Log, type RequestEntry, shortened, type TokenEntry } from './log';
import { firstIndex, type Page, Pager } from './pages';
import { type Settings, type StatusFault, takeFault } from './settings';
import { resourceOf, type World } from './world';

/** Generous: the organisation's limit for attachments is up to 128 MB, and base64 adds a third. */
const BODY_LIMIT = '200mb';
const DEFAULT_PAGE_SIZE = 50;

/** What the service refuses, with its body code if it has one. */
class ServiceError extends Error {
	readonly status: number;
	readonly title: string;

	constructor(
		readonly code: number | null,
		detail: string,
		problem?: { status: number; title: string },
	) {
		super(detail);
		const { status, title } =
			problem ?? (code === null ? { status: 500, title: 'Error' } : describeCode(code));
		this.status = status;
		this.title = title;
	}
}

const unauthorized = (detail: string) =>
	new ServiceError(null, detail, { status: 401, title: 'Unauthorized' });

/** What an operation did: the answer's body, and what of it the log tells. */
interface Done {
	body: unknown;
	/** The conversation that was created or found. */
	conversationId?: string;
	/** The message that was stored. */
	messageId?: string;
}

interface Answer extends Done {
	status: number;
	errorCode?: number;
}

/** A request after the contract has passed it. */
interface Call {
	/** Of the header, in lower case. */
	channelId: string;
	query: URLSearchParams;
	body: unknown;
	conversation: Conversation | undefined;
}

/** The body of `create`, of which the contract has made sure. */
interface CreateBody {
	customercontext?: Partial<
		Record<'customerid' | 'firstname' | 'lastname' | 'preferredname' | 'email' | 'phonenumber', string>
	>;
	conversationcontext?: Record<string, { isDisplayable?: boolean; value: string | number | boolean }>;
	startmessage?: { message?: string; displayname?: string };
	skipdeflectionbot?: boolean;
}

/** An activity, of which the contract has made sure. */
interface SentActivity {
	type: 'message' | 'typing' | 'endOfConversation' | 'event';
	channelId?: string;
	conversation: { id: string };
	from?: { id?: string; name?: string };
	text?: string;
	attachments?: { contentType: string; contentUrl: string; name: string }[];
	channelData?: Record<string, unknown>;
	name?: string;
	value?: { messageId: string };
}

export interface ServiceParts {
	world: World;
	settings: Settings;
	log: Log;
	identity: Identity;
	channels: Channels;
	tables: Tables;
	/** The conversations of Azure Communication Services. */
	threads: Threads;
	templates: readonly CommunicationTemplate[];
	conversations: Conversations;
	attachments: Attachments;
	desk: Desk;
	/** Of the service; known only after it listens. */
	origin: () => string;
	/** Numbers from 0 to 1, for faults with a probability. */
	random: () => number;
}

/** @throws ServiceError for a continuation token that is not known */
function pageOf<T>(
	pager: Pager<T>,
	items: readonly T[],
	query: URLSearchParams,
	matches: (item: T) => boolean,
): Page<T> {
	const size = Number(query.get('PageSize') ?? DEFAULT_PAGE_SIZE);
	const page = pager.page(items, { token: query.get('ContinuationToken'), size, matches });
	if (!page) throw new ServiceError(30009, 'The continuation token is not known.');
	return page;
}

const startOf = (query: URLSearchParams): number => {
	const start = query.get('StartTimeStamp');
	return start === null ? 0 : epochOf(start);
};

/** The Messaging API's own behaviour, one method for each operation of the contract. */
class MessagingApi {
	private readonly conversationPages: Pager<Conversation>;
	private readonly messagePages: Pager<Message>;

	constructor(private readonly parts: ServiceParts) {
		this.conversationPages = new Pager(parts.settings, { fresh: randomUUID });
		let madeUp = 0;
		this.messagePages = new Pager(parts.settings, {
			// Of a time before there were messages, so that it is never one's own.
			fresh: () => `1970-01-01T00:00:00.${String(++madeUp).padStart(7, '0')}+00:00`,
			// Timestamps have one form, so that their order as strings is their order in time.
			byEntry: {
				write: ({ timestamp }) => timestamp,
				read: (messages, token) => firstIndex(messages, ({ timestamp }) => timestamp > token),
			},
		});
	}

	answer(operationId: string, call: Call): Done {
		switch (operationId) {
			case 'createConversation':
			case 'createConversationOlderPath':
				return this.create(call.channelId, call.body as CreateBody);
			case 'sendActivity':
				return this.send(this.present(call), call.body as SentActivity);
			case 'listConversations':
				return { body: this.listConversations(call) };
			case 'listMessages':
				return { body: this.listMessages(this.present(call), call.query) };
			case 'getContext':
				return { body: this.context(this.present(call)) };
			default:
				throw new Error(`The contract has an operation ${operationId} that the emulator does not have`);
		}
	}

	/** That the reads still work in wrap-up and after the close is inferred. Source: docs/service-facts.md#conversation-states. */
	private present({ channelId, conversation }: Call): Conversation {
		if (conversation?.channelId === channelId) return conversation;
		throw new ServiceError(30013, 'The conversation does not exist.');
	}

	private create(channelId: string, body: CreateBody): Done {
		const { conversations } = this.parts;
		const customer = body.customercontext ?? {};
		const active = customer.customerid ? conversations.openOf(channelId, customer.customerid) : undefined;
		// The start message is lost here, as it is in the service.
		if (active) {
			return { body: { conversationId: active.id, isNew: false }, conversationId: active.id };
		}

		const fullName = [customer.firstname, customer.lastname].filter(Boolean).join(' ');
		const conversation = conversations.create({
			channelId,
			customerId: customer.customerid || undefined,
			customer: {
				id: customer.customerid || randomUUID(),
				name: customer.preferredname || fullName || body.startmessage?.displayname || 'Customer',
				email: customer.email,
				phone: customer.phonenumber,
			},
			context: Object.entries(body.conversationcontext ?? {}).map(([name, { value, isDisplayable }]) => ({
				name,
				value,
				isDisplayable: isDisplayable ?? false,
			})),
			skipsBot: body.skipdeflectionbot ?? false,
		});
		const conversationId = conversation.id;
		const created = { conversationId, isNew: true };
		const text = body.startmessage?.message;
		if (!text) return { body: created, conversationId };
		const from = {
			id: conversation.customer.id,
			name: body.startmessage?.displayname || conversation.customer.name,
		};
		const { messageId } = conversations.addMessage(conversation, 'customer', { from, text, attachments: [] });
		return { body: { ...created, messageId }, conversationId, messageId };
	}

	private send(conversation: Conversation, activity: SentActivity): Done {
		const { conversations, attachments, desk } = this.parts;
		if (activity.channelId !== undefined && activity.channelId.toLowerCase() !== conversation.channelId) {
			throw new ServiceError(30002, 'The channelId of the activity must match the channel-id header.');
		}
		if (activity.conversation.id.toLowerCase() !== conversation.id) {
			throw new ServiceError(30005, 'The conversation.id of the activity must match the one in the URL.');
		}
		if (!isOpen(conversation)) throw new ServiceError(30013, 'The conversation is closed.');

		switch (activity.type) {
			case 'message': {
				this.checkSizes(activity.attachments ?? []);
				const { messageId } = conversations.addMessage(conversation, 'customer', {
					from: { id: conversation.customer.id, name: conversation.customer.name, ...activity.from },
					text: activity.text ?? '',
					attachments: (activity.attachments ?? []).map((file) => attachments.take(file)),
					channelData: activity.channelData,
				});
				return { body: { messageId }, messageId };
			}
			case 'typing':
				conversation.customerTypedAt = new Date().toISOString();
				return { body: { messageId: conversations.nextMessageId() } };
			case 'endOfConversation':
				conversations.changeState(conversation, 'closed');
				// Which event tells of it is inferred from its name.
				desk.sendSystemEvent(conversation, 'CustomerDisconnected');
				return { body: { messageId: conversations.nextMessageId() } };
			case 'event':
				if (activity.name === 'MessageRead') {
					conversation.readUpTo = activity.value?.messageId;
					return { body: { messageId: '', message: null } };
				}
				conversations.addNote(conversation, `Custom event of the customer: ${activity.name}`);
				return { body: { messageId: conversations.nextMessageId() } };
		}
	}

	/** That a file which is too large is refused with the message, and without a code, is inferred. */
	private checkSizes(files: { name: string; contentUrl: string }[]): void {
		const { maxAttachmentBytes } = this.parts.settings;
		for (const { contentUrl, name } of files) {
			const size = embeddedBytes(contentUrl);
			if (size <= maxAttachmentBytes) continue;
			const detail = `The attachment ${name} has ${size} bytes; the organization allows ${maxAttachmentBytes}.`;
			throw new ServiceError(null, detail, { status: 400, title: 'Bad Request' });
		}
	}

	private listConversations({ channelId, query }: Call): unknown {
		const start = startOf(query);
		const { entries, token } = pageOf(
			this.conversationPages,
			this.parts.conversations.all(),
			query,
			(one) => one.channelId === channelId && isOpen(one) && one.createdAt >= start,
		);
		return {
			conversations: entries.map(({ id, createdAt }) => ({
				conversationid: id,
				timestamp: timestampOf(createdAt),
			})),
			continuationtoken: token ?? null,
		};
	}

	private listMessages({ messages }: Conversation, query: URLSearchParams): unknown {
		const start = startOf(query);
		const { entries, token } = pageOf(
			this.messagePages,
			messages,
			query,
			({ messageId }) => Number(messageId) >= start,
		);
		return { messages: entries, ...(token !== undefined && { continuationToken: token }) };
	}

	private context({ createdAt, context }: Conversation): unknown {
		const isThere = Date.now() - createdAt >= this.parts.settings.contextLagMs;
		return { context: isThere ? context.map(({ name, value }) => ({ name, value })) : [] };
	}
}

function customerIdOf(body: unknown): string | undefined {
	if (typeof body !== 'object' || body === null || !('customercontext' in body)) return undefined;
	const context = body.customercontext;
	if (typeof context !== 'object' || context === null || !('customerid' in context)) return undefined;
	return typeof context.customerid === 'string' ? context.customerid : undefined;
}

/** Source: docs/service-facts.md#problem-details. */
function problem({ settings }: ServiceParts, { code, status, title, message }: ServiceError): Answer {
	return {
		status,
		errorCode: code ?? undefined,
		body: {
			type: 'https://tools.ietf.org/html/rfc9110#section-15',
			title,
			status,
			detail: message,
			...(code !== null && { [settings.errorCodeKey]: code }),
		},
	};
}

const FAULT_TITLES: Record<number, string> = {
	429: 'Too Many Requests',
	500: 'Internal Server Error',
	503: 'Service Unavailable',
};

/** AADSTS numbers begin here; the service's own codes are below. */
const LOWEST_ENTRA_CODE = 50_000;

function answerFault(parts: ServiceParts, { body, code, status }: StatusFault): Answer {
	if (body !== undefined) return { status, body, errorCode: code };
	const title = code === undefined ? (FAULT_TITLES[status] ?? 'Error') : describeCode(code).title;
	return problem(parts, new ServiceError(code ?? null, FAULT_DETAIL, { status, title }));
}

/** Sends a problem or an answer; problems have their own media type. */
function sendAnswer(response: Response, { status, body }: Answer): void {
	response
		.status(status)
		.type(status >= 400 ? 'application/problem+json' : 'application/json')
		.send(JSON.stringify(body));
}

/** Checks in the order of the service: the token, the headers, the channel, then the rest of the request. */
async function decide(
	parts: ServiceParts,
	api: MessagingApi,
	headers: Record<string, string>,
	operationId: string | null,
	errors: ContractError[],
	call: Call,
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
		failOn(errors.find(({ path }) => path.startsWith('/header/') && path !== '/header/content-type'));
		const notAuthorized = () => unauthorized('The channel is not authorized for the organization.');
		const isOrganization = headers['organization-id']?.toLowerCase() === world.organizationId;
		if (!isOrganization || !settings.channelAuthorized) throw notAuthorized();
		const channel = channels.find(call.channelId);
		// That a channel of another kind is as good as none is inferred.
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
		if (error instanceof ServiceError) return problem(parts, error);
		throw error;
	}
}

/** What the log has for a request whose connection was cut. */
const UNANSWERED = { status: 0 };

function messagingApiHandler(parts: ServiceParts) {
	const api = new MessagingApi(parts);
	return async (request: Request, response: Response): Promise<void> => {
		const correlationId = randomUUID();
		response.setHeader('x-ms-correlation-id', correlationId);
		const headers = singleHeaders(request.headers);
		const body = parseBody(request.body);
		const { operationId, errors } = validateRequest({
			method: request.method,
			path: request.originalUrl,
			// A body without a content type is wrong too, which the contract alone does not say.
			headers: { ...(body !== undefined && { 'content-type': '' }), ...headers },
			body,
		});
		const url = new URL(request.originalUrl, 'https://localhost');
		const conversationId = /\/conversation\/([0-9a-f-]{36})(\/|$)/i.exec(url.pathname)?.[1]?.toLowerCase();
		const call: Call = {
			channelId: headers['channel-id']?.toLowerCase() ?? '',
			query: url.searchParams,
			body,
			conversation: conversationId ? parts.conversations.find(conversationId) : undefined,
		};

		const customerId = customerIdOf(body);
		const hasToken = /^Bearer \S+$/i.test(headers.authorization ?? '');
		const target = { operationId, conversationId, customerId, hasToken };
		const fault = takeFault(parts.settings.faults, target, parts.random);
		const record = (answered: Pick<Answer, 'status' | 'errorCode'>, done?: Done) =>
			parts.log.add<RequestEntry>({
				kind: 'request',
				method: request.method,
				path: request.originalUrl,
				operationId,
				status: answered.status,
				errorCode: answered.errorCode,
				correlationId,
				conversationId: conversationId ?? done?.conversationId,
				customerId,
				messageId: done?.messageId,
				fault,
				body: shortened(body),
				contractErrors: errors,
			});

		if (fault === 'resetBefore') {
			record(UNANSWERED);
			request.socket.destroy();
			return;
		}
		if (isStatus(fault)) {
			const answer = answerFault(parts, fault);
			record(answer);
			sendFault(response, fault, () => sendAnswer(response, answer));
			return;
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		await spoilTokens(parts.identity, fault);
		const answer = await decide(parts, api, headers, operationId, errors, call);
		if (fault === 'resetAfter') {
			record(UNANSWERED, answer);
			request.socket.destroy();
			return;
		}
		record(answer, answer);
		sendAnswer(response, answer);
	};
}

/** The fields of a form; of a field that comes twice, the last. */
const formFields = (raw: unknown): Record<string, string> =>
	Object.fromEntries(new URLSearchParams(Buffer.isBuffer(raw) ? raw.toString('utf8') : ''));

function tokenHandler(parts: ServiceParts) {
	return async (request: Request<{ tenant: string }>, response: Response): Promise<void> => {
		const { tenant } = request.params;
		const form = formFields(request.body);
		const record = (status: number, errorCode?: number) =>
			parts.log.add<TokenEntry>({
				kind: 'token',
				status,
				errorCode,
				tenant,
				clientId: form.client_id,
				scope: form.scope,
				authentication: authenticationOf(form),
			});
		const target = { operationId: 'token', hasToken: true };
		const fault = takeFault(parts.settings.faults, target, parts.random);
		if (fault === 'resetBefore') {
			record(0);
			request.socket.destroy();
			return;
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		const correlationId = request.get('client-request-id') ?? randomUUID();
		if (isStatus(fault)) {
			const { code = 0, status } = fault;
			record(status, fault.code);
			sendFault(response, fault, () => {
				// Entra's own errors have Entra's form, all others that of the service.
				if (code < LOWEST_ENTRA_CODE) sendAnswer(response, answerFault(parts, fault));
				else sendEntra(response, entraError(correlationId, status, code, FAULT_DETAIL));
			});
			return;
		}
		await spoilTokens(parts.identity, fault);
		const answer = await parts.identity.answerTokenRequest(tenant, form, correlationId);
		record(fault === 'resetAfter' ? 0 : answer.status, answer.errorCode);
		if (fault === 'resetAfter') request.socket.destroy();
		else sendEntra(response, answer);
	};
}

function sendEntra(response: Response, { status, body }: TokenAnswer): void {
	response.setHeader('Cache-Control', 'no-store');
	response.status(status).json(body);
}

/** The faces of the service: token authority, Messaging API, Dataverse, Azure Communication Services and attachment host. */
export function createService(parts: ServiceParts): Express {
	const { attachments, identity, settings } = parts;
	const app = express();
	app.disable('x-powered-by');
	app.disable('etag');
	app.use((_request, response, next) => {
		response.setHeader('Date', new Date(Date.now() + settings.clockSkewMs).toUTCString());
		next();
	});
	app.use(express.raw({ type: () => true, limit: BODY_LIMIT }));

	const ofTenant =
		(body: (tenant: string) => unknown) =>
		({ params: { tenant } }: Request<{ tenant: string }>, response: Response) => {
			if (identity.isTenant(tenant)) response.json(body(tenant));
			else sendEntra(response, identity.unknownTenant(tenant, randomUUID()));
		};
	app.post('/:tenant/oauth2/v2.0/token', tokenHandler(parts));
	app.get(
		'/:tenant/v2.0/.well-known/openid-configuration',
		ofTenant((tenant) => identity.openIdConfiguration(tenant)),
	);
	app.get(
		'/:tenant/discovery/v2.0/keys',
		ofTenant(() => identity.keySet()),
	);
	app.get('/attachments/:id/:name', ({ params: { id } }, response) => {
		const file = attachments.find(id);
		if (!file) response.status(404).end();
		else response.setHeader('Content-Type', file.contentType).end(file.data);
	});
	app.use('/api/v1.0/consumer', messagingApiHandler(parts));
	app.use('/api/data', dataverseHandler(parts));
	app.use('/messages', communicationHandler(parts));
	// A body that is too large, or one that cannot be unpacked. Express knows an error handler by its four parameters.
	app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
		const given: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined;
		const status = typeof given === 'number' ? given : 500;
		const detail = error instanceof Error ? error.message : String(error);
		response.setHeader('x-ms-correlation-id', randomUUID());
		sendAnswer(response, problem(parts, new ServiceError(null, detail, { status, title: 'Request failed' })));
	});
	return app;
}
