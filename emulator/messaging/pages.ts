import type { ListSettings } from '../settings';

const ODD_PAGE_SIZE = 3;

/** How a list writes its continuation tokens. */
export interface TokenForm<T> {
	/** A token that was not given before. */
	fresh(): string;
	/** Where tokens say themselves how far a page went: the token after an entry, and where the page after it starts. */
	byEntry?: { write(last: T): string; read(items: readonly T[], token: string): number };
}

export interface PageRequest<T> {
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

/** The first index whose item passes the test, where all items after one that passes it do; else the length. */
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

/** Up to `count` items that match, and the index of the next one, if there is one. */
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

/** Gives a list that only ever grows page by page, in the ways that the settings ask for. */
export class Pager<T> {
	/** Where the page of a token starts, for tokens that do not say so themselves. In lower case, as GUIDs may come in any. */
	private readonly starts = new Map<string, number>();

	constructor(
		private readonly settings: { lists: ListSettings },
		private readonly form: TokenForm<T>,
	) {}

	/** @returns undefined for a continuation token that is not known */
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
