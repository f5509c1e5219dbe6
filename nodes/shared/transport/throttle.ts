import { setTimeout as sleep } from 'node:timers/promises';
import { jittered } from './backoff';
import { cancelled, type ServiceError } from './errors';

/** A longer pause than this cannot be meant, milliseconds: a year. */
const LONGEST_PAUSE_MS = 365 * 24 * 3_600_000;

/**
 * Says how long the service asks to wait, and until when by the clock on the wall. Pure.
 * @param ms milliseconds from now; also Infinity, as a header may have any number of digits.
 */
export function pauseAdvice(ms: number, now = Date.now()): string {
	if (ms > LONGEST_PAUSE_MS) {
		return 'The service asks for a pause of more than a year, which is hardly meant: try again later.';
	}
	const seconds = Math.ceil(ms / 1000);
	const until = new Date(now + seconds * 1000).toISOString().slice(0, 19);
	return `The service asks for a pause of ${seconds.toLocaleString('en-US')} s, until ${until}Z: try again then.`;
}

/**
 * Makes the error of a request that was not sent, because the run's pause is longer than the request may wait. The advice
 * of the reason is left out, as it may be how to find out whether that other request arrived.
 * @param ms how long the pause still is, milliseconds.
 */
function notTried(reason: ServiceError, ms: number): ServiceError {
	return reason.with({
		message: `This was not tried: ${reason.message}`,
		description: pauseAdvice(ms),
		outcome: 'notSent',
		// Those of another request.
		correlationId: null,
	});
}

/** How long a request waits for its first try at the least, where the service asks for a pause, milliseconds. */
const FIRST_TRY_MS = 60_000;

/** How long a request may take that only looks whether something is there, e.g. for a drop-down, milliseconds. */
export const LOOK_TIMEOUT_MS = 15_000;

/** Pauses all requests of a run when the service asks for it, and limits how long each request is tried. */
export class Throttle {
	private pausedUntil = 0;
	private pausedFor = 0;
	private reason: ServiceError | undefined;

	constructor(
		/** How long a request is retried, in milliseconds; 0 for not at all. */
		readonly maxRetryMs: number = 0,
		/** Ends every wait and every request when the execution is cancelled. */
		readonly signal?: AbortSignal,
		/** How long one try may take, in milliseconds; undefined for as long as the transport waits. */
		readonly timeoutMs?: number,
	) {}

	/** For requests that somebody waits for and that only look whether something is there. They are tried once. */
	static forLooks(): Throttle {
		return new Throttle(0, undefined, LOOK_TIMEOUT_MS);
	}

	/**
	 * Pauses every request of the run. A pause that ends later stays.
	 * @param ms milliseconds from now.
	 * @param reason the error for requests that cannot wait that long.
	 */
	pauseAll(ms: number, reason: ServiceError): void {
		const until = performance.now() + ms;
		if (until <= this.pausedUntil) return;
		this.pausedUntil = until;
		this.pausedFor = ms;
		this.reason = reason;
	}

	/**
	 * Waits until a request may be tried for the first time, through any number of pauses: each request is tried once, at
	 * the pace that the service asks for. A longer pause than a minute would keep the whole workflow waiting: then the
	 * error says that nothing was sent and until when the pause is, so that n8n's Retry On Fail, or a person, may repeat it.
	 * @throws ServiceError where a pause is longer than a minute and than requests are retried, or the execution is cancelled.
	 */
	async waitForFirstTry(): Promise<void> {
		await this.waitForSlot(() => this.pausedFor > Math.max(this.maxRetryMs, FIRST_TRY_MS));
	}

	/**
	 * Waits until a request may be tried again.
	 * @param deadline until when the request may wait, by `performance.now()`, which no change of the machine's clock moves.
	 * @throws ServiceError where the pause ends after the deadline, or the execution is cancelled.
	 */
	async waitForNextTry(deadline: number): Promise<void> {
		await this.waitForSlot(() => this.pausedUntil > deadline);
	}

	private async waitForSlot(isTooLong: () => boolean): Promise<void> {
		for (let left = this.left(); left > 0; left = this.left()) {
			if (this.reason && isTooLong()) throw notTried(this.reason, left);
			await this.wait(left + jittered(this.pausedFor) - this.pausedFor);
		}
		if (this.signal?.aborted) throw cancelled();
	}

	/** How long the pause still is, milliseconds. */
	private left(): number {
		return this.pausedUntil - performance.now();
	}

	/** Waits for some milliseconds. @throws ServiceError where the execution is cancelled. */
	async wait(ms: number): Promise<void> {
		await sleep(ms, undefined, { signal: this.signal }).catch(() => {
			throw cancelled();
		});
	}
}
