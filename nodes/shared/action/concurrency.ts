/**
 * Groups items into lanes: those with the same key one after the other, the rest each by itself. Pure.
 * @param keys of the items by index; undefined for an item that need not wait for any other.
 * @returns the indexes of each lane, in order; the lanes in the order of their first items.
 */
export function groupByOrderingKey(keys: Array<string | undefined>): number[][] {
	const lanes: number[][] = [];
	const byKey = new Map<string, number[]>();
	for (const [index, key] of keys.entries()) {
		const known = key === undefined ? undefined : byKey.get(key);
		if (known) {
			known.push(index);
			continue;
		}
		const lane = [index];
		lanes.push(lane);
		if (key !== undefined) byKey.set(key, lane);
	}
	return lanes;
}

/**
 * Does the work of all lanes, several of them side by side.
 * @param parallel how many lanes at once.
 * @param work for one item; it does not throw.
 * @param isOver when it says so, no further work is begun; what is under way is waited for.
 */
export async function runGroups(
	lanes: number[][],
	parallel: number,
	work: (index: number) => Promise<void>,
	isOver: () => boolean,
): Promise<void> {
	const waiting = lanes.values();
	const serve = async () => {
		for (const lane of waiting) {
			for (const index of lane) {
				if (isOver()) return;
				await work(index);
			}
		}
	};
	await Promise.all(Array.from({ length: Math.min(parallel, lanes.length) }, serve));
}
