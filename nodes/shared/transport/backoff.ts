/** Milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** A pause grows by up to this share of itself, so that requests which waited together do not go out together. */
const JITTER = 0.2;
const LONGEST_JITTER = 2_000;

/**
 * Reads a Retry-After header. It is written by hand, as libraries read a date by the local clock. Pure.
 * @param retryAfter the header: seconds, or a date. Source: docs/service-facts.md#retry-after.
 * @param date the answer's Date header, which is the service's clock.
 * @returns milliseconds; undefined where the header is missing or cannot be read.
 */
export function parseRetryAfter(retryAfter: string | undefined, date?: string): number | undefined {
	const text = retryAfter?.trim() ?? '';
	if (/^\d+$/.test(text)) return Number(text) * 1000;
	// An HTTP date starts with the name of the day. Date.parse alone accepts nearly any text.
	const until = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : NaN;
	if (Number.isNaN(until)) return undefined;
	const now = Date.parse(date ?? '');
	return Math.max(0, until - (Number.isNaN(now) ? Date.now() : now));
}

/**
 * Gives the pause before the next try where the service names none: one second, doubled by each try, with jitter.
 * @param tries how many tries there were, from 1.
 * @returns milliseconds.
 */
export function backoffDelay(tries: number, random: () => number = Math.random): number {
	return jittered(Math.min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE), random);
}

/** Lengthens a pause by a random part. Milliseconds; never shorter than the given pause. */
export function jittered(ms: number, random: () => number = Math.random): number {
	return ms + random() * Math.min(ms * JITTER, LONGEST_JITTER);
}
