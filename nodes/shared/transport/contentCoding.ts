import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { readKey } from '../json';

/** A body whose Content-Encoding cannot be undone. The code says why; the words follow "the answer cannot be used". */
export class CodingError extends Error {
	constructor(readonly code: 'ANSWER_TOO_LONG' | 'BROKEN_ENCODING' | 'UNKNOWN_ENCODING') {
		super(code);
		this.name = 'CodingError';
	}
}

type Decoder = (data: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>;

const ungzip: Decoder = promisify(gunzip);
const unzlib: Decoder = promisify(inflate);
const undeflate: Decoder = promisify(inflateRaw);

/** `deflate` means zlib's format, but some servers send the data without its two bytes of head. */
const inflateEither: Decoder = async (data, limit) => {
	const [first = 0, second = 0] = data;
	const hasHead = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
	return await (hasHead ? unzlib : undeflate)(data, limit);
};

const DECODERS = new Map<string, Decoder>([
	['gzip', ungzip],
	['x-gzip', ungzip],
	['deflate', inflateEither],
	['br', promisify(brotliDecompress)],
]);

/** What stands in Content-Encoding by mistake, of files that are not compressed: stores keep what the uploader typed. */
const NOT_COMPRESSED = new Set([
	'',
	'identity',
	'none',
	'binary',
	'7bit',
	'8bit',
	'utf-8',
	'utf8',
	'aws-chunked',
]);

/** Nobody compresses a body more often than this; each time costs work. */
const MAX_CODINGS = 3;

/**
 * Undoes the Content-Encoding of a body. Nobody is asked for one, but a store keeps compressed files as such, and some
 * proxies compress what they pass on.
 * @param header the value of Content-Encoding.
 * @param maxBytes the longest body that is accepted, after decoding.
 * @throws CodingError where the coding is not known, the data is broken, or the body is longer.
 */
export async function decodeBody(raw: Buffer, header: string | undefined, maxBytes: number): Promise<Buffer> {
	const codings = (header ?? '')
		.split(',')
		.map((name) => name.trim().toLowerCase())
		.filter((name) => !NOT_COMPRESSED.has(name));
	if (codings.length === 0 || raw.length === 0) return raw;
	if (codings.length > MAX_CODINGS) throw new CodingError('UNKNOWN_ENCODING');
	let body = raw;
	// The last one in the header was applied last.
	for (const name of codings.reverse()) {
		const decode = DECODERS.get(name);
		if (!decode) throw new CodingError('UNKNOWN_ENCODING');
		body = await decode(body, { maxOutputLength: Math.max(1, maxBytes) }).catch((error: unknown) => {
			const isTooLong = readKey(error, 'code') === 'ERR_BUFFER_TOO_LARGE';
			throw new CodingError(isTooLong ? 'ANSWER_TOO_LONG' : 'BROKEN_ENCODING');
		});
	}
	return body;
}
