import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { DeliveryEntry, Emulator, EmulatorOptions } from '../../emulator';
import { toPascalCase } from '../../emulator/messaging/activities';
import { validateDelivery } from '../../emulator/messaging/validate';
import { type Client, connect, type Hook, send, start, startConversation, startHook } from './support';
import { closedPort } from '../../tools/ports';

let emulator: Emulator;
let client: Client;
let hook: Hook;

async function startWith(options?: EmulatorOptions): Promise<void> {
	emulator = await start(options);
	hook = await startHook();
	emulator.setWebhookUrl(hook.url);
	client = await connect(emulator);
}
afterEach(async () => {
	await emulator.close();
	await hook.close();
});

const bodies = () => hook.received.map(({ body }) => body);
const deliveries = (): DeliveryEntry[] =>
	emulator.log.filter((entry): entry is DeliveryEntry => entry.kind === 'delivery');
const accepted = async (body: object = {}): Promise<string> => {
	const id = await startConversation(client, body);
	emulator.desk.accept(id, { agentName: 'Ada' });
	return id;
};
const until = async (condition: () => boolean): Promise<void> => {
	while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

describe('shapes', () => {
	test('everything a representative does, in order and as documented', async () => {
		await startWith();
		const id = await accepted({ customercontext: { customerid: 'jdoe' } });
		const { channelId } = emulator.world;
		emulator.desk.typing(id);
		emulator.desk.reply(id, { text: 'hello' });
		const picture = { name: 'ä b.png', contentType: 'image/png', data: Buffer.from('picture') };
		emulator.desk.reply(id, { files: [picture] });
		emulator.desk.reply(id, { text: 'look', files: [picture] });
		emulator.desk.customEvent(id, { name: 'Order', value: { number: 5 } });
		emulator.desk.transfer(id);
		emulator.desk.transfer(id, { to: 'agent', agentName: 'Eve' });
		emulator.desk.close(id);
		await emulator.idle();

		const conversation = { id };
		const person = { id: expect.any(String), name: 'Ada' };
		const file = {
			contentType: 'image/png',
			contentUrl: expect.stringMatching(
				/^https:\/\/localhost:\d+\/attachments\/[0-9a-f-]{36}\/%C3%A4%20b\.png$/,
			),
			content: null,
			name: 'ä b.png',
			thumbnailUrl: null,
		};
		const written = { type: 'message', channelId, from: person, conversation, textFormat: 'markdown' };
		const system = (name: string) => ({
			type: 'message',
			channelId,
			conversation,
			text: `EventName: **_${name}_**`,
			name,
		});
		expect(bodies()).toEqual([
			system('AgentAccepted'),
			{ type: 'typing', channelId: 'MessagingApi', conversation, recipient: { id: 'jdoe' } },
			{ ...written, text: 'hello' },
			{ ...written, attachments: [file] },
			{ ...written, text: 'look', attachments: [file] },
			{
				Type: 'event',
				Id: expect.stringMatching(/^\d{13}$/),
				ServiceUrl: `${hook.url}/`,
				ChannelId: channelId,
				Conversation: { Id: id },
				ChannelData: { customEvent: true, customEventName: 'Order', customEventValue: '{"number":5}' },
				Name: 'Order',
			},
			system('TransferToQueueInitiated'),
			system('AgentAccepted'),
			system('TransferToAgentInitiated'),
			system('TransferAgentAcceptSession'),
			{ ...system('AgentClosed'), from: { id: expect.any(String) } },
			{ ...system('ConversationClosed'), from: { id: expect.any(String) } },
		]);
		for (const { path, body, headers } of hook.received) {
			expect(path).toBe(`/webhook/secret-path/v3/conversations/${id}/activities`);
			const posted = { method: 'POST', path: path.replace('/webhook/secret-path', ''), headers: {}, body };
			expect(validateDelivery(posted)).toEqual({ operationId: 'deliverActivity', errors: [] });
			expect(headers['content-type']).toBe('application/json; charset=utf-8');
		}
		const attachments = bodies()[3]?.attachments as { contentUrl: string }[];
		const served = await send(String(attachments[0]?.contentUrl), { ca: emulator.certificate.cert });
		expect([served.status, served.headers['content-type'], served.text]).toEqual([
			200,
			'image/png',
			'picture',
		]);
	});

	test('system events as events', async () => {
		await startWith({ delivery: { systemEventsAs: 'event' } });
		const id = await accepted();
		await emulator.idle();
		expect(bodies()).toEqual([
			{ type: 'event', channelId: emulator.world.channelId, conversation: { id }, name: 'AgentAccepted' },
		]);
	});

	test('in PascalCase', async () => {
		await startWith({ delivery: { casing: 'pascal' } });
		const id = await accepted();
		emulator.desk.reply(id, {
			text: 'hi',
			files: [{ name: 'a', contentType: 'text/plain', data: Buffer.from('a') }],
		});
		await emulator.idle();
		expect(bodies()[1]).toEqual({
			Type: 'message',
			ChannelId: emulator.world.channelId,
			From: { Id: expect.any(String), Name: 'Ada' },
			Conversation: { Id: id },
			TextFormat: 'markdown',
			Text: 'hi',
			Attachments: [
				{
					ContentType: 'text/plain',
					ContentUrl: expect.any(String),
					Content: null,
					Name: 'a',
					ThumbnailUrl: null,
				},
			],
		});
	});

	test('PascalCase leaves what belongs to others', () => {
		expect(
			toPascalCase({ from: { id: 'a' }, channelData: { tags: { a: 1 } }, value: { b: { c: 1 } } }),
		).toEqual({
			From: { Id: 'a' },
			ChannelData: { tags: { a: 1 } },
			Value: { b: { c: 1 } },
		});
	});

	test('the customer leaves', async () => {
		await startWith();
		const id = await accepted();
		const end = { type: 'endOfConversation', channelId: emulator.world.channelId, conversation: { id } };
		await client('POST', `/conversation/${id}`, { body: end });
		await emulator.idle();
		expect(bodies().map(({ name }) => name)).toEqual(['AgentAccepted', 'CustomerDisconnected']);
	});

	test('a conversation that nobody took is closed without a representative', async () => {
		await startWith();
		emulator.desk.close(await startConversation(client));
		await emulator.idle();
		expect(bodies().map(({ name, from }) => [name, from])).toEqual([['ConversationClosed', undefined]]);
	});

	test('any activity as it is, also to a conversation that is not there', async () => {
		await startWith({ delivery: { casing: 'pascal' } });
		const id = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
		emulator.desk.deliver(id, { type: 'somethingNew', odd: [1] });
		await emulator.idle();
		expect(hook.received).toMatchObject([
			{
				path: `/webhook/secret-path/v3/conversations/${id}/activities`,
				body: { type: 'somethingNew', odd: [1] },
			},
		]);
	});
});

describe('tries', () => {
	test('accepted with the first 200', async () => {
		await startWith();
		await accepted();
		await emulator.idle();
		expect(deliveries()).toMatchObject([{ outcome: 'accepted', tries: [{ status: 200 }] }]);
	});

	test.each([201, 202, 204, 301, 401, 404, 500])(
		'%i is no 200: three tries, then given up',
		async (status) => {
			await startWith();
			hook.answer = () => status;
			await accepted();
			await emulator.idle();
			expect(hook.received).toHaveLength(3);
			expect(deliveries()).toMatchObject([
				{ outcome: 'refused', tries: [{ status }, { status }, { status }] },
			]);
		},
	);

	test('the third try may succeed; the activity is the same each time', async () => {
		await startWith();
		hook.answer = (_received, count) => (count < 3 ? 503 : 200);
		await accepted();
		await emulator.idle();
		expect(deliveries()).toMatchObject([
			{ outcome: 'accepted', tries: [{ status: 503 }, { status: 503 }, { status: 200 }] },
		]);
		expect(new Set(bodies().map((body) => JSON.stringify(body))).size).toBe(1);
	});

	test('it waits between two tries as long as the setting says', async () => {
		await startWith({ delivery: { retryDelayMs: 80 } });
		hook.answer = () => 500;
		await accepted();
		await emulator.idle();
		const [{ tries }] = deliveries() as [DeliveryEntry];
		const waits = tries.slice(1).map(({ at }, index) => Date.parse(at) - Date.parse(tries[index]?.at ?? ''));
		for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(78);
	});

	test('no answer in time', async () => {
		await startWith({ delivery: { timeoutMs: 40, tries: 2 } });
		hook.answer = () => 0;
		await accepted();
		await emulator.idle();
		const error = 'no answer within 40 ms';
		expect(deliveries()).toMatchObject([{ outcome: 'failed', tries: [{ error }, { error }] }]);
	});

	test('nobody there', async () => {
		await startWith();
		emulator.setWebhookUrl(`http://localhost:${await closedPort()}/x`);
		await accepted();
		await emulator.idle();
		const tries = [1, 2, 3].map(() => ({ error: expect.stringContaining('ECONNREFUSED') }));
		expect(deliveries()).toMatchObject([{ outcome: 'failed', tries }]);
	});

	test('no webhook URL', async () => {
		await startWith();
		emulator.setWebhookUrl(null);
		await accepted();
		await emulator.idle();
		expect(deliveries()).toMatchObject([{ outcome: 'failed', tries: [], url: null }]);
	});

	test('a certificate that is not trusted is refused', async () => {
		await startWith();
		emulator.setWebhookUrl(emulator.origin);
		await accepted();
		await emulator.idle();
		const tries = [1, 2, 3].map(() => ({ error: expect.stringContaining('certificate') }));
		expect(deliveries()).toMatchObject([{ outcome: 'failed', tries }]);
	});

	test('closing gives up what is under way', async () => {
		await startWith({ delivery: { timeoutMs: 60_000 } });
		hook.answer = () => 0;
		await accepted();
		await until(() => hook.received.length === 1);
		await emulator.close();
		expect(deliveries()).toMatchObject([{ outcome: 'failed', tries: [{ error: expect.any(String) }] }]);
	});
});

describe('order', () => {
	test('one after the other in a conversation, also when one is tried again', async () => {
		await startWith();
		let isUnderWay = 0;
		let most = 0;
		hook.answer = async ({ body }, count) => {
			most = Math.max(most, ++isUnderWay);
			await new Promise((resolve) => setTimeout(resolve, body.text === '0' ? 30 : 1));
			isUnderWay -= 1;
			return count === 2 ? 500 : 200;
		};
		const id = await accepted();
		for (const text of ['0', '1', '2']) emulator.desk.reply(id, { text });
		await emulator.idle();
		expect(bodies().map(({ text }) => text)).toEqual(['EventName: **_AgentAccepted_**', '0', '0', '1', '2']);
		expect(most).toBe(1);
	});

	test('side by side in a conversation where the setting says so, and still waited for', async () => {
		await startWith({ delivery: { oneAtATime: false } });
		let release = () => {};
		const released = new Promise<number>((resolve) => {
			release = () => resolve(200);
		});
		hook.answer = ({ body }) => (body.text === 'slow' ? released : 200);
		const id = await accepted();
		emulator.desk.reply(id, { text: 'slow' });
		emulator.desk.reply(id, { text: 'quick' });
		await until(() => deliveries().filter(({ outcome }) => outcome === 'accepted').length === 2);
		expect(deliveries().map(({ outcome }) => outcome)).toEqual(['accepted', 'pending', 'accepted']);
		release();
		await emulator.idle();
		expect(deliveries().every(({ outcome }) => outcome === 'accepted')).toBe(true);
	});

	test('one that is given up does not hold up the next', async () => {
		await startWith({ delivery: { tries: 2 } });
		hook.answer = ({ body }) => (body.text === 'bad' ? 500 : 200);
		const id = await accepted();
		emulator.desk.reply(id, { text: 'bad' });
		emulator.desk.reply(id, { text: 'good' });
		await emulator.idle();
		expect(deliveries().map(({ outcome }) => outcome)).toEqual(['accepted', 'refused', 'accepted']);
	});

	test('a conversation does not wait for another', async () => {
		await startWith();
		const slow = await startConversation(client);
		const quick = await startConversation(client);
		let release = () => {};
		const released = new Promise<number>((resolve) => {
			release = () => resolve(200);
		});
		hook.answer = ({ path }) => (path.includes(slow) ? released : 200);
		emulator.desk.accept(slow);
		emulator.desk.accept(quick);
		await until(() => deliveries().some(({ outcome }) => outcome === 'accepted'));
		expect(deliveries().map(({ conversationId, outcome }) => [conversationId, outcome])).toEqual([
			[slow, 'pending'],
			[quick, 'accepted'],
		]);
		release();
		await emulator.idle();
		expect(deliveries().every(({ outcome }) => outcome === 'accepted')).toBe(true);
	});
});

describe('signature', () => {
	const claimsOf = async (authorization: string | undefined) => {
		const { tenantId } = emulator.world;
		const url = `${emulator.origin}/${tenantId}/discovery/v2.0/keys`;
		const { text } = await send(url, { ca: emulator.certificate.cert });
		const keys: JSONWebKeySet = JSON.parse(text);
		const token = authorization?.replace('Bearer ', '') ?? '';
		return (await jwtVerify(token, createLocalJWKSet(keys))).payload;
	};

	test.each([1, 2] as const)('version %i', async (tokenVersion) => {
		await startWith({ delivery: { tokenVersion } });
		await accepted();
		await emulator.idle();
		const claims = await claimsOf(hook.received[0]?.headers.authorization);
		const { clientId, servicePrincipalId, tenantId } = emulator.world;
		const now = Date.now() / 1000;
		expect(claims).toMatchObject({
			aud: `api://${clientId}`,
			tid: tenantId,
			oid: servicePrincipalId,
			idtyp: 'app',
		});
		expect(Number(claims.exp)).toBeGreaterThan(now);
		expect(Number(claims.nbf)).toBeLessThanOrEqual(now);
		const expected =
			tokenVersion === 1
				? [`https://sts.windows.net/${tenantId}/`, clientId, undefined]
				: [`${emulator.origin}/${tenantId}/v2.0`, undefined, clientId];
		expect([claims.iss, claims.appid, claims.azp]).toEqual(expected);
	});

	test('none without a managed identity', async () => {
		await startWith({ delivery: { signed: false } });
		await accepted();
		await emulator.idle();
		expect(hook.received[0]?.headers).not.toHaveProperty('authorization');
	});
});
