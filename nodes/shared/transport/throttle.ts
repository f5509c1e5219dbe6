import { setTimeout as sleep } from 'node:timers/promises';
import { jittered } from './backoff';
import { cancelled, type ServiceError } from './errors';

/** Makes the error of a request that was not sent, because the run's pause is longer than the request may wait. */
function notTried(reason: ServiceError): ServiceError {
	return reason.with({
		message: `This was not tried: ${reason.message}`,
		outcome: 'notSent',
		// Those of another request.
		correlationId: null,
	});
}

/** Pauses all requests of a run when the service asks for it, and limits how long each request is retried. */
export class Throttle {
	private pausedUntil = 0;
	private pausedFor = 0;
	private reason: ServiceError | undefined;

	constructor(
		/** How long a request is retried, in milliseconds; 0 for not at all. */
		readonly maxRetryMs: number = 0,
		/** Ends every wait and every request when the execution is cancelled. */
		readonly signal?: AbortSignal,
	) {}

	/**
	 * Pauses every request of the run. A pause that ends later stays.
	 * @param ms milliseconds from now.
	 * @param reason the error for requests that cannot wait that long.
	 */
	pauseAll(ms: number, reason: ServiceError): void {
		if (Date.now() + ms <= this.pausedUntil) return;
		this.pausedUntil = Date.now() + ms;
		this.pausedFor = ms;
		this.reason = reason;
	}

	/**
	 * Waits until a request may be sent.
	 * @param deadline until when the request may wait; epoch milliseconds.
	 * @throws ServiceError where the pause ends after the deadline, or the execution is cancelled.
	 */
	async waitForSlot(deadline: number): Promise<void> {
		while (Date.now() < this.pausedUntil) {
			if (this.pausedUntil > deadline && this.reason) throw notTried(this.reason);
			await this.wait(this.pausedUntil - Date.now() + jittered(this.pausedFor) - this.pausedFor);
		}
		if (this.signal?.aborted) throw cancelled();
	}

	/** Waits for some milliseconds. @throws ServiceError where the execution is cancelled. */
	async wait(ms: number): Promise<void> {
		await sleep(ms, undefined, { signal: this.signal }).catch(() => {
			throw cancelled();
		});
	}
}
