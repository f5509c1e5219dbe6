// docs/service-facts.md and the code name each other: every citation leads to a fact, and every fact is relied on.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const PAGE = 'docs/service-facts.md';
/** The files that people write. The changelog describes the past, and lock files are made by npm. */
const IS_SOURCE = /^(?!(.*\/)?(CHANGELOG\.md|package-lock\.json)$).*\.([cm]?[jt]s|ya?ml|md|json|css|html)$/;
const CITATION = /service-facts\.md#([\w-]+)/g;
/** Papers that this repository does not hold. Such a citation may go on in the next line of a comment. */
const PAPER = /\bshared[\s*/#]+reference\b|\bseed[\s*/#]+00|[^-]\bissue[\s*/#]+\d/g;

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const page = read(PAGE);

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string) =>
	heading
		.toLowerCase()
		.replace(/[^\p{L}\p{N}\s_-]/gu, '')
		.replaceAll(' ', '-');

/** The headings of the page: how deep each is, its anchor, and what stands below it. */
const sections = page
	.split(/^(?=#{1,6} )/m)
	.flatMap((section) => [...section.matchAll(/^(#{1,6}) (.+)\n([^]*)/g)])
	.map(([, marks = '', heading = '', text = '']) => ({
		depth: marks.length,
		anchor: anchorOf(heading.trim()),
		text,
	}));
const facts = sections.filter(({ depth }) => depth === 3);
const anchors = facts.map(({ anchor }) => anchor);

const sources = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
	.split('\0')
	.filter((path) => IS_SOURCE.test(path) && existsSync(join(root, path)))
	.map((path) => ({ path, text: read(path) }));

/** All that a pattern finds in the files, each as `path:line: found`. */
const found = (pattern: RegExp, files = sources) =>
	files.flatMap(({ path, text }) =>
		[...text.matchAll(pattern)].map((match) => ({
			where: `${path}:${text.slice(0, match.index).split('\n').length}: ${match[0].trim()}`,
			anchor: match[1] ?? '',
		})),
	);
const citations = found(
	CITATION,
	sources.filter(({ path }) => path !== PAGE),
);

test('every citation leads to a fact', () => {
	const lost = citations.filter(({ anchor }) => !anchors.includes(anchor));
	expect(lost.map(({ where }) => where)).toEqual([]);
});

test('every fact is cited', () => {
	const cited = new Set(citations.map(({ anchor }) => anchor));
	expect(anchors.filter((anchor) => !cited.has(anchor))).toEqual([]);
});

test('no anchor is there twice', () => {
	const all = sections.map(({ anchor }) => anchor);
	expect(all.filter((anchor, index) => all.indexOf(anchor) !== index)).toEqual([]);
});

test('no citation names a paper that the repository does not hold', () => {
	expect(found(PAPER).map(({ where }) => where)).toEqual([]);
});

test('every fact says how it is known and where from', () => {
	const says = /^\nKnown: (documented|seen in public code|inferred)\b.*\n(.+\n)*Source: \S/;
	expect(facts.filter(({ text }) => !says.test(text)).map(({ anchor }) => anchor)).toEqual([]);
});

test('links within the page lead to a section', () => {
	const links = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor = '']) => anchor);
	const all = sections.map(({ anchor }) => anchor);
	expect(links.filter((anchor) => !all.includes(anchor))).toEqual([]);
});
