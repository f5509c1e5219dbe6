// The README is what people meet first: short, honest about what was tried, with the sections that n8n asks a community node for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../../package.json';
import installations from '../../tools/n8n/installations.json';

const README = readFileSync(join(__dirname, '../../README.md'), 'utf8');
const MAX_WORDS = 900;
/** The sections that n8n's starter for community nodes has. */
const SECTIONS = [
	'Installation',
	'Operations',
	'Credentials',
	'Compatibility',
	'Usage',
	'Resources',
	'Version history',
];

/** Counts words as `wc -w` does: by the white space between them. */
const countWords = (text: string) => text.split(/\s+/).filter((word) => word !== '').length;

test('the README has fewer than 900 words', () => {
	expect(countWords(README)).toBeLessThan(MAX_WORDS);
});

test('words are counted as wc -w does', () => {
	expect(countWords('# A `b c`\n\n| d | – |\t[e f](g.md)\n')).toBe(11);
});

test('the README has the sections of a community node, in their order', () => {
	const headings = [...README.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
	expect(headings.filter((heading) => SECTIONS.includes(heading))).toEqual(SECTIONS);
});

test('the top of the README says what it was tested against, and that no live tenant was reached', () => {
	const [top = ''] = README.split(/^## /m);
	const [, tested = ''] = top.match(/\*\*Tested against:\*\*(.+)/) ?? [];
	expect((tested.match(/\d+\.\d+\.\d+/g) ?? []).sort()).toEqual(Object.keys(installations).sort());
	expect(top.replaceAll(/\s+/g, ' ')).toContain('No live Dynamics 365 or Azure tenant was reached.');
	expect(top).toContain('(docs/service-facts.md)');
});

test.each(['npm run demo', 'npm test'])('the README tells of the command %s, and it is there', (command) => {
	expect(README).toMatch(new RegExp(`^${command}\\b`, 'm'));
	expect(Object.keys(manifest.scripts)).toContain(command.split(' ').at(-1));
});
