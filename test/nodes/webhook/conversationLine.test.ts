import {
	isPlaceKept,
	MAX_TRIES,
	placeCount,
	takePlace,
	type Place,
} from '../../../nodes/Dynamics365Messaging/webhook/conversationLine';

const RESERVED_MS = 15_000;
const MOST_MS = 60_000;

/** The deliveries whose turn has come, in that order. */
let turns: string[];

beforeEach(() => {
	jest.useFakeTimers();
	turns = [];
});
afterEach(() => {
	expect(placeCount()).toBe(0);
	expect(jest.getTimerCount()).toBe(0);
	jest.useRealTimers();
});

/** Takes a place and notes when its turn comes. */
function take(name: string, line = 'line', trigger = 'one'): Place {
	const place = takePlace(trigger, line, name);
	if (!place) throw new Error('no place');
	void place.turn.then(() => turns.push(name));
	return place;
}

async function pass(ms: number): Promise<string[]> {
	await jest.advanceTimersByTimeAsync(ms);
	return turns;
}

type Step =
	| { take: string; line?: string }
	| { leave: string }
	| { reserve: string }
	| { pass: number }
	| { turns: string[] };

const TABLE: Array<[string, Step[]]> = [
	['one alone has its turn at once', [{ take: 'a' }, { turns: ['a'] }, { leave: 'a' }]],
	[
		'the order of arrival holds, one at a time',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ take: 'c' },
			{ turns: ['a'] },
			{ leave: 'a' },
			{ turns: ['a', 'b'] },
			{ leave: 'b' },
			{ turns: ['a', 'b', 'c'] },
			{ leave: 'c' },
		],
	],
	[
		'different conversations stand side by side',
		[
			{ take: 'a' },
			{ take: 'b', line: 'other' },
			{ take: 'c' },
			{ turns: ['a', 'b'] },
			{ leave: 'b' },
			{ turns: ['a', 'b'] },
			{ leave: 'a' },
			{ turns: ['a', 'b', 'c'] },
			{ leave: 'c' },
		],
	],
	[
		'one in the middle leaves and is passed over',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ take: 'c' },
			{ leave: 'b' },
			{ turns: ['a'] },
			{ leave: 'a' },
			{ turns: ['a', 'c'] },
			{ leave: 'c' },
		],
	],
	[
		'leaving twice moves the line once',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ take: 'c' },
			{ leave: 'a' },
			{ leave: 'a' },
			{ turns: ['a', 'b'] },
			{ leave: 'b' },
			{ leave: 'c' },
		],
	],
	[
		'a reserved place holds up those behind it for 15 seconds, and is then given up',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ take: 'c' },
			{ pass: 8_000 },
			{ reserve: 'b' },
			{ leave: 'a' },
			{ pass: RESERVED_MS - 1 },
			{ turns: ['a'] },
			{ pass: 1 },
			{ turns: ['a', 'c'] },
			{ leave: 'c' },
		],
	],
	[
		'the retry takes the reserved place over and has its turn before those behind it',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ take: 'c' },
			{ reserve: 'b' },
			{ leave: 'a' },
			{ pass: RESERVED_MS - 1 },
			{ take: 'b' },
			{ turns: ['a', 'b'] },
			{ pass: RESERVED_MS },
			{ turns: ['a', 'b'] },
			{ leave: 'b' },
			{ turns: ['a', 'b', 'c'] },
			{ leave: 'c' },
		],
	],
	[
		'the retry that comes while another has its turn waits in the reserved place',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ take: 'c' },
			{ reserve: 'b' },
			{ take: 'b' },
			{ pass: 2 * RESERVED_MS },
			{ turns: ['a'] },
			{ leave: 'a' },
			{ turns: ['a', 'b'] },
			{ leave: 'b' },
			{ leave: 'c' },
		],
	],
	[
		'a place that was given up is not found again: the retry stands behind',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ take: 'c' },
			{ reserve: 'b' },
			{ pass: RESERVED_MS },
			{ take: 'b' },
			{ leave: 'a' },
			{ turns: ['a', 'c'] },
			{ leave: 'c' },
			{ turns: ['a', 'c', 'b'] },
			{ leave: 'b' },
		],
	],
	[
		'a place is kept for its own delivery in its own conversation only',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ reserve: 'b' },
			{ take: 'b', line: 'other' },
			{ turns: ['a', 'b'] },
			{ leave: 'b' },
			{ leave: 'a' },
			{ take: 'c' },
			{ turns: ['a', 'b'] },
			{ pass: RESERVED_MS },
			{ turns: ['a', 'b', 'c'] },
			{ leave: 'c' },
		],
	],
	[
		'a run that never ends holds its conversation up for a minute',
		[
			{ take: 'a' },
			{ take: 'b' },
			{ pass: MOST_MS - 1 },
			{ turns: ['a'] },
			{ pass: 1 },
			{ turns: ['a', 'b'] },
			{ leave: 'a' },
			{ leave: 'b' },
		],
	],
	[
		'one that is reserved in its turn has no timer of its run left',
		[
			{ take: 'a' },
			{ reserve: 'a' },
			{ take: 'b' },
			{ pass: RESERVED_MS },
			{ turns: ['a', 'b'] },
			{ leave: 'b' },
		],
	],
];

