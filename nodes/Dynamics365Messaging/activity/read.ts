import { isRecord, nonEmptyText, parseWithinLimits, readKey, textOf, type Json } from '../../shared/json';
import { categoryOf, endsConversation, isKnownEvent } from './events';
import type { ActivityBody, Sender, TriggerItem } from './items';
import { messageContentOf } from './message';

/** A body that cannot be read as an activity. */
export class NotAnActivity extends Error {
	constructor(
		message: string,
		/** The HTTP status of the answer. */
		readonly status: 400 | 404 | 413 | 415,
	) {
		super(message);
		this.name = 'NotAnActivity';
	}
}

/** Reads the sender of an activity; null where it has none. Pure. */
export function senderOf(activity: ActivityBody): Sender | null {
	const from = readKey(activity, 'from');
	return isRecord(from) ? { id: textOf(readKey(from, 'id')), name: textOf(readKey(from, 'name')) } : null;
}

/** The text of a system event that comes as a message: `EventName: **_AgentAccepted_**`. */
const EVENT_TEXT = /^[\s*_]*EventName[\s*_]*:([\s*_]*)([A-Za-z][A-Za-z0-9.-]*)[\s*_]*$/i;
/** No event's line is longer. A longer line is not searched, as texts have no limit here. */
const MAX_EVENT_LINE = 200;

/**
 * The event name in the first line of a text. An unknown name must have the service's bold and italic marks, so that a
 * representative can still write "EventName: …" to a customer.
 */
function eventInText(text: string | null): string | null {
	const [line = ''] = (text ?? '').slice(0, MAX_EVENT_LINE + 1).split(/<br\s*\/?>|\n/i, 1);
	const match = line.length > MAX_EVENT_LINE ? null : EVENT_TEXT.exec(line);
	const [, marks = '', name = ''] = match ?? [];
	return match && (isKnownEvent(name) || marks.includes('**_')) ? name : null;
}

/**
 * The name of a conversation event; null for other activities. It is a `name` that the service documents, else the one in
 * an `EventName:` text, which must never reach a customer, else any `name` of an activity of type `event`.
 * @param text what is written, or else the words of the cards.
 */
export function eventNameOf(activity: ActivityBody, type: string, text: string | null): string | null {
	const name = nonEmptyText(readKey(activity, 'name'))?.trim() ?? null;
	if (name !== null && isKnownEvent(name)) return name;
	const named = eventInText(text);
	if (named !== null) return isKnownEvent(named) ? named : (name ?? named);
	return type === 'event' ? name : null;
}

/** Parses a text that may be JSON. Any other text stays as it is, and so does one that exceeds the limits of a body. */
function parsed(value: Json | undefined): Json {
	if (typeof value !== 'string') return value ?? null;
	const json = parseWithinLimits(value);
	// A number that is written in another way than JavaScript does is rather an ID, so its text stays.
	const isChanged = typeof json === 'number' && String(json) !== value.trim();
	return json === undefined || isChanged ? value : json;
}

/**
 * Reads type and conversation ID, and checks the body against the path to which it was posted.
 * @throws NotAnActivity when the body is not a JSON object, has no type, or is of another conversation than the path.
 */
function checked(
	body: Json | undefined,
	pathConversationId: string,
): { activity: ActivityBody; type: string; conversationId: string } {
	if (!isRecord(body)) throw new NotAnActivity('The body is not a JSON object', 400);
	const type = nonEmptyText(readKey(body, 'type'));
	if (type === null) throw new NotAnActivity('The activity has no type', 400);
	const conversationId = nonEmptyText(readKey(readKey(body, 'conversation'), 'id')) ?? pathConversationId;
	if (conversationId.trim().toLowerCase() !== pathConversationId.trim().toLowerCase()) {
		throw new NotAnActivity('The activity is of another conversation than the path', 400);
	}
	return { activity: body, type: type.trim().toLowerCase(), conversationId: conversationId.trim() };
}

/**
 * Turns a delivery's body into the item of the trigger. Unknown types and names become items as well. Pure.
 * Source: docs/service-facts.md#activities-received.
 * @param body the parsed JSON body.
 * @param pathConversationId the conversation in the URL to which it was posted.
 * @param receivedAt ISO 8601.
 * @throws NotAnActivity when the body is not a JSON object, has no type, or is of another conversation than the path.
 * @example
 * const body = { type: 'message', text: 'Hello', conversation: { id: '9f6c021d-1234-4abc-8df7-123456789abc' } };
 * const item = readActivity(body, '9f6c021d-1234-4abc-8df7-123456789abc', new Date().toISOString());
 * if (item.eventType === 'message') console.log(item.plainText);
 */
export function readActivity(
	body: Json | undefined,
	pathConversationId: string,
	receivedAt: string,
): TriggerItem {
	const { activity, type, conversationId } = checked(body, pathConversationId);
	// The editor shows the fields in this order: what people use first comes first, and the activity last.
	const heading = { conversationId, from: senderOf(activity) };
	const details = (conversationEnded = false) => ({
		conversationEnded,
		channelId: nonEmptyText(readKey(activity, 'channelId')),
		activityId: nonEmptyText(readKey(activity, 'id')),
		receivedAt,
		activity,
	});
	const channelData = readKey(activity, 'channelData');
	if (readKey(channelData, 'customEvent') === true) {
		return {
			...heading,
			eventType: 'customEvent',
			customEventName:
				nonEmptyText(readKey(channelData, 'customEventName')) ?? nonEmptyText(readKey(activity, 'name')),
			customEventValue: parsed(readKey(channelData, 'customEventValue')),
			...details(),
		};
	}
	const content = messageContentOf(activity);
	const eventName = eventNameOf(activity, type, content.text);
	if (eventName !== null) {
		return {
			...heading,
			eventType: 'conversationEvent',
			eventName,
			eventCategory: categoryOf(eventName),
			...details(endsConversation(eventName)),
		};
	}
	if (type === 'message') {
		const { text, textFormat, attachments, cards, replyToId, locale } = content;
		return {
			text,
			// These are read only for an item that starts the workflow, as whoever is filtered out must not cost work.
			get plainText() {
				return content.plainText;
			},
			...heading,
			eventType: 'message',
			attachments,
			get buttons() {
				return content.buttons;
			},
			cards,
			textFormat,
			replyToId,
			locale,
			...details(),
		};
	}
	if (type === 'typing') return { ...heading, eventType: 'typing', ...details() };
	return { ...heading, eventType: 'other', ...details(type === 'endofconversation') };
}
