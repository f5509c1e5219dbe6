import { randomUUID } from 'node:crypto';
import type { World } from '../world';
import type { Contact, CreateConversationRequest, Participant as NewParticipant } from './contract';

export type Participant = NewParticipant & { id: string };

type Given = CreateConversationRequest['conversation'];
export type DeliveryStrategy = NonNullable<Given['outboundDeliveryStrategy']>;

/** A message as the service lists it. */
export interface CommunicationMessage {
	/** 13 digits; the later a message, the higher. */
	id: string;
	/** Counts from 1. */
	sequenceId: number;
	/** The content that was sent: `kind` and its fields. */
	message: { kind: string };
	senderDisplayName: string;
	/** ISO 8601 with seven decimals. */
	createdOn: string;
	senderCommunicationIdentifier: string;
}

export interface CommunicationConversation {
	/** `19:…@thread.v2`. */
	id: string;
	/** Rises from one conversation to the next. */
	position: number;
	topic?: string;
	deliveryChannelIds: string[];
	outboundDeliveryStrategy: DeliveryStrategy;
	participants: Participant[];
	/** The oldest first. */
	messages: CommunicationMessage[];
	/** Milliseconds since 1970; undefined when no customer has ever written. */
	lastCustomerMessageAt: number | undefined;
	isTerminated: boolean;
}

/** How long after a customer's message the business may write freely. Source: docs/service-facts.md#acs-whatsapp-rules. */
const WINDOW_MS = 24 * 3_600_000;

export const contactsOf = (participant: NewParticipant): Contact[] =>
	participant.kind === 'external' ? participant.contacts : [participant.contact];

export const isOnWhatsApp = (participant: Participant): boolean =>
	participant.kind === 'external' && participant.contacts.some(({ kind }) => kind === 'whatsApp');

export const isWindowOpen = ({ lastCustomerMessageAt }: CommunicationConversation, now: number): boolean =>
	lastCustomerMessageAt !== undefined && now - lastCustomerMessageAt <= WINDOW_MS;

/** Gives a participant an id, and a customer the contact that the service adds in Microsoft's example. */
function admitted(participant: NewParticipant, prefix: string): Participant {
	if (participant.kind === 'internal')
		return { ...participant, id: participant.id ?? participant.contact.id };
	const own = participant.contacts.find(({ kind }) => kind === 'communication')?.id;
	const id = participant.id ?? own ?? `${prefix}${randomUUID()}`;
	const contacts: Contact[] =
		own === undefined ? [...participant.contacts, { id, kind: 'communication' }] : participant.contacts;
	return { ...participant, id, contacts };
}

const isSameContact = (one: Contact, other: Contact): boolean =>
	one.kind === other.kind && one.id === other.id;

/** The conversations of the one resource that the emulator has. */
export class Threads {
	/** The oldest first. */
	readonly conversations: CommunicationConversation[] = [];
	private lastPosition = 0;
	private lastMessageId = 0;

	constructor(private readonly world: World) {}

	/** Creates the conversation that exists from the start: a customer on WhatsApp has just written. */
	seed(): void {
		const { communicationChannelId, communicationConversationId, communicationUserId } = this.world;
		const { id } = this.create({
			id: communicationConversationId,
			topic: 'Order 1042',
			deliveryChannelIds: [communicationChannelId],
			participants: [
				{ kind: 'external', displayName: 'Ada', contacts: [{ id: '14255550123', kind: 'whatsApp' }] },
				{
					kind: 'internal',
					displayName: 'Contoso',
					contact: { id: communicationUserId, kind: 'communication' },
				},
			],
		});
		this.receive(id, 'Where is my order?');
	}

	find(id: string): CommunicationConversation | undefined {
		return this.conversations.find((conversation) => conversation.id === id);
	}

	create({ id, participants = [], ...given }: Given & { id?: string }): CommunicationConversation {
		const conversation: CommunicationConversation = {
			deliveryChannelIds: [],
			outboundDeliveryStrategy: 'allParticipants',
			...given,
			id: id ?? `19:${randomUUID()}@thread.v2`,
			position: ++this.lastPosition,
			participants: participants.map((participant) => this.admit(participant)),
			messages: [],
			lastCustomerMessageAt: undefined,
			isTerminated: false,
		};
		this.conversations.push(conversation);
		return conversation;
	}

	remove(conversation: CommunicationConversation): void {
		this.conversations.splice(this.conversations.indexOf(conversation), 1);
	}

	/** Adds a participant unless it is there already. */
	addParticipant(conversation: CommunicationConversation, participant: NewParticipant): void {
		const isThere = conversation.participants
			.flatMap(contactsOf)
			.some((known) => contactsOf(participant).some((contact) => isSameContact(known, contact)));
		if (!isThere) conversation.participants.push(this.admit(participant));
	}

	/** Adds a message of the business. Its sender is the first internal participant or, without one, the resource's own user. */
	send(conversation: CommunicationConversation, message: { kind: string }): CommunicationMessage {
		const sender = conversation.participants.find(({ kind }) => kind === 'internal');
		const senderId = sender?.id ?? this.world.communicationUserId;
		return this.add(conversation, message, senderId, sender?.displayName);
	}

	/** Adds a message of the customer, which opens the window of 24 hours. @throws Error when there is no such conversation or customer */
	receive(conversationId: string, text: string): CommunicationMessage {
		const conversation = this.required(conversationId);
		const customer = conversation.participants.find(({ kind }) => kind === 'external');
		if (!customer) throw new Error(`The conversation ${conversationId} has no customer.`);
		conversation.lastCustomerMessageAt = Date.now();
		const content = { kind: 'text', content: text };
		return this.add(conversation, content, customer.id, customer.displayName);
	}

	/** Dates the customer's last message back by more than 24 hours. @throws Error when there is no such conversation */
	closeWindow(conversationId: string): void {
		this.required(conversationId).lastCustomerMessageAt = Date.now() - WINDOW_MS - 1;
	}

	/** Adds that many conversations, to make lists long. They are not logged. */
	addConversations(count: number): void {
		for (let added = 0; added < count; added++) {
			const number = this.lastPosition + 1;
			this.create({
				topic: `Conversation ${number}`,
				deliveryChannelIds: [this.world.communicationChannelId],
				participants: [
					{
						kind: 'external',
						displayName: `Customer ${number}`,
						contacts: [{ id: String(14_255_560_000 + number), kind: 'whatsApp' }],
					},
				],
			});
		}
	}

	private required(id: string): CommunicationConversation {
		const conversation = this.find(id);
		if (!conversation) throw new Error(`There is no conversation ${id}.`);
		return conversation;
	}

	private admit(participant: NewParticipant): Participant {
		return admitted(participant, this.world.communicationUserId.replace(/[^_]*$/, ''));
	}

	private add(
		{ messages }: CommunicationConversation,
		message: { kind: string },
		senderId: string,
		senderName = '',
	): CommunicationMessage {
		this.lastMessageId = Math.max(Date.now(), this.lastMessageId + 1);
		const added = {
			id: String(this.lastMessageId),
			sequenceId: messages.length + 1,
			message,
			senderDisplayName: senderName,
			createdOn: new Date(this.lastMessageId).toISOString().replace('Z', '0000Z'),
			senderCommunicationIdentifier: senderId,
		};
		messages.push(added);
		return added;
	}
}

/** What tests and the demo may do with the conversations without a call. */
export type Communication = Readonly<
	Pick<Threads, 'conversations' | 'receive' | 'closeWindow' | 'addConversations'>
>;
