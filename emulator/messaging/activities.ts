/**
 * The activities that the service delivers, in the shapes of Microsoft's samples. Pure functions.
 * The samples differ among themselves (ids, casing, `channelId`), and so do these.
 */

/** Who wrote a message. */
export interface Sender {
	id: string;
	name?: string;
}

/** A file in a delivered message or in `/messages`. */
export interface DeliveredAttachment {
	contentType: string;
	contentUrl: string;
	content: null;
	name: string;
	thumbnailUrl: null;
}

/** A quick reply, or a link. Source: docs/service-facts.md#card-actions. */
export interface SuggestedAction {
	type: 'imBack' | 'openUrl';
	title: string;
	/** The text that the choice sends back, or the address. */
	value: string;
}

/** A card of Bot Framework. Source: docs/service-facts.md#cards-received. */
export interface DeliveredCard {
	contentType: string;
	content: object;
}

export type Activity = Record<string, unknown>;

/** The conversation that an activity belongs to. */
interface Place {
	channelId: string;
	id: string;
}

/** An event of the system, e.g. `AgentAccepted`. Its text is for nobody, and must not reach a customer. */
export function systemEvent(
	{ channelId, id }: Place,
	name: string,
	as: 'message' | 'event',
	from?: Sender,
): Activity {
	return {
		type: as,
		channelId,
		...(from && { from: { id: from.id } }),
		conversation: { id },
		...(as === 'message' && { text: `EventName: **_${name}_**` }),
		name,
	};
}

/** The representative is typing. Here `channelId` is a name, not the channel's GUID. */
export function typing({ id }: Pick<Place, 'id'>, recipientId: string): Activity {
	return {
		type: 'typing',
		channelId: 'MessagingApi',
		conversation: { id },
		recipient: { id: recipientId },
	};
}

/** A message of the representative: a text in Markdown unless it is plain, files, cards, quick replies, or several of these. */
export function message(
	{ channelId, id }: Place,
	from: Sender,
	content: {
		text?: string;
		isPlain?: boolean;
		attachments?: Array<DeliveredAttachment | DeliveredCard>;
		suggestedActions?: SuggestedAction[];
	},
): Activity {
	return {
		type: 'message',
		channelId,
		from,
		conversation: { id },
		textFormat: content.isPlain ? 'plain' : 'markdown',
		...(content.text && { text: content.text }),
		...(content.attachments?.length && { attachments: content.attachments }),
		...(content.suggestedActions?.length && { suggestedActions: { actions: content.suggestedActions } }),
	};
}

/** A custom event of an AI agent made in Copilot Studio: PascalCase, except inside `ChannelData`. */
export function customEvent(
	{ channelId, id }: Place,
	event: { id: string; serviceUrl: string; name: string; value: string },
): Activity {
	return {
		Type: 'event',
		Id: event.id,
		ServiceUrl: event.serviceUrl,
		ChannelId: channelId,
		Conversation: { Id: id },
		ChannelData: { customEvent: true, customEventName: event.name, customEventValue: event.value },
		Name: event.name,
	};
}

/** Keys whose content is not part of the schema, and so keeps its casing. */
const FREE_FORM_KEYS = new Set(['channelData', 'ChannelData', 'value', 'Value', 'content', 'Content']);

/** Copies an activity with the schema's keys in PascalCase. */
export function toPascalCase(activity: Activity): Activity {
	const convert = (value: unknown): unknown => {
		if (Array.isArray(value)) return value.map(convert);
		return typeof value === 'object' && value !== null ? pascalKeys(value) : value;
	};
	const pascalKeys = (object: object): Activity =>
		Object.fromEntries(
			Object.entries(object).map(([key, value]) => [
				key.charAt(0).toUpperCase() + key.slice(1),
				FREE_FORM_KEYS.has(key) ? value : convert(value),
			]),
		);
	return pascalKeys(activity);
}
