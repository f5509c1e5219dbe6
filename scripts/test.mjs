// `npm test`: does its own set-up, then lint, types and all tests. What stands after `--` goes to jest alone.
import { checkNode, ensureBuilt, ensureInstalled, root, run, step, SetupError } from './setup.mjs';

const bin = (name) => `${root}/node_modules/.bin/${name}`;
const forJest = process.argv.slice(2);

try {
	checkNode();
	await step('Install the dependencies', async () => await ensureInstalled(root));
	if (forJest.length === 0) {
		await step('Lint', async () => await run(bin('eslint'), ['.'], { log: `${root}/.cache/lint.log` }));
		const format = ['--check', '--log-level', 'warn', '.'];
		await step(
			'Check the format',
			async () => await run(bin('prettier'), format, { log: `${root}/.cache/format.log` }),
		);
		await step(
			'Check the types',
			async () => await run(bin('tsc'), ['--noEmit'], { log: `${root}/.cache/types.log` }),
		);
	}
	await step('Build the package', async () => await ensureBuilt());
	process.exitCode = await run(bin('jest'), forJest, { allowFailure: true });
} catch (error) {
	console.error(error instanceof SetupError ? error.message : error);
	process.exitCode = 1;
}
