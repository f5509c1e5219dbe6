import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Emulator, FaultAction } from '../../emulator';
import { validateDataverseAnswer } from '../../emulator/dataverse/validate';
import {
	type Answer,
	CHANNELS,
	type Client,
	connect,
	connectDataverse,
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
beforeEach(async () => {
	({ emulator, dataverse } = await startDataverse());
});
afterEach(() => emulator.close());

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const own = () => `${CHANNELS}(${emulator.world.channelId})`;
const create = async (path: string, body: object) => {
	const { headers, status } = await dataverse('POST', path, { body });
	expect(status).toBe(204);
	return /\(([^)]+)\)$/.exec(String(headers['odata-entityid']))?.[1] ?? '';
};
const change = (body: object, headers: Record<string, string> = { 'if-match': '*' }) =>
	dataverse('PATCH', own(), { body, headers });
const read = async (query = '') => (await dataverse('GET', own() + query)).json;

describe('tokens', () => {
	test('are for the environment, and signed as the others are', async () => {
		const { json, status } = await requestToken(emulator, { scope: `${emulator.origin}/.default` });
		const url = `${emulator.origin}/${emulator.world.tenantId}/discovery/v2.0/keys`;
		const keys = (await send(url, { ca: emulator.certificate.cert })).json as unknown as JSONWebKeySet;
		const { payload } = await jwtVerify(String(json.access_token), createLocalJWKSet(keys));
		expect(status).toBe(200);
		expect(payload).toMatchObject({
			aud: emulator.origin,
			appid: emulator.world.clientId,
			tid: emulator.world.tenantId,
			idtyp: 'app',
		});
	});

	test('a slash at the end of the environment’s URL makes no difference, another URL does', async () => {
		const slash = await requestToken(emulator, { scope: `${emulator.origin}//.default` });
		expect(decodeJwt(String(slash.json.access_token)).aud).toBe(emulator.origin);
		const other = await requestToken(emulator, { scope: 'https://other.crm4.dynamics.com/.default' });
		expect(other.json.error_codes).toEqual([500011]);
	});

	test('neither service takes the other’s', async () => {
		const messaging = await requestToken(emulator);
		const authorization = `Bearer ${String(messaging.json.access_token)}`;
		const refused = await dataverse('GET', '/WhoAmI()', { headers: { authorization } });
		expect([refused.status, refused.text]).toEqual([401, '']);
		expect(refused.headers['www-authenticate']).toBe(
			`Bearer authorization_uri=${emulator.origin}/${emulator.world.tenantId}/oauth2/authorize, resource_id=${emulator.origin}/`,
		);
		const own = await requestToken(emulator, { scope: `${emulator.origin}/.default` });
		const client = await connect(emulator);
		const answer = await client('GET', '/conversations', {
			headers: { authorization: `Bearer ${String(own.json.access_token)}` },
		});
		expect(answer.status).toBe(401);
	});

	test('revoked ones and those of retired keys are refused here too', async () => {
		emulator.revokeTokens();
		expect((await dataverse('GET', '/WhoAmI()')).status).toBe(401);
		dataverse = await connectDataverse(emulator);
		emulator.settings.faults = [{ action: 'rotateKeys', times: 1 }];
		expect((await dataverse('GET', '/WhoAmI()')).status).toBe(401);
		dataverse = await connectDataverse(emulator);
		expect((await dataverse('GET', '/WhoAmI()')).status).toBe(200);
	});
});

