import * as fc from 'fast-check';
import { plainTextOf } from '../../../nodes/Dynamics365Messaging/activity/plainText';

test.each([
	['hello', 'hello'],
	['**Hello** _Kim_, ~~this~~ `that`', 'Hello Kim, this that'],
	['one<br>two<br/>three<BR />four', 'one\ntwo\nthree\nfour'],
	['one\ntwo', 'one\ntwo'],
	['# Title\n\nText', 'Title\n\nText'],
	['a snake_case_name and 2 * 3 * 4', 'a snake_case_name and 2 * 3 * 4'],
	['[our page](https://example.com/a_b)', 'our page (https://example.com/a_b)'],
	['https://example.com/a_b_c', 'https://example.com/a_b_c'],
	['<https://example.com>', 'https://example.com'],
	['kim@example.com', 'kim@example.com'],
	['![a chart](https://example.com/x.png)', 'a chart (https://example.com/x.png)'],
	['[Pay](https://pay.example.com "until 3 May")', 'Pay (https://pay.example.com) until 3 May'],
	['[Pay](https://pay.example.com (Pay))', 'Pay (https://pay.example.com)'],
	['![a chart](data:image/png;base64,iVBORw0KGgo=)', 'a chart'],
	['- one\n- two\n  - three', '- one\n- two\n  - three'],
	['3. three\n4. four', '3. three\n4. four'],
	['> quoted\n> twice', 'quoted\ntwice'],
	['```\nlet a_b = 1;\n```', 'let a_b = 1;'],
	['a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39;', 'a & b <c> "d" \'e\''],
	['\\*not bold\\*', '*not bold*'],
	['| a | b |\n| - | - |\n| 1 | 2 |', 'a | b\n1 | 2'],
	['1 < 2 and <b>bold</b>', '1 < 2 and <b>bold</b>'],
	['one\n\n---\n\ntwo', 'one\n\ntwo'],
	['  ', ''],
	['', ''],
])('%j is %j', (markdown, plain) => expect(plainTextOf(markdown)).toBe(plain));

test('a text that is longer than any message is not read as Markdown, but its line breaks are', () => {
	const long = `**a**<br>${'x'.repeat(60_000)}`;
	expect(plainTextOf(long)).toBe(long.replace('<br>', '\n'));
});

/** What people write and Markdown takes for a list, with the markers that they wrote. */
test.each([
	'Free on:\n\n3. Dezember\n\n24. Dezember',
	'0. nothing\n1. one\n7. seven',
	'1) one\n2) two',
	'1986.\n1987.',
	'+ 33 6 12 34 56 78\n+ 49 30 901820',
	'* one\n* two\n\n+ three',
	'- [ ] open\n- [x] done\n  - [X] done too',
	'1. one\n   - two\n\n     more of two\n2. three',
	'- - - a\n-\n- b',
	'Menu:\n- soup\n- fish',
	'-5 degrees\n+4930123\n#5 is yours\n12345678901. is long',
])('%j stays as it is written', (text) => expect(plainTextOf(text)).toBe(text));

/** Signs that are no marks. */
test.each([
	'2*3*4 = 24 and 5~6~7',
	'5 * 3 * 2, ~5 to ~6, ~5-~6',
	'https://example.com/a*b*c?x=_y_&z=~1~',
	'www.example.com/_a_/*b*',
	'_kim_@example.com',
	'[x] and [^1] and [a](b',
	'a\n-\nb',
	'<a href="x_y_z*a*">_</a> <!-- *a* -->',
	'👍 👨‍👩‍👧 🇩🇪 ✌🏽',
	'__init__.py and file _a_b_.txt or *a_b_.xlsx',
	'>5 kg\n>= 7 kg\n>_< >.<',
	'Liebe*r Kund*in, Kolleg*innen und слово*слово*слово',
	'a = 5*x*6 + (b+c)*d*(e+f) - 10%*g*$2, H~2~O',
	'^_^ (^_^) -_- ._. and ^*^ ^*^',
	'*️⃣5*️⃣ #️⃣',
	'sftp://example.com/_a_ ws://a/*b*c file:///C:/_b_/*c* msteams://x/_b_/',
	'contoso.com/_a_/b, sub.contoso.co.uk:8080/*a*b and 10.0.0.1/_a_/b',
	'https://example.com/?a[b]=_c_&d[]=*e*f',
	'C:\\new\\_temp_\\(1)\\*.txt and \\\\server\\_share_\\a',
])('%j has no marks', (text) => expect(plainTextOf(text)).toBe(text));

