import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { DEFAULT_WORLD, type Emulator } from '../../emulator';
import { Identity, withBasicCredentials } from '../../emulator/entra/identity';
import { originOf } from '../../emulator/http/paths';
import { defaultSettings } from '../../emulator/settings';
import { resourceOf } from '../../emulator/world';
import { connect, requestToken, send, start } from './support';

let emulator: Emulator;
beforeAll(async () => {
	emulator = await start();
});
afterAll(() => emulator.close());

const get = (path: string) => send(`${emulator.origin}${path}`, { ca: emulator.certificate.cert });

/** Verifies a token as a client would: with the keys that the tenant publishes. */
async function verify(token: string) {
	const keys = createRemoteJWKSet(
		new URL(`${emulator.origin}/${emulator.world.tenantId}/discovery/v2.0/keys`),
		{
			[customFetch]: async (url) => {
				const { status, text } = await send(url, { ca: emulator.certificate.cert });
				return new Response(text, { status });
			},
		},
	);
	return jwtVerify(token, keys);
}

test('a token says when it wants to be refreshed, where the settings say so', async () => {
	expect((await requestToken(emulator)).json).not.toHaveProperty('refresh_in');
	emulator.settings.tokenRefreshSeconds = 43_200;
	expect((await requestToken(emulator)).json).toMatchObject({ refresh_in: 43_200 });
	emulator.settings.tokenRefreshSeconds = null;
});

test('a token for the organisation', async () => {
	const { status, json, headers } = await requestToken(emulator, {
		client_info: '1',
		'x-client-SKU': 'msal',
	});
	expect(status).toBe(200);
	expect(headers['cache-control']).toBe('no-store');
	expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 3600, ext_expires_in: 3600 });
	const { payload, protectedHeader } = await verify(String(json.access_token));
	const { clientId, tenantId, organizationId } = emulator.world;
	expect(protectedHeader.alg).toBe('RS256');
	expect(payload).toMatchObject({
		aud: `https://${organizationId.replaceAll('-', '')}-c.crm4.dynamics.com`,
		iss: `https://sts.windows.net/${tenantId}/`,
		tid: tenantId,
		appid: clientId,
		idtyp: 'app',
		ver: '1.0',
	});
	expect(Number(payload.exp) - Number(payload.iat)).toBe(3600);
});

test('the tenant may be given by its domain', async () => {
	expect((await requestToken(emulator, {}, 'Contoso.onmicrosoft.com')).status).toBe(200);
});

const other = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
test.each([
	['a wrong secret', { client_secret: 'wrong' }, undefined, 401, 'invalid_client', 7000215],
	['an expired secret', { client_secret: 'expired-secret' }, undefined, 401, 'invalid_client', 7000222],
	['an unknown app', { client_id: other }, undefined, 400, 'unauthorized_client', 700016],
	['an unknown tenant', {}, other, 400, 'invalid_request', 90002],
	[
		'another zone',
		{ scope: 'https://x-c.crm.dynamics.com/.default' },
		undefined,
		400,
		'invalid_resource',
		500011,
	],
	['no /.default', { scope: 'https://x-c.crm4.dynamics.com' }, undefined, 400, 'invalid_scope', 1002012],
	['no scope', { scope: undefined }, undefined, 400, 'invalid_request', 900144],
	['no grant type', { grant_type: undefined }, undefined, 400, 'invalid_request', 900144],
	['no app', { client_id: undefined }, undefined, 400, 'invalid_request', 900144],
	['no secret', { client_secret: undefined }, undefined, 401, 'invalid_client', 7000216],
	['an empty secret', { client_secret: '' }, undefined, 401, 'invalid_client', 7000216],
	['another grant', { grant_type: 'password' }, undefined, 400, 'unsupported_grant_type', 70003],
])('%s', async (_name, form, tenant, status, error, code) => {
	const answer = await requestToken(emulator, form, tenant);
	expect(answer.status).toBe(status);
	expect(answer.json).toMatchObject({
		error,
		error_codes: [code],
		timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
		trace_id: expect.any(String),
		correlation_id: expect.any(String),
		error_uri: expect.stringContaining(String(code)),
	});
	expect(answer.json.error_description).toMatch(
		new RegExp(`^AADSTS${code}: .+ Trace ID: .+ Correlation ID: .+ Timestamp: .+Z$`),
	);
	expect(emulator.log.at(-1)).toMatchObject({ kind: 'token', status, errorCode: code });
});

