import { createServer } from 'node:https';
import type { IBinaryKeyData, IDataObject } from 'n8n-workflow';
import type { FaultRule } from '../../emulator';
import { readNumber } from '../../nodes/shared/action/fields/number';
import { CONCURRENCY, MAX_RETRY_TIME } from '../../nodes/shared/action/fields/options';
import { readKey } from '../../nodes/shared/json';
import { credentialFor, entries } from '../support/emulator';
import { parametersOf } from '../support/parameters';
import { oneNode, outcomeOf, startWorkflow } from '../support/n8n';
import { close, listen } from '../../tools/ports';
import { emulator, loader, run, start, useEmulator, usePackage } from '../support/operation';

usePackage();
useEmulator();

const byId = (conversationId: string) => ({ __rl: true, mode: 'id', value: conversationId });

async function startedConversations(count: number): Promise<string[]> {
	const items = Array.from({ length: count }, () => ({}));
	const { items: given } = await run('conversation: create', {}, { items });
	return given.map(({ json }) => json.conversationId as string);
}

const fromItem = { conversationId: byId('={{ $json.id }}'), text: '={{ $json.text }}' };
const CONTINUE = { onError: 'continueRegularOutput' } as const;
const sends = () => entries(emulator, 'request').filter(({ operationId }) => operationId === 'sendActivity');
const textsOf = (conversationId: string) =>
	emulator.desk.get(conversationId).messages.map(({ text }) => text);
const onSend = (action: FaultRule['action'], more: Partial<FaultRule> = {}): FaultRule => ({
	...more,
	match: { operationId: 'sendActivity', ...more.match },
	action,
});

test.each([1, 8])(
	'a channel that was taken from the app costs one fresh token, %i at once',
	async (count) => {
		const ids = await startedConversations(8);
		emulator.settings.channelAuthorized = false;
		const items = Array.from({ length: 16 }, (_, index) => ({ id: ids[index % 8]!, text: `${index}` }));
		const options = { parallelConversations: count };
		const { items: out } = await run('message: send', { ...fromItem, options }, { items, node: CONTINUE });
		for (const { json } of out)
			expect(json.errorDetails).toMatchObject({ httpCode: '401', outcome: 'notSent' });
		expect(entries(emulator, 'token')).toHaveLength(2);
		expect(sends().length).toBeLessThanOrEqual(items.length + count);
	},
);

describe('order and speed', () => {
	test('conversations go side by side, as many as the option says, each in the order of its items', async () => {
		const ids = await startedConversations(8);
		const items = Array.from({ length: 64 }, (_, index) => ({ id: ids[index % 8]!, text: `${index}` }));
		const times: number[] = [];
		for (const [parallelConversations, atLeast] of [
			[1, 64 * 15],
			[8, 8 * 15],
		] as const) {
			emulator.settings.faults = [onSend({ delayMs: 15 })];
			const from = Date.now();
			const { items: given } = await run(
				'message: send',
				{ ...fromItem, options: { parallelConversations } },
				{ items },
			);
			const took = Date.now() - from;
			expect(given.map(({ json }) => json.conversationId)).toEqual(items.map(({ id }) => id));
			expect(given.map(({ pairedItem }) => pairedItem)).toEqual(items.map((_, item) => ({ item })));
			expect(took).toBeGreaterThanOrEqual(atLeast);
			times.push(took);
		}
		const [oneByOne = 0, sideBySide] = times;
		expect(sideBySide).toBeLessThan(oneByOne);
		for (const [index, id] of ids.entries()) {
			const own = items.filter((item) => item.id === id).map(({ text }) => text);
			expect(textsOf(id)).toEqual([...own, ...own]);
			expect(own[0]).toBe(String(index));
		}
	});

	test.each([
		['Parallel Conversations must be a whole number from 1 to 50', { parallelConversations: 0 }],
		['Parallel Conversations must be a whole number from 1 to 50', { parallelConversations: 51 }],
		['Parallel Conversations must be a whole number from 1 to 50', { parallelConversations: 1.5 }],
		['Max Retry Time (Seconds) must be from 0 to 3,600', { maxRetryTime: -1 }],
	])('%s', async (message, options) => {
		const { error } = await run('message: send', {
			conversationId: byId('11111111-2222-4333-8444-555555555555'),
			text: 'x',
			options,
		});
		expect(error).toMatchObject({ message: expect.stringContaining(message) });
		expect(emulator.log).toEqual([]);
	});
});

