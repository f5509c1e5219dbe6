// npm run emulator: does its own set-up, then starts the emulator with the arguments after `--`.
import { join } from 'node:path';
import { ensureInstalled, root, run, start, step } from './setup.mjs';

await start(async () => {
	await step('Install the dependencies', () => ensureInstalled(root));
	const args = ['--import', 'tsx', join(root, 'emulator/main.ts'), ...process.argv.slice(2)];
	return await run(process.execPath, args, { allowFailure: true });
});
