// Installs a real n8n, and the packed package into it. The demo, the benchmarks and the end-to-end tests need this.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandWorks, ensureBuilt, ensureInstalled, npm, root, step } from '../setup.mjs';
import { ensurePacked } from './pack.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const node24 = join(here, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** The supported versions of n8n; the first is the default. */
export const installations = JSON.parse(readFileSync(join(here, 'installations.json'), 'utf8'));

/** Sets up a real n8n with the packed package in it. Steps that are done already are skipped. */
export async function setUpN8n() {
	console.log('\nSetting up (the first run downloads n8n: 2.7 GB, about 5 minutes)');
	await step('The tools of this repository', () => ensureInstalled(root));
	await installN8n(Object.keys(installations)[0]);
	await step('Build', ensureBuilt);
	await step('Pack, and install the packed package into n8n', ensurePacked);
}

/**
 * Installs a version of n8n. Versions without a lock file here get the newest dependencies.
 * @param {string} version one of `installations`, or any that npm has, such as `latest`
 */
export async function installN8n(version) {
	if (!(version in installations)) return await installUnlocked(version);
	const { folder, ownNode, rebuild } = installations[version];
	const dir = join(here, folder);
	const nodeOf = ownNode ? node24 : process.execPath;
	const works = () =>
		existsSync(join(dir, 'node_modules', 'n8n', 'bin', 'n8n')) &&
		commandWorks(nodeOf, ['-e', `require(${JSON.stringify(join(dir, 'node_modules', 'sqlite3'))})`]);
	const what = ownNode ? 'with its own Node.js 24, into tools/n8n/' : `into tools/n8n/${folder}/`;
	await step(`A real n8n ${version} ${what}`, () => ensureInstalled(dir, { rebuild, works }));
}

async function installUnlocked(version) {
	const dir = join(here, '.n8n', `n8n-${version}`);
	const log = join(root, '.cache', 'npm-unlocked.log');
	// The lock file of an earlier installation would make npm install what was the latest then.
	rmSync(dir, { recursive: true, force: true });
	mkdirSync(dir, { recursive: true });
	const { dependencies, ...rest } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
	const wanted = { ...rest, dependencies: { ...dependencies, n8n: version } };
	writeFileSync(join(dir, 'package.json'), JSON.stringify(wanted, null, 2));
	await step(`n8n ${version} as npm has it today, into tools/n8n/.n8n/`, async () => {
		await npm(['install', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'], {
			cwd: dir,
			log,
		});
		await npm(['rebuild', '--ignore-scripts=false', 'node', 'sqlite3'], { cwd: dir, log });
	});
}
