import { isDataUri, readBase64 } from '../../shared/dataUri';
import { isRecord, readKey } from '../../shared/json';
import { InputError } from '../../shared/transport/errors';
import { EmbeddedFile } from '../../shared/transport/requestBody';

/** What one message may have with all that goes along. Source: docs/service-facts.md#message-size. */
const MAX_BYTES = 28 * 1024;

/** Whether what stands in the place of an attachment's URL is the file itself. */
function isEmbedded(contentUrl: unknown): boolean {
	if (contentUrl instanceof EmbeddedFile) return true;
	if (typeof contentUrl !== 'string') return false;
	return isDataUri(contentUrl) || readBase64(contentUrl) !== undefined;
}

/** Leaves the embedded files of a message's attachments out, which have a limit of their own. Everything else counts. */
function withoutFiles(body: object): object {
	const attachments = readKey(body, 'attachments');
	if (!Array.isArray(attachments)) return body;
	const counted = attachments.map((attachment: unknown) =>
		isRecord(attachment) && isEmbedded(attachment.contentUrl)
			? { ...attachment, contentUrl: '' }
			: attachment,
	);
	return { ...body, attachments: counted };
}

/**
 * Checks the size of what is sent, in bytes of UTF-8 JSON. Pure.
 * @param what it is, as the error names it: `The message`.
 * @param fix says what to shorten. Whole sentences.
 * @throws InputError where it has more than 28 KB without embedded files.
 */
export function checkMessageSize(body: object, what: string, fix: string): void {
	const bytes = Buffer.byteLength(JSON.stringify(withoutFiles(body)), 'utf8');
	if (bytes <= MAX_BYTES) return;
	throw new InputError(
		`${what} is larger than ${MAX_BYTES / 1024} KB in total`,
		`It has ${bytes.toLocaleString('en-US')} bytes. ${fix}`,
	);
}
