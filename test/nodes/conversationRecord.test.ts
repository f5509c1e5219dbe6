import type { Json } from '../../nodes/shared/json';
import { entries } from '../support/emulator';
import { emulator, run, start, useEmulator, usePackage } from '../support/operation';

usePackage();
useEmulator();

const UNKNOWN = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
const byId = (value: string) => ({ conversationId: { __rl: true, mode: 'id', value } });
const calls = () => entries(emulator, 'dataverse');

function started(): string {
	emulator.addConversations(1);
	return emulator.desk.list().at(-1)!.id;
}

describe('a conversation’s record', () => {
	test('is one item with the labels of the service, names, and a link', async () => {
		const id = started();
		emulator.desk.accept(id, { agentName: 'Ana Lopes' });
		emulator.desk.linkCase(id, 'Loud pump');
		emulator.desk.transfer(id, { agentName: 'Marco Conti' });
		emulator.desk.close(id);
		const { items } = await run('conversation: get', byId(`{${id.toUpperCase()}}`));
		expect(items.map(({ json }) => json)).toEqual([
			{
				conversationId: id,
				status: 'Closed',
				subject: 'Customer: Contoso Messenger',
				startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
				closedAt: expect.stringMatching(/^\d{4}-.*Z$/),
				customerId: null,
				customerName: null,
				representativeId: emulator.desk.get(id).representative!.id,
				representativeName: 'Marco Conti',
				queueId: expect.stringMatching(/^[0-9a-f-]{36}$/),
				queueName: 'Contoso Messaging queue',
				workstreamId: emulator.world.workstreamId,
				workstreamName: 'Contoso Messaging',
				caseId: expect.stringMatching(/^[0-9a-f-]{36}$/),
				caseName: 'Loud pump',
				sentiment: null,
				transfers: 1,
				url: `${emulator.origin}/main.aspx?pagetype=entityrecord&etn=msdyn_ocliveworkitem&id=${id}`,
			},
		]);
	});

	test('of what is not there is an error that says so', async () => {
		const { error } = await run('conversation: get', byId(UNKNOWN));
		expect(error).toMatchObject({ message: 'Dataverse has no such record', httpCode: '404' });
		expect(error!.description).toContain('Check the ID of the channel or the conversation');
	});

	test('without a role says which rights it needs', async () => {
		emulator.settings.dataverse.role = 'none';
		const { error } = await run('conversation: get', byId(UNKNOWN));
		expect(error!.description).toContain(
			'to read Conversations, Transcripts, Notes, Languages and Customer Voice Surveys',
		);
	});
});

describe.each(['conversation: get', 'conversation: getTranscript'])('%s', (name) => {
	test.each(['9f6c', "x' or 1 eq 1", `${UNKNOWN}) or (a`, `${UNKNOWN}/msdyn_x`])(
		'sends nothing for what is no GUID: %s',
		async (value) => {
			const { error } = await run(name, byId(value));
			expect(error).toMatchObject({ message: expect.stringContaining('Conversation is not a GUID') });
			expect(emulator.log).toEqual([]);
		},
	);

	test('needs Environment URL in the credential, and says so', async () => {
		const { error } = await run(name, byId(UNKNOWN), { credential: { environmentUrl: '' } });
		expect(error).toMatchObject({
			message: expect.stringContaining('Environment URL is missing in the credential'),
		});
		expect(calls()).toEqual([]);
	});
});