test.each([
	['- **bold** one\n- [x] _done_', '- bold one\n- [x] done'],
	['***both*** **bold _nested_** *a **b** c*', 'both bold nested a b c'],
	['**across\nlines**', 'across\nlines'],
	['- across **two\n  lines** of an item', '- across two\n  lines of an item'],
	['> - a\n>   b\n> > c', '- a\n  b\nc'],
	['# Title #\nText of C#', 'Title\n\nText of C#'],
	['Title\n=====\nText', 'Title\n\nText'],
	['1. code:\n   ```js\n   let *a*;\n   ```\n2. end', '1. code:\n   let *a*;\n2. end'],
	['```Order 4711\n*a*\n```', 'Order 4711\n*a*'],
	['```Thanks\nKim\n```\n\n~~~JSON\n{}\n~~~\n\n```C++\nx\n```', 'Thanks\nKim\n\n{}\n\nx'],
	['- # *a* #\n- #\n- b', '- a\n\n- #\n\n- b'],
	['| a \\| b | **c** |\n|---|:-:|\n| 1 | 2 | 3 |', 'a | b | c\n1 | 2 | 3'],
	['a  \nb\\\nc\r\nd', 'a\nb\nc\nd'],
	['use `<br>` here<br>there', 'use <br> here\nthere'],
	['👍 *👍* **5**€', '👍 👍 5€'],
	['*kursiv*es **Kolleg*in** halb*fett* Wort**teil**e', 'kursives Kolleg*in halbfett Wortteile'],
	['这是*重要*的 **重**要 ("*a*") _^_', '这是重要的 重要 ("a") ^'],
	['*️⃣ *a* **b*️⃣**', '*️⃣ a b*️⃣'],
	['<div>\n**a** &amp; b\n</div>\n\n**c**', '<div>\n**a** & b\n</div>\n\nc'],
])('the marks of %j go', (markdown, plain) => expect(plainTextOf(markdown)).toBe(plain));

