import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ports';
import { waitFor } from '../wait';
import { type Installation, installationOf, userFolder } from './installation';

/** Short, as benchmarks take the time until n8n is ready. */
const READY_POLL_MS = 20;

/** Where n8n's own log is kept. */
export const n8nLog = join(userFolder, 'n8n.log');

/** Who may sign in to it. */
export const owner = {
	email: 'demo@example.com',
	password: 'Demo-2365',
	firstName: 'Demo',
	lastName: 'Owner',
} as const;

/** A process of n8n. */
export interface N8nProcess {
	pid: number | undefined;
	/** Where its own log is kept. */
	log: string;
	/** Ends n8n and waits until it has ended. */
	stop: () => Promise<void>;
	/** Ends it at once, as when the power fails. */
	kill: () => Promise<void>;
	/** Resolves when n8n ends without having been asked to. */
	died: Promise<string>;
}

/** A running n8n, signed in as its owner. */
export interface N8n extends N8nProcess {
	/** The editor's origin. */
	url: string;
	/** A call to n8n's own REST interface; throws what n8n answered if it was no success. */
	rest: <T>(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<T>;
}

/** What a start of n8n needs to know. */
export interface StartOptions {
	/** An empty folder, or that of an n8n that ran before. */
	runFolder: string;
	/** What n8n is to trust. */
	certificateFile: string;
	/** Settings of n8n beside or instead of the usual ones. */
	env?: NodeJS.ProcessEnv;
	installation?: Installation;
}

/**
 * Starts n8n, and returns when it answers and its owner is signed in.
 * @param options with `before`, the n8n that ran in this folder before: it gets the same port.
 */
export async function startN8n(options: StartOptions & { before?: { url: string } }): Promise<N8n> {
	const port = options.before ? Number(new URL(options.before.url).port) : await freePort(5678);
	const started = await startProcess('start', port, options);
	try {
		// n8n 1 says that it is ready before it answers there.
		await waitFor("n8n's REST interface", 60_000, () => answersOk(`${started.url}/rest/settings`));
		const rest = await signIn(started.url, options.before === undefined);
		return { ...started, rest };
	} catch (error) {
		await started.stop();
		throw error;
	}
}

/**
 * Starts one process of n8n, and returns when it is ready.
 * @param command of n8n: the whole of it (`start`), or in queue mode a `worker` or `webhook` processor.
 * @param port on which it answers; for a worker that of its health check.
 */
export async function startProcess(
	command: 'start' | 'worker' | 'webhook',
	port: number,
	options: StartOptions,
): Promise<N8nProcess & { url: string }> {
	// Not `localhost`, which may mean ::1, where the reader's own n8n may be.
	const url = `http://127.0.0.1:${port}`;
	const logFile = command === 'start' ? n8nLog : join(userFolder, `n8n-${command}-${port}.log`);
	// Unlinked rather than emptied: a demo that still runs goes on writing into its own.
	rmSync(logFile, { force: true });
	const log = openSync(logFile, 'a');
	const { folder, node, env } = options.installation ?? installationOf();
	const watcher = join(__dirname, 'endWithParent.cjs');
	const child = spawn(node, ['--require', watcher, join(folder, 'node_modules/n8n/bin/n8n'), command], {
		cwd: folder,
		env: {
			...withoutOtherN8n(process.env),
			...settings(port, await freePort(5679), url, options),
			...env,
			...options.env,
		},
		stdio: ['ignore', log, log],
		// Not in the terminal's group: Ctrl-C is ours to handle, n8n is stopped in order.
		detached: process.platform !== 'win32',
	});
	closeSync(log);
	const { died, stop, kill } = lifeOf(child);
	try {
		await Promise.race([
			waitFor('n8n to be ready', 180_000, () => answersOk(`${url}/healthz/readiness`), READY_POLL_MS),
			died.then((how) => Promise.reject(new Error(how))),
		]);
		return { url, pid: child.pid, log: logFile, died, stop, kill };
	} catch (error) {
		await stop();
		throw error;
	}
}

function settings(
	port: number,
	brokerPort: number,
	url: string,
	{ runFolder, certificateFile }: StartOptions,
): NodeJS.ProcessEnv {
	return {
		N8N_USER_FOLDER: runFolder,
		N8N_ENCRYPTION_KEY: 'the demo holds no secret',
		N8N_HOST: '127.0.0.1',
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_PORT: String(port),
		N8N_WEBHOOK_URL: `${url}/`,
		N8N_EDITOR_BASE_URL: url,
		N8N_SECURE_COOKIE: 'false',
		N8N_RUNNERS_BROKER_PORT: String(brokerPort),
		NODE_EXTRA_CA_CERTS: certificateFile,
		// Emulator and customer's app are on this machine, whatever proxy it has.
		NO_PROXY: 'localhost,127.0.0.1',
		no_proxy: 'localhost,127.0.0.1',
		N8N_COMMUNITY_PACKAGES_ENABLED: 'true',
		N8N_REINSTALL_MISSING_PACKAGES: 'false',
		N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
		// As in n8n's own Docker image; without, it takes itself for a developer's.
		NODE_ENV: 'production',
		N8N_RELEASE_TYPE: 'stable',
		// Nothing that calls home, and nothing that the demo does not need.
		N8N_VERIFIED_PACKAGES_ENABLED: 'false',
		N8N_DIAGNOSTICS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
		N8N_DYNAMIC_BANNERS_ENABLED: 'false',
		N8N_HIRING_BANNER_ENABLED: 'false',
		N8N_TEMPLATES_ENABLED: 'false',
		N8N_PERSONALIZATION_ENABLED: 'false',
		N8N_DISABLED_MODULES: 'mcp-registry,instance-ai,agents,chat-hub,insights',
		NO_COLOR: '1',
	};
}

/** The environment without the settings of an n8n that the reader may have, and without npm's. */
function withoutOtherN8n(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const theirs = /^(n8n_|db_|executions_|webhook_url$|queue_|npm_|node_options$|node_env$|force_color$)/i;
	return Object.fromEntries(Object.entries(env).filter(([name]) => !theirs.test(name)));
}

function lifeOf(child: ChildProcess): Pick<N8nProcess, 'died' | 'stop' | 'kill'> {
	let asked = false;
	const ended = new Promise<string>((resolve) => {
		child.once('error', (error) => resolve(`n8n could not be started: ${error.message}`));
		child.once('exit', (code, signal) => resolve(`n8n ended by itself (${signal ?? `code ${code}`})`));
	});
	const died = new Promise<string>((resolve) => void ended.then((how) => asked || resolve(how)));
	const kill = (signal: NodeJS.Signals) => {
		if (child.exitCode === null && child.signalCode === null) child.kill(signal);
	};
	/** n8n has children of its own, which might outlive it. */
	const killGroup = () => {
		try {
			if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL');
		} catch {
			// Nobody is left in it.
		}
	};
	const endAll = () => (kill('SIGKILL'), killGroup());
	process.once('exit', endAll);
	// Its number may be another process' by then.
	void ended.then(() => (killGroup(), process.off('exit', endAll)));
	return {
		died,
		async kill() {
			asked = true;
			kill('SIGKILL');
			if (child.pid !== undefined) await ended;
			killGroup();
		},
		async stop() {
			asked = true;
			kill('SIGTERM');
			const patience = setTimeout(() => kill('SIGKILL'), 10_000);
			if (child.pid !== undefined) await ended;
			clearTimeout(patience);
			killGroup();
		},
	};
}

async function answersOk(url: string): Promise<boolean> {
	try {
		return (await fetch(url)).ok;
	} catch {
		return false;
	}
}

/** Makes the owner of a new n8n, or signs in to one that has it, and returns the REST interface as that person sees it. */
async function signIn(url: string, isNew: boolean): Promise<N8n['rest']> {
	let cookie = '';
	const rest: N8n['rest'] = async <T>(method: 'GET' | 'POST', path: string, body?: unknown) => {
		const response = await fetch(`${url}/rest${path}`, {
			method,
			headers: { 'content-type': 'application/json', 'browser-id': 'demo', cookie },
			body: body === undefined ? undefined : JSON.stringify(body),
		});
		const text = await response.text();
		if (!response.ok) {
			throw new Error(`n8n answered ${method} /rest${path} with ${response.status}: ${text.slice(0, 500)}`);
		}
		const cookies = response.headers.getSetCookie().map((line) => line.split(';')[0]);
		if (cookies.length) cookie = cookies.join('; ');
		const answer = JSON.parse(text) as { data: T };
		return answer.data;
	};
	if (isNew) await rest('POST', '/owner/setup', owner);
	else await rest('POST', '/login', { emailOrLdapLoginId: owner.email, password: owner.password });
	return rest;
}
