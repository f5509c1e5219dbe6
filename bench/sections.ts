// Defines for all benchmarks what they return, how results are compared with targets, and how they are written down.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { columnsOf, tableOf, type Table } from './tables';
import type { Interval } from './statistics';

export { median, quantile } from './statistics';
export { tableOf } from './tables';

/** A ratio and its target. */
export interface Check {
	/** What is divided by what. */
	what: string;
	ratio: number;
	/** The bounds between which the ratio lies with 95 % probability, where that was computed. */
	interval?: Interval;
	atLeast?: number;
	atMost?: number;
	/** The target of a short run, where the real target is known to be missed, or a short run is too short for it. */
	shortAtLeast?: number;
	shortAtMost?: number;
}

/** One section of results. */
export interface Section extends Table {
	/** What was compared with what and how, in a sentence or two of Markdown. */
	how: string;
	/** Further tables, below the first. */
	further?: Table[];
	checks: Check[];
}

/** What a run is asked to do. */
export interface RunOptions {
	short: boolean;
	/** How many rounds a benchmark that measures until it is sure makes at the most; undefined for its own number. */
	rounds?: number;
}

/** A benchmark. Short runs are CI's: some seconds long, on a machine that may be busy. */
export interface Benchmark {
	/** The name of the section in RESULTS.md, and of the command's argument. */
	name: string;
	title: string;
	/** What runs it, where that is not `npm run bench` with its name. */
	command?: string;
	/** Left out of a short run that does not name it. */
	onlyLong?: boolean;
	/** Left out of every run that does not name it. */
	onlyNamed?: boolean;
	measure: (options: RunOptions) => Promise<Section>;
	/** Measures where the processor's time goes; called where a full run has missed a target. */
	profile?: () => Promise<Table[]>;
}

/** By how much a short run may miss a target. A few seconds on a busy machine show only large regressions. */
const SHORT_SLACK = 0.25;

/** Whether a ratio meets its target. A short run has some tolerance. */
export function isMet(check: Check, short: boolean): boolean {
	const { atLeast, atMost } = targetOf(check, short);
	return (
		Number.isFinite(check.ratio) &&
		check.ratio >= (atLeast ?? -Infinity) &&
		check.ratio <= (atMost ?? Infinity)
	);
}

/** The target of a ratio in a full or a short run. */
function targetOf(
	{ atLeast, atMost, shortAtLeast, shortAtMost }: Check,
	short: boolean,
): Pick<Check, 'atLeast' | 'atMost'> {
	if (!short) return { atLeast, atMost };
	return {
		atLeast: shortAtLeast ?? (atLeast === undefined ? undefined : round(atLeast * (1 - SHORT_SLACK))),
		atMost: shortAtMost ?? (atMost === undefined ? undefined : round(atMost * (1 + SHORT_SLACK))),
	};
}

const round = (value: number) => Number(value.toPrecision(3));

/** A ratio as the tables have it: with three digits. */
const ratioText = (ratio: number) => ratio.toPrecision(3);

/** A check as a row of the targets' table: what, target, measured, interval, whether it is met. Pure. */
export function rowOf(check: Check, short = false): string[] {
	const { atLeast, atMost } = targetOf(check, short);
	const target =
		atLeast !== undefined ? `at least ${atLeast}` : atMost !== undefined ? `at most ${atMost}` : '';
	return [
		check.what,
		target,
		ratioText(check.ratio),
		check.interval?.map(ratioText).join(' – ') ?? '',
		target === '' ? '' : isMet(check, short) ? 'met' : '**NOT met**',
	];
}

const TARGETS_HEADER = ['What', 'Target', 'Measured', '95 % interval', ''];

/** The tables of a section, with how they were made. Pure. */
export function toMarkdown({ how, further = [], ...table }: Section, profile: Table[] = []): string {
	const tables = [table, ...further, ...profile];
	return [how, ...tables.map(tableOf)].join('\n\n');
}

