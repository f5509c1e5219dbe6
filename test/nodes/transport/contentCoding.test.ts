import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { decodeBody, isTooLong } from '../../../nodes/shared/transport/contentCoding';
import { collect } from '../../../nodes/shared/transport/roundTrip';

/** A body in pieces of some bytes; how many were asked for. */
function inPieces(body: Buffer, size: number, failure?: Error) {
	const seen = { asked: 0 };
	const pieces = (async function* () {
		for (let from = 0; from < body.length; from += size) {
			seen.asked++;
			yield body.subarray(from, from + size);
		}
		if (failure) throw failure;
	})();
	return { seen, pieces };
}

const WORDS = Buffer.from('a few words, and some more. '.repeat(50));
const ALL = 1_000_000;

const CODED: Array<[string, string | undefined, Buffer]> = [
	['nothing', undefined, WORDS],
	['identity', 'identity', WORDS],
	['gzip', 'gzip', gzipSync(WORDS)],
	[
		'gzip in two parts',
		'x-gzip',
		Buffer.concat([gzipSync(WORDS.subarray(0, 99)), gzipSync(WORDS.subarray(99))]),
	],
	['deflate', 'deflate', deflateSync(WORDS)],
	['deflate without its head', 'Deflate', deflateRawSync(WORDS)],
	['brotli', 'br', brotliCompressSync(WORDS)],
	['two codings', 'gzip, br', brotliCompressSync(gzipSync(WORDS))],
	['a coding and a mistake', 'utf-8, deflate', deflateSync(WORDS)],
	['a coding with a parameter', 'gzip;q=1.0', gzipSync(WORDS)],
	['a coding in quotes', ' "GZIP" ', gzipSync(WORDS)],
	['a coding between nothing', ', br ,,', brotliCompressSync(WORDS)],
	['a coding of the file, and one of the way', 'gzip, deflate, chunked', deflateSync(gzipSync(WORDS))],
	...[
		'base64',
		'binary',
		'UTF-16',
		'ISO-8859-1',
		'us-ascii',
		'charset=utf-8',
		'text/plain; charset=utf-8',
		'image/svg+xml',
	].map((mistake): [string, string, Buffer] => [`the mistake ${mistake}`, mistake, WORDS]),
];

describe.each(CODED)('%s', (_, header, body) => {
	test.each([1, 7, ALL])('is decoded in pieces of %i bytes', async (size) => {
		const whole = await collect(decodeBody(inPieces(body, size).pieces, header, ALL));
		expect(whole.toString()).toBe(WORDS.toString());
	});

	test('what the pieces fail with is passed on', async () => {
		const { pieces } = inPieces(body.subarray(0, 20), 3, new Error('reset'));
		await expect(collect(decodeBody(pieces, header, ALL))).rejects.toThrow('reset');
	});
});

test.each([undefined, 'gzip', 'gzip, br', 'sdch', 'br, br, br, br'])(
	'an empty body in %s is empty',
	async (header) => {
		expect(await collect(decodeBody(inPieces(Buffer.alloc(0), 1).pieces, header, ALL))).toEqual(
			Buffer.alloc(0),
		);
	},
);

const noise = randomBytes(3_000);
test.each<[string, string | undefined, Buffer, number, string]>([
	['an unknown coding', 'sdch', WORDS, ALL, 'UNKNOWN_ENCODING'],
	['an unknown coding with a parameter', 'zstd;q=1', WORDS, ALL, 'UNKNOWN_ENCODING'],
	['too many codings', 'br, br, br, br', WORDS, ALL, 'UNKNOWN_ENCODING'],
	['what is no gzip', 'gzip', WORDS, ALL, 'BROKEN_ENCODING'],
	['gzip that is cut', 'gzip', gzipSync(noise).subarray(0, 2_000), ALL, 'BROKEN_ENCODING'],
	['one byte of deflate', 'deflate', Buffer.from([0x78]), ALL, 'BROKEN_ENCODING'],
	['a longer body than accepted', undefined, noise, 2_999, 'ANSWER_TOO_LONG'],
	['a longer body after decoding', 'gzip', gzipSync(Buffer.alloc(9_000_000)), ALL, 'ANSWER_TOO_LONG'],
	[
		'a longer body between two codings',
		'br, gzip',
		gzipSync(brotliCompressSync(noise)),
		2_999,
		'ANSWER_TOO_LONG',
	],
])('is refused: %s', async (_, header, body, maxBytes, code) => {
	await expect(collect(decodeBody(inPieces(body, 100).pieces, header, maxBytes))).rejects.toMatchObject({
		code,
	});
});

test.each([
	['gzip', gzipSync(noise)],
	['br', brotliCompressSync(noise)],
	['br, gzip', gzipSync(brotliCompressSync(noise))],
])('a body as long as the limit is accepted, also where %s made it longer', async (header, body) => {
	expect(body.length).toBeGreaterThan(noise.length);
	expect(isTooLong(body.length, header, noise.length)).toBe(false);
	expect(await collect(decodeBody(inPieces(body, 100).pieces, header, noise.length))).toEqual(noise);
	expect(isTooLong(noise.length + 1, 'identity', noise.length)).toBe(true);
	expect(isTooLong(2 * noise.length, header, noise.length)).toBe(true);
});

test('no more is decoded than the limit asks for', async () => {
	const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
	const { pieces, seen } = inPieces(bomb, 1_000);
	await expect(collect(decodeBody(pieces, 'gzip', 100_000))).rejects.toMatchObject({
		code: 'ANSWER_TOO_LONG',
	});
	expect(seen.asked).toBeLessThan(40);
});

test('pieces that never come keep nobody waiting who has had enough', async () => {
	const silent = (async function* () {
		yield gzipSync(noise).subarray(0, 2_000);
		await new Promise(() => undefined);
	})();
	await expect(collect(decodeBody(silent, 'gzip', 500))).rejects.toMatchObject({ code: 'ANSWER_TOO_LONG' });
});
