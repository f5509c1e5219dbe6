import { createServer } from 'node:https';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Emulator, Settings } from '../../../emulator';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import type { ListRequest } from '../../../nodes/shared/transport/pagination';
import { messagingClient } from '../../../nodes/Dynamics365Messaging/messagingApi/client';
import { conversationList, messageList } from '../../../nodes/Dynamics365Messaging/messagingApi/pages';
import { callMessagingApi, credentialFor, entries, openCall, testEmulator } from '../../support/emulator';
import { close, listen } from '../../../tools/ports';

let emulator: Emulator;
beforeEach(async () => void (emulator = await testEmulator()));
afterEach(async () => await emulator.close());

const connection = () => connectionFrom(credentialFor(emulator));
const requests = () => entries(emulator, 'request').length;

/** Reads a list to its end, and says how many came and how it ended. */
async function readAll(paged: ListRequest, throttle = new Throttle(0)) {
	const ids = new Set<unknown>();
	let count = 0;
	try {
		for await (const entry of messagingClient(connection(), throttle).list(paged)) {
			count++;
			ids.add(
				(entry as Record<string, unknown>).conversationid ?? (entry as Record<string, unknown>).messageId,
			);
		}
	} catch (error) {
		return { count, distinct: ids.size, error: (error as Error).message };
	}
	return { count, distinct: ids.size, error: undefined };
}

async function messagesOf(count: number): Promise<ListRequest> {
	const { conversationId } = (await callMessagingApi(connection(), openCall)) as { conversationId: string };
	emulator.desk.accept(conversationId);
	for (let index = 0; index < count; index++) emulator.desk.reply(conversationId, { text: `${index}` });
	return messageList(conversationId);
}

// A list that breaks off is an error that says how many entries were read. It never ends silently or loops.
describe.each<[string, Settings['lists'], number | undefined, string]>([
	['a token that comes again', { repeatToken: true }, undefined, 'the same page token twice'],
	['tokens that are refused', { rejectTokens: true }, undefined, 'did not accept its own page token'],
	['pages that stay empty', { emptyPages: true }, undefined, 'bring nothing new'],
	['pages that hold the same again', { samePage: true }, undefined, 'bring nothing new'],
])('%s', (_, lists, _count, words) => {
	test.each(['conversations', 'messages'])('of %s', async (kind) => {
		emulator.addConversations(700);
		const paged = kind === 'messages' ? await messagesOf(320) : conversationList(undefined);
		emulator.settings.lists = lists;
		const before = requests();
		const { count, distinct, error } = await readAll(paged);
		expect(error).toBe(`The list ended early, after ${count} entries: ${error!.split('entries: ')[1]}`);
		expect(error).toContain(words);
		expect(count).toBeGreaterThanOrEqual(kind === 'messages' ? 100 : 250);
		expect(distinct).toBe(count);
		expect(requests() - before).toBeLessThan(8);
	});
});

test.each([
	[undefined, 700],
	[1, 1],
	[2, 2],
	[3, 3],
	[4, 4],
	[250, 250],
])('a server that ignores the page size does no harm with the limit %p', async (limit, count) => {
	emulator.addConversations(700);
	emulator.settings.lists = { ignorePageSize: true };
	expect(await readAll(conversationList(limit))).toEqual({ count, distinct: count, error: undefined });
});

test('a page that fails for good says how many were read; one that fails for a moment is read again', async () => {
	emulator.addConversations(600);
	const onList = { operationId: 'listConversations' };
	emulator.settings.faults = [{ match: onList, action: { status: 500 }, times: 1 }];
	expect(await readAll(conversationList(undefined), new Throttle(10_000))).toMatchObject({
		count: 600,
		error: undefined,
	});
	const iterator = messagingClient(connection()).list(conversationList(undefined));
	for (let index = 0; index < 250; index++) await iterator.next();
	emulator.settings.faults = [{ match: onList, action: 'resetBefore' }];
	await expect(iterator.next()).rejects.toThrow('The list ended early, after 250 entries: The service at');
});

/** Reads a list of pages that a server gives one after the other, in a circle, each with a token of its own. */
async function readFrom(pages: string[][], isCircle: boolean): Promise<{ ids: unknown[]; error: unknown }> {
	let page = 0;
	const server = createServer(emulator.certificate, (_, response) => {
		const conversations = pages[page % pages.length]!.map((conversationid) => ({ conversationid }));
		page++;
		const continuationtoken = isCircle || page < pages.length ? String(page) : null;
		response.end(JSON.stringify({ conversations, continuationtoken }));
	});
	const port = await listen(server);
	const baseUrl = `https://localhost:${port}`;
	const ids: unknown[] = [];
	const read = async () => {
		const there = connectionFrom({ ...credentialFor(emulator), baseUrl });
		for await (const entry of messagingClient(there).list(conversationList(undefined)))
			ids.push((entry as { conversationid: string }).conversationid);
	};
	const error = await read().then(
		() => undefined,
		(thrown: Error) => thrown.message,
	);
	await close(server);
	return { ids, error };
}

test('pages that come round in a circle end in an error too', async () => {
	const { ids, error } = await readFrom([['a', 'b'], ['c'], ['d', 'e']], true);
	expect(ids).toEqual(['a', 'b', 'c', 'd', 'e']);
	expect(error).toContain('The list ended early, after 5 entries');
});

test('a page that begins as an earlier one did, but goes on otherwise, is not left out', async () => {
	const pages = [['a', 'b', 'c'], ['d', 'e', 'f'], ['a', 'g', 'h'], ['i']];
	expect(await readFrom(pages, false)).toEqual({
		ids: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'],
		error: undefined,
	});
});

