import { isRecord, nonEmptyText, parseJson, readKey, textOf, type Json } from '../../shared/json';
import { isoTimeOf } from '../../shared/isoTime';
import type { Sender, SpeakerType } from './items';
import { plainTextOf } from './plainText';
import { searchable, tagsOf } from './tags';

/** A file of a message. */
export interface TranscriptFile {
	name: string | null;
	contentType: string | null;
	/** The ID of its note in Dataverse; null where it is not kept there. */
	id: string | null;
}

/** A message of a transcript. */
export interface TranscriptMessage {
	text: string | null;
	/** The text without Markdown and `<br>`. */
	plainText: string | null;
	/** Null where neither an ID nor a name is known. */
	from: Sender | null;
	/** Null where that cannot be told. */
	fromType: SpeakerType | null;
	/** Whether it is between representatives, and for no customer. */
	isPrivate: boolean;
	/** ISO 8601 in UTC; null where it is not known. */
	sentAt: string | null;
	messageId: string | null;
	attachments: TranscriptFile[];
}

/** What is read of a transcript. */
export interface TranscriptOptions {
	includeNotices: boolean;
	includePrivate: boolean;
	/** The customer's name in the conversation's record; null where there is none. */
	customerName: string | null;
}

/** A transcript that was read. */
export interface Transcript {
	messages: TranscriptMessage[];
	/** How many entries could not be read as messages, and were left out. */
	unreadable: number;
}

type Entry = { [key: string]: Json };

/** Whether a switch is on. Whatever is not clearly off is on, as these switches keep words back. */
function isOn(value: Json | undefined): boolean {
	return (
		![undefined, null, false, 0, ''].includes(value as null) && !/^(false|0)$/i.test(textOf(value) ?? '')
	);
}

/** Keys by which a message may be for representatives alone, and what their values say then. */
const VISIBILITY = /^(tags?|delivery_?mode|visibility|(is_?)?(private|hidden|internal)(_?from_?customer)?)$/i;
const KEPT_BACK = /private|hidden|internal/i;
const CONTROL = /^(is_?)?control_?message$/i;
const DELETED = /^(is_?)?deleted(_?(date_?time|on|at))?$/i;
const MAX_DEPTH = 3;

/** The values of keys in an entry, and in the objects and lists within it, but not in its words. */
function valuesOf(entry: Json, keys: RegExp, depth = 0): Array<[key: string, value: Json]> {
	if (depth > MAX_DEPTH || typeof entry !== 'object' || entry === null) return [];
	return Object.entries(entry).flatMap(([key, value]): Array<[string, Json]> => {
		if (keys.test(key)) return [[key, value]];
		return key.toLowerCase() === 'content' ? [] : valuesOf(value, keys, depth + 1);
	});
}

/**
 * Whether an entry is for representatives alone. A value that only contains the word is taken for it, too: words that
 * nobody may see must not come out by a new tag.
 */
function isForRepresentatives(entry: Entry): boolean {
	return valuesOf(entry, VISIBILITY).some(([key, value]) =>
		KEPT_BACK.test(key) ? isOn(value) : KEPT_BACK.test(searchable(value)),
	);
}

/** Whether an entry is no words of anybody: a control message, or deleted. */
function isNoWords(entry: Entry): boolean {
	return [CONTROL, DELETED].some((keys) => valuesOf(entry, keys).some(([, value]) => isOn(value)));
}

/** The list within an entry that holds the messages as a text, or as they are; undefined for a message. */
function wrappedIn(entry: Json): Json[] | undefined {
	const content = readKey(entry, 'content');
	// A message tells who wrote it: what a customer quotes is not taken for messages of others.
	if (readKey(entry, 'from') !== undefined) return undefined;
	const list =
		typeof content === 'string' && content.trimStart().startsWith('[')
			? parseJson(content.trimStart())
			: content;
	return Array.isArray(list) ? list : undefined;
}

/** The entries of a transcript. What holds for a list within an entry holds for each message in it. */
function entriesOf(outer: Json[]): Json[] {
	return outer.flatMap((entry) => {
		const inner = wrappedIn(entry);
		if (!inner || !isRecord(entry)) return inner ?? [entry];
		if (isNoWords(entry)) return [];
		if (!isForRepresentatives(entry)) return inner;
		return inner.map((one) => (isRecord(one) ? { ...one, visibility: 'private' } : one));
	});
}

/** Who sent an entry, and under which kind of sender that stands. */
interface TranscriptSender extends Sender {
	kind: string | null;
}

function senderOf(entry: Entry): TranscriptSender {
	const from = readKey(entry, 'from');
	const kinds = ['user', 'application', 'guest', 'device'] as const;
	const kind = kinds.find((one) => isRecord(readKey(from, one))) ?? null;
	const sender = kind === null ? from : readKey(from, kind);
	return {
		kind,
		id: nonEmptyText(readKey(sender, 'id')),
		name: nonEmptyText(readKey(sender, 'displayName')),
	};
}

/** The sender as the item has it, without the mark that stands for a customer's name. */
function shownSender({ id, name }: TranscriptSender): Sender | null {
	if (id === null && name === null) return null;
	return { id, name: name === null || !/^__customer__$/i.test(name) ? name : 'Customer' };
}

