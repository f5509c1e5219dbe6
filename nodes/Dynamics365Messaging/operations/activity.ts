import type { IDataObject } from 'n8n-workflow';
import { conversationPath, type ApiRequest } from '../api/request';
import { messageIdOf, withoutEmpty } from './fields';

/** An activity on its way out, but for `channelId` and `conversation`, which `activityRequest` adds. Source: seed 002. */
export type OutgoingActivity =
	| {
			type: 'message';
			id?: string;
			from?: Record<string, unknown>;
			text?: string;
			attachments?: Array<Record<string, unknown>>;
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

/** The request that sends an activity into a conversation of a channel. */
export function activityRequest(
	channelId: string,
	conversationId: string,
	activity: OutgoingActivity,
): ApiRequest {
	return {
		method: 'POST',
		path: conversationPath(conversationId),
		body: withoutEmpty({ ...activity, channelId, conversation: { id: conversationId } }),
	};
}

/** The item that tells of an activity that was sent. */
export function sentItem(conversationId: string): (answer: unknown) => IDataObject[] {
	return (answer) => [{ conversationId, messageId: messageIdOf(answer) }];
}
