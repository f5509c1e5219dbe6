import type { IBinaryKeyData } from 'n8n-workflow';
import { download, type DownloadOptions } from '../../shared/transport/download';
import type { Attachment } from '../activity/items';

/** An attachment after its file was fetched, or was not. */
interface FetchedAttachment extends Attachment {
	/** The binary field that holds the file; null where there is none. */
	binaryProperty: string | null;
	/** Why there is no file; null where there is one. */
	downloadError: string | null;
}

export interface FetchOptions extends DownloadOptions {
	/** How many files are fetched at the most; the other attachments keep their URL only. */
	maxCount: number;
}

/** Stores a file, as n8n's `helpers.prepareBinaryData` does. */
type BinaryWriter = (data: Buffer, fileName?: string, mimeType?: string) => Promise<IBinaryKeyData[string]>;

async function fetchOne(
	attachment: Attachment,
	index: number,
	options: FetchOptions,
	write: BinaryWriter,
): Promise<{ fetched: FetchedAttachment; binary: IBinaryKeyData }> {
	const binaryProperty = `attachment_${index}`;
	try {
		if (index >= options.maxCount) throw new Error(`only the first ${options.maxCount} are fetched`);
		const data = await download(attachment.contentUrl ?? '', options);
		const file = await write(data, attachment.name ?? undefined, attachment.contentType ?? undefined);
		const fetched = { ...attachment, binaryProperty, downloadError: null };
		return { fetched, binary: { [binaryProperty]: file } };
	} catch (error) {
		const downloadError = error instanceof Error ? error.message : 'it failed';
		return { fetched: { ...attachment, binaryProperty: null, downloadError }, binary: {} };
	}
}

/**
 * Fetches the files of a message, all at once, into the binary fields `attachment_0`, `attachment_1`, … Does not throw:
 * an attachment whose file cannot be fetched keeps its URL and gets the reason in `downloadError`.
 * @param write stores a file; n8n's `helpers.prepareBinaryData`.
 * @example
 * const options = { maxBytes: 5 * 1024 * 1024, maxCount: 10, signal: AbortSignal.timeout(5_000), ownOrigin: undefined };
 * const { attachments, binary } = await fetchAttachments(item.attachments, options, helpers.prepareBinaryData);
 */
export async function fetchAttachments(
	attachments: Attachment[],
	options: FetchOptions,
	write: BinaryWriter,
): Promise<{ attachments: FetchedAttachment[]; binary: IBinaryKeyData }> {
	const results = await Promise.all(
		attachments.map(async (attachment, index) => await fetchOne(attachment, index, options, write)),
	);
	return {
		attachments: results.map(({ fetched }) => fetched),
		binary: Object.fromEntries(results.flatMap(({ binary }) => Object.entries(binary))),
	};
}
