import { InputError } from '../transport/errors';
import { isRecord } from '../json';

/**
 * The parameters of one item, by name, with expressions already resolved. What n8n hands over can be of any type,
 * as expressions give what they will; so each reading says which type it wants.
 */
export interface ParameterReader {
	/** A text; '' where it is not set. Numbers become texts. */
	text(name: string, label: string): string;
	/** A text as it is, or an object or a list: what a JSON field can hold. */
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
	/** The file in a binary field of the item; undefined where there is no such field. */
	file(property: string): ItemFile | undefined;
	/** The names of the item's binary fields. */
	fileProperties(): string[];
	/** Has something looked at before anything is sent for any item. It throws InputError naming the field. */
	beforeSending(check: () => Promise<void>): void;
}

/** A file in a binary field of an item, which is read only when it is asked for. */
export interface ItemFile {
	mimeType: string;
	fileName?: string;
	/** Without a dot. */
	fileExtension?: string;
	/** Bytes, without reading it where n8n keeps it outside of memory. */
	size: () => Promise<number>;
	read: () => Promise<Buffer>;
}

/** Where a reader gets its values: n8n's `getNodeParameter`, or an object. */
export interface ParameterSource {
	get(name: string): unknown;
	getLocator(name: string): unknown;
	getFile: (property: string) => ItemFile | undefined;
	fileProperties: () => string[];
	beforeSending: (check: () => Promise<void>) => void;
	/** Reads a date in any form that n8n's date fields and expressions give; an invalid one gives undefined. */
	toIso: (value: unknown) => string | undefined;
}

function asText(value: unknown, label: string): string {
	if (value === undefined || value === null) return '';
	if (typeof value === 'string') return value;
	if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
		return String(value);
	throw new InputError(
		`${label} must be a text`,
		`It is ${Array.isArray(value) ? 'a list' : 'an object'} here; use an expression that gives a text.`,
	);
}

/** Makes a reader of a source. */
export function parameterReader(source: ParameterSource): ParameterReader {
	const nested = (values: unknown) =>
		parameterReader({
			...source,
			get: (name) => (isRecord(values) && Object.hasOwn(values, name) ? values[name] : undefined),
			getLocator: (name) => (isRecord(values) ? values[name] : undefined),
		});
	return {
		file: (property) => source.getFile(property),
		fileProperties: () => source.fileProperties(),
		beforeSending: (check) => source.beforeSending(check),
		text: (name, label) => asText(source.get(name), label),
		raw: (name) => source.get(name),
		flag: (name) => source.get(name) === true || source.get(name) === 'true',
		number: (name, label) => {
			const value = source.get(name);
			const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
			if (typeof number !== 'number' || !Number.isFinite(number)) {
				throw new InputError(`${label} must be a number`, 'Enter a whole number.');
			}
			return number;
		},
		locator: (name, label) => asText(source.getLocator(name), label),
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
