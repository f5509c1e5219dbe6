// n8n's expressions are JavaScript that n8n rewrites, and some JavaScript does not outlive it. So each expression of each
// template is read by n8n itself, the oldest that is promised and the newest, as is the code of Code nodes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { Workflow } from 'n8n-workflow';
import { Workflow as OldestWorkflow } from 'n8n-workflow-oldest';

const FOLDER = join(__dirname, '../templates');

interface TemplateNode {
	name: string;
	type: string;
	parameters: Record<string, unknown>;
}

const templates = readdirSync(FOLDER)
	.filter((file) => file.endsWith('.json'))
	.map((file): [string, TemplateNode[]] => {
		const { nodes } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { nodes: TemplateNode[] };
		return [file, nodes];
	});

/** Every text within a value, however deep. */
function textsIn(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	if (typeof value !== 'object' || value === null) return [];
	return Object.values(value).flatMap(textsIn);
}

/** No node is looked for: an expression is read before it is known what is in it. */
const nobody = (): never => {
	throw new Error('There are no nodes here');
};
const nodeTypes = { getByName: nobody, getByNameAndVersion: nobody, getKnownTypes: nobody };
const position: [number, number] = [0, 0];
const node = { id: '1', name: 'A node', type: 'none', typeVersion: 1, position, parameters: {} };
const nothing = { nodes: [], connections: {}, active: false, nodeTypes };
const newest = new Workflow(nothing).expression;
const oldest = new OldestWorkflow(nothing).expression;

/** What n8n says of an expression’s syntax. What it lacks when it is run, such as items, does not count. */
function problemOf(expression: string): string | undefined {
	for (const reader of [newest, oldest]) {
		try {
			reader.getSimpleParameterValue(node, expression, 'manual', {});
		} catch (error) {
			if (/invalid syntax/.test(String(error))) return `${expression}: ${String(error)}`;
		}
	}
	// n8n takes brackets that nobody closes for a text up to the end.
	const opened = expression.split('{{').length - expression.split('}}').length;
	return opened > 0 ? `${expression}: {{ is not closed` : undefined;
}

/** Wrapped as n8n runs it, in which `return` and `await` are allowed. */
function problemOfCode(code: string): string | undefined {
	try {
		new Script(`(async () => {${code}\n})`);
		return undefined;
	} catch (error) {
		return String(error);
	}
}

describe('what n8n refuses is found', () => {
	test.each([
		'={{ $json.text( }}',
		'={{ (() => { const x = ; })() }}',
		'={{ }}',
		'=before {{ $json.a }} and {{ const x = 1 }}',
		// n8n rewrites what stands beside one of its own methods, and loses the brackets.
		'={{ $json.x?.first() ?? ($json.a && $json.b) }}',
		'={{ $json.text',
	])('%s', (expression) => {
		expect(problemOf(expression)).toBeDefined();
	});

	test.each(["={{ $('Not there').first().json.a ?? 1 }}", '={{ $json.a.b.c }}', '=a {{ "b" }} c', '=plain'])(
		'but not in %s',
		(expression) => {
			expect(problemOf(expression)).toBeUndefined();
		},
	);

	test('in code, too', () => {
		expect(problemOfCode('return await one(')).toBeDefined();
		expect(problemOfCode('return await one();')).toBeUndefined();
	});
});

test.each(templates)('the expressions of %s are ones that n8n can read', (_, nodes) => {
	const expressions = nodes
		.flatMap(({ parameters }) => textsIn(parameters))
		.filter((one) => one.startsWith('='));
	expect(expressions.map(problemOf).filter((problem) => problem !== undefined)).toEqual([]);
});

test.each(templates)('the code of %s is JavaScript', (_, nodes) => {
	const code = nodes
		.filter(({ type }) => /\.(code|toolCode|function|functionItem)$/.test(type))
		.flatMap(({ parameters }) => [parameters.jsCode, parameters.functionCode])
		.filter((one) => typeof one === 'string');
	expect(code.map(problemOfCode).filter((problem) => problem !== undefined)).toEqual([]);
});
