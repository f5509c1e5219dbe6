import { randomUUID } from 'node:crypto';
import type { DeliveredAttachment, DeliveredCard, Sender, SuggestedAction } from './activities';
import type { ConversationState, Log, StateEntry } from '../log';

/** A message of the customer or the representative, as `/messages` lists it. */
export interface Message {
	type: 'message';
	attachments: DeliveredAttachment[];
	/** `/messages` lists them among the attachments. */
	cards?: DeliveredCard[];
	text: string;
	messageId: string;
	timestamp: string;
	from: Sender;
	channelData: Record<string, unknown>;
}

/** A line of a conversation as the desk shows it. */
export interface Line {
	/** ISO 8601. */
	at: string;
	who: 'customer' | 'representative' | 'system';
	name?: string;
	text?: string;
	/** Whether the text is to be shown as it stands; otherwise it is Markdown. */
	isPlain?: true;
	attachments?: DeliveredAttachment[];
	cards?: DeliveredCard[];
	buttons?: SuggestedAction[];
	messageId?: string;
	/** Whether it is for representatives only. */
	isPrivate?: true;
}

export interface ContextVariable {
	name: string;
	value: string | number | boolean;
	isDisplayable: boolean;
}

export interface Customer {
	/** The `customerid` of the request, or a new GUID when it has none. */
	id: string;
	name: string;
	email?: string;
	phone?: string;
}

/** A conversation of the Messaging API. */
export interface Conversation {
	id: string;
	/** In lower case. */
	channelId: string;
	/** Order of creation, from 1. */
	sequence: number;
	/** Milliseconds since the epoch. */
	createdAt: number;
	/** Milliseconds since the epoch. */
	closedAt?: number;
	state: ConversationState;
	/** The `customerid` of the request; undefined when it has none. */
	customerId?: string;
	customer: Customer;
	context: ContextVariable[];
	/** Whether the request asked for no AI agent (`skipdeflectionbot`). */
	skipsBot: boolean;
	representative?: Sender;
	/** How often it was transferred; undefined for never. */
	transfers?: number;
	/** The title of the case that it is linked to. */
	caseTitle?: string;
	lines: Line[];
	messages: Message[];
	/** The customer has read everything up to this message. */
	readUpTo?: string;
	/** When the customer last typed, ISO 8601. */
	customerTypedAt?: string;
}

type NewConversation = Pick<Conversation, 'channelId' | 'customerId' | 'customer' | 'context' | 'skipsBot'>;

const customerKey = (channelId: string, customerId: string) => `${channelId} ${customerId}`;

/**
 * Whether a conversation accepts activities, and is listed as active: it is waiting or active, not in wrap-up or closed.
 * Source: docs/service-facts.md#list-conversations.
 */
export const isOpen = ({ state }: Conversation): boolean => state === 'waiting' || state === 'active';

/**
 * Writes a timestamp in the form of the service, with seven decimals and a numeric offset.
 * The last four decimals are derived from the milliseconds, so that the same time always gives the same text.
 */
export function timestampOf(epochMs: number): string {
	const digits = String((epochMs * 7919) % 10_000).padStart(4, '0');
	return new Date(epochMs).toISOString().replace('Z', `${digits}+00:00`);
}

/** Reads ISO 8601 as milliseconds since 1970. A time without an offset is UTC. */
export function epochOf(timestamp: string): number {
	const hasOffset = /(Z|[+-]\d{2}:\d{2})$/.test(timestamp) || !timestamp.includes('T');
	return Date.parse(hasOffset ? timestamp : `${timestamp}Z`);
}

/** All conversations, in memory. */
export class Conversations {
	private readonly list: Conversation[] = [];
	private readonly closedOnes: Conversation[] = [];
	private readonly byId = new Map<string, Conversation>();
	/** The newest conversation of each customer of a channel. No older one can be open. */
	private readonly newestOf = new Map<string, Conversation>();
	private lastMessageId = 0;

	constructor(private readonly log: Log) {}

	/** All conversations in the order of their creation. */
	all(): readonly Conversation[] {
		return this.list;
	}

	/** The closed conversations in the order of their ends. */
	closed(): readonly Conversation[] {
		return this.closedOnes;
	}

	find(id: string): Conversation | undefined {
		return this.byId.get(id.toLowerCase());
	}

	/** The open conversation of a customer, by its `customerid`; undefined when there is none. */
	openOf(channelId: string, customerId: string): Conversation | undefined {
		const newest = this.newestOf.get(customerKey(channelId, customerId));
		return newest && isOpen(newest) ? newest : undefined;
	}

	/** Adds a conversation and logs it. The caller must make sure that the customer has no open one. */
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

	/** Adds waiting conversations without a customer id. They are not logged, because they would crowd out everything else. */
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
		if (to === 'closed') {
			conversation.closedAt = Date.now();
			this.closedOnes.push(conversation);
		}
		this.log.add<StateEntry>({ kind: 'state', conversationId: conversation.id, from, to });
	}

	/** Makes an id for a message or another activity: the time in milliseconds, but never the same twice. */
	nextMessageId(): string {
		this.lastMessageId = Math.max(Date.now(), this.lastMessageId + 1);
		return String(this.lastMessageId);
	}

	/**
	 * Stores a message, for `/messages` and for the desk.
	 *
	 * @param shown what the desk alone shows: quick replies, which `/messages` does not list, and whether the text is plain
	 */
	addMessage(
		conversation: Conversation,
		who: 'customer' | 'representative',
		{
			from,
			...content
		}: Pick<Message, 'from' | 'text' | 'attachments' | 'cards'> & Partial<Pick<Message, 'channelData'>>,
		{ buttons = [], isPlain = false }: { buttons?: SuggestedAction[]; isPlain?: boolean } = {},
	): Message {
		const messageId = this.nextMessageId();
		const timestamp = timestampOf(Number(messageId));
		// That these tags come along, as in a live chat, is inferred.
		const tags = who === 'customer' ? 'FromCustomer' : 'public';
		const channelData = { ...content.channelData, tags };
		const message: Message = { type: 'message', ...content, messageId, timestamp, from, channelData };
		conversation.messages.push(message);
		conversation.lines.push({
			at: new Date(Number(messageId)).toISOString(),
			who,
			name: from.name,
			text: message.text,
			...(isPlain && { isPlain }),
			attachments: message.attachments,
			...(message.cards?.length && { cards: message.cards }),
			...(buttons.length > 0 && { buttons }),
			messageId,
		});
		return message;
	}

	/** Words for representatives: no customer sees them, and `/messages` does not list them. */
	addPrivateNote(conversation: Conversation, from: Sender, text: string): void {
		conversation.lines.push({
			at: new Date().toISOString(),
			who: 'representative',
			name: from.name,
			text,
			messageId: this.nextMessageId(),
			isPrivate: true,
		});
	}

	/** A line for the desk, and a notice of the transcript. */
	addNote(conversation: Conversation, text: string): void {
		conversation.lines.push({ at: new Date().toISOString(), who: 'system', text });
	}
}
