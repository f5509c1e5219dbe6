import { textOf } from './json';

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads a time that a service gives, in ISO 8601 with a `T` or a blank. Without an offset it is in UTC; other forms would be
 * read in the time zone of the process. Pure.
 * @returns ISO 8601 in UTC; null where it is none.
 */
export function isoTimeOf(value: unknown): string | null {
	const [, day, time, offset = 'Z'] = ISO.exec(textOf(value)?.trim() ?? '') ?? [];
	const at = new Date(`${day}T${time}${offset}`);
	return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
