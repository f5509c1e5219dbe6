import type { Emulator } from '../../emulator';
import { validateDataverseAnswer } from '../../emulator/dataverse/validate';
import {
	type Client,
	connect,
	dataverseErrorOf,
	dataverseTextOf,
	rowsOf,
	send,
	startConversation,
	startDataverse,
	UNKNOWN,
} from './support';

let emulator: Emulator;
let dataverse: Client;
let messaging: Client;
let settings: Emulator['settings'];
beforeAll(async () => {
	({ emulator, dataverse } = await startDataverse());
	messaging = await connect(emulator);
	settings = structuredClone(emulator.settings);
});
beforeEach(() => {
	Object.assign(emulator.settings.availability, settings.availability);
	Object.assign(emulator.settings.dataverse, settings.dataverse);
	emulator.settings.faults = [];
	for (const { id, state } of emulator.desk.list()) if (state !== 'closed') emulator.desk.close(id);
});
afterAll(() => emulator.close());

const BEFORE = '/CCaaS_GetRepresentativeAvailabilityBeforeConversation';
const FOR = '/CCaaS_GetRepresentativeAvailabilityForConversation';

const before = (more: object = {}) =>
	dataverse('POST', BEFORE, {
		body: { ApiVersion: '1.0', LiveWorkStreamId: emulator.world.workstreamId, ...more },
	});
const inConversation = (ConversationId: string, more: object = {}) =>
	dataverse('POST', FOR, { body: { ApiVersion: '1.0', ConversationId, ...more } });
const set = (changes: Partial<Emulator['settings']['availability']>) =>
	Object.assign(emulator.settings.availability, changes);

describe('what the two actions answer', () => {
	test('an open queue, with the position that the next customer would have', async () => {
		await startConversation(messaging);
		set({ closesAt: '2026-11-30T17:00:00Z', representatives: 3, waitingBefore: 1, averageWaitSeconds: 240 });
		const { json, status } = await before();
		expect(status).toBe(200);
		expect(validateDataverseAnswer('dataverse.availabilityBeforeConversation', 200, json)).toEqual([]);
		expect(json).toEqual({
			'@odata.context': `${emulator.origin}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.CCaaS_GetRepresentativeAvailabilityBeforeConversationResponse`,
			QueueId: emulator.world.queueId,
			IsQueueAvailable: true,
			IsAgentAvailable: true,
			NumberOfExpertsAvailableInQueue: 3,
			PositionInQueue: 3,
			AverageWaitTime: 4,
			AverageWaitTimeInSeconds: 240,
			NextTransitionTime: '2026-11-30T17:00:00Z',
			StartTimeOfNextOperatingHour: '0001-01-01T00:00:00Z',
			EndTimeOfNextOperatingHour: '0001-01-01T00:00:00Z',
		});
	});

	test('a closed queue says when it opens, or that it never does', async () => {
		set({ isOpen: false, opensAt: '2026-12-01T08:00:00Z', closesAt: '2026-12-01T16:00:00Z' });
		expect((await before()).json).toMatchObject({
			IsQueueAvailable: false,
			NextTransitionTime: '2026-12-01T08:00:00Z',
			StartTimeOfNextOperatingHour: '2026-12-01T08:00:00Z',
			EndTimeOfNextOperatingHour: '2026-12-01T16:00:00Z',
		});
		set({ opensAt: null, closesAt: null });
		expect((await before()).json).toMatchObject({
			NextTransitionTime: '9999-12-31T23:59:59Z',
			StartTimeOfNextOperatingHour: '9999-12-31T23:59:59Z',
		});
	});

	test('a conversation’s place among those that wait, and none once somebody has it', async () => {
		const first = await startConversation(messaging);
		const second = await startConversation(messaging);
		set({ waitingBefore: 2 });
		const positionOf = async (id: string) => (await inConversation(id)).json.PositionInQueue;
		expect([await positionOf(first), await positionOf(second.toUpperCase())]).toEqual([3, 4]);
		emulator.desk.accept(first);
		expect([await positionOf(first), await positionOf(second)]).toEqual([0, 3]);
	});

	test('an AI agent counts as available, but as no representative', async () => {
		set({ representatives: 0, aiAgent: true });
		expect((await before()).json).toMatchObject({
			IsAgentAvailable: true,
			NumberOfExpertsAvailableInQueue: 0,
		});
		set({ aiAgent: false });
		expect((await before()).json).toMatchObject({ IsAgentAvailable: false });
	});

	test('keys of the other casing, a wait in minutes only, and one that is not known', async () => {
		set({ casing: 'camel', hasSeconds: false, averageWaitSeconds: 90 });
		const { json } = await inConversation(await startConversation(messaging));
		expect(validateDataverseAnswer('dataverse.availabilityForConversation', 200, json)).toEqual([]);
		expect(json).toMatchObject({ queueId: emulator.world.queueId, averageWaitTime: 2 });
		expect(json).not.toHaveProperty('averageWaitTimeInSeconds');
		set({ averageWaitSeconds: null });
		expect((await before()).json).toMatchObject({ averageWaitTime: null });
	});

	test('context items of either type, and an engagement context', async () => {
		const items = {
			product: { value: 'Heat pump', isDisplayable: true, datatype: 192350000 },
			age: { value: '-7', isDisplayable: false, datatype: 192350001 },
		};
		const more = { CustomContextItems: JSON.stringify(items) };
		expect((await before({ ...more, ChannelEngagementContext: '{"msdyn_browser":"Edge"}' })).status).toBe(
			200,
		);
		expect((await inConversation(await startConversation(messaging), more)).status).toBe(200);
	});
});

