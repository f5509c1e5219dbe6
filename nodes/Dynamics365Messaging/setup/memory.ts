import type { IDataObject } from 'n8n-workflow';
import { isRecord, textOf } from '../../shared/json';

/** Where a workflow keeps the subjects that were linked last, by channel. */
const MEMORY_SLOT = 'dynamics365MessagingSubjects';

/** Keeps what was to be entered in Entra, to be compared with later. */
export function rememberSubject(memory: IDataObject, channelId: string, subject: string | null): void {
	const known = memory[MEMORY_SLOT];
	memory[MEMORY_SLOT] = { ...(isRecord(known) ? known : {}), [channelId]: subject };
}

/** The subject that was linked last in this workflow; null where none was. */
export function rememberedSubject(memory: IDataObject, channelId: string): string | null {
	const known = memory[MEMORY_SLOT];
	return isRecord(known) ? textOf(known[channelId]) : null;
}