test('dashes in the scope are a resource that is not known', async () => {
	const scope = `https://${emulator.world.organizationId}-c.crm4.dynamics.com/.default`;
	expect((await requestToken(emulator, { scope })).json.error_codes).toEqual([500011]);
});

test('the log knows who asked, but neither secrets nor tokens', async () => {
	const { json } = await requestToken(emulator);
	await requestToken(emulator, { client_secret: 'a-mistyped-secret' });
	expect(emulator.log.at(-2)).toMatchObject({
		kind: 'token',
		status: 200,
		clientId: emulator.world.clientId,
	});
	const log = JSON.stringify(emulator.log);
	for (const secret of [emulator.world.clientSecret, 'a-mistyped-secret', String(json.access_token)]) {
		expect(log).not.toContain(secret);
	}
});

test('discovery leads to the keys', async () => {
	const { tenantId } = emulator.world;
	const { json } = await get(`/${tenantId}/v2.0/.well-known/openid-configuration`);
	expect(json).toMatchObject({
		issuer: `${emulator.origin}/${tenantId}/v2.0`,
		token_endpoint: `${emulator.origin}/${tenantId}/oauth2/v2.0/token`,
		jwks_uri: `${emulator.origin}/${tenantId}/discovery/v2.0/keys`,
	});
	expect((await get(`/${other}/discovery/v2.0/keys`)).json.error_codes).toEqual([90002]);
	expect((await get(`/${other}/v2.0/.well-known/openid-configuration`)).status).toBe(400);
});

test('discovery of version 1 leads to the same keys, and names the issuer of version 1 tokens', async () => {
	const { tenantDomain, tenantId } = emulator.world;
	const { json } = await get(`/${tenantId}/.well-known/openid-configuration`);
	expect(json).toMatchObject({
		issuer: `https://sts.windows.net/${tenantId}/`,
		token_endpoint: `${emulator.origin}/${tenantId}/oauth2/token`,
		jwks_uri: `${emulator.origin}/${tenantId}/discovery/keys`,
	});
	expect((await get(`/${tenantDomain}/.well-known/openid-configuration`)).json.issuer).toBe(json.issuer);
	const keys = await get(new URL(String(json.jwks_uri)).pathname);
	expect(keys.json).toEqual((await get(`/${tenantId}/discovery/v2.0/keys`)).json);
	const { payload } = await verify(String((await requestToken(emulator)).json.access_token));
	expect(payload.iss).toBe(json.issuer);
	expect((await get(`/${other}/discovery/keys`)).json.error_codes).toEqual([90002]);
	expect((await get(`/${other}/.well-known/openid-configuration`)).json.error_codes).toEqual([90002]);
});

test.each([
	['/%ff/discovery/v2.0/keys', '%ff'],
	['/%zz/.well-known/openid-configuration', '%zz'],
	['/%E0%A4/v2.0/.well-known/openid-configuration', '%E0%A4'],
])('a tenant with a broken percent-encoding is not there: %s', async (path, tenant) => {
	const { json, status } = await get(path);
	expect([status, json.error_codes]).toEqual([400, [90002]]);
	expect(json.error_description).toContain(`Tenant '${tenant}' not found`);
});