test.each([
	['[Pay](https://pay.example.com/?id=1&amp;sig=ab)', 'Pay (https://pay.example.com/?id=1&sig=ab)'],
	['https://example.com/?a=1&amp;b=2', 'https://example.com/?a=1&b=2'],
	['<https://example.com/?a=1&amp;b=2>', 'https://example.com/?a=1&b=2'],
	['[https://x.example/?a&amp;b](https://x.example/?a&amp;b)', 'https://x.example/?a&b'],
	['https://example.com/?a=1&copy=2', 'https://example.com/?a=1&copy=2'],
	['www.contoso.com', 'www.contoso.com'],
	['[www.contoso.com](https://www.contoso.com/)', 'https://www.contoso.com/'],
	['**https://example.com/a_b**, _www.example.com_', 'https://example.com/a_b, www.example.com'],
	['[**https://example.com/a_b**](https://example.com/a_b)', 'https://example.com/a_b'],
	[
		'[_www.example.com_, **sftp://a.example**][1] _b_\n\n[1]: https://c.example',
		'www.example.com, sftp://a.example (https://c.example) b',
	],
	['(C:\\\\a\\\\\\_b) \\\\\\\\c\\\\d *e*', '(C:\\a\\_b) \\\\c\\d e'],
	['[kim@example.com](mailto:kim@example.com)', 'kim@example.com'],
	['[Write](mailto:kim@example.com) <mailto:jo@example.com>', 'Write (kim@example.com) jo@example.com'],
	['[Tom &amp; Jo](<https://example.com/a b> "Title")', 'Tom & Jo (https://example.com/a b) Title'],
	['[a *b*][1], [2][]\n\n[1]: https://a.example/?x&amp;y', 'a b (https://a.example/?x&y), [2][]'],
	['[Pay][1]\n\n[1]: https://a.example "Invoice 4711 &amp; 12"', 'Pay (https://a.example) Invoice 4711 & 12'],
	["[Pay]\n\n[pay]: <https://a.example> 'Pay'\n[pay]: https://a.example", 'Pay (https://a.example)'],
	['[Pay](https://a.example/5 "5")', 'Pay (https://a.example/5) 5'],
	['[Contoso.com](https://www.contoso.com/)', 'https://www.contoso.com/'],
	['[https://a.example/Größe](https://a.example/Gr%C3%B6%C3%9Fe)', 'https://a.example/Gr%C3%B6%C3%9Fe'],
	['[https://a.example/%ff](https://b.example/%ff)', 'https://a.example/%ff (https://b.example/%ff)'],
	['[+49 (30) 12-3](tel:+4930123) [Call](tel:+4930123)', '+49 (30) 12-3 Call (tel:+4930123)'],
	['[2] and [2][]\n\n[2]: <https://b.example>', '2 (https://b.example) and 2 (https://b.example)'],
	[
		'[![alt](https://a.example/x.png)](https://b.example)',
		'alt (https://a.example/x.png) (https://b.example)',
	],
	['![](https://a.example/x.png)', 'https://a.example/x.png'],
	['[text]()', 'text'],
	['&euro;&nbsp;5 &ouml;&#8364;&#x20AC;&#128077;', '€ 5 ö€€👍'],
	['&amp;lt; &amp;amp; &unknown; &copy 2', '&lt; &amp; &unknown; &copy 2'],
	['&#42;a&#42; 3&#46; b', '*a* 3. b'],
	[
		'<a href="https://a.example/?b=1&amp;_c_=2">&auml; *d*</a>',
		'<a href="https://a.example/?b=1&_c_=2">ä d</a>',
	],
	['`&amp;` `` a`b &lt; ``', '&amp; a`b &lt;'],
	['```\n&amp;\n```\n\n    &lt;', '&amp;\n\n&lt;'],
])('the links and references of %j are %j', (markdown, plain) => expect(plainTextOf(markdown)).toBe(plain));

test.each([
	...['#', '##', '>', '---', '***', '___', '[]()', '```\n```', '[1]: https://example.com', '* * *'],
	...['<br>', '<br/> <BR>', '&#8203;', '&shy;&nbsp;', '# &zwnj;', '- #', '> &#xFEFF;', '[](<>)'],
])('%j is left where nothing else would be', (text) => {
	expect(plainTextOf(text)).toBe(text);
	expect(plainTextOf(` ${text}\n`)).toBe(text);
});

test('a target is not put behind so many links that the text becomes far longer', () => {
	const definition = `[a]: https://a.example/${'x'.repeat(4_000)} "${'y'.repeat(2_000)}"`;
	const text = plainTextOf(`${'[a] '.repeat(900)}\n\n${definition}`);
	expect(text).toContain(`a (https://a.example/${'x'.repeat(4_000)}) ${'y'.repeat(2_000)} a (`);
	expect(text.length).toBeLessThan(40_000);
});

test('an address that no link uses stays, and so does a sign that heads nothing', () => {
	const text = 'Press\n\n#\n\nnow\n\n[1]: https://example.com/unused';
	expect(plainTextOf(text)).toBe(text);
});

test.each(['plain', 'Plain', 'PLAIN', ' plain '])('with the format %j nothing is Markdown', (format) => {
	for (const text of ['Dial *123*45#', '2*3*4 = 24, file _a_b_.txt', '# a<br>b &amp; ', '---', ''])
		expect(plainTextOf(text, format)).toBe(text);
});

test.each(['markdown', 'xml', '', null])('with the format %j the text is Markdown', (format) =>
	expect(plainTextOf('**a**', format)).toBe('a'),
);

/** A part of a Markdown text, and the words and addresses of it that must be seen, in their order. */
interface Part {
	markdown: string;
	words: string[];
}

