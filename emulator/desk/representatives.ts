import { randomUUID } from 'node:crypto';
import {
	type Activity,
	customEvent,
	type DeliveredCard,
	message,
	type Sender,
	type SuggestedAction,
	typing as typingActivity,
} from '../messaging/activities';
import type { AttachedFile, Attachments } from '../messaging/attachments';
import type { Channels } from '../dataverse/channels';
import { type Conversation, type Conversations, isOpen } from '../messaging/conversations';
import { type Deliveries, sendSystemEvent } from '../messaging/deliveries';
import type { DeliveryEntry, DeskAction, DeskEntry, Log } from '../log';
import type { Settings } from '../settings';

/** The error for an action that is not possible; `status` is that of the answer of the desk's HTTP API. */
export class DeskError extends Error {
	constructor(
		readonly status: 400 | 404 | 409 | 502,
		text: string,
	) {
		super(text);
		this.name = 'DeskError';
	}
}

const REPRESENTATIVES = ['Ada Meyer', 'Jonas Lind', 'Priya Nair', 'Marco Conti'];

/** What a representative sends. */
export interface Reply {
	text?: string;
	/** Whether the text is to be shown as it stands. Default: it is Markdown. */
	isPlain?: boolean;
	files?: AttachedFile[];
	buttons?: Array<string | SuggestedAction>;
	card?: DeliveredCard;
}

/** A button that sends back what it says, unless it is told otherwise. */
function quickReply(button: string | SuggestedAction): SuggestedAction {
	return typeof button === 'string' ? { type: 'imBack', title: button, value: button } : button;
}

/** The parts of the emulator that the desk works with. */
interface DeskParts {
	settings: Settings;
	log: Log;
	channels: Channels;
	conversations: Conversations;
	deliveries: Deliveries;
	attachments: Attachments;
}

/**
 * The actions of representatives and of the AI agent. Each method changes the conversation and queues the activities
 * that the service would deliver. Each throws {@link DeskError} for a conversation that does not exist (404), or whose
 * state does not allow the action (409).
 */
export class Desk {
	constructor(private readonly parts: DeskParts) {}

	/** Returns all conversations, including closed ones, in the order of their creation. */
	list(): Conversation[] {
		return [...this.parts.conversations.all()];
	}

	get(conversationId: string): Conversation {
		const conversation = this.parts.conversations.find(conversationId);
		if (!conversation) throw new DeskError(404, `There is no conversation ${conversationId}.`);
		return conversation;
	}

	/** A representative accepts a waiting conversation. */
	accept(conversationId: string, { agentName }: { agentName?: string } = {}): void {
		const conversation = this.get(conversationId);
		if (conversation.state !== 'waiting') {
			throw new DeskError(
				409,
				`Only a waiting conversation can be accepted; this one is ${conversation.state}.`,
			);
		}
		conversation.representative = this.nextRepresentative(conversation, agentName);
		this.parts.conversations.changeState(conversation, 'active');
		this.did('accept', conversation, conversation.representative.name);
		sendSystemEvent(this.parts, conversation, 'AgentAccepted');
	}

	/** The representative is typing. */
	typing(conversationId: string): void {
		const { conversation } = this.active(conversationId);
		this.did('typing', conversation);
		this.parts.deliveries.send(conversation.id, typingActivity(conversation, conversation.customer.id));
	}

	/**
	 * The representative sends a message.
	 *
	 * @param reply a text in Markdown unless it is plain, files, quick replies (the texts of their buttons), a card of Bot Framework (its attachment),
	 * or several of these
	 * @returns the id of the message, as `/messages` lists it
	 */
	reply(
		conversationId: string,
		{ text = '', isPlain = false, files = [], buttons = [], card }: Reply,
	): { messageId: string } {
		const { conversation, representative } = this.active(conversationId);
		if (!text && files.length === 0 && !card)
			throw new DeskError(400, 'A reply needs a text, a file or a card.');
		const attachments = files.map((file) => this.parts.attachments.add(file));
		const cards = card ? [card] : [];
		const suggestedActions = buttons.map(quickReply);
		const stored = this.parts.conversations.addMessage(
			conversation,
			'representative',
			{ from: representative, text, attachments, cards },
			{ buttons: suggestedActions, isPlain },
		);
		const told = [text, ...files.map(({ name }) => name), ...cards.map(({ contentType }) => contentType)];
		this.did('reply', conversation, told.filter(Boolean).join(' · '));
		const activity = message(conversation, representative, {
			text,
			isPlain,
			attachments: [...attachments, ...cards],
			suggestedActions,
		});
		this.parts.deliveries.send(conversation.id, activity);
		return { messageId: stored.messageId };
	}

	/** The representative writes something for colleagues, which the customer does not see. */
	privateNote(conversationId: string, text: string): void {
		const { conversation, representative } = this.active(conversationId);
		if (!text) throw new DeskError(400, 'A private note needs a text.');
		this.parts.conversations.addPrivateNote(conversation, representative, text);
		this.did('privateNote', conversation);
	}

