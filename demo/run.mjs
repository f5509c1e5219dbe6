// npm run demo: everything that a fresh clone needs, then demo/main.ts. Plain Node.js, since nothing is installed yet.
import { setUpN8n } from '../tools/n8n/install.mjs';
import { runScript, start } from '../tools/setup.mjs';

await start(async () => {
	await setUpN8n();
	return runScript('demo/main.ts', process.argv.slice(2));
});
