// Sets up a fresh clone. Plain Node.js without dependencies, because nothing is installed yet.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
	closeSync,
	existsSync,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, '.cache');
const windows = process.platform === 'win32';

/** An error that the user can fix. Its message is shown without a stack. */
export class SetupError extends Error {}

/** Checks the version of Node.js. @throws SetupError when it is older than package.json requires */
export function checkNode() {
	const wanted = readJson(join(root, 'package.json')).engines.node.match(/\d+(\.\d+)*/)[0];
	const parts = (version) => version.split('.').map(Number);
	const [major, minor = 0] = parts(wanted);
	const [ownMajor, ownMinor] = parts(process.versions.node);
	if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
		throw new SetupError(
			`This needs Node.js ${wanted} or later, and this is ${process.versions.node}. Please install a newer one.`,
		);
	}
}

/**
 * Runs `fn` and shows its progress: on a terminal as one line with a counter of seconds, elsewhere (CI) as a line now and then.
 * @template T
 * @param {string} label
 * @param {() => Promise<T> | T} fn
 * @returns {Promise<T>}
 */
export async function step(label, fn) {
	const out = process.stdout;
	const live = Boolean(out.isTTY) && !process.env.CI;
	const colour = live && !process.env.NO_COLOR;
	const started = Date.now();
	const seconds = () => Math.round((Date.now() - started) / 1000);
	const took = () => (seconds() > 0 ? `  ${seconds()} s` : '');
	const line = (mark, end) => out.write(`${live ? '\r\x1b[2K' : ''}  ${mark} ${label}${end}`);
	const finish = (mark, code) => line(colour ? `\x1b[${code}m${mark}\x1b[0m` : mark, `${took()}\n`);
	if (live) line('…', '');
	let ticks = 0;
	const timer = setInterval(() => {
		if (stopping) return;
		ticks += 1;
		if (live) line('…', took());
		else if (ticks === 2 || ticks % 15 === 0) line('…', `  ${seconds()} s so far\n`);
	}, 1000);
	try {
		const result = await fn();
		finish('✓', 32);
		return result;
	} catch (error) {
		finish('✗', 31);
		throw error;
	} finally {
		clearInterval(timer);
	}
}

const running = new Set();
let watching = false;
let stopping = false;
/** npm finishes its file operations after SIGTERM, which can take minutes. */
const PATIENCE_MS = 2000;

/**
 * Runs a command to its end. With `log`, its output goes into that file, whose tail is in the error if it fails;
 * without, the command has the terminal. A signal to this process stops the command with all its children.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, log?: string, env?: NodeJS.ProcessEnv, allowFailure?: boolean }} [options]
 * @returns {Promise<number>} the exit code, 0 unless `allowFailure`
 */
export function run(command, args, { cwd = root, log, env = process.env, allowFailure = false } = {}) {
	stopWithUs();
	if (log) mkdirSync(dirname(log), { recursive: true });
	const output = log ? openSync(log, 'w') : 'inherit';
	// The command gets a process group of its own only if Ctrl-C in the terminal must not reach it directly.
	const detached = Boolean(log) && !windows;
	return new Promise((resolve, reject) => {
		const child = spawn(command, args, {
			cwd,
			env,
			detached,
			stdio: [log ? 'ignore' : 'inherit', output, output],
		});
		const entry = { child, detached, inFront: !log };
		running.add(entry);
		const done = () => {
			running.delete(entry);
			if (log) closeSync(output);
		};
		child.on('error', (error) => {
			done();
			reject(new SetupError(`${command} cannot be started: ${error.message}`));
		});
		child.on('exit', (code, signal) => {
			done();
			// The command was stopped on purpose. That is no failure, and no further step must run.
			if (stopping) return;
			if (code === 0 || (allowFailure && code !== null)) return resolve(code);
			const told = [basename(command), ...args].join(' ');
			const tail = log ? `\n\n${tailOf(log)}\n\nThe whole of it is in ${relative(process.cwd(), log)}` : '';
			reject(
				new SetupError(`"${told}" ${signal ? `was ended by ${signal}` : `failed with code ${code}`}${tail}`),
			);
		});
	});
}

