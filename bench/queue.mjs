// npm run bench:queue: does its own set-up, then measures n8n's queue mode. It needs PostgreSQL and Redis: compose.yaml.
import { runScript, setUpN8n } from '../demo/setup.mjs';
import { start } from '../scripts/setup.mjs';

await start(async () => {
	await setUpN8n();
	return await runScript('bench/queue.ts', process.argv.slice(2));
});
