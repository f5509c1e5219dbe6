import type { CommunicationSettings } from '../settings';
import type { World } from '../world';
import type {
	AddParticipantsRequest,
	CreateConversationRequest,
	RemoveParticipantsRequest,
	SendMessageRequest,
} from './contract';
import { CommunicationError } from './errors';
import { type ListPage, pageOf } from './lists';
import { checkContent } from './rules';
import type { CommunicationTemplate } from './templates';
import {
	type CommunicationConversation,
	type CommunicationMessage,
	contactsOf,
	type Participant,
	type Threads,
} from './threads';

export interface ApiParts {
	world: World;
	settings: { communication: CommunicationSettings };
	threads: Threads;
	templates: readonly CommunicationTemplate[];
}

/** A valid request. */
export interface CommunicationCall {
	operationId: string | null;
	/** The conversation or channel of the path. */
	id: string;
	/** The URL of the request, on the emulator's origin. */
	url: URL;
	body: unknown;
	/** Milliseconds since 1970. */
	now: number;
}

/** The answer to a call, and what the log records of it. */
export interface Done {
	status: number;
	body?: unknown;
	/** The conversation that was created. */
	conversationId?: string;
	/** The message that was stored. */
	messageId?: string;
}

interface InvalidParticipant {
	id: string;
	error: { code: string; message: string };
}

/** A conversation as the service shows it. */
const shown = (conversation: CommunicationConversation) => {
	const { deliveryChannelIds, id, outboundDeliveryStrategy, participants, topic } = conversation;
	return { id, topic, deliveryChannelIds, outboundDeliveryStrategy, participants };
};

/** Whether an id names a participant: it is the participant's own, or that of one of its contacts. */
const isNamed = (participant: Participant, id: string): boolean =>
	participant.id === id || contactsOf(participant).some((contact) => contact.id === id);

/** Whether the service refuses a participant. This is the emulator's own rule, for tests of clients that add participants. */
const isInvalidId = (id: string): boolean => id.includes('invalid');

/** The calls of Azure Communication Services, one method for each operation of the contract. */
export class CommunicationApi {
	constructor(private readonly parts: ApiParts) {}

	/** Carries out a call. @throws CommunicationError for what the service refuses */
	answer(call: CommunicationCall): Done {
		switch (call.operationId) {
			case 'communication.listConversations':
				return { status: 200, body: this.listConversations(call.url) };
			case 'communication.createConversation':
				return this.create(call.body as CreateConversationRequest);
			case 'communication.getConversation':
				return { status: 200, body: shown(this.present(call)) };
			case 'communication.deleteConversation':
				this.parts.threads.remove(this.present(call));
				return { status: 204 };
			case 'communication.terminateConversation':
				this.present(call).isTerminated = true;
				return { status: 200 };
			case 'communication.listMessages':
				return { status: 200, body: this.listMessages(this.present(call), call.url) };
			case 'communication.sendMessage':
				return this.send(this.present(call), call.body as SendMessageRequest, call.now);
			case 'communication.addParticipants':
				return this.add(this.present(call), call.body as AddParticipantsRequest);
			case 'communication.removeParticipants':
				return this.remove(this.present(call), call.body as RemoveParticipantsRequest);
			case 'communication.listTemplates':
				return { status: 200, body: this.listTemplates(call) };
			default:
				throw new Error(`The contract has a call ${call.operationId} that the emulator does not have`);
		}
	}

	/** @throws CommunicationError when the conversation does not exist */
	private present({ id }: CommunicationCall): CommunicationConversation {
		const conversation = this.parts.threads.find(id);
		if (conversation) return conversation;
		throw new CommunicationError('ConversationNotFound', `The conversation ${id} does not exist.`);
	}

	private page<T>(items: readonly T[], positionOf: (item: T) => number, url: URL): ListPage<T> {
		return pageOf(items, positionOf, url, this.parts.settings.communication);
	}