test('an entry that stands at the end of a page and again at the beginning of the next is given once', async () => {
	expect(await readFrom([['a', 'b'], ['b', 'c'], ['d']], false)).toEqual({
		ids: ['a', 'b', 'c', 'd'],
		error: undefined,
	});
});

/** Reads the messages that a server gives in these pages, or what its answers are instead; gives what it says of each. */
async function messagesFrom(answers: string[]): Promise<{ texts: unknown[]; error: Error | undefined }> {
	let page = 0;
	const server = createServer(emulator.certificate, (_, response) => void response.end(answers[page++]));
	const baseUrl = `https://localhost:${await listen(server)}`;
	const there = connectionFrom({ ...credentialFor(emulator), baseUrl });
	const texts: unknown[] = [];
	const read = async () => {
		for await (const entry of messagingClient(there).list(messageList('c'))) {
			texts.push((entry as { text: unknown }).text);
		}
	};
	const error = await read().then(
		() => undefined,
		(thrown: Error) => thrown,
	);
	await close(server);
	return { texts, error };
}

/** A message with the ID of its millisecond. Its file has another address each time it is read. */
function messageAt(messageId: string, text: string, from = 'agent') {
	const contentUrl = `https://files.example/${Math.random()}`;
	return { messageId, text, from: { id: from }, attachments: [{ name: 'a.png', contentUrl }] };
}

const pageOf = (messages: object[], continuationToken?: string) =>
	JSON.stringify({ messages, continuationToken });

test.each<[string, Array<Array<[id: string, text: string, from?: string]>>, string[]]>([
	[
		'with two texts',
		[
			[
				['1', 'a'],
				['2', 'b'],
			],
			[
				['2', 'c'],
				['3', 'd'],
			],
		],
		['a', 'b', 'c', 'd'],
	],
	['from two people', [[['2', 'ok', 'x']], [['2', 'ok', 'y']]], ['ok', 'ok']],
	['three on three pages', [[['2', 'a']], [['2', 'b']], [['2', 'c']]], ['a', 'b', 'c']],
	[
		'one of which comes again',
		[
			[
				['1', 'a'],
				['2', 'b'],
			],
			[
				['2', 'b'],
				['2', 'c'],
			],
		],
		['a', 'b', 'c'],
	],
	[
		'which come again in another order',
		[
			[
				['2', 'a'],
				['2', 'b'],
			],
			[
				['2', 'b'],
				['2', 'a'],
				['3', 'c'],
			],
		],
		['a', 'b', 'c'],
	],
	[
		'more of the same than before',
		[
			[
				['1', 'a'],
				['2', 'b'],
			],
			[
				['2', 'b'],
				['2', 'b'],
				['3', 'c'],
			],
		],
		['a', 'b', 'b', 'c'],
	],
	[
		'the same twice, which come again',
		[
			[
				['2', 'b'],
				['2', 'b'],
			],
			[
				['2', 'b'],
				['2', 'b'],
				['3', 'c'],
			],
		],
		['b', 'b', 'c'],
	],
])('messages of one millisecond at the border of a page: %s', async (_, pages, texts) => {
	const answers = pages.map((page, index) =>
		pageOf(
			page.map((message) => messageAt(...message)),
			index === pages.length - 1 ? undefined : `token ${index}`,
		),
	);
	expect(await messagesFrom(answers)).toEqual({ texts, error: undefined });
});

test.each([
	['', 'is empty'],
	['{}', 'is an object without any key'],
	['[]', 'is a list'],
	['[{"messageId":"1"}]', 'is a list'],
	['"ok"', 'is a string'],
	['{"messages":null}', 'has messages, which is null'],
	['{"messages":{}}', 'has messages, which is no list but of type object'],
	['{"status":"ok","value":[]}', 'is an object with other keys (status, value)'],
])('an answer without a list is an error and no empty list: %s', async (answer, words) => {
	const first = await messagesFrom([answer]);
	expect(first.error).toMatchObject({ message: 'The answer has no list of messages' });
	expect(first.error).toHaveProperty(
		'description',
		expect.stringContaining(`with success, but it ${words}.`),
	);
	const later = await messagesFrom([pageOf([messageAt('1', 'a')], 'next'), answer]);
	expect(later.texts).toEqual(['a']);
	expect(later.error?.message).toBe(
		'The list ended early, after 1 entries: The answer has no list of messages',
	);
});

test('an answer of HTML is an error, and an empty list is none', async () => {
	const { error } = await messagesFrom(['<html><title>Sign in</title></html>']);
	expect(error?.message).toBe('The answer of the service is not readable');
	expect(await messagesFrom(['{"Messages":[]}'])).toEqual({ texts: [], error: undefined });
});

test('memory stays flat while 100,000 conversations stream by', async () => {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	emulator.addConversations(100_000);
	const heap = () => {
		collect();
		return getHeapStatistics().used_heap_size / 1024 / 1024;
	};
	let count = 0;
	let early = 0;
	let late = 0;
	for await (const entry of messagingClient(connection()).list(conversationList(undefined))) {
		if (entry === null) throw new Error('an entry is missing');
		count++;
		if (count === 20_000) early = heap();
		if (count === 95_000) late = heap();
	}
	expect(count).toBe(100_000);
	// This includes the emulator's log of 300 requests. Keeping 75,000 entries would take over 20 MB.
	expect(late - early).toBeLessThan(6);
}, 120_000);