describe('a transcript', () => {
	beforeEach(() => void (emulator.settings.transcripts.delayMs = 0));

	const FILE = { name: 'manual.pdf', contentType: 'application/pdf', data: Buffer.from('%PDF-') };

	const MEGABYTE = 1024 * 1024;
	const base64 = (text: string) => Buffer.from(text).toString('base64');
	const SAID = JSON.stringify([{ id: '1', content: 'Hello', from: { user: { displayName: 'Ana' } } }]);
	const answer = (json: object) => ({
		status: 200,
		body: JSON.stringify(json),
		contentType: 'application/json',
	});

	/** Has Dataverse give these contents of notes, in their order. @param others entries of the list before them. */
	function holdNotes(bodies: string[], others: Json[] = []): void {
		const value = [...others, ...bodies.map(() => ({ annotationid: UNKNOWN, filesize: null }))];
		emulator.settings.faults = [
			{ match: { operationId: 'dataverse.listNotes' }, action: answer({ value }) },
			...bodies.map((documentbody) => ({
				match: { operationId: 'dataverse.getNote' },
				action: answer({ annotationid: UNKNOWN, documentbody }),
				times: 1,
			})),
		];
	}

	/** A conversation with words of all kinds, up to its close. */
	function closed(): string {
		const id = started();
		emulator.desk.accept(id, { agentName: 'Ana Lopes' });
		emulator.desk.reply(id, { text: 'Turn it **off**', files: [FILE] });
		emulator.desk.privateNote(id, 'A difficult one');
		emulator.desk.reply(id, { text: 'Bye' });
		emulator.desk.close(id);
		return id;
	}

	const read = async (id: string, options: object = {}) => {
		const { items, error, hints } = await run('conversation: getTranscript', { ...byId(id), options });
		expect(error).toBeUndefined();
		return { items, hints, json: items.map((item) => item.json) };
	};

	test.each(['list', 'content'] as const)('is one item a message, in order, in the form %s', async (form) => {
		emulator.settings.transcripts.form = form;
		const id = closed();
		const { json } = await read(id);
		const from = {
			conversationId: id,
			from: { id: null, name: 'Ana Lopes' },
			fromType: 'representative',
			isPrivate: false,
		};
		expect(json).toEqual([
			{
				...from,
				messageId: expect.any(String),
				sentAt: expect.stringMatching(/Z$/),
				text: 'Turn it **off**',
				plainText: 'Turn it off',
				attachments: [{ name: 'manual.pdf', contentType: 'application/pdf', id: expect.any(String) }],
			},
			{
				...from,
				messageId: expect.any(String),
				sentAt: expect.stringMatching(/Z$/),
				text: 'Bye',
				plainText: 'Bye',
				attachments: [],
			},
		]);
	});

	test('has private words and notices by options alone', async () => {
		const id = closed();
		const texts = async (options: object) => (await read(id, options)).json.map(({ text }) => text);
		expect(await texts({ includePrivate: true })).toEqual(['Turn it **off**', 'A difficult one', 'Bye']);
		const noticed = await texts({ includeNotices: true });
		expect(noticed).toContain('AgentAccepted · Ana Lopes');
		expect(noticed).not.toContain('A difficult one');
	});

	test('brings its files as binary data', async () => {
		const { items } = await read(closed(), { downloadFiles: true });
		expect(items[0]!.json.attachments).toMatchObject([
			{ binaryProperty: 'attachment_0', downloadError: null },
		]);
		const { data, fileName, mimeType } = items[0]!.binary!.attachment_0!;
		expect(Buffer.from(data, 'base64')).toEqual(FILE.data);
		expect([fileName, mimeType]).toEqual(['manual.pdf', 'application/pdf']);
	});

	test.each<[Record<string, Json>, string, string]>([
		[{}, 'manual.pdf', 'application/pdf'],
		[{ filename: '', mimetype: 'file' }, 'manual.pdf', 'application/pdf'],
		[{ filename: 'chats%2F42%2Fa.png', mimetype: 'IMAGE/PNG' }, 'a.png', 'image/png'],
	])('has the name and the type of the message where its note has none: %j', async (note, name, type) => {
		const match = { operationId: 'dataverse.getNote' };
		const documentbody = FILE.data.toString('base64');
		emulator.settings.faults = [
			{ match, action: { delayMs: 1 }, times: 1 },
			{ match, action: answer({ annotationid: UNKNOWN, documentbody, ...note }) },
		];
		const { items } = await read(closed(), { downloadFiles: true });
		expect(items[0]!.binary!.attachment_0).toMatchObject({ fileName: name, mimeType: type });
	});

	test('keeps its words where a file cannot be had', async () => {
		const match = { operationId: 'dataverse.getNote' };
		// The first one is the transcript itself.
		emulator.settings.faults = [
			{ match, action: { delayMs: 1 }, times: 1 },
			{ match, action: { status: 404, code: 0x80040217 } },
		];
		const { json } = await read(closed(), { downloadFiles: true });
		expect(json).toHaveLength(2);
		expect(json[0]!.attachments).toMatchObject([
			{ binaryProperty: null, downloadError: 'Dataverse has no such record' },
		]);
	});

	test('that is not there yet gives nothing, and says so', async () => {
		emulator.settings.transcripts.delayMs = 60_000;
		const { items, hints } = await read(closed());
		expect(items).toEqual([]);
		expect(hints.map(({ message }) => message)).toEqual([expect.stringContaining('no transcript')]);
	});

	test('is waited for where that is asked', async () => {
		emulator.settings.transcripts.delayMs = 600;
		expect((await read(closed(), { waitForTranscript: 20 })).items).toHaveLength(2);
	});

	test('is no longer waited for when the execution is cancelled', async () => {
		emulator.settings.transcripts.delayMs = 600_000;
		const running = start('conversation: getTranscript', {
			...byId(closed()),
			options: { waitForTranscript: 300 },
		});
		while (!calls().some(({ operationId }) => operationId === 'dataverse.listTranscripts'))
			await new Promise(setImmediate);
		running.cancel();
		await running;
		const asked = calls().length;
		await new Promise((resolve) => setTimeout(resolve, 1_500));
		expect(calls()).toHaveLength(asked);
	});

	test.each([
		['no base64', '***'],
		['no JSON', Buffer.from('[{').toString('base64')],
		['no list', Buffer.from('"x"').toString('base64')],
	])('that is %s is an error by its name', async (_, documentbody) => {
		holdNotes([documentbody]);
		const { error } = await run('conversation: getTranscript', byId(closed()));
		expect(error).toMatchObject({ message: expect.stringContaining('The transcript cannot be read') });
	});

	test('is found among notes that are something else, which are told of', async () => {
		const bodies = ['PK\u0003\u0004 a Word file', '', '{"mine":1}', SAID, '[{'].map(base64);
		holdNotes([...bodies, '***']);
		const { json, hints } = await read(closed());
		expect(json.map(({ text }) => text)).toEqual(['Hello']);
		expect(hints.map(({ message }) => message)).toEqual([
			'Skipped other notes of the transcript: 2 are no JSON, 1 is no list of messages and 1 is no base64.',
		]);
	});

	test('is read beside a file of any size that somebody attached, which is not fetched', async () => {
		holdNotes([base64(SAID)], [{ annotationid: UNKNOWN, filesize: 100 * MEGABYTE }, {}, null]);
		const { json, hints } = await read(closed());
		expect(json.map(({ text }) => text)).toEqual(['Hello']);
		expect(hints.map(({ message }) => message)).toEqual([
			'Skipped other notes of the transcript: 1 is larger than 25 MB.',
		]);
		expect(calls().filter(({ operationId }) => operationId === 'dataverse.getNote')).toHaveLength(1);
	});

	test.each([
		['by what Dataverse says of it', [], [{ annotationid: UNKNOWN, filesize: 26 * MEGABYTE }]],
		['by what it holds', [Buffer.alloc(26 * MEGABYTE, ' ').toString('base64')], []],
	])('that is too large %s is an error by its name', async (_, bodies, others) => {
		holdNotes(bodies, others);
		const { error } = await run('conversation: getTranscript', byId(closed()));
		expect(error).toMatchObject({ message: expect.stringContaining('larger than 25 MB') });
	});

	test('of no conversation is an error', async () => {
		const { error } = await run('conversation: getTranscript', byId(UNKNOWN));
		expect(error).toMatchObject({ message: 'Dataverse has no such record' });
	});
});
