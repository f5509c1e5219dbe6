import fc from 'fast-check';
import { nameInUrl, ownFileName, plainFileName, withExtension } from '../../../nodes/shared/fileName';

const separator = fc.constantFrom('/', '\\', '%2F', '%2f', '%5C', '%5c', '%252F', '%25255c');
const unseen = fc.constantFrom(
	'\ud83d',
	'\ude00',
	'\0',
	'\r\n',
	'\u2028',
	'\u202e',
	'\u2067',
	'\u061c',
	'\u200b',
	'\ufeff',
	'\x9f',
);
const piece = fc.oneof(fc.string({ unit: 'grapheme' }), separator, unseen, fc.constantFrom('.', '..', ' '));
const hostile = fc.array(piece).map((pieces) => pieces.join(''));

test('no name leads anywhere, or has a sign that nobody sees', () => {
	fc.assert(
		fc.property(hostile, (text) => {
			const names = [
				plainFileName(text),
				nameInUrl(`https://example.com/${encodeURIComponent(text.toWellFormed())}`),
			];
			for (const name of [...names, ownFileName(text, { contentType: 'image/png', fileExtension: text })]) {
				expect(name).not.toMatch(/[/\\\p{Cc}\u2028\u202e\u2067\u061c\u200b\ufeff]|%(25)*(2f|5c)/iu);
				expect(name).toBe(name.trim());
				expect(name.isWellFormed()).toBe(true);
				expect(name).not.toMatch(/\.$/);
			}
		}),
	);
});

test('a name with an extension stays the same, and is read from any folder', () => {
	// Without what is another sign, or none, in a file’s name.
	const stem = fc
		.string({ unit: 'grapheme', minLength: 1 })
		.map((text) => `x${text.replace(/[/\\%\p{C}]/gu, '')}x`);
	fc.assert(
		fc.property(stem, separator, fc.constantFrom('jpg', 'PDF', 'xlsx'), (text, slash, extension) => {
			const name = `${text}.${extension}`;
			fc.pre(name === plainFileName(name));
			const kind = { contentType: 'application/pdf', fileExtension: extension };
			expect(withExtension(name, kind)).toBe(name);
			expect(ownFileName(`chats${slash}42${slash}${name}`, kind)).toBe(name);
			const url = `https://example.com/chats${encodeURIComponent(slash)}${encodeURIComponent(name)}?a=b/c.png`;
			expect(nameInUrl(url)).toBe(name);
		}),
	);
});

test.each(['.', ' ', '/', '%', '%25', '25', '%2F', 'a.', '../', '\u202e'])(
	'the name of a million times %j takes no time',
	(piece) => {
		const startedAt = process.cpuUsage();
		for (const text of [piece, `%${piece}`].map((one) => one + piece.repeat(1_000_000 / piece.length))) {
			for (const name of [text, `${text}x`, `${text}.pdf`]) {
				plainFileName(name);
				nameInUrl(`https://example.com/${name}`);
				withExtension(plainFileName(name), { contentType: 'image/png', fileExtension: name });
				ownFileName(name, { contentType: 'image/png', fileExtension: name });
			}
		}
		expect(process.cpuUsage(startedAt).user / 1000).toBeLessThan(10_000);
	},
);

test.each([
	['photo.jfif', 'image/jpeg'],
	['clip.M4V', 'video/mp4'],
	['book.m4b', 'audio/mp4'],
	['letter.dot', 'application/msword'],
	['slides.pps', 'application/vnd.ms-powerpoint'],
	['IMG_2024.HEIC', 'image/heic'],
	['report.final.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
])('the name %j of a file of %s has its extension already', (name, contentType) => {
	expect(ownFileName(name, { contentType })).toBe(name);
	expect(withExtension(name, { contentType })).toBe(name);
});

test('a name that is nothing but an extension gets no second one', () => {
	const kind = { contentType: 'text/plain', fileExtension: 'htaccess' };
	expect([ownFileName('.htaccess', kind), withExtension('.htaccess', kind)]).toEqual([
		'.htaccess',
		'.htaccess',
	]);
});