/** Names of customers whom nobody identified. Source: docs/service-facts.md#transcripts. */
const UNIDENTIFIED = /^(customer|__customer__|teamsvisitor:.*)$/i;

/**
 * Tells who wrote a message. Source: docs/service-facts.md#transcripts.
 * @param isCustomerKnown whether another sender of the transcript is surely the customer: an application of another name is
 * an AI agent then, and may be the customer by another name else.
 */
function speakerOf(
	{ kind, name }: TranscriptSender,
	customerName: string | null,
	isCustomerKnown: boolean,
): SpeakerType | null {
	if (kind === 'guest' || (name !== null && UNIDENTIFIED.test(name))) return 'customer';
	if (kind === 'user') return 'representative';
	if (kind !== 'application' || name === null) return null;
	if (name.trim().toLowerCase() === customerName?.trim().toLowerCase()) return 'customer';
	return isCustomerKnown ? 'aiAgent' : null;
}

function filesOf(entry: Entry): TranscriptFile[] {
	const files = readKey(entry, 'attachments');
	if (!Array.isArray(files)) return [];
	return files
		.filter((file) => isRecord(file))
		.map((file) => ({
			name: textOf(readKey(file, 'name')),
			contentType: textOf(readKey(file, 'fileType')) ?? textOf(readKey(file, 'contentType')),
			id: textOf(readKey(file, 'annotationid')),
		}));
}

/**
 * Reads an entry.
 * @returns null for what is left out on purpose, undefined for what cannot be read.
 */
function readEntry(
	entry: Json,
	options: TranscriptOptions,
	isCustomerKnown: boolean,
): TranscriptMessage | null | undefined {
	if (!isRecord(entry)) return undefined;
	if (isNoWords(entry)) return null;
	const isPrivate = isForRepresentatives(entry);
	const isNotice = tagsOf(entry).has('system');
	if ((isPrivate && !options.includePrivate) || (isNotice && !options.includeNotices)) return null;
	const content = readKey(entry, 'content') ?? null;
	const attachments = filesOf(entry);
	// Without a sender it may be a list of messages, whatever it looks like. Only a notice may have none.
	const isMessage =
		isRecord(readKey(entry, 'from')) || (isNotice && readKey(entry, 'createdDateTime') !== undefined);
	if (!isMessage || (content !== null && typeof content !== 'string')) return undefined;
	if (content === null && attachments.length === 0) return undefined;
	if (content === '' && attachments.length === 0) return null;
	const sender = senderOf(entry);
	return {
		text: content || null,
		plainText: content ? plainTextOf(content) : null,
		from: shownSender(sender),
		fromType: isNotice ? 'system' : speakerOf(sender, options.customerName, isCustomerKnown),
		isPrivate,
		sentAt: isoTimeOf(readKey(entry, 'createdDateTime')),
		messageId: textOf(readKey(entry, 'id')),
		attachments,
	};
}

/** Puts messages in the order of their times. One without a time stays behind the one before it. */
function inOrder(messages: TranscriptMessage[]): TranscriptMessage[] {
	const times = messages.map(({ sentAt }) => sentAt).filter((time) => time !== null);
	const isNewestFirst = (times.at(0) ?? '') > (times.at(-1) ?? '');
	let last = '';
	return (isNewestFirst ? messages.toReversed() : messages)
		.map((message) => ({ message, time: (last = message.sentAt ?? last) }))
		.sort((one, other) => (one.time < other.time ? -1 : Number(one.time > other.time)))
		.map(({ message }) => message);
}

/**
 * Reads the content of a transcript's note: the list of messages, or the list as a text in `Content`. Keys may be in any
 * casing. Control messages and deleted ones never come out, private ones and notices by options only. What is no message is
 * counted, and left out: it may hold private words. Pure.
 * Source: docs/service-facts.md#transcripts.
 * @param json the parsed content.
 * @returns the messages from the first to the last; undefined where the content is no transcript: neither a list nor an
 * object, or one of which no entry is a message.
 * @example
 * const options = { includeNotices: false, includePrivate: false, customerName: null };
 * const { messages = [] } = readTranscript(parseJson(text) ?? null, options) ?? {};
 */
export function readTranscript(json: Json, options: TranscriptOptions): Transcript | undefined {
	const outer = isRecord(json) ? [json] : json;
	if (!Array.isArray(outer)) return undefined;
	const entries = entriesOf(outer);
	const isCustomer = (entry: Json) =>
		isRecord(entry) && speakerOf(senderOf(entry), options.customerName, false) === 'customer';
	const isCustomerKnown = entries.some(isCustomer);
	const read = entries.map((entry) => readEntry(entry, options, isCustomerKnown));
	// Another file can be left out on purpose, too: a package.json says that it is private.
	const isOfTranscript = (entry: Json) =>
		readKey(entry, 'from') !== undefined || readKey(entry, 'createdDateTime') !== undefined;
	if (read.length > 0 && !entries.some((entry, index) => read[index] !== undefined && isOfTranscript(entry)))
		return undefined;
	return {
		messages: inOrder(read.filter((message) => message !== null && message !== undefined)),
		unreadable: read.filter((message) => message === undefined).length,
	};
}
