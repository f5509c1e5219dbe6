import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Attachments } from './attachments';
import { type ContractError, describeCode, validateRequest } from './contract';
import {
	type Conversation,
	type Conversations,
	epochOf,
	isOpen,
	type Message,
	timestampOf,
} from './conversations';
import type { Desk } from './desk';
import type { Identity, TokenAnswer } from './identity';
import { type Log, type RequestEntry, shortened, type TokenEntry } from './log';
import { type FaultAction, type Settings, takeFault } from './settings';
import type { World } from './world';

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

interface Answer {
	status: number;
	body: unknown;
	errorCode?: number;
}

/** A request after the contract has passed it. */
interface Call {
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
	conversations: Conversations;
	attachments: Attachments;
	desk: Desk;
	/** Numbers from 0 to 1, for faults with a probability. */
	random: () => number;
}

/** One page of a list that is in order, and whether there is more. */
function pageOf<T>(items: T[], query: URLSearchParams): { page: T[]; last: T | undefined } {
	const size = Number(query.get('PageSize') ?? DEFAULT_PAGE_SIZE);
	const page = items.slice(0, size);
	return { page, last: items.length > size ? page.at(-1) : undefined };
}

const startOf = (query: URLSearchParams): number => {
	const start = query.get('StartTimeStamp');
	return start === null ? 0 : epochOf(start);
};

/** The Messaging API's own behaviour, one method for each operation of the contract. */
class MessagingApi {
	/** Continuation tokens of `/conversations`, with the sequence number of the last one that was given. */
	private readonly continuations = new Map<string, number>();

	constructor(private readonly parts: ServiceParts) {}

	answer(operationId: string, call: Call): unknown {
		switch (operationId) {
			case 'createConversation':
			case 'createConversationOlderPath':
				return this.create(call.body as CreateBody);
			case 'sendActivity':
				return this.send(this.present(call), call.body as SentActivity);
			case 'listConversations':
				return this.listConversations(call.query);
			case 'listMessages':
				return this.listMessages(this.present(call), call.query);
			case 'getContext':
				return this.context(this.present(call));
			default:
				throw new Error(`The contract has an operation ${operationId} that the emulator does not have`);
		}
	}

	/** That the reads still work in wrap-up and after the close is inferred; only the sending is documented. */
	private present({ conversation }: Call): Conversation {
		if (!conversation) throw new ServiceError(30013, 'The conversation does not exist.');
		return conversation;
	}

	private create(body: CreateBody): unknown {
		const { conversations } = this.parts;
		const customer = body.customercontext ?? {};
		const active = customer.customerid ? conversations.openOf(customer.customerid) : undefined;
		// The start message is lost here, as it is in the service.
		if (active) return { conversationId: active.id, isNew: false };

		const fullName = [customer.firstname, customer.lastname].filter(Boolean).join(' ');
		const conversation = conversations.create({
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
		const created = { conversationId: conversation.id, isNew: true };
		const text = body.startmessage?.message;
		if (!text) return created;
		const from = {
			id: conversation.customer.id,
			name: body.startmessage?.displayname || conversation.customer.name,
		};
		const { messageId } = conversations.addMessage(conversation, 'customer', { from, text, attachments: [] });
		return { ...created, messageId };
	}

	private send(conversation: Conversation, activity: SentActivity): unknown {
		const { world, conversations, attachments, desk } = this.parts;
		if (activity.channelId !== undefined && activity.channelId.toLowerCase() !== world.channelId) {
			throw new ServiceError(30002, 'The channelId of the activity must match the channel-id header.');
		}
		if (activity.conversation.id.toLowerCase() !== conversation.id) {
			throw new ServiceError(30005, 'The conversation.id of the activity must match the one in the URL.');
		}
		if (!isOpen(conversation)) throw new ServiceError(30013, 'The conversation is closed.');

		switch (activity.type) {
			case 'message': {
				const message = conversations.addMessage(conversation, 'customer', {
					from: { id: conversation.customer.id, name: conversation.customer.name, ...activity.from },
					text: activity.text ?? '',
					attachments: (activity.attachments ?? []).map((file) => attachments.take(file)),
					channelData: activity.channelData,
				});
				return { messageId: message.messageId };
			}
			case 'typing':
				conversation.customerTypedAt = new Date().toISOString();
				return { messageId: conversations.nextMessageId() };
			case 'endOfConversation':
				conversations.changeState(conversation, 'closed');
				// Which event tells of it is inferred from its name.
				desk.sendSystemEvent(conversation, 'CustomerDisconnected');
				return { messageId: conversations.nextMessageId() };
			case 'event':
				if (activity.name === 'MessageRead') {
					conversation.readUpTo = activity.value?.messageId;
					return { messageId: '', message: null };
				}
				conversations.addNote(conversation, `Custom event of the customer: ${activity.name}`);
				return { messageId: conversations.nextMessageId() };
		}
	}

	private listConversations(query: URLSearchParams): unknown {
		const token = query.get('ContinuationToken');
		const after = token === null ? 0 : this.continuations.get(token.toLowerCase());
		if (after === undefined) throw new ServiceError(30009, 'The continuation token is not known.');
		const matching = this.parts.conversations
			.all()
			.filter((one) => isOpen(one) && one.createdAt >= startOf(query) && one.sequence > after);
		const { page, last } = pageOf(matching, query);
		return {
			conversations: page.map(({ id, createdAt }) => ({
				conversationid: id,
				timestamp: timestampOf(createdAt),
			})),
			continuationtoken: last ? this.continueAfter(last.sequence) : null,
		};
	}

	private continueAfter(sequence: number): string {
		const token = randomUUID();
		this.continuations.set(token, sequence);
		return token;
	}

	private listMessages({ messages }: Conversation, query: URLSearchParams): unknown {
		const after = query.get('ContinuationToken') ?? '';
		const matching = messages.filter(
			// Timestamps have one form, so that their order as strings is their order in time.
			({ timestamp, messageId }) => timestamp > after && Number(messageId) >= startOf(query),
		);
		const { page, last } = pageOf<Message>(matching, query);
		return { messages: page, ...(last && { continuationToken: last.timestamp }) };
	}

	private context({ createdAt, context }: Conversation): unknown {
		const isThere = Date.now() - createdAt >= this.parts.settings.contextLagMs;
		return { context: isThere ? context.map(({ name, value }) => ({ name, value })) : [] };
	}
}

/** Header names as Node.js gives them; of those that may come more than once, the first. */
function singleHeaders(headers: IncomingHttpHeaders): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name, (Array.isArray(value) ? value[0] : value) ?? '']),
	);
}

