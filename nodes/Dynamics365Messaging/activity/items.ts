import type { Json } from '../../shared/json';
import type { EventCategory } from './events';

/** The body of a delivery: a Bot Framework activity whose fields are not checked yet. */
export type ActivityBody = { [key: string]: Json };

/** The sender of an activity. */
export interface Sender {
	id: string | null;
	name: string | null;
}

/** Who said something. */
export type SpeakerType = 'customer' | 'representative' | 'aiAgent' | 'system';

export interface Attachment {
	contentType: string | null;
	/** The file's URL, or the file itself as a data URI; unchanged. */
	contentUrl: string | null;
	name: string | null;
	/** Typically null, as documented. */
	content: Json;
	/** Typically null, as documented. */
	thumbnailUrl: string | null;
}

/** A card of a message, as it came: how it looks is for the channel that shows it. */
export interface Card {
	/** Such as `application/vnd.microsoft.card.adaptive`. */
	contentType: string | null;
	name: string | null;
	/** The card itself, unchanged. */
	content: Json;
}

/** What the customer can choose: a suggested action, or an action of a card. */
export interface Button {
	/** What the button says. */
	title: string;
	/** The text that says the choice to Dynamics 365; null for a link. */
	value: string | null;
	/** What kind of action it is, as it came: `imBack`, `openUrl`, `Action.Submit`, … */
	type: string | null;
	/** Where it leads; null where the choice is sent back as text. */
	url: string | null;
}

/** The event types, in the order of the trigger's outputs. */
export const EVENT_TYPES = ['message', 'typing', 'conversationEvent', 'customEvent', 'other'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What people use first. */
interface Heading {
	conversationId: string;
	from: Sender | null;
}

/** What every item ends with. */
interface Details {
	/** Whether this surely ends the customer's conversation. */
	conversationEnded: boolean;
	/** The channel's GUID, or the word `MessagingApi`; null where it is missing. */
	channelId: string | null;
	/** Null for most activities: only custom events are documented to have one. */
	activityId: string | null;
	/** When n8n received it, ISO 8601 in UTC. Activities have no time of their own. */
	receivedAt: string;
	/** The unchanged body. */
	activity: ActivityBody;
}

type CommonItem = Heading & Details;

/** A message of a representative or an AI agent. */
export interface MessageItem extends CommonItem {
	eventType: 'message';
	/** Where nothing is written, the words of its cards; null where there are none, as with files only. */
	text: string | null;
	/** The text without Markdown and `<br>`; null where there is no text. */
	plainText: string | null;
	/** `markdown` as documented; null where it is missing. */
	textFormat: string | null;
	/** Its files; the cards are in `cards`. */
	attachments: Attachment[];
	/** What the customer can choose, from its suggested actions and its cards. */
	buttons: Button[];
	cards: Card[];
	/** The activity that it replies to; typically null. */
	replyToId: string | null;
	/** Its language, such as `en-US`; typically null. */
	locale: string | null;
}

/** A representative is typing. */
export interface TypingItem extends CommonItem {
	eventType: 'typing';
}

/** A change of the conversation: somebody joined or left, or it was transferred or closed. */
export interface ConversationEventItem extends CommonItem {
	eventType: 'conversationEvent';
	eventName: string;
	eventCategory: EventCategory;
}

/** Data that an AI agent of Copilot Studio sends to the workflow. */
export interface CustomEventItem extends CommonItem {
	eventType: 'customEvent';
	customEventName: string | null;
	/** Parsed where it is JSON, else the unchanged text. */
	customEventValue: Json;
}

/** Any other type of activity. */
export interface OtherItem extends CommonItem {
	eventType: 'other';
}

/** An item of the trigger; `eventType` tells which fields it has. */
export type TriggerItem = MessageItem | TypingItem | ConversationEventItem | CustomEventItem | OtherItem;
