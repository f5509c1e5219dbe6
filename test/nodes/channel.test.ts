import type { IDataObject } from 'n8n-workflow';
import { createServer } from 'node:https';
import { DEFAULT_WORLD, makeCertificate, type Emulator, type FaultAction } from '../../emulator';
import { dataverseClient } from '../../nodes/Dynamics365Messaging/dataverse/client';
import { connectionFrom } from '../../nodes/Dynamics365Messaging/connection';
import { insertRequest, TABLES, updateRequest } from '../../nodes/Dynamics365Messaging/dataverse/requests';
import { credentialFor, entries } from '../support/emulator';
import {
	activate,
	deactivate,
	oneNode,
	outcomeOf,
	runWorkflow,
	serveTrigger,
	type Activation,
	type TriggerServer,
} from '../support/n8n';
import { closedPort, listen } from '../../tools/ports';
import { emulator, loader, run as runOperation, useEmulator, usePackage } from '../support/operation';

usePackage();
useEmulator();

async function run(operation: string, parameters: IDataObject = {}, credential: IDataObject = {}) {
	const { items, error } = await runOperation(`channel: ${operation}`, parameters, { credential });
	return { items: items.map((item) => item.json), error };
}

const calls = () => entries(emulator, 'dataverse');
const OTHER = '11111111-2222-4333-8444-555555555555';
const NO_SURVEY = { enabled: false, mode: null, text: null, id: null, name: null };
const OWN = { channelId: DEFAULT_WORLD.channelId };