test('a token request for such a tenant, and one that cannot be unpacked', async () => {
	expect((await requestToken(emulator, {}, '%ff')).json.error_codes).toEqual([90002]);
	const headers = { 'content-encoding': 'gzip' };
	const url = `${emulator.origin}/${emulator.world.tenantId}/oauth2/v2.0/token`;
	const { json, status } = await send(url, {
		method: 'POST',
		ca: emulator.certificate.cert,
		headers,
		body: 'no gzip',
	});
	expect([status, json.error, json.error_codes]).toEqual([400, 'invalid_request', [90100]]);
});

describe('the secret in an Authorization header (client_secret_basic)', () => {
	const basic = (id: string, secret: string) =>
		`Basic ${Buffer.from([id, secret].map(encodeURIComponent).join(':')).toString('base64')}`;
	const ask = (authorization: string, form: Record<string, string> = {}) =>
		send(`${emulator.origin}/${emulator.world.tenantId}/oauth2/v2.0/token`, {
			method: 'POST',
			ca: emulator.certificate.cert,
			headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
			body: new URLSearchParams({
				grant_type: 'client_credentials',
				scope: `${resourceOf(emulator.world)}/.default`,
				...form,
			}).toString(),
		});

	test('is accepted, and only a right one', async () => {
		const { clientId, clientSecret } = emulator.world;
		expect((await ask(basic(clientId, clientSecret))).status).toBe(200);
		expect(emulator.log.at(-1)).toMatchObject({ kind: 'token', clientId, authentication: 'secret' });
		expect((await ask(basic(clientId, clientSecret).replace('Basic', 'basic'))).status).toBe(200);
		expect((await ask(basic(clientId, 'wrong'))).json.error_codes).toEqual([7000215]);
		expect((await ask(basic(other, clientSecret))).json.error_codes).toEqual([700016]);
		// The app is the one that the secret came with.
		expect((await ask(basic(other, clientSecret), { client_id: clientId })).json.error_codes).toEqual([
			700016,
		]);
		expect((await ask('Basic !', { client_id: clientId })).json.error_codes).toEqual([7000216]);
		expect((await ask(basic('', clientSecret))).json.error_codes).toEqual([900144]);
		const { json } = await get(`/${emulator.world.tenantId}/v2.0/.well-known/openid-configuration`);
		expect(json.token_endpoint_auth_methods_supported).toContain('client_secret_basic');
	});

	test.each([
		['percent-encoded', 'a%3Ab:c%3A%25%2B+d', ['a:b', 'c:%+ d']],
		['with a colon as it is', 'a:b:c', ['a', 'b:c']],
		['with a broken percent-encoding', 'a:50%', ['a', '50%']],
	])('%s', (_name, text, [id, secret]) => {
		const header = `Basic ${Buffer.from(text).toString('base64')}`;
		expect(withBasicCredentials({ scope: 'x' }, header)).toEqual({
			scope: 'x',
			client_id: id,
			client_secret: secret,
		});
	});

	test.each([undefined, 'Basic', 'Basic eHg=', 'Bearer YTpi'])('%s is none', (header) => {
		expect(withBasicCredentials({ scope: 'x' }, header)).toEqual({ scope: 'x' });
	});

	test('a secret in the form comes first', () => {
		const form = { client_id: 'a', client_secret: 'b' };
		expect(withBasicCredentials(form, 'Basic eDp5')).toBe(form);
	});
});

test.each([
	['its own port', 443, 'https://localhost'],
	['another port', 8443, 'https://localhost:8443'],
	['the port of http', 80, 'https://localhost:80'],
])('MSAL takes the issuer at https with %s', async (_name, port, origin) => {
	const authority = originOf('https', 'localhost', port);
	expect(authority).toBe(origin);
	const identity = await Identity.create(DEFAULT_WORLD, defaultSettings(), () => authority);
	const { clientId, clientSecret, tenantId } = DEFAULT_WORLD;
	const client = new ConfidentialClientApplication({
		auth: {
			clientId,
			clientSecret,
			authority: `${authority}/${tenantId}`,
			knownAuthorities: [authority.slice('https://'.length)],
		},
		system: {
			networkClient: {
				sendGetRequestAsync: async <T>() => ({
					status: 200,
					headers: {},
					body: identity.openIdConfiguration(tenantId, 2) as T,
				}),
				sendPostRequestAsync: async <T>(url: string, { body = '' }: { body?: string } = {}) => {
					expect(url).toContain(`${origin}/${tenantId}/oauth2/v2.0/token`);
					const form = Object.fromEntries(new URLSearchParams(body));
					const answer = await identity.answerTokenRequest(tenantId, form, other);
					return { status: answer.status, headers: {}, body: answer.body as T };
				},
			},
		},
	});
	const scopes = [`${resourceOf(DEFAULT_WORLD)}/.default`];
	expect((await client.acquireTokenByClientCredential({ scopes }))?.accessToken).toEqual(expect.any(String));
});

