import type { CreateConversation, StartMessage } from '../../../emulator/messaging/contract';
import { nonEmptyText, readKey, textOf, type Json } from '../../shared/json';
import type { Client } from '../../shared/transport/client';
import { ServiceError } from '../../shared/transport/errors';
import type { SendRequest } from '../../shared/transport/request';
import { isConversationGone } from './errors';
import { messageList } from './pages';

/** How to start a conversation, or continue the customer's active one. */
export interface ConversationStart {
	/** The request without the start message. */
	request: SendRequest<CreateConversation>;
	startMessage: StartMessage | undefined;
}

/** The result of starting a conversation. */
export interface StartedConversation {
	conversationId: string;
	isNew: boolean;
	/** The ID of the start message; null where none was delivered. */
	messageId: string | null;
	/** `dropped`: the conversation was active before, or an answer was lost and only the conversation was created. */
	startMessage: 'none' | 'delivered' | 'dropped';
}

/** What conversations are started with. */
interface Starter {
	client: Pick<Client, 'call' | 'page'>;
	/** IDs of this execution's conversations so far: one that a lost call has created is not among them. */
	seen: Set<string>;
}

/** Reads a boolean, which may come as a text; undefined for any other value. */
function booleanOf(value: unknown): boolean | undefined {
	if (typeof value === 'boolean') return value;
	const text = textOf(value)?.toLowerCase();
	return text === 'true' ? true : text === 'false' ? false : undefined;
}

/**
 * Reads the answer to the request that starts a conversation. Pure.
 * @param hasStartMessage whether the request had a start message.
 * @param howToVerify the description of the error, which is `uncertain`.
 * @throws ServiceError where the answer has no conversation ID, or does not tell whether the start message was delivered.
 */
export function readStartedConversation(
	json: Json,
	hasStartMessage: boolean,
	howToVerify: string,
): StartedConversation {
	const conversationId = nonEmptyText(readKey(json, 'conversationId'));
	if (conversationId === null) {
		throw new ServiceError({
			message: 'The service did not say which conversation it opened',
			description: howToVerify,
			outcome: 'uncertain',
		});
	}
	const messageId = nonEmptyText(readKey(json, 'messageId'));
	const answered = booleanOf(readKey(json, 'isNew'));
	const isNew = answered === true;
	if (!hasStartMessage) return { conversationId, isNew, messageId, startMessage: 'none' };
	if (answered !== undefined) {
		return { conversationId, isNew, messageId, startMessage: isNew ? 'delivered' : 'dropped' };
	}
	// Only a start message that was delivered has an ID.
	if (messageId !== null) return { conversationId, isNew: true, messageId, startMessage: 'delivered' };
	throw new ServiceError({
		message: 'The service did not say whether it delivered the start message',
		description: howToVerify,
		outcome: 'uncertain',
		conversationId,
	});
}

/** The request with its start message, with which it must not be repeated. */
function withStartMessage({ request, startMessage }: ConversationStart): ConversationStart['request'] {
	if (!startMessage) return request;
	return { ...request, body: { ...request.body, startmessage: startMessage }, isIdempotent: false };
}

/** Milliseconds. The clocks of the service's hosts differ a little, and a Date header has whole seconds. */
const JUST_NOW = 5_000;
const A_WHILE = 10_000;
const LONG_AGO = 600_000;

/**
 * Tells from a conversation's first message whether a start message arrived whose answer was lost. A start message is
 * always the first message. Pure.
 * @param first text of the first message; null where it has no text, undefined where there is no message.
 * @param text the start message.
 * @param age how long before the lost call the first message came, in milliseconds of the service's clock; negative where
 * it came later, null where the service's time is unknown.
 * @returns `dropped` only where the conversation was surely active before, as the message is then sent once more.
 */
export function classifyStartMessage(
	first: string | null | undefined,
	text: string,
	age: number | null,
): 'delivered' | 'dropped' | 'uncertain' {
	if (first === undefined || age === null) return 'uncertain';
	if (first === text) return age > LONG_AGO ? 'dropped' : age <= JUST_NOW ? 'delivered' : 'uncertain';
	return age > A_WHILE ? 'dropped' : 'uncertain';
}

/** The first message of a page. Its ID is its time in epoch milliseconds. Source: docs/service-facts.md#message-ids. */
function firstOf(entries: Json[]): { at: number; messageId: string; text: string | null } | undefined {
	return entries
		.map((entry) => ({
			messageId: textOf(readKey(entry, 'messageId')) ?? '',
			text: textOf(readKey(entry, 'text')),
		}))
		.filter(({ messageId }) => /^\d{13}$/.test(messageId))
		.map((message) => ({ ...message, at: Number(message.messageId) }))
		.sort((one, other) => one.at - other.at)[0];
}

/**
 * Finds out whether a start message arrived whose answer was lost, without sending it again. Starting the conversation
 * without it gives the conversation that the lost call may have created, whose messages are then read.
 * @param lost the error of the lost call, which is thrown where this stays uncertain.
 */
