import { parseWithinLimits, readKey, type Json } from '../../../shared/json';
import type { ActivityBody, Button, Card } from '../items';
import { buttonOf } from './actions';
import { readAdaptiveCard } from './adaptiveCard';
import { readBotCard } from './botCard';
import { listAt, typeOf } from './fields';
import { CardReading } from './reading';

/** How many cards of a message are read. */
const MAX_CARDS = 20;
/** How many characters of JSON are parsed of cards that come as texts. An activity has 28 KB at the most. */
const MAX_PARSED = 200_000;

/** What the cards of a message and its suggested actions say. */
export interface CardContent {
	/** The words of the cards, with their Markdown; null where there are none. */
	text: string | null;
	/** The same without Markdown, which is read when it is asked for: whoever is filtered out must not cost work. */
	readonly plainText: string | null;
	buttons: Button[];
}

/** Gives a reader of the cards' contents, each of which may be a text of JSON. Texts beyond the limit are not read. */
function contentReader(): (card: Card) => Json {
	let left = MAX_PARSED;
	return ({ content }) => {
		if (typeof content !== 'string') return content;
		if (content.length > left) return null;
		left -= content.length;
		return parseWithinLimits(content) ?? null;
	};
}

/**
 * Reads the words and the buttons of a message's cards and of its suggested actions. Keys may be in any casing. However
 * large, deep or wrong the cards are, the work and what comes of it are bounded. Pure.
 * Source: docs/service-facts.md#cards-received.
 * @param activity the message, whose suggested actions come first.
 * @param cards its cards.
 * @example
 * const { cards } = filesAndCardsOf(activity);
 * const { text, buttons } = readCards(activity, cards);
 */
export function readCards(activity: ActivityBody, cards: readonly Card[]): CardContent {
	const reading = new CardReading();
	const contentOf = contentReader();
	for (const action of listAt(readKey(activity, 'suggestedActions'), 'actions')) {
		reading.addButton(buttonOf(action));
	}
	for (const card of cards.slice(0, MAX_CARDS)) {
		const content = contentOf(card);
		const isAdaptive = /card\.adaptive\b/i.test(card.contentType ?? '') || typeOf(content) === 'adaptivecard';
		if (isAdaptive) readAdaptiveCard(content, reading);
		else readBotCard(content, reading);
	}
	const { words, buttons } = reading;
	return {
		text: words?.text ?? null,
		get plainText() {
			return words?.plain() ?? null;
		},
		buttons,
	};
}

/** Lists buttons below a text, a line for each, with the address where one leads. Pure. */
export function withButtonsBelow(text: string | null, buttons: readonly Button[]): string | null {
	if (buttons.length === 0) return text;
	const lines = buttons.map(({ title, url }) => (url === null || url === title ? title : `${title}: ${url}`));
	const list = lines.map((line) => `- ${line}`).join('\n');
	return text === null || text.trim() === '' ? list : `${text}\n\n${list}`;
}
