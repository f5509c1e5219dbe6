import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { N8nWithEmulator } from './withN8n';

const FOLDER = join(__dirname, '../../templates');

interface TemplateNode {
	name: string;
	type: string;
	parameters: Record<string, unknown>;
	[key: string]: unknown;
}

/** A template as its file has it. */
export interface Template {
	name: string;
	nodes: TemplateNode[];
	connections: Record<string, unknown>;
	settings?: Record<string, unknown>;
}

/** The credentials that a test has made: by the node's type, the credential's type and ID. */
export type CredentialIds = Record<string, { type: string; id: string }>;

function chosen(nodeType: string, credentials: CredentialIds): object {
	const one = credentials[nodeType];
	return one ? { credentials: { [one.type]: { id: one.id, name: one.type } } } : {};
}

/** Fields that must not be in a shared file, because they belong to one n8n. */
const OWN = ['id', 'webhookId', 'credentials', 'instanceId', 'versionId', 'meta'];

/**
 * Reads a template.
 * @param name the file's, without its folder and ending.
 * Pinned data may be in it: it is invented, and counts in the editor only.
 * @throws Error where it holds what belongs to one n8n: ids, credentials.
 */
export function readTemplate(name: string): Template {
	const template = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Template;
	for (const place of [template, ...template.nodes] as Array<Record<string, unknown>>) {
		const own = OWN.filter((key) => key in place);
		if (own.length > 0) throw new Error(`${name}.json holds ${own.join(', ')} of somebody’s own n8n`);
	}
	return template;
}

/** The part of a database that is used here. */
export interface Rows {
	rows: (query: string) => Promise<unknown>;
}

/**
 * Runs the statements that a Postgres node of a template holds, as a person does who runs that node once.
 * @param name the template's file, without its folder and ending.
 * @throws Error where it has no such node, or what the database throws.
 *
 * @example
 * await runQueryOf('tables', 'Make the tables', database);
 */
export async function runQueryOf(name: string, node: string, database: Rows): Promise<void> {
	const found = readTemplate(name).nodes.find((one) => one.name === node);
	if (typeof found?.parameters.query !== 'string') throw new Error(`${name}.json has no query in ${node}`);
	await database.rows(found.parameters.query);
}

/** What a person does after importing a template: choose credentials, and change the settings that its notes name. */
export interface Filling {
	credentials: CredentialIds;
	/** Changes a node's parameters in place, e.g. to set an address. */
	set?: (node: TemplateNode) => void;
}

/** A template that is ready to be imported. */
export interface Filled {
	/** What n8n gets to import. */
	workflow: object;
	/** The path of a webhook or trigger below n8n's `/webhook/`, by the node's name. @throws Error where there is no such node */
	pathOf: (node: string) => string;
}

/** Fills a template in as a person does after importing it. @param name the file's, without its folder and ending */
export function fillTemplate(name: string, { credentials, set }: Filling): Filled {
	const template = readTemplate(name);
	const nodes = template.nodes.map((node) => {
		const filled = structuredClone(node);
		set?.(filled);
		return { ...filled, id: randomUUID(), webhookId: randomUUID(), ...chosen(node.type, credentials) };
	});
	return {
		workflow: { ...template, nodes },
		pathOf: (wanted) => {
			const node = nodes.find((one) => one.name === wanted);
			if (!node) throw new Error(`${name}.json has no node ${wanted}`);
			const { path } = node.parameters as { path?: string };
			return path ?? `${node.webhookId}/${node.id}`;
		},
	};
}

/** An active template. */
export interface Published {
	id: string;
	/** The production URL of a webhook or trigger, by the node's name. */
	urlOf: (node: string) => string;
}

/** Imports a template unchanged, fills it in and activates it. */
export async function publishTemplate(
	{ n8n, publish }: N8nWithEmulator,
	name: string,
	filling: Filling,
): Promise<Published> {
	const { workflow, pathOf } = fillTemplate(name, filling);
	const id = randomUUID().slice(0, 16);
	await publish(id, workflow);
	return { id, urlOf: (node) => `${n8n.url}/webhook/${pathOf(node)}` };
}
