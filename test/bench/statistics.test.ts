import { intervalOf, isSure, median, quantile, ratioOf } from '../../bench/statistics';

test.each<[number[], number]>([
	[[], NaN],
	[[3], 3],
	[[9, 1, 5], 5],
	[[4, 1, 3, 2], 2.5],
	[[10, 9, 100], 10],
])('the median of %j is %d', (values, wanted) => {
	expect(median(values)).toBe(wanted);
});

test.each<[number[], number, number]>([
	[[], 0.5, NaN],
	[[7], 0.99, 7],
	[[3, 1, 2, 4], 0.5, 2],
	[Array.from({ length: 100 }, (_, index) => index + 1), 0.99, 99],
	[[1, 2, 3], 1, 3],
	[[1, 2, 3], 0, 1],
])('a quantile is one of the values, or between two (row %#)', (values, share, wanted) => {
	expect(quantile(values, share)).toBe(wanted);
});

test('a ratio is the median over the rounds, of what both did in the same round', () => {
	const { ratio, interval } = ratioOf([10, 40, 90], [10, 20, 30]);
	expect(ratio).toBe(2);
	expect(interval).toEqual([1, 3]);
	expect(ratioOf([10, 40, 90], [10, 20, 30])).toEqual({ ratio, interval });
	expect(ratioOf([], []).ratio).toBe(NaN);
});

test('an interval becomes narrower with the number of rounds', () => {
	const noise = (count: number) => Array.from({ length: count }, (_, index) => 1 + ((index * 7) % 11) / 20);
	const width = (count: number) => {
		const [low, high] = intervalOf(noise(count), median);
		return high - low;
	};
	expect(width(11)).toBeGreaterThan(0);
	expect(width(110)).toBeLessThan(width(11));
});

test.each<[boolean, number, [number, number], number]>([
	[true, 1, [0.95, 1.05], 0.051],
	[false, 1, [0.9, 1.01], 0.05],
	[false, 1, [0.99, 1.1], 0.05],
	[false, NaN, [NaN, NaN], 0.05],
])('it is %p that the ratio %d with the interval %j is sure within %d', (wanted, ratio, interval, within) => {
	expect(isSure({ ratio, interval }, within)).toBe(wanted);
});
