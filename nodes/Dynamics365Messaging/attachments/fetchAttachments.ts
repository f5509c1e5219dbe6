import type { IBinaryKeyData } from 'n8n-workflow';
import { download, type DownloadOptions } from '../../shared/transport/download';
import type { Attachment } from '../activity/items';

/** An attachment after its file was asked for. */
export interface FetchedAttachment extends Attachment {
	/** The binary field that holds the file; null where there is none. */
	binaryProperty: string | null;
	/** Why there is no file; null where there is one. */
	downloadError: string | null;
}

export interface FetchOptions extends DownloadOptions {
	/** How many files at the most; the rest stays with its URL. */
	maxCount: number;
}

/** n8n's `helpers.prepareBinaryData`. */
export type BinaryWriter = (
	data: Buffer,
	fileName?: string,
	mimeType?: string,
) => Promise<IBinaryKeyData[string]>;

async function fetchOne(
	attachment: Attachment,
	binaryProperty: string,
	options: FetchOptions,
	write: BinaryWriter,
): Promise<{ fetched: FetchedAttachment; binary?: IBinaryKeyData }> {
	try {
		const data = await download(attachment.contentUrl ?? '', options);
		const file = await write(data, attachment.name ?? undefined, attachment.contentType ?? undefined);
		return {
			fetched: { ...attachment, binaryProperty, downloadError: null },
			binary: { [binaryProperty]: file },
		};
	} catch (error) {
		const downloadError = error instanceof Error ? error.message : 'it failed';
		return { fetched: { ...attachment, binaryProperty: null, downloadError } };
	}
}

/**
 * Fetches the files of a message, all at once, into binary fields `attachment_0`, … A file that cannot be had leaves
 * its attachment with its URL and the reason.
 */
export async function fetchAttachments(
	attachments: Attachment[],
	options: FetchOptions,
	write: BinaryWriter,
): Promise<{ attachments: FetchedAttachment[]; binary: IBinaryKeyData }> {
	const results = await Promise.all(
		attachments.map(async (attachment, index) => {
			if (index < options.maxCount) return await fetchOne(attachment, `attachment_${index}`, options, write);
			const downloadError = `only the first ${options.maxCount} are fetched`;
			return { fetched: { ...attachment, binaryProperty: null, downloadError }, binary: undefined };
		}),
	);
	return {
		attachments: results.map(({ fetched }) => fetched),
		binary: Object.assign({}, ...results.map(({ binary }) => binary)) as IBinaryKeyData,
	};
}