test('every successful answer keeps to the contract', async () => {
	const body = { msdyn_name: 'New' };
	const prefer = 'return=representation';
	const answers: [string, Answer][] = [
		['dataverse.whoAmI', await dataverse('GET', '/WhoAmI()')],
		['dataverse.listChannels', await dataverse('GET', CHANNELS)],
		['dataverse.getChannel', await dataverse('GET', own())],
		['dataverse.createChannel', await dataverse('POST', CHANNELS, { body, headers: { prefer } })],
		['dataverse.updateChannel', await dataverse('PATCH', own(), { body, headers: { prefer } })],
		['dataverse.listLanguages', await dataverse('GET', '/msdyn_oclanguages')],
		['dataverse.listSurveys', await dataverse('GET', '/msfp_surveies')],
		['dataverse.listManagedIdentities', await dataverse('GET', IDENTITIES)],
		[
			'dataverse.getManagedIdentity',
			await dataverse('GET', `${IDENTITIES}(${emulator.world.managedIdentityId})`),
		],
		[
			'dataverse.getFederatedSubject',
			await dataverse(
				'GET',
				`/GetComponentManagedIdentityFIC(ComponentName='msdyn_occustommessagingchannel',ComponentId=${emulator.world.channelId})`,
			),
		],
	];
	for (const [operationId, { headers, json, status }] of answers) {
		expect([operationId, validateDataverseAnswer(operationId, status, json)]).toEqual([operationId, []]);
		expect(headers).toMatchObject({
			'content-type': 'application/json; odata.metadata=minimal',
			'odata-version': '4.0',
			'x-ms-service-request-id': expect.stringMatching(GUID),
		});
	}
	expect(answers.map(([, { status }]) => status)).toEqual([200, 200, 200, 201, 200, 200, 200, 200, 200, 200]);
	expect(dataverseEntries(emulator).map(({ operationId }) => operationId)).toEqual(
		answers.map(([name]) => name),
	);
	expect(validateDataverseAnswer('dataverse.whoAmI', 200, {})).not.toEqual([]);
});

test.each(['/WhoAmI()', '/WhoAmI%28%29'])('%s', async (path) => {
	const { applicationUserId, businessUnitId, organizationId } = emulator.world;
	expect((await dataverse('GET', path)).json).toEqual({
		'@odata.context': `${emulator.origin}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse`,
		UserId: applicationUserId,
		BusinessUnitId: businessUnitId,
		OrganizationId: organizationId,
	});
});

test('at the start there is the world’s channel, on its workstream and with its managed identity', async () => {
	const { world } = emulator;
	expect(await read()).toEqual({
		'@odata.context': `${emulator.origin}/api/data/v9.2/$metadata#msdyn_occustommessagingchannels/$entity`,
		'@odata.etag': expect.stringMatching(/^W\/"\d+"$/),
		msdyn_occustommessagingchannelid: world.channelId,
		msdyn_name: world.channelName,
		msdyn_occustomchannelid: 192350005,
		msdyn_appid: world.clientId,
		msdyn_tenantid: world.tenantId,
		msdyn_webhookurl: null,
		msdyn_enablefileattachmentsforagents: false,
		msdyn_enablefileattachmentsforcustomers: false,
		msdyn_enablerealtimelanguagetranslation: false,
		msdyn_postconversationsurveyenable: false,
		msdyn_postconversationsurveymode: null,
		msdyn_postconversationsurveymessagetext: null,
		msdyn_postconversationsurveybotsurvey: false,
		msdyn_postconversationsurveybotsurveymode: null,
		msdyn_postconversationsurveybotsurveymessagetext: null,
		_msdyn_ocwidgetlanguage_value: null,
		_msdyn_postconversationsurvey_value: null,
		_msdyn_postconversationsurveyseparatebotsurvey_value: null,
		_managedidentityid_value: world.managedIdentityId,
		_msdyn_liveworkstreamid_value: world.workstreamId,
		statecode: 0,
		createdon: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
		modifiedon: expect.any(String),
		versionnumber: expect.any(Number),
	});
	expect(rowsOf(await dataverse('GET', IDENTITIES))).toMatchObject([
		{ applicationid: world.clientId, tenantid: world.tenantId, credentialsource: 2, subjectscope: 1 },
	]);
});

