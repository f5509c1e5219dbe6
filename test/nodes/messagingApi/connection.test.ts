import { connectionFrom, GEOS, requireChannel } from '../../../nodes/Dynamics365Messaging/connection';
import { InputError } from '../../../nodes/shared/transport/errors';

const GUID = '9f6c021d-1234-4abc-8df7-123456789abc';
const ORGANIZATION = '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60';
const typed = {
	tenantId: 'b5122edb-5678-4def-99e2-abcdef123456',
	clientId: GUID,
	clientSecret: 'a secret',
	organizationId: ORGANIZATION,
	geo: 'eu',
	channelId: '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391',
	zone: '',
	baseUrl: '',
	authorityHost: '',
	scope: '',
};

describe('what is derived', () => {
	test('host with the dashes, scope without them, the public authority', () => {
		expect(connectionFrom(typed)).toMatchObject({
			origin: `https://m-${ORGANIZATION}.eu.omnichannelengagementhub.com`,
			scope: 'https://93d5e7b81c4f4062b8aa5f27c9e31d60-c.crm4.dynamics.com/.default',
			authorityHost: 'https://login.microsoftonline.com',
		});
	});

	const zones =
		'us crm,br crm2,ca crm3,eu crm4,as crm5,au crm6,jp crm7,in crm8,gov crm9,uk crm11,fr crm12,za crm14,ae crm15,de crm16,ch crm17,no crm19,sg crm20,kr crm21,se crm22';
	test.each(zones.split(',').map((pair) => pair.split(' ')))('geo %s is zone %s', (geo, zone) => {
		expect(connectionFrom({ ...typed, geo }).scope).toContain(`-c.${zone}.dynamics.com/`);
	});
	test.each(zones.split(',').map((pair) => pair.split(' ')))(
		'where Geo is empty, the Environment URL tells it: %s by %s',
		(geo, zone) => {
			const environmentUrl = `https://contoso.${zone}.dynamics.com/main.aspx?appid=1`;
			const chosen = connectionFrom({ ...typed, geo });
			const { origin, scope } = connectionFrom({ ...typed, geo: '', environmentUrl });
			expect([origin, scope]).toEqual([chosen.origin, chosen.scope]);
		},
	);
	test('every geo of the list is in the table above', () => {
		expect(GEOS).toHaveLength(zones.split(',').length);
	});
	test('GCC has a domain of its own', () => {
		expect(connectionFrom({ ...typed, geo: 'gov' }).origin).toBe(
			`https://m-${ORGANIZATION}.gov.omnichannelengagementhub.us`,
		);
	});
});

test.each([
	['a chosen Geo counts before the Environment URL', { geo: 'uk' }, 'uk', 'crm11'],
	['Geo need not be in a stored credential', { geo: undefined }, 'eu', 'crm4'],
	[
		'the address of the Web API tells it, too',
		{ environmentUrl: 'https://a.api.crm6.dynamics.com' },
		'au',
		'crm6',
	],
])('%s', (_, given, geo, zone) => {
	const fields = { ...typed, geo: '', environmentUrl: 'https://contoso.crm4.dynamics.com', ...given };
	const { origin, scope } = connectionFrom(fields);
	expect(origin).toContain(`.${geo}.omnichannelengagementhub.com`);
	expect(scope).toContain(`-c.${zone}.dynamics.com/`);
});

test.each<[Record<string, unknown>, string, string]>([
	[{}, 'Environment URL and Geo are both empty in the credential', 'or choose Geo'],
	[
		{ environmentUrl: 'https://contoso.crm99.dynamics.com' },
		'Environment URL in the credential does not tell the region: contoso.crm99.dynamics.com',
		'Choose Geo',
	],
	[{ environmentUrl: 'https://crm4.dynamics.com.example.org' }, 'does not tell the region', 'Choose Geo'],
	[
		{ cloud: 'usGovernment', environmentUrl: 'https://contoso.crm4.microsoftdynamics.us' },
		'does not tell',
		'Choose Geo',
	],
	[{ environmentUrl: 'https://localhost:8443', baseUrl: 'https://localhost:8443' }, 'does not tell', 'Geo'],
])('where neither tells the region, the fields are named: %j', (given, message, mend) => {
	const read = () => connectionFrom({ ...typed, geo: '', ...given });
	expect(read).toThrow(message);
	try {
		read();
	} catch (error) {
		expect(error).toMatchObject({ description: expect.stringContaining(mend) });
	}
});

