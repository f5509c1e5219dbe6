import { document } from '../../emulator/dataverse/schema';
import { validateDataverseRequest } from '../../emulator/dataverse/validate';

const ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const BASE = '/api/data/v9.2';
const HEADERS = { Authorization: 'Bearer x.y.z' };
const CHANNELS = `${BASE}/msdyn_occustommessagingchannels`;

const check = (method: string, path: string, more: object = {}) =>
	validateDataverseRequest({ method, path, headers: HEADERS, ...more });
const codes = (...request: Parameters<typeof check>) => check(...request).errors.map(({ code }) => code);

test.each([
	['GET', '/WhoAmI()', 'dataverse.whoAmI'],
	[
		'GET',
		`/GetComponentManagedIdentityFIC(ComponentName='x',ComponentId=${ID})`,
		'dataverse.getFederatedSubject',
	],
	['GET', '/msdyn_occustommessagingchannels', 'dataverse.listChannels'],
	['GET', `/msdyn_occustommessagingchannels(${ID})`, 'dataverse.getChannel'],
	['POST', '/msdyn_occustommessagingchannels', 'dataverse.createChannel'],
	['PATCH', `/msdyn_occustommessagingchannels(${ID})`, 'dataverse.updateChannel'],
	['DELETE', `/msdyn_occustommessagingchannels(${ID})`, 'dataverse.deleteChannel'],
	['GET', '/managedidentities', 'dataverse.listManagedIdentities'],
	['GET', `/managedidentities(${ID})`, 'dataverse.getManagedIdentity'],
	['POST', '/managedidentities', 'dataverse.createManagedIdentity'],
	['PATCH', `/managedidentities(${ID})`, 'dataverse.updateManagedIdentity'],
	['DELETE', `/managedidentities(${ID})`, null],
	['GET', '/msdyn_liveworkstreams', 'dataverse.listWorkstreams'],
	['POST', '/msdyn_liveworkstreams', null],
	['GET', '/msdyn_oclanguages', 'dataverse.listLanguages'],
	['POST', '/msdyn_oclanguages', null],
	['GET', '/msfp_surveies', 'dataverse.listSurveys'],
	['GET', '/msfp_surveys', null],
	['GET', `/systemusers(${ID})/systemuserroles_association?$select=name`, 'dataverse.listRoles'],
	['GET', '/accounts', null],
	['GET', '/%E0%A4%A', null],
])('the operation of a %s is found by its path, if it has one (row %#)', (method, path, operationId) => {
	const body = method === 'POST' || method === 'PATCH' ? {} : undefined;
	const result = check(method, BASE + path, { body });
	expect(result.operationId).toBe(operationId);
	expect(result.errors.length === 0).toBe(operationId !== null);
});

test.each([
	[`(ComponentName='x',ComponentId=${ID})`, []],
	["(ComponentName='x',ComponentId=1)", ['0x80060888']],
])('the arguments of a function: %s', (args, expected) => {
	expect(codes('GET', `${BASE}/GetComponentManagedIdentityFIC${args}`)).toEqual(expected);
});

test('a query may stand in the path or beside it', () => {
	expect(codes('GET', `${CHANNELS}?$select=msdyn_name`)).toEqual([]);
	expect(codes('GET', CHANNELS, { query: { $select: 'msdyn_name' } })).toEqual([]);
	expect(codes('GET', CHANNELS, { query: { $select: 'name' } })).toEqual(['0x80060888']);
	expect(codes('GET', CHANNELS, { query: { $select: ['msdyn_name', 'statecode'] } })).toEqual(['0x80060888']);
});

test('a body may be JSON or what JSON says', () => {
	expect(codes('POST', CHANNELS, { body: '{"msdyn_name":"x"}' })).toEqual([]);
	expect(codes('POST', CHANNELS, { body: '{"msdyn_name"' })).toEqual(['0x80048d19']);
	expect(codes('POST', CHANNELS, { body: { name: 'x' } })).toEqual(['0x80048d19']);
});

test('texts may be as long as the columns are', () => {
	const body = { msdyn_name: 'x'.repeat(100), msdyn_webhookurl: 'x'.repeat(500) };
	expect(codes('POST', CHANNELS, { body })).toEqual([]);
	for (const [key, text] of Object.entries(body)) {
		expect(codes('POST', CHANNELS, { body: { [key]: `${text}x` } })).toEqual(['0x80044331']);
	}
});

test('a token that is missing is 401', () => {
	expect(check('GET', CHANNELS, { headers: {} }).errors).toMatchObject([{ code: '', status: 401 }]);
	expect(check('GET', CHANNELS, { headers: { authorization: 'Bearer x' } }).errors).toEqual([]);
});

test('every code is in the form that Dataverse has', () => {
	const all = Object.keys(document['x-error-codes'] as object);
	expect(all.length).toBeGreaterThan(10);
	for (const code of all) expect(code).toMatch(/^0x80[0-9a-f]{6}$/);
});
