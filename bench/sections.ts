// Defines for all benchmarks what they return, how results are compared with targets, and how they are written down.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** A ratio and its target. */
export interface Check {
	/** What is divided by what. */
	what: string;
	ratio: number;
	atLeast?: number;
	atMost?: number;
	/** The target of a short run, where the real target is known to be missed. RESULTS.md says why. */
	shortAtLeast?: number;
	shortAtMost?: number;
}

/** One table of results. */
export interface Section {
	/** What was compared with what and how, in a sentence or two of Markdown. */
	how: string;
	header: string[];
	rows: string[][];
	checks: Check[];
}

/** A benchmark. Short runs are CI's: some seconds long, on a machine that may be busy. */
export interface Benchmark {
	/** The name of the section in RESULTS.md, and of the command's argument. */
	name: string;
	title: string;
	/** Left out of a short run that does not name it. */
	onlyLong?: boolean;
	measure: (options: { short: boolean }) => Promise<Section>;
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

/** The target of a ratio, as text. */
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

/** The middle value; the mean of the two in the middle of an even number. NaN of none. */
export function median(values: number[]): number {
	const sorted = [...values].sort((one, other) => one - other);
	const middle = sorted.length / 2;
	const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
	return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

/** The value below which the given share (0 to 1) of the values lies, by nearest rank. NaN of none. */
export function quantile(values: number[], share: number): number {
	const sorted = [...values].sort((one, other) => one - other);
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** A Markdown table whose columns line up in a terminal, too. */
export function tableOf(header: string[], rows: string[][]): string {
	const all = [header, ...rows];
	const widths = header.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)));
	const line = (cells: string[]) =>
		`| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
	return [
		line(header),
		`| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
		...rows.map(line),
	].join('\n');
}

/** The section as RESULTS.md has it. */
export function toMarkdown({ how, header, rows, checks }: Section, short = false): string {
	const target = (check: Check) => {
		const { atLeast, atMost } = targetOf(check, short);
		return atLeast !== undefined ? `at least ${atLeast}` : atMost !== undefined ? `at most ${atMost}` : '';
	};
	const verdict = (check: Check) => (target(check) === '' ? '' : isMet(check, short) ? 'met' : 'NOT met');
	const verdicts = checks.map((check) => [
		check.what,
		check.ratio.toPrecision(3),
		target(check),
		verdict(check),
	]);
	return [how, tableOf(header, rows), tableOf(['Ratio', 'measured', 'target', ''], verdicts)].join('\n\n');
}

/** The machine, as a table of results has to name it. */
export function machine(): string {
	const [cpu] = cpus();
	const gib = Math.round(totalmem() / 2 ** 30);
	return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${gib} GiB, ${process.platform} ${process.arch}`;
}

/**
 * Writes a section's results between its two marks in RESULTS.md, and leaves the text around them unchanged.
 * @throws Error where the file has no such marks.
 */
export function keep(name: string, text: string, file = join(__dirname, 'RESULTS.md')): void {
	const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
	const before = readFileSync(file, 'utf8');
	const [from, to] = [before.indexOf(start), before.indexOf(end)];
	if (from === -1 || to === -1) throw new Error(`${file} has no place for ${name}: ${start} … ${end}`);
	writeFileSync(file, `${before.slice(0, from + start.length)}\n\n${text}\n\n${before.slice(to)}`);
}

/**
 * Runs benchmarks one after the other and prints their tables; what a full run measured is kept in RESULTS.md.
 * @param benchmarks all there are.
 * @param args `--short`, and the names of those to run; all without.
 * @returns the exit code: 1 where a target is missed.
 */
export async function runBenchmarks(benchmarks: Benchmark[], args: string[]): Promise<number> {
	const short = args.includes('--short');
	const named = args.filter((arg) => !arg.startsWith('--'));
	const unknown = named.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
	if (unknown.length > 0) {
		console.error(
			`There is no benchmark ${unknown.join(', ')}: ${benchmarks.map(({ name }) => name).join(', ')}`,
		);
		return 1;
	}
	const missed: string[] = [];
	for (const { name, title, onlyLong, measure } of benchmarks) {
		if (named.length > 0 ? !named.includes(name) : short && onlyLong) continue;
		console.log(`\n${title}\n`);
		const section = await measure({ short });
		const text = toMarkdown(section, short);
		console.log(text);
		missed.push(
			...section.checks.filter((check) => !isMet(check, short)).map(({ what }) => `${name}: ${what}`),
		);
		if (!short) keep(name, `_${new Date().toISOString().slice(0, 10)}, ${machine()}_\n\n${text}`);
	}
	for (const what of missed) console.log(`\n  ✗ ${what}`);
	return missed.length === 0 ? 0 : 1;
}