describe('what is refused', () => {
	test.each<[string, object]>([
		['without a version', { ApiVersion: undefined }],
		['of another version', { ApiVersion: '2.0' }],
		['without a workstream', { LiveWorkStreamId: undefined }],
		['whose workstream is no GUID', { LiveWorkStreamId: 'Contoso' }],
		['with another parameter', { QueueId: UNKNOWN }],
		['whose context is an object', { CustomContextItems: {} }],
		['whose context is no JSON', { CustomContextItems: '{' }],
		['whose context is a list', { CustomContextItems: '[]' }],
		['whose context has a bare value', { CustomContextItems: '{"a":"b"}' }],
		[
			'whose context has a number for a value',
			{ CustomContextItems: '{"a":{"value":1,"isDisplayable":true,"datatype":192350001}}' },
		],
		[
			'whose context has a text for an integer',
			{ CustomContextItems: '{"a":{"value":"x","isDisplayable":true,"datatype":192350001}}' },
		],
		[
			'whose context has a type that there is not',
			{ CustomContextItems: '{"a":{"value":"1","isDisplayable":true,"datatype":192350002}}' },
		],
		['whose engagement context is no JSON', { ChannelEngagementContext: 'Edge' }],
	])('a question %s', async (_what, more) => {
		expect(dataverseErrorOf(await before(more))).toEqual([400, '0x80048d19']);
	});

	test('a question about a conversation, likewise', async () => {
		for (const more of [{ ApiVersion: undefined }, { ConversationId: '1' }, { CustomContextItems: '1' }]) {
			expect(dataverseErrorOf(await inConversation(UNKNOWN, more))).toEqual([400, '0x80048d19']);
		}
		const unknown = await before({ QueueId: UNKNOWN });
		expect(dataverseTextOf(unknown)).toContain("'QueueId' in the request payload is not a valid parameter");
	});

	test('a workstream or a conversation that is not there, or is closed', async () => {
		expect(dataverseErrorOf(await before({ LiveWorkStreamId: UNKNOWN }))).toEqual([404, '0x80040217']);
		expect(dataverseErrorOf(await inConversation(UNKNOWN))).toEqual([404, '0x80040217']);
		const id = await startConversation(messaging);
		emulator.desk.close(id);
		expect(dataverseErrorOf(await inConversation(id))).toEqual([404, '0x80040217']);
	});

	test('an app without the role Omnichannel administrator, whatever else it may', async () => {
		emulator.settings.dataverse.omnichannelAdministrator = false;
		expect(dataverseErrorOf(await before())).toEqual([403, '0x80040220']);
		expect(dataverseErrorOf(await inConversation(UNKNOWN))).toEqual([403, '0x80040220']);
		emulator.settings.dataverse.role = 'none';
		expect(dataverseErrorOf(await before())).toEqual([403, '0x80042f09']);
		emulator.settings.dataverse.applicationUser = false;
		expect(dataverseErrorOf(await before())).toEqual([403, '0x80072560']);
	});

	test('a question without a token, and one that is injected to fail', async () => {
		const answer = await dataverse('POST', BEFORE, { body: {}, headers: { authorization: undefined } });
		expect(answer.status).toBe(401);
		const match = { operationId: 'dataverse.availabilityBeforeConversation' };
		emulator.settings.faults = [{ match, action: { status: 429 }, times: 1 }];
		expect((await before()).status).toBe(429);
		expect((await before()).status).toBe(200);
	});
});