/** The body as JSON, or as it came when it is no JSON, for the contract to refuse. */
function parseBody(raw: unknown): unknown {
	if (!Buffer.isBuffer(raw) || raw.length === 0) return undefined;
	const text = raw.toString('utf8');
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

function customerIdOf(body: unknown): string | undefined {
	if (typeof body !== 'object' || body === null || !('customercontext' in body)) return undefined;
	const context = body.customercontext;
	if (typeof context !== 'object' || context === null || !('customerid' in context)) return undefined;
	return typeof context.customerid === 'string' ? context.customerid : undefined;
}

const isPause = (fault: FaultAction | undefined): fault is { delayMs: number } =>
	typeof fault === 'object' && 'delayMs' in fault;
const isStatus = (fault: FaultAction | undefined): fault is Extract<FaultAction, { status: number }> =>
	typeof fault === 'object' && 'status' in fault;

/** RFC 7807. */
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

function answerFault(
	parts: ServiceParts,
	response: Response,
	{ status, retryAfter, code }: { status: number; retryAfter?: number; code?: number },
): Answer {
	if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
	const title = code === undefined ? (FAULT_TITLES[status] ?? 'Error') : describeCode(code).title;
	return problem(parts, new ServiceError(code ?? null, 'A fault was injected.', { status, title }));
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
	const { identity, settings, world } = parts;
	const failOn = (error: ContractError | undefined) => {
		if (error) throw new ServiceError(error.code, error.detail);
	};
	try {
		const refusal = await identity.refuses(headers.authorization);
		if (refusal) throw unauthorized(refusal);
		if (operationId === null) {
			const detail = 'The service has no such path and method.';
			throw new ServiceError(null, detail, { status: 404, title: 'Not Found' });
		}
		failOn(errors.find(({ path }) => path.startsWith('/header/') && path !== '/header/content-type'));
		const isOrganization = headers['organization-id']?.toLowerCase() === world.organizationId;
		if (!isOrganization || !settings.channelAuthorized) {
			throw unauthorized('The channel is not authorized for the organization.');
		}
		if (headers['channel-id']?.toLowerCase() !== world.channelId) {
			throw new ServiceError(30004, 'There is no configuration of this channel.');
		}
		if (!settings.linkedToWorkstream) {
			throw new ServiceError(30014, 'The channel is not linked to a workstream.');
		}
		failOn(errors[0]);
		return { status: 200, body: api.answer(operationId, call) };
	} catch (error) {
		if (error instanceof ServiceError) return problem(parts, error);
		throw error;
	}
}

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
			query: url.searchParams,
			body,
			conversation: conversationId ? parts.conversations.find(conversationId) : undefined,
		};

		const record = (answer: Answer | undefined) => {
			const created = answer?.body;
			const createdId =
				typeof created === 'object' && created !== null && 'conversationId' in created
					? String(created.conversationId)
					: undefined;
			parts.log.add<RequestEntry>({
				kind: 'request',
				method: request.method,
				path: request.originalUrl,
				operationId,
				status: answer?.status ?? 0,
				errorCode: answer?.errorCode,
				correlationId,
				conversationId: conversationId ?? createdId,
				customerId: customerIdOf(body),
				body: shortened(body),
				contractErrors: errors,
			});
		};

		const fault = takeFault(parts.settings.faults, { operationId, conversationId }, parts.random);
		if (fault === 'resetBefore') {
			record(undefined);
			request.socket.destroy();
			return;
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		const answer = isStatus(fault)
			? answerFault(parts, response, fault)
			: await decide(parts, api, headers, operationId, errors, call);
		if (fault === 'resetAfter') {
			record(undefined);
			request.socket.destroy();
			return;
		}
		record(answer);
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
			});
		const fault = takeFault(parts.settings.faults, { operationId: 'token' }, parts.random);
		if (fault === 'resetBefore') {
			record(0);
			request.socket.destroy();
			return;
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		if (isStatus(fault)) {
			record(fault.status);
			sendAnswer(response, answerFault(parts, response, fault));
			return;
		}
		const answer = await parts.identity.answerTokenRequest(tenant, form, request.get('client-request-id'));
		record(fault === 'resetAfter' ? 0 : answer.status, answer.errorCode);
		if (fault === 'resetAfter') request.socket.destroy();
		else sendEntra(response, answer);
	};
}

function sendEntra(response: Response, { status, body }: TokenAnswer): void {
	response.setHeader('Cache-Control', 'no-store');
	response.status(status).json(body);
}

/** The three faces of the service: token authority, Messaging API and attachment host. */
export function createService(parts: ServiceParts): Express {
	const { attachments, identity } = parts;
	const app = express();
	app.disable('x-powered-by');
	app.disable('etag');
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
