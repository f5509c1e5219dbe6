import type { IDataObject } from 'n8n-workflow';
import { nonEmptyText, readKey, textOf, type Json } from '../../shared/json';

/** Makes the item of a template; its `content` is that of WhatsApp. */
export function templateItem(
	entry: Json,
): IDataObject & { name: string; language: string; status: string | null; content: Json } {
	return {
		name: textOf(readKey(entry, 'name')) ?? '',
		language: textOf(readKey(entry, 'language')) ?? '',
		status: nonEmptyText(readKey(entry, 'status')),
		kind: nonEmptyText(readKey(entry, 'kind')),
		content: readKey(entry, 'content') ?? null,
	};
}

/** Whether WhatsApp delivers a template. Source: docs/service-facts.md#acs-template-content. */
export function isApproved({ status }: { status: string | null }): boolean {
	return status?.toLowerCase() === 'approved';
}
