// npm run test:e2e: does its own set-up, then the tests that need a real n8n.
import { runScript, setUpN8n } from '../demo/setup.mjs';
import { start } from './setup.mjs';

await start(async () => {
	await setUpN8n();
	console.log('\nDeliveries at a pace, every third one repeated');
	return runScript('test/e2e/deliveries.ts', process.argv.slice(2));
});
