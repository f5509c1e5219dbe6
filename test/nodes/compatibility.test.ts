// The rule for changes (docs/architecture.md, "Changing a node"): what a released typeVersion has, stays as it is.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INodeProperties, INodePropertyCollection, INodeTypeDescription } from 'n8n-workflow';
import { loadPackage } from '../support/n8n';

const FILE = join(__dirname, 'released.json');

/** Whether an entry of `options` is a group of fields, as those of a fixed collection are. */
const isGroup = (option: object): option is INodePropertyCollection => 'values' in option;

/** The operations that have a field; undefined when all have it. */
function whereShown({ show = {} }: NonNullable<INodeProperties['displayOptions']> = {}): string {
	const by = ['resource', 'operation'].filter((name) => name in show);
	return by.length === 0 ? '' : ` (${by.map((name) => show[name]!.join('|')).join(': ')})`;
}

/**
 * The fields of a node or credential as workflows keep them: path, type and default, and the values of a drop-down. Fields
 * of different operations may share a name; where they are alike they count once.
 */
function fieldsOf(properties: INodeProperties[], path = ''): string[] {
	return properties
		.filter(({ type }) => type !== 'notice' && type !== 'hidden')
		.flatMap(({ name, type, default: preset, options = [], displayOptions }) => {
			const own = `${path}${name}`;
			const shown = whereShown(displayOptions);
			const inner = options.flatMap((option) => {
				if (isGroup(option)) return fieldsOf(option.values, `${own}.${option.name}.`);
				if ('type' in option) return fieldsOf([option], `${own}.`);
				return 'value' in option ? [`${own}${shown} may be ${JSON.stringify(option.value)}`] : [];
			});
			return [`${own}${shown}: ${type} = ${JSON.stringify(preset)}`, ...inner];
		});
}

/** What saved workflows need of a version of a node: its fields, its credentials, and the registered URLs. */
function nodeLines(description: INodeTypeDescription): string[] {
	return [description.version].flat().flatMap((version) => {
		const credentials = (description.credentials ?? []).map(({ name }) => `credential ${name}`);
		const webhooks = (description.webhooks ?? []).map(
			({ name, httpMethod, path }) => `webhook ${name}: ${String(httpMethod)} ${path}`,
		);
		return [...fieldsOf(description.properties), ...credentials, ...webhooks].map(
			(line) => `${description.name} v${version}: ${line}`,
		);
	});
}

it('still has every field of every released version, with its type, default and values', async () => {
	const loader = await loadPackage();
	const nodes = Object.values(loader.nodeTypes).map(({ type }) => type.description as INodeTypeDescription);
	const credentials = Object.values(loader.credentialTypes).map(({ type }) => type);
	const lines = new Set([
		...nodes.flatMap(nodeLines),
		...credentials.flatMap(({ name, properties }) => fieldsOf(properties).map((line) => `${name}: ${line}`)),
	]);
	if (process.env.RELEASE === '1') writeFileSync(FILE, `${JSON.stringify([...lines].sort(), null, '\t')}\n`);
	const released = JSON.parse(readFileSync(FILE, 'utf8')) as string[];
	expect(released.length).toBeGreaterThan(100);
	expect(released.filter((line) => !lines.has(line))).toEqual([]);
});
