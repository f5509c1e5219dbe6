import type { Emulator } from '../../emulator';
import { type Client, connectDataverse, rowsOf, start } from './support';

let emulator: Emulator;
let dataverse: Client;
beforeAll(async () => {
	emulator = await start();
	dataverse = await connectDataverse(emulator);
});
afterAll(() => emulator.close());

const CHANNELS = '/msdyn_occustommessagingchannels';
const IDENTITIES = '/managedidentities';
const UNKNOWN = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';

const own = () => `${CHANNELS}(${emulator.world.channelId})`;
const read = async (query = '') => (await dataverse('GET', own() + query)).json;
const change = (body: object) => dataverse('PATCH', own(), { body, headers: { 'if-match': '*' } });

test('a filter finds an identity by its app and its tenant', async () => {
	const { clientId, tenantId } = emulator.world;
	await dataverse('POST', IDENTITIES, { body: { applicationid: UNKNOWN, tenantid: tenantId } });
	const found = async (filter: string) =>
		rowsOf(await dataverse('GET', `${IDENTITIES}?$filter=${encodeURIComponent(filter)}`)).length;
	expect(await found(`applicationid eq ${clientId} and tenantid eq ${tenantId.toUpperCase()}`)).toBe(1);
	expect(await found(`tenantid eq ${tenantId}`)).toBe(2);
	expect(await found(`applicationid eq ${tenantId}`)).toBe(0);
});

test('only what is selected comes, and the id', async () => {
	const { json } = await dataverse('GET', `${CHANNELS}?$select=msdyn_name,_managedidentityid_value`);
	expect(json).toEqual({
		'@odata.context': `${emulator.origin}/api/data/v9.2/$metadata#msdyn_occustommessagingchannels(msdyn_name,_managedidentityid_value)`,
		value: [
			{
				'@odata.etag': expect.any(String),
				msdyn_name: emulator.world.channelName,
				_managedidentityid_value: emulator.world.managedIdentityId,
				msdyn_occustommessagingchannelid: emulator.world.channelId,
			},
		],
	});
});

test('look-ups are expanded', async () => {
	const query =
		'?$select=msdyn_name&$expand=managedidentityid($select=applicationid,tenantid),msdyn_liveworkstreamid';
	expect(await read(query)).toMatchObject({
		managedidentityid: {
			'@odata.etag': expect.any(String),
			applicationid: emulator.world.clientId,
			tenantid: emulator.world.tenantId,
			managedidentityid: emulator.world.managedIdentityId,
		},
		msdyn_liveworkstreamid: { msdyn_name: emulator.world.workstreamName },
	});
	await change({ 'msdyn_liveworkstreamid@odata.bind': null });
	expect((await read('?$expand=msdyn_liveworkstreamid')).msdyn_liveworkstreamid).toBeNull();
	const workstream = `/msdyn_liveworkstreams(${emulator.world.workstreamId})`;
	await change({ 'msdyn_liveworkstreamid@odata.bind': workstream });
});

test('annotations come when they are asked for', async () => {
	const annotated = async (annotations: string) => {
		const prefer = `odata.include-annotations="${annotations}"`;
		const { headers, json } = await dataverse('GET', own(), { headers: { prefer } });
		expect(headers['preference-applied']).toBe(prefer);
		return json;
	};
	const formatted = {
		'msdyn_occustomchannelid@OData.Community.Display.V1.FormattedValue': 'Messaging API',
		'statecode@OData.Community.Display.V1.FormattedValue': 'Active',
		'msdyn_enablefileattachmentsforagents@OData.Community.Display.V1.FormattedValue': 'No',
		'_msdyn_liveworkstreamid_value@OData.Community.Display.V1.FormattedValue': emulator.world.workstreamName,
		'createdon@OData.Community.Display.V1.FormattedValue': expect.stringMatching(/^\d+\/\d+\/\d+/),
	};
	const lookup = {
		'_msdyn_liveworkstreamid_value@Microsoft.Dynamics.CRM.lookuplogicalname': 'msdyn_liveworkstream',
		'_managedidentityid_value@Microsoft.Dynamics.CRM.associatednavigationproperty': 'managedidentityid',
	};
	expect(await annotated('*')).toMatchObject({ ...formatted, ...lookup });
	const some = await annotated('OData.Community.Display.V1.FormattedValue');
	expect(some).toMatchObject(formatted);
	expect(some).not.toMatchObject(lookup);
	expect(JSON.stringify(await read())).not.toContain('FormattedValue');
});

