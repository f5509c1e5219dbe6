// npm run emulator: does its own set-up, then starts the emulator with the arguments after `--`.
import { ensureInstalled, root, runScript, start, step } from '../tools/setup.mjs';

await start(async () => {
	await step('Install the dependencies', () => ensureInstalled(root));
	return await runScript('emulator/main.ts', process.argv.slice(2));
});
