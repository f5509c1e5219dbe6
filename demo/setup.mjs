// What the demo and the end-to-end tests need before they can start: both packages installed, built, packed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commandWorks, ensureBuilt, ensureInstalled, root, run, step } from '../scripts/setup.mjs';
import { ensurePacked } from './pack.mjs';

const demo = join(root, 'demo');
const node24 = join(demo, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const n8nWorks = () =>
	existsSync(join(demo, 'node_modules', 'n8n', 'bin', 'n8n')) &&
	commandWorks(node24, ['-e', `require(${JSON.stringify(join(demo, 'node_modules', 'sqlite3'))})`]);

/** Sets up a real n8n with the packed package in it; quick where that is done already. */
export async function setUpN8n() {
	console.log('\nSetting up (the first run downloads n8n: 2.7 GB, about 5 minutes)');
	await step('The tools of this repository', () => ensureInstalled(root));
	await step('A real n8n 2.41.1 with its own Node.js 24, into demo/', () =>
		ensureInstalled(demo, { rebuild: ['node', 'sqlite3'], works: n8nWorks }),
	);
	await step('Build', ensureBuilt);
	await step('Pack, and install the packed package into n8n', ensurePacked);
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
