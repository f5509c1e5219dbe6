import { isRecord, type Json } from './json';

/** Half of a surrogate pair, such as a cut emoji leaves, which no text can hold. */
const HALF_CHARACTER = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Leaves out what is half a character: another program would show it as �, or refuse the whole text. Pure. */
export function wellFormed(text: string): string {
	return text.isWellFormed() ? text : text.replace(HALF_CHARACTER, '');
}

/** As {@link wellFormed}, for all texts and keys in a value of JSON. Pure. */
export function wellFormedValue(value: Json): Json {
	if (typeof value === 'string') return wellFormed(value);
	if (Array.isArray(value)) return value.map(wellFormedValue);
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, one]) => [wellFormed(key), wellFormedValue(one)]),
	);
}

/** Cuts a text to a number of UTF-16 code units, or to one less where that would cut a character in half. Pure. */
export function cut(text: string, length: number): string {
	const short = text.slice(0, length);
	return short.length < text.length ? short.replace(/[\uD800-\uDBFF]$/, '') : short;
}

/**
 * What a program puts around a name, an ID or a number that is copied from it, and nobody sees: marks of the direction of
 * writing, a byte order mark, a space without a width, a soft hyphen. The joiners of emoji and of Persian are no such.
 */
const UNSEEN = /[\u00AD\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;

/** Decodes what is percent-encoded. A text that is not, such as one with a `%` of its own, stays as it is. Pure. */
export function decodedIfEncoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** Removes what nobody sees, such as marks that turn the direction of writing. Pure. */
export function withoutUnseen(text: string): string {
	return text.replace(UNSEEN, '');
}

/** Removes what nobody sees, makes hyphens and spaces that do not break usual ones, and trims. Pure. */
export function tidy(text: string): string {
	return withoutUnseen(text)
		.replace(/[\u2010\u2011]/g, '-')
		.replace(/[\u00A0\u2007\u202F]/g, ' ')
		.trim();
}
