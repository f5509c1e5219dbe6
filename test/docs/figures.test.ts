// What the pages say was measured is what was measured: every figure is one of bench/RESULTS.md's.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { targetsIn } from '../../bench/sections';
import { columnsOf } from '../../bench/tables';

const root = join(__dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const RESULTS = read('bench/RESULTS.md');
const targets = targetsIn(RESULTS);
const rows = columnsOf(RESULTS);

/** The text without what is no prose: code, where links lead to, comments. */
function prose(text: string): string {
	return text
		.replace(/```.*?```/gs, '')
		.replace(/`[^`]*`/g, '')
		.replace(/\]\([^)]*\)/g, ']')
		.replace(/<!--.*?-->/gs, '');
}

/** Numbers as a measurement has them: with a decimal point below ten, or with the unit of a time, a size, a share or a speed. */
const MEASURED =
	/(?<![\d.])(?:0\.\d+|\d[\d,]*(?:\.\d+)?(?= ?(?:times\b|%|×|[mµ]?s\b|milliseconds|microseconds|seconds|[KM]i?B\b|(?:messages|deliveries|conversations) (?:a|per) second)))(?![\d.]*\d)/g;

/** The figures of a text that claim to be measured. Pure. */
function figuresIn(text: string): string[] {
	return prose(text).match(MEASURED) ?? [];
}

/** Whether one of the rows has a figure, whatever stands beside it in the cell. */
function isMeasured(figure: string): boolean {
	return rows.some((row) => row.some((cell) => cell.split(/[^\d.,]+/).includes(figure)));
}

test.each<[string, string[]]>([
	['It takes 0.59 of the time, and 16 times the memory.', ['0.59', '16']],
	['1.5 ms for each of 1,000 messages, 120 deliveries a second, +10 MiB, 97 %', ['1.5', '120', '10', '97']],
	['`0.59` in [n8n 1.123.81](https://a.example/0.5), Node.js 20.19, about 5 minutes, 1,000 messages', []],
])('the figures of %j are %j', (text, figures) => {
	expect(figuresIn(text)).toEqual(figures);
});

test('every figure in the table of docs/performance.md is a row of the targets', () => {
	const [, ...quoted] = columnsOf(read('docs/performance.md'));
	const measured = targets.map(([what, , ratio]) => [what, ratio]);
	expect(quoted.length).toBeGreaterThan(0);
	expect(measured).toEqual(expect.arrayContaining(quoted));
});

test.each(['README.md', 'docs/performance.md'])('every figure in %s was measured', (page) => {
	expect(figuresIn(read(page)).filter((figure) => !isMeasured(figure))).toEqual([]);
});

test('each row of the targets names the command of a section', () => {
	// What a section was made by may have had more arguments.
	const commands = new Set(targets.map((row) => row.at(-1)?.replaceAll('`', '')));
	expect([...commands].filter((command) => !RESULTS.includes(`_\`${command}`))).toEqual([]);
});
