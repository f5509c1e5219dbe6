const { dereference } = require('@apidevtools/json-schema-ref-parser');
const { compile: toTypeScript } = require('json-schema-to-typescript');
const { dest, parallel, series, src } = require('gulp');
const { execFile } = require('node:child_process');
const { mkdir, readdir, rm, writeFile } = require('node:fs/promises');
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

/** A JSON file with all that it refers to by `$ref` in its place, as n8n follows no references. */
const readJson = async (file) => await dereference(file, { dereference: { circular: false } });

const icons = () => src('nodes/**/*.svg', { base: '.', encoding: false }).pipe(dest('dist'));

/** Codex files and output schemas, which n8n reads beside the compiled nodes. */
async function jsonFiles() {
	const isRead = (file) => /\.node\.json$|__schema__.v\d/.test(file);
	const files = (await readdir('nodes', { recursive: true })).filter((file) => file.endsWith('.json'));
	const written = files.filter(isRead).map(async (file) => {
		const to = join('dist', 'nodes', file);
		await mkdir(dirname(to), { recursive: true });
		await writeFile(to, `${JSON.stringify(await readJson(join('nodes', file)), null, 2)}\n`);
	});
	await Promise.all(written);
}

const assets = parallel(icons, jsonFiles);

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
		toTypeScript(await readJson(join(schemas, file)), itemName(file), {
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
