/**
 * A file that is sent as base64 within a JSON body. It is read when the body is sent and encoded piece by piece, as one
 * text of the whole body would hold the file in memory several times.
 * @example
 * requestBody({ contentUrl: new EmbeddedFile(async () => await readFile('photo.jpg'), 'data:image/jpeg;base64,') })
 */
export class EmbeddedFile {
	constructor(
		/** Reads the file. It is called once each time the body is sent. */
		readonly read: () => Promise<Buffer>,
		/** The start of the text, before the base64, e.g. `data:image/jpeg;base64,`. */
		readonly prefix: string = '',
	) {}
}

/** Bytes that are encoded at once: a multiple of three, so that there is no padding between the pieces. */
const PIECE = 48 * 1024;

function* base64Of(data: Buffer): Generator<string> {
	for (let start = 0; start < data.length; start += PIECE) {
		yield data.toString('base64', start, Math.min(start + PIECE, data.length));
	}
}

/** A body in pieces, which are made while it is iterated. */
export class StreamedBody implements Iterable<string> {
	/** @param parts the JSON, and the bytes of the files between its parts. */
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

/** A body as it is sent: a text, or pieces where it contains files. */
export type RequestBody = string | StreamedBody;

/** Writes JSON as texts with the files between them. It leaves out what JSON.stringify leaves out. */
function* partsOf(value: unknown): Generator<string | EmbeddedFile> {
	if (value instanceof EmbeddedFile) {
		yield JSON.stringify(value.prefix).slice(0, -1);
		yield value;
		yield '"';
	} else if (typeof value !== 'object' || value === null || 'toJSON' in value) {
		yield JSON.stringify(value) ?? 'null';
	} else {
		const isList = Array.isArray(value);
		const entries = Object.entries(value).filter(([, inner]) => isList || inner !== undefined);
		yield isList ? '[' : '{';
		for (const [index, [key, inner]] of entries.entries()) {
			yield `${index === 0 ? '' : ','}${isList ? '' : `${JSON.stringify(key)}:`}`;
			yield* partsOf(inner);
		}
		yield isList ? ']' : '}';
	}
}

function containsFile(value: unknown): boolean {
	if (typeof value !== 'object' || value === null) return false;
	return value instanceof EmbeddedFile || Object.values(value).some(containsFile);
}

/**
 * Writes a body as JSON and reads its files.
 * @param json may have an {@link EmbeddedFile} in the place of any text.
 * @throws what the reading of a file throws.
 */
export async function requestBody(json: object): Promise<RequestBody> {
	if (!containsFile(json)) return JSON.stringify(json);
	const parts: Array<string | Buffer> = [];
	for (const part of partsOf(json)) parts.push(typeof part === 'string' ? part : await part.read());
	return new StreamedBody(parts);
}

/** Returns the whole body as one text. */
export function bodyText(body: RequestBody): string {
	return typeof body === 'string' ? body : [...body].join('');
}
