import type { DeliveryEntry, Emulator } from '../../emulator';
import {
	CHANNELS,
	type Client,
	connect,
	dataverseErrorOf,
	type Hook,
	send,
	start,
	startDataverse,
	startConversation,
	startHook,
	UNKNOWN,
} from './support';

let emulator: Emulator;
let client: Client;
let dataverse: Client;
let hook: Hook;
beforeEach(async () => {
	({ emulator, dataverse } = await startDataverse());
	hook = await startHook();
	emulator.setWebhookUrl(hook.url);
	client = await connect(emulator);
});
afterEach(async () => {
	await emulator.close();
	await hook.close();
});

const own = () => `${CHANNELS}(${emulator.world.channelId})`;
const change = async (body: object, path = own()) => {
	const headers = { 'if-match': '*' };
	expect((await dataverse('PATCH', path, { body, headers })).status).toBe(204);
};
const subject = async (channelId = emulator.world.channelId) => {
	const component = `ComponentName='msdyn_occustommessagingchannel',ComponentId=${channelId}`;
	const { json } = await dataverse('GET', `/GetComponentManagedIdentityFIC(${component})`);
	return String(json.FICSubject);
};
const conversations = async (headers: Record<string, string> = {}) => {
	const { json, status } = await client('GET', '/conversations', { headers });
	return [status, json.errorCode];
};
/** A representative accepts a new conversation. @returns what was delivered */
const deliver = async (headers: Record<string, string> = {}) => {
	const before = hook.received.length;
	const { json } = await client('POST', '/conversation/create', { body: {}, headers });
	emulator.desk.accept(String(json.conversationId));
	await emulator.idle();
	return hook.received.slice(before);
};
const isSigned = async () => (await deliver()).map(({ headers }) => headers.authorization !== undefined);
const desk = (method: string, path: string, body?: object) =>
	send(`${emulator.deskOrigin}/api${path}`, {
		method,
		headers: { 'content-type': 'application/json' },
		body: body && JSON.stringify(body),
	});

describe('the webhook URL', () => {
	const url = async () => (await dataverse('GET', own())).json.msdyn_webhookurl;

	test('that is set at the emulator or the desk is in the record', async () => {
		expect(await url()).toBe(hook.url);
		emulator.setWebhookUrl(null);
		expect(await url()).toBeNull();
		await desk('PUT', '/channel', { webhookUrl: 'https://n8n.example.com/x' });
		expect(await url()).toBe('https://n8n.example.com/x');
	});

	test('that is set in the record is where deliveries go, and what the desk shows', async () => {
		const second = await startHook();
		await change({ msdyn_webhookurl: `${second.url}/` });
		expect((await desk('GET', '/channel')).json).toEqual({ webhookUrl: `${second.url}/` });
		expect(await deliver()).toEqual([]);
		expect(second.received).toHaveLength(1);
		await change({ msdyn_webhookurl: null });
		await deliver();
		expect(second.received).toHaveLength(1);
		expect(emulator.log.findLast(({ kind }) => kind === 'delivery')).toMatchObject({ url: null });
		await second.close();
	});

	test('counts for a delivery that was queued before', async () => {
		const second = await startHook();
		let release = () => {};
		const released = new Promise<number>((resolve) => {
			release = () => resolve(200);
		});
		hook.answer = () => released;
		const id = await startConversation(client);
		emulator.desk.accept(id);
		emulator.desk.reply(id, { text: 'moved' });
		await change({ msdyn_webhookurl: second.url });
		release();
		await emulator.idle();
		expect(second.received.map(({ body }) => body.text)).toEqual(['moved']);
		await second.close();
	});
});