test('languages and surveys are listed by name', async () => {
	const { languages, surveys } = emulator.world;
	const listed = await dataverse(
		'GET',
		'/msdyn_oclanguages?$select=msdyn_languagename&$filter=statecode eq 0&$orderby=msdyn_languagename desc',
	);
	expect(rowsOf(listed).map((row) => [row.msdyn_oclanguageid, row.msdyn_languagename])).toEqual(
		[...languages].reverse().map(({ id, name }) => [id, name]),
	);
	const found = await dataverse('GET', '/msfp_surveies?$select=msfp_name&$orderby=msfp_name desc');
	expect(found.json['@odata.context']).toBe(
		`${emulator.origin}/api/data/v9.2/$metadata#msfp_surveies(msfp_name)`,
	);
	expect(rowsOf(found).map((row) => [row.msfp_surveyid, row.msfp_name])).toEqual(
		surveys.map(({ id, name }) => [id, name]),
	);
});

describe('the language and the surveys of a channel', () => {
	const LABEL = '@OData.Community.Display.V1.FormattedValue';
	const prefer = `odata.include-annotations="${LABEL.slice(1)}"`;
	const readWith = async (headers: Record<string, string>, query = '') =>
		(await dataverse('GET', own() + query, { headers })).json;
	const settings = () => {
		const { languages, surveys } = emulator.world;
		return {
			msdyn_postconversationsurveyenable: true,
			msdyn_postconversationsurveymode: 192350001,
			msdyn_postconversationsurveymessagetext: 'x'.repeat(200),
			'msdyn_ocwidgetlanguage@odata.bind': `/msdyn_oclanguages(${languages[1]!.id})`,
			'msdyn_PostConversationSurvey@odata.bind': `/msfp_surveies(${surveys[0]!.id.toUpperCase()})`,
			'msdyn_PostConversationSurveySeparateBotSurvey@odata.bind': `/msfp_surveies(${surveys[1]!.id})`,
		};
	};

	test('are written, and come with their names where these are asked for', async () => {
		const { languages, surveys } = emulator.world;
		expect((await change(settings())).status).toBe(204);
		expect(await readWith({ prefer })).toMatchObject({
			msdyn_postconversationsurveymode: 192350001,
			_msdyn_ocwidgetlanguage_value: languages[1]!.id,
			[`_msdyn_ocwidgetlanguage_value${LABEL}`]: languages[1]!.name,
			_msdyn_postconversationsurvey_value: surveys[0]!.id,
			[`_msdyn_postconversationsurvey_value${LABEL}`]: surveys[0]!.name,
			[`_msdyn_postconversationsurveyseparatebotsurvey_value${LABEL}`]: surveys[1]!.name,
			[`_msdyn_liveworkstreamid_value${LABEL}`]: emulator.world.workstreamName,
		});
		const labelled = (row: object) => Object.keys(row).filter((key) => key.endsWith(LABEL));
		expect(labelled(await readWith({}))).toEqual([]);
		expect(labelled(await readWith({ prefer }, '?$select=msdyn_name,_msdyn_ocwidgetlanguage_value'))).toEqual(
			[`_msdyn_ocwidgetlanguage_value${LABEL}`],
		);
	});

	test('come with their names where they are written, and where they are listed', async () => {
		const headers = { prefer: `return=representation,${prefer}`, 'if-match': '*' };
		const key = `_msdyn_postconversationsurvey_value${LABEL}`;
		const { name } = emulator.world.surveys[0]!;
		expect((await change(settings(), headers)).json[key]).toBe(name);
		const list = await dataverse('GET', CHANNELS, {
			headers: { prefer: `odata.maxpagesize=5,${prefer}` },
		});
		expect(rowsOf(list)[0]?.[key]).toBe(name);
	});

	test('are removed by null, and then have no names', async () => {
		await change(settings());
		await change({
			'msdyn_ocwidgetlanguage@odata.bind': null,
			msdyn_postconversationsurveymode: null,
			msdyn_postconversationsurveymessagetext: null,
		});
		const row = await readWith({ prefer });
		expect(row).toMatchObject({
			_msdyn_ocwidgetlanguage_value: null,
			msdyn_postconversationsurveymode: null,
			msdyn_postconversationsurveymessagetext: null,
		});
		expect(row).not.toHaveProperty([`_msdyn_ocwidgetlanguage_value${LABEL}`]);
	});

	test.each([
		['msdyn_ocwidgetlanguage', 'msdyn_oclanguages', 'msdyn_oclanguage'],
		['msdyn_PostConversationSurvey', 'msfp_surveies', 'msfp_survey'],
		['msdyn_PostConversationSurveySeparateBotSurvey', 'msfp_surveies', 'msfp_survey'],
	])('%s cannot refer to what is not there', async (navigation, set, table) => {
		const answer = await change({ [`${navigation}@odata.bind`]: `/${set}(${UNKNOWN})` });
		expect(dataverseErrorOf(answer)).toEqual([404, '0x80040217']);
		expect(dataverseTextOf(answer)).toBe(`Entity '${table}' With Id = ${UNKNOWN} Does Not Exist`);
	});
});