describe('tokens that the Messaging API refuses', () => {
	const now = () => Math.floor(Date.now() / 1000);
	const good = () => ({
		aud: resourceOf(emulator.world),
		iss: `https://sts.windows.net/${emulator.world.tenantId}/`,
		appid: emulator.world.clientId,
		exp: now() + 60,
	});
	const statusWith = async (authorization: string | undefined) => {
		const client = await connect(emulator);
		return client('GET', '/conversations', { headers: { authorization } });
	};

	test.each<[string, object, number]>([
		['a good one', {}, 200],
		['of a v2 app', { iss: 'v2', appid: undefined, azp: 'own' }, 200],
		['expired', { exp: 1_700_000_000 }, 401],
		['not valid yet', { nbf: 4_000_000_000 }, 401],
		['for another resource', { aud: 'https://graph.microsoft.com' }, 401],
		['of another tenant', { iss: 'https://sts.windows.net/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d/' }, 401],
		['of another app', { appid: other }, 401],
	])('%s', async (_name, change: { iss?: string; azp?: string }, status) => {
		const claims = { ...good(), ...change };
		if (claims.iss === 'v2') claims.iss = `${emulator.origin}/${emulator.world.tenantId}/v2.0`;
		if (claims.azp === 'own') claims.azp = emulator.world.clientId;
		const answer = await statusWith(`Bearer ${await emulator.signToken(claims)}`);
		expect(answer.status).toBe(status);
	});

	test.each([undefined, 'Bearer', 'Bearer x', 'Basic eDp5'])('%s', async (authorization) => {
		const { status, json, headers } = await statusWith(authorization);
		expect(status).toBe(401);
		expect(json).toMatchObject({ status: 401, title: 'Unauthorized' });
		expect(headers['content-type']).toContain('application/problem+json');
		expect(headers['x-ms-correlation-id']).toEqual(expect.any(String));
	});

	test('with a signature that is not the tenant’s', async () => {
		const [header, payload] = (await emulator.signToken(good())).split('.');
		const { status } = await statusWith(`Bearer ${header}.${payload}.${'A'.repeat(342)}`);
		expect(status).toBe(401);
	});

	test('revoked; one that is issued afterwards is good', async () => {
		const before = await connect(emulator);
		emulator.revokeTokens();
		const after = await connect(emulator);
		expect((await before('GET', '/conversations')).status).toBe(401);
		expect((await after('GET', '/conversations')).status).toBe(200);
	});
});

test('after a rotation the new key signs, and the old one is still published', async () => {
	const before = await emulator.issueDeliveryToken();
	await emulator.rotateKeys();
	const after = await emulator.issueDeliveryToken();
	const { protectedHeader: old } = await verify(before);
	const { protectedHeader: recent } = await verify(after);
	expect(recent.kid).not.toBe(old.kid);
});

test('a token with other claims and another header', async () => {
	const token = await emulator.issueDeliveryToken({ aud: 'x', idtyp: undefined });
	const { payload } = await verify(token);
	expect(payload.aud).toBe('x');
	expect(payload).not.toHaveProperty('idtyp');
	const forged = await emulator.signToken({ a: 1 }, { kid: 'unknown' });
	await expect(verify(forged)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
});
