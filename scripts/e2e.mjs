// npm run test:e2e: does its own set-up, then the tests that need a real n8n, one after the other.
import { setUpN8n } from '../tools/n8n/install.mjs';
import { commandWorks, run, runScript, SetupError, start, step } from '../tools/setup.mjs';

const tests = {
	'A trigger that registers its own URL': 'test/e2e/registration.ts',
	'Every template, imported and played': 'test/e2e/templates.ts',
	'Every kind of business message': 'test/e2e/businessMessages.ts',
	'The editor, in a real browser': 'test/e2e/editor.ts',
	'Deliveries at a pace, every third one repeated': 'test/e2e/deliveries.ts',
};

/** Installs Chromium from Debian's packages where there is none; CHROMIUM names another browser. */
async function ensureChromium() {
	const found = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'];
	if (found.some((browser) => browser && commandWorks(browser, ['--version']))) return;
	const hint = 'Install Chromium, or name one: CHROMIUM=/path/to/chromium npm run test:e2e';
	if (!commandWorks('apt-get', ['--version'])) throw new SetupError(hint);
	await run('apt-get', ['update', '-q'], { allowFailure: true });
	if ((await run('apt-get', ['install', '-y', '-q', 'chromium'], { allowFailure: true })) !== 0) {
		throw new SetupError(hint);
	}
}

await start(async () => {
	await setUpN8n();
	await step('Chromium', ensureChromium);
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
