import { createPrivateKey, X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication, type NetworkRequestOptions } from '@azure/msal-node';
import { decodeJwt, SignJWT } from 'jose';
import { generate } from 'selfsigned';
import { type Certificate, DEFAULT_WORLD, type Emulator, makeCertificate } from '../../emulator';
import { resourceOf } from '../../emulator/world';
import { connect, requestToken, send, start } from './support';

let emulator: Emulator;
let registered: Certificate;
let unregistered: Certificate;
let expired: Certificate;
beforeAll(async () => {
	emulator = await start();
	[registered, unregistered] = await Promise.all([makeCertificate(), makeCertificate()]);
	const pems = await generate([{ name: 'commonName', value: 'expired' }], {
		algorithm: 'sha256',
		keySize: 2048,
		notBeforeDate: new Date('2020-01-01'),
		notAfterDate: new Date('2021-01-01'),
	});
	expired = { key: pems.private, cert: pems.cert };
	emulator.world.certificates.push(expired.cert, registered.cert);
});
afterAll(() => emulator.close());

const now = () => Math.floor(Date.now() / 1000);
const other = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
const endpoint = (tenant: string) => `${emulator.origin}/${tenant}/oauth2/v2.0/token`;
const thumbprint = ({ cert }: Certificate, hash: 'sha1' | 'sha256') => {
	const { fingerprint, fingerprint256 } = new X509Certificate(cert);
	return (hash === 'sha1' ? fingerprint : fingerprint256).replaceAll(':', '');
};
const headerOf = (certificate: Certificate, alg = 'PS256') => ({
	alg,
	'x5t#S256': Buffer.from(thumbprint(certificate, 'sha256'), 'hex').toString('base64url'),
});

interface Assertion {
	claims?: Record<string, unknown>;
	header?: { alg: string; [name: string]: string };
	key?: Certificate;
}

/** An assertion as MSAL makes it, but for what is changed. */
function assertion({ claims, header = headerOf(registered), key = registered }: Assertion = {}) {
	const { clientId, tenantId } = emulator.world;
	const payload = { aud: endpoint(tenantId), iss: clientId, sub: clientId, nbf: now(), exp: now() + 600 };
	const all = Object.entries({ ...payload, jti: other, ...claims });
	return new SignJWT(Object.fromEntries(all.filter(([, value]) => value !== undefined)))
		.setProtectedHeader(header)
		.sign(createPrivateKey(key.key));
}

const ask = (clientAssertion: string, form: Record<string, string | undefined> = {}, tenant?: string) =>
	requestToken(
		emulator,
		{
			client_secret: undefined,
			client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
			client_assertion: clientAssertion,
			...form,
		},
		tenant,
	);

describe.each([
	['SHA-256', 'sha256', 'thumbprintSha256'],
	['SHA-1', 'sha1', 'thumbprint'],
] as const)('MSAL with a thumbprint of %s', (_name, hash, field) => {
	test.each([
		['GUID', DEFAULT_WORLD.tenantId],
		['domain', DEFAULT_WORLD.tenantDomain],
	])('and the tenant’s %s', async (_form, tenant) => {
		const sendRequest = async <T>(
			method: string,
			url: string,
			{ body, headers }: NetworkRequestOptions = {},
		) => {
			const answer = await send(url, { ca: emulator.certificate.cert, method, headers, body });
			return { status: answer.status, headers: {}, body: answer.json as T };
		};
		const authority = `${emulator.origin}/${tenant}`;
		const client = new ConfidentialClientApplication({
			auth: {
				clientId: emulator.world.clientId,
				clientCertificate: { [field]: thumbprint(registered, hash), privateKey: registered.key },
				authority,
				knownAuthorities: [new URL(authority).host],
			},
			system: {
				networkClient: {
					sendGetRequestAsync: (url, options) => sendRequest('GET', url, options),
					sendPostRequestAsync: (url, options) => sendRequest('POST', url, options),
				},
			},
		});
		const result = await client.acquireTokenByClientCredential({
			scopes: [`${resourceOf(emulator.world)}/.default`],
		});
		const token = String(result?.accessToken);
		expect(emulator.log.at(-1)).toMatchObject({ kind: 'token', status: 200, authentication: 'certificate' });
		expect(decodeJwt(token)).toMatchObject({ appid: emulator.world.clientId, appidacr: '2' });
		const caller = await connect(emulator);
		const headers = { authorization: `Bearer ${token}` };
		expect((await caller('GET', '/conversations', { headers })).status).toBe(200);
	});
});

