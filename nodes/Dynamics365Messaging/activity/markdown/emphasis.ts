/** A part of the text that is given out. */
export interface Piece {
	text: string;
}

type Mark = '*' | '_' | '~';

/** Whether a run of marks can open emphasis and close it. */
interface Sides {
	canOpen: boolean;
	canClose: boolean;
	/** Whether it may be a sign between two words or numbers, as in `a*b` or the German `Kolleg*in`. Two such are no pair. */
	isBetween: boolean;
}

/** A run of equal marks that may open or close emphasis. */
export class Run {
	next: Run | undefined = undefined;
	readonly canOpen: boolean;
	readonly canClose: boolean;
	readonly isBetween: boolean;
	/** How many marks it had; its piece loses those that are paired. */
	readonly length: number;

	/** @param position where it stands in the source. */
	constructor(
		readonly piece: Piece,
		readonly mark: Mark,
		readonly position: number,
		{ canOpen, canClose, isBetween }: Sides,
		public previous: Run | undefined,
	) {
		this.canOpen = canOpen;
		this.canClose = canClose;
		this.isBetween = isBetween;
		this.length = piece.text.length;
	}

	/** Closers of a kind look for the same openers. */
	get kind(): string {
		return `${this.mark}${this.canOpen}${this.isBetween}${this.mark === '~' ? this.length : this.length % 3}`;
	}
}

type Kind = 'space' | 'sign' | 'digit' | 'other';

function kindOf(character: string): Kind {
	if (character === '' || /\s/u.test(character)) return 'space';
	if (/[\p{P}\p{S}]/u.test(character)) return 'sign';
	return /\p{Nd}/u.test(character) ? 'digit' : 'other';
}

/** The kinds of the ASCII characters, as most are asked for often. */
const ASCII_KINDS = Array.from({ length: 128 }, (_, code) => kindOf(String.fromCharCode(code)));

/** What stands before a position; the start of a text counts as a space. */
function kindBefore(text: string, position: number): Kind {
	if (position === 0) return 'space';
	const known = ASCII_KINDS[text.charCodeAt(position - 1)];
	return known ?? kindOf(characterBefore(text, position));
}

/** What stands at a position; the end of a text counts as a space. */
function kindAt(text: string, position: number): Kind {
	const code = text.codePointAt(position);
	if (code === undefined) return 'space';
	return ASCII_KINDS[code] ?? kindOf(String.fromCodePoint(code));
}

/** The character that ends at a position. */
function characterBefore(text: string, position: number): string {
	const last = text.charAt(position - 1);
	return /[\uDC00-\uDFFF]/.test(last) ? text.slice(position - 2, position) : last;
}

/** What ends a word, a number or a part of a formula. Languages that do not part words have other letters. */
const OPERAND_BEFORE = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Nd}\p{Sc}%)\]}]/u;
/** What begins one. */
const OPERAND_AFTER = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Nd}\p{Sc}([{]/u;
/** The eyes of a smiley such as `^_^`. */
const EYES = /[-^.;=]/;
/** What makes an emoji of the sign before it: a key with that sign. */
const KEYCAP = /^\uFE0F?\u20E3/;
const NEITHER: Sides = { canOpen: false, canClose: false, isBetween: false };

/**
 * Whether a run of marks can open and close emphasis, by what stands beside it, as CommonMark and GitHub have it. Between
 * two digits it does neither: `2*3*4` must not become another number. Nor does the mark of a smiley or of an emoji.
 */
export function sidesOf(text: string, mark: Mark, start: number, end: number): Sides {
	const before = kindBefore(text, start);
	const after = kindAt(text, end);
	if (before === 'digit' && after === 'digit') return NEITHER;
	const first = characterBefore(text, start);
	const isSmiley = end - start === 1 && EYES.test(first) && first === text.charAt(end);
	if (isSmiley || KEYCAP.test(text.slice(end, end + 2))) return NEITHER;
	const opens = after !== 'space' && (after !== 'sign' || before === 'space' || before === 'sign');
	const closes = before !== 'space' && (before !== 'sign' || after === 'space' || after === 'sign');
	if (mark === '_')
		return {
			canOpen: opens && (!closes || before === 'sign'),
			canClose: closes && (!opens || after === 'sign'),
			isBetween: false,
		};
	if (mark === '~' && end - start > 2) return NEITHER;
	const isBetween = end - start === 1 && OPERAND_BEFORE.test(first) && OPERAND_AFTER.test(text.charAt(end));
	return { canOpen: opens, canClose: closes, isBetween };
}

/** Whether two runs belong together. The rule of three is CommonMark's. */
function isPair(opener: Run, closer: Run): boolean {
	if (opener.mark !== closer.mark || !opener.canOpen) return false;
	if (opener.isBetween && closer.isBetween) return false;
	if (closer.mark === '~') return opener.length === closer.length;
	const isOdd = closer.canOpen || opener.canClose;
	const isThree = (opener.length + closer.length) % 3 === 0;
	return !isOdd || !isThree || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

/** The runs of marks that are not paired yet, in their order. */
export class Runs {
	last: Run | undefined;

	add(piece: Piece, mark: Mark, position: number, sides: Sides): void {
		const added = new Run(piece, mark, position, sides, this.last);
		if (this.last) this.last.next = added;
		this.last = added;
	}

	/**
	 * Pairs the runs above one, takes the paired marks out of the text, and forgets these runs. What was looked for in
	 * vain is not looked for again, so that the work grows with the length of the text only.
	 */
	pairAbove(bottom: Run | undefined): void {
		/** Below which position there is no opener for a kind of closer. */
		const searched = new Map<string, number>();
		let closer = this.firstAbove(bottom);
		while (closer) {
			const { next } = closer;
			if (!closer.canClose) {
				closer = next;
				continue;
			}
			const { kind } = closer;
			const opener = this.openerOf(closer, bottom, searched.get(kind) ?? -1);
			if (!opener) {
				searched.set(kind, closer.previous?.position ?? -1);
				if (!closer.canOpen) this.remove(closer);
				closer = next;
				continue;
			}
			this.removeBetween(opener, closer);
			const used = Math.min(opener.piece.text.length, closer.piece.text.length, 2);
			for (const run of [opener, closer]) {
				run.piece.text = run.piece.text.slice(used);
				if (run.piece.text === '') this.remove(run);
			}
			if (closer.piece.text === '') closer = next;
		}
		this.last = bottom;
		if (bottom) bottom.next = undefined;
	}

	private firstAbove(bottom: Run | undefined): Run | undefined {
		let first: Run | undefined;
		for (let run = this.last; run && run !== bottom; run = run.previous) first = run;
		return first;
	}

	private openerOf(closer: Run, bottom: Run | undefined, searched: number): Run | undefined {
		let run = closer.previous;
		while (run && run !== bottom && run.position > searched) {
			if (isPair(run, closer)) return run;
			run = run.previous;
		}
		return undefined;
	}

	private removeBetween(opener: Run, closer: Run): void {
		opener.next = closer;
		closer.previous = opener;
	}

	private remove(run: Run): void {
		if (run.previous) run.previous.next = run.next;
		if (run.next) run.next.previous = run.previous;
		else this.last = run.previous;
	}
}
