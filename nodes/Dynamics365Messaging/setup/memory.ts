import type { IDataObject } from 'n8n-workflow';
import { isRecord, textOf } from '../../shared/json';

/** The key of the workflow's static data that holds the federated subjects by channel ID. */
const MEMORY_SLOT = 'dynamics365MessagingSubjects';

/**
 * Remembers a federated subject, so that Check Setup can tell later whether it has changed.
 * @param memory the workflow's static data, which n8n stores after a production execution only.
 * @param subject as Link Managed Identity gave it to be entered in Entra.
 */
export function rememberSubject(memory: IDataObject, channelId: string, subject: string | null): void {
	const known = memory[MEMORY_SLOT];
	memory[MEMORY_SLOT] = { ...(isRecord(known) ? known : {}), [channelId]: subject };
}

/** Reads the subject that {@link rememberSubject} kept for a channel; null where there is none. */
export function rememberedSubject(memory: IDataObject, channelId: string): string | null {
	const known = memory[MEMORY_SLOT];
	return isRecord(known) ? textOf(known[channelId]) : null;
}
