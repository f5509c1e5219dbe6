// `npm run emulator`: does its own set-up, then starts the emulator with the arguments after `--`.
import { checkNode, ensureInstalled, root, run, step, SetupError } from './setup.mjs';

try {
	checkNode();
	await step('Install the dependencies', async () => await ensureInstalled(root));
	const args = ['emulator/main.ts', ...process.argv.slice(2)];
	process.exitCode = await run(`${root}/node_modules/.bin/tsx`, args, { allowFailure: true });
} catch (error) {
	console.error(error instanceof SetupError ? error.message : error);
	process.exitCode = 1;
}