async function reconcile(
	{ client, seen }: Starter,
	{ request, startMessage }: ConversationStart,
	lost: ServiceError,
): Promise<StartedConversation> {
	const asLost = (error: unknown): never => {
		throw error instanceof ServiceError ? lost : error;
	};
	const again = await client.call(request).catch(asLost);
	const started = readStartedConversation(again.json, false, request.howToVerify);
	const dropped: StartedConversation = { ...started, messageId: null, startMessage: 'dropped' };
	if (started.isNew || seen.has(started.conversationId)) return dropped;

	const { entries } = await client.page(messageList(started.conversationId)).catch(asLost);
	const first = firstOf(entries);
	// The service's time at the lost call is its time now, less what has passed since.
	const passed = Date.now() - (lost.triedAt ?? Date.now());
	const age = again.date === null || !first ? null : again.date - passed - first.at;
	switch (classifyStartMessage(first?.text, startMessage?.message ?? '', age)) {
		case 'delivered':
			return { ...started, isNew: true, messageId: first?.messageId ?? null, startMessage: 'delivered' };
		case 'dropped':
			return dropped;
		case 'uncertain':
			throw lost.with({ conversationId: started.conversationId });
	}
}

/** A 404 without a code means that the service does not know the Create Path. */
function explainedStart(error: ServiceError): ServiceError {
	if (error.httpCode !== 404 || error.code !== null) return error;
	return error.with({
		message: 'The service does not know the path that opens conversations',
		description: 'Choose the other Create Path under Options, and check Base URL in the credential.',
	});
}

/**
 * Starts a conversation, or gets the customer's active one. With a customer's ID and without a start message the request
 * may be repeated, as the service gives the same conversation again. A start message is never sent twice.
 * @throws ServiceError with its `outcome`: `uncertain` where the start message may have arrived.
 * @example
 * const start = { request, startMessage: { message: 'Hello' } };
 * const { conversationId, isNew } = await startConversation({ client, seen: new Set() }, start);
 */
export async function startConversation(
	starter: Starter,
	start: ConversationStart,
): Promise<StartedConversation> {
	const { request, startMessage } = start;
	const started = await starter.client
		.call(withStartMessage(start))
		.then(({ json }) => readStartedConversation(json, startMessage !== undefined, request.howToVerify))
		.catch(async (error: unknown) => {
			if (!(error instanceof ServiceError)) throw error;
			const canReconcile = error.outcome === 'uncertain' && startMessage && request.isIdempotent;
			if (canReconcile) return await reconcile(starter, start, error);
			throw explainedStart(error);
		});
	starter.seen.add(started.conversationId);
	return started;
}

/**
 * Starts a conversation with its start message. Where an answer was lost and only the conversation was created, the start
 * message is sent as a message.
 * @param asMessage makes the request of that message; undefined where the start message must not be sent as one.
 * @throws ServiceError with its `outcome`.
 */
export async function startWithMessage(
	starter: Starter,
	start: ConversationStart,
	asMessage: ((conversationId: string) => SendRequest) | undefined,
): Promise<StartedConversation> {
	const started = await startConversation(starter, start);
	const { conversationId, isNew, startMessage } = started;
	if (!isNew || startMessage !== 'dropped') return started;
	if (!asMessage) {
		throw new ServiceError({
			message: `Conversation ${conversationId} was opened, but its start message was not delivered`,
			description:
				'An answer of the service was lost in between. Send the text with Message: Send, with this conversation ID. Creating it again would not deliver it, as the conversation is active now.',
			// The start message surely did not arrive, but repeating the whole request would not deliver it.
			outcome: 'uncertain',
			conversationId,
		});
	}
	const { json } = await starter.client.call(asMessage(conversationId));
	return { ...started, messageId: nonEmptyText(readKey(json, 'messageId')), startMessage: 'delivered' };
}

/** A customer's message for the active conversation, or for a new one. */
interface CustomerMessage {
	/** With the message as its start message, where a start message can carry it. */
	start: ConversationStart;
	/** The request that sends the message into a conversation. */
	message: (conversationId: string) => SendRequest;
}

/** The result of delivering a customer's message. */
interface DeliveredMessage {
	conversationId: string;
	isNew: boolean;
	messageId: string | null;
	delivered: 'startMessage' | 'message';
}

/** Starts the conversation of a message. Where that fails without a start message, the message was surely not sent. */
async function startForMessage(starter: Starter, start: ConversationStart): Promise<StartedConversation> {
	return await startConversation(starter, start).catch((error: unknown) => {
		const isOpen = error instanceof ServiceError && error.outcome === 'uncertain';
		if (!isOpen || start.startMessage !== undefined) throw error;
		throw error.with({
			message: 'The answer to opening the conversation was lost, so nothing was said in it',
			description: 'Send it again: the same customer ID gives the same conversation.',
			outcome: 'notSent',
		});
	});
}

/**
 * Starts or continues the customer's conversation and delivers the message once, as the start message of a new
 * conversation or as a message. Where the conversation is closed between the two calls, a new one is started, once.
 * @throws ServiceError with its `outcome`.
 */
export async function deliverMessage(
	starter: Starter,
	{ start, message }: CustomerMessage,
): Promise<DeliveredMessage> {
	const deliver = async (): Promise<DeliveredMessage | { closed: unknown }> => {
		const { conversationId, isNew, messageId, startMessage } = await startForMessage(starter, start);
		if (startMessage === 'delivered') return { conversationId, isNew, messageId, delivered: 'startMessage' };
		return await starter.client.call(message(conversationId)).then(
			({ json }): DeliveredMessage => {
				const id = nonEmptyText(readKey(json, 'messageId'));
				return { conversationId, isNew, messageId: id, delivered: 'message' };
			},
			(error: unknown) => {
				if (isConversationGone(error)) return { closed: error };
				throw error;
			},
		);
	};
	const first = await deliver();
	const delivered = 'closed' in first ? await deliver() : first;
	if ('closed' in delivered) throw delivered.closed;
	return delivered;
}
