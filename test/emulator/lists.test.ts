import type { Emulator } from '../../emulator';
import { Conversations } from '../../emulator/messaging/conversations';
import { Log } from '../../emulator/log';
import { firstIndex, Pager } from '../../emulator/messaging/pages';
import { type Client, connect, start, startConversation } from './support';

let emulator: Emulator;
let client: Client;
/** The conversation whose messages are read. It is one of the 8 that are listed. */
let conversationId: string;
beforeAll(async () => {
	emulator = await start();
	client = await connect(emulator);
	emulator.addConversations(7);
	conversationId = await startConversation(client);
	emulator.desk.accept(conversationId);
	for (let count = 0; count < 8; count++) emulator.desk.reply(conversationId, { text: String(count) });
});
afterEach(() => {
	emulator.settings.lists = {};
});
afterAll(() => emulator.close());

interface PageSeen {
	ids: string[];
	token: string | null | undefined;
}

interface List {
	read: (token?: string | null, size?: number) => Promise<PageSeen>;
	status: (token: string) => Promise<unknown[]>;
	all: () => string[];
}

const query = (token: string | null | undefined, size: number) =>
	`PageSize=${size}${token ? `&ContinuationToken=${encodeURIComponent(token)}` : ''}`;

const lists: Record<string, List> = {
	conversations: {
		read: async (token, size = 2) => {
			const { json } = await client('GET', `/conversations?${query(token, size)}`);
			const entries = json.conversations as { conversationid: string }[];
			return {
				ids: entries.map(({ conversationid }) => conversationid),
				token: json.continuationtoken as string | null,
			};
		},
		status: async (token) => {
			const { status, json } = await client('GET', `/conversations?${query(token, 2)}`);
			return [status, json.errorCode];
		},
		all: () => emulator.desk.list().map(({ id }) => id),
	},
	messages: {
		read: async (token, size = 2) => {
			const { json } = await client('GET', `/conversation/${conversationId}/messages?${query(token, size)}`);
			const entries = json.messages as { messageId: string }[];
			return {
				ids: entries.map(({ messageId }) => messageId),
				token: json.continuationToken as string | undefined,
			};
		},
		status: async (token) => {
			const path = `/conversation/${conversationId}/messages?${query(token, 2)}`;
			const { status, json } = await client('GET', path);
			return [status, json.errorCode];
		},
		all: () => emulator.desk.get(conversationId).messages.map(({ messageId }) => messageId),
	},
};

/** Follows the tokens to the end, or for as many pages as are wanted. */
async function walk({ read }: List, { size, pages = 20 }: { size?: number; pages?: number } = {}) {
	const seen = [await read(undefined, size)];
	while (seen.length < pages && seen.at(-1)?.token) seen.push(await read(seen.at(-1)?.token, size));
	return { ids: seen.map(({ ids }) => ids), tokens: seen.map(({ token }) => token) };
}

const inThrees = (ids: string[]) => [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)];

describe.each(Object.entries(lists))('odd lists of %s', (_name, list) => {
	test('none, when nothing is asked for', async () => {
		const { ids, tokens } = await walk(list);
		expect(ids).toEqual([0, 2, 4, 6].map((index) => list.all().slice(index, index + 2)));
		expect(new Set(tokens).size).toBe(4);
		expect(tokens.at(-1) ?? null).toBeNull();
	});

	test.each([1, 2, 50])('pages of 3 when %i are asked for', async (size) => {
		emulator.settings.lists = { ignorePageSize: true };
		expect((await walk(list, { size })).ids).toEqual(inThrees(list.all()));
	});

	test('the same token again and again, while the entries go on', async () => {
		emulator.settings.lists = { repeatToken: true };
		// Read twice, because one reader must not change the position of another.
		for (const { ids, tokens } of [await walk(list), await walk(list)]) {
			expect(ids.flat()).toEqual(list.all());
			expect(tokens).toEqual([tokens[0], tokens[0], tokens[0], list === lists.messages ? undefined : null]);
			expect(tokens[0]).toEqual(expect.any(String));
		}
	});

	test('no token is good', async () => {
		const { token } = await list.read();
		expect((await list.status(String(token)))[0]).toBe(200);
		emulator.settings.lists = { rejectTokens: true };
		expect((await list.read()).ids).toEqual(list.all().slice(0, 2));
		expect(await list.status(String(token))).toEqual([400, 30009]);
	});

	test.each([2, 50])('empty pages for ever, after a first one of %i', async (size) => {
		emulator.settings.lists = { emptyPages: true };
		const { ids, tokens } = await walk(list, { size, pages: 7 });
		expect(ids).toEqual([list.all().slice(0, size), [], [], [], [], [], []]);
		expect(new Set(tokens).size).toBe(7);
	});

	test.each([2, 50])('the same %i entries for ever', async (size) => {
		emulator.settings.lists = { samePage: true };
		const { ids, tokens } = await walk(list, { size, pages: 7 });
		expect(ids).toEqual(Array.from({ length: 7 }, () => list.all().slice(0, size)));
		expect(new Set(tokens).size).toBe(7);
	});

	test('two oddities at once', async () => {
		emulator.settings.lists = { ignorePageSize: true, repeatToken: true };
		const { ids, tokens } = await walk(list);
		expect(ids).toEqual(inThrees(list.all()));
		expect(tokens[1]).toBe(tokens[0]);
	});

	test('tokens of a list that was odd lead on when it no longer is', async () => {
		emulator.settings.lists = { repeatToken: true };
		const { token } = await list.read();
		emulator.settings.lists = {};
		const second = await list.read(token);
		expect(second.ids).toEqual(list.all().slice(2, 4));
		expect(second.token).not.toBe(token);
		emulator.settings.lists = { repeatToken: true };
		const third = await list.read(second.token);
		expect(third.ids).toEqual(list.all().slice(4, 6));
		emulator.settings.lists = { samePage: true };
		expect((await list.read(third.token)).ids).toEqual(list.all().slice(0, 2));
	});
});

