import { WebhookPathTakenError } from 'n8n-workflow';
import { credentialFor } from '../../support/emulator';
import { activate, deactivate, oneNode, serveTrigger, type Activation } from '../../support/n8n';
import { emulator, loader, useEmulator, usePackage } from '../../support/operation';
import { closedPort } from '../../../tools/ports';

usePackage();
useEmulator();

/** How long a person waits for what is certain, milliseconds. */
const SECONDS = 5_000;
const OTHER = '11111111-2222-4333-8444-555555555555';
const json = oneNode('dynamics365MessagingTrigger', { registerWebhook: true });

/** Publishes as n8n does: after a `create` that fails it calls `delete`. @returns what the person is told, and after how long */
async function publish(credential: Record<string, string> = {}, given: Partial<Activation> = {}) {
	const activation: Activation = {
		loader,
		json,
		credentials: { dynamics365MessagingApi: { ...credentialFor(emulator), ...credential } },
		webhookBaseUrl: `http://localhost:${await closedPort()}/webhook`,
		staticData: {},
		...given,
	};
	const from = performance.now();
	const error = await activate(activation).catch((thrown: unknown) => thrown);
	await deactivate(activation);
	return { error, ms: performance.now() - from };
}

/** Expects that a person is told what to do, within seconds, and that n8n does not try four times more before it says so. */
function expectRefused({ error, ms }: { error: unknown; ms: number }, says: RegExp): void {
	expect(error).toMatchObject({ message: expect.stringMatching(says), node: { name: json.nodes[0]?.name } });
	expect(error).toBeInstanceOf(WebhookPathTakenError);
	expect(ms).toBeLessThan(SECONDS);
}

test.each<[string, Record<string, string>, RegExp]>([
	['no Environment URL', { environmentUrl: '' }, /^Enter Environment URL in the credential, or switch/],
	['no Channel ID', { channelId: '' }, /^Channel ID is missing in the credential. Channel: Create/],
	['neither Environment URL nor Geo', { environmentUrl: '', geo: '' }, /Enter Environment URL/],
	['a wrong secret', { clientSecret: 'nope' }, /^The client secret is wrong. .*value/],
	['an expired secret', { clientSecret: 'expired-secret' }, /expired. .*new/],
	['a wrong tenant', { tenantId: OTHER }, /tenant does not exist. Check Tenant ID/],
	['a wrong app', { clientId: OTHER }, /not known in this tenant. /],
	[
		'an unknown channel',
		{ channelId: OTHER },
		/^No channel has the credential’s Channel ID. Run Channel: Get Many/,
	],
	['an unknown environment', { environmentUrl: 'https://nowhere.invalid' }, /Environment URL/],
	['an unknown authority', { authorityHost: 'https://nowhere.invalid' }, /Authority Host/],
])('publishing with %s is refused within seconds, and says what to do', async (_, credential, says) => {
	// n8n's second call, after the first has failed, must not take as long again.
	expectRefused(await publish(credential), says);
});

test.each<[string, () => void, RegExp]>([
	[
		'an app that is no user of the environment',
		() => (emulator.settings.dataverse.applicationUser = false),
		/is not a user of this Dataverse environment. /,
	],
	['an app without a role', () => (emulator.settings.dataverse.role = 'none'), /has no role in Dataverse. /],
	[
		'an app that may not write',
		() => (emulator.settings.dataverse.role = 'readOnly'),
		/role in Dataverse does not allow this. /,
	],
])('so it is with %s', async (_, set, says) => {
	set();
	expectRefused(await publish(), says);
});

test('so it is at an address that Dynamics 365 cannot reach', async () => {
	const credential = {
		baseUrl: 'https://m-x.example.com',
		environmentUrl: 'https://contoso.crm4.dynamics.com',
	};
	const told = await publish(credential, { webhookBaseUrl: 'http://127.0.0.1:5678/webhook' });
	expectRefused(told, /^Set WEBHOOK_URL to .* cannot reach http:\/\/127\.0\.0\.1:5678/);
	expect(emulator.log).toEqual([]);
});

test('so it is where another active workflow has the channel', async () => {
	const other = await serveTrigger(
		loader,
		oneNode('dynamics365MessagingTrigger', {}, { id: OTHER, webhookId: OTHER }),
		{ dynamics365MessagingApi: credentialFor(emulator) },
	);
	emulator.setWebhookUrl(other.url);
	expectRefused(await publish(), /^Another active workflow has this channel: http\S+\. A channel has one/);
	expect(emulator.webhookUrl()).toBe(other.url);
	await other.close();
});

test('so it is while Dataverse is busy, with what its support asks for', async () => {
	emulator.settings.faults.push({
		match: { operationId: 'dataverse.updateChannel' },
		action: { status: 503, retryAfter: 60 },
		times: 100,
	});
	expectRefused(
		await publish(),
		/^The service is not available.*\(HTTP 503 .*correlation ID [0-9a-f-]{36}\)$/,
	);
});

test('what a trigger remembers is given back all the same after a refusal', async () => {
	emulator.setWebhookUrl('https://middleware.invalid/hook');
	const good = { dynamics365MessagingApi: credentialFor(emulator) };
	const wrong = { dynamics365MessagingApi: { ...credentialFor(emulator), clientSecret: 'nope' } };
	const webhookBaseUrl = `http://localhost:${await closedPort()}/webhook`;
	const activation: Activation = { loader, json, credentials: good, webhookBaseUrl, staticData: {} };
	await activate(activation);
	expect(emulator.webhookUrl()).toContain(webhookBaseUrl);
	// n8n starts again, and the secret has been changed since.
	await activate({ ...activation, credentials: wrong }).catch(() => undefined);
	await deactivate(activation);
	expect(emulator.webhookUrl()).toBe('https://middleware.invalid/hook');
});