	private listConversations(url: URL): ListPage<unknown> {
		const participantId = url.searchParams.get('participantId');
		const channelId = url.searchParams.get('channelId')?.toLowerCase();
		const matching = this.parts.threads.conversations.filter(
			({ deliveryChannelIds, participants }) =>
				(participantId === null || participants.some((one) => isNamed(one, participantId))) &&
				(channelId === undefined || deliveryChannelIds.some((one) => one.toLowerCase() === channelId)),
		);
		const page = this.page(matching, ({ position }) => position, url);
		const { idAsConversationId } = this.parts.settings.communication.lists;
		const value = page.value.map((conversation) => {
			const { id, ...rest } = shown(conversation);
			return idAsConversationId ? { conversationId: id, ...rest } : { id, ...rest };
		});
		return { ...page, value };
	}

	private create({ conversation: given, initialMessage }: CreateConversationRequest): Done {
		const { threads, world } = this.parts;
		const unknown = (given.deliveryChannelIds ?? []).find(
			(id) => id.toLowerCase() !== world.communicationChannelId,
		);
		if (unknown !== undefined) {
			// This is inferred, and so is that a conversation may have no channel.
			throw new CommunicationError('BadRequest', `The channel ${unknown} does not exist.`, {
				target: 'conversation.deliveryChannelIds',
			});
		}
		const conversation = threads.create(given);
		const message = initialMessage && threads.send(conversation, { kind: 'text', ...initialMessage });
		return {
			status: 201,
			body: shown(conversation),
			conversationId: conversation.id,
			messageId: message?.id,
		};
	}

	private listMessages({ messages, participants }: CommunicationConversation, url: URL): unknown {
		const participantId = url.searchParams.get('participantId');
		const sender = participants.find((one) => participantId !== null && isNamed(one, participantId));
		const matching = messages.filter(
			({ senderCommunicationIdentifier }) =>
				participantId === null || senderCommunicationIdentifier === (sender?.id ?? participantId),
		);
		const newestFirst: CommunicationMessage[] = matching.reverse();
		return this.page(newestFirst, ({ sequenceId }) => -sequenceId, url);
	}

	private send(conversation: CommunicationConversation, body: SendMessageRequest, now: number): Done {
		const { templates, threads, world } = this.parts;
		if (conversation.isTerminated) {
			throw new CommunicationError('ConversationTerminated', 'The conversation is terminated.');
		}
		const strategy = body.outboundDeliveryStrategy ?? conversation.outboundDeliveryStrategy;
		const isOnChannel = conversation.deliveryChannelIds.some(
			(id) => id.toLowerCase() === world.communicationChannelId,
		);
		checkContent(body.request, strategy, conversation, isOnChannel ? templates : [], now);
		const { id: messageId } = threads.send(conversation, body.request);
		return { status: 200, body: { messageId }, messageId };
	}

	private add(conversation: CommunicationConversation, { participants }: AddParticipantsRequest): Done {
		const invalid = participants.flatMap((participant): InvalidParticipant[] => {
			const contact = contactsOf(participant).find(({ id }) => isInvalidId(id));
			if (!contact) {
				this.parts.threads.addParticipant(conversation, participant);
				return [];
			}
			const message = `The contact ${contact.id} is not valid.`;
			return [{ id: contact.id, error: { code: 'BadRequest', message } }];
		});
		return { status: 207, body: { invalidParticipants: invalid } };
	}

	private remove(
		conversation: CommunicationConversation,
		{ participantIds }: RemoveParticipantsRequest,
	): Done {
		const invalid = participantIds.flatMap((id): InvalidParticipant[] => {
			const { participants } = conversation;
			const index = participants.findIndex((one) => isNamed(one, id));
			if (index >= 0 && !isInvalidId(id)) {
				participants.splice(index, 1);
				return [];
			}
			return [{ id, error: { code: 'NotFound', message: `There is no participant ${id}.` } }];
		});
		return { status: 207, body: { invalidParticipants: invalid } };
	}

	private listTemplates({ id, url }: CommunicationCall): unknown {
		const { templates, world } = this.parts;
		if (id.toLowerCase() !== world.communicationChannelId) {
			throw new CommunicationError('ChannelNotFound', `The channel ${id} does not exist.`);
		}
		return this.page(templates, (template) => templates.indexOf(template), url);
	}
}
