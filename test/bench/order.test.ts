import { countOutOfOrder, mostWithin, shuffled, stepsOf } from '../../bench/order';

test('a shuffle keeps every value, in another order, and the same one each time', () => {
	const values = Array.from({ length: 100 }, (_, index) => index);
	const once = shuffled(values);
	expect(once).not.toEqual(values);
	expect([...once].sort((one, other) => one - other)).toEqual(values);
	expect(shuffled(values)).toEqual(once);
});

test.each<[number, string[][]]>([
	[0, []],
	[0, [[], ['5']]],
	[
		0,
		[
			['1', '2', '10'],
			['0', '99'],
		],
	],
	[
		1,
		[
			['1', '10', '2'],
			['0', '99'],
		],
	],
	[
		2,
		[
			['2', '1'],
			['3', '4'],
			['6', '5', '7', '0'],
		],
	],
])('%i conversations are out of order in %j', (count, conversations) => {
	const said = conversations.map((texts) => texts.map((text) => ({ text })));
	expect(countOutOfOrder(said)).toBe(count);
});

test.each<[number, number[], number]>([
	[0, [], 50],
	[1, [7], 50],
	[2, [0, 49, 50, 99], 50],
	[3, [0, 10, 20, 60, 70], 50],
	[4, [5, 5, 5, 5], 1],
])('at most %i of %j lie within %i ms', (most, times, ms) => expect(mostWithin(times, ms)).toBe(most));

test.each<[number, string, number]>([
	[0, '', 3],
	[3, 'aaa', 5],
	[1, 'abc', 5],
	[3, 'abcabcabc', 3],
	[6, 'abcabcabc', 2],
	[4, 'aaaab', 2],
])('%i steps take the calls of %s, %i at once', (steps, keys, atOnce) =>
	expect(stepsOf([...keys], atOnce)).toBe(steps),
);
