import { addressesIn } from './addresses';
import { Runs, sidesOf, type Piece, type Run } from './emphasis';
import { definedTarget, endOf, inlineTarget, readable, shownOf, type Definitions } from './links';
import { decodeReferences, REFERENCE_HERE } from './references';

/** A bracket that may open a link or an image. */
interface Bracket {
	/** Its piece, and how many pieces there are up to it. */
	piece: Piece;
	pieces: number;
	/** Where its text begins in the source. */
	textStart: number;
	isImage: boolean;
	/** No longer where a link stands in it, as links have no links within them. */
	isActive: boolean;
	hasBrackets: boolean;
	/** The last run of marks before it. */
	bottom: Run | undefined;
}

const SPECIAL = /[\\`*_~[\]!<&\n]/g;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const AUTOLINK = /<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[^\s<>@]+@[^\s<>@]+)>/y;
/** A longer tag is read as text. It bounds the work, as a tag can hold what looks like others. */
const MAX_TAG_LENGTH = 1_000;
const TAG =
	/^<(?:\/[A-Za-z][A-Za-z0-9-]*\s*|[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?)*\s*\/?)>/;

/** Whether a title says what else is not said. */
function isNews(title: string, said: string[]): boolean {
	return title.trim() !== '' && !said.some((one) => one.trim() === title.trim());
}

/** Reads the marks within a paragraph, a heading or a cell, from left to right and each sign about once. */
class InlineReader {
	private readonly pieces: Piece[] = [];
	private readonly runs = new Runs();
	private readonly brackets: Bracket[] = [];
	/** Where the runs of backticks begin, by their length, the last one first. */
	private readonly backticks = new Map<number, number[]>();
	private readonly addresses: ReturnType<typeof addressesIn>;
	private nextAddress = 0;
	/** The end of the address that is read now. */
	private addressEnd = 0;
	/** The end of the path of Windows that is read now. */
	private pathEnd = 0;
	/** How far the source is read, and how far it is given out. */
	private position = 0;
	private line = 0;
	private commentEnd = 0;

	/**
	 * @param prefixes what stands before each line but the first, e.g. the indent of a list.
	 */
	constructor(
		private readonly source: string,
		private readonly prefixes: readonly string[],
		private readonly definitions: Definitions,
	) {
		this.addresses = addressesIn(source);
		const backticks = source.includes('`') ? [...source.matchAll(/`+/g)].reverse() : [];
		for (const { 0: run, index } of backticks) {
			const starts = this.backticks.get(run.length);
			if (starts) starts.push(index);
			else this.backticks.set(run.length, [index]);
		}
	}

	read(): string {
		for (;;) {
			SPECIAL.lastIndex = this.position;
			const found = SPECIAL.exec(this.source);
			if (!found) break;
			this.text(this.source.slice(this.position, found.index));
			this.position = found.index;
			this.readSign(found[0]);
		}
		this.text(this.source.slice(this.position));
		this.runs.pairAbove(undefined);
		return this.pieces.map(({ text }) => text).join('');
	}

	/** Gives out a text as it is. */
	private text(text: string): void {
		if (text !== '') this.pieces.push({ text });
	}

	/** Gives out a part of the source, line by line with what stands before each. */
	private verbatim(start: number, end: number, read = (line: string) => line): void {
		const lines = this.source.slice(start, end).split('\n').map(read);
		this.text(lines.map((line, index) => (index === 0 ? line : this.prefixOfNextLine() + line)).join('\n'));
	}

	private prefixOfNextLine(): string {
		return this.prefixes[this.line++] ?? '';
	}

	/** Leaves out the source up to a position. */
	private skipTo(end: number): void {
		for (
			let at = this.source.indexOf('\n', this.position);
			at !== -1 && at < end;
			at = this.source.indexOf('\n', at + 1)
		)
			this.line++;
		this.position = end;
	}

	/** Gives out the sign at the position, and whatever it is for. */
	private readSign(sign: string): void {
		const isInAddress = this.isInAddress();
		switch (sign) {
			case '\\':
				return this.escape();
			case '&':
				return this.reference();
			case '\n':
				return this.lineBreak();
			case ']':
				return this.closeBracket();
			case '[':
				return isInAddress ? this.sign(1) : this.openBracket(1);
			case '!':
				return !isInAddress && this.source.charAt(this.position + 1) === '['
					? this.openBracket(2)
					: this.sign(1);
			case '`':
				return this.code();
			case '<':
				return this.tag();
			case '*':
			case '_':
			case '~':
				return isInAddress ? this.sign(1) : this.mark(sign);
		}
	}

	private isInAddress(): boolean {
		for (
			let address;
			(address = this.addresses[this.nextAddress]) && address.start <= this.position;
			this.nextAddress++
		) {
			this.addressEnd = Math.max(this.addressEnd, address.end);
			if (address.isPath) this.pathEnd = Math.max(this.pathEnd, address.end);
		}
		return this.position < this.addressEnd;
	}

	/** Gives out signs as they are. */
	private sign(length: number): void {
		this.text(this.source.slice(this.position, this.position + length));
		this.position += length;
	}

	private escape(): void {
		const next = this.source.charAt(this.position + 1);
		if (this.position < this.pathEnd) this.sign(1);
		else if (PUNCTUATION.test(next)) {
			this.position++;
			this.sign(1);
		} else if (next === '\n') this.position++;
		else this.sign(1);
	}

	private reference(): void {
		const end = endOf(REFERENCE_HERE, this.source, this.position) ?? this.position + 1;
		this.text(decodeReferences(this.source.slice(this.position, end)));
		this.position = end;
	}

	private lineBreak(): void {
		const last = this.pieces.at(-1);
		// Two spaces at the end of a line are Markdown's line break.
		if (last && this.position > 0 && ' \t'.includes(this.source.charAt(this.position - 1)))
			last.text = last.text.trimEnd();
		this.text(`\n${this.prefixOfNextLine()}`);
		this.position++;
	}

	private code(): void {
		const { source, position } = this;
		let textStart = position;
		while (source.charAt(textStart) === '`') textStart++;
		const length = textStart - position;
		const starts = this.backticks.get(length) ?? [];
		while (starts.length > 0 && (starts.at(-1) ?? 0) < textStart) starts.pop();
		const textEnd = starts.at(-1);
		if (textEnd === undefined) return this.sign(length);
		const text = source.slice(textStart, textEnd);
		const isPadded = /^[ \n][^]*[ \n]$/.test(text) && text.trim() !== '';
		const padding = isPadded ? 1 : 0;
		this.skipTo(textStart + padding);
		this.verbatim(textStart + padding, textEnd - padding);
		this.position = textEnd - padding;
		this.skipTo(textEnd + length);
	}

	private tag(): void {
		const { source, position } = this;
		AUTOLINK.lastIndex = position;
		const link = AUTOLINK.exec(source);
		if (link) {
			this.text(readable(decodeReferences(link[1] ?? '')));
			this.position = AUTOLINK.lastIndex;
			return;
		}
		const tag = TAG.exec(source.slice(position, position + MAX_TAG_LENGTH));
		const end = tag ? position + tag[0].length : this.endOfComment();
		if (end === undefined) return this.sign(1);
		// The address in a tag is for people, too.
		this.verbatim(position, end, decodeReferences);
		this.position = end;
	}

	private endOfComment(): number | undefined {
		if (!this.source.startsWith('<!--', this.position)) return undefined;
		if (this.commentEnd !== -1 && this.commentEnd < this.position + 4)
			this.commentEnd = this.source.indexOf('-->', this.position + 4);
		return this.commentEnd === -1 ? undefined : this.commentEnd + 3;
	}

	private mark(mark: '*' | '_' | '~'): void {
		const start = this.position;
		let end = start;
		while (this.source.charAt(end) === mark) end++;
		const piece = { text: this.source.slice(start, end) };
		this.pieces.push(piece);
		const sides = sidesOf(this.source, mark, start, end);
		if (sides.canOpen || sides.canClose) this.runs.add(piece, mark, start, sides);
		this.position = end;
	}

	/** @param length of `[` or `![`. */
	private openBracket(length: 1 | 2): void {
		const around = this.brackets.at(-1);
		if (around) around.hasBrackets = true;
		this.sign(length);
		const piece = this.pieces.at(-1);
		if (!piece) return;
		this.brackets.push({
			piece,
			pieces: this.pieces.length,
			textStart: this.position,
			isImage: length === 2,
			isActive: true,
			hasBrackets: false,
			bottom: this.runs.last,
		});
	}

	private closeBracket(): void {
		const opener = this.brackets.pop();
		const next = this.position + 1;
		const target = opener?.isActive
			? (inlineTarget(this.source, next) ??
				definedTarget(
					this.source,
					next,
					opener.hasBrackets ? undefined : this.source.slice(opener.textStart, this.position),
					this.definitions,
				))
			: undefined;
		if (!opener || !target) return this.sign(1);
		this.runs.pairAbove(opener.bottom);
		opener.piece.text = '';
		const address = readable(target.address);
		const text = this.textFrom(opener.pieces);
		// A picture that is in its own address says nothing more to a reader.
		if (!opener.isImage || !/^data:/i.test(address) || text === '') this.link(opener, text, address);
		if (isNews(target.title, [text, address, target.address])) this.text(` ${target.title}`);
		if (!opener.isImage) this.deactivateBrackets();
		this.skipTo(target.end);
		// What looked like an address up to here ended with the link's text.
		this.addressEnd = 0;
		this.pathEnd = 0;
		while ((this.addresses[this.nextAddress]?.start ?? target.end) < target.end) this.nextAddress++;
	}

	/** Makes one piece of those from an index on, which are complete, so that what stands around them reads them at once. */
	private textFrom(index: number): string {
		const text = this.pieces
			.splice(index)
			.map((piece) => piece.text)
			.join('');
		this.text(text);
		return text;
	}

	/** Gives out a link whose text is given out already. */
	private link({ pieces }: Bracket, text: string, address: string): void {
		const shown = shownOf(text, address);
		if (shown === 'address') this.pieces.length = pieces;
		if (shown !== 'text') this.text(shown === 'both' ? ` (${address})` : address);
	}

	private deactivateBrackets(): void {
		for (let index = this.brackets.length - 1; index >= 0; index--) {
			const bracket = this.brackets[index];
			if (!bracket || (!bracket.isImage && !bracket.isActive)) return;
			if (!bracket.isImage) bracket.isActive = false;
		}
	}
}

/**
 * Takes Markdown's marks out of a text within a block. Everything else stays as it is written. Pure, and the work grows
 * with the length of the text only.
 * @param source the lines of the text.
 * @param prefixes what is put before each line but the first.
 * @example
 * inlineText('**Pay** [here](https://pay.example.com)', [], { use: () => undefined });
 * // 'Pay here (https://pay.example.com)'
 */
export function inlineText(source: string, prefixes: readonly string[], definitions: Definitions): string {
	SPECIAL.lastIndex = 0;
	return SPECIAL.test(source) ? new InlineReader(source, prefixes, definitions).read() : source;
}