/**
 * Runs a TypeScript file of this repository in the terminal.
 * @param {string} file relative to the repository
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
export function runScript(file, args) {
	return run(process.execPath, ['--import', 'tsx', join(root, file), ...args], { allowFailure: true });
}

/** The last lines of a file, or the reason why there are none. */
export function tailOf(file, lines = 25) {
	if (!existsSync(file)) return `(no ${relative(root, file)})`;
	return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/**
 * Runs npm, the one that started us where one did.
 * @param {string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export function npm(args, options = {}) {
	const [command, ...first] = npmCommand();
	return run(command, [...first, ...args], { ...options, env: npmEnv(options.env) });
}

/**
 * Installs a folder's packages from its lock file, only when they are not there already; true if it did.
 * `rebuild` names the packages whose install scripts are needed (scripts are off otherwise), `works` tells whether
 * an installation that somebody made by hand has them.
 * @param {string} dir
 * @param {{ rebuild?: string[], works?: () => boolean }} [options]
 */
export async function ensureInstalled(dir, { rebuild = [], works = () => true } = {}) {
	const modules = join(dir, 'node_modules');
	// npm would empty the folder that the link points to, which belongs to something else.
	if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
		throw new SetupError(`${modules} is a link. Remove it; the packages are installed in its place.`);
	}
	const stamp = join(modules, '.stamp');
	const wanted = installStamp(dir);
	const found = existsSync(stamp) ? readFileSync(stamp, 'utf8') : wanted;
	if (existsSync(stamp) && found === wanted) return false;
	// Packages that were installed by hand are accepted, but not those that were copied from another kind of machine.
	if (found.endsWith(place) && followsLockFile(dir) && works()) {
		writeFileSync(stamp, wanted);
		return false;
	}
	const log = join(cache, `npm-${basename(dir)}.log`);
	await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: dir, log });
	if (rebuild.length) await npm(['rebuild', '--ignore-scripts=false', ...rebuild], { cwd: dir, log });
	if (!works())
		throw new SetupError(`The packages in ${dir} are installed, but do not work.\n\n${tailOf(log)}`);
	writeFileSync(stamp, wanted);
	return true;
}

/** Builds the package into dist, only when its sources or dist changed since it was built; true if it did. */
export async function ensureBuilt() {
	const stamp = join(cache, 'build.stamp');
	const sources = [
		'nodes',
		'credentials',
		'package.json',
		'gulpfile.js',
		'tsconfig.json',
		'tsconfig.build.json',
		'tsconfig.items.json',
	];
	const wanted = hashOf(sources.flatMap((name) => filesIn(join(root, name))));
	// The stamp includes the state of dist, so that a build by hand from other sources is noticed.
	const state = () => `${wanted} ${hashOf(filesIn(join(root, 'dist')))}`;
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state()) return false;
	await npm(['run', 'build'], { log: join(cache, 'build.log') });
	mkdirSync(cache, { recursive: true });
	writeFileSync(stamp, state());
	return true;
}

/** Every file under a path, sorted; the path itself if it is a file; none if it does not exist. */
function filesIn(path) {
	if (!existsSync(path)) return [];
	if (statSync(path).isFile()) return [path];
	return readdirSync(path)
		.sort()
		.flatMap((name) => filesIn(join(path, name)));
}

/** One hash over the names and contents of files. */
export function hashOf(files) {
	const hash = createHash('sha256');
	for (const file of files) {
		const content = readFileSync(file);
		hash.update(`${relative(root, file)} ${content.length}\n`).update(content);
	}
	return hash.digest('hex');
}

/** The version of Node.js is not included: install scripts are off, so nothing is compiled against it. */
const place = `${process.platform} ${process.arch}`;

function installStamp(dir) {
	const files = ['package.json', 'package-lock.json', '.npmrc'].map((name) => join(dir, name));
	return `${hashOf(files.filter(existsSync))} ${place}`;
}

