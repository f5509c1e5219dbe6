import type { CreateConversation, StartMessage } from '../../../emulator/messaging/contract';
import { nonEmptyText, readKey, textOf, type Json } from '../../shared/json';
import type { Client } from '../../shared/transport/client';
import { ServiceError } from '../../shared/transport/errors';
import type { SendRequest } from '../../shared/transport/request';
import { isConversationGone } from './errors';
import { messageList } from './pages';
import { messageIdOf } from './sendActivity';

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
	/** Whether it may have been active before all the same, as the answer to a first try was lost. */
	mayBeOlder?: true;
	/** The ID of the start message; null where none was delivered. */
	messageId: string | null;
	/** `dropped`: the conversation was active before, so the service did not deliver it. */
	startMessage: 'none' | 'delivered' | 'dropped';
}

/** What conversations are started with. */
interface Starter {
	client: Pick<Client, 'call' | 'page'>;
	/** IDs of conversations that the service said in this execution to be active. */
	seen: Set<string>;
	/** A clock for durations, in milliseconds; by default one that nobody sets. */
	now?: () => number;
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

/**
 * Milliseconds. The clocks of two of the service's hosts may differ by 30 s, a Date header has whole seconds, and the rest
 * is to spare.
 */
const CLOCK_TOLERANCE = 45_000;

/**
 * Whether a conversation that is active now was surely active before a call whose answer was lost, and ever since, as a
 * closed one never opens again. Then the call opened none, and a start message of it was dropped. Otherwise nothing is
 * proven: another run may have said the same words, and one conversation may have been closed and the next one opened in
 * the meantime. Pure. Source: docs/service-facts.md#conversation-states.
 * @param firstMessageAt when the earliest known message of the conversation came, by the service's clock, epoch
 * milliseconds; undefined where none is known.
 * @param answeredAt the service's clock when it named the conversation, epoch milliseconds; null where it is unknown.
 * @param passed milliseconds from before the lost call to that answer.
 */
export function wasActiveBefore(
	firstMessageAt: number | undefined,
	answeredAt: number | null,
	passed: number,
): boolean {
	if (firstMessageAt === undefined || answeredAt === null) return false;
	return answeredAt - passed - firstMessageAt > CLOCK_TOLERANCE;
}

/**
 * When the earliest message of a page came. A message's ID is its time in epoch milliseconds. Pure.
 * Source: docs/service-facts.md#message-ids.
 */
function earliestIn(entries: Json[]): number | undefined {
	const times = entries.map(messageIdOf).filter((id) => id !== null && /^\d{13}$/.test(id));
	return times.length === 0 ? undefined : Math.min(...times.map(Number));
}

/** Says where to look for words of which nobody knows whether they arrived. */
function whereToLook(conversationId: string): string {
	return `The customer’s active conversation is now ${conversationId}. Look for the words there (Message: Get Many), and in Dynamics 365 among the customer’s conversations that were closed in the meantime. If they are in none of them, say them with Message: Send.`;
}

/**
 * Finds out, without sending it again, whether a start message whose answer was lost was surely dropped. Starting the
 * conversation without it gives the customer's active one, whose messages are then read.
 * @param lost the error of the lost call, which is thrown where this stays uncertain.
 * @param passedSince how long it is since before the lost call, milliseconds.
 */
async function reconcile(
	{ client, seen }: Starter,
	{ request }: ConversationStart,
	lost: ServiceError,
	passedSince: () => number,
): Promise<StartedConversation> {
	const orElse =
		(instead: ServiceError) =>
		(error: unknown): never => {
			throw error instanceof ServiceError ? instead : error;
		};
	const { conversationId, isNew, date, passed } = await client
		.call(request)
		.then((again) => ({
			...readStartedConversation(again.json, false, request.howToVerify),
			date: again.date,
			// Taken at once, as reading the messages can take long.
			passed: passedSince(),
		}))
		.catch(orElse(lost));
	const uncertain = lost.with({ conversationId, description: whereToLook(conversationId) });
	const dropped = { conversationId, isNew, messageId: null, startMessage: 'dropped' } as const;
	const wasSeen = seen.has(conversationId);
	// Active now is active before for the items that follow.
	seen.add(conversationId);
	if (isNew) throw uncertain;
	if (wasSeen) return dropped;
	const { entries } = await client.page(messageList(conversationId)).catch(orElse(uncertain));
	if (wasActiveBefore(earliestIn(entries), date, passed)) return dropped;
	throw uncertain;
}

/**
 * Corrects `isNew` where an earlier try of the same request may have opened the conversation: it is an old one only where
 * that is proven.
 * @param answeredAt the service's clock, epoch milliseconds. @param passed milliseconds since before the first try.
 */
async function afterLostTry(
	{ client, seen }: Starter,
	started: StartedConversation,
	answeredAt: number | null,
	passed: number,
): Promise<StartedConversation> {
	const { conversationId } = started;
	if (started.isNew || seen.has(conversationId)) return started;
	const entries = await client.page(messageList(conversationId)).then(
		(page) => page.entries,
		(error: unknown) => {
			if (error instanceof ServiceError) return [];
			throw error;
		},
	);
	if (wasActiveBefore(earliestIn(entries), answeredAt, passed)) return started;
	return { ...started, isNew: true, mayBeOlder: true };
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
 * Starts to measure how long something takes, milliseconds. The clock that nobody sets stands still while the machine sleeps,
 * and the time of day may be set back, so the longer of the two counts: less would take a young message for an old one.
 */
function stopwatch(now: () => number = () => performance.now()): () => number {
	const [begunAt, begunAtDay] = [now(), Date.now()];
	return () => Math.max(now() - begunAt, Date.now() - begunAtDay);
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
	const passed = stopwatch(starter.now);
	const started = await starter.client
		.call(withStartMessage(start))
		.then(async ({ json, date, mayRepeat }) => {
			const passedThen = passed();
			const answered = readStartedConversation(json, startMessage !== undefined, request.howToVerify);
			return mayRepeat ? await afterLostTry(starter, answered, date, passedThen) : answered;
		})
		.catch(async (error: unknown) => {
			if (!(error instanceof ServiceError)) throw error;
			const canReconcile = error.outcome === 'uncertain' && startMessage && request.isIdempotent;
			if (canReconcile) return await reconcile(starter, start, error, passed);
			throw explainedStart(error);
		});
	starter.seen.add(started.conversationId);
	return started;
}

/** A customer's message for the active conversation, or for a new one. */
interface CustomerMessage {
	/** With the message as its start message, where a start message can carry it. */
	start: ConversationStart;
	/** The request that sends the message into a conversation. */
	message: (conversationId: string) => SendRequest;
}

/** The result of delivering a customer's message. */
interface DeliveredMessage extends Omit<StartedConversation, 'startMessage'> {
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
		const { startMessage, ...started } = await startForMessage(starter, start);
		if (startMessage === 'delivered') return { ...started, delivered: 'startMessage' };
		return await starter.client.call(message(started.conversationId)).then(
			({ json }): DeliveredMessage => ({ ...started, messageId: messageIdOf(json), delivered: 'message' }),
			(error: unknown) => {
				const { conversationId } = started;
				const named = error instanceof ServiceError ? error.with({ conversationId }) : error;
				if (isConversationGone(error)) return { closed: named };
				throw named;
			},
		);
	};
	const first = await deliver();
	const delivered = 'closed' in first ? await deliver() : first;
	if ('closed' in delivered) throw delivered.closed;
	return delivered;
}
