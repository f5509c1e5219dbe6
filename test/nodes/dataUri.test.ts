import fc from 'fast-check';
import { dataUriPrefix, readBase64, readDataUri } from '../../nodes/shared/dataUri';

const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data));
/** The bytes that the fetch standard reads. */
const fetched = async (uri: string) => Buffer.from(await (await fetch(uri)).arrayBuffer());

describe('round trips', () => {
	test('a file of any type is read the same here and by the fetch standard', async () => {
		const value = fc.oneof(
			fc.string(),
			fc.constantFrom('vp8,opus', '"vp8, opus"', 'a;base64,b', '"\\""', 'ü%2C'),
		);
		const parameters = fc.array(fc.tuple(fc.constantFrom('codecs', 'charset', 'name', 'x y'), value));
		const type = fc.oneof(fc.constantFrom('video/webm', 'image/svg+xml', ''), fc.string());
		await fc.assert(
			fc.asyncProperty(type, parameters, bytes, async (essence, pairs, data) => {
				const contentType = [essence, ...pairs.map(([name, text]) => `${name}=${text}`)].join('; ');
				const uri = dataUriPrefix(contentType) + data.toString('base64');
				const read = readDataUri(uri);
				expect(read?.data).toEqual(data);
				expect(await fetched(uri)).toEqual(data);
				// What was read is written the same again.
				expect(read?.prefix).toBe(dataUriPrefix(contentType));
			}),
		);
	});

	test('percent-encoded, in base64 with any signs percent-encoded, in lines, in the alphabet of URLs', async () => {
		const head = fc.constantFrom('', 'text/plain', 'text/plain;charset=utf-8', 'a/b;x=1;y=2');
		const mark = fc.constantFrom(';base64', '; base64', ';BASE64 ', ';  Base64');
		await fc.assert(
			fc.asyncProperty(head, mark, bytes, fc.boolean(), async (type, base64, data, encodes) => {
				const hex = Array.from(data, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
				const standard = data.toString('base64');
				const written = encodes ? encodeURIComponent(standard) : standard;
				for (const uri of [`data:${type},${hex}`, `data:${type}${base64},${written}`]) {
					expect(readDataUri(uri)?.data).toEqual(data);
					expect(await fetched(uri)).toEqual(data);
				}
				const others = [data.toString('base64url'), standard.replace(/.{1,7}/g, '$&\r\n '), `${standard}#x`];
				for (const other of others) expect(readDataUri(`data:${type};base64,${other}`)?.data).toEqual(data);
			}),
		);
	});

	test('with commas in a parameter that nothing quotes, and the mark at any place behind the type', () => {
		const type = fc.constantFrom('video/webm', ' audio/ogg ', 'VIDEO/MP4', '//video/mp4', 'video%2Fmp4');
		const list = fc.constantFrom(
			'vp8,opus',
			'avc1.42E01E, mp4a.40.2',
			'"vp8,opus"',
			"'a,b,c'",
			'"vp8,opus',
			'vp8',
		);
		const mark = fc.constantFrom(';base64', '; base64', ';BASE64 ', ';base64;', ';%62ase64');
		const parameter = fc
			.tuple(fc.constantFrom(';codecs=', '; Codecs =', ';name='), list)
			.map((pair) => pair.join(''));
		fc.assert(
			fc.property(
				type,
				fc.array(parameter, { maxLength: 2 }),
				mark,
				bytes,
				(essence, parameters, base64, data) => {
					fc.pre(parameters.length === 0 || !base64.includes('%'));
					const base = `data:${essence}${parameters.join('')}`;
					for (const content of [data.toString('base64'), data.toString('base64url')]) {
						const read = readDataUri(`${base}${base64},${content}`);
						expect(read?.data).toEqual(data);
						expect(read?.contentType).toBe(decodeURIComponent(essence).replace(/^\/\/|\s/g, ''));
					}
					// What is no base64 is no file, rather than one that holds the rest of the header.
					expect(readDataUri(`${base}${base64},${data.toString('base64')}?`)).toBeUndefined();
				},
			),
		);
	});

	test('text of any kind', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), (text) => {
				expect(readDataUri(`data:,${encodeURIComponent(text)}`)?.data.toString()).toBe(text);
			}),
		);
	});
});

test.each([
	['data:video/webm;codecs=vp8,opus;base64,QUJD', 'video/webm', 'ABC'],
	['data:video/mp4;codecs=avc1.42E01E, mp4a.40.2; base64,QUJD', 'video/mp4', 'ABC'],
	['data:video/webm;codecs="vp8,opus";base64,QUJD', 'video/webm', 'ABC'],
	['data:text/plain;name="a;base64,\\"b";charset=utf-8,hi', 'text/plain', 'hi'],
	['data:text/plain;charset=utf-8,a;base64,QUJD', 'text/plain', 'a;base64,QUJD'],
	['data:text/plain,a;base64,QUJD', 'text/plain', 'a;base64,QUJD'],
	['data:text/plain;x="a,b', 'text/plain', 'b'],
	[' DATA: image/svg%2Bxml ;base64,QUJD', 'image/svg+xml', 'ABC'],
	['data:,€%zz%E2%82%AC%', '', '€%zz€%'],
	['data:;base64,', '', ''],
	['data:base64,QUJD', '', 'ABC'],
	['data:image/png;base64;charset=utf-8,QUJD', 'image/png', 'ABC'],
	['data:image/png%3Bbase64,QUJD', 'image/png', 'ABC'],
	['data:text/plain;name="a;base64",QUJD', 'text/plain', 'QUJD'],
	['data:text/plain;name=a%3Bbase64,QUJD', 'text/plain', 'QUJD'],
	['data:text/plain;title=a,b;base64,c?', 'text/plain', 'b;base64,c?'],
])('reads %s', (uri, contentType, content) => {
	const read = readDataUri(uri);
	expect([read?.contentType, read?.data.toString()]).toEqual([contentType, content]);
});

test.each([
	'data:',
	'data:text/plain',
	'data:;base64,a',
	'data:;base64,a?==',
	'data:;base64,QQ==QQ',
	'data:video/webm;codecs=vp8,opus;base64,QUJDR',
	'data:video/webm;codecs="vp8,opus;base64,no base64?',
	'data:image/png;base64;charset=utf-8,QUJDR',
])('does not read %s', (uri) => expect(readDataUri(uri)).toBeUndefined());

test.each([
	['digits', 'QUJD'],
	['lines', 'QUJD\n'],
	['blanks', '    '],
	['percent signs', '%41'],
	['quotes', '="\\"'],
	['marks', ';base64'],
	['commas', ',a;'],
])('megabytes of %s exhaust neither the stack nor the time', (_, piece) => {
	const text = piece.repeat(4_200_000 / piece.length);
	const startedAt = process.cpuUsage();
	readBase64(text);
	for (const head of ['data:', 'data:,', 'data:;base64,', 'data:a/b;x="', 'data:a/b;codecs=a,b;base64,']) {
		readDataUri(head + text);
	}
	expect(process.cpuUsage(startedAt).user / 1000).toBeLessThan(10_000);
});