test('what has not changed is not sent again', async () => {
	const etag = String((await read())['@odata.etag']);
	const again = await dataverse('GET', own(), { headers: { 'if-none-match': etag } });
	expect([again.status, again.text]).toEqual([304, '']);
	await change({ msdyn_name: 'x' });
	expect((await dataverse('GET', own(), { headers: { 'if-none-match': etag } })).status).toBe(200);
});

describe('filters of channels', () => {
	const ids: string[] = [];
	beforeAll(async () => {
		for (const body of [
			{ msdyn_name: 'beta' },
			{
				msdyn_name: 'Alpha',
				msdyn_occustomchannelid: 192350000,
				msdyn_enablefileattachmentsforagents: true,
				msdyn_webhookurl: 'https://a',
			},
			{ msdyn_name: "O'Neil", msdyn_occustomchannelid: 192350005 },
			{ msdyn_name: 'It’s', msdyn_occustomchannelid: 192350000 },
		]) {
			const { json } = await dataverse('POST', CHANNELS, {
				body: { ...body, msdyn_tenantid: 'filtered' },
				headers: { prefer: 'return=representation' },
			});
			ids.push(String(json.msdyn_occustommessagingchannelid));
		}
	});
	afterAll(async () => {
		for (const id of ids) await dataverse('DELETE', `${CHANNELS}(${id})`);
	});
	const names = async (filter: string) => {
		const whole = `msdyn_tenantid eq 'filtered' and (${filter})`;
		const path = `${CHANNELS}?$orderby=msdyn_name&$filter=${encodeURIComponent(whole)}`;
		return rowsOf(await dataverse('GET', path)).map(({ msdyn_name }) => msdyn_name);
	};

	test.each<[string, string[]]>([
		["msdyn_name eq 'alpha'", ['Alpha']],
		["msdyn_name ne 'alpha'", ['beta', 'It’s', "O'Neil"]],
		["msdyn_name eq 'O''Neil'", ["O'Neil"]],
		["contains(msdyn_name,'ET')", ['beta']],
		["startswith(msdyn_name, 'a') or endswith(msdyn_name,'il')", ['Alpha', "O'Neil"]],
		["not contains(msdyn_name,'a') and msdyn_occustomchannelid eq 192350000", ['It’s']],
		["(msdyn_name eq 'beta' or msdyn_name eq 'alpha') and statecode eq 0", ['Alpha', 'beta']],
		["msdyn_name eq 'beta' or msdyn_name eq 'alpha' and statecode eq 1", ['beta']],
		['not (msdyn_occustomchannelid ne null)', ['beta']],
		['msdyn_webhookurl eq null and msdyn_occustomchannelid gt 192350000', ["O'Neil"]],
		['msdyn_occustomchannelid ge 192350000 and msdyn_occustomchannelid le 192350000', ['Alpha', 'It’s']],
		['msdyn_occustomchannelid lt 192350001', ['Alpha', 'It’s']],
		['msdyn_enablefileattachmentsforagents eq true', ['Alpha']],
		['_msdyn_liveworkstreamid_value eq null', ['Alpha', 'beta', 'It’s', "O'Neil"]],
		['createdon gt 2020-01-01T00:00:00Z', ['Alpha', 'beta', 'It’s', "O'Neil"]],
		['createdon lt 2020-01-01T00:00:00Z', []],
	])('%s', async (filter, expected) => {
		expect(await names(filter)).toEqual(expected);
	});
});

