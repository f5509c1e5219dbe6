import type { IDataObject } from 'n8n-workflow';
import type { Emulator, FaultAction } from '../../emulator';
import { MESSAGING_API } from '../../nodes/Dynamics365Messaging/messagingApi/client';
import { explainTransportError } from '../../nodes/shared/transport/transportErrors';
import { TransportError } from '../../nodes/shared/transport/https';
import { credentialFor, testEmulator } from '../support/emulator';
import { loadPackage, oneNode, outcomeOf, runWorkflow, type LoadedPackage } from '../support/n8n';

/** Mistakes of users, each with the node's message. Mistakes about webhooks are in the tests of the trigger. */
let emulator: Emulator;
let loader: LoadedPackage;

beforeAll(async () => void (loader = await loadPackage()));
beforeEach(async () => void (emulator = await testEmulator()));
afterEach(async () => await emulator.close());

async function create(credential: IDataObject = {}) {
	const parameters = { resource: 'conversation', operation: 'create', options: { maxRetryTime: 0 } };
	const credentials = { dynamics365MessagingApi: { ...credentialFor(emulator), ...credential } as never };
	return outcomeOf(await runWorkflow(loader, oneNode('dynamics365Messaging', parameters), credentials));
}

const organizationHost = (id: string) => `https://m-${id}.eu.omnichannelengagementhub.com`;

test.each<[string, (world: Emulator['world']) => IDataObject, string, string]>([
	[
		'dashes in the scope',
		({ organizationId }) => ({ scope: `https://${organizationId}-c.crm4.dynamics.com/.default` }),
		'Scope in the credential has the organization ID with dashes',
		'without dashes',
	],
	[
		'no dashes in the host',
		({ organizationId }) => ({ baseUrl: organizationHost(organizationId.replaceAll('-', '')) }),
		'Base URL in the credential has the organization ID without its dashes',
		'with dashes',
	],
	['the wrong zone', () => ({ zone: 'crm2' }), 'Geo (or Zone) or Organization ID is wrong', 'Zone'],
	[
		'an expired secret',
		() => ({ clientSecret: 'expired-secret' }),
		'The client secret has expired',
		'new secret',
	],
	['a wrong secret', () => ({ clientSecret: 'x' }), 'The client secret is wrong', 'not its ID'],
	[
		'an app in another tenant',
		() => ({ clientId: '11111111-2222-4333-8444-555555555555' }),
		'The app is not known in this tenant',
		'Tenant ID',
	],
])('%s', async (_, credential, message, fix) => {
	const { error } = await create(credential(emulator.world));
	expect(error).toMatchObject({
		message: expect.stringContaining(message),
		description: expect.stringContaining(fix),
		context: { outcome: 'notSent' },
	});
});

test('a wrong geo, whose host no DNS server knows', () => {
	const host = new URL(organizationHost(emulator.world.organizationId)).host;
	expect(explainTransportError(new TransportError('ENOTFOUND', 'no', host), MESSAGING_API)).toMatchObject({
		message: `There is no host ${host}: Geo or Organization ID is wrong`,
		description: expect.stringContaining('Choose the Geo'),
	});
	expect(
		explainTransportError(new TransportError('ENOTFOUND', 'no', 'proxy.example.com'), MESSAGING_API).message,
	).toBe('The service at proxy.example.com cannot be reached');
	expect(
		explainTransportError(new TransportError('EAI_AGAIN', 'no', host), MESSAGING_API).description,
	).toContain('DNS');
});

test('a channel that is on no workstream', async () => {
	emulator.settings.linkedToWorkstream = false;
	expect((await create()).error).toMatchObject({
		message: 'The channel is not linked to a workstream',
		description: expect.stringContaining('15 minutes'),
		context: { code: '30014' },
	});
});

test('a channel that is not authorised for the organization', async () => {
	emulator.settings.channelAuthorized = false;
	expect((await create()).error).toMatchObject({
		message: 'The service did not accept the token for this channel and organization',
		description: expect.stringContaining('channel record names this tenant and Client ID'),
		httpCode: '401',
	});
});

// Entra's codes, each with words of our own: Entra's text names tenants and apps, and is not repeated.
test.each<[number, string, string]>([
	[7000215, 'secret is wrong', 'value'],
	[7000222, 'secret has expired', 'new secret'],
	[7000216, 'neither a client secret nor a certificate', 'Authentication'],
	[7000218, 'neither a client secret nor a certificate', 'Authentication'],
	[700016, 'not known in this tenant', 'Client ID'],
	[700023, 'another token authority', 'Authority Host'],
	[700024, 'clock of this machine', 'clock'],
	[700027, 'not one of the app registration', 'Upload'],
	[7000112, 'app is disabled', 'Enterprise applications'],
	[7000229, 'no service principal', 'admin consent'],
	[50034, 'not known in this tenant', 'Client ID'],
	[501051, 'not assigned', 'Assignment required'],
	[53003, 'Conditional Access', 'address of n8n'],
	[65001, 'consented', 'admin consent'],
	[650052, 'no service principal of the organization', 'Organization ID'],
	[650057, 'not meant for the organization', 'Zone'],
	[70011, 'scope is not valid', 'Scope'],
	[90002, 'tenant does not exist', 'Tenant ID'],
	[900023, 'tenant does not exist', 'Tenant ID'],
	[900144, 'field of the credential is missing', 'Client ID'],
	[900382, 'another cloud', 'Cloud'],
	[1002012, 'scope is not one for an app', 'Scope'],
	[500011, 'Geo (or Zone) or Organization ID is wrong', 'Zone'],
	[500014, 'service principal of the organization is disabled', 'administrator'],
	[99999999, 'Entra did not issue a token', 'AADSTS99999999'],
])('AADSTS%i', async (code, message, fix) => {
	const action: FaultAction = { status: 401, code };
	emulator.settings.faults = [{ match: { operationId: 'token' }, action }];
	const { error } = await create();
	expect(error).toMatchObject({
		message: expect.stringContaining(message),
		description: expect.stringContaining(fix),
		httpCode: '401',
		context: {
			code: `AADSTS${code}`,
			correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
			outcome: 'notSent',
		},
	});
	expect(JSON.stringify(error)).not.toContain('Trace ID');
});
