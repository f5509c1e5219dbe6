import type { ListSettings } from '../settings';

const ODD_PAGE_SIZE = 3;

/** How a list writes its continuation tokens. */
interface TokenForm<T> {
	/** Makes a token that was not used before. */
	fresh(): string;
	/** For tokens that encode a position: writes the token after an entry, and reads the index at which the next page starts. */
	byEntry?: { write(last: T): string; read(items: readonly T[], token: string): number };
}

interface PageRequest<T> {
	/** Null for the first page. */
	token: string | null;
	size: number;
	matches: (item: T) => boolean;
}

export interface Page<T> {
	entries: T[];
	/** Undefined on the last page. */
	token: string | undefined;
}

/**
 * Finds the first item that passes a test by binary search.
 *
 * @param items after an item that passes, all others must pass too
 * @returns the index of the item; the length of the list when none passes
 */
export function firstIndex<T>(items: readonly T[], passes: (item: T) => boolean): number {
	let low = 0;
	let high = items.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		// The index is always below the length.
		if (passes(items[middle] as T)) high = middle;
		else low = middle + 1;
	}
	return low;
}

/** Collects up to `count` items that match. @returns them, and the index of the next match; undefined when there is none */
function takeMatching<T>(
	items: readonly T[],
	start: number,
	count: number,
	matches: (item: T) => boolean,
): { entries: T[]; next: number | undefined } {
	const entries: T[] = [];
	for (let index = start; index < items.length; index++) {
		const item = items[index] as T;
		if (!matches(item)) continue;
		if (entries.length === count) return { entries, next: index };
		entries.push(item);
	}
	return { entries, next: undefined };
}

/** Splits a list that only grows into pages, with the wrong behaviour that the settings ask for. */
export class Pager<T> {
	/** The index at which the page of a token starts, for tokens that encode none. The tokens are in lower case, as clients may change that of GUIDs. */
	private readonly starts = new Map<string, number>();

	constructor(
		private readonly settings: { lists: ListSettings },
		private readonly form: TokenForm<T>,
	) {}

	/** Makes one page. @returns undefined for an unknown continuation token */
	page(items: readonly T[], { token, size, matches }: PageRequest<T>): Page<T> | undefined {
		const { emptyPages, ignorePageSize, rejectTokens, repeatToken, samePage } = this.settings.lists;
		const start = token === null ? 0 : rejectTokens ? undefined : this.startOf(items, token);
		if (start === undefined) return undefined;
		if (token !== null && emptyPages) return { entries: [], token: this.issue(start) };

		const count = ignorePageSize ? ODD_PAGE_SIZE : size;
		const { entries, next } = takeMatching(items, samePage ? 0 : start, count, matches);
		const last = entries.at(-1);
		if (emptyPages || samePage) return { entries, token: this.issue(start) };
		if (next === undefined || last === undefined) return { entries, token: undefined };
		if (repeatToken) {
			const isOurs = token !== null && this.starts.has(token.toLowerCase());
			return { entries, token: this.issue(next, isOurs ? token : undefined) };
		}
		return { entries, token: this.form.byEntry?.write(last) ?? this.issue(next) };
	}

	private startOf(items: readonly T[], token: string): number | undefined {
		return this.starts.get(token.toLowerCase()) ?? this.form.byEntry?.read(items, token);
	}

	private issue(start: number, token = this.form.fresh()): string {
		this.starts.set(token.toLowerCase(), start);
		return token;
	}
}
