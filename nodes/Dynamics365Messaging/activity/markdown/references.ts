import { decodeHTMLStrict } from 'entities';

/** The character references of HTML, by name or number. Without its semicolon it is none: `?a=1&copy=2` is an address. */
const REFERENCE = '&(?:#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});';
/** A character that a backslash makes literal, behind it. */
const ESCAPE = '\\\\([!-/:-@[-`{-~])';

const REFERENCES = new RegExp(REFERENCE, 'g');
const REFERENCES_AND_ESCAPES = new RegExp(`${REFERENCE}|${ESCAPE}`, 'g');

/** A character reference at the regular expression's `lastIndex`. */
export const REFERENCE_HERE = new RegExp(REFERENCE, 'y');

/** The character that a reference names, or the reference where it names none. A channel's space has but one kind. */
function characterOf(reference: string): string {
	return decodeHTMLStrict(reference).replace('\u00a0', ' ');
}

/** Replaces the character references of HTML by their characters, once. Pure. */
export function decodeReferences(text: string): string {
	return text.includes('&') ? text.replace(REFERENCES, characterOf) : text;
}

/** As {@link decodeReferences}, and takes the backslashes away that make a sign literal. Pure. */
export function decodeTarget(text: string): string {
	return text.replace(REFERENCES_AND_ESCAPES, (found, escaped?: string) => escaped ?? characterOf(found));
}

/** Whether there is anything in a text that a reader sees. A reference can name a character that nobody does. Pure. */
export function isSeen(text: string): boolean {
	return /[^\s\p{Cc}\p{Cf}]/u.test(text);
}
