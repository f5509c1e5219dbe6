import type { Emulator, StatusFault } from '../../emulator';
import {
	CHANNELS,
	type Client,
	dataverseEntries,
	dataverseErrorOf,
	dataverseTextOf,
	IDENTITIES,
	requestToken,
	rowsOf,
	send,
	startDataverse,
	UNKNOWN,
} from './support';

let emulator: Emulator;
let dataverse: Client;
beforeAll(async () => {
	({ emulator, dataverse } = await startDataverse());
});
afterAll(() => emulator.close());

const WORKSTREAMS = '/msdyn_liveworkstreams';

test.each([undefined, 'Bearer', 'Bearer x', 'Basic eDp5'])(
	'a token that is none: %s',
	async (authorization) => {
		const { headers, status, text } = await dataverse('GET', CHANNELS, { headers: { authorization } });
		expect([status, text, headers['content-type']]).toEqual([401, '', undefined]);
		expect(dataverseEntries(emulator).at(-1)).toMatchObject({
			status: 401,
			operationId: 'dataverse.listChannels',
		});
	},
);

describe('what is refused', () => {
	const long = 'x'.repeat(501);
	test.each<[string, string, string, unknown, number, string, RegExp]>([
		['a key that is no GUID', 'GET', `${CHANNELS}(abc)`, undefined, 400, '0x80060888', /query syntax/],
		['a key with a broken encoding', 'GET', `${CHANNELS}(%ff)`, undefined, 400, '0x80060888', /query syntax/],
		['a key with half an escape', 'GET', `${CHANNELS}(%)`, undefined, 400, '0x80060888', /query syntax/],
		['a key in braces', 'GET', `${CHANNELS}({${UNKNOWN}})`, undefined, 400, '0x80060888', /query syntax/],
		[
			'a selected column',
			'GET',
			`${CHANNELS}?$select=msdyn_Name`,
			undefined,
			400,
			'0x80060888',
			/property named 'msdyn_Name' on type 'Microsoft\.Dynamics\.CRM\.msdyn_occustommessagingchannel'/,
		],
		[
			'a look-up by its name',
			'GET',
			`${CHANNELS}?$select=managedidentityid`,
			undefined,
			400,
			'0x80060888',
			/property named/,
		],
		[
			'an ordering column',
			'GET',
			`${CHANNELS}?$orderby=x%20desc`,
			undefined,
			400,
			'0x80060888',
			/property named 'x'/,
		],
		[
			'a filtering column',
			'GET',
			`${CHANNELS}?$filter=x%20eq%201`,
			undefined,
			400,
			'0x80060888',
			/property named 'x'/,
		],
		[
			'a GUID in quotes',
			'GET',
			`${IDENTITIES}?$filter=tenantid%20eq%20'${UNKNOWN}'`,
			undefined,
			400,
			'0x80060888',
			/'Edm\.Guid' and 'Edm\.String'/,
		],
		[
			'a text without quotes',
			'GET',
			`${CHANNELS}?$filter=msdyn_appid%20eq%20${UNKNOWN}`,
			undefined,
			400,
			'0x80060888',
			/'Edm\.String' and 'Edm\.Guid'/,
		],
		['a made-up page', 'GET', `${CHANNELS}?$skiptoken=2`, undefined, 400, '0x80060888', /paging cookie/],
		['no body', 'POST', CHANNELS, undefined, 400, '0x80048d19', /Error identified in Payload/],
		[
			'broken JSON',
			'POST',
			CHANNELS,
			'{"msdyn_name":',
			400,
			'0x80048d19',
			/Entity :'msdyn_occustommessagingchannels'/,
		],
		['a list', 'POST', CHANNELS, [], 400, '0x80048d19', /Payload/],
		[
			'a column that is not there',
			'POST',
			CHANNELS,
			{ msdyn_Name: 'x' },
			400,
			'0x80048d19',
			/Invalid property 'msdyn_Name'/,
		],
		[
			'an older name of a column',
			'PATCH',
			`${CHANNELS}(${UNKNOWN})`,
			{ msdyn_enablefileattachmentforagents: true },
			400,
			'0x80048d19',
			/Invalid property/,
		],
		[
			'a look-up that is set',
			'POST',
			CHANNELS,
			{ _managedidentityid_value: UNKNOWN },
			400,
			'0x80060888',
			/Use Navigation properties/,
		],
		[
			'a look-up that is not there',
			'POST',
			CHANNELS,
			{ 'msdyn_ManagedIdentity@odata.bind': null },
			400,
			'0x80048d19',
			/undeclared property 'msdyn_ManagedIdentity'/,
		],
		[
			'a long name',
			'POST',
			CHANNELS,
			{ msdyn_name: 'x'.repeat(101) },
			400,
			'0x80044331',
			/'msdyn_name' attribute of the 'msdyn_occustommessagingchannel' entity exceeded the maximum allowed length of '100'/,
		],
		[
			'a long URL',
			'PATCH',
			`${CHANNELS}(${UNKNOWN})`,
			{ msdyn_webhookurl: long },
			400,
			'0x80044331',
			/'500'/,
		],
		[
			'a number for a text',
			'POST',
			CHANNELS,
			{ msdyn_appid: 5 },
			400,
			'0x80048d19',
			/expected type 'Edm\.String'/,
		],
		[
			'a text for a switch',
			'POST',
			CHANNELS,
			{ msdyn_enablefileattachmentsforagents: 'yes' },
			400,
			'0x80048d19',
			/expected type 'Edm\.Boolean'/,
		],
		[
			'a text for a choice',
			'POST',
			CHANNELS,
			{ msdyn_occustomchannelid: 'Messaging API' },
			400,
			'0x80048d19',
			/'Messaging API' to the expected type 'Edm\.Int32'/,
		],
		[
			'a choice that is not there',
			'POST',
			CHANNELS,
			{ msdyn_occustomchannelid: 192350003 },
			400,
			'0x8004431a',
			/Accepted Values: 192350000,/,
		],
		[
			'a mode of a survey that is not there',
			'POST',
			CHANNELS,
			{ msdyn_postconversationsurveymode: 192350002 },
			400,
			'0x8004431a',
			/'msdyn_postconversationsurveymode' .*Accepted Values: 192350000,192350001$/,
		],
		[
			'a mode of a survey by its name',
			'POST',
			CHANNELS,
			{ msdyn_postconversationsurveybotsurveymode: 'link' },
			400,
			'0x80048d19',
			/'link' to the expected type 'Edm\.Int32'/,
		],
		[
			'a long text of a survey',
			'POST',
			CHANNELS,
			{ msdyn_postconversationsurveybotsurveymessagetext: 'x'.repeat(201) },
			400,
			'0x80044331',
			/'msdyn_postconversationsurveybotsurveymessagetext' attribute .* maximum allowed length of '200'/,
		],
		[
			'a look-up to a survey by the name of its column',
			'POST',
			CHANNELS,
			{ 'msdyn_postconversationsurvey@odata.bind': null },
			400,
			'0x80048d19',
			/undeclared property 'msdyn_postconversationsurvey'/,
		],
		['no GUID', 'POST', IDENTITIES, { applicationid: 'x' }, 400, '0x80048d19', /expected type 'Edm\.Guid'/],
		[
			'null where there must be a value',
			'POST',
			IDENTITIES,
			{ credentialsource: null },
			400,
			'0x80048d19',
			/Edm\.Int32/,
		],
		[
			'a record that is not there',
			'GET',
			`${IDENTITIES}(${UNKNOWN})`,
			undefined,
			404,
			'0x80040217',
			/Does Not Exist/,
		],
	])('%s', async (_name, method, path, body, status, code, text) => {
		const answer = await dataverse(method, path, { body });
		expect(dataverseErrorOf(answer)).toEqual([status, code]);
		expect(dataverseTextOf(answer)).toMatch(text);
		expect(answer.headers['content-type']).toContain('application/json');
		expect(dataverseEntries(emulator).at(-1)).toMatchObject({ method, status, errorCode: code });
	});

	test('a body of another media type, or of none', async () => {
		for (const contentType of ['text/plain', undefined]) {
			const headers = { 'content-type': contentType };
			const answer = await dataverse('POST', CHANNELS, { body: '{}', headers });
			expect(dataverseErrorOf(answer)).toEqual([400, '0x80048d19']);
		}
		expect(rowsOf(await dataverse('GET', CHANNELS))).toHaveLength(1);
	});
});

