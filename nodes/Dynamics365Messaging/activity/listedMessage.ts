import { isoTimeOf } from '../../shared/isoTime';
import { isRecord, nonEmptyText, readKey, type Json } from '../../shared/json';
import type { ActivityBody, EventType, Sender, SpeakerType } from './items';
import { messageContentOf, type MessageContent } from './message';
import { eventNameOf, senderOf } from './read';
import { tagsOf } from './tags';

/** An entry of the list of messages. What it shares with the trigger's items has the same names there. */
export interface ListedMessage extends MessageContent {
	conversationId: string;
	from: Sender | null;
	/** Null where the service does not tell. */
	fromType: SpeakerType | null;
	/** ISO 8601 in UTC; null where it is not known. */
	sentAt: string | null;
	/** The ID that the service gave it, which Mark as Read takes. */
	messageId: string | null;
	eventType: EventType;
	/** The name of a conversation event; null for what somebody said. */
	eventName: string | null;
	/** The ID that its sender gave it; typically null. */
	activityId: string | null;
	/** The unchanged entry. */
	activity: ActivityBody;
}

/**
 * Tells who said a message of the list; null where the service does not tell. An AI agent counts as a representative, as
 * nothing tells the two apart. Source: docs/service-facts.md#speakers-of-messages.
 */
function speakerOf(activity: ActivityBody, isEvent: boolean): SpeakerType | null {
	const channelData = readKey(activity, 'channelData');
	const tags = tagsOf(channelData);
	if (isEvent || tags.has('system')) return 'system';
	if (tags.has('fromcustomer') || isRecord(readKey(channelData, 'messagingapi-oc'))) return 'customer';
	return tags.has('public') ? 'representative' : null;
}

/**
 * Reads an entry of the list of messages. Pure. Source: docs/service-facts.md#list-messages.
 * @param entry whatever is no object has neither words nor a sender.
 */
export function readListedMessage(entry: Json, conversationId: string): ListedMessage {
	const activity = isRecord(entry) ? entry : {};
	const type = nonEmptyText(readKey(activity, 'type'))?.trim().toLowerCase() ?? '';
	const { text, plainText, ...content } = messageContentOf(activity);
	const eventName = eventNameOf(activity, type, text);
	const { attachments, buttons, cards, ...rest } = content;
	return {
		text,
		plainText,
		conversationId,
		from: senderOf(activity),
		fromType: speakerOf(activity, eventName !== null),
		sentAt: isoTimeOf(readKey(activity, 'timestamp')),
		messageId: nonEmptyText(readKey(activity, 'messageId')),
		attachments,
		buttons,
		cards,
		eventType: eventName !== null ? 'conversationEvent' : type === 'message' ? 'message' : 'other',
		eventName,
		activityId: nonEmptyText(readKey(activity, 'id')),
		...rest,
		activity,
	};
}
