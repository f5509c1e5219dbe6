// npm run sbom [file]: the software bill of materials (CycloneDX) of what lands in somebody's n8n: the package as n8n's
// own installer lays it out, with every package below it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { installAsN8nDoes, userFolder } from '../tools/n8n/pack.mjs';
import { ensureBuilt, ensureInstalled, npmCommand, root, SetupError, start, step } from '../tools/setup.mjs';

const file = resolve(process.argv[2] ?? join(root, '.cache', 'sbom.cdx.json'));
const packages = join(userFolder, 'sbom', 'nodes');

/** The packages in a folder of packages and in those below it, as name and path. */
function installed(folder) {
	if (!existsSync(folder)) return [];
	return readdirSync(folder)
		.filter((name) => !name.startsWith('.'))
		.flatMap((name) =>
			name.startsWith('@') ? readdirSync(join(folder, name)).map((scoped) => `${name}/${scoped}`) : [name],
		)
		.flatMap((name) => [name, ...installed(join(folder, name, 'node_modules'))]);
}

await start(async () => {
	await step('The tools of this repository', () => ensureInstalled(root));
	await step('Build', ensureBuilt);
	await step("Pack, and install as n8n's own installer does", () => installAsN8nDoes(packages));
	const [name] = readdirSync(join(packages, 'node_modules'));
	const folder = join(packages, 'node_modules', name);
	const [command, ...first] = npmCommand();
	const args = [...first, 'sbom', '--sbom-format=cyclonedx', '--sbom-type=library'];
	const text = execFileSync(command, args, {
		cwd: folder,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const listed = JSON.parse(text).components.map((component) => component.name);
	// npm leaves out what it takes for a peer's: a list that is not whole is worse than none.
	const missing = installed(join(folder, 'node_modules')).filter((found) => !listed.includes(found));
	if (missing.length > 0) throw new SetupError(`npm's list of materials lacks ${missing.join(', ')}`);
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, text);
	console.log(`\n${listed.length} packages: ${listed.join(', ')}\n${file}`);
	return 0;
});