test.each([
	['foo', 415],
	['gzip', 400],
])('a body whose content encoding is not true: %s', async (encoding, status) => {
	const headers = { 'content-encoding': encoding };
	const answer = await dataverse('POST', CHANNELS, { body: {}, headers });
	expect(dataverseErrorOf(answer)).toEqual([status, '']);
	expect(dataverseTextOf(answer)).not.toBe('');
	expect(answer.headers['content-type']).toBe('application/json; odata.metadata=minimal');
	expect(answer.headers['odata-version']).toBe('4.0');
	expect(answer.headers['x-ms-service-request-id']).toEqual(expect.any(String));
});

describe('what is not emulated is answered 501, and not in Dataverse’s words', () => {
	const bind = (reference: string) => ({ 'managedidentityid@odata.bind': reference });
	const expectNotEmulated = (answer: Awaited<ReturnType<Client>>) => {
		expect(dataverseErrorOf(answer)).toEqual([501, '']);
		expect(dataverseTextOf(answer)).toMatch(/ is not emulated\.$/);
	};

	test.each([
		'/accounts',
		`${WORKSTREAMS}(${UNKNOWN})`,
		`${IDENTITIES}(managedidentityid=${UNKNOWN})`,
		`/GetComponentManagedIdentityFIC(ComponentId=${UNKNOWN})`,
		`${CHANNELS}?$expand=managedidentityid`,
		`${CHANNELS}?$top=1`,
		`${CHANNELS}?$count=true`,
		`${CHANNELS}?$skip=1`,
		`${CHANNELS}?$filter=contains(msdyn_name,'x')`,
		`${CHANNELS}?$filter=msdyn_name%20ne%20'x'`,
		`${CHANNELS}?$filter=msdyn_name%20eq%20'x`,
		`${CHANNELS}?$filter=statecode%20eq%200%20or%20statecode%20eq%201`,
		`${CHANNELS}?$orderby=msdyn_name,statecode`,
	])('GET %s', async (path) => {
		expectNotEmulated(await dataverse('GET', path));
	});

	test.each<[string, string, unknown]>([
		['POST', '/WhoAmI', {}],
		['PATCH', CHANNELS, {}],
		['POST', CHANNELS, { createdon: '2001-01-01T00:00:00Z' }],
		['POST', CHANNELS, { '@odata.etag': 'W/"1"' }],
		['POST', CHANNELS, bind(UNKNOWN)],
		['POST', CHANNELS, bind(`managedidentities(${UNKNOWN})`)],
		['POST', CHANNELS, { 'msdyn_ocwidgetlanguage@odata.bind': `/msfp_surveies(${UNKNOWN})` }],
		['POST', IDENTITIES, { credentialsource: '2' }],
		['DELETE', `${IDENTITIES}(${UNKNOWN})`, undefined],
	])('%s %s %j', async (method, path, body) => {
		expectNotEmulated(await dataverse(method, path, { body }));
	});

	test('a condition that is not looked at', async () => {
		const answer = await dataverse('GET', CHANNELS, { headers: { 'if-none-match': '*' } });
		expect(dataverseErrorOf(answer)).toEqual([501, '']);
	});

	test('another version of the API', async () => {
		const url = `${emulator.origin}/api/data/v8.2/WhoAmI()`;
		const { json } = await requestToken(emulator, { scope: `${emulator.origin}/.default` });
		const headers = { authorization: `Bearer ${String(json.access_token)}` };
		const answer = await send(url, { ca: emulator.certificate.cert, headers });
		expect(dataverseErrorOf(answer)).toEqual([501, '']);
	});
});

