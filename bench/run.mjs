// npm run bench: does its own set-up, then measures beside what a user would pick instead.
import { installAsN8nDoes, installed } from '../demo/pack.mjs';
import { runScript, setUpN8n } from '../demo/setup.mjs';
import { start, step } from '../scripts/setup.mjs';

await start(async () => {
	await setUpN8n();
	await step("Pack, and install as n8n's own installer does", () => installAsN8nDoes(installed));
	return await runScript('bench/main.ts', process.argv.slice(2));
});
