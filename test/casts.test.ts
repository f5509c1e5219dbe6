import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const root = dirname(__dirname);

function sources(folder: string): string[] {
	return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.ts'))
		.map((file) => join(folder, file));
}

/** Finds the places of a file that override the compiler: casts, `any`, and `!`. */
function assertionsIn(file: string): { casts: string[]; others: string[] } {
	const source = ts.createSourceFile(
		file,
		readFileSync(join(root, file), 'utf8'),
		ts.ScriptTarget.ES2022,
		true,
	);
	const casts: string[] = [];
	const others: string[] = [];
	const visit = (node: ts.Node): void => {
		const place = () => `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
		if (ts.isAsExpression(node) && node.type.getText() !== 'const') casts.push(place());
		if (ts.isTypeAssertionExpression(node)) casts.push(place());
		if (ts.isNonNullExpression(node) || node.kind === ts.SyntaxKind.AnyKeyword) others.push(place());
		ts.forEachChild(node, visit);
	};
	visit(source);
	if (source.text.includes('eslint-disable')) others.push(file);
	return { casts, others };
}

const found = [...sources('nodes'), ...sources('credentials')].map(assertionsIn);

/** The allowed places: at n8n's interfaces, whose types are wider than their values. None must be added. */
const MAX_CASTS = 19;

test('there are no more casts than there were', () => {
	expect(found.flatMap(({ casts }) => casts).length).toBeLessThanOrEqual(MAX_CASTS);
});

test('there is no any, no ! and no eslint-disable', () => {
	expect(found.flatMap(({ others }) => others)).toEqual([]);
});
