import { isRecord } from '../json';
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
 * so each method says which type it reads. All but `raw` and `flag` throw InputError with the label for another type.
 */
export interface ParameterReader extends ItemSource {
	/** A text; '' where it is not set. Numbers become texts. */
	text(name: string, label: string): string;
	/** The value as it is, e.g. that of a JSON field. */
	raw(name: string): unknown;
	flag(name: string): boolean;
	number(name: string, label: string): number;
	/** The value of a resource locator. */
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

function readText(value: unknown, label: string): string {
	if (value === undefined || value === null) return '';
	if (typeof value === 'string') return value;
	if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
		return String(value);
	throw new InputError(
		`${label} must be a text`,
		`It is ${Array.isArray(value) ? 'a list' : 'an object'} here; use an expression that gives a text.`,
	);
}

/** Reads a number, or a text that is one; undefined for everything else, also for what is not finite. */
export function numberOf(value: unknown): number | undefined {
	const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
	return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Makes the reader of a source. */
export function parameterReader(source: ParameterSource): ParameterReader {
	const nested = (values: unknown) =>
		parameterReader({
			...source,
			get: (name) => (isRecord(values) && Object.hasOwn(values, name) ? values[name] : undefined),
			getLocator: (name) => (isRecord(values) ? values[name] : undefined),
		});
	const { file, fileProperties, beforeSending } = source;
	return {
		file,
		fileProperties,
		beforeSending,
		text: (name, label) => readText(source.get(name), label),
		raw: (name) => source.get(name),
		flag: (name) => source.get(name) === true || source.get(name) === 'true',
		number: (name, label) => {
			const number = numberOf(source.get(name));
			if (number === undefined) {
				throw new InputError(`${label} must be a number`, 'Give the number alone, such as 5.');
			}
			return number;
		},
		locator: (name, label) => readText(source.getLocator(name), label),
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
