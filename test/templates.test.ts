// How the templates look, and what holds for each of them whatever it does. How they work is played in test/e2e/templates.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../templates');
const NOTE = 'n8n-nodes-base.stickyNote';
/** n8n draws a node as a square of this size; its name stands below. */
const NODE_SIZE = 100;

interface TemplateNode {
	name: string;
	type: string;
	position: [number, number];
	parameters: Record<string, unknown> & {
		content?: string;
		width?: number;
		height?: number;
		color?: number;
		options?: { response?: { response?: { responseFormat?: string } } };
	};
}

interface Template {
	nodes: TemplateNode[];
	connections: Record<string, Record<string, Array<Array<{ node: string }> | null>>>;
	pinData?: Record<string, unknown[]>;
}

interface Box {
	left: number;
	top: number;
	right: number;
	bottom: number;
}

const names = readdirSync(FOLDER)
	.filter((file) => file.endsWith('.json'))
	.map((file) => file.slice(0, -'.json'.length));

const templateOf = (name: string) =>
	JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Template;

function boxOf({ position: [left, top], parameters, type }: TemplateNode): Box {
	const [width, height] =
		type === NOTE ? [parameters.width ?? 0, parameters.height ?? 0] : [NODE_SIZE, NODE_SIZE];
	return { left, top, right: left + width, bottom: top + height };
}

const overlap = (a: Box, b: Box) =>
	a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const isWithin = (a: Box, b: Box) =>
	a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;

const pairs = <T>(all: readonly T[]): Array<[T, T]> =>
	all.flatMap((one, index) => all.slice(index + 1).map((other): [T, T] => [one, other]));

describe.each(names)('the template %s', (name) => {
	const { nodes, connections, pinData = {} } = templateOf(name);
	const notes = nodes.filter(({ type }) => type === NOTE);
	const steps = nodes.filter(({ type }) => type !== NOTE);
	const isEntry = ({ type }: TemplateNode) => /Trigger$|\.webhook$/.test(type);

	test('has at most twenty nodes', () => {
		expect(steps.length).toBeLessThanOrEqual(20);
	});

	test('begins with a yellow note: who it is for, how it works, how to set it up, what it needs', () => {
		const [first] = nodes;
		expect(first).toMatchObject({ type: NOTE, parameters: { color: 1 } });
		const content = first?.parameters.content ?? '';
		expect(content.match(/\*\*(For|How it works|Set up|Needs)\b/g)).toHaveLength(4);
		expect(content).toMatch(/^1\. /m);
		expect(Math.min(...nodes.map(({ position }) => position[0]))).toBe(first?.position[0]);
	});

	test('has notes of three colours at most, and each node but a lone one within one of them', () => {
		expect(new Set(notes.map(({ parameters }) => parameters.color)).size).toBeLessThanOrEqual(3);
		if (steps.length < 4) return;
		const alone = steps.filter(
			(step) => notes.filter((note) => isWithin(boxOf(step), boxOf(note))).length !== 1,
		);
		expect(alone.map((step) => step.name)).toEqual([]);
	});

	test('has nothing on top of something else', () => {
		const touching = [...pairs(steps), ...pairs(notes)].filter(([a, b]) => overlap(boxOf(a), boxOf(b)));
		expect(touching.map(([a, b]) => `${a.name} / ${b.name}`)).toEqual([]);
	});

	test('names its nodes in words, each name once', () => {
		const said = steps.map((step) => step.name);
		expect(said.filter((one) => one !== 'Settings' && !/^[A-Z][^ ]* .+/.test(one))).toEqual([]);
		expect(new Set(nodes.map((node) => node.name)).size).toBe(nodes.length);
	});

	test('connects and refers to nodes that are there', () => {
		const known = new Set(nodes.map((node) => node.name));
		const connected = Object.entries(connections).flatMap(([from, outputs]) => [
			from,
			...Object.values(outputs).flatMap((ports) =>
				ports.flatMap((port) => port ?? []).map(({ node }) => node),
			),
		]);
		const referred = [...JSON.stringify(steps).matchAll(/\$\('([^']+)'\)/g)].map(([, node = '']) => node);
		expect([...connected, ...referred].filter((one) => !known.has(one))).toEqual([]);
	});

	test('has sample data pinned to what starts it', () => {
		const entries = steps.filter(
			(step) => isEntry(step) && !/manualTrigger|scheduleTrigger|executeWorkflowTrigger/.test(step.type),
		);
		expect(entries.filter((entry) => !pinData[entry.name]).map((entry) => entry.name)).toEqual([]);
		expect(Object.keys(pinData).filter((one) => !steps.some((step) => step.name === one))).toEqual([]);
	});

	test('takes no list of what was seen for a lock, and reads answers as text', () => {
		expect(steps.filter(({ type }) => type === 'n8n-nodes-base.removeDuplicates')).toEqual([]);
		const asking = steps.filter(({ type }) => type === 'n8n-nodes-base.httpRequest');
		const guessing = asking.filter(
			(step) => step.parameters.options?.response?.response?.responseFormat !== 'text',
		);
		expect(guessing.map((step) => step.name)).toEqual([]);
	});

	test('has a page that the README lists', () => {
		const page = [name, ...names.filter((other) => name.startsWith(`${other}-`))].find((one) =>
			existsSync(join(FOLDER, `${one}.md`)),
		);
		expect(page).toBeDefined();
		expect(readFileSync(join(FOLDER, '../README.md'), 'utf8')).toContain(`templates/${page}.md`);
		expect(readFileSync(join(FOLDER, `${page}.md`), 'utf8')).toContain(`${name}.json`);
	});
});
