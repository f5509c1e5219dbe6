/** Something that was waited for and did not come. */
export class NotSeen extends Error {}

/**
 * Asks until there is an answer that is neither false nor undefined.
 * @param everyMs how long it waits between two questions, milliseconds.
 * @throws NotSeen after `limit` milliseconds, naming what was not seen
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