test('Max Retry Time 0 tries each item once, at the pace that the service asks for', async () => {
	const ids = await startedConversations(20);
	const items = Array.from({ length: 300 }, (_, index) => ({ id: ids[index % 20]!, text: `${index}` }));
	emulator.settings.faults = [onSend({ status: 429, retryAfter: 1 }, { times: 1 })];
	const options = { maxRetryTime: 0, parallelConversations: 20 };
	const { items: given } = await run('message: send', { ...fromItem, options }, { items, node: CONTINUE });
	const failed = given.filter(({ json }) => json.error !== undefined);
	expect(failed.map(({ json }) => json.errorDetails)).toMatchObject([
		{ httpCode: '429', outcome: 'notSent', conversationId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
	]);
	expect(sends()).toHaveLength(300);
	const first = sends().find(({ status }) => status === 429);
	const later = sends().filter(({ at }) => Date.parse(at) > Date.parse(first!.at) + 500);
	expect(later.length).toBeGreaterThanOrEqual(300 - 20);
});

describe('a run that fails in the middle', () => {
	test('says which items were sent, which may have been, and which were not', async () => {
		const ids = await startedConversations(2);
		const items = ['a0', 'b0', 'a1', 'b1', 'a2', 'b2'].map((text) => ({
			id: ids[text.startsWith('a') ? 0 : 1]!,
			text,
		}));
		emulator.settings.faults = [onSend('resetAfter', { match: { conversationId: ids[0] }, times: 1 })];
		const { error } = await run(
			'message: send',
			{ ...fromItem, options: { parallelConversations: 1 } },
			{ items: items.slice(0, 1).concat(items[2]!, items[4]!) },
		);
		expect(error).toMatchObject({
			context: {
				itemIndex: 0,
				outcome: 'uncertain',
				sentItems: [],
				uncertainItems: [0],
				notSentItems: [1, 2],
			},
			description: expect.stringMatching(
				/Items that were sent: none\. Items that may have been sent: 0\. Items that were not sent: 1 and 2\.$/,
			),
		});
		expect(textsOf(ids[0]!)).toEqual(['a0']);
	});

	test('waits for what is under way before it says so', async () => {
		const ids = await startedConversations(2);
		emulator.settings.faults = [
			onSend({ status: 400 }, { match: { conversationId: ids[0] } }),
			onSend({ delayMs: 200 }, { match: { conversationId: ids[1] } }),
		];
		const items = [0, 1, 1].map((which, index) => ({ id: ids[which]!, text: `${index}` }));
		const { error } = await run('message: send', fromItem, { items });
		expect(error).toMatchObject({
			context: { itemIndex: 0, outcome: 'notSent', sentItems: [1], uncertainItems: [], notSentItems: [0, 2] },
		});
		expect(textsOf(ids[1]!)).toEqual(['1']);
	});

	test('goes on with the later items of the same conversation under Continue On Fail', async () => {
		const [id] = await startedConversations(1);
		emulator.settings.faults = [onSend('resetAfter', { times: 1 }), onSend({ status: 400 }, { times: 1 })];
		const items = ['0', '1', '2'].map((text) => ({ id: id!, text }));
		const { items: given } = await run('message: send', fromItem, { items, node: CONTINUE });
		expect(given.map(({ json }) => (json.errorDetails as IDataObject | undefined)?.outcome)).toEqual([
			'uncertain',
			'notSent',
			undefined,
		]);
		expect(textsOf(id!)).toEqual(['0', '2']);
	});
});

test('a cancelled execution stops sending', async () => {
	const [id] = await startedConversations(1);
	emulator.settings.faults = [onSend({ delayMs: 20 })];
	const items = Array.from({ length: 200 }, (_, index) => ({ id: id!, text: `${index}` }));
	const running = start('message: send', fromItem, { items });
	while (sends().length < 3) await new Promise(setImmediate);
	running.cancel();
	const { error } = outcomeOf(await running);
	const count = sends().length;
	// Calls that were already sent may still be logged, but no new ones are begun.
	await new Promise((resolve) => setTimeout(resolve, 100));
	expect(sends().length).toBeLessThanOrEqual(count + 1);
	expect(count).toBeLessThan(50);
	if (error) expect(error.message).toContain('cancelled');
});

test.each([
	[CONCURRENCY, 10],
	[MAX_RETRY_TIME, 60],
])('where nothing is said, $name is as documented', (field, standard) => {
	expect(field.default).toBe(standard);
	expect(readNumber(parametersOf({ [field.name]: undefined }).parameters, field)).toBe(standard);
});

test('ten conversations at once, where nothing else is said', async () => {
	const ids = await startedConversations(30);
	let now = 0;
	let most = 0;
	const server = createServer(emulator.certificate, (_, response) => {
		most = Math.max(most, ++now);
		setTimeout(() => {
			now--;
			response.end('{"messageId":"1756399395730"}');
		}, 20);
	});
	let connections = 0;
	server.on('secureConnection', () => connections++);
	const port = await listen(server);
	const baseUrl = `https://localhost:${port}`;
	const json = oneNode('dynamics365Messaging', { resource: 'message', operation: 'send', ...fromItem });
	const credentials = { dynamics365MessagingApi: { ...credentialFor(emulator), baseUrl } };
	const items = [...ids, ...ids].map((id) => ({ id, text: 'x' }));
	expect(outcomeOf(await startWorkflow(loader, json, credentials, items)).items).toHaveLength(60);
	// Each is reused, so there are no more of them than calls at once.
	expect(connections).toBe(10);
	expect(most).toBe(10);
	await close(server);
});

// n8n executes a node anew with all of its items: what was sent, or may have been, stays as it is.
describe('Retry On Fail', () => {
	const node = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };

	test('sends only what was surely not sent', async () => {
		const ids = await startedConversations(3);
		const items = ids.map((id, index) => ({ id, text: `${index}` }));
		emulator.settings.faults = [onSend({ status: 400 }, { match: { conversationId: ids[2] }, times: 1 })];
		const { items: given, error } = await run('message: send', fromItem, { items, node });
		expect(error).toBeUndefined();
		expect(given).toHaveLength(3);
		expect(ids.map(textsOf)).toEqual([['0'], ['1'], ['2']]);
		expect(sends()).toHaveLength(4);
	});

	test('does not send again what may have arrived, also under Continue On Fail', async () => {
		const [id] = await startedConversations(1);
		emulator.settings.faults = [onSend('resetAfter')];
		const items = [{ id: id!, text: 'x' }];
		const { error } = await run('message: send', fromItem, { items, node });
		expect(error).toMatchObject({ context: { outcome: 'uncertain' } });
		await run('message: send', fromItem, { items, node: { ...node, ...CONTINUE } });
		expect(textsOf(id!)).toEqual(['x', 'x']);
		expect(sends()).toHaveLength(2);
	});

	test('sends nothing twice where a node before gave out items without json', async () => {
		const ids = await startedConversations(2);
		emulator.settings.faults = [onSend({ status: 400 }, { match: { conversationId: ids[1] }, times: 1 })];
		const parameters = {
			conversationId: { __rl: true, mode: 'id', value: `={{ ${JSON.stringify(ids)}[$itemIndex] }}` },
			text: 'x',
		};
		const items = [undefined, undefined] as unknown as IDataObject[];
		const { error } = await run('message: send', parameters, { items, node });
		expect(error).toBeUndefined();
		expect(ids.map(textsOf)).toEqual([['x'], ['x']]);
	});

	test('does not send what would come out of order, as something after it was sent', async () => {
		const [id] = await startedConversations(1);
		emulator.settings.faults = [onSend({ status: 400 }, { times: 1 })];
		const items = ['0', '1'].map((text) => ({ id: id!, text }));
		const { items: given } = await run('message: send', fromItem, { items, node: { ...node, ...CONTINUE } });
		expect(given.map(({ json }) => (json.errorDetails as IDataObject | undefined)?.outcome)).toEqual([
			'notSent',
			undefined,
		]);
		expect(textsOf(id!)).toEqual(['1']);
	});

	test('does not say a start message again whose answer was lost', async () => {
		emulator.settings.faults = [
			{ match: { operationId: 'createConversation' }, action: 'resetBefore', times: 1 },
		];
		const parameters = { customerId: 'jdoe', options: { startMessage: 'Hello' } };
		const { error } = await run('conversation: create', parameters, { node });
		expect(error).toMatchObject({ context: { outcome: 'uncertain' } });
		expect(entries(emulator, 'request').filter(({ body }) => readKey(body, 'startmessage'))).toHaveLength(1);
	});

	test('tells once what became of the items', async () => {
		const ids = await startedConversations(2);
		emulator.settings.faults = [onSend({ status: 400 }, { match: { conversationId: ids[1] } })];
		const items = ids.map((id, index) => ({ id, text: `${index}` }));
		const { error } = await run('message: send', fromItem, { items, node });
		expect(String(error!.description).match(/Items that were sent/g)).toHaveLength(1);
	});

	test('sends the same words again in another run, and twice where two items have them', async () => {
		const [id] = await startedConversations(1);
		const item = { id: id!, text: 'x' };
		for (let runs = 0; runs < 2; runs++) await run('message: send', fromItem, { items: [item, item], node });
		expect(textsOf(id!)).toEqual(['x', 'x', 'x', 'x']);
	});
});

