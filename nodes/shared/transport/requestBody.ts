import { randomUUID } from 'node:crypto';

/**
 * A file that stands as base64 in a body's JSON. It is encoded only as it is sent: as a string, and within that of the
 * body, it would be in memory several times over.
 */
export class EmbeddedFile {
	/** @param prefix what comes before its base64 in the same string, e.g. `data:image/jpeg;base64,`. */
	constructor(
		readonly data: Buffer,
		readonly prefix: string = '',
	) {}
}

/** What is encoded at once, bytes: a multiple of three, so that base64 has no padding in between. */
const PIECE = 48 * 1024;

function* base64Of(data: Buffer): Generator<string> {
	for (let start = 0; start < data.length; start += PIECE) {
		yield data.toString('base64', start, Math.min(start + PIECE, data.length));
	}
}

/** A body that comes in pieces, which are made while one goes through it, as often as one does. */
export class StreamedBody implements Iterable<string> {
	constructor(private readonly parts: Array<string | Buffer>) {}

	get byteLength(): number {
		return this.parts.reduce(
			(sum, part) =>
				sum + (typeof part === 'string' ? Buffer.byteLength(part) : 4 * Math.ceil(part.length / 3)),
			0,
		);
	}

	*[Symbol.iterator](): Generator<string> {
		for (const part of this.parts) {
			if (typeof part === 'string') yield part;
			else yield* base64Of(part);
		}
	}
}

/** A body as it is sent: a text, or in pieces where it holds files. */
export type RequestBody = string | StreamedBody;

/** Writes a body as JSON. @param json may hold an {@link EmbeddedFile} in the place of any string. */
export function requestBody(json: Record<string, unknown>): RequestBody {
	const files: Buffer[] = [];
	// Nothing that the body holds can be the same by chance or on purpose.
	const mark = randomUUID();
	const text = JSON.stringify(json, (_key, value: unknown) => {
		if (!(value instanceof EmbeddedFile)) return value;
		files.push(value.data);
		return `${value.prefix}${mark}`;
	});
	if (files.length === 0) return text;
	const texts = text.split(mark);
	return new StreamedBody(texts.flatMap((part, index) => [part, files[index] ?? '']));
}

/** The whole body as one text. */
export function bodyText(body: RequestBody): string {
	return typeof body === 'string' ? body : [...body].join('');
}
