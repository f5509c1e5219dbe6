import { cut } from '../../../shared/text';
import { plainTextOf } from '../plainText';
import type { Button } from '../items';

/** How much is read of the cards of a message, however large they are. The item's `cards` still have all of it. */
export const MAX_DEPTH = 32;
/** No card for a person has as many: an activity has 28 KB. */
const MAX_ELEMENTS = 2_000;
const MAX_LINES = 1_000;
const MAX_BUTTONS = 100;
/** More than the service takes for a text, which has 6,000 characters at the most. */
export const MAX_TEXT = 10_000;
/** A longer text cannot be sent back. Source: docs/service-facts.md#activities-sent. */
export const MAX_VALUE = 6_000;
const MAX_TITLE = 1_000;

/** A line of a card, as it came and without Markdown, which is read when it is asked for. */
interface Line {
	text: string;
	plain: () => string;
}

/** What is read of the cards of a message: their words and their buttons, within limits. */
export class CardReading {
	private readonly parts: Line[][] = [[]];
	private readonly chosen = new Map<string, Button>();
	private alternatives: string[] = [];
	private elements = 0;
	private lines = 0;
	private left = MAX_TEXT;

	/** What the customer can choose, each once. */
	get buttons(): Button[] {
		return [...this.chosen.values()];
	}

	/** The words: a line for each, and an empty one between two cards. Null where there are none. */
	get words(): Line | null {
		const parts = this.parts.filter((lines) => lines.length > 0);
		if (parts.length === 0) return null;
		const joined = (read: (line: Line) => string) =>
			parts.map((lines) => lines.map(read).join('\n')).join('\n\n');
		return { text: joined(({ text }) => text), plain: () => joined(({ plain }) => plain()) };
	}

	/** Whether one more element may be read. */
	enter(depth: number): boolean {
		return depth <= MAX_DEPTH && ++this.elements <= MAX_ELEMENTS;
	}

	/** Adds words, unless there are enough. */
	add(words: string | null, format: 'markdown' | 'plain' = 'plain'): void {
		const text = cut((words ?? '').trim(), this.left);
		if (text === '' || this.lines >= MAX_LINES) return;
		this.lines++;
		this.left -= text.length;
		this.current().push({ text, plain: () => (format === 'markdown' ? plainTextOf(text) : text) });
	}

	/** Adds what describes a picture, which counts where its card has no words. */
	addAlternative(text: string | null): void {
		if (text !== null && this.alternatives.length < MAX_BUTTONS) this.alternatives.push(text);
	}

	addButton(button: Button | null): void {
		if (!button || this.chosen.size >= MAX_BUTTONS) return;
		const { value, url } = button;
		const title = cut(button.title.replace(/\s+/g, ' ').trim(), MAX_TITLE);
		if (title === '' || (value ?? url ?? '').length > MAX_VALUE) return;
		const key = JSON.stringify([title, value, url]);
		if (!this.chosen.has(key)) this.chosen.set(key, { ...button, title });
	}

	/** Reads what stands side by side, and makes one line of it. */
	sideBySide(readers: Array<() => void>, separator: string): void {
		const start = this.current().length;
		const cells = readers.map((read) => {
			const before = this.current().length;
			read();
			return this.current().splice(before);
		});
		const filled = cells.filter((lines) => lines.length > 0);
		if (filled.length === 0) return;
		const joined = (read: (line: Line) => string) =>
			filled.map((lines) => lines.map(read).join(' ')).join(separator);
		this.current().splice(start, 0, {
			text: joined(({ text }) => text),
			plain: () => joined(({ plain }) => plain()),
		});
	}

	/** Ends a card. One without words has what its reader falls back to, else what describes its pictures. */
	endCard(fallback: string | null = null): void {
		if (this.current().length === 0) this.add(fallback, 'markdown');
		if (this.current().length === 0) for (const text of this.alternatives) this.add(text);
		this.alternatives = [];
		this.parts.push([]);
	}

	private current(): Line[] {
		return this.parts.at(-1) ?? [];
	}
}
