// npm run bench:queue sets everything up, then measures n8n's queue mode. It needs PostgreSQL and Redis: compose.yaml.
import { ensureHaproxy } from '../tools/debian.mjs';
import { setUpN8n } from '../tools/n8n/install.mjs';
import { runScript, start, step } from '../tools/setup.mjs';

await start(async () => {
	await setUpN8n();
	await step('HAProxy', ensureHaproxy);
	return await runScript('bench/queue.ts', process.argv.slice(2));
});
