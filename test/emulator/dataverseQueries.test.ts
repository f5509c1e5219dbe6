import type { Emulator } from '../../emulator';
import { CHANNELS, type Client, IDENTITIES, rowsOf, startDataverse, UNKNOWN } from './support';

let emulator: Emulator;
let dataverse: Client;
beforeAll(async () => {
	({ emulator, dataverse } = await startDataverse());
});
afterAll(() => emulator.close());

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

test.each([
	["msdyn_name eq 'contoso MESSENGER'", 1],
	["msdyn_name eq 'O''Neil and Sons'", 0],
	["msdyn_occustomchannelid eq 192350005 and msdyn_name eq 'Contoso Messenger'", 1],
	["msdyn_occustomchannelid eq 192350005 and msdyn_name eq 'x and y'", 0],
	['msdyn_occustomchannelid eq 192350000', 0],
])('the filter %s', async (filter, count) => {
	const answer = await dataverse('GET', `${CHANNELS}?$filter=${encodeURIComponent(filter)}`);
	expect(rowsOf(answer)).toHaveLength(count);
});

test.each([
	['its id', (id: string) => `'${id.toUpperCase()}','${UNKNOWN}'`, 200, 1],
	['another id', () => `'${UNKNOWN}'`, 200, 0],
	['what is no id', () => "'nope'", 400, 0],
	['an id without quotes', () => UNKNOWN, 400, 0],
])('the query function In finds rows by %s', async (_, values, status, count) => {
	const { channelId } = emulator.world;
	const filter = `Microsoft.Dynamics.CRM.In(PropertyName='msdyn_occustommessagingchannelid',PropertyValues=[${values(channelId)}])`;
	const answer = await dataverse('GET', `${CHANNELS}?$filter=${encodeURIComponent(filter)}`);
	expect(answer.status).toBe(status);
	if (status === 200) expect(rowsOf(answer)).toHaveLength(count);
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
});
