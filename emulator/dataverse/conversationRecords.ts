import { createHash, randomUUID } from 'node:crypto';
import type { Attachments } from '../messaging/attachments';
import type { Conversation, Conversations, Line } from '../messaging/conversations';
import type { Settings } from '../settings';
import type { World } from '../world';
import type { Channels } from './channels';
import { type Row, type Table, tableOf } from './schema';
import type { Tables } from './tables';

interface RecordParts {
	tables: Tables;
	channels: Channels;
	conversations: Conversations;
	attachments: Attachments;
	settings: Settings;
	world: World;
}

const CONVERSATIONS = tableOf('msdyn_ocliveworkitem');
const TRANSCRIPTS = tableOf('msdyn_transcript');
const NOTES = tableOf('annotation');
const WORKSTREAMS = tableOf('msdyn_liveworkstream');

/** What a row's column is called that holds the label of another one. Source: docs/service-facts.md#conversation-record. */
export const labelOf = (column: string) => `${column}@OData.Community.Display.V1.FormattedValue`;

/** The numbers are made up, as no source states them. */
const STATES = {
	waiting: [2, 'Waiting'],
	active: [1, 'Active'],
	wrapUp: [5, 'Wrap-up'],
	closed: [4, 'Closed'],
} as const;
const NEUTRAL = 3;

