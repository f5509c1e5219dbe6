// Says where the time of a process's main thread goes, and what its memory is taken by.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withN8n, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { waitFor } from '../tools/wait';
import { pidOf } from './process';
import type { Table } from './tables';

/** Microseconds by the part of the program that took them. */
export type Shares = Map<string, number>;

/** The parts, by what the path of a script has in it; the first that fits. */
const PARTS: ReadonlyArray<[what: string, path: RegExp]> = [
	['jose: the token', /node_modules\/jose\//],
	['this package: MSAL', /node_modules\/@azure\/msal-node\//],
	[
		'this package',
		/n8n-nodes-dynamics365-messaging\/(?!node_modules\/)|(?<!n8n-nodes-base)\/dist\/nodes\/|\/nodes\/(shared|Dynamics365Messaging)\//,
	],
	['n8n: sandboxes for expressions', /isolated-vm|expression-runtime|n8n-workflow\/.*expression/i],
	['n8n: database', /typeorm|sqlite|node_modules\/pg|\/databases?\//],
	['n8n: HTTP', /node_modules\/(express|body-parser|router|raw-body|finalhandler|send|compression|helmet)\//],
	['n8n: everything else', /node_modules\/(n8n|@n8n)[\w-]*\//],
	['n8n’s libraries', /node_modules\//],
];
const GARBAGE = 'garbage collection';
const REST = 'Node.js itself';
/** V8 does not always tell waiting from Node.js's own work outside of JavaScript. */
const NO_PART = new Set(['(idle)', '(program)']);

/** The part to which a script belongs; undefined for one of Node.js, which works for whoever has called it. */
function partOf({ functionName, url }: { functionName: string; url: string }): string | undefined {
	if (functionName === '(garbage collector)') return GARBAGE;
	const path = url.replaceAll('\\', '/');
	return PARTS.find(([, pattern]) => pattern.test(path))?.[0];
}

/** What each part took of a profile, without the time in which nothing was done. Pure. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
	const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
	const byId = new Map(nodes.map((node) => [node.id, node]));
	const known = new Map<number, string>();
	const find = (id: number): string => {
		const node = byId.get(id);
		const parent = parents.get(id);
		const own = node && partOf(node.callFrame);
		const part = own ?? (parent === undefined ? REST : (known.get(parent) ?? find(parent)));
		known.set(id, part);
		return part;
	};
	const shares: Shares = new Map();
	for (const [index, id] of samples.entries()) {
		if (NO_PART.has(byId.get(id)?.callFrame.functionName ?? '')) continue;
		const part = known.get(id) ?? find(id);
		shares.set(part, (shares.get(part) ?? 0) + (timeDeltas[index] ?? 0));
	}
	return shares;
}

/** A table of what several have taken, for each of so many deliveries, messages or items; the largest part of the first at the top. */
export function tableOfShares(
	title: string,
	count: number,
	contenders: ReadonlyArray<readonly [label: string, shares: Shares]>,
): Table {
	const parts = [...new Set(contenders.flatMap(([, shares]) => [...shares.keys()]))];
	const [first] = contenders;
	const of = (shares: Shares | undefined, part: string) => (shares?.get(part) ?? 0) / count;
	const sum = (shares: Shares) => [...shares.values()].reduce((one, other) => one + other, 0) / count;
	const microseconds = (value: number) => Math.round(value).toLocaleString('en-US');
	return {
		title,
		header: ['JavaScript of the main thread, µs each', ...contenders.map(([label]) => label)],
		rows: [
			...parts
				.sort((one, other) => of(first?.[1], other) - of(first?.[1], one))
				.map((part) => [part, ...contenders.map(([, shares]) => microseconds(of(shares, part)))]),
			['sum', ...contenders.map(([, shares]) => microseconds(sum(shares)))],
		],
	};
}

/** Kinds of memory, bytes: that of the whole process, of JavaScript's heap in use, and of buffers. */
type Memory = Pick<NodeJS.MemoryUsage, 'rss' | 'heapUsed' | 'external'>;

/** What n8n's process did while something was going on. */
export interface Profiled {
	/** What its main thread did. */
	shares: Shares;
	/** Its memory at the beginning, and when it was largest. */
	memory: { before: Memory; largest: Memory };
}

const MEGABYTE = 1024 * 1024;

/** A table of how much more memory there was of each kind when it was most. Pure. */
export function tableOfMemory(
	title: string,
	contenders: ReadonlyArray<readonly [label: string, memory: Profiled['memory']]>,
): Table {
	const kinds: Array<[string, (memory: Memory) => number]> = [
		['n8n’s process', ({ rss }) => rss],
		['… of that JavaScript’s heap in use', ({ heapUsed }) => heapUsed],
		['… of that buffers', ({ external }) => external],
	];
	return {
		title,
		header: ['MB more than before', ...contenders.map(([label]) => label)],
		rows: kinds.map(([kind, of]) => [
			kind,
			...contenders.map(([, { before, largest }]) =>
				String(Math.round((of(largest) - of(before)) / MEGABYTE)),
			),
		]),
	};
}

/** Profiles of one n8n. */
export interface N8nProfiler {
	/** The variables that n8n must be started with. */
	env: NodeJS.ProcessEnv;
	/** Does something and says what n8n did meanwhile. */
	profileDuring: (n8n: { pid: number | undefined }, work: () => Promise<unknown>) => Promise<Profiled>;
}

/** Makes a profiler for an n8n that is yet to be started, passes it to `use`, and removes its files. */
export async function withProfiler<T>(use: (profiler: N8nProfiler) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'));
	const file = join(folder, 'n8n.cpuprofile');
	const is = (path: string, there: boolean) => async () =>
		await waitFor('the profile of n8n', 60_000, () => existsSync(path) === there);
	try {
		return await use({
			env: { NODE_OPTIONS: `--require=${join(__dirname, 'profiler.cjs')}`, BENCH_PROFILE: file },
			profileDuring: async (n8n, work) => {
				rmSync(file, { force: true });
				process.kill(pidOf(n8n), 'SIGUSR2');
				await is(`${file}.started`, true)();
				try {
					await work();
				} finally {
					process.kill(pidOf(n8n), 'SIGUSR2');
					await is(file, true)();
				}
				const { profile, memory } = JSON.parse(readFileSync(file, 'utf8')) as {
					profile: Profiler.Profile;
					memory: Profiled['memory'];
				};
				return { shares: sharesOf(profile), memory };
			},
		});
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Does something; what n8n does meanwhile may be looked at. */
export type Watch = (work: () => Promise<unknown>) => Promise<void>;

/** Does it, and looks at nothing. */
export const unwatched: Watch = async (work) => void (await work());

/**
 * Profiles what several contenders let one n8n do, each after a run that does not count.
 * @param env variables that n8n needs for them.
 * @param run lets a contender do it once, and hands to `watch` the part that counts.
 */
export async function profilesOf<Who>(
	contenders: readonly Who[],
	env: NodeJS.ProcessEnv,
	run: (setup: N8nWithEmulator, who: Who, watch: Watch) => Promise<unknown>,
): Promise<Array<[who: Who, profiled: Profiled]>> {
	return await withProfiler(async (profiler) =>
		withN8n(
			async (setup) => {
				const found: Array<[Who, Profiled]> = [];
				for (const who of contenders) {
					await run(setup, who, unwatched);
					await run(setup, who, async (work) => {
						found.push([who, await profiler.profileDuring(setup.n8n, work)]);
					});
				}
				return found;
			},
			{ env: { ...profiler.env, ...env } },
		),
	);
}