/** The machine, as a table of results has to name it. */
export function machine(): string {
	const [cpu] = cpus();
	const gib = Math.round(totalmem() / 2 ** 30);
	return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${gib} GiB, ${process.platform} ${process.arch}`;
}

const RESULTS = join(__dirname, 'RESULTS.md');
const PERFORMANCE = join(__dirname, '../docs/performance.md');

/** Where a part of a file stands, between its two marks. @throws Error where the file has no such marks. */
function placeOf(text: string, name: string): { from: number; to: number } {
	const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
	const [from, to] = [text.indexOf(start), text.indexOf(end)];
	if (from === -1 || to === -1) throw new Error(`There is no place for ${name}: ${start} … ${end}`);
	return { from: from + start.length, to };
}

/**
 * Writes a section's results between its two marks in a file, and leaves the text around them unchanged.
 * @throws Error where the file has no such marks.
 */
export function keep(name: string, text: string, file = RESULTS): void {
	const before = readFileSync(file, 'utf8');
	const { from, to } = placeOf(before, name);
	writeFileSync(file, `${before.slice(0, from)}\n\n${text}\n\n${before.slice(to)}`);
}

/** The rows of the targets' table of a text; none where there is no table yet. @throws Error where it has no place for one. */
export function targetsIn(text: string): string[][] {
	const { from, to } = placeOf(text, 'targets');
	return columnsOf(text.slice(from, to)).slice(1);
}

/**
 * Writes the checks of a benchmark into the table of targets, in the place of those that its command wrote before; behind
 * all others where there were none.
 * @param file has the table between its marks.
 */
export function keepTargets(
	{ title, command }: { title: string; command: string },
	checks: Check[],
	file = RESULTS,
): void {
	const own = `\`${command}\``;
	const rows = targetsIn(readFileSync(file, 'utf8'));
	const first = rows.findIndex((row) => row.at(-1) === own);
	const others = rows.filter((row) => row.at(-1) !== own);
	const place = first === -1 ? others.length : first;
	const made = checks
		.filter(({ atLeast, atMost }) => atLeast !== undefined || atMost !== undefined)
		.map((check) => [...rowOf({ ...check, what: `${title}: ${check.what}` }), own]);
	const table = { header: [...TARGETS_HEADER, 'Command'], rows: others.toSpliced(place, 0, ...made) };
	keep('targets', tableOf(table), file);
}

/**
 * Renews the figures that a page quotes from the table of targets: its table between the marks `quoted`, whose first column
 * has the words of the row, and whose second has the figure. What is measured no longer keeps what was measured.
 */
export function renewQuotes(page = PERFORMANCE, file = RESULTS): void {
	const measured = new Map(targetsIn(readFileSync(file, 'utf8')).map(([what, , ratio]) => [what, ratio]));
	const before = readFileSync(page, 'utf8');
	const { from, to } = placeOf(before, 'quoted');
	const [header = [], ...rows] = columnsOf(before.slice(from, to));
	const renewed = rows.map(([what = '', old = '']) => [what, measured.get(what) ?? old]);
	keep('quoted', tableOf({ header, rows: renewed }), page);
}

/** The number that an argument gives, such as `--rounds=12`; undefined where it is not given. @throws Error for no number */
function numberFrom(args: string[], name: string): number | undefined {
	const given = args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
	if (given === undefined) return undefined;
	if (!/^[1-9]\d*$/.test(given)) throw new Error(`--${name}= needs a whole number, not ${given}`);
	return Number(given);
}

/** Runs one benchmark, prints its tables, and keeps what a full run measured. @returns what missed its target */
async function runOne(benchmark: Benchmark, options: RunOptions): Promise<string[]> {
	const { name, title, command = `npm run bench -- ${name}`, measure, profile } = benchmark;
	const { short } = options;
	console.log(`\n${title}\n`);
	const startedAt = performance.now();
	const section = await measure(options);
	const missed = section.checks.filter((check) => !isMet(check, short));
	const profiled =
		!short && missed.length > 0
			? await profile?.().catch((error: unknown) => console.error('There is no profile:', error))
			: undefined;
	const text = toMarkdown(section, profiled ?? undefined);
	const seconds = Math.round((performance.now() - startedAt) / 1000);
	console.log(text);
	const rows = section.checks.map((check) => rowOf(check, short));
	console.log(`\n${tableOf({ header: TARGETS_HEADER, rows })}\n\n${name} took ${seconds} s`);
	if (!short) {
		keep(name, `_\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${machine()}_\n\n${text}`);
		keepTargets({ title, command }, section.checks);
		renewQuotes();
	}
	return missed.map(({ what }) => `${name}: ${what}`);
}

/**
 * Runs benchmarks one after the other and prints their tables; what a full run measured is kept in RESULTS.md.
 * @param benchmarks all there are.
 * @param args `--short`, `--rounds=` (see {@link RunOptions}), and the names of those to run; all without.
 * @returns the exit code: 1 where a target is missed.
 */
export async function runBenchmarks(benchmarks: Benchmark[], args: string[]): Promise<number> {
	const options = { short: args.includes('--short'), rounds: numberFrom(args, 'rounds') };
	const named = args.filter((arg) => !arg.startsWith('--'));
	const unknown = named.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
	if (unknown.length > 0) {
		console.error(
			`There is no benchmark ${unknown.join(', ')}: ${benchmarks.map(({ name }) => name).join(', ')}`,
		);
		return 1;
	}
	const isWanted = ({ name, onlyLong, onlyNamed }: Benchmark) =>
		named.length > 0 ? named.includes(name) : !onlyNamed && !(options.short && onlyLong);
	const missed: string[] = [];
	for (const benchmark of benchmarks.filter(isWanted)) missed.push(...(await runOne(benchmark, options)));
	for (const what of missed) console.log(`\n  ✗ ${what}`);
	return missed.length === 0 ? 0 : 1;
}
