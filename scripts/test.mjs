// npm test: does its own set-up, then lint, types and all tests. What stands after `--` goes to jest alone.
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, root, run, start, step } from '../tools/setup.mjs';
import { makeContractTypes } from './contracts.mjs';

const forJest = process.argv.slice(2);

/** Runs a tool of node_modules, with its output in a log that is shown if it fails. */
const check = (label, name, args) =>
	step(label, () => run(bin(name), args, { log: join(root, '.cache', `${name}.log`) }));
const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Ten lines that stand in two places are written once. */
const DUPLICATES = [
	'nodes',
	'--min-lines',
	'10',
	'--min-tokens',
	'50',
	'--threshold',
	'0',
	'--reporters',
	'console',
];

await start(async () => {
	await step('Install the dependencies', () => ensureInstalled(root));
	await step('Make the types of the contracts', makeContractTypes);
	if (forJest.length === 0) {
		await check('Lint', 'eslint', ['.']);
		await check('Check the format', 'prettier', ['--check', '--log-level', 'warn', '.']);
		await check('Look for what stands twice in nodes/', 'jscpd', DUPLICATES);
		await check('Check the types', 'tsc', ['--noEmit']);
		await check('Check the types against the oldest n8n', 'tsc', ['-p', 'tsconfig.oldest.json']);
	}
	await step('Build the package', ensureBuilt);
	return await run(bin('jest'), forJest, { allowFailure: true });
});