describe('files of binary fields', () => {
	const file = (data: Buffer, fileName = 'a.txt', mimeType = 'text/plain') => ({
		data: data.toString('base64'),
		fileName,
		mimeType,
	});
	const attachment = (...binaryPropertyName: string[]) => ({
		attachments: {
			attachment: binaryPropertyName.map((name) => ({ source: 'binary', binaryPropertyName: name })),
		},
	});

	test('arrive as they were, several in one message, in both encodings', async () => {
		const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
		const binary = [
			{ one: file(bytes, 'bytes.bin', 'application/octet-stream'), two: file(Buffer.from('Grüße')) },
		];
		for (const attachmentEncoding of ['dataUri', 'base64']) {
			const [id] = await startedConversations(1);
			await run(
				'message: send',
				{ conversationId: byId(id!), ...attachment('one', 'two'), options: { attachmentEncoding } },
				{ binary },
			);
			const [message] = emulator.desk.get(id!).messages;
			const contents = await Promise.all(
				message!.attachments.map(async ({ name, contentType, contentUrl }) => {
					const content = Buffer.from(await (await fetch(contentUrl)).arrayBuffer());
					return [name, contentType, content.toString('base64')];
				}),
			);
			expect(contents).toEqual([
				['bytes.bin', 'application/octet-stream', bytes.toString('base64')],
				['a.txt', 'text/plain', Buffer.from('Grüße').toString('base64')],
			]);
			const body = sends().at(-1)!.body as { attachments: Array<{ contentUrl: string }> };
			expect(body.attachments[1]!.contentUrl.startsWith('data:')).toBe(attachmentEncoding === 'dataUri');
		}
	});

	test('go along whole once more after a token that was not accepted', async () => {
		const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 251));
		const [id] = await startedConversations(1);
		emulator.revokeTokens();
		const { error } = await run(
			'message: send',
			{ conversationId: byId(id!), ...attachment('data') },
			{ binary: [{ data: file(bytes) }] },
		);
		expect(error).toBeUndefined();
		expect(sends().map(({ status }) => status)).toEqual([401, 200]);
		const [sent] = emulator.desk.get(id!).messages[0]!.attachments;
		const content = Buffer.from(await (await fetch(sent!.contentUrl)).arrayBuffer());
		expect(content.equals(bytes)).toBe(true);
	});

	test.each([
		['the item’s own, as n8n gives it to expressions', '={{ $binary.two }}'],
		['that of the node before', '={{ $("Input").item.binary.two }}'],
		['that of a node by its name', '={{ $node["Input"].binary.two }}'],
		['the name of a field', '={{ Object.keys($binary)[1] }}'],
		['data that the item carries elsewhere', '={{ $json.files[0] }}'],
		[
			'with a data URI for its data',
			'={{ ({ ...$json.files[0], data: "data:text/plain; base64," + $json.files[0].data }) }}',
		],
	])('by an expression that gives binary data: %s', async (_, expression) => {
		const two = { ...file(Buffer.from('Grüße')), fileExtension: 'txt' };
		const [id] = await startedConversations(1);
		const { error } = await run(
			'message: send',
			{ conversationId: byId(id!), ...attachment(expression) },
			{ items: [{ files: [two] }], binary: [{ one: file(Buffer.from('x')), two }] },
		);
		expect(error).toBeUndefined();
		const [sent] = emulator.desk.get(id!).messages[0]!.attachments;
		expect(sent).toMatchObject({ name: 'a.txt', contentType: 'text/plain' });
		expect(await (await fetch(sent!.contentUrl)).text()).toBe('Grüße');
	});

	test.each(['={{ $binary }}', '={{ $json }}', '={{ ["x"] }}', '={{ ({ mimeType: "a/b", data: {} }) }}'])(
		'by an expression that gives something else: %s',
		async (expression) => {
			const binary = [{ data: file(Buffer.from('x')) }];
			const { error } = await run(
				'message: send',
				{ conversationId: byId('11111111-2222-4333-8444-555555555555'), ...attachment(expression) },
				{ binary },
			);
			expect(error).toMatchObject({
				message: expect.stringContaining('neither the name of a binary field nor binary data'),
				description: expect.stringContaining('The item has: data'),
			});
		},
	);

	test.each<[string, IBinaryKeyData]>([
		[
			'a data URI that cannot be read',
			{ data: { ...file(Buffer.from('')), data: 'data:text/plain;base64,?' } },
		],
		['there is no binary field “data”', { other: file(Buffer.from('x')) }],
		['a.txt is empty', { data: file(Buffer.alloc(0)) }],
		['the file name README has no extension', { data: file(Buffer.from('x'), 'README') }],
		['a.txt is larger than 5 MB', { data: file(Buffer.alloc(5 * 1024 * 1024 + 1)) }],
	])('%s: nothing is sent, not even of the items before', async (message, broken) => {
		const items = [{}, {}];
		const binary = [{ data: file(Buffer.from('x')) }, broken];
		const { error } = await run(
			'message: send',
			{ conversationId: byId('11111111-2222-4333-8444-555555555555'), ...attachment('data') },
			{ items, binary },
		);
		expect(error).toMatchObject({
			message: expect.stringContaining(message),
			context: { itemIndex: 1, outcome: 'notSent' },
		});
		expect(emulator.log).toEqual([]);
	});

	test('that n8n keeps outside of memory are measured before they are read', async () => {
		const { Container } = await import('@n8n/di');
		const { BinaryDataService } = await import('n8n-core');
		const service = Container.get(BinaryDataService);
		const metadata = jest.spyOn(service, 'getMetadata').mockResolvedValue({ fileSize: 6 * 1024 * 1024 });
		const reading = jest.spyOn(service, 'getAsBuffer');
		const binary = [{ data: { ...file(Buffer.alloc(0)), data: 'filesystem-v2', id: 'filesystem-v2:x' } }];
		const { error } = await run(
			'message: send',
			{ conversationId: byId('11111111-2222-4333-8444-555555555555'), ...attachment('data') },
			{ binary },
		);
		expect(error).toMatchObject({ message: expect.stringContaining('a.txt is larger than 5 MB') });
		expect(metadata).toHaveBeenCalledTimes(1);
		expect(reading).not.toHaveBeenCalled();
		jest.restoreAllMocks();
	});
});

test('a start message that an active conversation drops is told below the node', async () => {
	const parameters = { customerId: 'jdoe', options: { startMessage: 'Hello' } };
	expect((await run('conversation: create', parameters)).hints).toEqual([]);
	expect((await run('conversation: create', parameters)).hints).toMatchObject([
		{ message: expect.stringContaining('Send or Start'), type: 'warning' },
	]);
});
