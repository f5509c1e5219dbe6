import type { Emulator } from '../../emulator';
import { validateDataverseAnswer } from '../../emulator/dataverse/validate';
import {
	type Answer,
	type Client,
	connect,
	connectDataverse,
	dataverseErrorOf,
	rowsOf,
	send,
	start,
	startConversation,
	UNKNOWN,
} from './support';

let emulator: Emulator;
let dataverse: Client;
let customer: Client;
beforeEach(async () => {
	emulator = await start();
	emulator.settings.transcripts.delayMs = 0;
	dataverse = await connectDataverse(emulator);
	customer = await connect(emulator);
});
afterEach(() => emulator.close());

const LABELS = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"';
const LABEL = '@OData.Community.Display.V1.FormattedValue';
const FILE = { name: 'manual.pdf', contentType: 'application/pdf', data: Buffer.from('%PDF-') };

/** A conversation in which everything comes up that a transcript may have, up to its close. */
async function closedConversation(): Promise<string> {
	const id = await startConversation(customer, {
		customercontext: { firstname: 'Kim', lastname: 'Berger', email: 'kim@example.com' },
		startmessage: { message: 'It is loud', displayname: 'Kim Berger' },
	});
	emulator.desk.accept(id, { agentName: 'Ana Lopes' });
	emulator.desk.reply(id, { text: 'Page 3', files: [FILE] });
	await deskPost(`conversations/${id}/private-note`, { text: 'A difficult one' });
	await deskPost(`conversations/${id}/link-case`, { title: 'Loud pump' });
	emulator.desk.transfer(id, { agentName: 'Marco Conti' });
	emulator.desk.close(id);
	return id;
}

async function deskPost(path: string, body: object): Promise<Answer> {
	return await send(`${emulator.deskOrigin}/api/${path}`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	});
}

const record = (id: string, headers: Record<string, string> = {}) =>
	dataverse('GET', `/msdyn_ocliveworkitems(${id})`, { headers });
const transcripts = (id: string) =>
	dataverse('GET', `/msdyn_transcripts?$filter=_msdyn_liveworkitemidid_value%20eq%20${id}`);

/** The content of the transcript's note. */
async function contentOf(id: string): Promise<Record<string, unknown>[]> {
	const [transcript] = rowsOf(await transcripts(id));
	const filter = `objecttypecode eq 'msdyn_transcript' and _objectid_value eq ${String(transcript?.msdyn_transcriptid)}`;
	const answer = await dataverse('GET', `/annotations?$filter=${encodeURIComponent(filter)}`);
	expect(validateDataverseAnswer('dataverse.listNotes', answer.status, answer.json)).toEqual([]);
	const [note] = rowsOf(answer);
	return JSON.parse(Buffer.from(String(note?.documentbody), 'base64').toString());
}

test('a conversation’s record has the same id, and what is known of it', async () => {
	const id = await closedConversation();
	const answer = await record(id, { prefer: LABELS });
	expect(validateDataverseAnswer('dataverse.getConversation', answer.status, answer.json)).toEqual([]);
	expect(answer.json).toMatchObject({
		activityid: id,
		subject: 'Kim Berger: Contoso Messenger',
		[`statuscode${LABEL}`]: 'Closed',
		msdyn_startedon: expect.stringMatching(/^\d{4}-.*Z$/),
		msdyn_closedon: expect.stringMatching(/^\d{4}-.*Z$/),
		[`_msdyn_customer_value${LABEL}`]: 'Kim Berger',
		[`_msdyn_activeagentid_value${LABEL}`]: 'Marco Conti',
		[`_msdyn_cdsqueueid_value${LABEL}`]: 'Contoso Messaging queue',
		_msdyn_liveworkstreamid_value: emulator.world.workstreamId,
		[`_msdyn_liveworkstreamid_value${LABEL}`]: 'Contoso Messaging',
		[`_regardingobjectid_value${LABEL}`]: 'Loud pump',
		[`msdyn_customersentimentlabel${LABEL}`]: 'Neutral',
		msdyn_transfercount: 1,
	});
});

test('labels come for who asks for them, and with the columns that were asked for', async () => {
	const id = await startConversation(customer);
	expect(Object.keys((await record(id)).json).filter((key) => key.endsWith(LABEL))).toEqual([]);
	const { json } = await dataverse('GET', `/msdyn_ocliveworkitems(${id})?$select=statuscode`, {
		headers: { prefer: LABELS },
	});
	expect(json).toMatchObject({ activityid: id, [`statuscode${LABEL}`]: 'Waiting' });
	expect(json).not.toHaveProperty('subject');
});

