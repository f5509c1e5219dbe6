import type {
	Attachment,
	CustomEvent,
	EndOfConversation,
	Message,
	MessageRead,
	Typing,
} from '../../../emulator/messaging/contract';
import { nonEmptyText, readKey } from '../../shared/json';
import type { SendRequest } from '../../shared/transport/request';
import type { EmbeddedFile } from '../../shared/transport/requestBody';
import { conversationPath } from './request';

/** A file of a message: its URL, or the embedded file. */
export type OutgoingAttachment = Omit<Attachment, 'contentUrl'> & { contentUrl: string | EmbeddedFile };

/** The fields that `activityRequest` adds. */
type Address = 'channelId' | 'conversation';

/** A message to be sent, without channel and conversation. */
export type OutgoingMessage = Omit<Message, Address | 'attachments'> & { attachments?: OutgoingAttachment[] };

/** An activity to be sent, without channel and conversation. Source: docs/service-facts.md#activities-sent. */
export type OutgoingActivity =
	| OutgoingMessage
	| Omit<Typing, Address>
	| Omit<EndOfConversation, Address>
	| Omit<MessageRead, Address>
	| Omit<CustomEvent, Address>;

/**
 * How a user finds out whether an activity arrived whose answer was lost.
 * Source: docs/service-facts.md#activities-sent and, for an ended conversation, docs/service-facts.md#conversation-states.
 */
function howToVerify(activity: OutgoingActivity, conversationId: string): string {
	switch (activity.type) {
		case 'message':
			return `Check whether it is in conversation ${conversationId} (Message: Get Many, or Conversation: Get Transcript once it is closed) before you repeat it.`;
		case 'typing':
			return 'It does no harm twice: repeat it if it still matters.';
		case 'endOfConversation':
			return `Check whether conversation ${conversationId} is still active (Conversation: Get Context finds it no longer once it is closed); ending it twice does no harm.`;
		case 'event':
			return 'channelData' in activity
				? 'Custom events are not among the messages of a conversation: look at what the AI agent made of it before you repeat it.'
				: 'It does no harm twice: repeat it.';
	}
}

/**
 * The request that sends an activity into a conversation. It is never repeated, as the service promises nothing for a
 * repeated activity.
 */
export function activityRequest(
	channelId: string,
	conversationId: string,
	activity: OutgoingActivity,
): SendRequest<OutgoingActivity & Pick<Message, Address>> {
	return {
		method: 'POST',
		path: conversationPath(conversationId),
		body: { ...activity, channelId, conversation: { id: conversationId } },
		isIdempotent: false,
		howToVerify: howToVerify(activity, conversationId),
		confirmedBy: activity.type === 'message' ? 'messageId' : undefined,
	};
}

/** Reads a message's ID from an answer or an entry of a list; null where it is missing or empty. */
export function messageIdOf(answer: unknown): string | null {
	return nonEmptyText(readKey(answer, 'messageId'));
}