describe('pages', () => {
	beforeEach(async () => {
		for (const { msdyn_occustommessagingchannelid: id } of rowsOf(await dataverse('GET', CHANNELS))) {
			await dataverse('DELETE', `${CHANNELS}(${String(id)})`);
		}
		for (const msdyn_name of ['c', 'a', 'e', 'b', 'd']) {
			await dataverse('POST', CHANNELS, { body: { msdyn_name } });
		}
		emulator.settings.dataverse.maxPageSize = 5_000;
	});
	const walk = async (query: string, prefer?: string) => {
		const pages: unknown[][] = [];
		let path: string | undefined = `${CHANNELS}?${query}`;
		while (path !== undefined) {
			const answer = await dataverse('GET', path, { headers: prefer ? { prefer } : {} });
			pages.push(rowsOf(answer).map(({ msdyn_name }) => msdyn_name));
			const link = answer.json['@odata.nextLink'];
			path = typeof link === 'string' ? link.split('/api/data/v9.2')[1] : undefined;
		}
		return pages;
	};

	test('the page size that is preferred', async () => {
		const prefer = 'odata.maxpagesize=2';
		const query = '$select=msdyn_name&$orderby=msdyn_name%20desc';
		expect(await walk(query, prefer)).toEqual([['e', 'd'], ['c', 'b'], ['a']]);
		const { headers, json } = await dataverse('GET', `${CHANNELS}?${query}`, { headers: { prefer } });
		expect(headers['preference-applied']).toBe(prefer);
		expect(json['@odata.nextLink']).toMatch(
			new RegExp(
				`^${emulator.origin}/api/data/v9\\.2${CHANNELS}\\?\\$select=msdyn_name&\\$orderby=msdyn_name%20desc&\\$skiptoken=%3Ccookie%20pagenumber%3D%222%22`,
			),
		);
	});

	test('the largest page, and no more pages than there are rows for', async () => {
		emulator.settings.dataverse.maxPageSize = 4;
		expect((await walk('$orderby=msdyn_name')).map(({ length }) => length)).toEqual([4, 1]);
		expect((await walk('$orderby=msdyn_name', 'odata.maxpagesize=5')).length).toBe(2);
		emulator.settings.dataverse.maxPageSize = 5;
		expect((await walk('$orderby=msdyn_name')).length).toBe(1);
	});

	test('without an order every row comes once, by its id', async () => {
		const seen = (await walk('$select=msdyn_name', 'odata.maxpagesize=2')).flat();
		expect(seen.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
		const ids = rowsOf(await dataverse('GET', CHANNELS)).map(
			({ msdyn_occustommessagingchannelid: id }) => id,
		);
		expect(ids).toEqual([...ids].sort());
	});

	test('a row that goes in between does not disturb the rest', async () => {
		const headers = { prefer: 'odata.maxpagesize=2' };
		const first = await dataverse('GET', `${CHANNELS}?$orderby=msdyn_name`, { headers });
		await dataverse('DELETE', `${CHANNELS}(${String(rowsOf(first)[0]?.msdyn_occustommessagingchannelid)})`);
		const [, path] = String(first.json['@odata.nextLink']).split('/api/data/v9.2');
		const second = await dataverse('GET', String(path), { headers });
		expect(rowsOf(second).map(({ msdyn_name }) => msdyn_name)).toEqual(['c', 'd']);
	});

	test('$top ends the list, unless there is a page size', async () => {
		expect(await walk('$orderby=msdyn_name&$top=3')).toEqual([['a', 'b', 'c']]);
		expect((await walk('$orderby=msdyn_name&$top=3', 'odata.maxpagesize=4')).flat()).toHaveLength(5);
	});

	test('a count', async () => {
		const { json } = await dataverse('GET', `${CHANNELS}?$count=true&$top=1`);
		expect([json['@odata.count'], (json.value as unknown[]).length]).toEqual([5, 1]);
	});
});
