/** A part of the text that is given out. */
export interface Piece {
	text: string;
}

type Mark = '*' | '_' | '~';

/** A run of equal marks that may open or close emphasis. */
export interface Run {
	piece: Piece;
	mark: Mark;
	/** Where it stands in the source. */
	position: number;
	/** How many marks it had. */
	length: number;
	canOpen: boolean;
	canClose: boolean;
	previous: Run | undefined;
	next: Run | undefined;
}

const SPACE = /\s/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const DIGIT = /\p{Nd}/u;

/** The character that ends at a position; '' at the start of the text. */
function characterBefore(text: string, position: number): string {
	const last = text.charAt(position - 1);
	return /[\uDC00-\uDFFF]/.test(last) ? text.slice(position - 2, position) : last;
}

function characterAt(text: string, position: number): string {
	const code = text.codePointAt(position);
	return code === undefined ? '' : String.fromCodePoint(code);
}

/**
 * Whether a run of marks can open and close emphasis, by what stands beside it, as CommonMark and GitHub have it. Between
 * two digits it does neither: `2*3*4` must not become another number.
 */
export function sidesOf(
	text: string,
	mark: Mark,
	start: number,
	end: number,
): { canOpen: boolean; canClose: boolean } {
	const before = characterBefore(text, start);
	const after = characterAt(text, end);
	if (DIGIT.test(before) && DIGIT.test(after)) return { canOpen: false, canClose: false };
	const [spaceBefore, spaceAfter] = [before, after].map((one) => one === '' || SPACE.test(one));
	const [signBefore, signAfter] = [before, after].map((one) => PUNCTUATION.test(one));
	const opens = !spaceAfter && (!signAfter || spaceBefore === true || signBefore === true);
	const closes = !spaceBefore && (!signBefore || spaceAfter === true || signAfter === true);
	if (mark === '_')
		return {
			canOpen: opens && (!closes || signBefore === true),
			canClose: closes && (!opens || signAfter === true),
		};
	if (mark === '~' && end - start > 2) return { canOpen: false, canClose: false };
	return { canOpen: opens, canClose: closes };
}

/** Whether two runs belong together. The rule of three is CommonMark's. */
function isPair(opener: Run, closer: Run): boolean {
	if (opener.mark !== closer.mark || !opener.canOpen) return false;
	if (closer.mark === '~') return opener.length === closer.length;
	const isOdd = closer.canOpen || opener.canClose;
	const isThree = (opener.length + closer.length) % 3 === 0;
	return !isOdd || !isThree || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

/** The runs of marks that are not paired yet, in their order. */
export class Runs {
	last: Run | undefined;

	add(run: Omit<Run, 'previous' | 'next'>): void {
		const added: Run = { ...run, previous: this.last, next: undefined };
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
			const kind = `${closer.mark}${closer.canOpen}${closer.mark === '~' ? closer.length : closer.length % 3}`;
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