/** Whether npm's own record of node_modules agrees with the lock file. npm writes the record last, so the folder is complete. */
function followsLockFile(dir) {
	const hidden = join(dir, 'node_modules', '.package-lock.json');
	if (!existsSync(hidden)) return false;
	const { packages: wanted } = readJson(join(dir, 'package-lock.json'));
	const { packages: found } = readJson(hidden);
	const missing = Object.entries(wanted).filter(
		([path, { optional, peer, devOptional }]) => path && !found[path] && !optional && !peer && !devOptional,
	);
	const others = Object.entries(found).filter(([path, entry]) => wanted[path]?.version !== entry.version);
	return missing.length === 0 && others.length === 0 && !directDependencyMissing(dir, found);
}

/** The lock file may be older than package.json. */
function directDependencyMissing(dir, found) {
	const { dependencies = {}, devDependencies = {} } = readJson(join(dir, 'package.json'));
	return Object.keys({ ...dependencies, ...devDependencies }).some((name) => !found[`node_modules/${name}`]);
}

/** npm, the one that started us where one did, as a command and its first arguments. */
export function npmCommand() {
	const starter = process.env.npm_execpath;
	if (starter && basename(starter) === 'npm-cli.js') return [process.execPath, starter];
	if (!windows) return ['npm'];
	// npm is a .cmd file there, which only a shell can start; its script stands beside node.exe.
	return [process.execPath, join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js')];
}

/** An outer `npm run` passes the settings of its folder to every inner npm, and they override the .npmrc of other folders. */
function npmEnv(env = process.env) {
	const ours = /^npm_config_(ignore_scripts|omit|include|legacy_peer_deps|local_prefix|allow_scripts)$/i;
	return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)));
}

/** Sends a signal to a command, with all its children where it has a group of its own. */
function signalTo({ child, detached }, signal) {
	try {
		if (detached) process.kill(-child.pid, signal);
		else child.kill(signal);
	} catch {
		// The process has ended in the meantime.
	}
}

/** Passes signals on. Commands with a log are stopped with all their children; those with the terminal stop by themselves. */
function stopWithUs() {
	if (watching) return;
	watching = true;
	const logged = () => [...running].filter(({ inFront }) => !inFront);
	process.on('exit', () => logged().forEach((entry) => signalTo(entry, 'SIGKILL')));
	const end = async (signal, code) => {
		const inFront = [...running].filter((entry) => entry.inFront);
		for (const entry of inFront) signalTo(entry, signal);
		if (inFront.length > 0 || stopping) return;
		stopping = true;
		// After SIGHUP there is no terminal to write to.
		if (signal !== 'SIGHUP') console.log('\nStopping …');
		const entries = logged();
		const ended = Promise.all(
			entries.map(({ child }) => new Promise((resolve) => child.once('exit', resolve))),
		);
		entries.forEach((entry) => signalTo(entry, 'SIGTERM'));
		await Promise.race([ended, pause(PATIENCE_MS)]);
		// Even if the command has ended, its children may still run.
		entries.forEach((entry) => signalTo(entry, 'SIGKILL'));
		await ended;
		process.exit(code);
	};
	// npm does not pass every signal on before it dies of it.
	const parent = process.ppid;
	const orphaned = () => process.ppid !== parent && end('SIGHUP', 129);
	if (process.env.npm_lifecycle_event) setInterval(orphaned, 1000).unref();
	process.on('SIGHUP', () => end('SIGHUP', 129));
	process.on('SIGINT', () => end('SIGINT', 130));
	process.on('SIGTERM', () => end('SIGTERM', 143));
}

/**
 * Runs a script's main function. A SetupError is shown as its message, any other error with its stack.
 * @param {() => Promise<number>} main returns the exit code
 */
export async function start(main) {
	try {
		checkNode();
		process.exitCode = await main();
	} catch (error) {
		console.error(`\n${error instanceof SetupError ? error.message : (error?.stack ?? error)}`);
		process.exitCode = 1;
	}
}

/** Whether a command exists and answers `--version`. */
export function commandWorks(command, args = ['--version']) {
	return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function readJson(file) {
	return JSON.parse(readFileSync(file, 'utf8'));
}
