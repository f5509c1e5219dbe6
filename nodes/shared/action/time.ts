import { tryToParseDateTime } from 'n8n-workflow';

/** Epoch seconds or milliseconds, as expressions such as `$now.toSeconds()` and `$now.toMillis()` give them. */
const EPOCH = /^\d{10}(\d{3})?$/;

/** A time zone at the end of a text, after a time of day. What JavaScript writes in brackets behind it adds nothing. */
const ZONE =
	/(?<=\d{4}.*\d)\s*(?:Z|UTC?|GMT|[A-Z]{1,3}T)?(?:(?<=(?:[A-Z]|:\d\d(?:[.,]\d+)?|T\d{4}(?:\d\d)?)\s*)[+-]\d\d(?::?\d\d)?)?(?:\s*\(.*\))?$/;

/** Longer than any date, and short enough to be searched at once. */
const MAX_LENGTH = 100;

/** Milliseconds since the epoch. @throws where n8n cannot read it. */
function millis(value: unknown, timezone: string): number {
	return tryToParseDateTime(value, timezone).toMillis();
}

/**
 * Whether a text without a zone is in a form that n8n reads itself: it is another time in another zone then. All else n8n
 * leaves to JavaScript.
 */
function isStandard(text: string): boolean {
	try {
		return millis(text, 'UTC') !== millis(text, 'Asia/Tokyo');
	} catch {
		return false;
	}
}

/**
 * Reads a text that is in none of the standard forms, such as `01/31/2026 9:00` or `Jan 31, 2026`. JavaScript would read
 * it in the time zone of the process, a day that does not exist as a later one, and a lone number as a month.
 * @param withoutZone the text without its zone; the same where it has none.
 * @returns epoch milliseconds; NaN where it does not name a day with its year.
 */
function readLoosely(text: string, withoutZone: string, timezone: string): number {
	const wallClock = new Date(Date.parse(`${withoutZone} UTC`));
	const date = withoutZone.replace(/\d+:\d.*$/, '');
	const named = new Set(date.match(/\d+/g)?.map(Number));
	const isYearNamed = /(?<!\d)\d{4}(?!\d)/.test(date) && named.has(wallClock.getUTCFullYear());
	const isMonthNamed = /[a-z]{3}/i.test(date) || named.has(wallClock.getUTCMonth() + 1);
	if (!isYearNamed || !isMonthNamed || !named.has(wallClock.getUTCDate())) return NaN;
	const hasZone = withoutZone !== text;
	return hasZone ? Date.parse(text) : millis(wallClock.toISOString().slice(0, -1), timezone);
}

function readText(text: string, timezone: string): number {
	const withoutZone = text.replace(ZONE, '');
	return isStandard(withoutZone) ? millis(text, timezone) : readLoosely(text, withoutZone, timezone);
}

/**
 * Reads a point in time in any form that n8n's date fields and expressions give: ISO 8601 or another text that n8n
 * reads, a Luxon DateTime, a Date, or an epoch.
 * @param timezone IANA name of the time zone for a text without an offset.
 * @returns ISO 8601 in UTC; undefined where it is no point in time.
 */
export function toIso(value: unknown, timezone: string): string | undefined {
	const text = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : undefined;
	try {
		if (text === undefined) return new Date(millis(value, timezone)).toISOString();
		if (text.length > MAX_LENGTH) return undefined;
		if (EPOCH.test(text)) return new Date(Number(text.padEnd(13, '0'))).toISOString();
		return new Date(readText(text, timezone)).toISOString();
	} catch {
		return undefined;
	}
}
