import { randomUUID } from 'node:crypto';
import type { Settings } from '../settings';
import { type Attachments, embeddedBytes } from './attachments';
import type { Activity, CreateConversation } from './contract';
import {
	type Conversation,
	type Conversations,
	epochOf,
	isOpen,
	type Message,
	timestampOf,
} from './conversations';
import { type Deliveries, sendSystemEvent } from './deliveries';
import { ServiceError } from './errors';
import { firstIndex, type Page, Pager } from './pages';

const DEFAULT_PAGE_SIZE = 50;

/** The parts of the emulator that the Messaging API works with. */
export interface MessagingParts {
	settings: Settings;
	conversations: Conversations;
	deliveries: Deliveries;
	attachments: Attachments;
}

/** The body of an answer, and what the log records of the call. */
export interface Done {
	body: unknown;
	/** The conversation that was created or found. */
	conversationId?: string;
	/** The message that was stored. */
	messageId?: string;
}

/** A valid request. */
export interface MessagingCall {
	/** The `channel-id` header, in lower case. */
	channelId: string;
	query: URLSearchParams;
	body: unknown;
	conversation: Conversation | undefined;
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

/** @throws ServiceError for a conversation in wrap-up or closed. Source: docs/service-facts.md#conversation-states. */
function mustBeActive(conversation: Conversation): void {
	if (!isOpen(conversation)) throw new ServiceError(30013, 'The conversation is closed.');
}

/** The behaviour of the Messaging API, one method for each operation of the contract. */
export class MessagingApi {
	private readonly conversationPages: Pager<Conversation>;
	private readonly messagePages: Pager<Message>;

	constructor(private readonly parts: MessagingParts) {
		this.conversationPages = new Pager(parts.settings, { fresh: randomUUID });
		let madeUp = 0;
		this.messagePages = new Pager(parts.settings, {
			// A time before all messages, so that it never equals the timestamp of one.
			fresh: () => `1970-01-01T00:00:00.${String(++madeUp).padStart(7, '0')}+00:00`,
			// All timestamps have the same form, so that sorting them as strings sorts them by time.
			byEntry: {
				write: ({ timestamp }) => timestamp,
				read: (messages, token) => firstIndex(messages, ({ timestamp }) => timestamp > token),
			},
		});
	}

	/** Carries out a call. @throws ServiceError for what the service refuses */
	answer(operationId: string, call: MessagingCall): Done {
		switch (operationId) {
			case 'createConversation':
			case 'createConversationOlderPath':
				return this.create(call.channelId, call.body as CreateConversation);
			case 'sendActivity':
				return this.send(this.present(call), call.body as Activity);
			case 'listConversations':
				return { body: this.listConversations(call) };
			case 'listMessages':
				return { body: this.listMessages(this.readable(call), call.query) };
			case 'getContext':
				return { body: this.context(this.readable(call)) };
			default:
				throw new Error(`The contract has an operation ${operationId} that the emulator does not have`);
		}
	}

	private present({ channelId, conversation }: MessagingCall): Conversation {
		if (conversation?.channelId === channelId) return conversation;
		throw new ServiceError(30013, 'The conversation does not exist.');
	}

	/** The conversation whose messages or context a call reads. */
	private readable(call: MessagingCall): Conversation {
		const conversation = this.present(call);
		if (!this.parts.settings.readAfterClose) mustBeActive(conversation);
		return conversation;
	}

	private create(channelId: string, body: CreateConversation): Done {
		const { conversations } = this.parts;
		const customer = body.customercontext ?? {};
		const active = customer.customerid ? conversations.openOf(channelId, customer.customerid) : undefined;
		// The start message is lost here, as in the service.
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

	private send(conversation: Conversation, activity: Activity): Done {
		const { conversations, attachments } = this.parts;
		if (activity.channelId !== undefined && activity.channelId.toLowerCase() !== conversation.channelId) {
			throw new ServiceError(30002, 'The channelId of the activity must match the channel-id header.');
		}
		if (activity.conversation.id.toLowerCase() !== conversation.id) {
			throw new ServiceError(30005, 'The conversation.id of the activity must match the one in the URL.');
		}
		mustBeActive(conversation);

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
				// That this event is sent is inferred from its name.
				sendSystemEvent(this.parts, conversation, 'CustomerDisconnected');
				return { body: { messageId: conversations.nextMessageId() } };
			case 'event':
				if ('value' in activity) {
					conversation.readUpTo = activity.value.messageId;
					return { body: { messageId: '', message: null } };
				}
				conversations.addNote(conversation, `Custom event of the customer: ${activity.name}`);
				return { body: { messageId: conversations.nextMessageId() } };
		}
	}

	/** Refuses a message with a file that is too large. That it is refused without a code is inferred. */
	private checkSizes(files: { name: string; contentUrl: string }[]): void {
		const { maxAttachmentBytes } = this.parts.settings;
		for (const { contentUrl, name } of files) {
			const size = embeddedBytes(contentUrl);
			if (size <= maxAttachmentBytes) continue;
			const detail = `The attachment ${name} has ${size} bytes; the organization allows ${maxAttachmentBytes}.`;
			throw new ServiceError(null, detail, { status: 400, title: 'Bad Request' });
		}
	}

	private listConversations({ channelId, query }: MessagingCall): unknown {
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
		const listed = entries.map(({ cards = [], ...message }) => ({
			...message,
			attachments: [...message.attachments, ...cards],
		}));
		return { messages: listed, ...(token !== undefined && { continuationToken: token }) };
	}

	private context({ createdAt, context }: Conversation): unknown {
		const isThere = Date.now() - createdAt >= this.parts.settings.contextLagMs;
		return { context: isThere ? context.map(({ name, value }) => ({ name, value })) : [] };
	}
}