const WORD = fc.oneof(
	fc.constantFrom(
		'Ünï',
		'Straße',
		'日本語',
		'٣٤',
		'3',
		'007',
		'a1b2',
		'x_y_z',
		'24.12.2026',
		'C3PO',
		'👍',
		'*️⃣',
		'a_.txt',
	),
	fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/),
);
const HOSTS = ['https://example.com/', 'http://a_b.example.com/x_y_/', 'https://example.com/~kim/*a*/'];
const ADDRESS = fc
	.tuple(fc.constantFrom(...HOSTS), fc.stringMatching(/^[a-z0-9_]{0,8}$/))
	.map(([host, path]) => `${host}${path}x`);
const part = (markdown: string, ...words: string[]): Part => ({ markdown, words });
const joined = (parts: Part[], separator: string): Part => ({
	markdown: parts.map(({ markdown }) => markdown).join(separator),
	words: parts.flatMap(({ words }) => words),
});
const between = (before: string, { markdown, words }: Part, after = before): Part => ({
	markdown: before + markdown + after,
	words,
});
const LEAF = fc.oneof(
	WORD.map((word) => part(word, word)),
	WORD.map((word) => part(`\`${word}\``, word)),
	ADDRESS.map((address) => part(address, address)),
	ADDRESS.map((address) => part(`<${address}>`, address)),
	WORD.map((word) => part(`&lt;${word}&gt;`, word)),
	WORD.map((word) => part(`\\*${word}\\*`, word)),
	fc.tuple(WORD, ADDRESS).map(([word, address]) => part(`[**${word}**](${address} "")`, word, address)),
);
const INLINE: fc.Arbitrary<Part> = fc.letrec<{ inline: Part; line: Part }>((tie) => ({
	inline: fc.oneof(
		{ maxDepth: 4 },
		LEAF,
		LEAF.map((inner) => between('~~', inner)),
		fc
			.tuple(fc.constantFrom('**', '*', '_', '__', '***', '"'), tie('line'))
			.map(([mark, inner]) => between(mark, inner)),
	),
	line: fc.array(tie('inline'), { minLength: 1, maxLength: 3 }).map((parts) => joined(parts, ' ')),
})).line;
const MARKERS = ['- ', '* ', '+ ', '3. ', '0. ', '24) ', '- [ ] ', '> ', '> > ', '# ', '### ', '1. - ', ''];
const LINE = fc
	.tuple(fc.constantFrom(...MARKERS), INLINE)
	.map(([marker, { markdown, words }]) => part(marker + markdown, ...(/\d+/.exec(marker) ?? []), ...words));
const BLOCK = fc.oneof(
	fc.array(LINE, { minLength: 1, maxLength: 4 }).map((lines) => joined(lines, '\n')),
	WORD.map((word) => part(`\`\`\`js\n**${word}**\n\`\`\``, word)),
	fc.array(INLINE, { minLength: 2, maxLength: 2 }).map((cells) => {
		const { markdown, words } = joined(cells, ' | ');
		return part(`| ${markdown} |\n| --- | --- |\n| ${markdown} |`, ...words, ...words);
	}),
	INLINE.map((inner) => between('', inner, '\n---')),
);
const TEXT = fc
	.tuple(fc.array(BLOCK, { minLength: 1, maxLength: 4 }), fc.constantFrom('\n\n', '<br><br>', '\r\n\r\n'))
	.map(([blocks, separator]) => joined(blocks, separator));

test('no digit, letter or address is changed or lost, whatever Markdown it is in', () => {
	fc.assert(
		fc.property(TEXT, ({ markdown, words }) => {
			let left = plainTextOf(markdown);
			const others: string[] = [];
			for (const word of words) {
				const at = left.indexOf(word);
				if (at < 0) throw new Error(`${word} is lost of ${JSON.stringify(markdown)}`);
				others.push(left.slice(0, at));
				left = left.slice(at + word.length);
			}
			expect([...others, left].join('')).not.toMatch(/[\p{L}\p{N}]/u);
		}),
		{ numRuns: 2_000 },
	);
});

test('no digit or letter is lost of any text of signs, whether they are marks or not', () => {
	const signs = fc.constantFrom(...'ab12 \n\t*_~#>-+.)(|\\!=üß日👍', '  ', '**', '1. ', '- ', '`a`', '\n\n');
	const seen = (text: string) => text.match(/[\p{L}\p{N}]|\p{Extended_Pictographic}/gu)?.join('') ?? '';
	fc.assert(
		fc.property(fc.array(signs, { maxLength: 40 }), (parts) => {
			const text = parts.join('');
			expect(seen(plainTextOf(text))).toBe(seen(text));
		}),
		{ numRuns: 5_000 },
	);
});