test.each([{ zone: 'crm4' }, { scope: 'https://x.crm.appsplatform.us/.default' }])(
	'Geo is not asked for where what it would tell is given: %j',
	(given) => {
		const fields = { ...typed, geo: '', baseUrl: 'https://gateway.example.com', ...given };
		expect(connectionFrom(fields).scope).toMatch(/crm/);
		expect(() => connectionFrom({ ...fields, geo: 'mars' })).toThrow('Geo');
	},
);

test('a credential without Channel ID can be read, and what needs a channel names the field', () => {
	const connection = connectionFrom({ ...typed, channelId: ' ' });
	expect(connection.channelId).toBe('');
	expect(() => requireChannel(connection)).toThrow('Channel ID is missing in the credential');
	expect(requireChannel(connectionFrom(typed)).channelId).toBe(typed.channelId);
});

test.each([
	[
		'zone',
		{ zone: ' CRM11 ' },
		{ scope: 'https://93d5e7b81c4f4062b8aa5f27c9e31d60-c.crm11.dynamics.com/.default' },
	],
	[
		'base URL',
		{ baseUrl: ' https://Proxy.example.com:8443/ ' },
		{ origin: 'https://proxy.example.com:8443' },
	],
	[
		'authority',
		{ authorityHost: 'https://login.microsoftonline.us' },
		{ authorityHost: 'https://login.microsoftonline.us' },
	],
	[
		'scope',
		{ scope: 'https://x.crm.appsplatform.us/.default' },
		{ scope: 'https://x.crm.appsplatform.us/.default' },
	],
])('%s can be overridden', (_, given, expected) => {
	expect(connectionFrom({ ...typed, ...given })).toMatchObject(expected);
});

test.each([
	['white space', `  ${GUID}\n`],
	['braces', `{${GUID}}`],
	['braces and white space', ` { ${GUID} } `],
	['capitals', GUID.toUpperCase()],
	['no dashes', GUID.replaceAll('-', '')],
])('a GUID pasted with %s is forgiven', (_, pasted) => {
	const ids = { tenantId: pasted, clientId: pasted, organizationId: pasted, channelId: pasted };
	expect(connectionFrom({ ...typed, ...ids })).toMatchObject({
		tenantId: GUID,
		clientId: GUID,
		organizationId: GUID,
		channelId: GUID,
	});
});

test('a verified domain is a tenant, in lower case', () => {
	expect(connectionFrom({ ...typed, tenantId: ' Contoso.OnMicrosoft.com ' }).tenantId).toBe(
		'contoso.onmicrosoft.com',
	);
});

test('a secret is trimmed, and nothing else of it is touched', () => {
	expect(connectionFrom({ ...typed, clientSecret: ' a~{B}.c \n' }).authentication).toEqual({
		kind: 'clientSecret',
		clientSecret: 'a~{B}.c',
	});
});

test.each([
	['Tenant ID', { tenantId: '' }],
	['Tenant ID', { tenantId: 'contoso' }],
	['Tenant ID', { tenantId: 'common/../x' }],
	['Tenant ID', { tenantId: '9f6c021d-1234-4abc-8df7-123456789ab' }],
	['Client ID', { clientId: 'not a guid' }],
	['Client ID', { clientId: undefined }],
	['Client Secret', { clientSecret: '  ' }],
	['Organization ID', { organizationId: `${ORGANIZATION}0` }],
	['Channel ID', { channelId: 'g'.repeat(32) }],
	['Geo', { geo: 'mars' }],
	['Zone', { zone: 'crm4.dynamics.com' }],
	['Zone', { zone: 'evil.com/' }],
	['Base URL', { baseUrl: 'http://localhost:8443' }],
	['Base URL', { baseUrl: 'https://host.example.com/api/v1.0/consumer' }],
	['Base URL', { baseUrl: 'https://user:password@host.example.com' }],
	['Base URL', { baseUrl: 'host.example.com' }],
	['Authority Host', { authorityHost: 'http://login.microsoftonline.com' }],
	['Authority Host', { authorityHost: 'https://login.microsoftonline.com/tenant' }],
	['Scope', { scope: 'https://x.crm4.dynamics.com' }],
	['Scope', { scope: 'https://x/.default openid https://y/.default' }],
])('%s is checked: %j', (field, given) => {
	const read = () => connectionFrom({ ...typed, ...given });
	expect(read).toThrow(InputError);
	expect(read).toThrow(field);
});

