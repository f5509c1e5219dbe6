import { nonEmptyText, readKey, type Json } from '../../../shared/json';

/** A list in a card; empty where there is none. */
export function listAt(value: Json | undefined, key: string): Json[] {
	const list = readKey(value, key);
	return Array.isArray(list) ? list : [];
}

/** A text in a card; null where there is none, or only white space. */
export function textAt(value: Json | undefined, key: string): string | null {
	return nonEmptyText(readKey(value, key));
}

/** The type of an element or an action, in lower case; empty where there is none. */
export function typeOf(value: Json | undefined): string {
	return (textAt(value, 'type') ?? '').trim().toLowerCase();
}

/** Removes the colon that some write behind a name. */
function withoutColon(name: string): string {
	const trimmed = name.trimEnd();
	return trimmed.endsWith(':') ? trimmed.slice(0, -1).trimEnd() : trimmed;
}

/** A name and its value, in a line. */
export function pairOf(name: string | null, value: string | null): string {
	return [name === null ? '' : withoutColon(name), value].filter(Boolean).join(': ');
}
