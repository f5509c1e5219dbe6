import { randomUUID } from 'node:crypto';
import type { DeliveredAttachment } from './activities';

/** A file that someone attached. */
export interface AttachedFile {
	name: string;
	contentType: string;
	data: Buffer;
}

/** The base64 text of an embedded file, with or without a data URI; undefined for the URL of a file elsewhere. */
function embeddedBase64(contentUrl: string): string | undefined {
	return /^https?:/i.test(contentUrl) ? undefined : contentUrl.replace(/^data:[^,]*,/, '');
}

/** The size of an embedded file, bytes; 0 for the URL of a file elsewhere. */
export function embeddedBytes(contentUrl: string): number {
	return Buffer.byteLength(embeddedBase64(contentUrl) ?? '', 'base64');
}

/** The files of all conversations, in memory. They can be read without a token. Source: docs/service-facts.md#attachments-received. */
export class Attachments {
	private readonly files = new Map<string, AttachedFile>();

	/** @param origin returns the origin of the service, which is known only after it listens */
	constructor(private readonly origin: () => string) {}

	/** Stores a file. @returns the attachment for messages */
	add(file: AttachedFile): DeliveredAttachment {
		const id = randomUUID();
		this.files.set(id, file);
		return this.reference(file, `${this.origin()}/attachments/${id}/${encodeURIComponent(file.name)}`);
	}

	/** Takes a customer's attachment: stores embedded content, and keeps the URL of a file elsewhere. @returns the attachment for messages */
	take(sent: { name: string; contentType: string; contentUrl: string }): DeliveredAttachment {
		const base64 = embeddedBase64(sent.contentUrl);
		if (base64 === undefined) return this.reference(sent, sent.contentUrl);
		return this.add({ ...sent, data: Buffer.from(base64, 'base64') });
	}

	find(id: string): AttachedFile | undefined {
		return this.files.get(id);
	}

	private reference(file: Omit<AttachedFile, 'data'>, contentUrl: string): DeliveredAttachment {
		return {
			contentType: file.contentType,
			contentUrl,
			content: null,
			name: file.name,
			thumbnailUrl: null,
		};
	}
}
