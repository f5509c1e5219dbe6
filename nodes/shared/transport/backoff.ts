/** Milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** How much longer than asked for a pause is at the most, so that what waits together does not go on together. */
const JITTER = 0.2;
const LONGEST_JITTER = 2_000;

/**
 * How long the service asks to be left alone, in milliseconds; undefined where it does not say. Pure.
 * @param retryAfter the header: seconds, or a date. Source: docs/service-facts.md#retry-after.
 * @param date the answer's Date header: a date is read by the service's clock, not by ours.
 */
export function parseRetryAfter(retryAfter: string | undefined, date?: string): number | undefined {
	const text = retryAfter?.trim() ?? '';
	if (/^\d+$/.test(text)) return Number(text) * 1000;
	// An HTTP date begins with the day's name; Date.parse alone would take nearly anything for a date.
	const until = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : NaN;
	if (Number.isNaN(until)) return undefined;
	const now = Date.parse(date ?? '');
	return Math.max(0, until - (Number.isNaN(now) ? Date.now() : now));
}

/** The pause before the next try where nobody says how long: doubling from a second, with jitter. Milliseconds. */
export function backoffDelay(tries: number, random: () => number = Math.random): number {
	return jittered(Math.min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE), random);
}

/** A pause that is never shorter than asked for. Milliseconds. */
export function jittered(ms: number, random: () => number = Math.random): number {
	return ms + random() * Math.min(ms * JITTER, LONGEST_JITTER);
}
