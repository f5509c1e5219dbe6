import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { BinaryHelperFunctions, IBinaryData } from 'n8n-workflow';
import { contentTypeOf } from '../contentType';
import { collect } from '../transport/roundTrip';

/** Where n8n keeps the files of items: in memory, on disk, in its database, or in an object store. */
export interface BinaryStore {
	/**
	 * Stores a file.
	 * @param data its bytes, or its pieces as they come: of those, no more is in memory than n8n's storage keeps there. Where
	 * reading them throws, nothing of the file stays behind, and the error is passed on.
	 * @param mimeType where it is not given, that of the name's extension. Where that is not known either, n8n looks at the
	 * bytes, for which pieces are collected.
	 */
	write: (data: Buffer | AsyncIterable<Buffer>, fileName?: string, mimeType?: string) => Promise<IBinaryData>;
	/**
	 * Removes a stored file that nobody will use. n8n offers nodes no way to do so; on disk there is its path. From its
	 * database and an object store, n8n removes it with the execution. Never throws.
	 */
	discard: (file: IBinaryData) => Promise<void>;
}

/** What of n8n's helpers stores files. */
type Helpers = Pick<BinaryHelperFunctions, 'prepareBinaryData' | 'getBinaryPath'>;

/** As much is written at once: n8n writes each piece on its own, and those of a TLS connection have 16 KB. */
const PIECE_BYTES = 256 * 1024;

/** Joins small pieces to larger ones. */
async function* joined(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	let waiting: Buffer[] = [];
	let bytes = 0;
	for await (const piece of pieces) {
		waiting.push(piece);
		bytes += piece.length;
		if (bytes < PIECE_BYTES) continue;
		yield Buffer.concat(waiting);
		waiting = [];
		bytes = 0;
	}
	if (bytes > 0) yield Buffer.concat(waiting);
}

/**
 * Makes the store of the helpers that n8n gives to a node.
 * @example
 * const store = binaryStore(this.helpers);
 * const file = await store.write(pieces, 'photo.png', 'image/png');
 */
export function binaryStore(helpers: Helpers): BinaryStore {
	const discard = async ({ id }: IBinaryData): Promise<void> => {
		if (!id?.startsWith('filesystem')) return;
		const path = helpers.getBinaryPath(id);
		await Promise.all([path, `${path}.metadata`].map(async (one) => await rm(one, { force: true }))).catch(
			() => undefined,
		);
	};
	const writePieces = async (
		pieces: AsyncIterable<Buffer>,
		fileName: string | undefined,
		mimeType: string,
	): Promise<IBinaryData> => {
		let failure: Error | undefined;
		const fail = (error: unknown): undefined => {
			failure ??= error instanceof Error ? error : new Error(String(error));
		};
		const source = joined(pieces);
		const whole = async function* (): AsyncGenerator<Buffer> {
			try {
				for (let next = await source.next().catch(fail); next?.done === false;) {
					yield next.value;
					next = await source.next().catch(fail);
				}
				// Source: docs/service-facts.md#n8n-binary-streams.
				if (failure && stream.readableFlowing === true) throw failure;
			} finally {
				await source.return(undefined);
			}
		};
		const stream = Readable.from(whole());
		const store = async (): Promise<IBinaryData> => {
			const file = await helpers.prepareBinaryData(stream, fileName, mimeType);
			if (failure) await discard(file);
			return file;
		};
		const stored = await store()
			.catch(fail)
			.finally(() => stream.destroy());
		if (stored && !failure) return stored;
		throw failure ?? new Error('the file was not stored');
	};
	return {
		write: async (data, fileName, mimeType) => {
			const type = mimeType || contentTypeOf(fileName ?? '');
			if (!Buffer.isBuffer(data) && type) return await writePieces(data, fileName, type);
			const whole = Buffer.isBuffer(data) ? data : await collect(data);
			return await helpers.prepareBinaryData(whole, fileName, mimeType);
		},
		discard,
	};
}
