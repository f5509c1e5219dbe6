import { tryToParseDateTime } from 'n8n-workflow';

/** Epoch seconds or milliseconds, as expressions such as `$now.toSeconds()` and `$now.toMillis()` give them. */
const EPOCH = /^\d{10}(\d{3})?$/;

/**
 * A point in time in whatever form n8n's date fields and expressions give it: ISO 8601 and the other written forms that
 * n8n reads, a Luxon DateTime, a Date, or an epoch. One without an offset is in the workflow's time zone.
 * @param timezone IANA name.
 * @returns ISO 8601 in UTC; undefined where it is none of these.
 */
export function toIso(value: unknown, timezone: string): string | undefined {
	const text = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '';
	const time = EPOCH.test(text) ? new Date(Number(text.padEnd(13, '0'))) : value;
	try {
		return tryToParseDateTime(time, timezone).toUTC().toISO() ?? undefined;
	} catch {
		return undefined;
	}
}