describe('faults in Dataverse’s form', () => {
	const apply = (action: StatusFault, operationId?: string) => {
		emulator.settings.faults = [{ match: { operationId }, action }];
	};
	afterEach(() => {
		emulator.settings.faults = [];
	});

	test.each<[StatusFault, number, string, RegExp]>([
		[{ status: 429, retryAfter: 7 }, 429, '0x80072322', /Number of requests exceeded/],
		[{ status: 429, code: 0x80072321, retryAfter: 7 }, 429, '0x80072321', /execution time/],
		[{ status: 429, code: 0x80072326, retryAfter: 7 }, 429, '0x80072326', /concurrent requests/],
		[{ status: 500, retryAfter: 7 }, 500, '0x80040216', /fault/],
		[{ status: 503, code: 30015, retryAfter: 7 }, 503, '', /fault/],
		[{ status: 403, code: 0x80095ffc, retryAfter: 7 }, 403, '0x80095ffc', /fault/],
	])('%j', async (action, status, code, text) => {
		apply(action, 'dataverse.listChannels');
		const answer = await dataverse('GET', CHANNELS);
		expect(dataverseErrorOf(answer)).toEqual([status, code]);
		expect(dataverseTextOf(answer)).toMatch(text);
		expect(answer.headers['retry-after']).toBe('7');
		expect(dataverseEntries(emulator).at(-1)).toMatchObject({ status, errorCode: code, fault: action });
		expect((await dataverse('GET', IDENTITIES)).status).toBe(200);
	});

	test('a body of its own, and a 401 that has none', async () => {
		apply({ status: 502, body: '<h1>Bad</h1>', contentType: 'text/html' });
		const proxied = await dataverse('GET', CHANNELS);
		expect([proxied.status, proxied.text, proxied.headers['content-type']]).toEqual([
			502,
			'<h1>Bad</h1>',
			'text/html',
		]);
		apply({ status: 401 });
		const refused = await dataverse('GET', CHANNELS);
		expect([refused.status, refused.text]).toEqual([401, '']);
		expect(refused.headers['www-authenticate']).toContain('authorization_uri=');
	});
});
