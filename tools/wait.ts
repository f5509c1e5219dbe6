/** The error of {@link waitFor} when the time is up. */
export class NotSeen extends Error {}

/**
 * Calls `probe` until it returns something other than false and undefined.
 * @param what describes what is waited for, for the error.
 * @param limit milliseconds.
 * @param everyMs the pause between two calls, milliseconds.
 * @returns what `probe` returned.
 * @throws NotSeen after `limit`, or what `probe` throws.
 */
export async function waitFor<T>(
	what: string,
	limit: number,
	probe: () => T | Promise<T>,
	everyMs = 100,
): Promise<Exclude<T, false | undefined>> {
	const until = Date.now() + limit;
	for (;;) {
		const seen = await probe();
		if (seen !== false && seen !== undefined) return seen as Exclude<T, false | undefined>;
		if (Date.now() > until)
			throw new NotSeen(`Waited ${Math.round(limit / 1000)} s for ${what}, and it did not come.`);
		await new Promise((resolve) => setTimeout(resolve, everyMs));
	}
}
