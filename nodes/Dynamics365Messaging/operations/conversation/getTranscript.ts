import type { IBinaryKeyData, IDataObject, INodeProperties } from 'n8n-workflow';
import { numberField, readNumber, type NumberField } from '../../../shared/action/fields/number';
import { optionsField } from '../../../shared/action/fields/options';
import type { Output } from '../../../shared/action/operation';
import { storedContentType } from '../../../shared/contentType';
import { readBase64 } from '../../../shared/dataUri';
import { isGuid, tidyId } from '../../../shared/entra/appCredential';
import { plainFileName } from '../../../shared/fileName';
import { readKey, textOf, type Json } from '../../../shared/json';
import { cancelled } from '../../../shared/transport/errors';
import { Throttle } from '../../../shared/transport/throttle';
import { MEGABYTE } from '../../attachments/limits';
import { conversationRequest, readConversation } from '../../dataverse/conversation';
import {
	decodeNote,
	fileRequest,
	isTooLarge,
	NO_MESSAGES,
	noteRequest,
	reasonsInWords,
	TOO_LARGE,
	transcriptList,
	transcriptNotes,
	unreadableTranscript,
	type NoteContent,
} from '../../dataverse/transcript';
import {
	readTranscript,
	type Transcript,
	type TranscriptFile,
	type TranscriptMessage,
	type TranscriptOptions,
} from '../../activity/transcript';
import { booleanField, readRecordId } from '../fields';
import type { Operation, StepsContext } from '../operation';
import { recordedConversationField } from './recordFields';

const WAIT: NumberField = {
	name: 'waitForTranscript',
	label: 'Wait for Transcript (Seconds)',
	default: 0,
	min: 0,
	max: 600,
	isWhole: false,
};
/** Between two looks for a transcript, milliseconds; the first pauses are shorter. */
const LONGEST_PAUSE_MS = 5_000;
const FIRST_PAUSE_MS = 1_000;
/** The largest file that is fetched: its base64 has to fit into an answer. */
const MAX_FILE_MB = 40;
/** What the files of a transcript may have together, as n8n may keep them in memory. */
const MAX_FILES_MB = 128;

interface Wanted {
	conversationId: string;
	waitMs: number;
	includeNotices: boolean;
	includePrivate: boolean;
	downloadFiles: boolean;
}

type Dataverse = ReturnType<StepsContext['client']>;

/** What was found of a conversation's transcripts. */
interface Found {
	/** Undefined where there are none yet, or none that can be read. */
	transcript: Transcript | undefined;
	/** Why notes were passed over, one reason for each: they may be files that somebody attached. */
	passedOver: string[];
}

/** Reads what is in a note of a transcript; undefined for what is no note. @throws ServiceError */
async function contentOf(dataverse: Dataverse, note: Json): Promise<NoteContent | undefined> {
	const noteId = tidyId(readKey(note, 'annotationid'));
	if (!isGuid(noteId)) return undefined;
	if (isTooLarge(note)) return { kind: 'unreadable', reason: TOO_LARGE };
	return decodeNote((await dataverse.call(noteRequest(noteId))).json);
}

/** Reads the transcripts of a conversation. @throws ServiceError */
async function lookForTranscript(
	dataverse: Dataverse,
	conversationId: string,
	options: TranscriptOptions,
): Promise<Found> {
	const found: Transcript[] = [];
	const passedOver: string[] = [];
	for await (const row of dataverse.list(transcriptList(conversationId))) {
		const id = tidyId(readKey(row, 'msdyn_transcriptid'));
		if (!isGuid(id)) continue;
		for await (const note of dataverse.list(transcriptNotes(id))) {
			const content = await contentOf(dataverse, note);
			if (content === undefined || content.kind === 'empty') continue;
			const transcript = content.kind === 'json' ? readTranscript(content.json, options) : undefined;
			if (transcript) found.push(transcript);
			else passedOver.push(content.kind === 'json' ? NO_MESSAGES : content.reason);
		}
	}
	if (found.length === 0) return { transcript: undefined, passedOver };
	const transcript = {
		messages: withoutRepeated(found.flatMap(({ messages }) => messages)),
		unreadable: found.reduce((count, { unreadable }) => count + unreadable, 0),
	};
	return { transcript, passedOver };
}

/** Leaves out messages that a second transcript of the conversation repeats. */
function withoutRepeated(messages: TranscriptMessage[]): TranscriptMessage[] {
	const seen = new Set<string>();
	return messages.filter(({ messageId, sentAt, from, text }) => {
		const identity = JSON.stringify([messageId, sentAt, from, text]);
		if (messageId !== null && seen.has(identity)) return false;
		seen.add(identity);
		return true;
	});
}

/** Looks for the transcript until it is there or the time is over. @throws ServiceError also where the execution is cancelled. */
async function waitForTranscript(
	look: () => Promise<Found>,
	waitMs: number,
	signal: AbortSignal | undefined,
): Promise<Found> {
	const end = performance.now() + waitMs;
	const clock = new Throttle(0, signal);
	for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
		const found = await look();
		const left = end - performance.now();
		if (found.transcript || left <= 0) return found;
		await clock.wait(Math.min(pause, left));
	}
}

/** Reads a file's note. @throws Error with the reason. */
function fileIn(note: Json): { data: Buffer; name: string | null; type: string | null } {
	const body = textOf(readKey(note, 'documentbody'));
	if (body === null) throw new Error('the note has no file');
	if (body.length > (MAX_FILE_MB * MEGABYTE * 4) / 3 + 4)
		throw new Error(`the file is larger than ${MAX_FILE_MB} MB`);
	const data = readBase64(body);
	if (data === undefined) throw new Error('the file is no base64');
	return { data, name: textOf(readKey(note, 'filename')), type: textOf(readKey(note, 'mimetype')) };
}

