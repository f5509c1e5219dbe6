/** A JSON value as it came. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Whether a value is an object with keys: no list, not null. */
export function isRecord(value: Json | undefined): value is { [key: string]: Json };
export function isRecord(value: unknown): value is Record<string, unknown>;
export function isRecord(value: unknown): boolean {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads JSON without minding what it is. Returns undefined where it is none. */
export function parseJson(text: string): Json | undefined {
	try {
		return JSON.parse(text) as Json;
	} catch {
		return undefined;
	}
}

/**
 * Reads one key, in the casing asked for or else in any, as the casing varies between the service's endpoints and
 * between its senders of activities. A key is only found by being asked for, so a customer's own JSON stays as it is.
 * Source: docs/service-facts.md#answer-casing and docs/service-facts.md#activities-received.
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

/** A text as it came, a number as a text, null for all else. */
export function textOf(value: unknown): string | null {
	if (typeof value === 'number') return String(value);
	return typeof value === 'string' ? value : null;
}

/** As `textOf`, but null also for a text of nothing but white space. */
export function nonEmptyText(value: unknown): string | null {
	const text = textOf(value);
	return text === null || text.trim() === '' ? null : text;
}

/** Drops the keys that hold nothing: in a service's body a field may be left out, but not empty. Pure. */
export function withoutEmpty<Fields extends Record<string, unknown>>(fields: Fields): Partial<Fields> {
	const kept = Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined);
	return Object.fromEntries(kept) as Partial<Fields>;
}

/** As `withoutEmpty`; undefined where no keys are left. Pure. */
export function unlessEmpty<Fields extends Record<string, unknown>>(
	fields: Fields,
): Partial<Fields> | undefined {
	const kept = withoutEmpty(fields);
	return Object.keys(kept).length === 0 ? undefined : kept;
}
