import { pipeline, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** A body whose Content-Encoding cannot be undone. The code says why; the words follow "the answer cannot be used". */
export class CodingError extends Error {
	constructor(readonly code: 'ANSWER_TOO_LONG' | 'BROKEN_ENCODING' | 'UNKNOWN_ENCODING') {
		super(code);
		this.name = 'CodingError';
	}
}

/** A body, piece by piece. */
export type Pieces = AsyncIterable<Buffer>;

/** Makes what decodes a body. @param start its first bytes: two at least, unless the whole body is shorter. */
type Decoder = (start: Buffer) => Transform;

/** `deflate` means zlib's format, but some servers send the data without its two bytes of head. */
const inflateEither: Decoder = ([first = 0, second = 0]) => {
	const hasHead = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
	return hasHead ? createInflate() : createInflateRaw();
};

const gunzip: Decoder = () => createGunzip();

/** An empty body needs no decoder, whatever its coding. */
const unknown: Decoder = () => {
	throw new CodingError('UNKNOWN_ENCODING');
};

const DECODERS = new Map<string, Decoder>([
	['gzip', gunzip],
	['x-gzip', gunzip],
	['deflate', inflateEither],
	['br', () => createBrotliDecompress()],
]);

/**
 * What stands in Content-Encoding by mistake, of files that are not compressed: stores keep what the uploader typed. That
 * is the name of a charset, a content type, or how a program had the file before it sent it.
 */
const NOT_COMPRESSED =
	/^(?:|identity|none|null|binary|[78]bit|base64|aws-chunked|chunked|(?:charset=)?(?:utf-?(?:8|16)|(?:us-)?ascii|latin-?1|iso-8859-\d+|windows-\d+)|[\w.+-]+\/[\w.+-]+)$/;

/** Reads the codings of a header: some write their names in quotes, or with parameters as in a request. */
function codingsIn(header: string): string[] {
	const names = header.split(',').map((coding) => coding.replace(/;.*$/, '').replaceAll('"', ''));
	return names.map((name) => name.trim().toLowerCase()).filter((name) => !NOT_COMPRESSED.test(name));
}

/** Nobody compresses a body more often than this; each time costs work. */
const MAX_CODINGS = 3;

/** How many bytes a decoder is chosen by. */
const START_BYTES = 2;

/**
 * Passes a body on while it is within its limit.
 * @throws CodingError at the piece that exceeds it.
 */
async function* limited(pieces: Pieces, maxBytes: number): AsyncGenerator<Buffer> {
	let bytes = 0;
	for await (const piece of pieces) {
		bytes += piece.length;
		// Leaving the loop ends what the pieces come from, so the rest is not read.
		if (bytes > maxBytes) throw new CodingError('ANSWER_TOO_LONG');
		yield piece;
	}
}

/** Undoes one coding. An empty body stays empty. @throws CodingError where it is broken; what `pieces` throw. */
async function* decoded(pieces: Pieces, decoderOf: Decoder): AsyncGenerator<Buffer> {
	const source = pieces[Symbol.asyncIterator]();
	let failure: { error: unknown } | undefined;
	const next = async () =>
		await source.next().catch((error: unknown) => {
			failure = { error };
			throw error;
		});
	const rest = async function* (start: Buffer): AsyncGenerator<Buffer> {
		yield start;
		for (let result = await next(); !result.done; result = await next()) yield result.value;
	};
	try {
		let start = Buffer.alloc(0);
		while (start.length < START_BYTES) {
			const result = await next();
			if (result.done) break;
			start = Buffer.concat([start, result.value]);
		}
		if (start.length === 0) return;
		const decoder = decoderOf(start);
		// Its failures are those of the decoder, which are read below.
		pipeline(rest(start), decoder, () => undefined);
		yield* decoder as Pieces;
	} catch (error) {
		if (failure) throw failure.error;
		throw error instanceof CodingError ? error : new CodingError('BROKEN_ENCODING');
	} finally {
		// It is not waited for: the source may be waiting for a server that says nothing more.
		source.return?.().catch(() => undefined);
	}
}

/** How long a body may be before it is decoded: what cannot be compressed is a little longer than the file. */
function encodedLimit(maxBytes: number): number {
	return maxBytes + Math.ceil(maxBytes / 1000) + 1024;
}

/** Whether a body of a length, as its headers say it, is too long whatever it contains. Pure. */
export function isTooLong(length: number, header: string | undefined, maxBytes: number): boolean {
	return length > (codingsIn(header ?? '').length === 0 ? maxBytes : encodedLimit(maxBytes));
}

/**
 * Undoes the Content-Encoding of a body as its pieces come. Nobody is asked for one, but a store keeps compressed files as
 * such, and some proxies compress what they pass on. A Transfer-Encoding is undone in the same way: Node.js knows `chunked`
 * alone.
 * @param header the value of Content-Encoding, followed by that of Transfer-Encoding.
 * @param maxBytes the longest body that is accepted, decoded.
 * @returns the pieces of the decoded body. Whoever stops reading them ends all that they come from.
 * Reading them throws CodingError where the coding is not known, the data is broken, or the body is longer.
 */
export function decodeBody(raw: Pieces, header: string | undefined, maxBytes: number): Pieces {
	const codings = codingsIn(header ?? '');
	const decoders = codings.map((name) => DECODERS.get(name) ?? unknown);
	// The last one in the header was applied last.
	return (codings.length > MAX_CODINGS ? [unknown] : decoders).reduceRight(
		(body, decoder, left) => limited(decoded(body, decoder), left === 0 ? maxBytes : encodedLimit(maxBytes)),
		limited(raw, codings.length === 0 ? maxBytes : encodedLimit(maxBytes)),
	);
}
