// npm run demo: everything that a fresh clone needs, then demo/main.ts. Plain Node.js, since nothing is installed yet.
import { start } from '../scripts/setup.mjs';
import { runScript, setUpN8n } from './setup.mjs';

await start(async () => {
	await setUpN8n();
	return runScript('demo/main.ts', process.argv.slice(2));
});
