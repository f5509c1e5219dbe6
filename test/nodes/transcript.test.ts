import fc from 'fast-check';
import { decodeNote, unreadableTranscript } from '../../nodes/Dynamics365Messaging/dataverse/transcript';
import { readTranscript, type TranscriptOptions } from '../../nodes/Dynamics365Messaging/activity/transcript';
import type { Json } from '../../nodes/shared/json';

const NONE: TranscriptOptions = { includeNotices: false, includePrivate: false, customerName: 'Kim Berger' };
const ALL: TranscriptOptions = { ...NONE, includeNotices: true, includePrivate: true };

const read = (json: Json, options: Partial<TranscriptOptions> = {}) => {
	// Of a list without any message nothing may come out either.
	return readTranscript(json, { ...NONE, ...options }) ?? { messages: [], unreadable: 0 };
};
const textsOf = (json: Json, options: Partial<TranscriptOptions> = {}) =>
	read(json, options).messages.map(({ text }) => text);

const AT = '2026-08-21T10:00:00.000Z';
const base = { createdDateTime: AT, isControlMessage: false, deliveryMode: 'bridged', deleted: false };
const customer = {
	...base,
	id: '1',
	content: 'It is loud',
	from: { application: { displayName: 'Customer' } },
};
const representative = {
	...base,
	id: '2',
	content: 'Turn it **off**',
	from: { user: { displayName: 'Ana' } },
};
const notice = { ...base, id: '3', content: 'Ana has joined', tags: 'system' };
const control = {
	...base,
	id: '4',
	content: '{}',
	isControlMessage: true,
	from: { user: { displayName: 'Ana' } },
};
const file = {
	...representative,
	id: '5',
	content: '',
	attachments: [
		{ name: 'a.pdf', fileType: 'application/pdf', annotationid: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d' },
	],
};
const secret = { ...representative, id: '6', content: 'Do not tell', tags: 'agent,private' };
const SAMPLES = [customer, representative, notice, control, file, secret];

test('the samples of the documentation come out as who said what', () => {
	expect(read(SAMPLES)).toEqual({
		unreadable: 0,
		messages: [
			{
				messageId: '1',
				sentAt: AT,
				from: { id: null, name: 'Customer' },
				fromType: 'customer',
				text: 'It is loud',
				plainText: 'It is loud',
				attachments: [],
				isPrivate: false,
			},
			{
				messageId: '2',
				sentAt: AT,
				from: { id: null, name: 'Ana' },
				fromType: 'representative',
				text: 'Turn it **off**',
				plainText: 'Turn it off',
				attachments: [],
				isPrivate: false,
			},
			{
				messageId: '5',
				sentAt: AT,
				from: { id: null, name: 'Ana' },
				fromType: 'representative',
				text: null,
				plainText: null,
				attachments: [
					{ name: 'a.pdf', contentType: 'application/pdf', id: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d' },
				],
				isPrivate: false,
			},
		],
	});
});

test('notices and private words come out by their options, and say what they are', () => {
	expect(read(SAMPLES, { includeNotices: true }).messages.map(({ fromType }) => fromType)).toContain(
		'system',
	);
	expect(textsOf(SAMPLES, { includeNotices: true })).not.toContain('Do not tell');
	const { messages } = read(SAMPLES, { includePrivate: true });
	expect(messages.filter(({ isPrivate }) => isPrivate).map(({ text }) => text)).toEqual(['Do not tell']);
	expect(textsOf(SAMPLES, ALL)).not.toContain('{}');
});

const wrap = (list: Json): Json => [{ Content: JSON.stringify(list) }];
const upper = (list: Array<Record<string, unknown>>): Json =>
	JSON.parse(
		JSON.stringify(list).replace(
			/"([a-z])([A-Za-z]*)":/g,
			(_, a: string, b: string) => `"${a.toUpperCase()}${b}":`,
		),
	);

test.each<[string, Json]>([
	['a list as a text', wrap(SAMPLES)],
	['a list as a text behind a byte order mark', [{ Content: `\uFEFF${JSON.stringify(SAMPLES)}` }]],
	['a list within', [{ Content: SAMPLES }]],
	['an object with a list', { content: JSON.stringify(SAMPLES) }],
	['PascalCase', upper(SAMPLES)],
	['PascalCase in a text', wrap(upper(SAMPLES))],
])('every form of the note is read: %s', (_, json) => {
	expect(read(json)).toEqual(read(SAMPLES));
});

test.each<[string, Json]>([
	['a list', ['private', 'x']],
	['a list of objects', [{ name: 'Private' }]],
	['JSON', '["Private"]'],
	['another casing', ' PRIVATE '],
	['a longer tag', 'isprivate'],
	['hidden', 'hidden'],
])('private words stay private with tags as %s', (_, tags) => {
	expect(textsOf([{ ...representative, tags }])).toEqual([]);
	expect(textsOf(wrap([{ ...representative, tags }]))).toEqual([]);
});

test.each<[string, object]>([
	['deleted', { deleted: true }],
	['deleted, as a text', { deleted: 'True' }],
	['deleted at a time', { deleted: AT }],
	['a control message, as a text', { isControlMessage: 'true' }],
	['of the mode internal', { deliveryMode: 'Internal' }],
])('nothing comes out of what is %s', (_, change) => {
	expect(read([{ ...file, content: 'x', ...change }])).toEqual({ messages: [], unreadable: 0 });
});

test.each<[string, Json, number]>([
	['a text', 'x', 1],
	['null', null, 1],
	['neither sender nor time', { content: 'x' }, 1],
	['a content that is no text', { ...representative, content: { a: 1 } }, 1],
	['a list that is broken', { Content: `${JSON.stringify([secret])}x` }, 1],
	['a broken list with a time', { Content: `${JSON.stringify([secret])}x`, createdDateTime: AT }, 1],
	['a list in a list', { Content: JSON.stringify([{ Content: JSON.stringify([secret]) }]) }, 1],
	['no words and no files', { ...representative, content: '' }, 0],
])('an entry that is %s loses no other, and is counted', (_, entry, unreadable) => {
	const transcript = read([customer, entry, representative]);
	expect(transcript.messages.map(({ text }) => text)).toEqual(['It is loud', 'Turn it **off**']);
	expect(transcript.unreadable).toBe(unreadable);
});

test.each<Json>([
	null,
	'x',
	1,
	true,
	{ a: 1 },
	{ name: 'a package', private: true },
	{ deleted: true },
	[1, null],
	[{ Content: '[broken' }],
])('%j is no transcript', (json) => {
	expect(readTranscript(json, NONE)).toBeUndefined();
});

test('a customer who quotes a transcript makes no words of others', () => {
	const quote = JSON.stringify([representative]);
	expect(textsOf([{ ...customer, content: quote }])).toEqual([quote]);
});

test.each<[object, string | null, string | null]>([
	[{ application: { displayName: '__customer__' } }, null, 'customer'],
	[{ application: { displayName: 'kim berger' } }, 'Kim Berger', 'customer'],
	[{ application: { displayName: 'Robo' } }, 'Kim Berger', null],
	[{ application: { displayName: 'Robo' } }, null, null],
	[{ guest: { displayName: 'teamsvisitor:8f' } }, null, 'customer'],
	[{ user: { displayName: 'Ana' } }, null, 'representative'],
	[{}, null, null],
])('who wrote it: %j where the customer is %p', (from, customerName, fromType) => {
	expect(read([{ ...customer, from } as Json], { customerName }).messages).toMatchObject([{ fromType }]);
});

test('the order is that of the times, also where the list begins at its end', () => {
	const at = (second: number | string, content: string) => ({
		...customer,
		content,
		createdDateTime: typeof second === 'string' ? second : `2026-08-21T10:00:0${second}.1234567+00:00`,
	});
	expect(textsOf([at(3, 'd'), at(1, 'c'), at(1, 'b'), at(0, 'a')])).toEqual(['a', 'b', 'c', 'd']);
	expect(textsOf([at(0, 'a'), at('soon', 'b'), at(2, 'c')])).toEqual(['a', 'b', 'c']);
	expect(read([at('2026-08-21T10:00:00', 'a')]).messages[0]?.sentAt).toBe(AT);
});

/** Entries of all kinds, with words that tell whether they may come out. */
const entry = fc.record({
	kind: fc.constantFrom('public', 'private', 'control', 'deleted', 'internal', 'hidden', 'junk'),
	tags: fc.constantFrom('', 'public', 'system', 'public,system', 'client_activity_id:7'),
	sender: fc.constantFrom('user', 'application', 'guest'),
	form: fc.constantFrom('camel', 'pascal', 'wrapped', 'lower'),
	second: fc.integer({ min: 0, max: 59 }),
});

function made(given: typeof entry extends fc.Arbitrary<infer T> ? T : never, index: number): Json {
	const { form, kind, second, sender, tags } = given;
	const message = {
		id: String(index),
		content: kind === 'public' ? `open ${index}` : `closed ${index}`,
		createdDateTime: `2026-08-21T10:00:${String(second).padStart(2, '0')}Z`,
		...(kind !== 'junk' && { from: { [sender]: { displayName: 'Somebody' } } }),
		...(kind === 'junk' && { content: [`closed ${index}`] }),
		isControlMessage: kind === 'control',
		deleted: kind === 'deleted',
		deliveryMode: kind === 'internal' ? 'internal' : 'bridged',
		tags: ['private', 'hidden'].includes(kind) ? `${tags},${kind}` : tags,
	};
	if (form === 'wrapped') return { Content: JSON.stringify([message]) };
	if (form === 'pascal') return (upper([message]) as Json[])[0] ?? null;
	if (form === 'camel') return message;
	return Object.fromEntries(Object.entries(message).map(([key, value]) => [key.toLowerCase(), value]));
}

test('of a hundred generated transcripts nothing private comes out unasked, and no open word is lost', () => {
	const property = fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
		const list = entries.map(made);
		const isNotice = ({ tags }: { tags: string }) => tags.includes('system');
		const open = entries.flatMap((one, index) =>
			one.kind === 'public' && !isNotice(one) ? [`open ${index}`] : [],
		);
		expect(textsOf(list).sort()).toEqual(open.sort());
		expect(textsOf(list, { includeNotices: true }).filter((text) => text?.startsWith('closed'))).toEqual([]);
	});
	fc.assert(property, { numRuns: 100 });
});

