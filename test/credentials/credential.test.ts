import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	IHttpRequestOptions,
	ILoadOptionsFunctions,
} from 'n8n-workflow';
import { Dynamics365MessagingApi } from '../../credentials/Dynamics365MessagingApi.credentials';
import type { Emulator } from '../../emulator';
import { conversationChoices } from '../../nodes/Dynamics365Messaging/methods/conversationChoices';
import { Dynamics365Messaging } from '../../nodes/Dynamics365Messaging/Dynamics365Messaging.node';
import type { ConversationRecord } from '../../nodes/Dynamics365Messaging/dataverse/conversation';
import type { Json } from '../../nodes/shared/json';
import { connectionFrom } from '../../nodes/Dynamics365Messaging/connection';
import { callMessagingApi, credentialFor, entries, testEmulator, openCall } from '../support/emulator';

let emulator: Emulator;
const credential = new Dynamics365MessagingApi();
const node = new Dynamics365Messaging();

beforeEach(async () => void (emulator = await testEmulator()));
afterEach(async () => await emulator.close());

describe('Test', () => {
	async function tested(given: Record<string, unknown> = {}) {
		const stored = {
			id: '1',
			name: 'x',
			type: 'x',
			data: { ...credentialFor(emulator), ...given },
		} as ICredentialsDecrypted;
		return await node.methods.credentialTest.dynamics365MessagingApiTest.call(
			{} as ICredentialTestFunctions,
			stored,
		);
	}

	test('gets a token and makes an authorised call with both headers', async () => {
		expect(await tested()).toMatchObject({ status: 'OK' });
		expect(entries(emulator, 'token')).toHaveLength(1);
		expect(entries(emulator, 'request')).toMatchObject([
			{ operationId: 'listConversations', status: 200, contractErrors: [] },
		]);
	});

	test('without a Channel ID passes with the token alone, and says what comes next', async () => {
		for (const channelId of ['', ' ', undefined]) {
			expect(await tested({ channelId })).toEqual({
				status: 'OK',
				message: 'The token is good. Next: Channel: Create',
			});
		}
		expect(entries(emulator, 'request')).toEqual([]);
		const { status, message } = await tested({ channelId: '', clientSecret: 'nope' });
		expect([status, message]).toEqual(['Error', expect.stringContaining('client secret is wrong')]);
	});

	test('the form says beside the empty Channel ID where to get one, as the editor shows no message', () => {
		const [notice, ...others] = credential.properties.filter(
			({ type, displayOptions }) => type === 'notice' && displayOptions,
		);
		expect(others).toEqual([]);
		expect(notice!.displayOptions).toEqual({ show: { channelId: [''] } });
		expect(notice!.displayName).toMatch(/Channel: Create.*Channel: Get Many/);
		expect(credential.properties.find(({ name }) => name === 'channelId')!.required).toBeUndefined();
	});

	test('tells mistakes apart', async () => {
		const messages = new Map<string, string>();
		const mistakes: Record<string, Record<string, unknown>> = {
			'wrong secret': { clientSecret: 'nope' },
			'expired secret': { clientSecret: 'expired-secret' },
			'wrong tenant': { tenantId: '11111111-2222-4333-8444-555555555555' },
			'wrong app': { clientId: '11111111-2222-4333-8444-555555555555' },
			'wrong zone': { zone: 'crm9' },
			'unreachable host': { baseUrl: 'https://nowhere.invalid' },
			'unreachable authority': { authorityHost: 'https://nowhere.invalid' },
			'no GUID': { channelId: 'channel' },
			'wrong channel': { channelId: '11111111-2222-4333-8444-555555555555' },
		};
		for (const [mistake, given] of Object.entries(mistakes)) {
			const { status, message } = await tested(given);
			expect(status).toBe('Error');
			messages.set(message, mistake);
		}
		emulator.settings.channelAuthorized = false;
		messages.set((await tested()).message, 'unauthorised channel');
		emulator.settings.channelAuthorized = true;
		emulator.settings.linkedToWorkstream = false;
		messages.set((await tested()).message, 'no workstream');
		expect([...messages.values()].sort()).toEqual(
			[...Object.keys(mistakes), 'no workstream', 'unauthorised channel'].sort(),
		);
		const said = (mistake: string) => [...messages].find(([, of]) => of === mistake)?.[0];
		expect(said('wrong secret')).toContain('client secret is wrong');
		expect(said('expired secret')).toContain('expired');
		expect(said('wrong tenant')).toContain('tenant does not exist');
		expect(said('wrong zone')).toContain('fill in Zone');
		expect(said('unreachable host')).toContain('nowhere.invalid cannot be reached');
		expect(said('unauthorised channel')).toContain(
			'did not accept the token for this channel and organization',
		);
	});
});

