/**
 * A signal that is aborted when a time is over, or when another signal is. `AbortSignal.any` is of no use for that: what it
 * makes holds its sources weakly in Node.js 20, so that a time limit which nobody else holds is collected, and never ends.
 * @param ms milliseconds. They keep no process alive.
 * @param other ends it earlier.
 * @returns `clear` lets go of both. Until then, or until it ends, the other signal has a listener.
 * @example
 * const limit = timeLimit(5_000, signal);
 * await work(limit.signal).finally(limit.clear);
 */
export function timeLimit(ms: number, other?: AbortSignal): { signal: AbortSignal; clear: () => void } {
	const controller = new AbortController();
	const end = (reason: unknown) => {
		clear();
		controller.abort(reason);
	};
	const onAbort = () => end(other?.reason);
	const onTimeout = () => end(new DOMException('The time limit is over', 'TimeoutError'));
	const timer = setTimeout(onTimeout, ms).unref();
	const clear = () => {
		clearTimeout(timer);
		other?.removeEventListener('abort', onAbort);
	};
	if (other?.aborted) onAbort();
	else other?.addEventListener('abort', onAbort);
	return { signal: controller.signal, clear };
}
