import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMet, keep, median, quantile, tableOf, toMarkdown, type Check } from '../../bench/sections';

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

const check = (ratio: number, target: Partial<Check>): Check => ({ what: 'one ÷ other', ratio, ...target });

test.each<[string, Check, boolean, boolean]>([
	['at the target', check(0.95, { atLeast: 0.95 }), true, true],
	['just below it', check(0.949, { atLeast: 0.95 }), false, true],
	['far below it', check(0.7, { atLeast: 0.95 }), false, false],
	['just above a limit', check(1.2, { atMost: 1 }), false, true],
	['far above a limit', check(1.3, { atMost: 1 }), false, false],
	['above nothing at all', check(0.01, { atMost: 0 }), false, false],
	['held to less in a short run', check(0.5, { atLeast: 1.3, shortAtLeast: 0.4 }), false, true],
	['held to more in a short run', check(1.9, { atMost: 1.05, shortAtMost: 2 }), false, true],
	['below that, too', check(0.3, { atLeast: 1.3, shortAtLeast: 0.4 }), false, false],
	['no number', check(NaN, { atLeast: 0 }), false, false],
	['without a target', check(7, {}), true, true],
])('a ratio %s', (_, given, inFull, inShort) => {
	expect([isMet(given, false), isMet(given, true)]).toEqual([inFull, inShort]);
});

test('a table lines up, and says which targets are met', () => {
	expect(tableOf(['', 'ms'], [['a long name', '1']])).toBe(
		['|             | ms  |', '| ----------- | --- |', '| a long name | 1   |'].join('\n'),
	);
	const checks = [check(0.948, { atLeast: 0.95 }), check(2, {})];
	const text = toMarkdown({ how: 'How.', header: ['a'], rows: [['b']], checks });
	expect(text).toContain('| one ÷ other | 0.948    | at least 0.95 | NOT met |');
	expect(text).toContain('| one ÷ other | 2.00     |               |         |');
});

test('results take the place of those before, and of nothing else', () => {
	const folder = mkdtempSync(join(tmpdir(), 'results-'));
	const file = join(folder, 'RESULTS.md');
	try {
		writeFileSync(file, 'Before.\n\n<!-- one -->\n\nold\n\n<!-- /one -->\n\nAfter.\n');
		keep('one', 'new', file);
		expect(readFileSync(file, 'utf8')).toBe('Before.\n\n<!-- one -->\n\nnew\n\n<!-- /one -->\n\nAfter.\n');
		expect(() => keep('two', 'new', file)).toThrow('has no place for two');
	} finally {
		rmSync(folder, { recursive: true });
	}
});
