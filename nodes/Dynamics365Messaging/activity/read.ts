import { isRecord, nonEmptyText, parseJson, readKey, textOf, type Json } from '../../shared/json';
import { categoryOf, endsConversation, isKnownEvent } from './events';
import { plainTextOf } from './plainText';
import type { ActivityBody, Attachment, Sender, TriggerItem } from './items';

/** Why a body is not taken. */
export class NotAnActivity extends Error {
	constructor(
		message: string,
		/** The HTTP status that says so to the caller. */
		readonly status: 400 | 404 | 413 | 415,
	) {
		super(message);
		this.name = 'NotAnActivity';
	}
}

function senderOf(activity: ActivityBody): Sender | null {
	const from = readKey(activity, 'from');
	return isRecord(from) ? { id: textOf(readKey(from, 'id')), name: textOf(readKey(from, 'name')) } : null;
}

/** The attachments of an activity, leniently read; empty where it has none. */
export function attachmentsOf(activity: ActivityBody): Attachment[] {
	const attachments = readKey(activity, 'attachments');
	if (!Array.isArray(attachments)) return [];
	return attachments
		.filter((attachment) => isRecord(attachment))
		.map((attachment) => ({
			contentType: textOf(readKey(attachment, 'contentType')),
			contentUrl: textOf(readKey(attachment, 'contentUrl')),
			name: textOf(readKey(attachment, 'name')),
			content: readKey(attachment, 'content') ?? null,
			thumbnailUrl: textOf(readKey(attachment, 'thumbnailUrl')),
		}));
}

/** How a system event that comes as a message says its name: `EventName: **_AgentAccepted_**`. */
const EVENT_TEXT = /^[\s*_]*EventName[\s*_]*:([\s*_]*)([A-Za-z][A-Za-z0-9.-]*)[\s*_]*$/i;
/** No event's line is longer; what is longer is not looked at, as a text may be as long as its sender likes. */
const MAX_EVENT_LINE = 200;

/**
 * The event that a text names in its first line. A name that is not known yet must be marked as the service marks it,
 * or a representative could not write "EventName: …" to a customer.
 */
function eventInText(text: string | null): string | null {
	const [line = ''] = (text ?? '').slice(0, MAX_EVENT_LINE + 1).split(/<br\s*\/?>|\n/i, 1);
	const match = line.length > MAX_EVENT_LINE ? null : EVENT_TEXT.exec(line);
	const [, marks = '', name = ''] = match ?? [];
	return match && (isKnownEvent(name) || marks.includes('**_')) ? name : null;
}

/**
 * The conversation event that an activity names, if it does: by a `name` that is one of the service's, by its
 * `EventName:` text, which must never reach a customer, or, where it is an event, by any name.
 */
function eventNameOf(activity: ActivityBody, type: string): string | null {
	const name = nonEmptyText(readKey(activity, 'name'))?.trim() ?? null;
	if (name !== null && isKnownEvent(name)) return name;
	const named = eventInText(textOf(readKey(activity, 'text')));
	if (named !== null) return isKnownEvent(named) ? named : (name ?? named);
	return type === 'event' ? name : null;
}

/** A text that may be JSON: what it holds, or itself where it is none. */
function parsed(value: Json | undefined): Json {
	if (typeof value !== 'string') return value ?? null;
	const json = parseJson(value);
	// A number with more digits than JavaScript has is rather an id: its text is what came.
	const isChanged = typeof json === 'number' && String(json) !== value.trim();
	return json === undefined || isChanged ? value : json;
}

/**
 * Reads the conversation's id and checks the body against the path it was posted to. Lenient in all but that.
 * @throws NotAnActivity when the body is no JSON object, has no type, or is of another conversation than the path's.
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
 * Reads a delivery's body and makes the item that the workflow sees. Pure.
 * Source: docs/service-facts.md#activities-received.
 * @param body the parsed body.
 * @param pathConversationId the conversation in the URL it was posted to.
 * @param receivedAt ISO 8601.
 * @throws NotAnActivity when the body is none; nothing else is refused, unknown types and names become items as well.
 */
export function readActivity(
	body: Json | undefined,
	pathConversationId: string,
	receivedAt: string,
): TriggerItem {
	const { activity, type, conversationId } = checked(body, pathConversationId);
	const common = {
		conversationId,
		channelId: nonEmptyText(readKey(activity, 'channelId')),
		activityId: nonEmptyText(readKey(activity, 'id')),
		from: senderOf(activity),
		conversationEnded: false,
		receivedAt,
		activity,
	};
	const channelData = readKey(activity, 'channelData');
	const customEvent = readKey(channelData, 'customEvent');
	if (customEvent === true) {
		return {
			eventType: 'customEvent',
			...common,
			customEventName:
				nonEmptyText(readKey(channelData, 'customEventName')) ?? nonEmptyText(readKey(activity, 'name')),
			customEventValue: parsed(readKey(channelData, 'customEventValue')),
		};
	}
	const eventName = eventNameOf(activity, type);
	if (eventName !== null) {
		return {
			eventType: 'conversationEvent',
			...common,
			conversationEnded: endsConversation(eventName),
			eventName,
			eventCategory: categoryOf(eventName),
		};
	}
	if (type === 'message') {
		const text = textOf(readKey(activity, 'text'));
		return {
			eventType: 'message',
			...common,
			text,
			plainText: text === null ? null : plainTextOf(text),
			textFormat: textOf(readKey(activity, 'textFormat')),
			attachments: attachmentsOf(activity),
		};
	}
	if (type === 'typing') return { eventType: 'typing', ...common };
	return { eventType: 'other', ...common, conversationEnded: type === 'endofconversation' };
}