test.each([
	[
		{ cloud: 'usGovernment', geo: 'us' },
		{
			authorityHost: 'https://login.microsoftonline.us',
			origin: `https://m-${ORGANIZATION}.us.omnichannelengagementhub.us`,
			scope: `https://${ORGANIZATION.replaceAll('-', '')}-c.crm.microsoftdynamics.us/.default`,
		},
	],
	[
		{ cloud: 'china', geo: 'as' },
		{
			authorityHost: 'https://login.partner.microsoftonline.cn',
			origin: `https://m-${ORGANIZATION}.as.omnichannelengagementhub.cn`,
			scope: `https://${ORGANIZATION.replaceAll('-', '')}-c.crm.dynamics.cn/.default`,
		},
	],
	[
		// GCC has Government hosts, but the global authority.
		{ cloud: 'global', geo: 'gov', zone: '' },
		{
			authorityHost: 'https://login.microsoftonline.com',
			origin: `https://m-${ORGANIZATION}.gov.omnichannelengagementhub.us`,
			scope: `https://${ORGANIZATION.replaceAll('-', '')}-c.crm9.dynamics.com/.default`,
		},
	],
	[
		{
			cloud: 'usGovernment',
			authorityHost: 'https://a.example.com',
			baseUrl: 'https://b.example.com',
			scope: 'c/.default',
		},
		{ authorityHost: 'https://a.example.com', origin: 'https://b.example.com', scope: 'c/.default' },
	],
])('the cloud chooses authority and domains, and can be overridden (row %#)', (given, expected) => {
	expect(connectionFrom({ ...typed, zone: '', baseUrl: '', scope: '', ...given })).toMatchObject(expected);
});

const CLOUD_OF: Array<[host: string, cloud: string, name: string]> = [
	['contoso.crm.dynamics.com', 'global', 'Global'],
	['contoso.crm9.dynamics.com', 'global', 'Global'],
	['contoso.crm.microsoftdynamics.us', 'usGovernment', 'US Government (GCC High)'],
	['contoso.crm.appsplatform.us', 'usGovernment', 'US Government (GCC High)'],
	['contoso.crm.dynamics.cn', 'china', 'China (21Vianet)'],
];

test.each(CLOUD_OF)('an Environment URL at %s goes with the cloud %s alone', (host, cloud, name) => {
	const read = (fields: Record<string, unknown>) =>
		connectionFrom({ ...typed, environmentUrl: `https://${host}`, ...fields });
	for (const one of ['global', 'usGovernment', 'china']) {
		if (one === cloud) expect(read({ cloud: one }).environmentUrl).toBe(`https://${host}`);
		else {
			expect(() => read({ cloud: one })).toThrow(`${host} is in ${name}`);
			// Whoever names the authority knows what they do.
			expect(read({ cloud: one, authorityHost: 'https://a.example.com' }).environmentUrl).toContain(host);
		}
	}
});

test.each(['https://localhost:8443', 'https://dynamics.example.com', 'https://notdynamics.com'])(
	'nothing is known of the cloud of %s',
	(environmentUrl) => {
		for (const cloud of ['global', 'usGovernment', 'china'])
			expect(connectionFrom({ ...typed, cloud, environmentUrl }).environmentUrl).toBe(environmentUrl);
	},
);

test.each<[string, Record<string, unknown>]>([
	['Cloud', { cloud: 'moon' }],
	['Authentication', { authentication: 'password' }],
	['Certificate is missing', { authentication: 'certificate', certificate: ' ' }],
	['Private Key is missing', { authentication: 'certificate', certificate: 'x' }],
	[
		'without its dashes',
		{ baseUrl: `https://m-${ORGANIZATION.replaceAll('-', '')}.eu.omnichannelengagementhub.com` },
	],
	['with dashes', { scope: `https://${ORGANIZATION}-c.crm4.dynamics.com/.default` }],
])('is refused with “%s” (row %#)', (message, given) => {
	expect(() => connectionFrom({ ...typed, ...given })).toThrow(message);
});

test('a certificate takes the place of the secret, and its passphrase keeps its spaces', () => {
	const given = { authentication: 'certificate', certificate: ' a ', privateKey: ' b ', passphrase: ' c ' };
	expect(connectionFrom({ ...typed, clientSecret: '', ...given }).authentication).toEqual({
		kind: 'certificate',
		certificate: 'a',
		privateKey: 'b',
		passphrase: ' c ',
	});
});
