import { tryToParseDateTime } from 'n8n-workflow';
import { readKey } from '../json';

/** Epoch seconds or milliseconds, as expressions such as `$now.toSeconds()` and `$now.toMillis()` give them. */
const EPOCH = /^\d{10}(\d{3})?$/;
/** Digits alone are a day only as `20260131`. */
const OTHER_NUMBER = /^\d{1,7}$|^\d{9}$|^\d{11,12}$|^\d{14,}$/;

/** A text with a time of day: what is before its zone, the zone's name, its offset, and a comment, as JavaScript writes one. */
const TIMED =
	/^(.*?(?:\d:\d\d|T\d{4}).*?)\s*(z|utc?|gmt|[ecmp][sd]t)?\s*([+-]\d{1,2}(?::?\d\d)?)?(\s*\([^()]*\))?$/i;

/** The hours of the zones that have names in dates; of any other name nobody knows them. */
const ZONES: Record<string, number> = {
	z: 0,
	ut: 0,
	utc: 0,
	gmt: 0,
	est: -5,
	edt: -4,
	cst: -6,
	cdt: -5,
	mst: -7,
	mdt: -6,
	pst: -8,
	pdt: -7,
};
const LARGEST_OFFSET_HOURS = 14;

/** All words that a date may have. */
const WORDS =
	/^(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?|mon(day)?|tue(s(day)?)?|wed(nesday)?|thu(rs(day)?)?|fri(day)?|sat(urday)?|sun(day)?|am|pm|t)$/i;
const MONTH = /jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec/i;
/** Day, month and year with dots, which is the order wherever dots are used. */
const DOTTED = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)/;

/** Longer than any date, and short enough to be searched at once. */
const MAX_LENGTH = 100;
const HOUR_MS = 3_600_000;

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
 * Reads a text without a zone that is in none of the standard forms, such as `01/31/2026 9:00` or `Jan 31, 2026`. JavaScript
 * would read it in the time zone of the process, a day that does not exist as a later one, and a lone number as a month.
 * @returns the clock on the wall as if it were in UTC, epoch milliseconds; NaN where it does not name a day with its year.
 */
function readLoosely(given: string): number {
	const text = given.replace(DOTTED, '$2/$1/$3');
	if (!(text.match(/[a-z]+/gi) ?? []).every((word) => WORDS.test(word))) return NaN;
	const wallClock = new Date(Date.parse(`${text} UTC`));
	const date = text.replace(/\d+:\d.*$/, '');
	const named = new Set(date.match(/\d+/g)?.map(Number));
	const isYearNamed = /(?<!\d)\d{4}(?!\d)/.test(date) && named.has(wallClock.getUTCFullYear());
	const isMonthNamed = MONTH.test(date) || named.has(wallClock.getUTCMonth() + 1);
	return isYearNamed && isMonthNamed && named.has(wallClock.getUTCDate()) ? wallClock.getTime() : NaN;
}

/** Reads a text without a zone. @returns epoch milliseconds, as if the zone were this one. */
function readWallClock(text: string, timezone: string): number {
	if (isStandard(text)) return millis(text, timezone);
	const utc = readLoosely(text);
	return Number.isNaN(utc) ? NaN : millis(new Date(utc).toISOString().slice(0, -1), timezone);
}

/** The offset of a zone, milliseconds; NaN where there is none such. */
function offsetOf(name: string | undefined, offset: string | undefined): number {
	const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d{1,2}):?(\d\d)?$/.exec(offset ?? '') ?? [];
	const named = name === undefined ? 0 : (ZONES[name.toLowerCase()] ?? NaN);
	const isTwice = named !== 0 && offset !== undefined;
	if (isTwice || Number(hours) > LARGEST_OFFSET_HOURS || Number(minutes) > 59) return NaN;
	return (named + (sign === '-' ? -1 : 1) * (Number(hours) + Number(minutes) / 60)) * HOUR_MS;
}

function readText(text: string, timezone: string): number {
	if (!/\d{4}/.test(text) || OTHER_NUMBER.test(text)) return NaN;
	const [, timed = '', name, offset, comment] = TIMED.exec(text) ?? [];
	if (name === undefined && offset === undefined) {
		return comment === undefined ? readWallClock(text, timezone) : NaN;
	}
	return readWallClock(timed, 'UTC') - offsetOf(name, offset);
}

function isDate(value: unknown): boolean {
	const isOwn = Object.prototype.toString.call(value) === '[object Date]';
	return isOwn || readKey(value, 'isLuxonDateTime') === true;
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
		if (text === undefined) {
			return isDate(value) ? new Date(millis(value, timezone)).toISOString() : undefined;
		}
		if (text.length > MAX_LENGTH) return undefined;
		if (EPOCH.test(text)) return new Date(Number(text.padEnd(13, '0'))).toISOString();
		return new Date(readText(text, timezone)).toISOString();
	} catch {
		return undefined;
	}
}
