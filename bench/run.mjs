// npm run bench sets everything up, then compares the package with the alternatives that a user has.
import { setUpN8n } from '../tools/n8n/install.mjs';
import { installAsN8nDoes, installed } from '../tools/n8n/pack.mjs';
import { runScript, start, step } from '../tools/setup.mjs';

await start(async () => {
	await setUpN8n();
	await step("Pack, and install as n8n's own installer does", () => installAsN8nDoes(installed));
	return await runScript('bench/main.ts', process.argv.slice(2));
});
