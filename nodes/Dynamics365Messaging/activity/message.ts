import { nonEmptyText, readKey, textOf } from '../../shared/json';
import { filesAndCardsOf } from './attachments';
import { readCards } from './cards/readCards';
import type { ActivityBody, MessageItem } from './items';
import { plainTextOf } from './plainText';

/** What a message says and shows. */
export type MessageContent = Pick<
	MessageItem,
	'text' | 'plainText' | 'textFormat' | 'attachments' | 'buttons' | 'cards' | 'replyToId' | 'locale'
>;

/** What an app is to show that cannot show cards, when the cards themselves have no words. */
function summaryOf(activity: ActivityBody): string | null {
	return nonEmptyText(readKey(activity, 'summary'));
}

/**
 * Reads what a message says and shows, also an entry of the list of messages. Where no text is written, it is made of the
 * words of the cards. Buttons and the plain text are read when they are asked for, as whoever is filtered out must not cost
 * work. Pure. Source: docs/service-facts.md#activities-received and docs/service-facts.md#cards-received.
 */
export function messageContentOf(activity: ActivityBody): MessageContent {
	const { files, cards } = filesAndCardsOf(activity);
	let read: ReturnType<typeof readCards> | undefined;
	const content = () => (read ??= readCards(activity, cards));
	const written = textOf(readKey(activity, 'text'));
	const textFormat = textOf(readKey(activity, 'textFormat'));
	const fromCards =
		cards.length > 0 && nonEmptyText(written) === null ? (content().text ?? summaryOf(activity)) : null;
	const text = fromCards ?? written;
	return {
		text,
		get plainText() {
			if (text === null) return null;
			return (fromCards === null ? null : content().plainText) ?? plainTextOf(text, textFormat);
		},
		textFormat,
		attachments: files,
		get buttons() {
			return content().buttons;
		},
		cards,
		replyToId: nonEmptyText(readKey(activity, 'replyToId')),
		locale: nonEmptyText(readKey(activity, 'locale')),
	};
}
