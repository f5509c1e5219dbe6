import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from './errors';

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
export function retryAfterMs(retryAfter: string | undefined, date?: string): number | undefined {
	const text = retryAfter?.trim() ?? '';
	if (/^\d+$/.test(text)) return Number(text) * 1000;
	// An HTTP date begins with the day's name; Date.parse alone would take nearly anything for a date.
	const until = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : NaN;
	if (Number.isNaN(until)) return undefined;
	const now = Date.parse(date ?? '');
	return Math.max(0, until - (Number.isNaN(now) ? Date.now() : now));
}

/** The pause before the next try where nobody says how long: doubling from a second, with jitter. */
export function backoffMs(tries: number, random: () => number = Math.random): number {
	return jittered(Math.min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE), random);
}

/** A pause that is never shorter than asked for. */
function jittered(ms: number, random: () => number = Math.random): number {
	return ms + random() * Math.min(ms * JITTER, LONGEST_JITTER);
}

/** What n8n shows of an execution that was stopped before a request went out. */
export function cancelled(): ServiceError {
	return new ServiceError({
		message: 'The execution was cancelled before this was sent',
		description: 'Send only what was not sent.',
		code: 'ABORT_ERR',
	});
}

/** What becomes of a call that never went out, because the service asked the run to wait for longer than it may. */
function notTried(reason: ServiceError): ServiceError {
	return reason.with({
		message: `This was not tried: ${reason.message}`,
		outcome: 'notSent',
		// It is that of another call.
		correlationId: null,
		triedAt: undefined,
	});
}

/**
 * The pace of one run: all of its requests are held back together when the service asks for it, and each is tried
 * again for so long and no longer.
 */
export class Throttle {
	private heldUntil = 0;
	private heldFor = 0;
	private reason: ServiceError | undefined;

	constructor(
		/** For how long one request is tried again, milliseconds; 0 for not at all. */
		readonly maxRetryMs: number,
		/** Ends every wait and every request when the execution is cancelled. */
		readonly signal?: AbortSignal,
	) {}

	/** Holds back every request of the run. */
	pauseAll(ms: number, reason: ServiceError): void {
		if (Date.now() + ms <= this.heldUntil) return;
		this.heldUntil = Date.now() + ms;
		this.heldFor = ms;
		this.reason = reason;
	}

	/**
	 * Waits until a request may go out.
	 * @param deadline when the request is given up, epoch milliseconds.
	 * @throws ServiceError what the run is held back for, if that takes longer than the request may wait; or that the
	 * execution was cancelled.
	 */
	async waitForSlot(deadline: number): Promise<void> {
		while (Date.now() < this.heldUntil) {
			if (this.heldUntil > deadline && this.reason) throw notTried(this.reason);
			await this.wait(this.heldUntil - Date.now() + jittered(this.heldFor) - this.heldFor);
		}
		if (this.signal?.aborted) throw cancelled();
	}

	/** @throws ServiceError when the execution is cancelled meanwhile. */
	async wait(ms: number): Promise<void> {
		await sleep(ms, undefined, { signal: this.signal }).catch(() => {
			throw cancelled();
		});
	}
}