test.each(TABLE)('%s', async (_, steps) => {
	const places: Record<string, Place> = {};
	const all: Place[] = [];
	for (const step of steps) {
		if ('take' in step) all.push((places[step.take] = take(step.take, step.line)));
		else if ('leave' in step) places[step.leave]?.leave();
		else if ('reserve' in step) places[step.reserve]?.reserve();
		else if ('pass' in step) await pass(step.pass);
		else expect(await pass(0)).toEqual(step.turns);
	}
	for (const place of all) place.leave();
});

test('a place knows its tries and the time of the first, and is not kept after the last', async () => {
	const a = take('a');
	const b = take('b');
	const first = take('retried');
	expect([isPlaceKept('line', 'retried'), first.tries]).toEqual([false, 1]);
	first.reserve();
	expect(isPlaceKept('line', 'retried')).toBe(true);
	await pass(5_000);
	const second = take('retried');
	expect([isPlaceKept('line', 'retried'), second.tries, second.since]).toEqual([false, 2, first.since]);
	second.reserve();
	const last = take('retried');
	expect(last.tries).toBe(MAX_TRIES);
	const behind = take('behind');
	last.reserve();
	expect(isPlaceKept('line', 'retried')).toBe(false);
	a.leave();
	b.leave();
	expect(await pass(0)).toEqual(['a', 'b', 'behind']);
	behind.leave();
});

test('an earlier try that ends late neither leaves nor keeps the place of its retry', async () => {
	const first = take('a');
	first.reserve();
	const retry = take('a');
	const behind = take('b');
	first.leave();
	expect(await pass(RESERVED_MS)).toEqual(['a', 'a']);
	retry.leave();
	expect(await pass(0)).toEqual(['a', 'a', 'b']);
	behind.leave();
});

test('no trigger takes more than 10,000 places, and a retry finds its own although all are taken', async () => {
	const places = Array.from({ length: 10_000 }, (_, index) => take(`${index}`, `line ${index % 3}`));
	expect(placeCount()).toBe(10_000);
	expect(takePlace('one', 'another', 'x')).toBeUndefined();
	places[5_000]?.reserve();
	places[5_000] = take('5000', `line ${5_000 % 3}`);
	expect(placeCount()).toBe(10_000);
	places[1]?.leave();
	take('x', 'another').leave();
	expect(await pass(0)).toEqual(['0', '1', '2', '4', 'x']);
	for (const place of places) place.leave();
	// Each had its turn as those before it left.
	expect(new Set(await pass(0)).size).toBe(10_001);
});

test('a trigger that is flooded leaves places for the others', async () => {
	const flood = (trigger: string) => {
		const given: Place[] = [];
		for (let place; (place = takePlace(trigger, `${trigger}/line`, `${given.length}`));) given.push(place);
		return given;
	};
	const places = ['one', 'two', 'three'].map(flood);
	expect(places.map(({ length }) => length)).toEqual([10_000, 5_000, 2_500]);
	take('x', 'four/line', 'four').leave();
	expect(await pass(0)).toEqual(['x']);
	// What is given back is there for all.
	for (const place of places[0] ?? []) place.leave();
	const again = flood('four');
	expect(again).toHaveLength((20_000 - 7_500) / 2);
	for (const place of [...places.flat(), ...again]) place.leave();
});
