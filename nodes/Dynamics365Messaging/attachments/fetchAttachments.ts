import { setMaxListeners } from 'node:events';
import type { IBinaryKeyData } from 'n8n-workflow';
import type { BinaryStore } from '../../shared/action/binaryStore';
import { isPlainContentType, storedContentType } from '../../shared/contentType';
import { plainFileName } from '../../shared/fileName';
import type { Pieces } from '../../shared/transport/contentCoding';
import { download, type DownloadOptions } from '../../shared/transport/download';
import { isCard } from '../activity/attachments';
import type { Attachment } from '../activity/items';
import type { ByteBudget } from './byteBudget';

/** An attachment after its file was fetched, or was not. */
interface FetchedAttachment extends Attachment {
	/** The binary field that holds the file; null where there is none. */
	binaryProperty: string | null;
	/** Why there is no file; null where there is one, and for a card, which has none. */
	downloadError: string | null;
}

export interface FetchOptions extends DownloadOptions {
	/** How many files are fetched at the most; the other attachments keep their URL only. */
	maxCount: number;
	/** How many files are fetched at the same time; all of them where it is not set. */
	concurrency?: number;
	/** What the files take while they are fetched, and after that until it is released; no limit where it is not set. */
	budget?: ByteBudget;
}

interface Result {
	fetched: FetchedAttachment;
	binary: IBinaryKeyData;
}

/** Passes the pieces of a file on, each after it was taken from the budget. */
async function* counted(pieces: Pieces, take: (bytes: number) => void): AsyncGenerator<Buffer> {
	for await (const piece of pieces) {
		take(piece.length);
		yield piece;
	}
}

/** Fetches and stores a file. What it took of the budget is given back where it is not kept. */
async function fetchFile(
	{ contentUrl, contentType, name }: Attachment,
	{ budget, ...options }: FetchOptions,
	store: BinaryStore,
): Promise<IBinaryKeyData[string]> {
	let taken = 0;
	const take = (bytes: number) => {
		budget?.take(bytes);
		taken += bytes;
	};
	const isPlain = isPlainContentType(contentType ?? '');
	const type = isPlain ? storedContentType(contentType) : 'application/octet-stream';
	const fileName = plainFileName(name ?? '') || undefined;
	let isKept = false;
	try {
		return await download(contentUrl ?? '', options, async (pieces) => {
			const file = await store.write(counted(pieces, take), fileName, type);
			isKept = !options.signal.aborted;
			// Nobody waits for a file that comes too late.
			if (!isKept) await store.discard(file);
			return file;
		});
	} finally {
		if (!isKept) budget?.release(taken);
	}
}

/** Waits for work until a signal is aborted. What is still done then is given up. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	let giveUp: (() => void) | undefined;
	const aborted = new Promise<never>((_, reject) => {
		giveUp = () => reject(new Error('it took too long'));
		if (signal.aborted) giveUp();
		else signal.addEventListener('abort', giveUp, { once: true });
	});
	return await Promise.race([work, aborted]).finally(() => {
		if (giveUp) signal.removeEventListener('abort', giveUp);
	});
}

/** @param rank how many files come before it. */
async function fetchOne(
	attachment: Attachment,
	index: number,
	rank: number,
	options: FetchOptions,
	store: BinaryStore,
): Promise<Result> {
	if (isCard(attachment)) {
		return { fetched: { ...attachment, binaryProperty: null, downloadError: null }, binary: {} };
	}
	const binaryProperty = `attachment_${index}`;
	try {
		if (rank >= options.maxCount) throw new Error(`only the first ${options.maxCount} are fetched`);
		const file = await untilAborted(fetchFile(attachment, options, store), options.signal);
		const fetched = { ...attachment, binaryProperty, downloadError: null };
		return { fetched, binary: { [binaryProperty]: file } };
	} catch (error) {
		const downloadError = error instanceof Error ? error.message : 'it failed';
		return { fetched: { ...attachment, binaryProperty: null, downloadError }, binary: {} };
	}
}

/**
 * Fetches the files of a message into the binary fields `attachment_0`, `attachment_1`, … Does not throw: an attachment
 * whose file cannot be fetched keeps its URL and gets the reason in `downloadError`. A card is passed on as it is. It ends
 * when the signal is aborted, also where the other side or the storing does not.
 * @param store keeps the files, each as it comes.
 * @example
 * const options = { maxBytes: 5 * 1024 * 1024, maxCount: 10, signal: AbortSignal.timeout(5_000), ownOrigin: undefined };
 * const { attachments, binary } = await fetchAttachments(item.attachments, options, binaryStore(helpers));
 */
export async function fetchAttachments(
	attachments: Attachment[],
	options: FetchOptions,
	store: BinaryStore,
): Promise<{ attachments: FetchedAttachment[]; binary: IBinaryKeyData }> {
	// Each file that is on its way listens to it.
	setMaxListeners(0, options.signal);
	let files = 0;
	const results: Result[] = [];
	const left = attachments.entries();
	// A limit of a few bytes for a file lets millions of them be fetched at the same time.
	const length = Math.min(options.concurrency ?? Infinity, attachments.length);
	// Each of these takes the next attachment when it is done with one.
	const workers = Array.from({ length }, async () => {
		for (const [index, attachment] of left) {
			const rank = isCard(attachment) ? files : files++;
			results[index] = await fetchOne(attachment, index, rank, options, store);
		}
	});
	await Promise.all(workers);
	return {
		attachments: results.map(({ fetched }) => fetched),
		binary: Object.fromEntries(results.flatMap(({ binary }) => Object.entries(binary))),
	};
}
