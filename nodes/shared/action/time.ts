import { tryToParseDateTime } from 'n8n-workflow';

/** Epoch seconds or milliseconds, as expressions such as `$now.toSeconds()` and `$now.toMillis()` give them. */
const EPOCH = /^\d{10}(\d{3})?$/;

/**
 * Reads a point in time in any form that n8n's date fields and expressions give: ISO 8601 or another text that n8n
 * reads, a Luxon DateTime, a Date, or an epoch.
 * @param timezone IANA name of the time zone for a text without an offset.
 * @returns ISO 8601 in UTC; undefined where it is no point in time.
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
