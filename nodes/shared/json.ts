/** A JSON value as it came. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Whether a value is an object, and neither a list nor null. */
export function isRecord(value: Json | undefined): value is { [key: string]: Json };
export function isRecord(value: unknown): value is Record<string, unknown>;
export function isRecord(value: unknown): boolean {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON. Returns undefined where the text is not JSON. */
export function parseJson(text: string): Json | undefined {
	try {
		return JSON.parse(text) as Json;
	} catch {
		return undefined;
	}
}

/**
 * Reads one key of an object: in the given casing, or else in any. The casing varies between the service's endpoints and
 * between the senders of activities. Other keys are not changed, so a customer's own JSON stays as it is.
 * Source: docs/service-facts.md#answer-casing and docs/service-facts.md#activities-received.
 * @returns undefined where there is no such key, or no object.
 */
export function readKey(value: Json | undefined, key: string): Json | undefined;
export function readKey(value: unknown, key: string): unknown;
export function readKey(value: unknown, key: string): unknown {
	if (!isRecord(value)) return undefined;
	if (Object.hasOwn(value, key)) return value[key];
	const wanted = key.toLowerCase();
	const found = Object.keys(value).find((name) => name.toLowerCase() === wanted);
	return found === undefined ? undefined : value[found];
}

/** Returns a text as it is, a number as a text, and null for everything else. */
export function textOf(value: unknown): string | null {
	if (typeof value === 'number') return String(value);
	return typeof value === 'string' ? value : null;
}

/** Works as `textOf` does, but returns null for a text of white space only. */
export function nonEmptyText(value: unknown): string | null {
	const text = textOf(value);
	return text === null || text.trim() === '' ? null : text;
}

/** Drops the keys whose value is undefined or '': the services accept a missing field, but not an empty one. Pure. */
export function withoutEmpty<Fields extends Record<string, unknown>>(fields: Fields): Partial<Fields> {
	const kept = Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined);
	return Object.fromEntries(kept) as Partial<Fields>;
}

/** Works as `withoutEmpty` does, but returns undefined where no key is left. Pure. */
export function unlessEmpty<Fields extends Record<string, unknown>>(
	fields: Fields,
): Partial<Fields> | undefined {
	const kept = withoutEmpty(fields);
	return Object.keys(kept).length === 0 ? undefined : kept;
}