	/** Links the conversation to a case, by its title. */
	linkCase(conversationId: string, title: string): void {
		const conversation = this.get(conversationId);
		if (!title) throw new DeskError(400, 'A case needs a title.');
		conversation.caseTitle = title;
		this.did('linkCase', conversation, title);
	}

	/** Transfers the conversation to a queue or to a colleague. Another representative accepts it at once. */
	transfer(
		conversationId: string,
		{ to = 'queue', agentName }: { to?: 'queue' | 'agent'; agentName?: string } = {},
	): void {
		const { conversation } = this.active(conversationId);
		const next = this.nextRepresentative(conversation, agentName);
		this.did('transfer', conversation, `to ${to}: ${next.name}`);
		const [initiated, taken] =
			to === 'queue'
				? ['TransferToQueueInitiated', 'AgentAccepted']
				: ['TransferToAgentInitiated', 'TransferAgentAcceptSession'];
		sendSystemEvent(this.parts, conversation, initiated);
		conversation.representative = next;
		conversation.transfers = (conversation.transfers ?? 0) + 1;
		sendSystemEvent(this.parts, conversation, taken);
	}

	/** No representative is on duty: sends that event to a waiting conversation, which stays waiting. */
	outOfHours(conversationId: string, { holiday = false }: { holiday?: boolean } = {}): void {
		const conversation = this.get(conversationId);
		if (conversation.state !== 'waiting') {
			throw new DeskError(
				409,
				`Only a waiting conversation is out of hours; this one is ${conversation.state}.`,
			);
		}
		this.did('outOfHours', conversation, holiday ? 'holiday' : undefined);
		sendSystemEvent(
			this.parts,
			conversation,
			holiday ? 'OutOfOperatingHoursDueToHoliday' : 'OutOfOperatingHoursDueToNonWorkingHours',
		);
	}

	/**
	 * The AI agent (Copilot Studio) sends a custom event.
	 *
	 * @param event its `value` is sent as JSON; a string is sent as it is
	 */
	customEvent(conversationId: string, { name, value }: { name: string; value: unknown }): void {
		const conversation = this.get(conversationId);
		if (!isOpen(conversation)) throw new DeskError(409, `The conversation is ${conversation.state}.`);
		if (!name) throw new DeskError(400, 'A custom event needs a name.');
		this.did('customEvent', conversation, name);
		this.parts.conversations.addNote(conversation, `Custom event ${name}`);
		const { webhookUrl } = this.parts.channels.find(conversation.channelId) ?? {};
		const activity = customEvent(conversation, {
			id: this.parts.conversations.nextMessageId(),
			serviceUrl: `${(webhookUrl ?? 'https://webhook.invalid').replace(/\/+$/, '')}/`,
			name,
			value: typeof value === 'string' ? value : JSON.stringify(value ?? {}),
		});
		this.parts.deliveries.send(conversation.id, activity);
	}

	/** The representative ends the conversation, and may still write notes. It accepts no more activities. */
	wrapUp(conversationId: string): void {
		const { conversation } = this.active(conversationId);
		this.did('wrapUp', conversation);
		this.endByRepresentative(conversation);
	}

	/** Closes the conversation in any state. Sends `AgentClosed` if it was active, then `ConversationClosed`. */
	close(conversationId: string): void {
		const conversation = this.get(conversationId);
		if (conversation.state === 'closed') throw new DeskError(409, 'The conversation is closed already.');
		this.did('close', conversation);
		if (conversation.state === 'active') this.endByRepresentative(conversation);
		this.parts.conversations.changeState(conversation, 'closed');
		sendSystemEvent(this.parts, conversation, 'ConversationClosed', conversation.representative);
	}

	/** Delivers any activity unchanged, even to a conversation that does not exist. */
	deliver(conversationId: string, activity: Activity): DeliveryEntry {
		this.parts.log.add<DeskEntry>({ kind: 'desk', action: 'deliver', conversationId });
		return this.parts.deliveries.send(conversationId, activity, { raw: true });
	}

	private endByRepresentative(conversation: Conversation): void {
		this.parts.conversations.changeState(conversation, 'wrapUp');
		sendSystemEvent(this.parts, conversation, 'AgentClosed', conversation.representative);
	}

	private active(conversationId: string): { conversation: Conversation; representative: Sender } {
		const conversation = this.get(conversationId);
		const { representative, state } = conversation;
		if (state !== 'active' || !representative) {
			const hint = state === 'waiting' ? 'Accept it first.' : '';
			throw new DeskError(409, `The conversation is ${state}, not active. ${hint}`.trim());
		}
		return { conversation, representative };
	}

	/** Chooses a representative other than the one who has the conversation now. */
	private nextRepresentative({ representative, sequence }: Conversation, name?: string): Sender {
		const others = REPRESENTATIVES.filter((one) => one !== representative?.name);
		return { id: randomUUID(), name: name || others[sequence % others.length] };
	}

	private did(action: DeskAction, conversation: Conversation, detail?: string): void {
		this.parts.log.add<DeskEntry>({ kind: 'desk', action, conversationId: conversation.id, detail });
	}
}