describe('what else is read for them', () => {
	test('the roles of the application user', async () => {
		const rolesOf = async (id: string) =>
			await dataverse('GET', `/systemusers(${id})/systemuserroles_association?$select=name`);
		const own = await rolesOf(emulator.world.applicationUserId);
		expect(validateDataverseAnswer('dataverse.listRoles', own.status, own.json)).toEqual([]);
		expect(rowsOf(own)).toEqual([{ name: 'System Administrator' }, { name: 'Omnichannel administrator' }]);
		Object.assign(emulator.settings.dataverse, { omnichannelAdministrator: false, role: 'none' });
		expect(rowsOf(await rolesOf(emulator.world.applicationUserId))).toEqual([]);
		expect(dataverseErrorOf(await rolesOf(UNKNOWN))).toEqual([404, '0x80040217']);
	});

	test('the workstreams, by their names', async () => {
		const answer = await dataverse(
			'GET',
			'/msdyn_liveworkstreams?$select=msdyn_name&$filter=statecode eq 0&$orderby=msdyn_name asc',
		);
		expect(validateDataverseAnswer('dataverse.listWorkstreams', answer.status, answer.json)).toEqual([]);
		expect(rowsOf(answer)).toMatchObject([
			{ msdyn_liveworkstreamid: emulator.world.workstreamId, msdyn_name: emulator.world.workstreamName },
		]);
	});
});

describe('at the desk', () => {
	const url = () => `${emulator.deskOrigin}/api/availability`;
	const put = (body: unknown) =>
		send(url(), {
			method: 'PUT',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(body),
		});

	test('hours, representatives and waiting customers are set, and answered so from then on', async () => {
		const { json, status } = await put({
			isOpen: false,
			opensAt: '2026-12-01T09:00+01:00',
			representatives: 0,
			waitingBefore: 4,
			averageWaitSeconds: null,
		});
		expect(status).toBe(200);
		const expected = {
			isOpen: false,
			opensAt: '2026-12-01T08:00:00Z',
			closesAt: null,
			representatives: 0,
			aiAgent: false,
			waitingBefore: 4,
			averageWaitSeconds: null,
		};
		expect(json).toEqual(expected);
		expect((await send(url())).json).toEqual(expected);
		expect((await before()).json).toMatchObject({
			IsQueueAvailable: false,
			StartTimeOfNextOperatingHour: '2026-12-01T08:00:00Z',
			PositionInQueue: 5,
		});
		expect(emulator.log.findLast(({ kind }) => kind === 'desk')).toMatchObject({ action: 'availability' });
	});

	test.each<[string, unknown]>([
		['a list', []],
		['a field that there is not', { casing: 'camel' }],
		['a field of every object', { constructor: 1 }],
		['a text for a switch', { isOpen: 'yes' }],
		['half a representative', { representatives: 0.5 }],
		['fewer than nobody', { waitingBefore: -1 }],
		['a wait of days', { averageWaitSeconds: 86_401 }],
		['a time that is none', { opensAt: 'nine' }],
	])('%s changes nothing', async (_what, body) => {
		const given = Array.isArray(body) ? body : { aiAgent: true, ...Object(body) };
		const { json, status } = await put(given);
		expect([status, typeof json.error]).toEqual([400, 'string']);
		expect(emulator.settings.availability).toEqual(settings.availability);
	});

	test('its page has what sets them', async () => {
		const page = (await send(`${emulator.deskOrigin}/`)).text;
		const script = (await send(`${emulator.deskOrigin}/queue.js`)).text;
		const ids = [...script.matchAll(/'((?:show-)?queue[\w-]*)'/g)].map(([, id]) => id);
		expect(ids.length).toBeGreaterThan(8);
		expect(ids.filter((id) => !page.includes(`id="${id}"`))).toEqual([]);
	});
});
