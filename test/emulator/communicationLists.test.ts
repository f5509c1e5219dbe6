import type { Emulator } from '../../emulator';
import { validateCommunicationAnswer } from '../../emulator/communication/validate';
import { type CommunicationClient, connectCommunication, start } from './support';

interface Entry {
	id?: string;
	conversationId?: string;
	name?: string;
	language?: string;
}
interface Page {
	value: Entry[];
	nextLink?: string | null;
}

let emulator: Emulator;
let acs: CommunicationClient;
beforeAll(async () => {
	emulator = await start();
	acs = connectCommunication(emulator);
	emulator.communication.addConversations(7);
	for (let count = 2; count <= 8; count++) {
		emulator.communication.receive(emulator.world.communicationConversationId, String(count));
	}
});
afterEach(() => {
	emulator.settings.communication.lists = {};
	emulator.settings.communication.maxPageSize = 100;
});
afterAll(() => emulator.close());

const VERSION = 'api-version=2025-04-01-preview';
const idOf = ({ conversationId, id, language, name }: Entry) => id ?? conversationId ?? `${name} ${language}`;

const paths: Record<string, () => string> = {
	listConversations: () => '/conversations',
	listMessages: () => `${acs.own}/messages`,
	listTemplates: () => `/channels/${emulator.world.communicationChannelId}/templates`,
};

/** A page, by its path with a query, or by the link to it. */
async function read(target: string): Promise<Page> {
	const prefix = `${emulator.origin}/messages`;
	const { json, status } = await acs('GET', target.startsWith(prefix) ? target.slice(prefix.length) : target);
	expect(status).toBe(200);
	return json as unknown as Page;
}

/** Up to ten pages, by their links. */
async function readAll(first: string): Promise<Page[]> {
	const pages = [await read(first)];
	for (let next = pages[0]?.nextLink; next && pages.length < 10; next = pages.at(-1)?.nextLink) {
		pages.push(await read(next));
	}
	return pages;
}
const idsOf = (pages: Page[]) => pages.map(({ value }) => value.map(idOf));

describe.each(Object.keys(paths))('%s', (name) => {
	const whole = async () => (await read(String(paths[name]?.()))).value.map(idOf);
	const paged = (size: number) => readAll(`${paths[name]?.()}?${VERSION}&maxPageSize=${size}`);

	test('has all entries once, however large the pages are', async () => {
		const all = await whole();
		expect(all).toHaveLength(8);
		for (const size of [1, 2, 7, 8, 9]) {
			const ids = idsOf(await paged(size));
			expect(ids.flat()).toEqual(all);
			expect(ids.map(({ length }) => length)).toEqual(
				Array.from({ length: Math.ceil(8 / size) }, (_, page) => Math.min(size, 8 - page * size)),
			);
		}
	});

	test('has links to the same origin and path, with the version and all else that was asked for', async () => {
		const page = await read(`${paths[name]?.()}?${VERSION}&maxPageSize=3`);
		expect(validateCommunicationAnswer(`communication.${name}`, 200, page)).toEqual([]);
		const link = new URL(String(page.nextLink));
		expect([link.origin, link.pathname]).toEqual([emulator.origin, `/messages${paths[name]?.()}`]);
		expect(Object.fromEntries(link.searchParams)).toEqual({
			'api-version': '2025-04-01-preview',
			maxPageSize: '3',
			continuationToken: expect.any(String),
		});
	});

	test('has no larger pages than the service allows', async () => {
		emulator.settings.communication.maxPageSize = 5;
		expect(idsOf(await paged(6)).map(({ length }) => length)).toEqual([5, 3]);
		expect(idsOf(await readAll(String(paths[name]?.()))).map(({ length }) => length)).toEqual([5, 3]);
	});

	test('can have links to another origin', async () => {
		emulator.settings.communication.lists = { foreignNextLink: true };
		const { nextLink, value } = await read(`${paths[name]?.()}?${VERSION}&maxPageSize=3`);
		expect(value).toHaveLength(3);
		expect(nextLink).toMatch(/^https:\/\/communication\.invalid\/messages\/.*continuationToken=/);
	});

	test('can lead in a circle', async () => {
		emulator.settings.communication.lists = { sameLink: true };
		const pages = await paged(3);
		expect(pages).toHaveLength(10);
		expect(new Set(pages.map(({ nextLink }) => nextLink)).size).toBe(1);
		expect(new Set(idsOf(pages).map(String)).size).toBe(1);
	});

	test('can have empty pages, after which it goes on', async () => {
		const all = await whole();
		emulator.settings.communication.lists = { emptyPages: true };
		const ids = idsOf(await paged(3));
		expect(ids.map(({ length }) => length)).toEqual([3, 0, 3, 0, 2]);
		expect(ids.flat()).toEqual(all);
	});
});