test('no word is lost of any text, and no text becomes empty, whatever signs stand between', () => {
	const sign = fc.constantFrom(
		...'*_~`#>-+.)(|\\!="\'[]<>&:;/@ \n\t^{}',
		...[
			'](',
			'](',
			'][',
			'\n\n',
			'\n    ',
			'<br>',
			'```',
			'~~~',
			'&lt;',
			'&#42;',
			'https://',
			'www.',
			'C:\\',
			'.de/',
		],
		...['\n---\n', '|-|-|\n', '<!--', '-->', '<a b="', 'mailto:', '<div>', '1. ', '- ', '> ', '# ', '&shy;'],
	);
	const parts = fc.array(fc.oneof(sign, fc.constant('')), { maxLength: 30 });
	fc.assert(
		fc.property(parts, (signs) => {
			const words = signs.map((one, at) => (one === '' ? `w${at}q` : one));
			const text = words.join('');
			// The label of a target that stands apart is not shown.
			fc.pre(!text.includes(']:'));
			const plain = plainTextOf(text);
			expect(words.filter((word) => /^w\d+q$/.test(word) && !plain.includes(word))).toEqual([]);
			expect(plain.trim() === '').toBe(text.trim() === '');
		}),
		{ numRuns: 10_000 },
	);
});

/** What is slow to read where a reader goes back: marks, brackets and quotes that open and do not close, and the like. */
const HOSTILE = [
	...'*_~`[]()<>&\\|#-=!@\n\r\t "\'',
	...[
		'__x*',
		'*a *',
		'_a',
		'a*',
		'![',
		'[a](',
		'[a](<',
		'[a]: b\n',
		'[a][b]',
		'<a b="',
		"<a b='",
		'<!--',
		'&amp;',
	],
	...[
		'> ',
		'- ',
		'1. ',
		'    ',
		'a|b\n-|-\n',
		'```',
		'\n```',
		'<br>',
		'www.',
		'a.',
		'a.aa/',
		'_a_.',
		'a://',
		'C:\\a',
		'\\\\a',
		'https://[',
		'https://x](',
		'a@',
		'<div>\n',
		'--\n',
	],
	...['aa ', '\n\n', '))))', '((((', '👍', 'ß'],
];

/** Milliseconds of the processor. */
function costOf(text: string): number {
	const start = process.cpuUsage();
	plainTextOf(text);
	const { user, system } = process.cpuUsage(start);
	return (user + system) / 1000;
}

test.each([
	['![', '](b)'],
	['![x ', '](b)'],
	['![*x* ', '](b)'],
	['![x ', '](tel:12)'],
	['![', '](data:x)'],
	['[![', '](b)](c)'],
])('what stands within each other by %j and %j is read once', (open, close) => {
	const depth = Math.floor(9_990 / (open.length + close.length));
	const text = `${open.repeat(depth)}a${close.repeat(depth)}`;
	expect(Math.min(...Array.from({ length: 5 }, () => costOf(text)))).toBeLessThan(30);
});

test('ten thousand hostile texts cost no more than 50 ms of the processor each', () => {
	const filled = (unit: string, length: number) =>
		unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
	const unit = fc
		.array(fc.constantFrom(...HOSTILE), { minLength: 1, maxLength: 4 })
		.map((parts) => parts.join(''));
	const text = fc
		.tuple(unit, unit, fc.constantFrom(0, 0, 100, 1_000, 5_000))
		.map(([first, second, length]) => filled(second, length) + filled(first, 10_000 - length));
	for (const one of HOSTILE) costOf(filled(one, 10_000));
	// The least of three, as a pause of the engine is not the text's fault.
	const isCheap = (one: string) => costOf(one) < 50 || costOf(one) < 50 || costOf(one) < 50;
	fc.assert(
		fc.property(text, (one) => isCheap(one)),
		{ numRuns: 10_000 },
	);
}, 300_000);
