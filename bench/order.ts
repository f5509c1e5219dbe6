// What order is and what becomes of it: pure.

/** One step of a linear congruential generator (Numerical Recipes), from 0 to 1: the same in every run. */
function* numbers(seed: number): Generator<number, never> {
	for (let state = seed; ;) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		yield state / 2 ** 32;
	}
}

/** A copy in an order that looks like chance and is the same each time. */
export function shuffled<T>(values: readonly T[]): T[] {
	const random = numbers(1);
	const keyed = values.map((value) => ({ value, key: random.next().value }));
	return keyed.sort((one, other) => one.key - other.key).map(({ value }) => value);
}

/** How many conversations hold their messages, whose texts are numbers, in another order than the numbers'. */
export function countOutOfOrder(conversations: ReadonlyArray<ReadonlyArray<{ text: string }>>): number {
	return conversations.filter((messages) =>
		messages.some(({ text }, index) => index > 0 && Number(text) < Number(messages[index - 1]?.text)),
	).length;
}

/**
 * The most times that lie within a span.
 * @param times in order, milliseconds.
 * @param ms how long the span is; times that lie as far apart are not both in it.
 */
export function mostWithin(times: number[], ms: number): number {
	let first = 0;
	return times.reduce((most, time, last) => {
		while ((times[first] ?? time) <= time - ms) first++;
		return Math.max(most, last - first + 1);
	}, 0);
}
