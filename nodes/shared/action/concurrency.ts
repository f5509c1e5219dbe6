/**
 * Groups items by their ordering key. An item without one is a group by itself. Pure.
 * @param keys of the items, by index; undefined for an item that need not wait for any other.
 * @returns the indexes of each group, in order; the groups in the order of their first items.
 */
export function groupByOrderingKey(keys: Array<string | undefined>): number[][] {
	// An index is a number, so it equals no ordering key.
	const groups = new Map<string | number, number[]>();
	for (const [index, key = index] of keys.entries()) {
		const group = groups.get(key) ?? [];
		group.push(index);
		groups.set(key, group);
	}
	return [...groups.values()];
}

/**
 * Runs the items of each group one after the other, and several groups at the same time.
 * @param concurrency how many groups at the same time.
 * @param work for the item of an index; it does not throw.
 * @param isOver whether to start no further item. Items that have started are waited for.
 */
export async function runGroups(
	groups: number[][],
	concurrency: number,
	work: (index: number) => Promise<void>,
	isOver: () => boolean,
): Promise<void> {
	const waiting = groups.values();
	const runNext = async () => {
		for (const group of waiting) {
			for (const index of group) {
				if (isOver()) return;
				await work(index);
			}
		}
	};
	await Promise.all(Array.from({ length: Math.min(concurrency, groups.length) }, runNext));
}
