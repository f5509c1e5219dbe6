// Pure functions about the order of messages.

/** One step of a linear congruential generator (Numerical Recipes), from 0 to 1: the same in every run. */
function* numbers(seed: number): Generator<number, never> {
	for (let state = seed; ;) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		yield state / 2 ** 32;
	}
}

/** Copies a list in a pseudo-random order that is the same in every run. */
export function shuffled<T>(values: readonly T[]): T[] {
	const random = numbers(1);
	const keyed = values.map((value) => ({ value, key: random.next().value }));
	return keyed.sort((one, other) => one.key - other.key).map(({ value }) => value);
}

/** Counts the conversations whose messages are out of order. The texts of the messages are numbers. */
export function countOutOfOrder(conversations: ReadonlyArray<ReadonlyArray<{ text: string }>>): number {
	return conversations.filter((messages) =>
		messages.some(({ text }, index) => index > 0 && Number(text) < Number(messages[index - 1]?.text)),
	).length;
}

/**
 * Counts the most times within any span of a given length.
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
