import { isRecord, nonEmptyText, parseJson, readKey, textOf, type Json } from '../api/json';
import { categoryOf, endsConversation, isKnownEvent } from './events';
import type { ActivityBody, Attachment, Sender, TriggerItem } from './items';

/** Why a body is not taken. */
export class NotAnActivity extends Error {
	constructor(
		message: string,
		/** The HTTP status that says so to the caller. */
		readonly status: 400 | 404 | 415,
	) {
		super(message);
		this.name = 'NotAnActivity';
	}
}

function senderOf(activity: ActivityBody): Sender | null {
	const from = readKey(activity, 'from');
	return isRecord(from) ? { id: textOf(readKey(from, 'id')), name: textOf(readKey(from, 'name')) } : null;
}

function attachmentsOf(activity: ActivityBody): Attachment[] {
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

/** `EventName: **_AgentAccepted_**`: how a system event that comes as a message says its name. */
const EVENT_TEXT = /^\s*EventName:\s*[*_\s]*([A-Za-z][\w.-]*?)[*_\s]*$/i;

/**
 * The conversation event that an activity names, if it does.
 * A message names one by its `EventName:` text, whatever the name, since that text must never reach a customer, or by
 * a `name` that is one of the service's; an event names one by any name.
 */
function eventNameOf(activity: ActivityBody, type: string): string | null {
	const name = nonEmptyText(readKey(activity, 'name'));
	if (type === 'event') return name;
	if (type !== 'message') return null;
	const named = EVENT_TEXT.exec(textOf(readKey(activity, 'text')) ?? '')?.[1];
	if (named !== undefined) return name ?? named;
	return name !== null && isKnownEvent(name) ? name : null;
}

/** A text that may be JSON: what it holds, or itself where it is none. */
function parsed(value: Json | undefined): Json {
	if (typeof value !== 'string') return value ?? null;
	const json = parseJson(value);
	return json === undefined ? value : json;
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
 * Source: shared reference, "What arrives, and must all be handled".
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
	if (customEvent === true || customEvent === 'true') {
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
		return {
			eventType: 'message',
			...common,
			text: textOf(readKey(activity, 'text')),
			textFormat: textOf(readKey(activity, 'textFormat')),
			attachments: attachmentsOf(activity),
		};
	}
	if (type === 'typing') return { eventType: 'typing', ...common };
	return { eventType: 'other', ...common, conversationEnded: type === 'endofconversation' };
}
