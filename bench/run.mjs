// npm run bench: does its own set-up, then measures beside what a user would pick instead.
import { runScript, setUpN8n } from '../demo/setup.mjs';
import { start } from '../scripts/setup.mjs';

await start(async () => {
	await setUpN8n();
	return await runScript('bench/main.ts', process.argv.slice(2));
});
