import { isRecord } from '../json';
import { tidy, wellFormed } from '../text';
import { InputError } from '../transport/errors';

/** The parts of an item that a reader passes on from its source. */
interface ItemSource {
	/**
	 * Finds a file: by the name of the item's binary field, or by the binary data that an expression gave. Undefined where
	 * there is no such field, and for what is no binary data.
	 */
	file: (source: unknown) => ItemFile | undefined;
	/** The names of the item's binary fields. */
	fileProperties: () => string[];
	/** Adds a check that is done before anything is sent for any item. It throws InputError with the name of the field. */
	beforeSending: (check: () => Promise<void>) => void;
}

/**
 * Reads the parameters of one item by name, with their expressions resolved. An expression can give a value of any type,
 * so each method says which type it reads. All but `raw` throw InputError with the label for another type.
 */
export interface ParameterReader extends ItemSource {
	/** A text; '' where it is not set. Numbers become texts, dates ISO 8601. Half a character is left out. */
	text(name: string, label: string): string;
	/** A name or another short text, without what nobody sees and without white space around it; '' where it is not set. */
	name(name: string, label: string): string;
	/**
	 * An ID, or a telephone number; '' where it is not set. What an expression gives without a value, such as NaN or the
	 * text "undefined", is none: it would make one customer of all that lack one.
	 */
	id(name: string, label: string): string;
	/** The value as it is, e.g. that of a JSON field. */
	raw(name: string): unknown;
	/** Yes or no; also as a text or as 1 and 0. No where it is not set. */
	flag(name: string, label: string): boolean;
	number(name: string, label: string): number;
	/** The ID in a resource locator, also in one of a collection. */
	locator(name: string, label: string): string;
	/** A collection such as Options, as a reader of its own. */
	collection(name: string): ParameterReader;
	/** The entries of a fixed collection, e.g. `rows('attachments', 'attachment')`. */
	rows(name: string, group: string): ParameterReader[];
	/** A point in time as ISO 8601 in UTC; '' where it is not set. */
	time(name: string, label: string): string;
}

/** A file in a binary field of an item. It is read only on demand. */
export interface ItemFile {
	mimeType: string;
	fileName?: string;
	/** Without a dot. */
	fileExtension?: string;
	/** Bytes. A file that n8n stores outside of memory is not read for it. */
	size: () => Promise<number>;
	read: () => Promise<Buffer>;
}

/** Where a reader gets its values: from n8n's `getNodeParameter`, or from an object. */
interface ParameterSource extends ItemSource {
	get(name: string): unknown;
	getLocator(name: string): unknown;
	/** Reads a point in time in any form that n8n's date fields and expressions give; undefined where it is none. */
	toIso: (value: unknown) => string | undefined;
}

/** A date of JavaScript, or one of Luxon, which n8n's `$now` is. */
function isoOf(value: object): string | undefined {
	if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
	const toISO: unknown = Reflect.get(value, 'toISO');
	const iso: unknown = typeof toISO === 'function' ? Reflect.apply(toISO, value, []) : undefined;
	return typeof iso === 'string' ? iso : undefined;
}

function readText(value: unknown, label: string): string {
	if (value === undefined || value === null) return '';
	if (typeof value === 'string') return wellFormed(value);
	if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
		return String(value);
	const iso = typeof value === 'object' ? isoOf(value) : undefined;
	if (iso !== undefined) return iso;
	throw new InputError(
		`${label} must be a text`,
		`It is ${Array.isArray(value) ? 'a list' : 'an object'} here; use an expression that gives a text.`,
	);
}

/** What JavaScript makes of a value that is missing, or is no text, where it is put into one. */
const NO_ID = /^(?:nan|[+-]?infinity|undefined|null|true|false|\[object \w+\]|invalid date(?:time)?)$/i;

/** Reads an ID that a field or an entry of a list gives, as {@link ParameterReader.id} does. @throws InputError with the label. */
export function readId(value: unknown, label: string): string {
	const isRounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
	if (isRounded) {
		throw new InputError(
			`${label} is a number that is too long to be exact: ${value}`,
			'Give it as a text, in quotes.',
		);
	}
	if (typeof value === 'string' && !value.isWellFormed()) {
		throw new InputError(
			`${label} has half a character`,
			'A text was cut in the middle of an emoji or other long character. Cut it elsewhere.',
		);
	}
	const id = tidy(readText(value, label));
	if (!NO_ID.test(id)) return id;
	throw new InputError(
		`${label} is “${id}”, which is no ID`,
		'The expression gives no value for this item. Filter such items out before this node, or use another field.',
	);
}

const YES = new Set<unknown>([true, 'true', 1, '1']);
const NO = new Set<unknown>([false, 'false', 0, '0', '', null, undefined]);

/** Reads yes or no, also as a text or as 1 and 0; no where it is not set, and undefined for everything else. */
export function flagOf(value: unknown): boolean | undefined {
	const given = typeof value === 'string' ? value.trim().toLowerCase() : value;
	if (YES.has(given)) return true;
	return NO.has(given) ? false : undefined;
}

/** Says by the field's name that a value is neither yes nor no. */
export function flagError(label: string): InputError {
	return new InputError(`${label} must be true or false`, 'Use an expression that gives one of them.');
}

function readFlag(value: unknown, label: string): boolean {
	const flag = flagOf(value);
	if (flag === undefined) throw flagError(label);
	return flag;
}

/** Reads a number, or a text that is one; undefined for everything else, also for what is not finite. */
export function numberOf(value: unknown): number | undefined {
	const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
	return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** The value that a resource locator of a collection has: there n8n gives it with its mode. Another value is as it is. */
export function locatorValue(value: unknown): unknown {
	return isRecord(value) && 'mode' in value ? value.value : value;
}

/** Makes the reader of a source. */
export function parameterReader(source: ParameterSource): ParameterReader {
	const nested = (values: unknown) =>
		parameterReader({
			...source,
			get: (name) => (isRecord(values) && Object.hasOwn(values, name) ? values[name] : undefined),
			getLocator: (name) => locatorValue(isRecord(values) ? values[name] : undefined),
		});
	const { file, fileProperties, beforeSending } = source;
	return {
		file,
		fileProperties,
		beforeSending,
		text: (name, label) => readText(source.get(name), label),
		raw: (name) => source.get(name),
		name: (name, label) => tidy(readText(source.get(name), label)),
		id: (name, label) => readId(source.get(name), label),
		flag: (name, label) => readFlag(source.get(name), label),
		number: (name, label) => {
			const number = numberOf(source.get(name));
			if (number === undefined) {
				throw new InputError(`${label} must be a number`, 'Give the number alone, such as 5.');
			}
			return number;
		},
		locator: (name, label) => readId(source.getLocator(name), label),
		collection: (name) => nested(source.get(name)),
		rows: (name, group) => {
			const collection = source.get(name);
			const rows = isRecord(collection) ? collection[group] : undefined;
			return Array.isArray(rows) ? rows.map(nested) : [];
		},
		time: (name, label) => {
			const value = source.get(name);
			if (value === undefined || value === null || value === '') return '';
			const iso = source.toIso(value);
			if (iso === undefined)
				throw new InputError(
					`${label} is not a date and time such as 2026-01-31T09:00:00Z`,
					'Without an offset it is in the time zone of the workflow.',
				);
			return iso;
		},
	};
}
