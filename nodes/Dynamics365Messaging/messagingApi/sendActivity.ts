import type { IDataObject } from 'n8n-workflow';
import { conversationPath, type SendRequest } from './request';
import { withoutEmpty } from '../../shared/action/fields';
import { messageIdOf } from '../operations/fields';
import type { BinaryFile } from '../operations/files';

/** A file that goes with a message; one of a binary field gets its content when it is sent. */
export interface OutgoingAttachment {
	contentType: string;
	contentUrl: string | BinaryFile;
	name: string;
}

/**
 * An activity on its way out, but for `channelId` and `conversation`, which `activityRequest` adds.
 * Source: docs/service-facts.md#activities-sent.
 */
export type OutgoingActivity =
	| {
			type: 'message';
			id?: string;
			from?: Record<string, unknown>;
			text?: string;
			attachments?: OutgoingAttachment[];
			channelData?: { 'messagingapi-oc': { type: 'AutomatedMessage' } };
	  }
	| { type: 'typing'; from: { name: string } }
	| { type: 'endOfConversation' }
	| { type: 'event'; name: 'MessageRead'; value: { messageId: string } }
	| {
			type: 'event';
			name: string;
			from?: Record<string, unknown>;
			channelData: { customEvent: true; customEventName: string; customEventValue: string };
	  };

/**
 * How a person finds out whether an activity arrived whose answer was lost.
 * Source: docs/service-facts.md#activities-sent.
 */
function howToVerify(activity: OutgoingActivity, conversationId: string): string {
	switch (activity.type) {
		case 'message':
			return `Check whether it is in conversation ${conversationId} (Message: Get Many) before you repeat it.`;
		case 'typing':
			return 'It does no harm twice: repeat it if it still matters.';
		case 'endOfConversation':
			return `Check whether conversation ${conversationId} is still active (Conversation: Get Many); ending it twice does no harm.`;
		case 'event':
			return 'channelData' in activity
				? 'Custom events are not among the messages of a conversation: look at what the AI agent made of it before you repeat it.'
				: 'It does no harm twice: repeat it.';
	}
}

/** The request that sends an activity into a conversation of a channel. */
export function activityRequest(
	channelId: string,
	conversationId: string,
	activity: OutgoingActivity,
): SendRequest {
	return {
		method: 'POST',
		path: conversationPath(conversationId),
		body: withoutEmpty({ ...activity, channelId, conversation: { id: conversationId } }),
		// The service promises nothing of a repeated activity, so even one that would do no harm is sent once.
		isIdempotent: false,
		howToVerify: howToVerify(activity, conversationId),
	};
}

/** The item that tells of an activity that was sent. */
export function sentItem(conversationId: string): (answer: unknown) => IDataObject[] {
	return (answer) => [{ conversationId, messageId: messageIdOf(answer) }];
}
