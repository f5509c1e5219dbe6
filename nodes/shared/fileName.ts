import { unescape } from 'node:querystring';

/** Signs that no name needs: control characters, line separators, and those that turn the direction of writing. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Makes the name of a file of a text that may be a path, or that somebody chose who wants to do harm. Pure.
 * @returns the last part of the path, without signs that cannot be seen; '' where nothing is left.
 */
export function plainFileName(text: string): string {
	const parts = text.replace(UNSEEN, '').split(/[/\\]/);
	const names = parts.map((part) => part.trim()).filter((part) => !['', '.', '..'].includes(part));
	return names.at(-1) ?? '';
}

/** Reads the name at the end of a URL, whose folders may be percent-encoded as well; '' where there is none. Pure. */
export function nameInUrl(url: string): string {
	if (!URL.canParse(url)) return '';
	return plainFileName(unescape(new URL(url).pathname.split('/').at(-1) ?? ''));
}

/** What is said of a file by its extension: letters and digits, not digits alone as in a date. */
const EXTENSION = /[^.]\.(?=[a-z0-9]{1,10}$)[a-z0-9]*[a-z][a-z0-9]*$/i;

/**
 * Adds the extension that is known of a file where its name has none. Pure.
 * @param extension with or without its dot.
 * @example
 * withExtension('Offer 12.5.2026', 'pdf'); // Offer 12.5.2026.pdf
 */
export function withExtension(name: string, extension: string): string {
	const known = plainFileName(extension).replace(/^\.+/, '');
	if (name === '' || known === '' || EXTENSION.test(name)) return name;
	return name.toLowerCase().endsWith(`.${known.toLowerCase()}`)
		? name
		: `${name.replace(/\.+$/, '')}.${known}`;
}
