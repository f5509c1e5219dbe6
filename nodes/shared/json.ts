/** A JSON value as it came. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Whether a value is an object, and neither a list nor null. */
export function isRecord(value: Json | undefined): value is { [key: string]: Json };
export function isRecord(value: unknown): value is Record<string, unknown>;
export function isRecord(value: unknown): boolean {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Where within a text of JSON a number may stand that is longer than JavaScript can hold, or has an exponent. A dash that
 * nothing of JSON's own stands before is one of a GUID, such as `-4e51-`: lists are full of them.
 */
const LONG_NUMBER = /[\s:,[]-?(?:[\d.]{16}|\d[\d.]*[eE][+-]?\d)/;
/** A text that is a number as a whole. */
const NUMBER_ALONE = /^-?\d/;

/** The digits of a number without zeros at their ends, and the power of ten that they are multiplied by. */
function digitsOf(number: string): string {
	const [, sign = '', whole = '', fraction = '', exponent = '0'] =
		/^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
	const digits = (whole + fraction).replace(/^0+/, '');
	if (digits === '') return '0';
	// Of many zeros, a search for those at the end would begin anew at each.
	let end = digits.length;
	while (digits.charAt(end - 1) === '0') end--;
	const power = Number(exponent) - fraction.length + digits.length - end;
	return `${sign}${digits.slice(0, end)}e${power}`;
}

/** Whether a number of JSON is the same once JavaScript has read it. A whole number keeps its digits, too. */
function isExact(number: string): boolean {
	const held = String(Number(number));
	if (held === number) return true;
	return (number.length < 22 || !/^-?\d+$/.test(number)) && digitsOf(number) === digitsOf(held);
}

/** The position behind a text that begins with the quote at `start`. */
function endOfText(json: string, start: number): number {
	for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
		let backslashes = 0;
		while (json.charAt(end - 1 - backslashes) === '\\') backslashes++;
		if (backslashes % 2 === 0) return end + 1;
	}
	return json.length;
}

/** The numbers of a text of JSON that JavaScript would change, with the positions where they begin. */
function* inexactNumbers(json: string): Generator<{ number: string; start: number }> {
	if (!NUMBER_ALONE.test(json) && !LONG_NUMBER.test(json)) return;
	const next = /"|-?\d[\d.eE+-]*/g;
	for (let found = next.exec(json); found; found = next.exec(json)) {
		const { 0: what, index } = found;
		if (what === '"') next.lastIndex = endOfText(json, index);
		else if (!isExact(what)) yield { number: what, start: index };
	}
}

/** Some programs of Windows put this before a text, and JSON.parse refuses it. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Parses JSON that came in, also behind a byte order mark. A number that JavaScript cannot hold exactly becomes a text of
 * its digits, as it is rather an ID, and nothing that came in is to be changed. Node.js 20 does not give a number's text while it parses.
 * @returns undefined where the text is not JSON.
 */
export function parseJson(marked: string): Json | undefined {
	const text = marked.replace(BYTE_ORDER_MARK, '');
	let read = '';
	let position = 0;
	try {
		for (const { number, start } of inexactNumbers(text)) {
			read += `${text.slice(position, start)}"${number}"`;
			position = start + number.length;
		}
		// What is no JSON must not become JSON by the quotes.
		if (position > 0) JSON.parse(text);
		return JSON.parse(read + text.slice(position)) as Json;
	} catch {
		return undefined;
	}
}

/** The first number of a text of JSON that JavaScript would change; undefined where there is none. */
export function inexactNumberIn(json: string): string | undefined {
	const [first] = inexactNumbers(json);
	return first?.number;
}

/** Far more than any activity has. Storing a larger item would block n8n or exhaust its stack. */
const MAX_DEPTH = 64;
const MAX_VALUES = 20_000;

/** Which limit for what comes in is exceeded: of how deeply values are nested, or of how many there are. */
type ExceededLimit = 'depth' | 'values';

/** Compares a value with the limits for what comes in. It does not recurse, and stops at the limit. Pure. */
export function exceededLimit(json: Json | undefined, maxValues = MAX_VALUES): ExceededLimit | undefined {
	let level: Json[] = json === undefined ? [] : [json];
	let values = 0;
	for (let depth = 0; level.length > 0; depth++) {
		if (depth > MAX_DEPTH) return 'depth';
		const next: Json[] = [];
		for (const value of level) {
			if (!Array.isArray(value) && !isRecord(value)) continue;
			const inner = Object.values(value);
			values += inner.length;
			if (values > maxValues) return 'values';
			for (const one of inner) next.push(one);
		}
		level = next;
	}
	return undefined;
}

/** Whether a value is nested more deeply than anything that comes in, however many values it has. Pure. */
export function isTooDeep(json: Json): boolean {
	return exceededLimit(json, Infinity) === 'depth';
}

/** Whether a text of JSON surely exceeds the limits, before the work of parsing it. Pure. */
function surelyExceedsLimits(json: string): boolean {
	const next = /["[\]{},]/g;
	let depth = 0;
	let commas = 0;
	for (let found = next.exec(json); found; found = next.exec(json)) {
		const [sign] = found;
		if (sign === '"') next.lastIndex = endOfText(json, found.index);
		else if (sign === ',') commas++;
		else depth += sign === '[' || sign === '{' ? 1 : -1;
		if (depth > MAX_DEPTH + 1 || commas > MAX_VALUES) return true;
	}
	return false;
}

/** Works as {@link parseJson} does, but gives undefined for what exceeds the limits, too. */
export function parseWithinLimits(text: string): Json | undefined {
	if (surelyExceedsLimits(text)) return undefined;
	const json = parseJson(text);
	return exceededLimit(json) === undefined ? json : undefined;
}

/** An object with more keys has them folded once, and not once for each key that is looked for. */
const MAX_UNFOLDED = 50;
/** No key that is looked for in any casing is longer. */
const MAX_FOLDED_LENGTH = 100;

/** The names of an object's keys by their lower case, for objects of many keys. What is parsed is not changed later. */
const foldedNames = new WeakMap<object, Map<string, string>>();

/** Folds the keys of an object, the first of each name. */
function fold(names: readonly string[]): Map<string, string> {
	const folded = new Map<string, string>();
	for (const name of names) {
		if (name.length > MAX_FOLDED_LENGTH) continue;
		const lower = name.toLowerCase();
		if (!folded.has(lower)) folded.set(lower, name);
	}
	return folded;
}

/** The name of an object's key that a key is in another casing; undefined where there is none. */
function nameOf(value: object, key: string): string | undefined {
	const known = foldedNames.get(value);
	if (known) return known.get(key.toLowerCase());
	const names = Object.keys(value);
	if (names.length <= MAX_UNFOLDED) {
		// A name of another length is another name, so a long one costs nothing.
		return names.find((name) => name.length === key.length && name.toLowerCase() === key.toLowerCase());
	}
	const folded = fold(names);
	foldedNames.set(value, folded);
	return folded.get(key.toLowerCase());
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
	const name = nameOf(value, key);
	return name === undefined ? undefined : value[name];
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
