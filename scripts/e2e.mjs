// npm run test:e2e: does its own set-up, then the tests that need a real n8n, one after the other.
import { runScript, setUpN8n } from '../demo/setup.mjs';
import { start } from './setup.mjs';

const tests = {
	'The template exactly-once, over two processes': 'test/e2e/exactlyOnce.ts',
	'Deliveries at a pace, every third one repeated': 'test/e2e/deliveries.ts',
};

await start(async () => {
	await setUpN8n();
	let failed = 0;
	for (const [what, file] of Object.entries(tests)) {
		console.log(`\n${what}`);
		if ((await runScript(file, [])) !== 0) failed++;
	}
	return failed === 0 ? 0 : 1;
});
