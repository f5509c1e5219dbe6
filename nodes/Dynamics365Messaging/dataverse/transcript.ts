import { readBase64 } from '../../shared/dataUri';
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
/** Notes are long, so that a page of the usual size would be too long for an answer. */
const NOTES_PER_PAGE = 1;

/** The transcripts of a conversation, the oldest first. Source: docs/service-facts.md#transcripts. @param conversationId a GUID. */
export function transcriptList(conversationId: string): ListRequest {
	const request = rowsRequest(TABLES.transcripts, ['msdyn_transcriptid', 'createdon'], {
		filter: `_msdyn_liveworkitemidid_value eq ${conversationId}`,
		orderBy: 'createdon asc',
	});
	return { request, entriesKey: 'value', limit: MAX_ROWS };
}

/** The notes of a transcript. Source: docs/service-facts.md#transcripts. @param transcriptId a GUID. */
export function transcriptNotes(transcriptId: string): ListRequest {
	const request = rowsRequest(TABLES.notes, ['annotationid', 'documentbody'], {
		filter: `objecttypecode eq 'msdyn_transcript' and _objectid_value eq ${transcriptId}`,
		pageSize: NOTES_PER_PAGE,
	});
	return { request, entriesKey: 'value', limit: MAX_ROWS };
}

/** The request for a file of a transcript. @param noteId a GUID. */
export function fileRequest(noteId: string): ReadRequest {
	return rowRequest(TABLES.notes, noteId, ['annotationid', 'documentbody', 'filename', 'mimetype']);
}

const unreadable = (what: string): ServiceError =>
	new ServiceError({
		message: `The transcript cannot be read: its note is ${what}`,
		description: 'It is in Dataverse all the same: look at it in Dynamics, by the url of Conversation: Get.',
	});

/**
 * Decodes the note of a transcript: base64 of JSON in UTF-8, with or without a byte order mark. Pure.
 * @returns undefined for a note that has no content.
 * @throws ServiceError where it is too long to be decoded, or is neither base64 nor JSON.
 */
export function decodeNote(note: Json): Json | undefined {
	const body = textOf(readKey(note, 'documentbody'));
	if (body === null || body === '') return undefined;
	if (body.length > (MAX_TRANSCRIPT_MB * MEGABYTE * 4) / 3 + 4) {
		throw new ServiceError({
			message: `The transcript is larger than ${MAX_TRANSCRIPT_MB} MB`,
			description: 'It is not decoded, as it could exhaust the memory of n8n. Look at it in Dynamics.',
		});
	}
	const data = readBase64(body);
	if (data === undefined) throw unreadable('no base64');
	const json = parseJson(data.toString('utf8'));
	if (json === undefined) throw unreadable('no JSON');
	return json;
}

/** The error of a note that is JSON, but no list of messages. */
export const noTranscript = (): ServiceError => unreadable('no list of messages');