test.each<[string, () => Promise<string>]>([
	['a good one', () => assertion()],
	['RS256 with a SHA-256 thumbprint', () => assertion({ header: headerOf(registered, 'RS256') })],
	['the domain as audience', () => assertion({ claims: { aud: endpoint(DEFAULT_WORLD.tenantDomain) } })],
	['a clock that is ahead', () => assertion({ claims: { nbf: now() + 200, exp: now() + 800 } })],
	['a clock that is behind', () => assertion({ claims: { nbf: now() - 800, exp: now() - 200 } })],
	['no nbf, which is optional', () => assertion({ claims: { nbf: undefined } })],
])('is accepted: %s', async (_name, make) => {
	expect((await ask(await make())).status).toBe(200);
});

const ofApp = (claims: Record<string, unknown>) => () => assertion({ claims });

test.each<[string, () => Promise<string>, number, string, number]>([
	[
		'an unknown thumbprint',
		() => assertion({ header: headerOf(unregistered), key: unregistered }),
		401,
		'invalid_client',
		700027,
	],
	['no thumbprint', () => assertion({ header: { alg: 'PS256' } }), 401, 'invalid_client', 700027],
	['a signature of another key', () => assertion({ key: unregistered }), 401, 'invalid_client', 700027],
	[
		'a certificate that is expired',
		() => assertion({ header: headerOf(expired), key: expired }),
		401,
		'invalid_client',
		700027,
	],
	[
		'another algorithm',
		() => assertion({ header: headerOf(registered, 'RS512') }),
		401,
		'invalid_client',
		700027,
	],
	['expired', ofApp({ exp: now() - 400 }), 401, 'invalid_client', 700024],
	['not valid yet', ofApp({ nbf: now() + 400 }), 401, 'invalid_client', 700024],
	['no end', ofApp({ exp: undefined }), 401, 'invalid_client', 700024],
	['another audience', ofApp({ aud: 'https://login.microsoftonline.com/' }), 401, 'invalid_client', 700023],
	['no audience', ofApp({ aud: undefined }), 401, 'invalid_client', 700023],
	[
		'the audience of another tenant',
		() => assertion({ claims: { aud: endpoint(other) } }),
		401,
		'invalid_client',
		700023,
	],
	['of another issuer', ofApp({ iss: other }), 401, 'invalid_client', 700021],
	['of another subject', ofApp({ sub: other }), 401, 'invalid_client', 700021],
	['of nobody', ofApp({ sub: undefined }), 401, 'invalid_client', 700021],
	['no JWT', async () => 'x', 400, 'invalid_request', 50027],
	[
		'a header and nothing else',
		async () => `${(await assertion()).split('.')[0]}`,
		400,
		'invalid_request',
		50027,
	],
])('is refused: %s', async (_name, make, status, error, code) => {
	const answer = await ask(await make());
	expect(answer.status).toBe(status);
	expect(answer.json).toMatchObject({
		error,
		error_codes: [code],
		error_description: expect.stringMatching(new RegExp(`^AADSTS${code}: `)),
		correlation_id: expect.any(String),
	});
	expect(emulator.log.at(-1)).toMatchObject({
		kind: 'token',
		status,
		errorCode: code,
		authentication: 'certificate',
	});
});

test.each([undefined, 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'])(
	'the assertion type %s is not taken',
	async (type) => {
		const { status, json } = await ask(await assertion(), { client_assertion_type: type });
		expect([status, json.error_codes]).toEqual([400, [900144]]);
	},
);

test('a certificate is good as long as it is registered', async () => {
	const { certificates } = emulator.world;
	const ours = () => assertion({ header: headerOf(unregistered), key: unregistered });
	certificates.push(unregistered.cert);
	expect((await ask(await ours())).status).toBe(200);
	certificates.pop();
	expect((await ask(await ours())).json.error_codes).toEqual([700027]);
});

test('certificates of one emulator are no other’s', async () => {
	const another = await start();
	expect([another.world.certificates, DEFAULT_WORLD.certificates]).toEqual([[], []]);
	await another.close();
});

test('the log says with what the app came, and never the assertion', async () => {
	const sent = await assertion();
	await ask(sent);
	await requestToken(emulator);
	await requestToken(emulator, { client_secret: 'wrong' });
	await requestToken(emulator, { client_secret: undefined });
	expect(emulator.log.slice(-4)).toMatchObject([
		{ status: 200, authentication: 'certificate' },
		{ status: 200, authentication: 'secret' },
		{ status: 401, authentication: 'secret' },
		{ status: 401, authentication: undefined },
	]);
	expect(JSON.stringify(emulator.log)).not.toContain(sent);
});

test('with a secret the token says so', async () => {
	const { json } = await requestToken(emulator);
	expect(decodeJwt(String(json.access_token))).toMatchObject({ appidacr: '1' });
});
