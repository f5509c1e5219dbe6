/**
 * The activities that the service delivers, in the shapes of Microsoft's samples. Pure functions.
 * The samples differ among themselves (ids, casing, `channelId`), and so do these.
 */

export interface Sender {
	id: string;
	name?: string;
}

/** A file as it stands in a delivered message and in `/messages`. */
export interface DeliveredAttachment {
	contentType: string;
	contentUrl: string;
	content: null;
	name: string;
	thumbnailUrl: null;
}

export type Activity = Record<string, unknown>;

interface Place {
	channelId: string;
	conversationId: string;
}

/** Events of the system, e.g. `AgentAccepted`. The text is meant for no one, and must not reach a customer. */
export function systemEvent(
	{ channelId, conversationId }: Place,
	name: string,
	as: 'message' | 'event',
	from?: Sender,
): Activity {
	return {
		type: as,
		channelId,
		...(from && { from: { id: from.id } }),
		conversation: { id: conversationId },
		...(as === 'message' && { text: `EventName: **_${name}_**` }),
		name,
	};
}

/** The representative types. `channelId` is a word here, not the GUID. */
export function typing(conversationId: string, recipientId: string): Activity {
	return {
		type: 'typing',
		channelId: 'MessagingApi',
		conversation: { id: conversationId },
		recipient: { id: recipientId },
	};
}

/** What the representative wrote, in Markdown, and the files that go with it. */
export function message(
	{ channelId, conversationId }: Place,
	from: Sender,
	content: { text?: string; attachments?: DeliveredAttachment[] },
): Activity {
	return {
		type: 'message',
		channelId,
		from,
		conversation: { id: conversationId },
		textFormat: 'markdown',
		...(content.text && { text: content.text }),
		...(content.attachments?.length && { attachments: content.attachments }),
	};
}

/** A custom event of an AI agent made in Copilot Studio: PascalCase, except inside `ChannelData`. */
export function customEvent(
	{ channelId, conversationId }: Place,
	{ id, serviceUrl, name, value }: { id: string; serviceUrl: string; name: string; value: string },
): Activity {
	return {
		Type: 'event',
		Id: id,
		ServiceUrl: serviceUrl,
		ChannelId: channelId,
		Conversation: { Id: conversationId },
		ChannelData: { customEvent: true, customEventName: name, customEventValue: value },
		Name: name,
	};
}

/** Keys whose content belongs to someone else, and so keeps its casing. */
const FOREIGN = new Set(['channelData', 'ChannelData', 'value', 'Value', 'content', 'Content']);

/** The same activity with the schema's own keys in PascalCase. */
export function toPascalCase(activity: Activity): Activity {
	const convert = (value: unknown): unknown => {
		if (Array.isArray(value)) return value.map(convert);
		return typeof value === 'object' && value !== null ? pascalKeys(value) : value;
	};
	const pascalKeys = (object: object): Activity =>
		Object.fromEntries(
			Object.entries(object).map(([key, value]) => [
				key.charAt(0).toUpperCase() + key.slice(1),
				FOREIGN.has(key) ? value : convert(value),
			]),
		);
	return pascalKeys(activity);
}
