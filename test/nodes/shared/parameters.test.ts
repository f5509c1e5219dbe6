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