describe('the note', () => {
	const note = (text: string) => ({ DocumentBody: Buffer.from(text).toString('base64') });

	test('is base64 of JSON, with or without a byte order mark', () => {
		expect(decodeNote(note('[1]'))).toEqual({ kind: 'json', json: [1] });
		expect(decodeNote(note('\uFEFF[1]'))).toEqual({ kind: 'json', json: [1] });
		const empties: Json[] = [{}, null, { documentbody: '' }];
		for (const empty of empties) expect(decodeNote(empty)).toEqual({ kind: 'empty' });
	});

	test.each<[string, Json]>([
		['no base64', { documentbody: '*' }],
		['no JSON', note('[')],
		['no JSON', { documentbody: Buffer.from('[1]', 'utf16le').toString('base64') }],
		['larger than 25 MB', { documentbody: 'A'.repeat(36 * 1024 * 1024) }],
	])('that is %s is told by its name', (reason, json) => {
		expect(decodeNote(json)).toEqual({ kind: 'unreadable', reason });
	});

	test('in the words of the error is counted where there are several', () => {
		expect(unreadableTranscript(['no JSON']).message).toBe(
			'The transcript cannot be read: its note is no JSON',
		);
		expect(unreadableTranscript(['no JSON', 'no base64', 'no JSON']).message).toBe(
			'The transcript cannot be read: of the 3 notes that it has, 2 are no JSON and 1 is no base64',
		);
	});

	test('may be any of a hundred odd ones: none throws, and what comes out is messages', () => {
		const deep = fc.nat({ max: 20_000 }).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`);
		const text = fc.oneof(
			fc.json(),
			deep,
			fc.string(),
			fc.constantFrom(
				'null',
				'[null]',
				'[1e999]',
				'[12345678901234567890]',
				'[{}]',
				'{"content":[null,1]}',
				'',
			),
		);
		const encoded = fc
			.tuple(
				text,
				fc.constantFrom<BufferEncoding>('utf8', 'utf16le', 'latin1'),
				fc.constantFrom('', '\uFEFF'),
			)
			.map(([words, encoding, mark]) => Buffer.from(mark + words, encoding).toString('base64'));
		const body = fc.oneof(
			encoded,
			fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
			fc.string(),
			fc.constant('A'.repeat(36 * 1024 * 1024)),
			fc.constantFrom<Json>(null, 0, 1, true, [], {}),
		);
		const property = fc.property(body, (documentbody) => {
			const content = decodeNote({ documentbody });
			const transcript = content.kind === 'json' ? readTranscript(content.json, ALL) : undefined;
			for (const message of transcript?.messages ?? []) expect(message).toHaveProperty('text');
		});
		fc.assert(property, { numRuns: 300 });
	});
});

test.each<[string, Json]>([
	['a private list within an entry', [{ tags: 'private', content: JSON.stringify([customer]) }]],
	['a list that is deleted', [{ deleted: true, content: JSON.stringify([customer]) }]],
	['tags among its properties', [{ ...customer, properties: { tags: 'private' } }]],
	['tags of its channel', [{ ...customer, channelData: { tags: ['agent', 'private'] } }]],
	['a private delivery', [{ ...customer, deliveryMode: 'private' }]],
	['a list of delivery modes', [{ ...customer, deliveryMode: ['internal'] }]],
	['the tag internal', [{ ...customer, tags: 'internal' }]],
	['a tag that begins with hidden', [{ ...customer, tags: 'hidden-from-customer' }]],
	['isPrivate', [{ ...customer, isPrivate: true }]],
	['private', [{ ...customer, private: 'yes' }]],
	['tags in two casings', [{ ...customer, tags: '', Tags: 'private' }]],
	['a private attachment', [{ ...customer, attachments: [{ name: 'a', tags: 'private' }] }]],
	['the time of its deletion', [{ ...customer, deletedDateTime: AT }]],
	['a control message in its properties', [{ ...customer, properties: { isControlMessage: true } }]],
	['no sender', [{ ...base, content: 'x ' + JSON.stringify([secret]) }]],
])('nothing comes out unasked of an entry with %s', (_, json) => {
	expect(read(json).messages).toEqual([]);
});

test('an application of another name is an AI agent only where the customer is known', () => {
	const named = (displayName: string) => ({
		...customer,
		id: displayName,
		from: { application: { displayName } },
	});
	const types = (...names: string[]) => read(names.map(named)).messages.map(({ fromType }) => fromType);
	expect(types('Kim Berger', 'Bot')).toEqual(['customer', 'aiAgent']);
	expect(types('Kim', 'Bot')).toEqual([null, null]);
});

test('a long text of blanks is read at once', () => {
	const from = performance.now();
	read([{ ...customer, content: `${' '.repeat(200_000)}x` }]);
	read([{ ...base, content: `${' '.repeat(200_000)}x` }]);
	expect(performance.now() - from).toBeLessThan(1_000);
});
