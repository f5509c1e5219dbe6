import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from './ports';
import { waitFor } from './wait';

const deploy = join(__dirname, '../deploy');

/** A proxy that runs. */
export interface Proxy {
	/** Its origin. */
	url: string;
	stop: () => Promise<void>;
}

/**
 * Starts HAProxy with one of the configurations of deploy/, as docs/production.md describes it.
 * @param configuration the folder of deploy/ in which it stands.
 * @param env the places of n8n's processes, each `host:port`, by the names that the configuration has for them.
 * @throws Error where HAProxy is missing or refuses the configuration.
 */
export async function startProxy(
	configuration: 'one-n8n' | 'queue-mode',
	env: Record<string, string>,
): Promise<Proxy> {
	const place = `127.0.0.1:${await freePort()}`;
	const child = spawn('haproxy', ['-f', join(deploy, configuration, 'haproxy.cfg')], {
		env: { ...process.env, ...env, PROXY_BIND: place, HOLD_LUA: join(deploy, 'hold.lua') },
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	const kill = () => void child.kill('SIGKILL');
	process.once('exit', kill);
	const ended = new Promise<string>((resolve) => {
		child.once('error', (error) => resolve(`HAProxy could not be started: ${error.message}`));
		child.once('exit', (code) => resolve(`HAProxy ended by itself (code ${code})`));
	});
	const url = `http://${place}`;
	const answers = async () =>
		await fetch(`${url}/healthz`).then(
			() => true,
			() => false,
		);
	await Promise.race([
		waitFor('HAProxy to answer', 15_000, answers),
		ended.then((how) => Promise.reject(new Error(how))),
	]);
	return {
		url,
		async stop() {
			process.off('exit', kill);
			child.kill('SIGTERM');
			await ended;
		},
	};
}
