import type { Json } from '../../shared/json';
import type { EventCategory } from './events';

/** The body of a delivery: a Bot Framework activity, or what claims to be one. */
export type ActivityBody = { [key: string]: Json };

/** Who an activity is from; the keys in camelCase, whichever way they came. */
export interface Sender {
	id: string | null;
	name: string | null;
}

export interface Attachment {
	contentType: string | null;
	/** Where the file is, or the file itself as a data URI. Not changed in any way. */
	contentUrl: string | null;
	name: string | null;
	/** Typically null, as documented. */
	content: Json;
	/** Typically null, as documented. */
	thumbnailUrl: string | null;
}

/** The event types, in the order of the trigger's outputs. */
export const EVENT_TYPES = ['message', 'typing', 'conversationEvent', 'customEvent', 'other'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

interface CommonItem {
	conversationId: string;
	/** The channel's GUID, or the word `MessagingApi`; null where it was not given. */
	channelId: string | null;
	/** Null for most: only custom events have one in the documentation. */
	activityId: string | null;
	from: Sender | null;
	/** Whether this surely ends the customer's conversation. */
	conversationEnded: boolean;
	/** ISO 8601, in UTC: when n8n received it, as activities carry no time of their own. */
	receivedAt: string;
	/** The body exactly as it came. */
	activity: ActivityBody;
}

/** A representative or an AI agent says something. */
export interface MessageItem extends CommonItem {
	eventType: 'message';
	/** Null where there are attachments only. */
	text: string | null;
	/** The text without its Markdown and `<br>`; null where there is none. */
	plainText: string | null;
	/** `markdown` as documented; null where it was not given. */
	textFormat: string | null;
	attachments: Attachment[];
}

/** A representative is typing. */
export interface TypingItem extends CommonItem {
	eventType: 'typing';
}

/** Something happened to the conversation: somebody joined, left, it was transferred or closed. */
export interface ConversationEventItem extends CommonItem {
	eventType: 'conversationEvent';
	eventName: string;
	eventCategory: EventCategory;
}

/** An AI agent of Copilot Studio tells the workflow something. */
export interface CustomEventItem extends CommonItem {
	eventType: 'customEvent';
	customEventName: string | null;
	/** Parsed where it is JSON, else the text as it came. */
	customEventValue: Json;
}

/** Any other type of activity. */
export interface OtherItem extends CommonItem {
	eventType: 'other';
}

/** What the trigger emits: which fields there are follows from `eventType`. */
export type TriggerItem = MessageItem | TypingItem | ConversationEventItem | CustomEventItem | OtherItem;
