// Lays the package out as n8n's community installer does it: the packed tarball with its production dependencies.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf, npm, root, run, SetupError } from '../scripts/setup.mjs';

/** n8n's N8N_USER_FOLDER; n8n itself adds `.n8n`. */
export const userFolder = join(dirname(fileURLToPath(import.meta.url)), '.n8n');
const nodes = join(userFolder, '.n8n', 'nodes');
const logs = join(root, '.cache');

/** Packs the package and lays it where n8n looks for community packages, only if it changed; true if it did. */
export async function ensurePacked() {
	const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
	const packs = join(userFolder, 'pack');
	rmSync(packs, { recursive: true, force: true });
	mkdirSync(packs, { recursive: true });
	await npm(['pack', '--ignore-scripts', '--pack-destination', packs], { log: join(logs, 'npm-pack.log') });
	const tarball = join(packs, `${name}-${version}.tgz`);
	if (!existsSync(tarball)) throw new SetupError(`npm pack made no ${name}-${version}.tgz in ${packs}`);

	const lock = join(root, 'package-lock.json');
	const target = join(nodes, 'node_modules', name);
	const stamp = join(nodes, 'node_modules', '.stamp');
	const wanted = hashOf([tarball, lock]);
	if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;

	rmSync(stamp, { force: true });
	rmSync(target, { recursive: true, force: true });
	mkdirSync(target, { recursive: true });
	await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target], { log: join(logs, 'tar.log') });
	// n8n's installer runs no scripts and leaves these kinds out; the lock file makes it the versions that were tested.
	for (const file of ['package-lock.json', '.npmrc']) copyFileSync(join(root, file), join(target, file));
	const omit = ['dev', 'peer', 'optional'].map((kind) => `--omit=${kind}`);
	await npm(['ci', ...omit, '--ignore-scripts', '--no-audit', '--no-fund'], {
		cwd: target,
		log: join(logs, 'npm-package.log'),
	});
	const ledger = { name: 'installed-nodes', private: true, dependencies: { [name]: version } };
	writeFileSync(join(nodes, 'package.json'), JSON.stringify(ledger, null, 2));
	writeFileSync(stamp, wanted);
	return true;
}
