/**
 * A file that stands in a body for its base64. It is read when the body is sent, and encoded piece by piece: as a text
 * within the text of the body, it would be in memory several times over.
 * @example
 * requestBody({ contentUrl: new EmbeddedFile(async () => await readFile('photo.jpg'), 'data:image/jpeg;base64,') })
 */
export class EmbeddedFile {
	constructor(
		/** Gives the file's bytes; called once for each time that the body is sent. */
		readonly read: () => Promise<Buffer>,
		/** What comes before its base64 in the same text, e.g. `data:image/jpeg;base64,`. */
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

/** A body that comes in pieces. They are made while one goes through it, as often as one does. */
export class StreamedBody implements Iterable<string> {
	/** @param parts texts, and the files that stand between them. */
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

/** Writes JSON as texts and the files between them, in their order. What JSON leaves out is left out. */
function* partsOf(value: unknown): Generator<string | EmbeddedFile> {
	if (value instanceof EmbeddedFile) {
		yield `${JSON.stringify(value.prefix).slice(0, -1)}`;
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

function holdsFile(value: unknown): boolean {
	if (typeof value !== 'object' || value === null) return false;
	return value instanceof EmbeddedFile || Object.values(value).some(holdsFile);
}

/**
 * Writes a body as JSON, and reads the files in it.
 * @param json may hold an {@link EmbeddedFile} in the place of any text.
 * @throws what reading a file throws.
 */
export async function requestBody(json: object): Promise<RequestBody> {
	if (!holdsFile(json)) return JSON.stringify(json);
	const parts: Array<string | Buffer> = [];
	for (const part of partsOf(json)) parts.push(typeof part === 'string' ? part : await part.read());
	return new StreamedBody(parts);
}

/** The whole body as one text. */
export function bodyText(body: RequestBody): string {
	return typeof body === 'string' ? body : [...body].join('');
}
