// Lays the package out as n8n's community installer does it: the packed tarball with its production dependencies.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf, npm, root, run, SetupError } from '../setup.mjs';

/** n8n's N8N_USER_FOLDER; n8n itself adds `.n8n`. */
export const userFolder = join(dirname(fileURLToPath(import.meta.url)), '.n8n');
const nodes = join(userFolder, '.n8n', 'nodes');
/** Where the tests have the package as n8n's own installer lays it out. */
export const installed = join(userFolder, 'installed', 'nodes');
const logs = join(root, '.cache');

/** Packs the package and lays it where n8n looks for community packages, only if it changed; true if it did. */
export async function ensurePacked() {
	const tarball = await pack();
	const lock = join(root, 'package-lock.json');
	const stamp = join(nodes, 'node_modules', '.stamp');
	const wanted = hashOf([tarball, lock]);
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;
	rmSync(stamp, { force: true });
	const target = await unpack(tarball, nodes);
	// n8n's installer takes the newest that fits; here the lock file makes it the versions that were tested.
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
 * Source: n8n's CommunityPackagesService, `downloadPackage`, alike in 1.123 and 2.41.
 * @param {string} packages the folder in which n8n keeps community packages; emptied first.
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

/** Unpacks the tarball where n8n looks for it among its community packages, and enters it there; gives the folder. */
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
