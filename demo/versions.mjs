// npm run test:versions [version …]: the packed tarball, installed as n8n's own installer does it, plays the demo's
// conversation in each version of n8n that the package promises to run in, or in those that are named (`latest`, 2.40.0).
import { installations, installN8n } from '../tools/n8n/install.mjs';
import { installAsN8nDoes, installed } from '../tools/n8n/pack.mjs';
import { ensureBuilt, ensureInstalled, root, runScript, start, step } from '../tools/setup.mjs';

const named = process.argv.slice(2);

await start(async () => {
	await step('The tools of this repository', () => ensureInstalled(root));
	await step('Build', ensureBuilt);
	await step("Pack, and install as n8n's own installer does", () => installAsN8nDoes(installed));
	let failed = 0;
	for (const version of named.length > 0 ? named : Object.keys(installations)) {
		console.log(`\nn8n ${version}`);
		await installN8n(version);
		const code = await runScript('demo/main.ts', ['--once', `--n8n=${version}`, `--packages=${installed}`]);
		if (code !== 0) failed++;
	}
	return failed === 0 ? 0 : 1;
});
