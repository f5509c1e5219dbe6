import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
	isMet,
	keep,
	keepTargets,
	renewQuotes,
	rowOf,
	targetsIn,
	toMarkdown,
	type Check,
} from '../../bench/sections';
import { columnsOf, tableOf } from '../../bench/tables';

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

test('a table lines up, and can be read again', () => {
	const table = tableOf({ title: 'Times:', header: ['', 'ms'], rows: [['a long name', '1'], ['']] });
	expect(table).toBe(
		[
			'Times:',
			'',
			'|             | ms  |',
			'| ----------- | --- |',
			'| a long name | 1   |',
			'|             |     |',
		].join('\n'),
	);
	expect(columnsOf(`Before.\n\n${table}\n\nAfter.`)).toEqual([
		['', 'ms'],
		['a long name', '1'],
	]);
});

test('a row of the targets says what was measured, how surely, and whether that meets the target', () => {
	const sure: Check = { ...check(0.9484, { atLeast: 0.95 }), interval: [0.91, 0.9999] };
	expect(rowOf(sure)).toEqual(['one ÷ other', 'at least 0.95', '0.948', '0.910 – 1.00', '**NOT met**']);
	expect(rowOf(sure, true)).toEqual(['one ÷ other', 'at least 0.712', '0.948', '0.910 – 1.00', 'met']);
	expect(rowOf(check(2, { atMost: 2 }))).toEqual(['one ÷ other', 'at most 2', '2.00', '', 'met']);
	expect(rowOf(check(2, {}))).toEqual(['one ÷ other', '', '2.00', '', '']);
});

test('a section has how it was measured, its tables, and the profile of what misses its target', () => {
	const section = { how: 'How.', header: ['a'], rows: [['b']], checks: [] };
	const further = [{ title: 'More:', header: ['c'], rows: [] }];
	const profile = { title: 'Where the time goes:', header: ['d'], rows: [] };
	expect(toMarkdown({ ...section, further }, [profile]).split('\n\n')).toEqual([
		'How.',
		'| a   |\n| --- |\n| b   |',
		'More:',
		'| c   |\n| --- |',
		'Where the time goes:',
		'| d   |\n| --- |',
	]);
});

describe('the file of results', () => {
	const folder = mkdtempSync(join(tmpdir(), 'results-'));
	const file = join(folder, 'RESULTS.md');
	const written = () => readFileSync(file, 'utf8');
	afterAll(() => rmSync(folder, { recursive: true }));

	it('has new results in the place of those before, and of nothing else', () => {
		writeFileSync(file, 'Before.\n\n<!-- one -->\n\nold\n\n<!-- /one -->\n\nAfter.\n');
		keep('one', 'new', file);
		expect(written()).toBe('Before.\n\n<!-- one -->\n\nnew\n\n<!-- /one -->\n\nAfter.\n');
		expect(() => keep('two', 'new', file)).toThrow('There is no place for two');
	});

	it('has the targets of each command in the order in which they first came', () => {
		const one = { title: 'One', command: 'npm run one' };
		const two = { title: 'Two', command: 'npm run two' };
		writeFileSync(file, '<!-- targets -->\n<!-- /targets -->\n');
		keepTargets(one, [check(1, { atLeast: 1 }), check(9, {})], file);
		keepTargets(two, [check(2, { atMost: 1 })], file);
		keepTargets(one, [check(3, { atLeast: 1 }), check(4, { atLeast: 5 })], file);
		expect(targetsIn(written())).toEqual([
			['One: one ÷ other', 'at least 1', '3.00', '', 'met', '`npm run one`'],
			['One: one ÷ other', 'at least 5', '4.00', '', '**NOT met**', '`npm run one`'],
			['Two: one ÷ other', 'at most 1', '2.00', '', '**NOT met**', '`npm run two`'],
		]);
	});

	it('renews what a page quotes of it', () => {
		const page = join(folder, 'page.md');
		writeFileSync(file, '<!-- targets -->\n<!-- /targets -->\n');
		keepTargets({ title: 'One', command: 'npm run one' }, [check(0.5, { atMost: 1 })], file);
		const quoted = tableOf({
			header: ['What', 'Measured'],
			rows: [
				['One: one ÷ other', '0.77'],
				['One: gone', '0.66'],
			],
		});
		writeFileSync(page, `Words.\n\n<!-- quoted -->\n\n${quoted}\n\n<!-- /quoted -->\n`);
		renewQuotes(page, file);
		expect(columnsOf(readFileSync(page, 'utf8')).slice(1)).toEqual([
			['One: one ÷ other', '0.500'],
			['One: gone', '0.66'],
		]);
	});
});
