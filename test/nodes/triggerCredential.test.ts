import type { WorkflowExecuteMode } from 'n8n-workflow';
import type { Emulator } from '../../emulator';
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
