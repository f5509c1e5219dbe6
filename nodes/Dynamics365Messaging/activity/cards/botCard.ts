import { readKey, type Json } from '../../../shared/json';
import { buttonOf } from './actions';
import { listAt, pairOf, textAt } from './fields';
import type { CardReading } from './reading';

/** An item of a receipt: its price is that of one piece. */
function readReceiptItem(item: Json, reading: CardReading): void {
	const quantity = textAt(item, 'quantity');
	const amount = [quantity === '1' ? null : quantity, textAt(item, 'price')].filter(Boolean).join(' × ');
	reading.add(pairOf(textAt(item, 'title'), amount));
	reading.add(textAt(item, 'subtitle'));
	reading.add(textAt(item, 'text'), 'markdown');
	reading.addAlternative(textAt(readKey(item, 'image'), 'alt'));
	reading.addButton(buttonOf(readKey(item, 'tap')));
}

/** The amounts of a receipt, and what to call them. */
const AMOUNTS = [
	['total', 'Total'],
	['tax', 'Tax'],
	['vat', 'VAT'],
] as const;

function readReceipt(card: Json, reading: CardReading): void {
	for (const item of listAt(card, 'items')) readReceiptItem(item, reading);
	for (const fact of listAt(card, 'facts')) reading.add(pairOf(textAt(fact, 'key'), textAt(fact, 'value')));
	for (const [key, name] of AMOUNTS) {
		const amount = textAt(card, key);
		if (amount !== null) reading.add(pairOf(name, amount));
	}
}

/**
 * Reads the words and the buttons of a card that is not adaptive: hero, thumbnail, receipt, sign-in, OAuth, animation, audio,
 * video, and any other that has the same fields. Source: docs/service-facts.md#cards-received.
 * @param card the content of the attachment.
 */
export function readBotCard(card: Json, reading: CardReading): void {
	reading.add(textAt(card, 'title'));
	reading.add(textAt(card, 'subtitle'));
	reading.add(textAt(card, 'text'), 'markdown');
	readReceipt(card, reading);
	// The others are the same in other formats.
	reading.add(textAt(listAt(card, 'media')[0], 'url'));
	for (const image of [...listAt(card, 'images'), readKey(card, 'image')]) {
		reading.addAlternative(textAt(image, 'alt'));
		reading.addButton(buttonOf(readKey(image, 'tap')));
	}
	for (const button of listAt(card, 'buttons')) reading.addButton(buttonOf(button));
	reading.addButton(buttonOf(readKey(card, 'tap')));
	reading.endCard();
}
