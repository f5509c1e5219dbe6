import fc from 'fast-check';
import { DateTime } from 'luxon';
import { readJson } from '../../../nodes/shared/action/fields/json';
import { InputError } from '../../../nodes/shared/transport/errors';
import { cut, tidy, wellFormed } from '../../../nodes/shared/text';
import { parametersOf } from '../../support/parameters';

const reader = (value: unknown) => parametersOf({ field: value }).parameters;
const text = (value: unknown) => reader(value).text('field', 'Field');
const id = (value: unknown) => reader(value).id('field', 'Field');
const name = (value: unknown) => reader(value).name('field', 'Field');
const flag = (value: unknown) => reader(value).flag('field', 'Field');

describe('a text', () => {
	test.each<[unknown, string]>([
		['Hello 😀'.slice(0, 7), 'Hello '],
		['😀'.slice(1), ''],
		['a\uDC00\uD83Db', 'ab'],
		['👩‍👧 Ü', '👩‍👧 Ü'],
		[new Date(Date.UTC(2026, 0, 31, 9)), '2026-01-31T09:00:00.000Z'],
		[DateTime.fromISO('2026-01-31T09:00:00+01:00', { setZone: true }), '2026-01-31T09:00:00.000+01:00'],
		[12n, '12'],
		[null, ''],
	])('%p is %j', (given, expected) => expect(text(given)).toBe(expected));

	test.each([[new Date(NaN)], [DateTime.invalid('x')], [{}], [[]]])('%p is none', (given) => {
		expect(() => text(given)).toThrow('Field must be a text');
	});

	test('never has half a character, however it is cut, and loses no whole one', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 20 }), (whole, length) => {
				expect(cut(whole, length).isWellFormed()).toBe(true);
				expect(whole.startsWith(cut(whole, length))).toBe(true);
				expect(wellFormed(whole.slice(0, length))).toBe(cut(whole, length));
				expect(wellFormed(whole)).toBe(whole);
			}),
		);
	});
});

test('a value of JSON has no half characters, in its texts and its keys', () => {
	const halves = { ['a\uD83D']: ['b\uDE00', { c: 'd\uD83D' }], whole: '😀' };
	const expected = { a: ['b', { c: 'd' }], whole: '😀' };
	expect(readJson(halves, 'Field')).toEqual(expected);
	expect(readJson(JSON.stringify(halves), 'Field')).toEqual(expected);
});

test('a value of JSON that an expression gives has dates as ISO 8601', () => {
	const when = DateTime.fromISO('2026-01-31T09:00:00+01:00', { setZone: true });
	expect(readJson({ when, list: [new Date(0)] }, 'Field')).toEqual({
		when: '2026-01-31T09:00:00.000+01:00',
		list: ['1970-01-01T00:00:00.000Z'],
	});
});

test('a value of JSON that is nested too deeply, or contains itself, is refused by the name of the field', () => {
	const text = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
	const itself: { inner: unknown[] } = { inner: [] };
	itself.inner.push(itself);
	for (const given of [text, JSON.parse(text) as unknown, itself])
		expect(() => readJson(given, 'Field')).toThrow('Field is nested too deeply');
	const deep = `${'['.repeat(60)}${']'.repeat(60)}`;
	expect(readJson(deep, 'Field')).toEqual(JSON.parse(deep));
});

test('a number in JSON is sent as it was typed, or refused by name, and an emoji comes back as it went', () => {
	const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?$/);
	/** The digits of a number and the power of ten of its last one. */
	const exact = (text: string) => {
		const [, sign, whole = '', fraction = '', exponent = '0'] =
			/^(-?)(\d+)\.?(\d*)(?:[eE](.+))?$/.exec(text) ?? [];
		const digits = (whole + fraction).replace(/^0+/, '');
		const short = digits.replace(/0+$/, '');
		if (short === '') return '0';
		return `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
	};
	fc.assert(
		fc.property(number, fc.string({ unit: 'grapheme' }), fc.nat({ max: 3 }), (typed, emoji, depth) => {
			const before = `${'[{"a":'.repeat(depth)}[${JSON.stringify(emoji)},`;
			const after = `]${'}]'.repeat(depth)}`;
			let sent: string;
			try {
				sent = JSON.stringify(readJson(before + typed + after, 'Field'));
			} catch (error) {
				expect(error).toMatchObject({ message: expect.stringContaining('Field has a number') as string });
				// What JavaScript holds is not refused.
				expect(/^-?\d{1,15}$/.test(typed)).toBe(false);
				return;
			}
			expect([sent.slice(0, before.length), sent.slice(-after.length)]).toEqual([before, after]);
			expect(exact(sent.slice(before.length, -after.length))).toBe(exact(typed));
		}),
		{ numRuns: 2_000 },
	);
});

describe('an ID', () => {
	test.each<[unknown, string]>([
		[42, '42'],
		[0, '0'],
		[12n, '12'],
		['NaN-42', 'NaN-42'],
		['nullable', 'nullable'],
		['\u202A+31\u00A06\u20111234\u202C', '+31 6-1234'],
		['\uFEFF jdoe\u200B ', 'jdoe'],
		['می\u200Cخواهم', 'می\u200Cخواهم'],
		['', ''],
		[undefined, ''],
	])('%p is %j', (given, expected) => expect(id(given)).toBe(expected));

	test.each([
		[NaN],
		[Infinity],
		[true],
		[false],
		['NaN'],
		[' undefined '],
		['null'],
		['-Infinity'],
		['[object Object]'],
		['[object Undefined]'],
		['Invalid DateTime'],
		[2 ** 53],
		['Hello 😀'.slice(0, 7)],
		[{}],
		[['a']],
	])('%p is none, and the error names the field', (given) => {
		expect(() => id(given)).toThrow(InputError);
		expect(() => id(given)).toThrow(/^Field /);
	});
});

test('a name is without what nobody sees, and stays what it is otherwise', () => {
	expect(name('\u2067 Anna\u00ADMaria\u2069 ')).toBe('AnnaMaria');
	expect(name('NaN')).toBe('NaN');
	fc.assert(fc.property(fc.string(), (any) => expect(tidy(tidy(any))).toBe(tidy(any))));
});

describe('yes or no', () => {
	test.each([[true], ['true'], ['TRUE'], [' True '], [1], ['1']])('%p is yes', (given) =>
		expect(flag(given)).toBe(true),
	);
	test.each([[false], ['FALSE'], [0], ['0'], [''], [null], [undefined]])('%p is no', (given) =>
		expect(flag(given)).toBe(false),
	);
	test.each([['maybe'], [2], [NaN], [{}], [[]]])('%p is neither, and the error names the field', (given) => {
		expect(() => flag(given)).toThrow('Field must be true or false');
	});
});
