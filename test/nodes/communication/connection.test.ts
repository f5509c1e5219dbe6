import { InputError } from '../../../nodes/shared/transport/errors';
import { connectionFrom } from '../../../nodes/AzureCommunicationConversations/api/connection';

const KEY = 'cHc=';
const ORIGIN = 'https://my-resource.communication.azure.com';
const APP = {
	authentication: 'clientSecret',
	endpoint: ORIGIN,
	tenantId: 'B7C1F0D4-52E9-4A36-9D18-6E0F3A87C245',
	clientId: '4e9a2c76-8d1b-47f5-a3c0-91b5d6e8f027',
	clientSecret: 'hunter2',
};
const keyed = (given: object) => ({ authentication: 'accessKey', ...given });

test.each<[string, Record<string, unknown>, object]>([
	[
		'an Entra app',
		APP,
		{
			origin: ORIGIN,
			apiVersion: '2025-04-01-preview',
			authentication: {
				kind: 'entra',
				source: {
					tenantId: 'b7c1f0d4-52e9-4a36-9d18-6e0f3a87c245',
					authorityHost: 'https://login.microsoftonline.com',
					scope: 'https://communication.azure.com/.default',
				},
			},
		},
	],
	[
		'a scope, a version and an authority of one’s own',
		{
			...APP,
			scope: 'https://communication.azure.com//.default',
			apiVersion: ' 2025-09-01-preview ',
			authorityHost: 'https://login.microsoftonline.us',
		},
		{
			apiVersion: '2025-09-01-preview',
			authentication: {
				source: {
					scope: 'https://communication.azure.com//.default',
					authorityHost: 'https://login.microsoftonline.us',
				},
			},
		},
	],
	[
		'an access key',
		keyed({ endpoint: `${ORIGIN}/`, secretAccessKey: ` ${KEY}\n` }),
		{ origin: ORIGIN, authentication: { kind: 'accessKey', key: KEY } },
	],
	[
		'a connection string',
		keyed({ secretAccessKey: `endpoint=${ORIGIN}/;accesskey=${KEY}` }),
		{ origin: ORIGIN, authentication: { kind: 'accessKey', key: KEY } },
	],
	[
		'a connection string the other way round, and the same endpoint beside it',
		keyed({ endpoint: ORIGIN, secretAccessKey: `AccessKey=${KEY}; Endpoint=${ORIGIN}/` }),
		{ origin: ORIGIN, authentication: { key: KEY } },
	],
	[
		'a connection string of a key alone',
		keyed({ endpoint: ORIGIN, secretAccessKey: `accesskey=${KEY}` }),
		{ origin: ORIGIN, authentication: { key: KEY } },
	],
	[
		'an endpoint without its scheme',
		{ authentication: 'userToken', endpoint: 'my-resource.communication.azure.com/', userToken: 'a' },
		{ origin: ORIGIN },
	],
	[
		'a user access token, pasted with its scheme',
		{ authentication: 'userToken', endpoint: `${ORIGIN}/some/path`, userToken: 'Bearer abc.def' },
		{ origin: ORIGIN, authentication: { kind: 'userToken', token: 'abc.def' } },
	],
])('reads %s', (_, data, expected) => expect(connectionFrom(data)).toMatchObject(expected));

test.each<[string, Record<string, unknown>, string]>([
	['no endpoint', keyed({ secretAccessKey: KEY }), 'Endpoint is missing'],
	[
		'http',
		keyed({ endpoint: 'http://my-resource.communication.azure.com', secretAccessKey: KEY }),
		'must start with https://',
	],
	[
		'a connection string for an endpoint',
		{ authentication: 'userToken', endpoint: `endpoint=${ORIGIN};accesskey=${KEY}`, userToken: 'x' },
		'Endpoint in the credential is a connection string',
	],
	['no key', keyed({ endpoint: ORIGIN }), 'Access Key is missing'],
	['half a connection string', keyed({ secretAccessKey: `endpoint=${ORIGIN}/` }), 'Access Key is missing'],
	['what is no key', keyed({ endpoint: ORIGIN, secretAccessKey: 'not base64!' }), 'is not a key'],
	[
		'two resources',
		keyed({
			endpoint: 'https://other.communication.azure.com',
			secretAccessKey: `endpoint=${ORIGIN};accesskey=${KEY}`,
		}),
		'not that of the connection string',
	],
	['no user token', { authentication: 'userToken', endpoint: ORIGIN }, 'User Access Token is missing'],
	[
		'a user token with a line break in it',
		{ authentication: 'userToken', endpoint: ORIGIN, userToken: 'a\nb' },
		'is not a token',
	],
	['a version that is none', { ...APP, apiVersion: 'latest' }, 'API Version'],
	['a scope that is none', { ...APP, scope: 'https://communication.azure.com' }, 'ends with /.default'],
	['no tenant', { ...APP, tenantId: '' }, 'Tenant ID is missing'],
	['an unknown kind', { ...APP, authentication: 'password' }, 'Authentication in the credential is unknown'],
])('refuses %s', (_, data, message) => {
	expect(() => connectionFrom(data)).toThrow(message);
	expect(() => connectionFrom(data)).toThrow(InputError);
});