describe('in the HTTP Request node', () => {
	const sign = async (
		options: Partial<IHttpRequestOptions> & { uri?: string; rejectUnauthorized?: boolean },
	) => await credential.authenticate(credentialFor(emulator), { url: '', ...options });

	test('signs requests to the service, without following redirects', async () => {
		const signed = await sign({
			url: `${emulator.origin}/api/v1.0/consumer/conversations`,
			headers: { accept: 'x' },
		});
		expect(signed).toMatchObject({
			disableFollowRedirect: true,
			headers: {
				accept: 'x',
				authorization: expect.stringMatching(/^Bearer ey/),
				'channel-id': emulator.world.channelId,
				'organization-id': emulator.world.organizationId,
			},
		});
	});

	test('signs what the HTTP Request node gives, and lets nothing of it outweigh the credential', async () => {
		const signed = await sign({
			uri: `${emulator.origin}/api/v1.0/consumer/conversations`,
			followRedirect: true,
			followAllRedirects: true,
			maxRedirects: 10,
			sendCredentialsOnCrossOriginRedirect: true,
			headers: { Authorization: 'Bearer mine', 'Channel-ID': 'mine' },
		} as Partial<IHttpRequestOptions>);
		expect(signed).toMatchObject({
			followRedirect: false,
			followAllRedirects: false,
			maxRedirects: 0,
			sendCredentialsOnCrossOriginRedirect: false,
		});
		expect(Object.keys(signed.headers!).sort()).toEqual(['authorization', 'channel-id', 'organization-id']);
	});

	test.each([
		['the older form', () => ({ rejectUnauthorized: false })],
		['the newer form', () => ({ skipSslCertificateValidation: true })],
	])('sends no token where the certificate is not checked: %s', async (_, option) => {
		await expect(sign({ url: `${emulator.origin}/x`, ...option() })).rejects.toThrow('certificate');
	});

	test('sends no token nowhere', async () => {
		await expect(sign({})).rejects.toThrow('no URL');
	});

	test.each([
		['another host', () => ({ url: 'https://evil.example.com/' })],
		['another host in the older form', () => ({ uri: 'https://evil.example.com/' })],
		['another port', () => ({ url: 'https://localhost:1/' })],
		['plain http', () => ({ url: emulator.origin.replace('https', 'http') })],
		['another base URL', () => ({ baseURL: 'https://evil.example.com', url: '/x' })],
		[
			'a user name that looks like the host',
			() => ({ url: `https://${new URL(emulator.origin).host}@evil.example.com/` }),
		],
	])('sends no token to %s', async (_, options) => {
		await expect(sign(options())).rejects.toThrow('its token is not sent');
		expect(emulator.log).toEqual([]);
	});
});