describe('writing', () => {
	const full = () => ({
		msdyn_name: 'Web shop',
		msdyn_occustomchannelid: 192350005,
		msdyn_appid: emulator.world.clientId,
		msdyn_tenantid: emulator.world.tenantId,
		msdyn_webhookurl: 'https://n8n.example.com/webhook/x',
		msdyn_enablefileattachmentsforagents: true,
		'managedidentityid@odata.bind': `/managedidentities(${emulator.world.managedIdentityId})`,
		'msdyn_liveworkstreamid@odata.bind': `/msdyn_liveworkstreams(${emulator.world.workstreamId})`,
	});

	test('a record is created, and its address comes in a header', async () => {
		const { headers, status, text } = await dataverse('POST', CHANNELS, { body: full() });
		expect([status, text]).toEqual([204, '']);
		const url = String(headers['odata-entityid']);
		expect(url).toMatch(
			new RegExp(`^${emulator.origin}/api/data/v9\\.2/msdyn_occustommessagingchannels\\([0-9a-f-]{36}\\)$`),
		);
		expect(headers.location).toBe(url);
		expect((await dataverse('GET', new URL(url).pathname.replace('/api/data/v9.2', ''))).json).toMatchObject({
			msdyn_name: 'Web shop',
			msdyn_webhookurl: 'https://n8n.example.com/webhook/x',
			msdyn_enablefileattachmentsforagents: true,
			msdyn_enablefileattachmentsforcustomers: false,
			_managedidentityid_value: emulator.world.managedIdentityId,
			_msdyn_liveworkstreamid_value: emulator.world.workstreamId,
		});
	});

	test('with return=representation it comes with the answer, as far as it is selected', async () => {
		const prefer = 'return=representation';
		const created = await dataverse('POST', `${CHANNELS}?$select=msdyn_name`, {
			body: full(),
			headers: { prefer },
		});
		expect([created.status, created.headers['preference-applied']]).toEqual([201, prefer]);
		expect(created.json).toEqual({
			'@odata.context': expect.stringMatching(/#msdyn_occustommessagingchannels\(msdyn_name\)\/\$entity$/),
			'@odata.etag': expect.any(String),
			msdyn_name: 'Web shop',
			msdyn_occustommessagingchannelid: expect.stringMatching(GUID),
		});
		const changed = await change({ msdyn_name: 'Other' }, { prefer, 'if-match': '*' });
		expect([changed.status, changed.json.msdyn_name]).toEqual([200, 'Other']);
	});

	test('a change leaves what it does not name, and makes another version', async () => {
		const before = await read();
		const { headers, status } = await change({ msdyn_webhookurl: 'https://n8n.example.com/y' });
		expect([status, headers['odata-entityid']]).toEqual([204, `${emulator.origin}/api/data/v9.2${own()}`]);
		const after = await read();
		expect(after).toMatchObject({
			msdyn_name: before.msdyn_name,
			msdyn_webhookurl: 'https://n8n.example.com/y',
		});
		expect(after['@odata.etag']).not.toBe(before['@odata.etag']);
		expect(Number(after.versionnumber)).toBeGreaterThan(Number(before.versionnumber));
	});

	test('look-ups are bound by a reference, and unbound by null', async () => {
		const reference = `/msdyn_liveworkstreams(${emulator.world.workstreamId.toUpperCase()})`;
		await change({ 'msdyn_liveworkstreamid@odata.bind': null });
		expect((await read())._msdyn_liveworkstreamid_value).toBeNull();
		expect((await change({ 'msdyn_liveworkstreamid@odata.bind': reference })).status).toBe(204);
		expect((await read())._msdyn_liveworkstreamid_value).toBe(emulator.world.workstreamId);
	});

	test('a PATCH without If-Match creates what is not there', async () => {
		const path = `${CHANNELS}(${UNKNOWN})`;
		const body = { msdyn_name: 'Mistyped id' };
		const { headers, status } = await dataverse('PATCH', path, { body });
		expect([status, headers['odata-entityid']]).toEqual([204, `${emulator.origin}/api/data/v9.2${path}`]);
		expect((await dataverse('GET', path)).json.msdyn_name).toBe('Mistyped id');
		const again = await dataverse('PATCH', path, { body, headers: { prefer: 'return=representation' } });
		expect(again.status).toBe(200);
	});

	test('with If-Match: * it does not', async () => {
		const path = `${CHANNELS}(${UNKNOWN})`;
		const answer = await dataverse('PATCH', path, { body: {}, headers: { 'if-match': '*' } });
		expect(dataverseErrorOf(answer)).toEqual([404, '0x80040217']);
		expect(dataverseTextOf(answer)).toBe(
			`Entity 'msdyn_occustommessagingchannel' With Id = ${UNKNOWN} Does Not Exist`,
		);
		expect((await dataverse('GET', path)).status).toBe(404);
	});

	test('a version that is no longer the record’s is refused', async () => {
		const etag = String((await read())['@odata.etag']);
		expect((await change({ msdyn_name: 'first' }, { 'if-match': etag })).status).toBe(204);
		expect(dataverseErrorOf(await change({ msdyn_name: 'second' }, { 'if-match': etag }))).toEqual([
			412,
			'0x80060882',
		]);
		const removed = await dataverse('DELETE', own(), { headers: { 'if-match': etag } });
		expect(dataverseErrorOf(removed)).toEqual([412, '0x80060882']);
		expect((await read()).msdyn_name).toBe('first');
	});

	test('an id of one’s own is taken once', async () => {
		const body = { msdyn_occustommessagingchannelid: UNKNOWN };
		expect(await create(CHANNELS, body)).toBe(UNKNOWN);
		expect(dataverseErrorOf(await dataverse('POST', CHANNELS, { body }))).toEqual([412, '0x80040237']);
	});

	test('a record is deleted once', async () => {
		const path = own();
		expect((await dataverse('DELETE', path)).status).toBe(204);
		expect(dataverseErrorOf(await dataverse('DELETE', path))).toEqual([404, '0x80040217']);
		expect(dataverseErrorOf(await dataverse('GET', path))).toEqual([404, '0x80040217']);
	});

	test('what is bound must be there', async () => {
		const binding = { 'managedidentityid@odata.bind': `/managedidentities(${UNKNOWN})` };
		expect(dataverseErrorOf(await change(binding))).toEqual([404, '0x80040217']);
		expect(dataverseErrorOf(await dataverse('POST', CHANNELS, { body: binding }))).toEqual([
			404,
			'0x80040217',
		]);
		expect(rowsOf(await dataverse('GET', CHANNELS))).toHaveLength(1);
	});
});

describe('the federated subject', () => {
	const subjectAt = (path: string) => dataverse('GET', `/GetComponentManagedIdentityFIC${path}`);
	const subject = async () =>
		String(
			(
				await subjectAt(
					`(ComponentName='msdyn_occustommessagingchannel',ComponentId=${emulator.world.channelId})`,
				)
			).json.FICSubject,
		);

	test('is given for the parameters in the path', async () => {
		const { channelId } = emulator.world;
		const answers = [
			await subjectAt(`(ComponentName='msdyn_occustommessagingchannel',ComponentId=${channelId})`),
			await subjectAt(
				`(ComponentName=%27msdyn_occustommessagingchannel%27,ComponentId=${channelId.toUpperCase()})`,
			),
		];
		for (const { json, status } of answers) {
			expect(status).toBe(200);
			expect(json).toEqual({
				'@odata.context': `${emulator.origin}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.GetComponentManagedIdentityFICResponse`,
				FICSubject: expect.stringMatching(
					/^\/eid1\/c\/pub\/t\/[\w-]{22}\/a\/[\w-]{22}\/n\/.+\/h\/[0-9a-f]{64}$/,
				),
			});
		}
		expect(new Set(answers.map(({ json }) => json.FICSubject)).size).toBe(1);
	});

	test('is another one for another webhook URL, and for nothing else', async () => {
		const first = await subject();
		await change({ msdyn_name: 'x', msdyn_enablefileattachmentsforagents: true });
		expect(await subject()).toBe(first);
		await change({ msdyn_webhookurl: 'https://n8n.example.com/a' });
		const second = await subject();
		emulator.setWebhookUrl('https://n8n.example.com/b');
		expect(new Set([first, second, await subject()]).size).toBe(3);
	});

	test.each<[string, string, number, string]>([
		[
			'an unknown channel',
			`(ComponentName='msdyn_occustommessagingchannel',ComponentId=${UNKNOWN})`,
			404,
			'0x80040217',
		],
		['an unknown table', `(ComponentName='account',ComponentId=${UNKNOWN})`, 400, '0x80041102'],
		['no GUID', "(ComponentName='msdyn_occustommessagingchannel',ComponentId=x)", 400, '0x80060888'],
		[
			'an alias without a value',
			"(ComponentName='msdyn_occustommessagingchannel',ComponentId=@p1)",
			400,
			'0x80060888',
		],
	])('%s', async (_name, path, status, code) => {
		expect(dataverseErrorOf(await subjectAt(path))).toEqual([status, code]);
	});

	test('there is none without a managed identity', async () => {
		await change({ 'managedidentityid@odata.bind': null });
		const answer = await subjectAt(
			`(ComponentName='msdyn_occustommessagingchannel',ComponentId=${emulator.world.channelId})`,
		);
		expect(dataverseErrorOf(answer)).toEqual([400, '0x80040203']);
	});
});

describe('who may do what', () => {
	const calls: [string, string, string, unknown][] = [
		['Read', 'GET', CHANNELS, undefined],
		['Create', 'POST', CHANNELS, {}],
		['Create', 'PATCH', `${CHANNELS}(${UNKNOWN})`, {}],
	];

	test('an app without an application user', async () => {
		emulator.settings.dataverse.applicationUser = false;
		for (const [, method, path, body] of [...calls, ['', 'GET', '/WhoAmI()', undefined] as const]) {
			const answer = await dataverse(method, path, { body });
			expect(dataverseErrorOf(answer)).toEqual([403, '0x80072560']);
			expect(dataverseTextOf(answer)).toBe('The user is not a member of the organization.');
		}
	});

	test('a user without a role', async () => {
		emulator.settings.dataverse.role = 'none';
		for (const [verb, method, path, body] of calls) {
			const answer = await dataverse(method, path, { body });
			expect(dataverseErrorOf(answer)).toEqual([403, '0x80042f09']);
			expect(dataverseTextOf(answer)).toContain(`prv${verb}msdyn_occustommessagingchannel privilege`);
		}
		expect((await dataverse('GET', '/WhoAmI()')).status).toBe(200);
	});

	test('a user who may only read', async () => {
		emulator.settings.dataverse.role = 'readOnly';
		const writes: [string, string, string, unknown][] = [
			['CreateManagedIdentity', 'POST', IDENTITIES, {}],
			['CreateManagedIdentity', 'PATCH', `${IDENTITIES}(${UNKNOWN})`, {}],
			['WriteManagedIdentity', 'PATCH', `${IDENTITIES}(${emulator.world.managedIdentityId})`, {}],
			['Deletemsdyn_occustommessagingchannel', 'DELETE', own(), undefined],
		];
		for (const [privilege, method, path, body] of writes) {
			const answer = await dataverse(method, path, { body });
			expect(dataverseErrorOf(answer)).toEqual([403, '0x80040220']);
			expect(dataverseTextOf(answer)).toContain(`is missing prv${privilege} privilege`);
		}
		expect(rowsOf(await dataverse('GET', IDENTITIES))).toHaveLength(1);
	});
});

describe('faults', () => {
	const apply = (action: FaultAction, operationId?: string, times?: number) => {
		emulator.settings.faults = [{ match: { operationId }, action, times }];
	};

	test('a rule that matches everything matches the token, Dataverse and the Messaging API', async () => {
		const messaging = await connect(emulator);
		emulator.settings.faults = [{ match: {}, action: { status: 503 } }];
		expect((await requestToken(emulator)).status).toBe(503);
		expect((await dataverse('GET', '/WhoAmI()')).status).toBe(503);
		expect((await messaging('GET', '/conversations')).status).toBe(503);
	});

	test('a cut before and a cut after the work', async () => {
		apply('resetBefore', 'dataverse.updateChannel', 1);
		await expect(change({ msdyn_name: 'lost' })).rejects.toThrow();
		expect((await read()).msdyn_name).toBe(emulator.world.channelName);
		expect(dataverseEntries(emulator).at(-2)).toMatchObject({ status: 0, fault: 'resetBefore' });
		apply('resetAfter', 'dataverse.updateChannel', 1);
		await expect(change({ msdyn_name: 'arrived' })).rejects.toThrow();
		expect((await read()).msdyn_name).toBe('arrived');
		expect(dataverseEntries(emulator).at(-2)).toMatchObject({
			status: 0,
			fault: 'resetAfter',
			errorCode: undefined,
		});
	});

	test('a delay', async () => {
		apply({ delayMs: 120 }, 'dataverse.whoAmI');
		const startedAt = Date.now();
		expect((await dataverse('GET', '/WhoAmI()')).status).toBe(200);
		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(115);
	});
});

test('the log knows each call, but neither tokens nor secrets', async () => {
	const { headers } = await change({ msdyn_name: 'logged' });
	expect(dataverseEntries(emulator).at(-1)).toEqual({
		kind: 'dataverse',
		seq: expect.any(Number),
		at: expect.any(String),
		method: 'PATCH',
		path: `/api/data/v9.2${own()}`,
		operationId: 'dataverse.updateChannel',
		status: 204,
		errorCode: undefined,
		serviceRequestId: headers['x-ms-service-request-id'],
		fault: undefined,
		body: { msdyn_name: 'logged' },
	});
	await dataverse('POST', IDENTITIES, { body: { clientsecret: 'a-secret-of-entra' } });
	const { json } = await requestToken(emulator, { scope: `${emulator.origin}/.default` });
	const log = JSON.stringify(emulator.log);
	for (const secret of ['a-secret-of-entra', emulator.world.clientSecret, String(json.access_token)]) {
		expect(log).not.toContain(secret);
	}
	expect(emulator.log.filter(({ kind }) => kind === 'request')).toEqual([]);
});

test('the clock of all answers can be ahead or behind', async () => {
	const aheadOf = ({ headers }: Answer) => Date.parse(String(headers.date)) - Date.now();
	const messaging = await connect(emulator);
	expect(Math.abs(aheadOf(await dataverse('GET', '/WhoAmI()')))).toBeLessThan(5_000);
	for (const skew of [600_000, -600_000]) {
		emulator.settings.clockSkewMs = skew;
		for (const answer of [
			await dataverse('GET', '/WhoAmI()'),
			await messaging('GET', '/conversations'),
			await requestToken(emulator),
		]) {
			expect(Math.abs(aheadOf(answer) - skew)).toBeLessThan(5_000);
		}
	}
});
