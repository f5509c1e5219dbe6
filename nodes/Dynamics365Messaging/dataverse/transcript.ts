import { readBase64 } from '../../shared/dataUri';
import { andList } from '../../shared/sentences';
import { parseJson, readKey, textOf, type Json } from '../../shared/json';
import { ServiceError } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import type { ReadRequest } from '../../shared/transport/request';
import { rowRequest, rowsRequest, TABLES } from './requests';

const MEGABYTE = 1024 * 1024;
/** The longest transcript that is decoded. One of a thousand messages has less than one megabyte. */
const MAX_TRANSCRIPT_MB = 25;
/** More transcripts of one conversation, or notes of one transcript, than there are. */
const MAX_ROWS = 50;

/** The transcripts of a conversation, the oldest first. Source: docs/service-facts.md#transcripts. @param conversationId a GUID. */
export function transcriptList(conversationId: string): ListRequest {
	const request = rowsRequest(TABLES.transcripts, ['msdyn_transcriptid', 'createdon'], {
		filter: `_msdyn_liveworkitemidid_value eq ${conversationId}`,
		orderBy: 'createdon asc',
	});
	return { request, entriesKey: 'value', limit: MAX_ROWS };
}

/**
 * The notes of a transcript, without what is in them: people attach files of any size to the same row, and one of them
 * would be too long for an answer. Source: docs/service-facts.md#transcripts. @param transcriptId a GUID.
 */
export function transcriptNotes(transcriptId: string): ListRequest {
	const request = rowsRequest(TABLES.notes, ['annotationid', 'filesize'], {
		filter: `objecttypecode eq 'msdyn_transcript' and _objectid_value eq ${transcriptId}`,
	});
	return { request, entriesKey: 'value', limit: MAX_ROWS };
}

/** Whether an entry of {@link transcriptNotes} has a file that is too large to be a transcript. Pure. */
export function isTooLarge(note: Json): boolean {
	return Number(readKey(note, 'filesize') ?? 0) > MAX_TRANSCRIPT_MB * MEGABYTE;
}

/** The request for what is in a note of a transcript. {@link decodeNote} reads the answer. @param noteId a GUID. */
export function noteRequest(noteId: string): ReadRequest {
	return rowRequest(TABLES.notes, noteId, ['annotationid', 'documentbody']);
}

/** The request for a file of a transcript. @param noteId a GUID. */
export function fileRequest(noteId: string): ReadRequest {
	return rowRequest(TABLES.notes, noteId, ['annotationid', 'documentbody', 'filename', 'mimetype']);
}

/** The reason for a note that is too large. */
export const TOO_LARGE = `larger than ${MAX_TRANSCRIPT_MB} MB`;
/** The reason for a note that is JSON, but no transcript. */
export const NO_MESSAGES = 'no list of messages';

/** What a note of a transcript holds. People attach other files to the same row. */
export type NoteContent =
	| { kind: 'empty' }
	| { kind: 'json'; json: Json }
	/** `reason` is a phrase: `no JSON`. */
	| { kind: 'unreadable'; reason: string };

/** Decodes a note of a transcript: base64 of JSON in UTF-8, with or without a byte order mark. Pure. Does not throw. */
export function decodeNote(note: Json): NoteContent {
	const body = textOf(readKey(note, 'documentbody'));
	if (body === null || body === '') return { kind: 'empty' };
	if (body.length > (MAX_TRANSCRIPT_MB * MEGABYTE * 4) / 3 + 4) {
		// It could exhaust the memory of n8n.
		return { kind: 'unreadable', reason: TOO_LARGE };
	}
	const data = readBase64(body);
	if (data === undefined) return { kind: 'unreadable', reason: 'no base64' };
	const json = parseJson(data.toString('utf8'));
	return json === undefined ? { kind: 'unreadable', reason: 'no JSON' } : { kind: 'json', json };
}

/** Tells what notes are, each reason with its number where there are several: `1 is no JSON and 2 are no base64`. Pure. */
export function reasonsInWords(reasons: string[]): string {
	const counts = new Map<string, number>();
	for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
	return andList([...counts].map(([reason, count]) => `${count} ${count === 1 ? 'is' : 'are'} ${reason}`));
}

/** The error where no note of a conversation's transcripts can be read. @param reasons one for each note, at least one. */
export function unreadableTranscript(reasons: string[]): ServiceError {
	const [only = ''] = reasons;
	const what =
		reasons.length === 1
			? `its note is ${only}`
			: `of the ${reasons.length} notes that it has, ${reasonsInWords(reasons)}`;
	return new ServiceError({
		message: `The transcript cannot be read: ${what}`,
		description: 'It is still in Dataverse. Open it in Dynamics 365 with the url from Conversation: Get.',
	});
}
