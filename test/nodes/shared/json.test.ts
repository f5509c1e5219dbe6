import fc from 'fast-check';
import { inexactNumberIn, parseJson, parseWithinLimits, readKey } from '../../../nodes/shared/json';

/** Numbers that JavaScript would change: they come out as the text of their digits. */
test.each([
	'9007199254740993',
	'-9007199254740993',
	'12345678901234567890',
	'1152921504606846976',
	'1000000000000000000000',
	'1e400',
	'-1E+400',
	'5e-325',
	'0.1000000000000000055',
	'3.14159265358979323846',
	'123456789.123456789123',
])('keeps the digits of %s', (number) => {
	expect(inexactNumberIn(number)).toBe(number);
	expect(parseJson(number)).toBe(number);
	const values = [number, 'a', number];
	expect(parseJson(`{"a": [${number} ,"a",${number}],"b":{"c":${number}}}`)).toEqual({
		a: values,
		b: { c: number },
	});
});

test.each([
	['{"a":1}', { a: 1 }],
	['[9007199254740993]', ['9007199254740993']],
	['"\uFEFFa"', '\uFEFFa'],
	['', undefined],
])('reads %s behind a byte order mark', (text, value) => {
	expect(parseJson(`\uFEFF${text}`)).toEqual(value);
	expect(parseWithinLimits(`\uFEFF${text}`)).toEqual(value);
	expect(parseJson(` \uFEFF${text}`)).toBeUndefined();
});

test.each([
	['9007199254740991', 9007199254740991],
	['9007199254740994', 9007199254740994],
	['0.1', 0.1],
	['0.10000000000000000', 0.1],
	['1.50', 1.5],
	['1e2', 100],
	['1.7976931348623157e308', 1.7976931348623157e308],
	['0e999', 0],
	['0.30000000000000004', 0.30000000000000004],
])('reads %s as a number', (text, number) => {
	expect(inexactNumberIn(text)).toBeUndefined();
	expect(parseJson(text)).toBe(number);
});

test.each([
	'12345678901234567890 x',
	'[9007199254740993',
	'{9007199254740993: 1}',
	'00000000000000000',
	'1e',
	'',
])('%j is no JSON, with or without its long number', (text) => expect(parseJson(text)).toBeUndefined());

test('a text keeps what only looks like a number', () => {
	const value = { 'a"9007199254740993': '\\", 9007199254740993, "\\\\', b: ': 1e400,' };
	expect(parseJson(JSON.stringify(value))).toEqual(value);
});

test('numbers and emoji come back as they went', () => {
	const digits = fc.stringMatching(/^-?[1-9][0-9]{0,40}$/);
	const value = fc.oneof(
		digits,
		fc.double({ noNaN: true, noDefaultInfinity: true }),
		fc.string({ unit: 'grapheme' }),
	);
	fc.assert(
		fc.property(fc.array(value), fc.boolean(), (values, asNumbers) => {
			const isNumber = (one: unknown) => asNumbers && typeof one === 'string' && /^-?\d+$/.test(one);
			const written = values.map((one) => (isNumber(one) ? String(one) : JSON.stringify(one)));
			const read = parseJson(`[${written.join(', ')}]`);
			const seen = Array.isArray(read) ? read : [];
			expect(seen.map((one, index) => (isNumber(values[index]) ? String(one) : JSON.stringify(one)))).toEqual(
				written,
			);
		}),
	);
});

/** As many brackets as one after the other. */
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test('what is within the limits of a body is parsed, and what exceeds them is not', () => {
	expect(parseWithinLimits(nested(65))).toBeDefined();
	expect(parseWithinLimits(nested(66))).toBeUndefined();
	expect(parseWithinLimits(nested(200_000))).toBeUndefined();
	expect(parseWithinLimits('{"a":'.repeat(66) + '1' + '}'.repeat(66))).toBeUndefined();
	expect(parseWithinLimits(JSON.stringify(Array(20_000).fill([])))).toHaveLength(20_000);
	expect(parseWithinLimits(JSON.stringify(Array(20_001).fill(0)))).toBeUndefined();
	expect(parseWithinLimits(JSON.stringify(Array(10_001).fill({ a: 1 })))).toBeUndefined();
	expect(parseWithinLimits(JSON.stringify(nested(1_000)))).toBe(nested(1_000));
});

test('a long key costs nothing, however often another is looked for', () => {
	const body = { ['K'.repeat(5_000_000)]: 1, TYPE: 'message' };
	const start = process.cpuUsage();
	for (let times = 0; times < 100; times++) expect(readKey(body, 'type')).toBe('message');
	expect(process.cpuUsage(start).user).toBeLessThan(50_000);
});

test('many keys are folded once, however many others are looked for', () => {
	const keys = Object.fromEntries(Array.from({ length: 19_000 }, (_, at) => [`K${at}`, at]));
	const body = { ...keys, TYPE: 'message', Type: 'second', __PROTO__: 1 };
	const start = process.cpuUsage();
	for (let times = 0; times < 100; times++) {
		expect(readKey(body, 'type')).toBe('message');
		expect(readKey(body, 'k1')).toBe(1);
		expect(readKey(body, 'none')).toBeUndefined();
		expect(readKey(body, '__proto__')).toBe(1);
	}
	expect(process.cpuUsage(start).user).toBeLessThan(200_000);
});