describe('the Messaging API', () => {
	test('knows no channel whose record is gone', async () => {
		const id = await startConversation(client);
		expect((await dataverse('DELETE', own())).status).toBe(204);
		expect(await conversations()).toEqual([404, 30004]);
		emulator.desk.accept(id);
		await emulator.idle();
		const delivery = emulator.log.findLast((entry): entry is DeliveryEntry => entry.kind === 'delivery');
		expect(delivery).toMatchObject({ url: null, outcome: 'failed' });
		expect(() => emulator.setWebhookUrl(hook.url)).toThrow('deleted');
		expect((await desk('PUT', '/channel', { webhookUrl: hook.url })).status).toBe(409);
		expect((await desk('GET', '/channel')).json).toEqual({ webhookUrl: null });
	});

	test.each([
		['of another kind', { msdyn_occustomchannelid: 192350000 }, 404, 30004],
		['of no kind', { msdyn_occustomchannelid: null }, 404, 30004],
		['of another app', { msdyn_appid: UNKNOWN }, 401, undefined],
		['of no app', { msdyn_appid: null }, 401, undefined],
		['of another tenant', { msdyn_tenantid: UNKNOWN }, 401, undefined],
		['without a workstream', { 'msdyn_liveworkstreamid@odata.bind': null }, 400, 30014],
	])('refuses a channel %s', async (_name, body, status, code) => {
		await change(body);
		expect(await conversations()).toEqual([status, code]);
	});

	test('does not mind how the ids are written', async () => {
		const { clientId, tenantId } = emulator.world;
		await change({ msdyn_appid: clientId.toUpperCase(), msdyn_tenantid: tenantId.toUpperCase() });
		expect(await conversations()).toEqual([200, undefined]);
	});

	test('can be cut off from the workstream by the setting too', async () => {
		emulator.settings.linkedToWorkstream = false;
		expect(await conversations()).toEqual([400, 30014]);
		emulator.settings.linkedToWorkstream = true;
		expect(await conversations()).toEqual([200, undefined]);
	});

	test('takes a channel that was made in Dataverse, apart from the first', async () => {
		const second = await startHook();
		const { clientId, managedIdentityId, tenantId, workstreamId } = emulator.world;
		const body = {
			msdyn_occustommessagingchannelid: UNKNOWN,
			msdyn_name: 'Second',
			msdyn_occustomchannelid: 192350005,
			msdyn_appid: clientId,
			msdyn_tenantid: tenantId,
			msdyn_webhookurl: second.url,
			'managedidentityid@odata.bind': `/managedidentities(${managedIdentityId})`,
		};
		expect((await dataverse('POST', CHANNELS, { body })).status).toBe(204);
		const headers = { 'channel-id': UNKNOWN.toUpperCase() };
		expect(await conversations(headers)).toEqual([400, 30014]);
		const workstream = `/msdyn_liveworkstreams(${workstreamId})`;
		await change({ 'msdyn_liveworkstreamid@odata.bind': workstream }, `${CHANNELS}(${UNKNOWN})`);

		const customer = { customercontext: { customerid: 'jo' } };
		await startConversation(client, customer);
		const { json } = await client('POST', '/conversation/create', { body: customer, headers });
		const id = String(json.conversationId);
		expect(json.isNew).toBe(true);
		const listed = await client('GET', '/conversations', { headers });
		expect(listed.json.conversations).toMatchObject([{ conversationid: id }]);
		expect((await client('GET', `/conversation/${id}/messages`)).json.errorCode).toBe(30013);
		const activity = { type: 'message', channelId: UNKNOWN, conversation: { id }, text: 'hello' };
		expect((await client('POST', `/conversation/${id}`, { body: activity, headers })).status).toBe(200);

		expect(await deliver(headers)).toEqual([]);
		expect(second.received).toMatchObject([
			{ headers: { authorization: expect.any(String) }, body: { channelId: UNKNOWN } },
		]);
		await second.close();
	});
});

describe('deliveries are signed', () => {
	test('as long as Entra trusts each new subject', async () => {
		const subjects = emulator.entra.federatedSubjects;
		expect(subjects).toContain(await subject());
		expect(await isSigned()).toEqual([true]);
		await change({ msdyn_webhookurl: `${hook.url}/again` });
		expect(subjects).toContain(await subject());
		expect(await isSigned()).toEqual([true]);
	});

	test('when it does not follow, only after the new subject is added', async () => {
		const before = await subject();
		emulator.settings.federationFollows = false;
		expect(await isSigned()).toEqual([true]);
		await change({ msdyn_webhookurl: `${hook.url}/again` });
		expect(await subject()).not.toBe(before);
		expect(await isSigned()).toEqual([false]);
		emulator.entra.federatedSubjects.add(await subject());
		expect(await isSigned()).toEqual([true]);
		emulator.entra.federatedSubjects.clear();
		expect(await isSigned()).toEqual([false]);
	});

	test('for the channel as it is at the start', async () => {
		const fresh = await start();
		expect([...fresh.entra.federatedSubjects]).toEqual([
			expect.stringMatching(/^\/eid1\/c\/pub\/t\/.+\/h\/[0-9a-f]{64}$/),
		]);
		await fresh.close();
	});

	test('not by the setting', async () => {
		emulator.settings.delivery.signed = false;
		expect(await isSigned()).toEqual([false]);
	});

	test('not without a managed identity', async () => {
		await change({ 'managedidentityid@odata.bind': null });
		expect(await isSigned()).toEqual([false]);
		const component = `ComponentName='msdyn_occustommessagingchannel',ComponentId=${emulator.world.channelId}`;
		const answer = await dataverse('GET', `/GetComponentManagedIdentityFIC(${component})`);
		expect(dataverseErrorOf(answer)).toEqual([400, '0x80040203']);
	});

	test.each([
		['of another app', { applicationid: UNKNOWN }],
		['of another tenant', { tenantid: UNKNOWN }],
		['with a secret', { credentialsource: 0 }],
	])('not by a managed identity %s', async (_name, body) => {
		await change(body, `/managedidentities(${emulator.world.managedIdentityId})`);
		expect(await isSigned()).toEqual([false]);
	});

	test('by another identity of the same app', async () => {
		const { clientId, tenantId } = emulator.world;
		const body = { applicationid: clientId, tenantid: tenantId, credentialsource: 2, subjectscope: 1 };
		const { headers } = await dataverse('POST', '/managedidentities', { body });
		const [, id] = /\(([^)]+)\)$/.exec(String(headers['odata-entityid'])) ?? [];
		await change({ 'managedidentityid@odata.bind': `/managedidentities(${id})` });
		expect(await isSigned()).toEqual([true]);
	});
});