test('the timestamp of a message leads on from that message also after a list was odd', async () => {
	const { messages } = lists;
	const { token } = await messages!.read();
	const after = messages!.all().slice(2, 4);
	for (const odd of [{ repeatToken: true }, {}]) {
		emulator.settings.lists = odd;
		expect((await messages!.read(token)).ids).toEqual(after);
	}
});

test('a token of conversations may come in capital letters', async () => {
	const { token } = await lists.conversations!.read();
	expect((await lists.conversations!.read(token?.toUpperCase())).ids).toEqual(
		lists.conversations!.all().slice(2, 4),
	);
});

describe('long lists', () => {
	test('100,000 conversations in 400 pages, without a word of them in the log', async () => {
		const crowded = await start();
		const caller = await connect(crowded);
		const since = crowded.log.length;
		crowded.addConversations(100_000);
		expect(crowded.log.length).toBe(since);
		const closed = crowded.desk.list().slice(10, 20);
		for (const { id } of closed) crowded.desk.close(id);

		const seen = new Set<string>();
		let pages = 0;
		let token: unknown;
		do {
			const query = token ? `&ContinuationToken=${String(token)}` : '';
			const { json } = await caller('GET', `/conversations?PageSize=250${query}`);
			for (const one of json.conversations as { conversationid: string }[]) seen.add(one.conversationid);
			token = json.continuationtoken;
			pages++;
		} while (token);
		expect([pages, seen.size]).toEqual([400, 99_990]);
		expect(closed.some(({ id }) => seen.has(id))).toBe(false);
		const { customerId, state } = crowded.desk.list()[0] ?? {};
		expect([customerId, state]).toEqual([undefined, 'waiting']);
		await crowded.close();
	});

	test.each([
		['with tokens that are kept', undefined],
		[
			'with tokens that are entries',
			{
				write: String,
				read: (items: readonly number[], token: string) => firstIndex(items, (n) => n > +token),
			},
		],
	])('every entry is looked at about once, %s', (_name, byEntry) => {
		let tokens = 0;
		const pager = new Pager<number>({ lists: {} }, { fresh: () => String(tokens++), byEntry });
		const items = Array.from({ length: 40_000 }, (_, index) => index);
		let looks = 0;
		const matches = (item: number) => {
			looks++;
			return item % 2 === 0;
		};
		const seen: number[] = [];
		let token: string | null = null;
		do {
			const page = pager.page(items, { token, size: 100, matches });
			seen.push(...(page?.entries ?? []));
			token = page?.token ?? null;
		} while (token !== null);
		expect(seen).toEqual(items.filter((item) => item % 2 === 0));
		expect(looks).toBeLessThan(41_000);
	});

	test('a customer is found without looking at all the others', () => {
		const conversations = new Conversations(new Log());
		conversations.createMany('channel', 100_000);
		const details = { channelId: 'channel', customer: { id: 'x', name: 'X' }, context: [], skipsBot: false };
		const own = conversations.create({ ...details, customerId: 'own' });
		const startedAt = performance.now();
		for (let count = 0; count < 1000; count++) conversations.openOf('channel', 'own');
		expect(performance.now() - startedAt).toBeLessThan(500);

		expect(conversations.openOf('channel', 'own')).toBe(own);
		expect(conversations.openOf('channel', 'nobody')).toBeUndefined();
		expect(conversations.openOf('another', 'own')).toBeUndefined();
		conversations.changeState(own, 'wrapUp');
		expect(conversations.openOf('channel', 'own')).toBeUndefined();
		const next = conversations.create({ ...details, customerId: 'own' });
		expect(conversations.openOf('channel', 'own')).toBe(next);
		conversations.changeState(own, 'closed');
		expect(conversations.openOf('channel', 'own')).toBe(next);
	});
});

test.each([
	[[], 0],
	[[1], 1],
	[[5], 0],
	[[1, 2, 3], 3],
	[[1, 2, 5, 6], 2],
	[[5, 6, 7], 0],
	[[1, 5, 6, 7, 8], 1],
])('the first of %j that is 5 or more is at %i', (items: number[], expected) => {
	expect(firstIndex(items, (item) => item >= 5)).toBe(expected);
});
