import { isRecord, readKey, textOf } from '../../shared/json';
import type { ActivityBody, Attachment, Card } from './items';

/** Reads the attachments of an activity; a missing field is null, and an activity without any gives an empty list. Pure. */
export function attachmentsOf(activity: ActivityBody): Attachment[] {
	const attachments = readKey(activity, 'attachments');
	if (!Array.isArray(attachments)) return [];
	return attachments
		.filter((attachment) => isRecord(attachment))
		.map((attachment) => ({
			contentType: textOf(readKey(attachment, 'contentType')),
			contentUrl: textOf(readKey(attachment, 'contentUrl')),
			name: textOf(readKey(attachment, 'name')),
			content: readKey(attachment, 'content') ?? null,
			thumbnailUrl: textOf(readKey(attachment, 'thumbnailUrl')),
		}));
}

/** The media types of Bot Framework's cards, and of those that Teams adds. */
const CARD_TYPE = /^\s*application\/vnd\.microsoft\.(?:teams\.)?card\./i;

/**
 * Whether an attachment is a card: it holds its content itself, where a file has a URL. Pure.
 * Source: docs/service-facts.md#cards-received.
 */
export function isCard({ contentType, contentUrl, content }: Attachment): boolean {
	const hasContent = content !== null && content !== '';
	const hasUrl = (contentUrl ?? '').trim() !== '';
	return CARD_TYPE.test(contentType ?? '') ? hasContent || !hasUrl : hasContent && !hasUrl;
}

/** Tells an activity's files from its cards, each in their order. Pure. */
export function filesAndCardsOf(activity: ActivityBody): { files: Attachment[]; cards: Card[] } {
	const files: Attachment[] = [];
	const cards: Card[] = [];
	for (const attachment of attachmentsOf(activity)) {
		const { contentType, name, content } = attachment;
		if (isCard(attachment)) cards.push({ contentType, name, content });
		else files.push(attachment);
	}
	return { files, cards };
}
