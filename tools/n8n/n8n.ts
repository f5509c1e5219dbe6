import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ports';
import { waitFor } from '../wait';
import { type Installation, installationOf, userFolder } from './installation';

/** How often it is checked whether n8n is ready. Short, because benchmarks measure the time until then. */
const READY_POLL_MS = 20;

/** The file with n8n's own log. */
export const n8nLog = join(userFolder, 'n8n.log');

/** The owner of every n8n that is started here. */
export const owner = {
	email: 'demo@example.com',
	password: 'Demo-2365',
	firstName: 'Demo',
	lastName: 'Owner',
} as const;

/** A running process of n8n. */
export interface N8nProcess {
	/** Undefined when it could not be started. */
	pid: number | undefined;
	/** The file with its own log. */
	log: string;
	/** Stops n8n and waits until it has ended. It is killed after 10 seconds. */
	stop: () => Promise<void>;
	/** Kills it at once, as in a power failure. */
	kill: () => Promise<void>;
	/** Resolves with the reason when n8n ends although neither `stop` nor `kill` was called. */
	died: Promise<string>;
}

/** A running n8n, signed in as its owner. */
export interface N8n extends N8nProcess {
	/** The origin of the editor, of webhooks and of the REST interface. */
	url: string;
	/** Calls n8n's internal REST interface. @param path below `/rest` @returns the `data` of the answer @throws Error with n8n's answer when it is not 2xx */
	rest: <T>(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<T>;
}

/** The options for starting n8n. */
export interface StartOptions {
	/** n8n's user folder: a new one from `makeRunFolder`, or that of an n8n that ran before. */
	runFolder: string;
	/** A PEM file with a certificate that n8n must trust. */
	certificateFile: string;
	/** Default: any that is free. */
	port?: number;
	/** Environment variables that add to the usual ones or replace them. */
	env?: NodeJS.ProcessEnv;
	/** Default: the newest supported n8n. */
	installation?: Installation;
}

/**
 * Starts n8n, and returns when it answers and its owner is signed in.
 * @param options `before` is the n8n that ran in this folder before; the new one gets its port.
 * @returns the running n8n; call its `stop()` at the end.
 * @throws Error when it ends or does not become ready in time.
 *
 * @example
 * const n8n = await startN8n({ runFolder: makeRunFolder(), certificateFile });
 * const { id } = await n8n.rest<{ id: string }>('POST', '/workflows', { name: 'Empty', nodes: [], connections: {} });
 * await n8n.stop();
 */
export async function startN8n(options: StartOptions & { before?: { url: string } }): Promise<N8n> {
	const port = options.before
		? Number(new URL(options.before.url).port)
		: (options.port ?? (await freePort()));
	const started = await startProcess('start', port, options);
	try {
		// n8n 1 reports that it is ready before its REST interface answers.
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
 * @param command of n8n: the main process (`start`), or in queue mode a `worker` or `webhook` processor.
 * @param port on which it answers; a worker has only its health check there.
 * @returns the process, and its origin.
 * @throws Error when it ends or is not ready within 3 minutes.
 *
 * @example
 * const worker = await startProcess('worker', await freePort(), { ...options, env: queueSettings });
 * await worker.stop();
 */
export async function startProcess(
	command: 'start' | 'worker' | 'webhook',
	port: number,
	options: StartOptions,
): Promise<N8nProcess & { url: string }> {
	// Not `localhost`, which may resolve to ::1, where the user's own n8n may listen.
	const url = `http://127.0.0.1:${port}`;
	const logFile = command === 'start' ? n8nLog : join(userFolder, `n8n-${command}-${port}.log`);
	// The file is unlinked, not emptied, because a demo that still runs may be writing to it.
	rmSync(logFile, { force: true });
	const log = openSync(logFile, 'a');
	// After a kill n8n waits ten seconds before it starts; docs/production.md has the supervisor spare it that.
	rmSync(join(options.runFolder, '.n8n/crash.journal'), { force: true });
	const { folder, node, env } = options.installation ?? installationOf();
	const watcher = join(__dirname, 'endWithParent.cjs');
	const child = spawn(node, ['--require', watcher, join(folder, 'node_modules/n8n/bin/n8n'), command], {
		cwd: folder,
		env: {
			...withoutOtherN8n(process.env),
			...settings(port, await freePort(), url, options),
			...env,
			...options.env,
		},
		stdio: ['ignore', log, log],
		// Not in the terminal's process group, so that Ctrl-C reaches this process alone, which then stops n8n.
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
		// The emulator and the customer's app are on this machine, and must not be reached through a proxy.
		NO_PROXY: 'localhost,127.0.0.1',
		no_proxy: 'localhost,127.0.0.1',
		N8N_COMMUNITY_PACKAGES_ENABLED: 'true',
		N8N_REINSTALL_MISSING_PACKAGES: 'false',
		N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
		// As in n8n's own Docker image. Without these two, n8n runs in development mode.
		NODE_ENV: 'production',
		N8N_RELEASE_TYPE: 'stable',
		// Turns off telemetry and everything else that the demo does not need.
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

/** Removes npm's variables and those of the user's own n8n from the environment. */
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
	/** n8n has child processes, which might outlive it. */
	const killGroup = () => {
		try {
			if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL');
		} catch {
			// The group has no process any more.
		}
	};
	const endAll = () => (kill('SIGKILL'), killGroup());
	process.once('exit', endAll);
	// After that, another process may get its id.
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

/** Creates the owner of a new n8n, or signs in as the owner of an existing one. @returns the owner's REST interface */
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
