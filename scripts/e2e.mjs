// npm run test:e2e: does its own set-up, then the tests that need a real n8n, one after the other.
import { setUpN8n } from '../tools/n8n/install.mjs';
import { ensureHaproxy, installDebian } from '../tools/debian.mjs';
import { commandWorks, runScript, start, step } from '../tools/setup.mjs';

const tests = {
	'A trigger that registers its own URL': 'test/e2e/registration.ts',
	'The lines of messages in PostgreSQL': 'test/e2e/turns.ts',
	'Every template, imported and played': 'test/e2e/templates.ts',
	// The full soak is two minutes for each template with three kills: SOAK=all SOAK_SECONDS=120 SOAK_KILLS=3.
	'Templates under chance, with a kill of n8n': 'test/e2e/soak.ts',
	'Every kind of business message': 'test/e2e/businessMessages.ts',
	'The agent desk, in a real browser': 'test/e2e/desk.ts',
	'The editor, in a real browser': 'test/e2e/editor.ts',
	'When the trigger answers that the workflow has succeeded': 'test/e2e/onSuccess.ts',
	'Deliveries at a pace, every third one repeated': 'test/e2e/deliveries.ts',
	'The proxy of deploy/, by itself': 'test/e2e/proxy.ts',
	// RESTARTS=full has five of them in place of two.
	'Restarts and kills of n8n behind the proxy of deploy/': 'test/e2e/restarts.ts',
};

/** Installs Chromium from Debian's packages where there is none; CHROMIUM names another browser. */
async function ensureChromium() {
	const found = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'];
	if (found.some((browser) => browser && commandWorks(browser, ['--version']))) return;
	await installDebian(
		'chromium',
		'Install Chromium, or name one: CHROMIUM=/path/to/chromium npm run test:e2e',
	);
}

// What fails in the soak is played once more, and not something else.
process.env.SEED ??= String(Date.now() % 1_000_000);
// The plays of the other templates are new: SOAK=all, or SOAK= and a name, runs them.
process.env.SOAK ??= 'ai-agent-hands-over,bring-your-own-channel';

await start(async () => {
	await setUpN8n();
	await step('Chromium', ensureChromium);
	await step('HAProxy', ensureHaproxy);
	let failed = 0;
	for (const [what, file] of Object.entries(tests)) {
		console.log(`\n${what}`);
		let code = await runScript(file, []);
		if (code !== 0) {
			// A browser or an n8n that a slow machine upsets: a new one of each has to fail as well.
			console.log('  once more');
			code = await runScript(file, []);
		}
		if (code !== 0) failed++;
	}
	return failed === 0 ? 0 : 1;
});