test('the list of conversations is searched to its end, and else given a page at a time', async () => {
	const connection = connectionFrom(credentialFor(emulator));
	const ids: string[] = [];
	for (let index = 0; index < 102; index++) {
		const created = await callMessagingApi(connection, openCall);
		ids.push((created as { conversationId: string }).conversationId);
	}
	const search = searchIn();
	const first = await search();
	expect(first.results).toHaveLength(100);
	const second = await search(undefined, first.paginationToken);
	expect([...first.results, ...second.results].map(({ value }) => value).sort()).toEqual([...ids].sort());
	expect(second.paginationToken).toBeUndefined();
	const last = second.results[0]!.value as string;
	expect((await search(` ${last.toUpperCase()} `)).results.map(({ value }) => value)).toEqual([last]);
	const before = entries(emulator, 'dataverse').length;
	expect(await search('nothing like it')).toEqual({ results: [], paginationToken: undefined });
	// One call for the names of a page, and not one a conversation.
	expect(
		entries(emulator, 'dataverse')
			.slice(before)
			.map(({ operationId }) => operationId),
	).toEqual(['dataverse.listConversations', 'dataverse.listConversations']);
});

/** The search of the list, as the editor calls it, in the time zone of Amsterdam. */
function searchIn(given: Record<string, unknown> = {}) {
	const context = {
		getCredentials: async () => ({ ...credentialFor(emulator), ...given }),
		getNode: () => ({}),
		getTimezone: () => 'Europe/Amsterdam',
	} as unknown as ILoadOptionsFunctions;
	return async (filter?: string, token?: string) =>
		await node.methods.listSearch.searchConversations.call(context, filter, token);
}

