// Programs that are installed from Debian's packages where a machine has none.
import { commandWorks, run, SetupError } from './setup.mjs';

/** Installs the proxy of deploy/ where there is none. @throws SetupError where it cannot be installed */
export async function ensureHaproxy() {
	if (!commandWorks('haproxy', ['-v'])) await installDebian('haproxy', 'Install HAProxy 2.6 or later.');
}

/**
 * Installs one of Debian's packages.
 * @param {string} name of the package.
 * @param {string} hint what the reader can do where it cannot be installed.
 * @throws SetupError with the hint.
 */
export async function installDebian(name, hint) {
	if (!commandWorks('apt-get', ['--version'])) throw new SetupError(hint);
	await run('apt-get', ['update', '-q'], { allowFailure: true });
	// On GitHub's machines one is not root, but may become it.
	const command = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '--non-interactive', 'apt-get'];
	const [first, ...rest] = [...command, 'install', '-y', '-q', name];
	if ((await run(first, rest, { allowFailure: true })) !== 0) throw new SetupError(hint);
}
