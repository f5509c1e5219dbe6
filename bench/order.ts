// Pure functions about the order of messages.

/** The numbers of a linear congruential generator (Numerical Recipes), from 0 to 1: the same in every run. */
export function* numbers(seed: number): Generator<number, never> {
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

/**
 * Plays a schedule in which each call takes one step, the calls of one key are made one after the other, and a caller that
 * is done with a key takes the next one.
 * @param keys of the calls, in their order.
 * @param atOnce how many callers there are.
 * @returns how many steps all calls take: the least that they can where no message may overtake another of its conversation.
 */
export function stepsOf(keys: readonly string[], atOnce: number): number {
	const counts = new Map<string, number>();
	for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
	const callers = Array.from({ length: atOnce }, () => 0);
	for (const count of counts.values()) {
		const free = callers.indexOf(Math.min(...callers));
		callers[free] = (callers[free] ?? 0) + count;
	}
	return Math.max(...callers);
}
