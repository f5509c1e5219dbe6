import fc from 'fast-check';
import {
	EmbeddedFile,
	requestBody,
	StreamedBody,
	bodyText,
} from '../../../nodes/shared/transport/requestBody';

const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data));
const file = fc.record({ data: bytes, prefix: fc.string() });

const fileOf = (data: Buffer, prefix?: string) => new EmbeddedFile(async () => data, prefix);

test('files take the places of their base64, whatever stands around them', async () => {
	await fc.assert(
		fc.asyncProperty(fc.jsonValue(), fc.array(file, { minLength: 1, maxLength: 3 }), async (rest, files) => {
			const embedded = files.map(({ data, prefix }) => fileOf(data, prefix));
			const written = files.map(({ data, prefix }) => `${prefix}${data.toString('base64')}`);
			const body = await requestBody({ rest, nested: { embedded } });
			expect(bodyText(body)).toBe(JSON.stringify({ rest, nested: { embedded: written } }));
			expect((body as StreamedBody).byteLength).toBe(Buffer.byteLength(bodyText(body)));
		}),
	);
});

test.each([0, 1, 2, 3, 48 * 1024 - 1, 48 * 1024, 48 * 1024 + 1, 1_000_000])(
	'a file of %i bytes comes in short pieces, and again the same',
	async (length) => {
		const data = Buffer.from(Array.from({ length }, (_, index) => index % 251));
		const body = (await requestBody({ file: fileOf(data) })) as StreamedBody;
		const pieces = [...body];
		expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(64 * 1024);
		expect(pieces.join('')).toBe(`{"file":"${data.toString('base64')}"}`);
		expect([...body]).toEqual(pieces);
		expect(body.byteLength).toBe(pieces.join('').length);
	},
);

test('a body without files is a text', async () => {
	expect(await requestBody({ text: 'Grüße', nothing: undefined })).toBe('{"text":"Grüße"}');
});
