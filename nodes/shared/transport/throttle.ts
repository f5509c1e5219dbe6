import { setTimeout as sleep } from 'node:timers/promises';
import { jittered } from './backoff';
import { cancelled, type ServiceError } from './errors';

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
 * Holds back the requests of one run, all together, when the service asks for it. It also says for how long one request
 * is tried again.
 */
export class Throttle {
	private pausedUntil = 0;
	private pausedFor = 0;
	private reason: ServiceError | undefined;

	constructor(
		/** For how long one request is tried again, milliseconds; 0 for not at all. */
		readonly maxRetryMs: number = 0,
		/** Ends every wait and every request when the execution is cancelled. */
		readonly signal?: AbortSignal,
	) {}

	/** Holds back every request of the run for some milliseconds from now. */
	pauseAll(ms: number, reason: ServiceError): void {
		if (Date.now() + ms <= this.pausedUntil) return;
		this.pausedUntil = Date.now() + ms;
		this.pausedFor = ms;
		this.reason = reason;
	}

	/**
	 * Waits until a request may go out.
	 * @param deadline when the request is given up, epoch milliseconds.
	 * @throws ServiceError what the run is held back for, if that takes longer than the request may wait; or that the
	 * execution was cancelled.
	 */
	async waitForSlot(deadline: number): Promise<void> {
		while (Date.now() < this.pausedUntil) {
			if (this.pausedUntil > deadline && this.reason) throw notTried(this.reason);
			await this.wait(this.pausedUntil - Date.now() + jittered(this.pausedFor) - this.pausedFor);
		}
		if (this.signal?.aborted) throw cancelled();
	}

	/** Waits for some milliseconds. @throws ServiceError when the execution is cancelled meanwhile. */
	async wait(ms: number): Promise<void> {
		await sleep(ms, undefined, { signal: this.signal }).catch(() => {
			throw cancelled();
		});
	}
}