test('a record follows its conversation', async () => {
	const id = await startConversation(customer);
	const status = async () => (await record(id, { prefer: LABELS })).json[`statuscode${LABEL}`];
	expect(await status()).toBe('Waiting');
	expect((await record(id)).json).toMatchObject({ _msdyn_customer_value: null, msdyn_closedon: null });
	const { versionnumber } = (await record(id)).json;
	expect((await record(id)).json.versionnumber).toBe(versionnumber);
	emulator.desk.accept(id);
	expect(await status()).toBe('Active');
	emulator.desk.wrapUp(id);
	expect(await status()).toBe('Wrap-up');
});

test('there is no record of what is no conversation, and none without a role', async () => {
	expect(dataverseErrorOf(await record(UNKNOWN))).toEqual([404, '0x80040217']);
	emulator.settings.dataverse.role = 'none';
	expect(dataverseErrorOf(await record(UNKNOWN))).toEqual([403, '0x80042f09']);
	expect(dataverseErrorOf(await transcripts(UNKNOWN))).toEqual([403, '0x80042f09']);
});

test('a transcript is written some time after the close, and once', async () => {
	emulator.settings.transcripts.delayMs = 60_000;
	const id = await closedConversation();
	expect(rowsOf(await transcripts(id))).toEqual([]);
	emulator.settings.transcripts.delayMs = 0;
	const answer = await transcripts(id);
	expect(validateDataverseAnswer('dataverse.listTranscripts', answer.status, answer.json)).toEqual([]);
	expect(rowsOf(answer)).toMatchObject([{ _msdyn_liveworkitemidid_value: id }]);
	expect(rowsOf(await transcripts(id))).toHaveLength(1);
	const open = await startConversation(customer);
	expect(rowsOf(await transcripts(open))).toEqual([]);
});

test('a transcript has all words, the newest first, with notices, private words and control messages', async () => {
	const id = await closedConversation();
	const messages = (await contentOf(id)).reverse();
	expect(messages.map(({ isControlMessage }) => isControlMessage)).toEqual([
		true,
		...Array.from({ length: messages.length - 2 }, () => false),
		true,
	]);
	expect(messages.filter(({ tags }) => tags === 'system').length).toBeGreaterThan(2);
	const spoken = messages.filter(({ tags, isControlMessage }) => tags !== 'system' && !isControlMessage);
	expect(spoken).toMatchObject([
		{ content: 'It is loud', from: { application: { displayName: 'Kim Berger' } }, tags: 'public' },
		{ content: 'Page 3', from: { user: { displayName: 'Ana Lopes' } }, tags: 'public' },
		{ content: 'A difficult one', from: { user: { displayName: 'Ana Lopes' } }, tags: 'agent,private' },
	]);
	expect(spoken[1]?.attachments).toEqual([
		{
			name: 'manual.pdf',
			fileType: 'application/pdf',
			annotationid: expect.stringMatching(/^[0-9a-f-]{36}$/),
		},
	]);
});

test('its file is a note of its own', async () => {
	const id = await closedConversation();
	const file = (await contentOf(id)).flatMap(({ attachments }) => attachments ?? [])[0] as {
		annotationid: string;
	};
	const answer = await dataverse('GET', `/annotations(${file.annotationid})`);
	expect(validateDataverseAnswer('dataverse.getNote', answer.status, answer.json)).toEqual([]);
	expect(answer.json).toMatchObject({
		filename: 'manual.pdf',
		mimetype: 'application/pdf',
		documentbody: FILE.data.toString('base64'),
		filesize: FILE.data.length,
	});
});

test('the note may hold the list as a text', async () => {
	emulator.settings.transcripts.form = 'content';
	const [wrapped, ...rest] = await contentOf(await closedConversation());
	expect(rest).toEqual([]);
	expect(Object.keys(wrapped ?? {})).toEqual(['Content']);
	expect((JSON.parse(String(wrapped?.Content)) as unknown[]).length).toBeGreaterThan(5);
});

test('a private note is for representatives alone', async () => {
	const id = await startConversation(customer);
	expect((await deskPost(`conversations/${id}/private-note`, { text: 'Hm' })).status).toBe(409);
	emulator.desk.accept(id);
	expect((await deskPost(`conversations/${id}/private-note`, {})).status).toBe(400);
	const deliveries = () => emulator.log.filter(({ kind }) => kind === 'delivery').length;
	const before = deliveries();
	const { json } = await deskPost(`conversations/${id}/private-note`, { text: 'Hm' });
	expect(json).toMatchObject({
		conversation: { lines: expect.arrayContaining([expect.objectContaining({ isPrivate: true })]) },
	});
	expect((await customer('GET', `/conversation/${id}/messages`)).json).toEqual({ messages: [] });
	expect(deliveries()).toBe(before);
});

test('nothing else of these tables is emulated', async () => {
	for (const path of [`/msdyn_transcripts(${UNKNOWN})`, '/msdyn_ocsessions'])
		expect((await dataverse('GET', path)).status).toBe(501);
	expect((await dataverse('POST', '/annotations', { body: {} })).status).toBe(501);
	expect((await dataverse('DELETE', `/annotations(${UNKNOWN})`)).status).toBe(501);
});
