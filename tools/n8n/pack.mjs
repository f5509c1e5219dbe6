// Installs the packed package with its production dependencies, as n8n's installer of community packages does.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf, npm, root, run, SetupError } from '../setup.mjs';

/** n8n's N8N_USER_FOLDER; n8n itself adds `.n8n`. */
export const userFolder = join(dirname(fileURLToPath(import.meta.url)), '.n8n');
const nodes = join(userFolder, '.n8n', 'nodes');
/** The folder into which the tests install the package exactly as n8n's own installer does. */
export const installed = join(userFolder, 'installed', 'nodes');
const logs = join(root, '.cache');

/** Packs the package and installs it where n8n looks for community packages, if it has changed. @returns whether it has */
export async function ensurePacked() {
	const tarball = await pack();
	const lock = join(root, 'package-lock.json');
	const stamp = join(nodes, 'node_modules', '.stamp');
	const wanted = hashOf([tarball, lock]);
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;
	rmSync(stamp, { force: true });
	const target = await unpack(tarball, nodes);
	// n8n's installer takes the newest matching versions. The lock file ensures that the tested ones are installed here.
	for (const file of ['package-lock.json', '.npmrc']) copyFileSync(join(root, file), join(target, file));
	const omit = ['dev', 'peer', 'optional'].map((kind) => `--omit=${kind}`);
	await npm(['ci', ...omit, '--ignore-scripts', '--no-audit', '--no-fund'], {
		cwd: target,
		log: join(logs, 'npm-package.log'),
	});
	writeFileSync(stamp, wanted);
	return true;
}

/**
 * Packs the package and installs it with the very commands of n8n's own installer for community packages: the tarball,
 * without its dev, peer and optional dependencies, shallow, without scripts and without a lock file.
 * Source: n8n's CommunityPackagesService, `downloadPackage`, which is the same in 1.123 and 2.41.
 * @param {string} packages the folder in which n8n keeps community packages; it is emptied first.
 */
export async function installAsN8nDoes(packages) {
	rmSync(packages, { recursive: true, force: true });
	const target = await unpack(await pack(), packages);
	const file = join(target, 'package.json');
	const content = JSON.parse(readFileSync(file, 'utf8'));
	for (const kind of ['devDependencies', 'peerDependencies', 'optionalDependencies']) delete content[kind];
	writeFileSync(file, JSON.stringify(content, null, 2));
	const how = ['--audit=false', '--fund=false', '--bin-links=false', '--install-strategy=shallow'];
	await npm(['install', ...how, '--ignore-scripts=true', '--package-lock=false'], {
		cwd: target,
		log: join(logs, 'npm-installer.log'),
	});
}

/** @returns {Promise<string>} the packed tarball */
async function pack() {
	const { name, version } = packageJson();
	const packs = join(userFolder, 'pack');
	rmSync(packs, { recursive: true, force: true });
	mkdirSync(packs, { recursive: true });
	await npm(['pack', '--ignore-scripts', '--pack-destination', packs], { log: join(logs, 'npm-pack.log') });
	const tarball = join(packs, `${name}-${version}.tgz`);
	if (!existsSync(tarball)) throw new SetupError(`npm pack made no ${name}-${version}.tgz in ${packs}`);
	return tarball;
}

/** Unpacks the tarball into the folder of community packages, and adds it to that folder's package.json. @returns the folder of the package */
async function unpack(tarball, packages) {
	const { name, version } = packageJson();
	const target = join(packages, 'node_modules', name);
	rmSync(target, { recursive: true, force: true });
	mkdirSync(target, { recursive: true });
	await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target], { log: join(logs, 'tar.log') });
	const ledger = { name: 'installed-nodes', private: true, dependencies: { [name]: version } };
	writeFileSync(join(packages, 'package.json'), JSON.stringify(ledger, null, 2));
	return target;
}

const packageJson = () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
