import type { IDataObject, ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import {
	availabilityBeforeRequest,
	explainAvailabilityError,
	readAvailability,
} from '../../nodes/Dynamics365Messaging/dataverse/availability';
import { Dynamics365Messaging } from '../../nodes/Dynamics365Messaging/Dynamics365Messaging.node';
import type { Json } from '../../nodes/shared/json';
import { ServiceError } from '../../nodes/shared/transport/errors';
import { verificationOf } from '../../nodes/shared/transport/request';
import { credentialFor, entries } from '../support/emulator';
import { emulator, run as runOperation, useEmulator, usePackage } from '../support/operation';

const OPEN = { IsQueueAvailable: true };
const CLOSED = { IsQueueAvailable: false };
const [LONG_AGO, NEVER] = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'];
const [NINE, FIVE] = ['2026-12-01T09:00:00Z', '2026-12-01T17:00:00Z'];
const iso = (time: string) => new Date(time).toISOString();
const NONE = {
	isRepresentativeAvailable: null,
	representativesAvailable: null,
	positionInQueue: null,
	averageWaitSeconds: null,
	opensAt: null,
	closesAt: null,
	queueId: null,
};

describe('reading an answer', () => {
	test.each<[string, Json, object]>([
		['only that it is open', OPEN, { ...NONE, isQueueAvailable: true }],
		[
			'a wait of seconds',
			{ ...OPEN, AverageWaitTimeInSeconds: 95, AverageWaitTime: 2 },
			{ averageWaitSeconds: 95 },
		],
		[
			'no wait at all',
			{ ...OPEN, AverageWaitTimeInSeconds: 0, AverageWaitTime: 2 },
			{ averageWaitSeconds: 0 },
		],
		['a wait of minutes only', { ...OPEN, AverageWaitTime: 1.1 }, { averageWaitSeconds: 66 }],
		[
			'minutes beside seconds that are null',
			{ ...OPEN, AverageWaitTime: 4, AverageWaitTimeInSeconds: null },
			{ averageWaitSeconds: 240 },
		],
		['a wait that is not known', { ...OPEN, AverageWaitTime: null }, { averageWaitSeconds: null }],
		['a wait that none can have', { ...OPEN, AverageWaitTimeInSeconds: -1 }, { averageWaitSeconds: null }],
		['keys in camel case', { isQueueAvailable: true, positionInQueue: 3 }, { positionInQueue: 3 }],
		[
			'texts for values',
			{ IsQueueAvailable: 'True', PositionInQueue: '3' },
			{ isQueueAvailable: true, positionInQueue: 3 },
		],
		['an id in capitals', { ...OPEN, QueueId: 'ABC' }, { queueId: 'abc' }],
		[
			'an open queue that closes',
			{
				...OPEN,
				NextTransitionTime: FIVE,
				StartTimeOfNextOperatingHour: LONG_AGO,
				EndTimeOfNextOperatingHour: LONG_AGO,
			},
			{ opensAt: null, closesAt: iso(FIVE) },
		],
		[
			'an open queue that never closes',
			{ ...OPEN, NextTransitionTime: NEVER, EndTimeOfNextOperatingHour: FIVE },
			{ opensAt: null, closesAt: null },
		],
		[
			'an open queue without a transition',
			{ ...OPEN, EndTimeOfNextOperatingHour: FIVE },
			{ closesAt: iso(FIVE) },
		],
		[
			'a closed queue that opens',
			{
				...CLOSED,
				NextTransitionTime: FIVE,
				StartTimeOfNextOperatingHour: NINE,
				EndTimeOfNextOperatingHour: FIVE,
			},
			{ opensAt: iso(NINE), closesAt: null },
		],
		[
			'a closed queue whose start is no time',
			{ ...CLOSED, NextTransitionTime: NINE, StartTimeOfNextOperatingHour: LONG_AGO },
			{ opensAt: iso(NINE) },
		],
		[
			'a closed queue that never opens',
			{ ...CLOSED, NextTransitionTime: NEVER, StartTimeOfNextOperatingHour: NEVER },
			{ opensAt: null, closesAt: null },
		],
		[
			'a time without a zone',
			{ ...CLOSED, StartTimeOfNextOperatingHour: '2026-12-01T09:00:00.0' },
			{ opensAt: iso(NINE) },
		],
		[
			'a time with an offset',
			{ ...CLOSED, StartTimeOfNextOperatingHour: '2026-12-01T10:00:00+01:00' },
			{ opensAt: iso(NINE) },
		],
		[
			'no time with an offset',
			{ ...OPEN, NextTransitionTime: '9999-12-31T23:59:59-05:00' },
			{ closesAt: null },
		],
		[
			'no time without a zone',
			{ ...CLOSED, StartTimeOfNextOperatingHour: '0001-01-01T00:00:00' },
			{ opensAt: null },
		],
		['a time that is none', { ...CLOSED, StartTimeOfNextOperatingHour: 'soon' }, { opensAt: null }],
	])('%s', (_what, answer, expected) => {
		expect(readAvailability(answer)).toMatchObject(expected);
	});

	test.each<[Json]>([[null], [{}], ['open'], [{ IsQueueAvailable: null }], [[OPEN]]])(
		'%j is none',
		(answer) => {
			expect(() => readAvailability(answer)).toThrow('did not answer with an availability');
		},
	);
});

test('only reads, so that it may be repeated as safely as a GET', () => {
	expect(verificationOf(availabilityBeforeRequest('x'))).toBeUndefined();
});

test('words what is missing, and leaves every other error', () => {
	const error = (details: Partial<ServiceError>) =>
		new ServiceError({ message: 'Own words', description: 'Own fix.', ...details });
	const worded = (given: unknown) => explainAvailabilityError(given, 'workstream');
	const ROLE = /Omnichannel administrator/;
	expect(worded(error({ httpCode: 403, code: '0x80040220' }))).toMatchObject({
		message: expect.stringMatching(ROLE),
		description: expect.stringMatching(ROLE),
	});
	expect(worded(error({ httpCode: 403 }))).toMatchObject({ message: expect.stringMatching(ROLE) });
	expect(worded(error({ httpCode: 403, code: '0x80072560' }))).toMatchObject({ message: 'Own words' });
	expect(worded(error({ httpCode: 404, code: '0x80040217' }))).toMatchObject({
		message: 'Dataverse has no such workstream',
	});
	expect(worded(error({ httpCode: 500 }))).toMatchObject({ message: 'Own words' });
	const other = new TypeError('x');
	expect(worded(other)).toBe(other);
});

describe('in a workflow', () => {
	usePackage();
	useEmulator();

	async function run(operation: string, parameters: IDataObject, credential: IDataObject = {}) {
		const { items, error } = await runOperation(`availability: ${operation}`, parameters, { credential });
		return { items: items.map(({ json }) => json), error };
	}
	const locator = (value: string) => ({ __rl: true, mode: 'id', value });
	const workstream = () => ({ workstreamId: locator(emulator.world.workstreamId) });
	const conversation = () => {
		emulator.addConversations(1);
		return { conversationId: locator(emulator.desk.list().at(-1)!.id) };
	};
	const bodies = () => entries(emulator, 'dataverse').map(({ body }) => body as IDataObject);
	const set = (changes: Partial<typeof emulator.settings.availability>) =>
		Object.assign(emulator.settings.availability, changes);

	test('says before a conversation whether somebody is there, and how long it takes', async () => {
		set({ representatives: 2, waitingBefore: 2, averageWaitSeconds: 240, closesAt: FIVE });
		// It is asked of every channel's queues, so the credential needs none.
		const { items, error } = await run('getBeforeConversation', workstream(), { channelId: '' });
		expect(error).toBeUndefined();
		expect(items).toEqual([
			{
				isQueueAvailable: true,
				isRepresentativeAvailable: true,
				representativesAvailable: 2,
				positionInQueue: 3,
				averageWaitSeconds: 240,
				opensAt: null,
				closesAt: iso(FIVE),
				queueId: emulator.world.queueId,
			},
		]);
	});

	test('says in a conversation when a closed queue opens, and how it came', async () => {
		set({ isOpen: false, opensAt: NINE, casing: 'camel', hasSeconds: false, representatives: 0 });
		const { items } = await run('getForConversation', { ...conversation(), options: { includeRaw: true } });
		expect(items).toMatchObject([
			{
				isQueueAvailable: false,
				isRepresentativeAvailable: false,
				averageWaitSeconds: 60,
				opensAt: iso(NINE),
				raw: { isQueueAvailable: false, averageWaitTime: 1, startTimeOfNextOperatingHour: NINE },
			},
		]);
		expect(items[0]!.raw).not.toHaveProperty(['@odata.context']);
	});

	test.each<[string, IDataObject]>([
		[
			'fields',
			{
				contextVariables: {
					variable: [
						{ name: 'product', value: 'Heat pump' },
						{ name: 'age', value: '-7', type: 'integer', isDisplayable: false },
						{ name: 'order', value: '12', type: 'text' },
					],
				},
			},
		],
		[
			'JSON',
			{
				contextMode: 'json',
				contextJson: '{"product":"Heat pump","age":{"value":-7,"isDisplayable":false},"order":"12"}',
			},
		],
	])('sends context variables from %s, each by its type', async (_how, given) => {
		const options = { engagementContext: '{ "msdyn_browser": "Edge" }' };
		const { error } = await run('getBeforeConversation', { ...workstream(), ...given, options });
		expect(error).toBeUndefined();
		const { CustomContextItems, ...rest } = bodies().at(-1)!;
		expect(rest).toEqual({
			ApiVersion: '1.0',
			LiveWorkStreamId: emulator.world.workstreamId,
			ChannelEngagementContext: '{"msdyn_browser":"Edge"}',
		});
		expect(JSON.parse(String(CustomContextItems))).toEqual({
			product: { value: 'Heat pump', isDisplayable: true, datatype: 192350000 },
			age: { value: '-7', isDisplayable: false, datatype: 192350001 },
			order: { value: '12', isDisplayable: true, datatype: 192350000 },
		});
	});

	test('asks again after a lost answer, as it only reads', async () => {
		const match = { operationId: 'dataverse.availabilityBeforeConversation' };
		emulator.settings.faults = [{ match, action: 'resetAfter', times: 1 }];
		expect((await run('getBeforeConversation', workstream())).items).toHaveLength(1);
		emulator.settings.faults = [{ match, action: 'resetAfter' }];
		const { error } = await run('getBeforeConversation', { ...workstream(), options: { maxRetryTime: 0 } });
		expect(error).toMatchObject({ context: { outcome: 'notSent' } });
	});

	test('names the role that is missing, and what is not there', async () => {
		const unknown = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
		const messageOf = async (...given: Parameters<typeof run>) => (await run(...given)).error?.message;
		expect(await messageOf('getForConversation', { conversationId: locator(unknown) })).toContain(
			'no such conversation',
		);
		expect(await messageOf('getBeforeConversation', { workstreamId: locator(unknown) })).toContain(
			'no such workstream',
		);
		emulator.settings.dataverse.omnichannelAdministrator = false;
		expect((await run('getForConversation', conversation())).error).toMatchObject({
			httpCode: '403',
			message: expect.stringContaining('needs the role Omnichannel administrator'),
			description: expect.stringContaining('Application users'),
		});
	});

	test.each<[string, string, IDataObject, string]>([
		[
			'a conversation that is none',
			'getForConversation',
			{ conversationId: locator('x') },
			'Conversation is not a GUID',
		],
		[
			'no conversation',
			'getForConversation',
			{ conversationId: locator("={{ '' }}") },
			'Conversation is empty',
		],
		[
			'a workstream’s name',
			'getBeforeConversation',
			{ workstreamId: locator('Contoso') },
			'Workstream is not a GUID',
		],
		['no workstream', 'getBeforeConversation', { workstreamId: locator("={{ '' }}") }, 'Workstream is empty'],
		[
			'a text for an integer',
			'getBeforeConversation',
			{ contextVariables: { variable: [{ name: 'age', value: '7.5', type: 'integer' }] } },
			'Context Variables: age is not an integer',
		],
		[
			'an integer that is too long',
			'getBeforeConversation',
			{ contextVariables: { variable: [{ name: 'age', value: '9007199254740993', type: 'integer' }] } },
			'Context Variables: age is not an integer',
		],
		[
			'an engagement context that is a list',
			'getBeforeConversation',
			{ options: { engagementContext: '[]' } },
			'Engagement Context (JSON) is not a JSON object',
		],
	])('%s is refused by the field’s name, and nothing is asked', async (_what, operation, given, message) => {
		const { error } = await run(operation, { ...workstream(), ...given });
		expect(error?.message).toContain(message);
		expect(bodies()).toEqual([]);
	});

	test('the editor lists the workstreams by name, and finds one by a part of it', async () => {
		const search = async (filter?: string): Promise<INodeListSearchResult> => {
			const editor = {
				getCredentials: async () => await Promise.resolve({ ...credentialFor(emulator), channelId: '' }),
				getNode: () => ({}),
			} as unknown as ILoadOptionsFunctions;
			return await new Dynamics365Messaging().methods.listSearch.searchWorkstreams.call(editor, filter);
		};
		const { workstreamId, workstreamName } = emulator.world;
		expect((await search()).results).toEqual([{ name: workstreamName, value: workstreamId }]);
		expect((await search(workstreamName.slice(3, 9).toUpperCase())).results).toHaveLength(1);
		expect((await search('nothing')).results).toEqual([]);
		emulator.settings.dataverse.role = 'none';
		await expect(search()).rejects.toThrow('no role');
	});
});
