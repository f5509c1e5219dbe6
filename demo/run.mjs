// npm run demo sets everything up, then runs demo/main.ts. Plain Node.js, because nothing is installed in a fresh clone.
import { setUpN8n } from '../tools/n8n/install.mjs';
import { runScript, start } from '../tools/setup.mjs';

await start(async () => {
	await setUpN8n();
	return runScript('demo/main.ts', process.argv.slice(2));
});