describe('the channel’s record', () => {
	test('from its creation to its end, as items with readable names', async () => {
		const created = await run('create', {
			name: 'Kiosk',
			webhookUrl: 'https://n8n.example.com/webhook/a/b',
			additionalFields: { attachmentsForAgents: true },
		});
		expect(created.items).toEqual([
			{
				channelId: expect.stringMatching(/^[0-9a-f-]{36}$/),
				name: 'Kiosk',
				isMessagingApi: true,
				appId: DEFAULT_WORLD.clientId,
				tenantId: DEFAULT_WORLD.tenantId,
				webhookUrl: 'https://n8n.example.com/webhook/a/b',
				attachmentsForAgents: true,
				attachmentsForCustomers: false,
				managedIdentityId: null,
				workstreamId: null,
				translation: false,
				language: { id: null, name: null },
				survey: NO_SURVEY,
				aiAgentSurvey: NO_SURVEY,
			},
		]);
		const channelId = created.items[0]!.channelId as string;
		expect((await run('get', { channelId })).items).toEqual(created.items);
		const listed = await run('getMany', { returnAll: true });
		expect(listed.items.map(({ name }) => name).sort()).toEqual([DEFAULT_WORLD.channelName, 'Kiosk'].sort());
		expect((await run('getMany', { limit: 1 })).items).toHaveLength(1);

		const updated = await run('update', { channelId, updateFields: { name: 'Kiosk 2', appId: OTHER } });
		expect(updated.items).toEqual([{ ...created.items[0], name: 'Kiosk 2', appId: OTHER }]);
		expect((await run('delete', { channelId })).items).toEqual([{ channelId, deleted: true }]);
		expect((await run('get', { channelId })).error).toMatchObject({
			message: 'Dataverse has no such record',
			httpCode: '404',
		});
		expect(calls().filter(({ status }) => status >= 400)).toHaveLength(1);
	});

	test('is created before the credential can name it, and then has to be named', async () => {
		const none = { channelId: '' };
		expect((await run('create', { name: 'First' }, none)).items).toMatchObject([{ name: 'First' }]);
		expect((await run('getMany', {}, none)).items).toHaveLength(2);
		expect((await run('get', {}, none)).error).toMatchObject({
			message: 'Channel is empty, and so is Channel ID in the credential',
			description: expect.stringMatching(/list.*Channel: Get Many.*Channel: Create/),
		});
	});

	test('is chosen from the list as it is by its ID, in every operation of a channel', async () => {
		const { channelId: value } = DEFAULT_WORLD;
		for (const mode of ['list', 'id'] as const) {
			const channelId = { __rl: true, mode, value, cachedResultName: 'App chat' };
			expect((await run('get', { channelId }, { channelId: OTHER })).items).toMatchObject([
				{ channelId: value },
			]);
			expect((await run('update', { channelId, updateFields: { name: mode } })).items).toMatchObject([
				{ name: mode },
			]);
			const { workstreamId } = DEFAULT_WORLD;
			const chosen = { workstreamId: { __rl: true, mode, value: workstreamId } };
			const { items } = await run('create', { name: 'x', additionalFields: chosen });
			expect(items).toMatchObject([{ workstreamId }]);
			const one = { __rl: true, mode, value: items[0]!.channelId as string };
			const empty = { workstreamId: { __rl: true, mode, value: '' } };
			expect((await run('update', { channelId: one, updateFields: empty })).items).toMatchObject([
				{ workstreamId: null },
			]);
			expect((await run('delete', { channelId: one })).items).toMatchObject([{ deleted: true }]);
		}
	});

	test.each([
		['', /^Next: enter the channelId of this item as Channel ID in the credential/],
		[DEFAULT_WORLD.channelId, /^The credential still uses its old channel/],
	])('Create says where its ID is to be entered (credential with “%s”)', async (channelId, says) => {
		const { hints } = await runOperation('channel: create', { name: 'x' }, { credential: { channelId } });
		expect(hints.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
	});

	test('a wrong ID is an error when it is updated, and makes no new record', async () => {
		const { error } = await run('update', { channelId: OTHER, updateFields: { name: 'x' } });
		expect(error).toMatchObject({ message: 'Dataverse has no such record', context: { outcome: 'notSent' } });
		expect((await run('getMany', { returnAll: true })).items).toHaveLength(1);
	});

	test('the credential’s channel, app and tenant are the defaults', async () => {
		expect((await run('get')).items).toMatchObject([{ channelId: DEFAULT_WORLD.channelId }]);
		const { items } = await run('create', { name: 'x', appId: `{${OTHER.toUpperCase()}}`, tenantId: OTHER });
		expect(items).toMatchObject([{ appId: OTHER, tenantId: OTHER }]);
	});

	test('is read in pages', async () => {
		for (let index = 0; index < 6; index++) await run('create', { name: `c${index}` });
		emulator.settings.dataverse.maxPageSize = 2;
		const { items } = await run('getMany', { returnAll: true });
		expect(new Set(items.map(({ channelId }) => channelId)).size).toBe(7);
		expect(calls().filter(({ operationId }) => operationId === 'dataverse.listChannels')).toHaveLength(4);
	});

	test.each([
		[
			'somewhere else',
			'https://elsewhere.example.com/api/data/v9.2/msdyn_occustommessagingchannels',
			'somewhere else',
		],
		['at another table', '/api/data/v9.2/systemusers', 'somewhere else'],
		[
			'where it was already',
			'/api/data/v9.2/msdyn_occustommessagingchannels?$skiptoken=x',
			'bring nothing new',
		],
	])('is not read on from a page that is %s', async (_, link, message) => {
		const nextLink = link.startsWith('https:') ? link : `${emulator.origin}${link}`;
		const body = JSON.stringify({ value: [], '@odata.nextLink': nextLink });
		const action = { status: 200, body, contentType: 'application/json' };
		emulator.settings.faults = [{ match: { operationId: 'dataverse.listChannels' }, action }];
		const { error } = await run('getMany', { returnAll: true });
		expect(error).toMatchObject({ message: expect.stringContaining(message) });
	});

	test('is written again after a throttling, as Dataverse asks for', async () => {
		emulator.settings.faults = [
			{ match: { operationId: 'dataverse.updateChannel' }, action: { status: 429, retryAfter: 1 }, times: 1 },
		];
		expect((await run('update', { ...OWN, updateFields: { name: 'x' } })).error).toBeUndefined();
	});

	test('is cleared of what is given as empty', async () => {
		emulator.setWebhookUrl('https://n8n.example.com/webhook/a');
		const { items } = await run('update', { ...OWN, updateFields: { webhookUrl: '', workstreamId: '' } });
		expect(items).toMatchObject([{ webhookUrl: null, workstreamId: null }]);
	});

	test.each(['', ' \n', null])('is cleared of a URL and a workstream given as %j', async (blank) => {
		emulator.setWebhookUrl('https://n8n.example.com/webhook/a');
		const updateFields = { webhookUrl: blank, workstreamId: blank, name: 'y' };
		const { items } = await run('update', { ...OWN, updateFields });
		expect(items).toMatchObject([{ webhookUrl: null, workstreamId: null, name: 'y' }]);
	});

	test.each(['', ' ', null])('keeps every other field that is given as %j beside a value', async (blank) => {
		const flags = { attachmentsForAgents: true, attachmentsForCustomers: 'true' };
		const [before] = (await run('update', { ...OWN, updateFields: flags })).items;
		expect(before).toMatchObject({ attachmentsForAgents: true, attachmentsForCustomers: true });
		const webhookUrl = 'https://n8n.example.com/webhook/b';
		const blanks = Object.fromEntries(
			['name', 'appId', 'tenantId', ...Object.keys(flags)].map((name) => [name, blank]),
		);
		const { items, error } = await run('update', { ...OWN, updateFields: { ...blanks, webhookUrl } });
		expect(error).toBeUndefined();
		expect(items).toEqual([{ ...before, webhookUrl }]);
		expect((await run('update', { ...OWN, updateFields: blanks })).error).toMatchObject({
			message: expect.stringContaining('nothing to update'),
		});
	});

	test.each([2, 'no', 'yes', {}, 'truee'])('a switch that is neither on nor off: %j', async (value) => {
		const updateFields = { name: 'x', attachmentsForAgents: value as string };
		expect((await run('update', { ...OWN, updateFields })).error).toMatchObject({
			message: expect.stringContaining('Attachments of Representatives must be true or false'),
		});
		expect(emulator.log).toEqual([]);
	});

	test.each([' TRUE ', true, 1, 'false', false, 0])('a switch by an expression: %j', async (value) => {
		const updateFields = { attachmentsForAgents: value };
		const { items } = await run('update', { ...OWN, updateFields });
		expect(items).toMatchObject([{ attachmentsForAgents: /true|1/i.test(String(value)) }]);
	});

	test.each([204, 200])('is read again where a change is answered %d without a body', async (status) => {
		const match = { operationId: 'dataverse.updateChannel' };
		emulator.settings.faults = [{ match, action: { status, isCarriedOut: true, body: '' } }];
		const { items, error } = await run('update', { ...OWN, updateFields: { name: 'new' } });
		expect(error).toBeUndefined();
		expect(items).toEqual((await run('get')).items);
		expect(items).toMatchObject([{ name: 'new' }]);
	});

	test('says that it was written where it cannot be read again', async () => {
		emulator.settings.faults = [
			{
				match: { operationId: 'dataverse.updateChannel' },
				action: { status: 204, isCarriedOut: true, body: '' },
			},
			{ match: { operationId: 'dataverse.getChannel' }, action: { status: 403 } },
		];
		expect((await run('update', { ...OWN, updateFields: { name: 'new' } })).error).toMatchObject({
			message: expect.stringContaining('It was written, but could not be read again'),
			context: { outcome: 'uncertain' },
		});
	});

	test('is not made twice by Retry On Fail', async () => {
		emulator.settings.faults = [
			{ match: { operationId: 'dataverse.createChannel' }, action: 'resetAfter', times: 1 },
		];
		const json = oneNode(
			'dynamics365Messaging',
			{ resource: 'channel', operation: 'create', name: 'once' },
			{ retryOnFail: true, maxTries: 3, waitBetweenTries: 1 },
		);
		await runWorkflow(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
		expect(
			(await run('getMany', { returnAll: true })).items.filter(({ name }) => name === 'once'),
		).toHaveLength(1);
	});

	test.each<[string, FaultAction, string]>([
		[
			'an answer without a body',
			{ status: 200, body: '', contentType: 'application/json' },
			'did not answer with a channel',
		],
		['a page', { status: 200, body: '<html></html>', contentType: 'text/html' }, 'is not readable'],
		[
			'a page with 404',
			{ status: 404, body: '<html></html>', contentType: 'text/html' },
			'A proxy or gateway',
		],
		['a 403 of another kind', { status: 403 }, 'Dataverse refuses this to the app'],
	])('%s is not taken for a record, and the text leads to the environment', async (_, action, message) => {
		emulator.settings.faults = [{ match: { operationId: 'dataverse.getChannel' }, action }];
		const { error } = await run('get', { options: { maxRetryTime: 0 } });
		expect(error).toMatchObject({
			message: expect.stringContaining(message),
			description: expect.stringMatching(/Environment URL|application user/),
		});
	});

	test('that may have been made is not made again', async () => {
		emulator.settings.faults = [{ match: { operationId: 'dataverse.createChannel' }, action: 'resetAfter' }];
		expect((await run('create', { name: 'x' })).error).toMatchObject({
			description: expect.stringContaining('Channel: Get Many'),
			context: { outcome: 'uncertain' },
		});
		expect(calls()).toHaveLength(1);
	});

	test.each<[string, IDataObject, string]>([
		['create', { name: ' ' }, 'Name is empty'],
		['create', { name: 'x'.repeat(101) }, 'Name is longer than 100'],
		['create', { name: 'x', appId: 'nope' }, 'App ID is not a GUID'],
		['create', { name: 'x', tenantId: 'contoso.onmicrosoft.com' }, 'Tenant ID is not a GUID'],
		['create', { name: 'x', webhookUrl: `https://a.example.com/${'x'.repeat(500)}` }, 'longer than 500'],
		['create', { name: 'x', webhookUrl: 'http://n8n.example.com/webhook/a' }, 'does not start with https'],
		['create', { name: 'x', webhookUrl: 'https://10.0.0.1/webhook/a' }, 'private'],
		['create', { name: 'x', webhookUrl: 'https://n8n.example.com/webhook-test/a' }, 'test URL'],
		['create', { name: 'x', webhookUrl: 'nope' }, 'is not a URL'],
		['create', { name: 'x', additionalFields: { workstreamId: 'nope' } }, 'Workstream is not a GUID'],
		['get', { channelId: { __rl: true, mode: 'id', value: 'nope' } }, 'Channel is not a GUID'],
		['update', OWN, 'nothing to update'],
		['update', { channelId: ' ', updateFields: { name: 'x' } }, 'Channel is empty'],
		['delete', { channelId: { __rl: true, mode: 'id', value: "={{ '' }}" } }, 'Channel is empty'],
	])('%s refuses the parameters of row %#', async (operation, parameters, message) => {
		expect((await run(operation, parameters)).error).toMatchObject({
			message: expect.stringContaining(message),
		});
		expect(emulator.log).toEqual([]);
	});

	test.each(['create', 'get', 'getMany', 'update', 'delete', 'linkManagedIdentity'])(
		'%s needs to know where the environment is, and says so',
		async (operation) => {
			const parameters = { name: 'x', channelId: OTHER, updateFields: { name: 'x' } };
			const { error } = await run(operation, parameters, { environmentUrl: '' });
			expect(error).toMatchObject({
				message: 'Environment URL is missing in the credential',
				description: expect.stringContaining('https://contoso.crm4.dynamics.com'),
			});
		},
	);

	test.each<[string, (settings: Emulator['settings']['dataverse']) => void, string]>([
		[
			'no application user',
			(dataverse) => (dataverse.applicationUser = false),
			'is not a user of this Dataverse environment',
		],
		['no role', (dataverse) => (dataverse.role = 'none'), 'has no role in Dataverse'],
		[
			'a role that may only read',
			(dataverse) => (dataverse.role = 'readOnly'),
			'role in Dataverse does not allow this',
		],
	])('%s is told as such', async (_, set, message) => {
		set(emulator.settings.dataverse);
		expect((await run('update', { ...OWN, updateFields: { name: 'x' } })).error).toMatchObject({
			message: expect.stringContaining(message),
			description: expect.stringContaining('Power Platform admin center'),
		});
	});
});

describe('a managed identity', () => {
	test('is made, bound and told for Entra; once it is there, nothing changes any more', async () => {
		const created = await run('create', { name: 'x', webhookUrl: 'https://n8n.example.com/webhook/a' });
		const channelId = created.items[0]!.channelId as string;
		const first = await run('linkManagedIdentity', { channelId, appId: OTHER });
		expect(first.items).toMatchObject([
			{
				channelId,
				created: true,
				changed: true,
				issuer: expect.stringContaining('https://'),
				subject: expect.stringMatching(/./),
				audience: 'api://AzureADTokenExchange',
				nextStep: expect.stringContaining('Federated credentials'),
			},
		]);
		const second = await run('linkManagedIdentity', { channelId, appId: OTHER });
		expect(second.items).toEqual([{ ...first.items[0], created: false, changed: false }]);
		expect(calls().filter(({ operationId }) => operationId === 'dataverse.updateChannel')).toHaveLength(1);
		expect((await run('get', { channelId })).items).toMatchObject([
			{ managedIdentityId: first.items[0]!.managedIdentityId },
		]);

		await run('update', { channelId, updateFields: { webhookUrl: 'https://n8n.example.com/webhook/b' } });
		const third = await run('linkManagedIdentity', { channelId, appId: OTHER });
		expect(third.items[0]!.subject).not.toBe(first.items[0]!.subject);
	});
});

test('what is to be done in Entra is told beside the item, whose last columns are out of sight', async () => {
	const created = await run('create', { name: 'x', webhookUrl: 'https://n8n.example.com/webhook/a' });
	const { channelId } = created.items[0]!;
	const { hints } = await runOperation('channel: linkManagedIdentity', { channelId, appId: OTHER });
	expect(hints.map(({ message }) => message)).toEqual([
		expect.stringMatching(/^In Entra, under App registr/),
	]);
});

test('a managed identity that is made without an answer is found, and bound', async () => {
	const match = { operationId: 'dataverse.createManagedIdentity' };
	emulator.settings.faults = [{ match, action: { status: 204, isCarriedOut: true, body: '' } }];
	const given = { ...OWN, appId: OTHER, tenantId: OTHER };
	const first = await run('linkManagedIdentity', given);
	expect(first.error).toBeUndefined();
	expect(first.items).toMatchObject([
		{ created: true, changed: true, managedIdentityId: expect.any(String) },
	]);
	const again = await run('linkManagedIdentity', given);
	expect(again.items).toEqual([{ ...first.items[0], created: false, changed: false }]);
});

test('of several managed identities of an app, the oldest is bound', async () => {
	const client = dataverseClient(connectionFrom(credentialFor(emulator)));
	const row = { applicationid: OTHER, tenantid: OTHER, credentialsource: 2, subjectscope: 1 } as const;
	const insert = async () => {
		const request = insertRequest(TABLES.managedIdentities, row, ['managedidentityid', 'createdon'], '');
		return (await client.call(request)).json as { managedidentityid: string; createdon: string };
	};
	const oldest = await insert();
	// By their keys, one that comes later stands first sooner or later. Times are in whole seconds.
	let later = oldest;
	for (let tries = 0; later.managedidentityid >= oldest.managedidentityid && tries < 200; tries++) {
		if (later.createdon === oldest.createdon) await new Promise((resolve) => setTimeout(resolve, 1100));
		later = await insert();
	}
	expect(later.createdon > oldest.createdon).toBe(true);
	const { items } = await run('linkManagedIdentity', { ...OWN, appId: OTHER, tenantId: OTHER });
	expect(items).toMatchObject([{ managedIdentityId: oldest.managedidentityid, created: false }]);
});

test('the managed identity that is bound stays, where it suits, though there is another', async () => {
	const connection = connectionFrom(credentialFor(emulator));
	const row = {
		applicationid: DEFAULT_WORLD.clientId,
		tenantid: DEFAULT_WORLD.tenantId,
		credentialsource: 2,
		subjectscope: 1,
	} as const;
	const insert = insertRequest(TABLES.managedIdentities, row, ['managedidentityid'], '');
	await dataverseClient(connection).call(insert);
	const before = (await run('get')).items[0]!.managedIdentityId;
	expect((await run('linkManagedIdentity')).items).toMatchObject([
		{ managedIdentityId: before, created: false, changed: false },
	]);
});

describe('Register Webhook', () => {
	/** An n8n that cannot be called from outside. */
	let base: string;
	beforeAll(async () => void (base = `http://localhost:${await closedPort()}/webhook`));
	const trigger = (parameters: IDataObject = { registerWebhook: true }) =>
		oneNode('dynamics365MessagingTrigger', parameters);
	const activation = (given: Partial<Activation> = {}): Activation => ({
		loader,
		json: trigger(),
		credentials: { dynamics365MessagingApi: credentialFor(emulator) },
		webhookBaseUrl: base,
		staticData: {},
		...given,
	});
	const registered = async () => (await run('get')).items[0]!.webhookUrl;
	const own = () => {
		const { id, webhookId } = trigger().nodes[0]!;
		return `${base}/${webhookId}/${id}`;
	};

	test('puts the URL into the record when the workflow is activated, and what stood there back', async () => {
		for (const before of [null, 'https://middleware.invalid/hook']) {
			emulator.setWebhookUrl(before);
			const one = activation();
			await activate(one);
			expect(await registered()).toBe(own());
			// As after n8n was killed and started again: it activates what was active.
			const again = { ...one, staticData: JSON.parse(JSON.stringify(one.staticData)) as IDataObject };
			await activate(again);
			await deactivate(again);
			expect(await registered()).toBe(before);
		}
	});

	test('registers nothing where it is off', async () => {
		emulator.setWebhookUrl('https://middleware.invalid/hook');
		for (const mode of ['trigger', 'manual'] as const) {
			await activate(activation({ json: trigger({ registerWebhook: false }), mode }));
		}
		await deactivate(
			activation({ json: trigger({ registerWebhook: false }), mode: 'internal', isTest: true }),
		);
		expect(await registered()).toBe('https://middleware.invalid/hook');
		expect(calls().filter(({ method }) => method !== 'GET')).toEqual([]);
	});

	describe('while the editor listens for a test event', () => {
		const testUrl = () => own().replace('/webhook/', '/webhook-test/');
		/** What n8n does: it keeps the static data of a test apart, and gives them to `delete`. */
		const listen = async (given: Partial<Activation> = {}) => {
			const one = activation({ mode: 'manual', staticData: {}, ...given });
			await activate(one);
			return async () => await deactivate({ ...one, mode: 'internal', isTest: true });
		};

		test.each([
			['nothing', () => null],
			['a middleware', () => 'https://middleware.invalid/hook'],
			['its own production URL', own],
		])('the test URL stands in the record, and then %s again', async (_, before) => {
			emulator.setWebhookUrl(before());
			const stop = await listen();
			expect(await registered()).toBe(testUrl());
			await stop();
			expect(await registered()).toBe(before());
		});

		test('what stood there comes back, too, where n8n has another path for test URLs', async () => {
			emulator.setWebhookUrl('https://middleware.invalid/hook');
			const stop = await listen({ testEndpoint: 'try' });
			expect(await registered()).toBe(own().replace('/webhook/', '/try/'));
			await stop();
			expect(await registered()).toBe('https://middleware.invalid/hook');
		});

		test('a test URL that was left there is not put back', async () => {
			for (const left of [testUrl(), 'https://n8n.example.com/webhook-test/c/d']) {
				emulator.setWebhookUrl(left);
				const stop = await listen();
				expect(await registered()).toBe(testUrl());
				await stop();
				expect(await registered()).toBeNull();
			}
		});

		test('nor does it count as somebody’s when the workflow is published', async () => {
			emulator.setWebhookUrl('https://n8n.example.com/webhook-test/c/d');
			const one = activation();
			await activate(one);
			expect(await registered()).toBe(own());
			await deactivate(one);
			expect(await registered()).toBeNull();
		});

		test('what somebody registered meanwhile stays', async () => {
			emulator.setWebhookUrl(null);
			const stop = await listen();
			emulator.setWebhookUrl('https://newer.invalid/hook');
			await stop();
			expect(await registered()).toBe('https://newer.invalid/hook');
		});

		test('the memory of the active workflow is left alone', async () => {
			emulator.setWebhookUrl('https://middleware.invalid/hook');
			const live = activation();
			await activate(live);
			await (
				await listen()
			)();
			expect(await registered()).toBe(own());
			await deactivate(live);
			expect(await registered()).toBe('https://middleware.invalid/hook');
		});

		test('the end of a test that never began touches nothing', async () => {
			emulator.setWebhookUrl('https://middleware.invalid/hook');
			const before = calls().length;
			await deactivate(activation({ mode: 'internal', isTest: true }));
			expect(calls()).toHaveLength(before);
		});
	});

	test('leaves alone what somebody else registered since', async () => {
		const one = activation();
		await activate(one);
		emulator.setWebhookUrl('https://newer.invalid/hook');
		await deactivate(one);
		expect(await registered()).toBe('https://newer.invalid/hook');
	});

	test('does not take the channel from another active workflow, but from one that is not active any more', async () => {
		const json = trigger({});
		json.nodes[0]!.webhookId = 'c0b3a2de-4c3b-4a68-8f0e-0d8a53f0a009';
		const other = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
		emulator.setWebhookUrl(other.url);
		const failing = activation();
		await expect(activate(failing)).rejects.toMatchObject({
			message: expect.stringMatching(RegExp(`${other.url}.* one webhook URL`)),
		});
		// n8n then deletes what it has set up.
		await deactivate(failing);
		expect(await registered()).toBe(other.url);
		await other.close();
		await activate(activation());
		expect(await registered()).toBe(own());
	});

	test('does not keep a trigger down that was registered before, when Dataverse is', async () => {
		const one = activation();
		await activate(one);
		emulator.settings.faults = [{ match: { operationId: 'dataverse.getChannel' }, action: { status: 403 } }];
		await expect(activate(one)).resolves.toBe(true);
		await expect(activate(activation())).rejects.toThrow('Dataverse refuses this to the app');
		emulator.settings.faults = [];
		await deactivate(one);
		emulator.settings.faults = [{ match: { operationId: 'dataverse.getChannel' }, action: { status: 403 } }];
		await expect(activate(one)).rejects.toThrow('Dataverse refuses this to the app');
	});

	test('is not taken for done where the URL could not be written, and leaves nothing behind', async () => {
		emulator.setWebhookUrl('https://middleware.invalid/hook');
		const one = activation();
		emulator.settings.dataverse.role = 'readOnly';
		await expect(activate(one)).rejects.toThrow('role in Dataverse does not allow this');
		expect(one.staticData).toEqual({ 'node:Dynamics': {} });
		// A second time, as n8n tries activations again.
		await expect(activate(one)).rejects.toThrow('role in Dataverse does not allow this');
		expect(await registered()).toBe('https://middleware.invalid/hook');
	});

	test('is done where only the answers to the writing were lost', async () => {
		emulator.setWebhookUrl('https://middleware.invalid/hook');
		emulator.settings.faults = [
			{ match: { operationId: 'dataverse.updateChannel' }, action: 'resetAfter', times: 1 },
		];
		const one = activation();
		await activate(one);
		await deactivate(one);
		expect(await registered()).toBe('https://middleware.invalid/hook');
	});

	test('clears the record where n8n was killed before it had kept what stood there', async () => {
		emulator.setWebhookUrl(own());
		const one = activation();
		await activate(one);
		await deactivate(one);
		expect(await registered()).toBeNull();
	});

	test('keeps what is to be put back when n8n gets another address', async () => {
		emulator.setWebhookUrl('https://middleware.invalid/hook');
		const one = activation();
		await activate(one);
		const elsewhere = `http://localhost:${await closedPort()}/webhook`;
		const moved = { ...one, webhookBaseUrl: elsewhere };
		await activate(moved);
		expect(await registered()).toContain(elsewhere);
		await deactivate(moved);
		expect(await registered()).toBe('https://middleware.invalid/hook');
	});

	test('knows its own URL in another spelling', async () => {
		emulator.setWebhookUrl('https://middleware.invalid/hook');
		const one = activation();
		await activate(one);
		emulator.setWebhookUrl(`${own().replace('localhost', 'LOCALHOST')}/`);
		await activate(one);
		await deactivate(one);
		expect(await registered()).toBe('https://middleware.invalid/hook');
	});

	test('is not kept from it by a URL in the record whose user name cannot be read', async () => {
		emulator.setWebhookUrl('https://%ff@middleware.invalid/hook');
		await activate(activation());
		expect(await registered()).toBe(own());
	});

	test('asks before it replaces a remembered URL at another address: the memory may be a copy', async () => {
		const one = activation();
		await activate(one);
		const json = trigger({});
		json.nodes[0]!.webhookId = 'c0b3a2de-4c3b-4a68-8f0e-0d8a53f0a009';
		const original = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
		emulator.setWebhookUrl(original.url);
		const copied = JSON.stringify(one.staticData).replaceAll(own(), original.url);
		const copy = { ...one, staticData: JSON.parse(copied) as IDataObject };
		await expect(activate(copy)).rejects.toThrow(original.url);
		expect(await registered()).toBe(original.url);
		await original.close();
	});

	test('is not refused for itself, where the former address of n8n still leads to it', async () => {
		const json = trigger();
		const credentials = { dynamics365MessagingApi: credentialFor(emulator) };
		const itself = await serveTrigger(loader, json, credentials);
		itself.baseUrl = base;
		emulator.setWebhookUrl(itself.url);
		await expect(activate(activation({ json }))).resolves.toBe(true);
		await itself.close();
	});

	test('is refused where a clone with the same instance ID runs at its former address', async () => {
		const json = trigger();
		const clone = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
		emulator.setWebhookUrl(clone.url);
		await expect(activate(activation({ json }))).rejects.toThrow(clone.url);
		expect(await registered()).toBe(clone.url);
		await clone.close();
	});

	test('with a copied memory leaves alone what the original has, when it is deactivated', async () => {
		const json = trigger();
		const original = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
		const there = activation({ json, webhookBaseUrl: original.baseUrl });
		await activate(there);
		await deactivate({ ...there, webhookBaseUrl: base });
		expect(await registered()).toBe(original.url);
		await original.close();
	});

	test('puts back at the channel that it was registered at, where the credential names another by now', async () => {
		emulator.setWebhookUrl('https://middleware.invalid/hook');
		const made = await run('create', { name: 'Other', webhookUrl: 'https://other.example.com/hook' });
		const channelId = made.items[0]!.channelId as string;
		const one = activation();
		await activate(one);
		const renamed = {
			dynamics365MessagingApi: { ...credentialFor(emulator), channelId },
		};
		const then = { ...one, credentials: renamed };
		await activate(then);
		expect(await registered()).toBe('https://middleware.invalid/hook');
		await deactivate(then);
		expect((await run('get', { channelId })).items[0]!.webhookUrl).toBe('https://other.example.com/hook');
	});

	test('of two workflows at once lets one have the channel, and tells the other', async () => {
		const second = trigger();
		second.nodes[0]!.webhookId = 'c0b3a2de-4c3b-4a68-8f0e-0d8a53f0a009';
		emulator.settings.faults = [
			{ match: { operationId: 'dataverse.updateChannel' }, action: { delayMs: 100 } },
		];
		const both = await Promise.allSettled([activate(activation()), activate(activation({ json: second }))]);
		expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
		const refused = both.find((one): one is PromiseRejectedResult => one.status === 'rejected')!;
		expect((refused.reason as Error).message).toContain(String(await registered()));
	});

	test('does not take a channel from a workflow of this n8n that n8n itself cannot call', async () => {
		emulator.setWebhookUrl(
			`${base}/c0b3a2de-4c3b-4a68-8f0e-0d8a53f0a009/5a1f5a0e-3a0a-4b67-9d35-0d8a53f0a009`,
		);
		await expect(activate(activation())).rejects.toMatchObject({
			message: expect.stringMatching(/cannot call itself.*Channel: Update/),
		});
	});

	test('does not keep n8n from deactivating when Dataverse is down, and remembers what is to be put back', async () => {
		emulator.setWebhookUrl('https://middleware.invalid/hook');
		const one = activation();
		await activate(one);
		emulator.settings.faults = [{ match: { operationId: 'dataverse.getChannel' }, action: { status: 403 } }];
		await expect(deactivate(one)).resolves.toBe(true);
		emulator.settings.faults = [];
		await deactivate(one);
		expect(await registered()).toBe('https://middleware.invalid/hook');
	});

	test('does not keep n8n from deactivating when the credential is broken', async () => {
		const one = activation();
		await activate(one);
		const broken = { dynamics365MessagingApi: { ...credentialFor(emulator), tenantId: '' } };
		await expect(deactivate({ ...one, credentials: broken })).resolves.toBe(true);
		await deactivate(one);
		expect(await registered()).toBeNull();
	});

	test.each(['ftp://files.example.com/x', 'mailto:a@example.com'])(
		'replaces what no one can call: %s',
		async (url) => {
			emulator.setWebhookUrl(url);
			await activate(activation());
			expect(await registered()).toBe(own());
		},
	);

	test('needs the environment', async () => {
		const credentials = { dynamics365MessagingApi: { ...credentialFor(emulator), environmentUrl: '' } };
		await expect(activate(activation({ credentials }))).rejects.toThrow(
			'Enter Environment URL in the credential, or switch Register Webhook off',
		);
	});
});

describe('Check Setup', () => {
	let served: TriggerServer;
	beforeEach(async () => {
		// A trigger keeps its credential for a while: that of a test before would name another emulator.
		const json = oneNode('dynamics365MessagingTrigger', {}, { id: crypto.randomUUID() });
		served = await serveTrigger(loader, json, { dynamics365MessagingApi: credentialFor(emulator) });
		emulator.setWebhookUrl(served.url);
		await deliver();
	});
	afterEach(async () => await served.close());

	/** Has Dynamics deliver a word of a representative, signed. */
	async function deliver(): Promise<void> {
		emulator.addConversations(1);
		const [conversation] = emulator.desk.list();
		emulator.desk.deliver(conversation!.id, { type: 'message', text: 'Hello', channelId: 'x' });
		await emulator.idle();
	}

	async function check(credential: IDataObject = {}, options: IDataObject = {}) {
		const before = calls().length;
		const { items, error } = await run(
			'checkSetup',
			{ options: { includeSkipped: true, ...options } },
			credential,
		);
		expect(error).toBeUndefined();
		// It never changes anything.
		expect(
			calls()
				.slice(before)
				.filter(({ method }) => method !== 'GET'),
		).toEqual([]);
		expect(entries(emulator, 'request').filter(({ method }) => method !== 'GET')).toEqual([]);
		return items as Array<{ title: string; check: string; status: string; detail: string; fix: string }>;
	}
	const named = (items: Awaited<ReturnType<typeof check>>) =>
		items
			.filter(({ status, check: name }) => name !== 'summary' && ['failed', 'warning'].includes(status))
			.map(({ check: name, status }) => [name, status]);

	test('cannot see the Application ID URI, and says where to look until a signed delivery came', async () => {
		const other = oneNode('dynamics365MessagingTrigger', {}, { id: '5a1f5a0e-3a0a-4b67-9d35-0d8a53f0a0ff' });
		const untold = await serveTrigger(loader, other, { dynamics365MessagingApi: credentialFor(emulator) });
		emulator.setWebhookUrl(untold.url);
		const before = await check();
		expect(named(before)).toEqual([['applicationIdUri', 'warning']]);
		expect(before.find((item) => item.check === 'applicationIdUri')!.fix).toContain(
			`api://${DEFAULT_WORLD.clientId}`,
		);
		emulator.settings.federationFollows = false;
		const response = await fetch(`${untold.url}/v3/conversations/c/activities`, {
			method: 'POST',
			headers: { authorization: 'Bearer a.b.c', 'content-type': 'application/json' },
			body: '{"type":"message","text":"Hello"}',
		});
		expect(response.status).toBe(401);
		expect(named(await check())).toEqual([['applicationIdUri', 'warning']]);
		emulator.settings.federationFollows = true;
		await deliver();
		expect(named(await check())).toEqual([]);
		await untold.close();
	});

	test('does not take a signed delivery of another channel for one of its own', async () => {
		const created = await run('create', { name: 'Kiosk', webhookUrl: served.url });
		const items = await check({ channelId: created.items[0]!.channelId });
		expect(named(items)).toContainEqual(['applicationIdUri', 'warning']);
		expect(items.find((item) => item.check === 'applicationIdUri')!.detail).toContain('this app and channel');
	});

	/** Writes columns that no operation writes. */
	async function write(changes: Record<string, unknown>): Promise<void> {
		const request = updateRequest(TABLES.channels, emulator.world.channelId, changes, ['msdyn_name']);
		await dataverseClient(connectionFrom(credentialFor(emulator))).call(request);
	}

	test('says where to look for the Application ID URI whatever keeps it from knowing of a signed delivery', async () => {
		const found = async () => (await check()).find((item) => item.check === 'applicationIdUri');
		const warning = {
			status: 'warning',
			detail: expect.stringContaining('no trigger could be asked'),
			fix: expect.stringContaining(`api://${DEFAULT_WORLD.clientId}`),
		};
		emulator.setWebhookUrl(`https://localhost:${await closedPort()}/webhook/a`);
		expect(await found()).toMatchObject(warning);
		emulator.setWebhookUrl(`${served.url}x`);
		expect(await found()).toMatchObject(warning);
		emulator.setWebhookUrl('https://10.1.2.3/webhook/a/b');
		expect(await found()).toMatchObject(warning);
		await run('linkManagedIdentity', { appId: OTHER });
		expect(await found()).toMatchObject(warning);
		await write({ 'managedidentityid@odata.bind': null });
		expect(await found()).toMatchObject(warning);
		emulator.setWebhookUrl(null);
		expect(await found()).toMatchObject(warning);
		emulator.settings.dataverse.role = 'none';
		expect(await found()).toMatchObject({ status: 'skipped' });
	});

	test('finds nothing where all is in order', async () => {
		const subject = (await run('linkManagedIdentity')).items[0]!.subject;
		const items = await check({}, { federatedSubject: subject });
		expect(named(items)).toEqual([]);
		expect(items.map(({ status }) => status)).toEqual(items.map(() => 'ok'));
		for (const item of items)
			expect(item).toEqual({
				title: expect.any(String),
				check: expect.any(String),
				status: 'ok',
				detail: expect.stringMatching(/./),
				fix: 'None needed',
			});
	});

	test('gives the summary, what failed, the warnings, what passed, and on request what was skipped', async () => {
		emulator.setWebhookUrl('https://n8n.example.com/webhook-test/a/b');
		emulator.settings.dataverse.omnichannelAdministrator = false;
		const all = await check();
		const [summary, ...rows] = all;
		expect(summary).toMatchObject({
			title: '1 of 16 checks failed: Webhook URL',
			fix: expect.stringMatching(/^Start with Webhook URL\. Publish \(activate\) the workflow/),
			status: 'failed',
			detail:
				'1 failed, 2 to look at, 13 passed. 2 checks could not be made (Active trigger, Federated credential): see the end',
		});
		const statuses = [...new Set(rows.map(({ status }) => status))];
		expect(statuses).toEqual(['failed', 'warning', 'ok', 'skipped']);
		expect(Object.keys(rows[0]!)).toEqual(['title', 'fix', 'status', 'detail', 'check']);
		// The clock differs by a second from one run to the next.
		const told = (items: typeof all) => items.map(({ title, status }) => [title, status]);
		const notSkipped = all.filter(({ status }) => status !== 'skipped');
		const short = await check({}, { includeSkipped: false });
		expect(told(short)).toEqual(told(notSkipped));
		expect(short[0]!.detail).toMatch(
			/2 checks could not be made \(Active trigger, Federated credential\): the option Include Skipped Checks says why$/,
		);
	});

	test.each(['https://me:geheim@n8n.example.com/hook', 'https://me:geheim@localhost.example/webhook-test/a'])(
		'shows no password of a webhook URL: %s',
		async (url) => {
			emulator.setWebhookUrl(url);
			const rows = JSON.stringify(await check());
			expect(rows).toContain('https://me:***@');
			expect(rows).not.toContain('geheim');
		},
	);

	test('gives the summary and the mistake alone where the credential cannot be used', async () => {
		const broken = { organizationId: 'x' };
		const rows = await check(broken, { includeSkipped: false });
		expect(rows.map(({ title, status }) => [title, status])).toEqual([
			['1 of 1 check failed: Credential', 'failed'],
			['Credential', 'failed'],
		]);
		expect((await check(broken)).filter(({ status }) => status === 'skipped')).toHaveLength(17);
	});

	test('tells that the role for availability is missing, or not known, but lets it be', async () => {
		const subject = (await run('linkManagedIdentity')).items[0]!.subject;
		const warnings = async () => {
			const items = await check({}, { federatedSubject: subject });
			const row = items.find(({ check: name }) => name === 'availabilityRole')!;
			return [named(items), row.detail, row.fix];
		};
		const only = [['availabilityRole', 'warning']];
		const fix = expect.stringContaining('Omnichannel administrator');
		emulator.settings.dataverse.omnichannelAdministrator = false;
		expect(await warnings()).toEqual([only, expect.stringContaining('does not have the role'), fix]);
		const match = { operationId: 'dataverse.listRoles' };
		emulator.settings.faults = [{ match, action: { status: 403 } }];
		expect(await warnings()).toEqual([only, expect.stringContaining('is not known'), fix]);
	});

	const patch = async (updateFields: IDataObject) =>
		expect((await run('update', { ...OWN, updateFields })).error).toBeUndefined();
	test.each<[string, string, () => Promise<IDataObject | void> | IDataObject | void, string]>([
		[
			'dashes in the scope',
			'credential',
			() => ({ scope: `https://${DEFAULT_WORLD.organizationId}-c.crm4.dynamics.com/.default` }),
			'dashes',
		],
		[
			'no dashes in the host',
			'credential',
			() => ({ baseUrl: `https://m-${OTHER.replaceAll('-', '')}.eu.omnichannelengagementhub.com` }),
			'dashes',
		],
		[
			'an environment on http',
			'credential',
			() => ({ environmentUrl: 'http://contoso.crm4.dynamics.com' }),
			'https',
		],
		[
			'a managed identity of another app',
			'managedIdentity',
			async () => {
				await run('linkManagedIdentity', { appId: OTHER });
			},
			OTHER,
		],
		[
			'a URL that is none of the web',
			'webhookUrl',
			() => emulator.setWebhookUrl('ftp://localhost/x'),
			'https',
		],
		['a wrong secret', 'messagingToken', () => ({ clientSecret: 'x' }), 'secret is wrong'],
		['an expired secret', 'messagingToken', () => ({ clientSecret: 'expired-secret' }), 'expired'],
		['an app of another tenant', 'messagingToken', () => ({ clientId: OTHER }), 'not known in this tenant'],
		['a wrong zone', 'messagingToken', () => ({ zone: 'crm2' }), 'Geo (or Zone)'],
		[
			'a host that is not known',
			'messagingHost',
			() => ({ baseUrl: 'https://m-x.nowhere.invalid' }),
			'There is no host',
		],
		[
			'a channel that is not authorised',
			'channelAccepted',
			() => void (emulator.settings.channelAuthorized = false),
			'did not accept',
		],
		[
			'an environment that is another one',
			'dataverseToken',
			() => ({ environmentUrl: 'https://contoso.invalid' }),
			'does not know Environment URL',
		],
		[
			'no application user',
			'dataverseRole',
			() => void (emulator.settings.dataverse.applicationUser = false),
			'not a user',
		],
		[
			'a role without rights',
			'dataverseRole',
			() => void (emulator.settings.dataverse.role = 'none'),
			'role',
		],
		[
			'a role that may only read',
			'dataverseRole',
			() => void (emulator.settings.dataverse.role = 'readOnly'),
			'not write',
		],
		['a channel that is not there', 'channelRecord', () => ({ channelId: OTHER }), 'no channel record'],
		['another app in the record', 'channelApp', () => patch({ appId: OTHER }), OTHER],
		['another tenant in the record', 'channelTenant', () => patch({ tenantId: OTHER }), OTHER],
		[
			'a channel of another kind',
			'channelType',
			() => write({ msdyn_occustomchannelid: 192350002 }),
			'another type of custom channel',
		],
		[
			'no workstream in the record',
			'workstream',
			() => write({ 'msdyn_liveworkstreamid@odata.bind': null }),
			'workstream',
		],
		[
			'no managed identity',
			'managedIdentity',
			() => write({ 'managedidentityid@odata.bind': null }),
			'no managed identity',
		],
		['no workstream', 'workstream', () => void (emulator.settings.linkedToWorkstream = false), 'workstream'],
		[
			'n8n’s test URL',
			'webhookUrl',
			() => emulator.setWebhookUrl('https://n8n.example.com/webhook-test/a/b'),
			'test URL',
		],
		[
			'a URL on http',
			'webhookUrl',
			() => emulator.setWebhookUrl('http://n8n.example.com/webhook/a/b'),
			'https',
		],
		[
			'a URL on localhost of another service',
			'webhookUrl',
			() => emulator.setWebhookUrl('https://10.1.2.3/webhook/a/b'),
			'private',
		],
		['no URL', 'webhookUrl', () => emulator.setWebhookUrl(null), 'no webhook URL'],
		[
			'a workflow that is not active',
			'activeTrigger',
			() => emulator.setWebhookUrl(`${served.url}x`),
			'No active trigger',
		],
	])('%s is named by %s and no other', async (_, name, mistake, words) => {
		const credential = (await mistake()) ?? {};
		const items = await check(credential);
		expect(named(items).filter(([check]) => check !== 'applicationIdUri')).toEqual([[name, 'failed']]);
		const found = items.find((item) => item.check === name)!;
		expect(found.detail).toContain(words);
		expect(found.fix).not.toBe('');
	});

	test.each<[string, Record<string, string>, string]>([
		['HTTPS_PROXY', { HTTPS_PROXY: 'http://127.0.0.1:1' }, 'skipped'],
		['https_proxy', { https_proxy: 'http://127.0.0.1:1' }, 'skipped'],
		['ALL_PROXY', { ALL_PROXY: 'http://127.0.0.1:1' }, 'skipped'],
		[
			'all_proxy, past which another host goes',
			{ all_proxy: '127.0.0.1:1', NO_PROXY: 'x.invalid' },
			'skipped',
		],
		[
			'ALL_PROXY, past which this host goes',
			{ ALL_PROXY: 'http://127.0.0.1:1', no_proxy: '.nowhere.invalid' },
			'failed',
		],
		['HTTP_PROXY, which is not for https', { HTTP_PROXY: 'http://127.0.0.1:1' }, 'failed'],
		['HTTPS_PROXY, which is empty', { HTTPS_PROXY: '' }, 'failed'],
	])('a host that only a proxy can look up, by %s', async (_, variables, status) => {
		Object.assign(process.env, variables);
		try {
			const items = await check({ baseUrl: 'https://m-x.nowhere.invalid' });
			expect(items.find((item) => item.check === 'messagingHost')).toMatchObject({ status });
		} finally {
			for (const name of Object.keys(variables)) delete process.env[name];
		}
	});

	test('a federated subject that was changed since it was linked is named, and no other', async () => {
		const subject = (await run('linkManagedIdentity')).items[0]!.subject;
		emulator.setWebhookUrl(`${served.url}/`);
		const items = await check({}, { federatedSubject: subject });
		expect(named(items)).toEqual([['federatedSubject', 'failed']]);
	});

	test('the subject that this workflow linked last is remembered, and compared with', async () => {
		const staticData: IDataObject = {};
		const inWorkflow = async (operation: string) => {
			const options = { includeSkipped: true };
			const json = {
				...oneNode('dynamics365Messaging', { resource: 'channel', operation, options }),
				staticData,
			};
			const credentials = { dynamics365MessagingApi: credentialFor(emulator) };
			const { items } = outcomeOf(await runWorkflow(loader, json, credentials));
			return items.find((item) => item.json.check === 'federatedSubject')?.json.status;
		};
		expect(await inWorkflow('checkSetup')).toBe('skipped');
		await inWorkflow('linkManagedIdentity');
		expect(await inWorkflow('checkSetup')).toBe('ok');
		emulator.setWebhookUrl(`${served.url}/`);
		expect(await inWorkflow('checkSetup')).toBe('failed');
	});

	test('a clock that is wrong is named, and no other', async () => {
		emulator.settings.clockSkewMs = 3_600_000;
		expect(named(await check())).toEqual([['clock', 'failed']]);
		emulator.settings.clockSkewMs = -120_000;
		expect(named(await check())).toEqual([['clock', 'warning']]);
	});

	test('a certificate that nobody trusts is named, and no other', async () => {
		const server = createServer(await makeCertificate());
		const port = await listen(server);
		emulator.setWebhookUrl(`https://localhost:${port}/webhook/a`);
		const items = await check();
		expect(named(items)).toEqual([
			['activeTrigger', 'failed'],
			['applicationIdUri', 'warning'],
		]);
		expect(items.find((item) => item.check === 'activeTrigger')!.detail).toContain('certificate');
		server.close();
	});

	test('an answer that is no record is named, and no other, in place of an error', async () => {
		const action = { status: 200, body: '', contentType: 'application/json' };
		emulator.settings.faults = [{ match: { operationId: 'dataverse.getChannel' }, action }];
		expect(named(await check())).toEqual([['channelRecord', 'failed']]);
	});

	test('a host that n8n cannot call is no more than a warning: networks keep n8n from its own address', async () => {
		emulator.setWebhookUrl(`https://localhost:${await closedPort()}/webhook/a`);
		expect(named(await check())).toEqual([
			['activeTrigger', 'warning'],
			['applicationIdUri', 'warning'],
		]);
	});

	test('without the environment what is in Dataverse is skipped, and a warning says why', async () => {
		const items = await check({ environmentUrl: '' });
		expect(named(items)).toEqual([['dataverseToken', 'warning']]);
		expect(items.find(({ check: name }) => name === 'dataverseToken')).toMatchObject({
			status: 'warning',
			fix: expect.stringContaining('credential'),
		});
	});
});
