import type { CreateConversation, StartMessage } from '../../../emulator/messaging/contract';
import { nonEmptyText, readKey, textOf, type Json } from '../../shared/json';
import type { Client } from '../../shared/transport/client';
import { ServiceError } from '../../shared/transport/errors';
import type { SendRequest } from '../../shared/transport/request';
import { isConversationGone } from './errors';
import { messageList } from './pages';

/** A conversation to be started, or continued where the customer has an active one. */
export interface ConversationStart {
	/** The call without the start message. */
	request: SendRequest<CreateConversation>;
	startMessage: StartMessage | undefined;
}

/** What became of starting a conversation. */
export interface StartedConversation {
	conversationId: string;
	isNew: boolean;
	/** The start message's; null where none was delivered. */
	messageId: string | null;
	/** `dropped`: the conversation was active, or the answer was lost and only the conversation was made. */
	startMessage: 'none' | 'delivered' | 'dropped';
}

/** What conversations are started with. */
export interface Starter {
	client: Pick<Client, 'call' | 'page'>;
	/** The conversations of this run so far: they tell an active conversation from one that a lost call made. */
	seen: Set<string>;
}

/** A boolean, also where it came as a text; undefined for all else. */
function booleanOf(value: unknown): boolean | undefined {
	if (typeof value === 'boolean') return value;
	const text = textOf(value)?.toLowerCase();
	return text === 'true' ? true : text === 'false' ? false : undefined;
}

/**
 * Reads the answer of the call that starts a conversation. Pure.
 * @throws ServiceError where it names no conversation.
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
	const told = booleanOf(readKey(json, 'isNew'));
	const isNew = told === true;
	if (!hasStartMessage) return { conversationId, isNew, messageId, startMessage: 'none' };
	if (told !== undefined) {
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

/** The call that starts a conversation with its start message, which must not be repeated. */
export function withStartMessage({ request, startMessage }: ConversationStart): ConversationStart['request'] {
	if (!startMessage) return request;
	return { ...request, body: { ...request.body, startmessage: startMessage }, isIdempotent: false };
}

/** The service's hosts need not have quite the same time, and a Date header has whole seconds. Milliseconds. */
const JUST_NOW = 5_000;
const A_WHILE = 10_000;
const LONG_AGO = 600_000;

/**
 * What a conversation's first message says of a start message whose call was cut off. A start message is always the
 * first. Pure.
 * @param first the conversation's first message; undefined where it has none.
 * @param words the start message.
 * @param age how long before the lost call the first message came, milliseconds by the service's clock; negative where
 * it came after it; null where the service shows no clock.
 * @returns `dropped` only where the conversation was surely active before: said once more, it would be said twice.
 */
export function classifyStartMessage(
	first: string | null | undefined,
	words: string,
	age: number | null,
): 'delivered' | 'dropped' | 'uncertain' {
	if (first === undefined || age === null) return 'uncertain';
	if (first === words) return age > LONG_AGO ? 'dropped' : age <= JUST_NOW ? 'delivered' : 'uncertain';
	return age > A_WHILE ? 'dropped' : 'uncertain';
}

/** The first message of a page and when it came, which its ID tells. Source: docs/service-facts.md#message-ids. */
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
 * Finds out what became of a start message whose call was cut off, without sending it again: the conversation is started
 * without it, which gives the one that the lost call may have made, and its messages are read.
 * @param lost the error of the lost call, which stands where this does not tell.
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
	// The service's clock at the time of the call: what it shows now, less what has passed since.
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

/** A 404 of the call that starts conversations is about its path, unless its code says that the channel is not there. */
function explainedStart(error: ServiceError): ServiceError {
	if (error.httpCode !== 404 || error.code !== null) return error;
	return error.with({
		message: 'The service does not know the path that opens conversations',
		description: 'Choose the other Create Path under Options, and check Base URL in the credential.',
	});
}

/**
 * Starts a conversation, or gets the customer's active one. Without a start message, and with a customer's ID, the call
 * is repeated freely, as the service gives the same conversation again; with one it never is.
 * @throws ServiceError `uncertain` where it stays open whether a start message arrived.
 * @example
 * const { conversationId, isNew } = await startConversation({ client, seen: new Set() }, { request, startMessage });
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
 * Starts a conversation with its start message. Where an answer was lost and the conversation came to be without it, the
 * start message is sent as a message.
 * @param asMessage the start message as a message; undefined where it must not be sent as one.
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
			// Known for the words, but not to be repeated as it was.
			outcome: 'uncertain',
			conversationId,
		});
	}
	const { json } = await starter.client.call(asMessage(conversationId));
	return { ...started, messageId: nonEmptyText(readKey(json, 'messageId')), startMessage: 'delivered' };
}

/** What a customer says, to be delivered into the conversation that they have, or into a new one. */
export interface CustomerMessage {
	/** With the words as its start message where that can carry them. */
	start: ConversationStart;
	/** The words as a message in a conversation. */
	message: (conversationId: string) => SendRequest;
}

/** What became of a customer's message. */
export interface DeliveredMessage {
	conversationId: string;
	isNew: boolean;
	messageId: string | null;
	delivered: 'startMessage' | 'message';
}

/** Starts a conversation. Where that fails and the words did not go along, they were surely not sent. */
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
 * Starts or continues the customer's conversation and says what is to be said in it, once: as the start message of a new
 * one, or as a message. Where the conversation was closed between the two calls, it is started anew, once.
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
