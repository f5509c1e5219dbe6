import type { ICredentialDataDecryptedObject, IDataObject, WorkflowExecuteMode } from 'n8n-workflow';
import type { Emulator } from '../../emulator';
import { connectionFrom } from '../../nodes/Dynamics365Messaging/connection';
import { signedDeliveryMark, SIGNED_DELIVERY_HEADER } from '../../nodes/Dynamics365Messaging/setup/probe';
import { credentialFor, testEmulator } from '../support/emulator';
import { loadPackage, oneNode, serveTrigger, type LoadedPackage, type TriggerServer } from '../support/n8n';

const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';
const MAX_AGE_MS = 10_000;

let emulator: Emulator;
let loader: LoadedPackage;
const served: TriggerServer[] = [];

beforeAll(async () => void ([emulator, loader] = await Promise.all([testEmulator(), loadPackage()])));
afterEach(async () => {
	jest.useRealTimers();
	for (const trigger of served.splice(0)) await trigger.close();
});
afterAll(async () => await emulator.close());

/** A credential that counts how often it is read, and can be changed. */
function credential() {
	const state = { reads: 0, data: credentialFor(emulator) };
	const credentials = {
		get dynamics365MessagingApi() {
			state.reads++;
			return state.data;
		},
	};
	return { state, credentials };
}

/** Serves a trigger with a credential. @returns a function that delivers a message and returns the status */
async function serve(
	credentials: ReturnType<typeof credential>['credentials'],
	mode?: WorkflowExecuteMode,
): Promise<() => Promise<number>> {
	const json = oneNode('dynamics365MessagingTrigger', {}, { id: crypto.randomUUID() });
	const trigger = await serveTrigger(loader, json, credentials, mode);
	served.push(trigger);
	const token = await emulator.issueDeliveryToken();
	return async () => {
		const { status } = await fetch(`${trigger.url}/v3/conversations/${CONVERSATION}/activities`, {
			method: 'POST',
			headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
			body: JSON.stringify({ type: 'message', conversation: { id: CONVERSATION }, text: 'hello' }),
		});
		return status;
	};
}

/** Mocks timers, so that only the test advances them. Those of the network stay real. */
const ownTimers = () =>
	jest.useFakeTimers({
		doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'setInterval'],
	});

test('is read once for the deliveries of some seconds, also for those that come at once', async () => {
	const { state, credentials } = credential();
	const deliver = await serve(credentials);
	expect(await Promise.all([deliver(), deliver(), deliver()])).toEqual([200, 200, 200]);
	expect(await deliver()).toBe(200);
	expect(state.reads).toBe(1);
});

test('counts as it is now after ten seconds', async () => {
	const { state, credentials } = credential();
	const deliver = await serve(credentials);
	ownTimers();
	expect(await deliver()).toBe(200);
	state.data = { ...state.data, clientId: crypto.randomUUID() };
	jest.advanceTimersByTime(MAX_AGE_MS - 1);
	expect(await deliver()).toBe(200);
	jest.advanceTimersByTime(1);
	expect(await deliver()).toBe(401);
});

test('is not remembered where it cannot be used', async () => {
	const { state, credentials } = credential();
	const good = state.data;
	state.data = { ...good, clientId: 'oops' };
	const deliver = await serve(credentials);
	expect(await deliver()).toBe(503);
	state.data = good;
	expect(await deliver()).toBe(200);
});

test('is read anew where a read does not end, as when the database went away', async () => {
	const { state, credentials } = credential();
	const good = state.data;
	const deliver = await serve(credentials);
	ownTimers();
	let end = (_data: typeof good) => {};
	state.data = new Promise<typeof good>((resolve) => (end = resolve)) as never;
	const first = deliver();
	while (state.reads === 0) await new Promise((resolve) => setImmediate(resolve));
	state.data = good;
	jest.advanceTimersByTime(MAX_AGE_MS);
	expect(await deliver()).toBe(200);
	end(good);
	expect(await first).toBe(200);
});

test('is read anew for each try in the editor', async () => {
	const { state, credentials } = credential();
	const deliver = await serve(credentials, 'manual');
	expect(await deliver()).toBe(200);
	state.data = { ...state.data, clientId: crypto.randomUUID() };
	expect(await deliver()).toBe(401);
});

test('of one trigger is not taken for that of another', async () => {
	const deliver = await serve(credential().credentials);
	expect(await deliver()).toBe(200);
	const other = credential();
	other.state.data = { ...other.state.data, clientId: crypto.randomUUID() };
	expect(await (await serve(other.credentials))()).toBe(401);
});

describe('a trigger that is asked whether a signed delivery came', () => {
	const OTHER = '11111111-2222-4333-8444-555555555555';

	/** What can be changed of a trigger. */
	interface Change {
		credential?: ICredentialDataDecryptedObject;
		parameters?: IDataObject;
		webhookId?: string;
	}

	/** Serves a trigger of the same workflow and node each time, as after a change of it. */
	async function serveAgain(id: string, { credential: given, parameters, webhookId = OTHER }: Change = {}) {
		const json = oneNode('dynamics365MessagingTrigger', parameters ?? {}, { id, webhookId });
		const credentials = { dynamics365MessagingApi: { ...credentialFor(emulator), ...given } };
		const trigger = await serveTrigger(loader, json, credentials);
		served.push(trigger);
		return trigger;
	}
	async function deliver({ url }: TriggerServer, token: string): Promise<number> {
		const response = await fetch(`${url}/v3/conversations/${CONVERSATION}/activities`, {
			method: 'POST',
			headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
			body: JSON.stringify({ type: 'message', conversation: { id: CONVERSATION }, text: 'hello' }),
		});
		return response.status;
	}
	async function told({ url }: TriggerServer): Promise<string | null> {
		const response = await fetch(url);
		expect(response.status).toBe(200);
		return response.headers.get(SIGNED_DELIVERY_HEADER);
	}

	test('names the app and the channel that it came for, and says nothing before', async () => {
		const trigger = await serveAgain(crypto.randomUUID());
		expect(await told(trigger)).toBeNull();
		expect(await deliver(trigger, await emulator.issueDeliveryToken())).toBe(200);
		expect(await told(trigger)).toBe(signedDeliveryMark(connectionFrom(credentialFor(emulator))));
	});

	test.each<[string, Change]>([
		['another app', { credential: { clientId: OTHER } }],
		['another channel', { credential: { channelId: OTHER } }],
		['another tenant', { credential: { tenantId: OTHER } }],
		['another authority', { credential: { authorityHost: 'https://login.microsoftonline.us' } }],
		['a further audience', { parameters: { options: { audience: 'api://contoso.com/x' } } }],
		['one caller', { parameters: { options: { callerObjectId: OTHER } } }],
		['no verification', { parameters: { verification: 'none' } }],
		['another URL', { webhookId: crypto.randomUUID() }],
		['a credential that cannot be used', { credential: { clientId: 'oops' } }],
	])('says nothing of one that came before it was set to %s', async (_, change) => {
		const id = crypto.randomUUID();
		const [before, after] = [await serveAgain(id), await serveAgain(id, change)];
		const token = await emulator.issueDeliveryToken();
		ownTimers();
		expect(await deliver(before, token)).toBe(200);
		jest.advanceTimersByTime(MAX_AGE_MS);
		expect(await told(after)).toBeNull();
		jest.advanceTimersByTime(MAX_AGE_MS);
		expect(await told(before)).not.toBeNull();
	});
});
