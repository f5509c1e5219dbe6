import { EmbeddedFile } from '../../shared/transport/requestBody';
import { InputError } from '../../shared/transport/errors';
import { isRecord } from '../../shared/json';
import type { SendRequest } from '../messagingApi/request';

export type AttachmentEncoding = 'dataUri' | 'base64';

/** A file in a binary field of the item, which stands in a request's place for its content until that is read. */
export interface BinaryFile {
	kind: 'binaryFile';
	/** The binary field. */
	property: string;
	/** For errors: `Attachment 2: photo.jpg`. */
	label: string;
	contentType: string;
	encoding: AttachmentEncoding;
	/** Bytes. */
	maxBytes: number;
}

const MEGABYTE = 1024 * 1024;

function megabytes(bytes: number): string {
	return `${(bytes / MEGABYTE).toLocaleString('en-US', { maximumFractionDigits: 1 })} MB`;
}

/**
 * Checks a file's size, before it is read where that is known.
 * @param bytes its size.
 * @throws InputError where it is empty or too large.
 */
export function checkSize({ label, maxBytes }: BinaryFile, bytes: number): void {
	if (bytes === 0) throw new InputError(`${label} is empty`, 'Its binary field holds a file of 0 bytes.');
	if (bytes > maxBytes) {
		throw new InputError(
			`${label} is larger than ${megabytes(maxBytes)}`,
			`It has ${bytes.toLocaleString('en-US')} bytes. Shrink it, or raise Max Attachment Size if your organization allows larger files.`,
		);
	}
}

function embedded({ contentType, encoding }: BinaryFile, data: Buffer): EmbeddedFile {
	const prefix = encoding === 'base64' ? '' : `data:${contentType.replace(/\s/g, '')};base64,`;
	return new EmbeddedFile(data, prefix);
}

function isBinaryFile(value: unknown): value is BinaryFile {
	return isRecord(value) && value.kind === 'binaryFile';
}

/**
 * Puts the files' content into a request.
 * @param read gives the content of a binary field.
 * @throws InputError where a file is not of the size that its field says, and what `read` throws.
 */
export async function withFiles(
	request: SendRequest,
	read: (property: string) => Promise<Buffer>,
): Promise<SendRequest> {
	const attachments = request.body?.attachments;
	if (!Array.isArray(attachments)) return request;
	const filled: unknown[] = [];
	for (const attachment of attachments as Array<Record<string, unknown>>) {
		const { contentUrl } = attachment;
		if (!isBinaryFile(contentUrl)) {
			filled.push(attachment);
			continue;
		}
		const data = await read(contentUrl.property);
		checkSize(contentUrl, data.length);
		filled.push({ ...attachment, contentUrl: embedded(contentUrl, data) });
	}
	return { ...request, body: { ...request.body, attachments: filled } };
}
