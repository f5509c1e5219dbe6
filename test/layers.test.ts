import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const root = dirname(__dirname);

/** The rows of the picture in docs/architecture.md, the lowest first. */
function rowsOfPicture(): string[][] {
	const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
	const [, picture = ''] =
		/## The layers[^`]*```text\n(.*?)```/s.exec(text.replace(/`(?!``)[^`\n]+`/g, '')) ?? [];
	const rows = picture
		.split('\n')
		.filter((line) => line.startsWith('│'))
		.map((line) =>
			line
				.split('│')
				.map((cell) => cell.replace('(types only)', '').trim())
				.filter((cell) => cell !== ''),
		);
	return rows.reverse();
}

/** The name that a file has in the picture. */
function layerOf(file: string): string {
	if (file.startsWith('credentials/')) return 'credentials';
	if (file.startsWith('emulator/')) return 'emulator/*/contract';
	const [, top = '', name = '', below] = file.split('/');
	if (below !== undefined) return `${top}/${name}`;
	if (name.endsWith('.node.ts')) return `${top}/*.node.ts`;
	return top === 'shared' ? 'shared/*.ts' : `${top}/${name}`;
}

function sources(folder: string): string[] {
	return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.ts'))
		.map((file) => `${folder}/${file}`);
}

/** The file that an import leads to. */
function resolved(from: string, to: string): string {
	const target = normalize(join(dirname(from), to));
	const files = [`${target}.ts`, `${target}.d.ts`, `${target}/index.ts`];
	return files.find((file) => existsSync(join(root, file))) ?? target;
}

/** The imports from one layer of the package to another, with a file that has each. */
function importsBetweenLayers(): Array<{ from: string; to: string; file: string }> {
	return [...sources('nodes'), ...sources('credentials')].flatMap((file) => {
		const text = readFileSync(join(root, file), 'utf8');
		const imports = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, to = '']) => resolved(file, to));
		return imports
			.map((to) => ({ from: layerOf(file), to: layerOf(to), file: relative(root, join(root, file)) }))
			.filter(({ from, to }) => from !== to);
	});
}

const rows = rowsOfPicture();
const rowOf = (layer: string) => rows.findIndex((row) => row.includes(layer));

test('the picture has every folder, and none that is not there', () => {
	const layers = new Set([...sources('nodes'), ...sources('credentials')].map(layerOf));
	expect(
		rows
			.flat()
			.filter((layer) => layer !== 'emulator/*/contract')
			.sort(),
	).toEqual([...layers].sort());
});

test('every import goes down in the picture', () => {
	const others = importsBetweenLayers().filter(({ from, to }) => rowOf(to) < 0 || rowOf(to) >= rowOf(from));
	expect(others).toEqual([]);
});
