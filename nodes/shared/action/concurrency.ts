/**
 * Groups items: those with the same ordering key one after the other, the rest each by itself. Pure.
 * @param keys of the items by index; undefined for an item that need not wait for any other.
 * @returns the indexes of each group, in order; the groups in the order of their first items.
 */
export function groupByOrderingKey(keys: Array<string | undefined>): number[][] {
	const groups: number[][] = [];
	const byKey = new Map<string, number[]>();
	for (const [index, key] of keys.entries()) {
		const known = key === undefined ? undefined : byKey.get(key);
		if (known) {
			known.push(index);
			continue;
		}
		const group = [index];
		groups.push(group);
		if (key !== undefined) byKey.set(key, group);
	}
	return groups;
}

/**
 * Does the work of all groups, several of them side by side.
 * @param concurrency how many groups at once.
 * @param work for one item; it does not throw.
 * @param isOver when it says so, no further work is begun; what is under way is waited for.
 */
export async function runGroups(
	groups: number[][],
	concurrency: number,
	work: (index: number) => Promise<void>,
	isOver: () => boolean,
): Promise<void> {
	const waiting = groups.values();
	const serve = async () => {
		for (const group of waiting) {
			for (const index of group) {
				if (isOver()) return;
				await work(index);
			}
		}
	};
	await Promise.all(Array.from({ length: Math.min(concurrency, groups.length) }, serve));
}
