import { randomUUID } from 'node:crypto';
import type { DeliveredAttachment, Sender } from './activities';
import type { ConversationState, Log, StateEntry } from '../log';

/** A message of the customer or the representative, as `/messages` gives it. */
export interface Message {
	type: 'message';
	attachments: DeliveredAttachment[];
	text: string;
	messageId: string;
	timestamp: string;
	from: Sender;
	channelData?: Record<string, unknown>;
}

/** A line of a conversation as the desk shows it. */
export interface Line {
	/** ISO 8601. */
	at: string;
	who: 'customer' | 'representative' | 'system';
	name?: string;
	text?: string;
	attachments?: DeliveredAttachment[];
	messageId?: string;
}

export interface ContextVariable {
	name: string;
	value: string | number | boolean;
	isDisplayable: boolean;
}

export interface Customer {
	/** The caller's `customerid`, or a GUID when it gave none. */
	id: string;
	name: string;
	email?: string;
	phone?: string;
}

export interface Conversation {
	id: string;
	/** In lower case. */
	channelId: string;
	/** Order of creation, from 1. */
	sequence: number;
	/** Milliseconds since the epoch. */
	createdAt: number;
	state: ConversationState;
	/** Only what the caller gave as `customerid`. */
	customerId?: string;
	customer: Customer;
	context: ContextVariable[];
	/** True when the caller asked for no AI agent (`skipdeflectionbot`). */
	skipsBot: boolean;
	representative?: Sender;
	lines: Line[];
	messages: Message[];
	/** The customer has read everything up to this message. */
	readUpTo?: string;
	/** When the customer last typed, ISO 8601. */
	customerTypedAt?: string;
}

export type NewConversation = Pick<
	Conversation,
	'channelId' | 'customerId' | 'customer' | 'context' | 'skipsBot'
>;

const customerKey = (channelId: string, customerId: string) => `${channelId} ${customerId}`;

/** Waiting and active conversations take activities; those in wrap-up or closed do not. */
/** Whether the service lists a conversation as active: a waiting one counts. Source: docs/service-facts.md#list-conversations. */
export const isOpen = ({ state }: Conversation): boolean => state === 'waiting' || state === 'active';

/**
 * A timestamp in the service's form: seven digits of fraction, and the offset in digits.
 * The last four digits are made up from the milliseconds, so that a time always has the same form.
 */
export function timestampOf(epochMs: number): string {
	const digits = String((epochMs * 7919) % 10_000).padStart(4, '0');
	return new Date(epochMs).toISOString().replace('Z', `${digits}+00:00`);
}

/** Reads ISO 8601; a time without an offset is UTC. */
export function epochOf(timestamp: string): number {
	const hasOffset = /(Z|[+-]\d{2}:\d{2})$/.test(timestamp) || !timestamp.includes('T');
	return Date.parse(hasOffset ? timestamp : `${timestamp}Z`);
}

/** All conversations, in memory. */
export class Conversations {
	private readonly list: Conversation[] = [];
	private readonly byId = new Map<string, Conversation>();
	/** The newest conversation of each customer of a channel: no other of theirs can be open. */
	private readonly newestOf = new Map<string, Conversation>();
	private lastMessageId = 0;

	constructor(private readonly log: Log) {}

	/** In the order of their creation. */
	all(): readonly Conversation[] {
		return this.list;
	}

	find(id: string): Conversation | undefined {
		return this.byId.get(id.toLowerCase());
	}

	/** The open conversation of a customer, by the caller's `customerid`. */
	openOf(channelId: string, customerId: string): Conversation | undefined {
		const newest = this.newestOf.get(customerKey(channelId, customerId));
		return newest && isOpen(newest) ? newest : undefined;
	}

	/** The caller makes sure that the customer has no open conversation. */
	create(details: NewConversation): Conversation {
		const conversation = this.store(details);
		this.log.add<StateEntry>({
			kind: 'state',
			conversationId: conversation.id,
			from: null,
			to: 'waiting',
		});
		return conversation;
	}

	/** Adds waiting conversations of nobody in particular, without a word in the log, which they would drown. */
	createMany(channelId: string, count: number): void {
		for (let added = 0; added < count; added++) {
			this.store({
				channelId,
				customer: { id: randomUUID(), name: 'Customer' },
				context: [],
				skipsBot: false,
			});
		}
	}

	private store(details: NewConversation): Conversation {
		const conversation: Conversation = {
			...details,
			id: randomUUID(),
			sequence: this.list.length + 1,
			createdAt: Date.now(),
			state: 'waiting',
			lines: [],
			messages: [],
		};
		this.list.push(conversation);
		this.byId.set(conversation.id, conversation);
		const { channelId, customerId } = conversation;
		if (customerId !== undefined) this.newestOf.set(customerKey(channelId, customerId), conversation);
		return conversation;
	}

	changeState(conversation: Conversation, to: ConversationState): void {
		const from = conversation.state;
		if (from === to) return;
		conversation.state = to;
		this.log.add<StateEntry>({ kind: 'state', conversationId: conversation.id, from, to });
	}

	/** An id for a message or another activity: the time in milliseconds, never the same twice. */
	nextMessageId(): string {
		this.lastMessageId = Math.max(Date.now(), this.lastMessageId + 1);
		return String(this.lastMessageId);
	}

	/** Stores a message, for `/messages` and for the desk. */
	addMessage(
		conversation: Conversation,
		who: 'customer' | 'representative',
		{ from, ...content }: Pick<Message, 'from' | 'text' | 'attachments' | 'channelData'>,
	): Message {
		const messageId = this.nextMessageId();
		const timestamp = timestampOf(Number(messageId));
		const message: Message = { type: 'message', ...content, messageId, timestamp, from };
		conversation.messages.push(message);
		conversation.lines.push({
			at: new Date(Number(messageId)).toISOString(),
			who,
			name: from.name,
			text: message.text,
			attachments: message.attachments,
			messageId,
		});
		return message;
	}

	/** A line for the desk only. */
	addNote(conversation: Conversation, text: string): void {
		conversation.lines.push({ at: new Date().toISOString(), who: 'system', text });
	}
}
