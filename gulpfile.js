const { compile: toTypeScript } = require('json-schema-to-typescript');
const { dest, parallel, series, src } = require('gulp');
const { execFile } = require('node:child_process');
const { mkdir, readdir, readFile, rm, writeFile } = require('node:fs/promises');
const { basename, dirname, join } = require('node:path');
const { promisify } = require('node:util');

const clean = async () => await rm('dist', { recursive: true, force: true });

async function tsc(project) {
	try {
		await promisify(execFile)(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', project]);
	} catch (error) {
		throw new Error(error.stdout || error.message);
	}
}

/** The nodes' request bodies have the types of the contracts. */
const contractTypes = async () => await (await import('./scripts/contracts.mjs')).makeContractTypes();

const compile = () => tsc('tsconfig.build.json');

// Icons, codex files and output schemas: what n8n reads beside the compiled nodes.
const assets = () =>
	src(['nodes/**/*.svg', 'nodes/**/*.node.json', 'nodes/**/__schema__/**/*.json'], {
		base: '.',
		encoding: false,
		allowEmpty: true,
	}).pipe(dest('dist'));

/** `message/getMany.json` describes a MessageGetManyItem. */
const itemName = (file) =>
	[basename(dirname(file)), basename(file, '.json')]
		.map((word) => word[0].toUpperCase() + word.slice(1))
		.join('')
		.concat('Item');

/** The types of an action node's items, from the schemas by which the tests hold its items. */
async function actionItems(node) {
	const schemas = join('nodes', node, '__schema__', 'v1.0.0');
	const files = (await readdir(schemas, { recursive: true })).filter((file) => file.endsWith('.json')).sort();
	const types = files.map(async (file) =>
		toTypeScript(JSON.parse(await readFile(join(schemas, file), 'utf8')), itemName(file), {
			additionalProperties: false,
			bannerComment: '',
		}),
	);
	const to = join('dist', 'nodes', node);
	await mkdir(to, { recursive: true });
	await writeFile(join(to, 'items.d.ts'), (await Promise.all(types)).join('\n'));
}

// What index.d.ts exports, for people who write code that works on the items.
const types = parallel(
	() => tsc('tsconfig.items.json'),
	() => actionItems('Dynamics365Messaging'),
	() => actionItems('AzureCommunicationConversations'),
);

exports.build = series(clean, contractTypes, parallel(compile, assets, types));
exports.default = exports.build;