/** A GUID that is always the same for the same text: that of a record which the emulator does not have. */
function guidOf(text: string): string {
	const hex = createHash('sha256').update(text).digest('hex');
	return hex.slice(0, 32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
}

/** A time in the form of Dataverse, which has no fractions of a second. */
const timeOf = (epochMs: number) => new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');

/** The columns of a note's file. */
const contentOf = (data: Buffer): Row => ({ documentbody: data.toString('base64'), filesize: data.length });

/** A look-up and the name of what it refers to; both null where there is none. */
const reference = (column: string, id: string | undefined, name: string | undefined): Row => ({
	[column]: id ?? null,
	[labelOf(column)]: id === undefined ? null : (name ?? null),
});

/** The sender of a line: customers and AI agents are applications, representatives are users. */
function senderOf({ name = 'Customer', who }: Line): object {
	return who === 'customer' ? { application: { displayName: name } } : { user: { displayName: name } };
}

function tagsOf({ isPrivate, who }: Line): string {
	if (who === 'system') return 'system';
	return isPrivate ? 'agent,private' : 'public';
}

/** A message of a transcript. Source: docs/service-facts.md#transcripts. */
function messageOf(line: Line, files: object[]): object {
	return {
		id: line.messageId ?? String(Date.parse(line.at)),
		content: line.text ?? '',
		contentType: 'text',
		createdDateTime: line.at,
		...(line.who !== 'system' && { from: senderOf(line) }),
		isControlMessage: false,
		deliveryMode: 'bridged',
		deleted: false,
		tags: tagsOf(line),
		attachments: files,
	};
}

/** What the parties' programs tell one another: no words of anybody. */
const controlMessage = (at: number, event: string): object => ({
	id: String(at),
	content: JSON.stringify({ event }),
	contentType: 'text',
	createdDateTime: new Date(at).toISOString(),
	from: { application: { displayName: '__agent__' } },
	isControlMessage: true,
	tags: '',
});

/**
 * The rows of Dataverse that the service makes of the conversations of the Messaging API: the conversations themselves,
 * their transcripts some time after they closed, and the transcripts' files. They are made when they are asked for.
 */
export class ConversationRecords {
	private readonly known = new Map<string, string>();
	private readonly transcribed = new Set<string>();

	constructor(private readonly parts: RecordParts) {}

	/** Brings what a request is about to read up to date. @param id of the row; undefined for the whole set */
	refresh(table: Table, id: string | undefined): void {
		if (table === TRANSCRIPTS || table === NOTES) this.writeTranscripts();
		if (table !== CONVERSATIONS) return;
		const asked = id === undefined ? this.parts.conversations.all() : [this.parts.conversations.find(id)];
		for (const conversation of asked) if (conversation) this.writeRow(conversation);
	}

	private writeRow(conversation: Conversation): void {
		const { id } = conversation;
		const row = this.rowOf(conversation);
		const text = JSON.stringify(row);
		if (this.known.get(id) === text) return;
		if (this.known.has(id)) this.parts.tables.update(CONVERSATIONS, id, row);
		else this.parts.tables.create(CONVERSATIONS, { ...row, activityid: id });
		this.known.set(id, text);
	}

	private rowOf(conversation: Conversation): Row {
		const { customer, representative, state } = conversation;
		const { name = '', workstreamId } = this.parts.channels.find(conversation.channelId) ?? {};
		const workstream = workstreamId ? this.parts.tables.find(WORKSTREAMS, workstreamId) : undefined;
		const workstreamName = String(workstream?.msdyn_name ?? '');
		const [statuscode, status] = STATES[state];
		const isIdentified = customer.email ?? customer.phone;
		const hasSpoken = conversation.lines.some(({ who }) => who === 'customer');
		return {
			subject: `${customer.name}: ${name}`,
			statecode: state === 'closed' ? 1 : 0,
			statuscode,
			[labelOf('statuscode')]: status,
			msdyn_startedon: timeOf(conversation.createdAt),
			msdyn_closedon: conversation.closedAt === undefined ? null : timeOf(conversation.closedAt),
			...reference(
				'_msdyn_customer_value',
				isIdentified === undefined ? undefined : guidOf(`contact ${isIdentified}`),
				customer.name,
			),
			...reference('_msdyn_activeagentid_value', representative?.id, representative?.name),
			...reference('_msdyn_liveworkstreamid_value', workstreamId ?? undefined, workstreamName),
			...reference(
				'_msdyn_cdsqueueid_value',
				workstreamId ? guidOf(`queue ${workstreamId}`) : undefined,
				`${workstreamName} queue`,
			),
			...reference(
				'_regardingobjectid_value',
				conversation.caseTitle === undefined ? undefined : guidOf(`case ${conversation.caseTitle}`),
				conversation.caseTitle,
			),
			msdyn_customersentimentlabel: hasSpoken ? NEUTRAL : null,
			[labelOf('msdyn_customersentimentlabel')]: hasSpoken ? 'Neutral' : null,
			msdyn_transfercount: conversation.transfers ?? 0,
			msdyn_escalationcount: 0,
		};
	}

	/** Writes the transcripts whose time has come. */
	private writeTranscripts(): void {
		const due = Date.now() - this.parts.settings.transcripts.delayMs;
		for (const conversation of this.parts.conversations.closed()) {
			const { closedAt = Infinity, id } = conversation;
			if (closedAt > due || this.transcribed.has(id)) continue;
			this.transcribed.add(id);
			this.writeTranscript(conversation, closedAt);
		}
	}

	private writeTranscript(conversation: Conversation, closedAt: number): void {
		const { tables } = this.parts;
		const messages = [
			controlMessage(conversation.createdAt, 'sessionStart'),
			...conversation.lines.map((line) => messageOf(line, this.filesOf(conversation, line))),
			controlMessage(closedAt, 'sessionEnd'),
			// Microsoft's own chat widget reads its list from the end.
		].reverse();
		const list = JSON.stringify(messages);
		const isWrapped = this.parts.settings.transcripts.form === 'content';
		const data = Buffer.from(isWrapped ? JSON.stringify([{ Content: list }]) : list);
		const { msdyn_transcriptid: transcriptId = null } = tables.create(TRANSCRIPTS, {
			msdyn_name: conversation.customer.name,
			_msdyn_liveworkitemidid_value: conversation.id,
		});
		tables.create(NOTES, {
			subject: 'Transcript',
			objecttypecode: TRANSCRIPTS.logicalName,
			_objectid_value: transcriptId,
			filename: 'message.json',
			mimetype: 'application/json',
			...contentOf(data),
		});
	}

	/** Keeps the files of a line as notes. A file elsewhere is named, but not kept. */
	private filesOf({ id }: Conversation, { attachments = [] }: Line): object[] {
		return attachments.map(({ contentType, contentUrl, name }) => {
			const [, fileId = ''] = /\/attachments\/([^/]+)\//.exec(contentUrl) ?? [];
			const file = this.parts.attachments.find(fileId);
			if (!file) return { name, fileType: contentType };
			const annotationid = randomUUID();
			this.parts.tables.create(NOTES, {
				annotationid,
				subject: name,
				objecttypecode: CONVERSATIONS.logicalName,
				_objectid_value: id,
				filename: name,
				mimetype: contentType,
				...contentOf(file.data),
			});
			return { name, fileType: contentType, annotationid };
		});
	}
}
