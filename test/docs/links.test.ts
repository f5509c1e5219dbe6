// Every link of every page, and of every note in a template, leads to something that is there.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { marked, type Token, type Tokens } from 'marked';

const ROOT = dirname(dirname(__dirname));
const files = execFileSync('git', ['ls-files', '*.md', 'templates/*.json'], { cwd: ROOT, encoding: 'utf8' })
	.split('\n')
	.filter((file) => file !== '' && existsSync(join(ROOT, file)));

interface Page {
	/** The addresses of its links and pictures. */
	links: string[];
	/** The anchors of its headings. */
	anchors: string[];
}

/** How GitHub makes the anchor of a heading from its text. */
function anchorOf(heading: string): string {
	return heading
		.toLowerCase()
		.replaceAll(/<[^>]*>|[^\p{L}\p{N}\s_-]/gu, '')
		.replaceAll(/\s/g, '-');
}

const textOf = (tokens: Token[]): string =>
	tokens
		.map((token) =>
			'tokens' in token && token.tokens ? textOf(token.tokens) : 'text' in token ? String(token.text) : '',
		)
		.join('');

function read(markdown: string): Page {
	const page: Page = { links: [], anchors: [] };
	void marked.walkTokens(marked.lexer(markdown), (token) => {
		if (token.type === 'link' || token.type === 'image') page.links.push((token as Tokens.Link).href);
		if (token.type === 'heading') page.anchors.push(anchorOf(textOf((token as Tokens.Heading).tokens)));
	});
	return page;
}

/** The Markdown of a page, or of the notes of a template. */
function markdownOf(file: string): string {
	const content = readFileSync(join(ROOT, file), 'utf8');
	if (!file.endsWith('.json')) return content;
	const { nodes } = JSON.parse(content) as { nodes: Array<{ parameters: { content?: string } }> };
	return nodes.map(({ parameters }) => parameters.content ?? '').join('\n\n');
}

/** What is wrong with a link of a page; undefined where nothing is. */
function fault(file: string, link: string): string | undefined {
	if (/^(https?|mailto):/.test(link)) return URL.canParse(link) ? undefined : `${link} is no address`;
	const [path = '', anchor] = link.split('#');
	const target = path === '' ? file : normalize(join(dirname(file), decodeURIComponent(path)));
	if (!existsSync(join(ROOT, target))) return `${link}: there is no ${target}`;
	if (anchor === undefined || !target.endsWith('.md')) return undefined;
	return read(markdownOf(target)).anchors.includes(anchor)
		? undefined
		: `${link}: ${target} has no such heading`;
}

test.each(files)('the links of %s lead somewhere', (file) => {
	const faults = read(markdownOf(file)).links.map((link) => fault(file, link));
	expect(faults.filter((one) => one !== undefined)).toEqual([]);
});

test('the test itself finds links and headings', () => {
	expect(read('## A `b` c’s (d)\n\n[x](y.md#z) ![p](q.png)')).toEqual({
		links: ['y.md#z', 'q.png'],
		anchors: ['a-b-cs-d'],
	});
	expect(fault('README.md', 'docs/setup.md#nowhere')).toMatch(/no such heading/);
	expect(fault('README.md', 'docs/nothing.md')).toMatch(/there is no/);
});