test('messages are listed with the newest first, and a new one does not shift the pages', async () => {
	const path = `${acs.own}/messages?${VERSION}&maxPageSize=2`;
	const [first, second] = idsOf(await readAll(path));
	expect(first?.map(Number)).toEqual([...(first ?? [])].map(Number).sort((a, b) => b - a));
	const { nextLink } = await read(path);
	const { id } = emulator.communication.receive(emulator.world.communicationConversationId, 'new');
	expect((await read(String(nextLink))).value.map(idOf)).toEqual(second);
	expect((await read(path)).value.map(idOf)).toEqual([id, first?.[0]]);
});

test('a conversation that is deleted does not shift the pages', async () => {
	const path = `/conversations?${VERSION}&maxPageSize=2`;
	const [first, second] = idsOf(await readAll(path));
	const { nextLink } = await read(path);
	await acs('DELETE', `/conversations/${encodeURIComponent(String(first?.[1]))}`);
	expect((await read(String(nextLink))).value.map(idOf)).toEqual(second);
	emulator.communication.addConversations(1);
});

describe('filters', () => {
	const listed = async (query: string) => (await read(`/conversations?${VERSION}&${query}`)).value.map(idOf);
	const own = () => emulator.world.communicationConversationId;

	test('by a participant or a contact', async () => {
		expect(await listed('participantId=14255550123')).toEqual([own()]);
		expect(await listed(`participantId=${encodeURIComponent(emulator.world.communicationUserId)}`)).toEqual([
			own(),
		]);
		expect(await listed('participantId=nobody')).toEqual([]);
	});

	test('by a channel, in either casing', async () => {
		const { communicationChannelId } = emulator.world;
		await acs('POST', '/conversations', { body: { conversation: { topic: 'without a channel' } } });
		for (const id of [communicationChannelId, communicationChannelId.toUpperCase()]) {
			expect(await listed(`channelId=${id}`)).toHaveLength(8);
		}
		expect(await listed('channelId=0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d')).toEqual([]);
		expect(await listed('')).toHaveLength(9);
	});

	test('stay on the following pages', async () => {
		const { communicationChannelId } = emulator.world;
		const first = `/conversations?${VERSION}&maxPageSize=4&channelId=${communicationChannelId}`;
		expect(idsOf(await readAll(first)).map(({ length }) => length)).toEqual([4, 4]);
	});

	test('messages by their sender', async () => {
		const body = { request: { kind: 'text', content: 'from the business' } };
		const { json } = await acs('POST', `${acs.own}/messages:send`, { body });
		const from = async (id: string) =>
			(await read(`${acs.own}/messages?${VERSION}&participantId=${encodeURIComponent(id)}`)).value.map(idOf);
		expect(await from(emulator.world.communicationUserId)).toEqual([json.messageId]);
		expect(await from('14255550123')).not.toContain(json.messageId);
		expect((await from('14255550123')).length).toBeGreaterThan(6);
		expect(await from('nobody')).toEqual([]);
	});
});

test('conversations may say conversationId where the schema says id', async () => {
	emulator.settings.communication.lists = { idAsConversationId: true };
	const { value } = await read('/conversations');
	expect(value[0]).toMatchObject({
		conversationId: emulator.world.communicationConversationId,
		topic: 'Order 1042',
	});
	expect(value.some((entry) => 'id' in entry)).toBe(false);
});