describe('a conversation in the list', () => {
	const TIME = /\d{1,2} [A-Z][a-z]{2} \d\d:\d\d/.source;
	const open = async (customercontext: Record<string, string>) => {
		const connection = connectionFrom(credentialFor(emulator));
		const created = await callMessagingApi(connection, { ...openCall, body: { customercontext } });
		return (created as { conversationId: string }).conversationId;
	};
	const kim = { customerid: 'kim', firstname: 'Kim', lastname: 'Berger', email: 'kim@example.com' };

	test('is named by its customer, its start and its status, and leads to its record', async () => {
		const id = await open(kim);
		const [choice, ...others] = (await searchIn()('berger')).results;
		expect(others).toEqual([]);
		expect(choice).toEqual({
			name: expect.stringMatching(new RegExp(`^Kim Berger · ${TIME} · waiting$`)),
			value: id,
			url: `${emulator.origin}/main.aspx?pagetype=entityrecord&etn=msdyn_ocliveworkitem&id=${id}`,
		});
		emulator.desk.accept(id, { agentName: 'Ana Lopes' });
		expect((await searchIn()('active')).results[0]!.name).toMatch(/^Kim Berger · .* · active$/);
	});

	test('has its start and its ID without an Environment URL, and nothing asks Dataverse', async () => {
		const id = await open(kim);
		const { results } = await searchIn({ environmentUrl: '' })();
		expect(results).toEqual([{ name: expect.stringMatching(new RegExp(`^${TIME} · ${id}$`)), value: id }]);
		expect(entries(emulator, 'dataverse')).toEqual([]);
	});

	test('is in the list also where Dataverse refuses, cannot be reached or gives no rows', async () => {
		const id = await open(kim);
		emulator.settings.dataverse.role = 'none';
		expect((await searchIn()()).results).toMatchObject([{ value: id }]);
		emulator.settings.dataverse.role = 'full';
		for (const action of [{ status: 503 }, 'resetBefore', { status: 400 }] as const) {
			emulator.settings.faults = [{ match: { operationId: 'dataverse.listConversations' }, action }];
			expect((await searchIn()()).results[0]!.name).toMatch(new RegExp(`^${TIME} · ${id}$`));
		}
		expect((await searchIn({ environmentUrl: 'https://nowhere.invalid' })()).results).toHaveLength(1);
	});

	test('without names, a search of several pages asks Dataverse once', async () => {
		emulator.addConversations(250);
		emulator.settings.faults = [
			{ match: { operationId: 'dataverse.listConversations' }, action: { status: 503 } },
		];
		const { results } = await searchIn()('nothing like it');
		expect(results).toEqual([]);
		expect(entries(emulator, 'dataverse')).toHaveLength(1);
	});

	test('is looked up in Dataverse by a GUID alone, in whatever casing the service gives it', async () => {
		const id = await open(kim);
		const list = (ids: string[]) => ({
			status: 200,
			body: JSON.stringify({ conversations: ids.map((conversationid) => ({ conversationid })) }),
			contentType: 'application/json',
		});
		const match = { operationId: 'listConversations' };
		emulator.settings.faults = [{ match, action: list([id.toUpperCase(), "x') or true or ('y"]) }];
		const { results } = await searchIn()();
		expect(results.map(({ name }) => name)).toEqual(['Kim Berger · waiting', "x') or true or ('y"]);
		expect(results[0]!.value).toBe(id.toUpperCase());
		const [asked] = entries(emulator, 'dataverse');
		expect(JSON.stringify(asked)).not.toContain('or true');
	});

	test('is in the list after five seconds where Dataverse says nothing', async () => {
		const id = await open(kim);
		emulator.settings.faults = [
			{ match: { operationId: 'dataverse.listConversations' }, action: { delayMs: 12_000 } },
		];
		const from = performance.now();
		expect((await searchIn()()).results).toMatchObject([{ value: id }]);
		expect(performance.now() - from).toBeLessThan(10_000);
	});

	const [A, B] = ['11111111-2222-4333-8444-555555555555', '22222222-2222-4333-8444-555555555555'];
	type Records = Record<string, Pick<ConversationRecord, 'customerName' | 'subject' | 'status'>>;
	test.each<[string, Json[], Records, string[]]>([
		[
			'the zone decides the day',
			[{ conversationid: A, timestamp: '2026-11-29T23:30:00Z' }],
			{ [A]: { customerName: 'Kim', subject: 'x', status: 'Active' } },
			['Kim · 30 Nov 00:30 · active'],
		],
		[
			'a subject stands for a customer without a record',
			[{ conversationId: A.toUpperCase(), timestamp: '2026-09-01T10:00:00Z' }],
			{ [A]: { customerName: null, subject: 'Visitor: App chat', status: null } },
			['Visitor: App chat · 1 Sep 12:00'],
		],
		[
			'two that would be the same have their IDs',
			[A, B].map((conversationid) => ({ conversationid, timestamp: '2026-11-29T13:05:00Z' })),
			Object.fromEntries([A, B].map((id) => [id, { customerName: 'Kim', subject: null, status: 'Active' }])),
			[`Kim · 29 Nov 14:05 · active · ${A}`, `Kim · 29 Nov 14:05 · active · ${B}`],
		],
		[
			'a blank name is none',
			[A, B].map((conversationid) => ({ conversationid, timestamp: '2026-11-29T13:05:00Z' })),
			{
				[A]: { customerName: ' ', subject: 'Visitor', status: '' },
				[B]: { customerName: '', subject: '\n', status: ' ' },
			},
			['Visitor · 29 Nov 14:05', `29 Nov 14:05 · ${B}`],
		],
		[
			'an hour that the clock shows twice is no reason to take two for one',
			[
				{ conversationid: A, timestamp: '2026-10-25T00:30:00Z' },
				{ conversationid: B, timestamp: '2026-10-25T01:30:00Z' },
			],
			Object.fromEntries([A, B].map((id) => [id, { customerName: 'Kim', subject: null, status: null }])),
			[`Kim · 25 Oct 02:30 · ${A}`, `Kim · 25 Oct 02:30 · ${B}`],
		],
		[
			'an entry without an ID cannot be chosen',
			[{ timestamp: '2026-11-29T13:05:00Z' }, null, 'x', { conversationid: ' ' }, { conversationid: A }],
			{ '': { customerName: 'Kim', subject: null, status: null } },
			[A],
		],
		[
			'without anything has its ID',
			[{ conversationid: A }, { conversationid: B, timestamp: 'x' }],
			{},
			[A, B],
		],
	])('%s', (_, list, records, names) => {
		const known = new Map(Object.entries(records));
		const choices = conversationChoices(list, known, 'Europe/Amsterdam');
		expect(choices.map(({ name }) => name)).toEqual(names);
	});
});