/** Fetches the files of messages one after the other. */
class FileFetcher {
	private bytes = 0;

	constructor(
		private readonly dataverse: Dataverse,
		private readonly n8n: StepsContext['n8n'],
	) {}

	/** A file that cannot be had keeps its place, with the reason: the words of the conversation are still of use. */
	async ofMessage(files: TranscriptFile[]): Promise<{ attachments: IDataObject[]; binary: IBinaryKeyData }> {
		const binary: IBinaryKeyData = {};
		const attachments: IDataObject[] = [];
		for (const [index, file] of files.entries()) {
			const binaryProperty = `attachment_${index}`;
			try {
				binary[binaryProperty] = await this.fetch(file);
				attachments.push({ ...file, binaryProperty, downloadError: null });
			} catch (error) {
				if (this.n8n.signal?.aborted) throw cancelled();
				const downloadError = error instanceof Error ? error.message : 'it failed';
				attachments.push({ ...file, binaryProperty: null, downloadError });
			}
		}
		return { attachments, binary };
	}

	private async fetch({ id, name, contentType }: TranscriptFile): Promise<IBinaryKeyData[string]> {
		const noteId = tidyId(id);
		if (!isGuid(noteId)) throw new Error('Dataverse does not hold the file');
		const file = fileIn((await this.dataverse.call(fileRequest(noteId))).json);
		this.bytes += file.data.length;
		if (this.bytes > MAX_FILES_MB * MEGABYTE)
			throw new Error(`the files of the conversation are larger than ${MAX_FILES_MB} MB together`);
		const mimeType = storedContentType(file.type) ?? storedContentType(contentType);
		const fileName = plainFileName(file.name ?? '') || plainFileName(name ?? '') || undefined;
		return await this.n8n.binary.write(file.data, fileName, mimeType);
	}
}

const NONE_YET =
	'Dataverse has no transcript of this conversation yet. Dynamics 365 writes it some time after the conversation is closed: use the option Wait for Transcript, or try again later.';

/** Says what of the transcripts did not come out. @param count of the entries that are no messages. */
function hintFor(count: number, passedOver: string[]): string | undefined {
	const words: string[] = [];
	if (count > 0) {
		words.push(
			`${count} ${count === 1 ? 'entry' : 'entries'} of a transcript could not be read as messages, and ${count === 1 ? 'is' : 'are'} left out.`,
		);
	}
	if (passedOver.length > 0) {
		words.push(`Skipped other notes of the transcript: ${reasonsInWords(passedOver)}.`);
	}
	return words.length === 0 ? undefined : words.join(' ');
}

async function readAll(wanted: Wanted, { client, n8n }: StepsContext): Promise<Output> {
	const { conversationId, downloadFiles, includeNotices, includePrivate, waitMs } = wanted;
	const dataverse = client('dataverse');
	// It is an error where there is no such conversation, and tells who the customer is.
	const { customerName } = readConversation((await dataverse.call(conversationRequest(conversationId))).json);
	const options = { includeNotices, includePrivate, customerName };
	const look = async () => await lookForTranscript(dataverse, conversationId, options);
	const { transcript, passedOver } = await waitForTranscript(look, waitMs, n8n.signal);
	if (!transcript && passedOver.length > 0) throw unreadableTranscript(passedOver);
	if (!transcript) return { items: [], hint: NONE_YET };
	const fetcher = new FileFetcher(dataverse, n8n);
	const items: Output['items'] = [];
	for (const { text, plainText, ...message } of transcript.messages) {
		const json = { text, plainText, conversationId, ...message };
		if (downloadFiles) {
			const { attachments, binary } = await fetcher.ofMessage(message.attachments);
			items.push({ json: { ...json, attachments }, binary });
		} else items.push({ json });
	}
	return { items, hint: hintFor(transcript.unreadable, passedOver) };
}

const OPTIONS: INodeProperties[] = [
	booleanField(
		'downloadFiles',
		'Download Files',
		`Whether to download the files into binary fields (attachment_0, …). If a file cannot be downloaded or is larger than ${MAX_FILE_MB} MB, downloadError says why.`,
	),
	booleanField(
		'includeNotices',
		'Include Notices',
		'Whether to include system notices, such as that somebody joined',
	),
	booleanField(
		'includePrivate',
		'Include Private Messages',
		'Whether to include what representatives and supervisors wrote to each other. Never show it to customers: isPrivate is true in these items.',
	),
	numberField(
		WAIT,
		'How long to wait for the transcript. Dynamics 365 writes it some time after the conversation is closed. With 0 there is no output if it is not there yet.',
	),
];

export const getTranscript: Operation = {
	operation: 'getTranscript',
	name: 'Get Transcript',
	action: 'Get the transcript of a conversation',
	description:
		'Get the messages of a closed conversation: one item for each message, with who wrote it and when. For an active conversation use Message: Get Many.',
	effect: 'read',
	fields: [recordedConversationField, optionsField(OPTIONS)],
	plan: (parameters) => {
		const options = parameters.collection('options');
		const wanted: Wanted = {
			conversationId: readRecordId(parameters),
			waitMs: readNumber(options, WAIT) * 1000,
			includeNotices: options.flag('includeNotices', 'Include Notices'),
			includePrivate: options.flag('includePrivate', 'Include Private Messages'),
			downloadFiles: options.flag('downloadFiles', 'Download Files'),
		};
		return { kind: 'steps', run: async (context) => await readAll(wanted, context) };
	},
};
