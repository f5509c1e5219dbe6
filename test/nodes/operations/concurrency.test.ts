import fc from 'fast-check';
import { itemsToSkip } from '../../../nodes/shared/action/retryOnFail';
import { groupByOrderingKey, runGroups } from '../../../nodes/shared/action/concurrency';
import { compact, ranges } from '../../../nodes/shared/action/nodeErrors';

test.each<[Array<string | undefined>, number[][]]>([
	[[], []],
	[
		['a', 'b', 'a'],
		[[0, 2], [1]],
	],
	[
		[undefined, undefined],
		[[0], [1]],
	],
	[
		['a', undefined, 'a', 'b', undefined, 'b'],
		[[0, 2], [1], [3, 5], [4]],
	],
])('%j become the groups %j', (keys, groups) => expect(groupByOrderingKey(keys)).toEqual(groups));

test('every item is done once, each group in its order, never more groups at once than allowed', async () => {
	const key = fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined });
	await fc.assert(
		fc.asyncProperty(
			fc.array(key, { maxLength: 30 }),
			fc.integer({ min: 1, max: 5 }),
			fc.scheduler(),
			async (keys, concurrency, scheduler) => {
				const done: number[] = [];
				let now = 0;
				let most = 0;
				const work = async (index: number) => {
					most = Math.max(most, ++now);
					await scheduler.schedule(Promise.resolve());
					done.push(index);
					now--;
				};
				await scheduler.waitFor(runGroups(groupByOrderingKey(keys), concurrency, work, () => false));
				expect([...done].sort((one, other) => one - other)).toEqual([...keys.keys()]);
				for (const group of groupByOrderingKey(keys))
					expect(done.filter((index) => group.includes(index))).toEqual(group);
				expect(most).toBeLessThanOrEqual(concurrency);
			},
		),
	);
});

test('when it is over nothing more is begun, and what is under way is waited for', async () => {
	const begun: number[] = [];
	const ended: number[] = [];
	const work = async (index: number) => {
		begun.push(index);
		await new Promise(setImmediate);
		ended.push(index);
	};
	await runGroups(groupByOrderingKey(['a', 'b', 'a', 'b', 'c']), 2, work, () => begun.includes(1));
	expect(begun).toEqual([0, 1]);
	expect(ended).toEqual([0, 1]);
});

test.each([
	[[], '', []],
	[[3], '3', [3]],
	[[0, 1], '0 and 1', [0, 1]],
	[[0, 1, 2, 3, 7], '0 to 3 and 7', [0, 1, 2, 3, 7]],
	[[0, 2, 4, 5, 6], '0, 2 and 4 to 6', [0, 2, 4, 5, 6]],
])('%j is told as %p', (numbers, words, data) => {
	expect(ranges(numbers)).toBe(words);
	expect(compact(numbers)).toEqual(data);
});

test('a large run is told in ranges, and one with many of them by the first and a count', () => {
	const all = Array.from({ length: 100_000 }, (_, index) => index);
	expect(ranges(all)).toBe('0 to 99999');
	expect(compact(all)).toEqual(['0-99999']);
	expect(compact([...all.slice(0, 60), 99])).toEqual(['0-59', 99]);
	const broken = all.filter((index) => index % 4 !== 0);
	expect(ranges(broken)).toMatch(/^1 to 3, 5 to 7, .*, 197 to 199 and 74850 more$/);
});

// Another try of a run skips items that were sent or may have been sent, and those before them in their group.
test.each<[number[][], Array<'sent' | 'uncertain' | 'notSent' | undefined>, number[]]>([
	[[[0], [1]], ['sent', 'notSent'], [0]],
	[[[0, 1]], ['notSent', 'sent'], [0, 1]],
	[[[0, 1, 2]], ['sent', 'notSent', undefined], [0]],
	[
		[[0, 2], [1]],
		['notSent', 'notSent', 'uncertain'],
		[0, 2],
	],
	[[[0, 1]], ['notSent', 'notSent'], []],
])('of the groups %j with %j, %j are skipped', (groups, outcomes, skipped) => {
	expect(itemsToSkip(groups, outcomes)).toEqual(skipped);
});
