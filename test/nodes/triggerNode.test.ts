import * as fc from 'fast-check';
import { createServer, request } from 'node:http';
import { Logger } from '@n8n/backend-common';
import { Container } from '@n8n/di';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
	decodeJwt,
	decodeProtectedHeader,
	exportJWK,
	exportSPKI,
	generateKeyPair,
	importJWK,
	SignJWT,
	type CryptoKey,
	type JWK,
	type JWTHeaderParameters,
} from 'jose';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import type { Emulator } from '../../emulator';
import { outputsFor } from '../../nodes/Dynamics365Messaging/activity/filter';
import { connectionFrom } from '../../nodes/Dynamics365Messaging/connection';
import { sendHttps } from '../../nodes/shared/transport/https';
import { callMessagingApi, credentialFor, entries, testEmulator, openCall } from '../support/emulator';
import { loadPackage, oneNode, serveTrigger, type LoadedPackage, type TriggerServer } from '../support/n8n';
import { close, closedPort, listen } from '../../tools/ports';

const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';
const ALL_EVENTS = ['conversationEvent', 'customEvent', 'message', 'other', 'typing'];
const MESSAGE = { type: 'message', conversation: { id: CONVERSATION }, text: 'hello' };

let emulator: Emulator;
let loader: LoadedPackage;
let trigger: TriggerServer;
const cleanUps: Array<() => unknown> = [];

async function serve(parameters: IDataObject = {}, credential: IDataObject = {}): Promise<void> {
	await trigger?.close();
	// Each has a node of its own, as the trigger remembers for some seconds what a node's credential says.
	const json = oneNode('dynamics365MessagingTrigger', parameters, { id: crypto.randomUUID() });
	trigger = await serveTrigger(loader, json, {
		dynamics365MessagingApi: { ...credentialFor(emulator), ...credential } as never,
	});
	emulator.setWebhookUrl(trigger.url);
}

beforeAll(async () => void (loader = await loadPackage()));
beforeEach(async () => {
	emulator = await testEmulator({ delivery: { retryDelayMs: 10, timeoutMs: 2_000 } });
	await serve();
});
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0)) cleanUp();
	await emulator.close();
});
afterAll(async () => await trigger.close());

const itemsOf = (runs: INodeExecutionData[][]) => runs.flat().map(({ json }) => json);

/** Posts a body as Dynamics would. */
async function post(options: {
	token?: string;
	body?: unknown;
	headers?: Record<string, string>;
	path?: string;
}): Promise<Response> {
	const { body = MESSAGE, path = `/v3/conversations/${CONVERSATION}/activities` } = options;
	return await fetch(trigger.url + path, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
			...options.headers,
		},
		body: typeof body === 'string' ? body : JSON.stringify(body),
	});
}

/** Counts the requests for the tenant's keys that leave from here on. */
function countKeyRequests(): () => number {
	const paths: string[] = [];
	const onRequest = (message: unknown) => paths.push((message as { request: { path: string } }).request.path);
	subscribe('http.client.request.start', onRequest);
	cleanUps.push(() => unsubscribe('http.client.request.start', onRequest));
	return () => paths.filter((path) => path.endsWith('/discovery/v2.0/keys')).length;
}

/** Moves the clock that the code under test reads. */
function laterBy(ms: number): void {
	const clock = jest
		.spyOn(Date, 'now')
		.mockImplementation(() => performance.timeOrigin + performance.now() + ms);
	cleanUps.push(() => clock.mockRestore());
}

async function expectRefused(response: Response, status = 401): Promise<void> {
	expect(response.status).toBe(status);
	expect(await response.text()).toBe('');
	expect(trigger.runs).toEqual([]);
}

describe.each(['documented', 'pascal'] as const)('a rich message in the casing %s', (casing) => {
	const card = {
		contentType: 'application/vnd.microsoft.card.adaptive',
		content: {
			type: 'AdaptiveCard',
			body: [{ type: 'TextBlock', text: 'Is it **off** now?' }],
			actions: [{ type: 'Action.OpenUrl', title: 'Help', url: 'https://example.com/' }],
		},
	};
	const send = async (options: IDataObject) => {
		emulator.settings.delivery.casing = casing;
		await serve({ events: ALL_EVENTS, options });
		const { conversationId } = await createConversation();
		emulator.desk.accept(conversationId, {});
		emulator.desk.reply(conversationId, { card, buttons: ['Yes', 'No'] });
		await emulator.idle();
		return itemsOf(trigger.runs).at(-1);
	};
	const expected = {
		eventType: 'message',
		text: 'Is it **off** now?',
		attachments: [],
		cards: [{ ...card, name: null }],
		buttons: [
			{ title: 'Yes', value: 'Yes', type: 'imBack', url: null },
			{ title: 'No', value: 'No', type: 'imBack', url: null },
			{ title: 'Help', value: null, type: 'Action.OpenUrl', url: 'https://example.com/' },
		],
		replyToId: null,
		locale: null,
	};

	test('arrives with its buttons, its card and the words of the card', async () => {
		expect(await send({})).toMatchObject({ ...expected, plainText: 'Is it off now?' });
	});

	test('lists its buttons below the plain text where they are wanted', async () => {
		expect(await send({ listButtons: true })).toMatchObject({
			...expected,
			plainText: 'Is it off now?\n\n- Yes\n- No\n- Help: https://example.com/',
		});
	});
});

test('the URL that the editor shows answers a probe', async () => {
	const response = await fetch(trigger.url);
	expect(response.status).toBe(200);
	expect(await response.text()).toContain('webhook URL to register');
	expect(trigger.runs).toEqual([]);
});

test('the URL has two unguessable parts, and deliveries go below it', () => {
	expect(new URL(trigger.url).pathname).toMatch(/^\/webhook\/[0-9a-f-]{36}\/[0-9a-f-]{36}$/);
});

describe.each([
	{ casing: 'documented', systemEventsAs: 'message', tokenVersion: 1 },
	{ casing: 'pascal', systemEventsAs: 'event', tokenVersion: 2 },
] as const)('a conversation, %j', (delivery) => {
	test('arrives whole and typed, each delivery answered at its first try', async () => {
		Object.assign(emulator.settings.delivery, delivery);
		await serve({ events: ALL_EVENTS });
		const { conversationId } = await createConversation();
		emulator.desk.accept(conversationId, { agentName: 'Ana' });
		emulator.desk.typing(conversationId);
		emulator.desk.reply(conversationId, {
			text: 'See this',
			files: [{ name: 'fix.txt', contentType: 'text/plain', data: Buffer.from('turn it off') }],
		});
		emulator.desk.customEvent(conversationId, { name: 'Offer', value: { Id: 7 } });
		emulator.desk.close(conversationId);
		await emulator.idle();

		const deliveries = entries(emulator, 'delivery');
		expect(deliveries.map(({ outcome, tries }) => [outcome, tries.length])).toEqual(
			deliveries.map(() => ['accepted', 1]),
		);
		const items = itemsOf(trigger.runs);
		expect(items.map(({ eventType, eventName }) => eventName ?? eventType)).toEqual([
			'AgentAccepted',
			'typing',
			'message',
			'customEvent',
			'AgentClosed',
			'ConversationClosed',
		]);
		expect(items[2]).toMatchObject({
			text: 'See this',
			from: { name: 'Ana' },
			attachments: [{ name: 'fix.txt', contentType: 'text/plain' }],
		});
		expect(items[3]).toMatchObject({ customEventName: 'Offer', customEventValue: { Id: 7 } });
		expect(items.map(({ conversationEnded }) => conversationEnded)).toEqual([
			false,
			false,
			false,
			false,
			false,
			true,
		]);
		expect(items.map(({ activity }) => activity)).toEqual(deliveries.map(({ activity }) => activity));
		for (const item of items) expect(item).toMatchObject({ conversationId, receivedAt: expect.any(String) });
	});
});

async function createConversation(): Promise<{ conversationId: string }> {
	const created = await callMessagingApi(connectionFrom(credentialFor(emulator)), openCall);
	return created as { conversationId: string };
}

describe('what starts the workflow', () => {
	test('a number that JavaScript cannot hold comes as its digits', async () => {
		const number = '9007199254740993';
		const body = `{"type":"message","id":${number},"text":"${number}","value":[1e400,7]}`;
		const token = await emulator.issueDeliveryToken();
		expect((await post({ token, body })).status).toBe(200);
		expect(itemsOf(trigger.runs)).toMatchObject([
			{ activityId: number, text: number, activity: { id: number, value: ['1e400', 7] } },
		]);
	});

	test('a value of 200,000 brackets stays a text', async () => {
		const customEventValue = '['.repeat(100_000) + ']'.repeat(100_000);
		const body = { type: 'event', name: 'X', channelData: { customEvent: true, customEventValue } };
		expect((await post({ token: await emulator.issueDeliveryToken(), body })).status).toBe(200);
		expect(itemsOf(trigger.runs)).toMatchObject([{ customEventValue }]);
	});

	const BODIES: Record<string, IDataObject> = {
		message: { type: 'message', text: 'hello' },
		typing: { type: 'typing' },
		conversationEvent: { type: 'event', name: 'AgentAccepted' },
		customEvent: { type: 'event', name: 'X', channelData: { customEvent: true } },
		other: { type: 'messageReaction' },
	};
	test.each<[string, string[] | undefined, string[]]>([
		['by default all but typing', undefined, ['message', 'conversationEvent', 'customEvent', 'other']],
		['what is chosen', ['typing'], ['typing']],
		['all of it', ALL_EVENTS, Object.keys(BODIES)],
		['nothing where nothing is chosen', [], []],
	])('%s; the rest is answered 200 without a run', async (_, events, expected) => {
		await serve(events === undefined ? {} : { events });
		const token = await emulator.issueDeliveryToken();
		for (const body of Object.values(BODIES)) {
			const response = await post({ token, body: body });
			expect([response.status, await response.text()]).toEqual([200, '']);
		}
		expect(itemsOf(trigger.runs).map(({ eventType }) => eventType)).toEqual(expected);
	});
});

describe('whom it believes', () => {
	test.each([1, 2] as const)('a token of version %i', async (tokenVersion) => {
		emulator.settings.delivery.tokenVersion = tokenVersion;
		expect((await post({ token: await emulator.issueDeliveryToken() })).status).toBe(200);
		expect(trigger.runs).toHaveLength(1);
	});

	test.each(['api://', ''])('an audience with the prefix "%s"', async (prefix) => {
		const token = await emulator.issueDeliveryToken({ aud: prefix + emulator.world.clientId });
		expect((await post({ token })).status).toBe(200);
	});

	test('the public issuer, also behind an authority of one’s own', async () => {
		const iss = `https://login.microsoftonline.com/${emulator.world.tenantId}/v2.0`;
		expect((await post({ token: await emulator.issueDeliveryToken({ iss }) })).status).toBe(200);
	});

	test('a clock that is four minutes off', async () => {
		const now = Math.floor(Date.now() / 1000);
		expect((await post({ token: await emulator.issueDeliveryToken({ nbf: now + 240 }) })).status).toBe(200);
		expect((await post({ token: await emulator.issueDeliveryToken({ exp: now - 240 }) })).status).toBe(200);
	});

	test('a tenant that the credential names by its domain', async () => {
		await serve({}, { tenantId: emulator.world.tenantDomain });
		expect((await post({ token: await emulator.issueDeliveryToken() })).status).toBe(200);
	});

	test('a key that is new, while forged key ids make it ask only a few times', async () => {
		const keyRequests = countKeyRequests();
		expect((await post({ token: await emulator.issueDeliveryToken() })).status).toBe(200);
		const forger = await generateKeyPair('RS256');
		const payload = decodeJwt(await emulator.issueDeliveryToken());
		const forge = async (kid: string) =>
			await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(forger.privateKey);
		expect((await post({ token: await forge('forged') })).status).toBe(401);

		await emulator.rotateKeys();
		const fresh = await emulator.issueDeliveryToken();
		const together = Array.from({ length: 5 }, async () => (await post({ token: fresh })).status);
		expect(await Promise.all(together)).toEqual([200, 200, 200, 200, 200]);
		expect(keyRequests()).toBe(3);

		const statuses: number[] = [];
		for (let index = 0; index < 200; index++)
			statuses.push((await post({ token: await forge(`forged-${index}`) })).status);
		expect(new Set(statuses)).toEqual(new Set([401]));
		expect(keyRequests()).toBe(5);

		await emulator.rotateKeys();
		const token = await emulator.issueDeliveryToken();
		expect((await post({ token })).status).toBe(401);
		laterBy(31_000);
		expect((await post({ token })).status).toBe(200);
		expect(keyRequests()).toBe(6);
	});

	test('a key that is new, after the clock was set back', async () => {
		expect((await post({ token: await emulator.issueDeliveryToken() })).status).toBe(200);
		await emulator.rotateKeys();
		laterBy(-60 * 60_000);
		const token = await emulator.issueDeliveryToken({ nbf: 0, exp: 9e9 });
		expect((await post({ token })).status).toBe(200);
	});

	test('an audience in capitals', async () => {
		const aud = `API://${emulator.world.clientId.toUpperCase()}`;
		expect((await post({ token: await emulator.issueDeliveryToken({ aud }) })).status).toBe(200);
	});

	test('who is known, from the cache, while the authority is down', async () => {
		const token = await emulator.issueDeliveryToken();
		expect((await post({ token })).status).toBe(200);
		laterBy(25 * 60 * 60_000);
		await emulator.rotateKeys();
		const unknown = await emulator.issueDeliveryToken();
		await emulator.close();
		expect((await post({ token })).status).toBe(200);
		expect((await post({ token: unknown })).status).toBe(503);
		expect((await post({ token })).status).toBe(200);
	});

	test('a further audience, and one caller only, where that is asked for', async () => {
		const aud = 'api://contoso.example.com/messaging';
		expect((await post({ token: await emulator.issueDeliveryToken({ aud }) })).status).toBe(401);
		await serve({
			options: { audience: ` ${aud} `, callerObjectId: emulator.world.servicePrincipalId.toUpperCase() },
		});
		expect((await post({ token: await emulator.issueDeliveryToken({ aud }) })).status).toBe(200);
		expect((await post({ token: await emulator.issueDeliveryToken() })).status).toBe(200);
		await serve({ options: { callerObjectId: '11111111-2222-4333-8444-555555555555' } });
		expect((await post({ token: await emulator.issueDeliveryToken() })).status).toBe(401);
		await serve({ options: { callerObjectId: ' ' } });
		await expectRefused(await post({ token: await emulator.issueDeliveryToken({ oid: undefined }) }));
	});

	const now = () => Math.floor(Date.now() / 1000);
	test.each<[string, () => Record<string, unknown>]>([
		['expired', () => ({ exp: now() - 301 })],
		['not yet valid', () => ({ nbf: now() + 400 })],
		['without exp', () => ({ exp: undefined })],
		['without nbf', () => ({ nbf: undefined })],
		['whose exp is a text', () => ({ exp: '2999999999' })],
		['whose nbf is a text', () => ({ nbf: 'now' })],
		['whose exp is a list', () => ({ exp: [now() + 3600] })],
		['without an issuer', () => ({ iss: undefined })],
		['whose issuer is a list', () => ({ iss: [`https://sts.windows.net/${emulator.world.tenantId}/`] })],
		[
			'whose issuer is another tenant’s and whose tid is ours',
			() => ({ iss: 'https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0' }),
		],
		[
			'whose issuer only begins right',
			() => ({ iss: `https://sts.windows.net/${emulator.world.tenantId}/evil` }),
		],
		['without an audience', () => ({ aud: undefined })],
		['for its audience in a list', () => ({ aud: [`api://${emulator.world.clientId}`] })],
		['whose app is a list', () => ({ appid: [emulator.world.clientId], azp: undefined })],
		['whose tenant is a list', () => ({ tid: [emulator.world.tenantId] })],
		['whose idtyp is a list', () => ({ idtyp: ['app'] })],
		['whose scp is null', () => ({ scp: null })],
		['that is good but far too long', () => ({ padding: 'x'.repeat(7000) })],
		['of another issuer', () => ({ iss: 'https://evil.example.com/' })],
		[
			'of another tenant’s issuer',
			() => ({ iss: 'https://sts.windows.net/11111111-2222-4333-8444-555555555555/' }),
		],
		['whose issuer lacks its slash', () => ({ iss: `https://sts.windows.net/${emulator.world.tenantId}` })],
		['for another audience', () => ({ aud: 'api://11111111-2222-4333-8444-555555555555' })],
		['for the federated credential’s audience', () => ({ aud: 'api://AzureADTokenExchange' })],
		['for several audiences', () => ({ aud: [`api://${emulator.world.clientId}`, 'x'] })],
		['of another app', () => ({ appid: '11111111-2222-4333-8444-555555555555' })],
		['of two apps', () => ({ azp: '11111111-2222-4333-8444-555555555555' })],
		['without an app', () => ({ appid: undefined, azp: undefined })],
		['of another tenant', () => ({ tid: '11111111-2222-4333-8444-555555555555' })],
		['without a tenant', () => ({ tid: undefined })],
		['of a user', () => ({ idtyp: 'user' })],
		['with a user’s scopes', () => ({ scp: 'user_impersonation' })],
		['with an empty scope', () => ({ scp: '' })],
	])('not a token %s', async (_, claims) => {
		await expectRefused(await post({ token: await emulator.issueDeliveryToken(claims()) }));
	});

	test.each<[string, (good: string) => Record<string, string>]>([
		['no header', () => ({})],
		['another scheme', (good) => ({ authorization: `Basic ${good}` })],
		['no token', () => ({ authorization: 'Bearer ' })],
		['two tokens', (good) => ({ authorization: `Bearer ${good}, Bearer ${good}` })],
		['no three parts', () => ({ authorization: 'Bearer abc' })],
		['garbage', () => ({ authorization: 'Bearer a.b.c' })],
		[
			'a token with white space in it',
			(good) => ({ authorization: `Bearer ${good.slice(0, 40)} ${good.slice(40)}` }),
		],
		['a token of five parts', (good) => ({ authorization: `Bearer ${good}.x.y` })],
		[
			'a header that is no JSON',
			(good) => ({ authorization: `Bearer bm90anNvbg.${good.split('.')[1]}.${good.split('.')[2]}` }),
		],
		['a cut token', (good) => ({ authorization: `Bearer ${good.slice(0, -5)}` })],
		['a token without its signature', (good) => ({ authorization: `Bearer ${good.replace(/[^.]*$/, '')}` })],
		['a changed payload', (good) => ({ authorization: `Bearer ${good.replace(/\.(.)/, '.f')}` })],
		['a huge token', () => ({ authorization: `Bearer ${'a'.repeat(12_000)}.b.c` })],
	])('not %s', async (_, headers) => {
		await expectRefused(await post({ headers: headers(await emulator.issueDeliveryToken()) }));
	});

	test('no token that is unsigned, signed with the public key as a secret, or of a forger’s key', async () => {
		const good = await emulator.issueDeliveryToken();
		const payload = decodeJwt(good);
		const kid = decodeProtectedHeader(good).kid!;
		const keys = await sendHttps({
			method: 'GET',
			url: new URL(`${emulator.origin}/${emulator.world.tenantId}/discovery/v2.0/keys`),
		});
		const publicKey = await importJWK((JSON.parse(keys.body) as { keys: JWK[] }).keys[0]!, 'RS256', {
			extractable: true,
		});
		const publicPem = new TextEncoder().encode(await exportSPKI(publicKey as CryptoKey));
		const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
		const forger = await generateKeyPair('RS256', { extractable: true });
		const forger512 = await generateKeyPair('RS512');
		const sign = async (header: JWTHeaderParameters, key: CryptoKey | Uint8Array) =>
			await new SignJWT(payload).setProtectedHeader(header).sign(key);
		const forged = [
			`${part({ alg: 'none', kid })}.${part(payload)}.`,
			await sign({ alg: 'HS256', kid }, publicPem),
			await sign({ alg: 'RS256', kid }, forger.privateKey),
			await sign({ alg: 'RS256' }, forger.privateKey),
			await sign({ alg: 'RS256', kid: 'mine', jku: 'https://evil.example.com/keys' }, forger.privateKey),
			await sign({ alg: 'RS256', kid, jku: 'https://evil.example.com/keys' }, forger.privateKey),
			await sign({ alg: 'RS256', kid, x5u: 'https://evil.example.com/cert' }, forger.privateKey),
			await sign({ alg: 'RS256', kid, jwk: await exportJWK(forger.publicKey) }, forger.privateKey),
			await sign({ alg: 'PS256', kid }, (await generateKeyPair('PS256')).privateKey),
			await sign({ alg: 'RS512', kid }, forger512.privateKey),
		];
		for (const token of forged) await expectRefused(await post({ token }));
	});

	test('not several Authorization headers, even if the first is good', async () => {
		const good = `Bearer ${await emulator.issueDeliveryToken()}`;
		const { hostname, port, pathname } = new URL(trigger.url);
		const body = JSON.stringify(MESSAGE);
		const status = await new Promise((resolve, reject) => {
			const headers = [
				'host',
				'x',
				'content-type',
				'application/json',
				'content-length',
				String(body.length),
			];
			const path = `${pathname}/v3/conversations/${CONVERSATION}/activities`;
			const twice = [...headers, 'authorization', good, 'authorization', 'Bearer x'];
			const sent = request({ hostname, port, path, method: 'POST', headers: twice }, (answer) => {
				answer.resume();
				resolve(answer.statusCode);
			});
			sent.on('error', reject).end(body);
		});
		expect(status).toBe(401);
		expect(trigger.runs).toEqual([]);
	});

	test('tells n8n’s log the claim that failed, and nothing of the token', async () => {
		const warn = jest.spyOn(Container.get(Logger), 'warn');
		cleanUps.push(() => warn.mockRestore());
		const token = await emulator.issueDeliveryToken({ tid: '11111111-2222-4333-8444-555555555555' });
		await expectRefused(await post({ token }));
		expect(warn).toHaveBeenCalledTimes(1);
		const [line] = warn.mock.calls[0]!;
		expect(line).toContain('401');
		expect(line).toContain('tid');
		expect(line).not.toContain('11111111');
		expect(line).not.toContain('eyJ');
	});

	test('says in the node what it means to verify nobody', () => {
		const notice = trigger.node.description.properties.find(({ name }) => name === 'noVerificationNotice')!;
		expect(notice.displayOptions).toEqual({ show: { verification: ['none'] } });
		expect(notice.displayName).toContain('the only secret');
	});

	test('says WWW-Authenticate, and to the caller nothing more', async () => {
		const response = await post({});
		expect(response.headers.get('www-authenticate')).toBe('Bearer');
		await expectRefused(response);
	});

	test('nobody while the keys cannot be had: 503, so that Dynamics tries again', async () => {
		const token = await emulator.issueDeliveryToken();
		await serve({}, { authorityHost: `https://localhost:${await closedPort()}` });
		await expectRefused(await post({ token }), 503);
	});

	test('nobody while the credential is broken', async () => {
		const token = await emulator.issueDeliveryToken();
		await serve({}, { clientId: 'oops' });
		await expectRefused(await post({ token }), 503);
	});

	test('everybody, if that is what was chosen', async () => {
		await serve({ verification: 'none' });
		expect((await post({})).status).toBe(200);
		expect(trigger.runs).toHaveLength(1);
	});
});

describe('what is no activity', () => {
	test.each<[string, { body?: unknown; headers?: Record<string, string> }, number]>([
		['a list', { body: [MESSAGE] }, 400],
		['null', { body: 'null' }, 400],
		['a text', { body: '"message"' }, 400],
		['no type', { body: { text: 'hello' } }, 400],
		['another conversation', { body: { ...MESSAGE, conversation: { id: 'another' } } }, 400],
		['deep nesting', { body: `{"type":"message","value":${'['.repeat(5000)}${']'.repeat(5000)}}` }, 400],
		['nesting one too deep', { body: `{"type":"message","value":${'['.repeat(65)}${']'.repeat(65)}}` }, 400],
		[
			'an object of a million keys',
			{ body: `{"type":"message",${Array.from({ length: 1_000_000 }, (_, key) => `"k${key}":0`).join()}}` },
			413,
		],
		[
			'a list of a million entries',
			{ body: { type: 'message', value: Array.from({ length: 1_000_000 }, () => 0) } },
			413,
		],
		['another content type', { headers: { 'content-type': 'text/plain' } }, 415],
	])('%s is refused', async (_, request, status) => {
		await expectRefused(await post({ token: await emulator.issueDeliveryToken(), ...request }), status);
	});

	test('who sends it is looked at first', async () => {
		await expectRefused(await post({ body: [MESSAGE] }), 401);
	});
});

describe('what it lets through, narrowed', () => {
	const event = (name: string) => ({ type: 'event', name });
	const sendAll = async (bodies: unknown[]) => {
		const token = await emulator.issueDeliveryToken();
		for (const body of bodies) expect((await post({ token, body })).status).toBe(200);
		return itemsOf(trigger.runs).map(({ eventName, eventType }) => eventName ?? eventType);
	};

	test.each<[string, unknown]>([
		['as a list', ['AgentAccepted', 'SomethingNew']],
		['as a text', ' agentaccepted,\nSOMETHINGNEW '],
	])('conversation events to names, given %s; other types are not touched', async (_, eventNames) => {
		await serve({ options: { eventNames } as never });
		const bodies = [
			event('AgentAccepted'),
			event('AgentClosed'),
			event('SomethingNew'),
			{ type: 'message', text: 'hi' },
		];
		expect(await sendAll(bodies)).toEqual(['AgentAccepted', 'SomethingNew', 'message']);
	});

	test.each<[string, unknown, number]>([
		['the conversation itself', CONVERSATION, 5],
		['it in other capitals and among others', `x, {${'y'}}; ${CONVERSATION.toUpperCase()}`, 5],
		['a list', ['x', CONVERSATION], 5],
		['another one', 'x', 0],
		['nothing', '', 0],
		['white space and commas', ' , ', 0],
		['an empty list', [], 0],
		['an expression that gave nothing', null, 0],
		['an object', { id: CONVERSATION }, 0],
	])('to conversations, every type of it: %s', async (_, conversationIds, runs) => {
		await serve({ events: ALL_EVENTS, options: { conversationIds } as never });
		const custom = { type: 'event', name: 'X', channelData: { customEvent: true } };
		await sendAll([
			{ type: 'message', text: 'hi' },
			{ type: 'typing' },
			event('AgentAccepted'),
			custom,
			{ type: 'x' },
		]);
		expect(trigger.runs.flat()).toHaveLength(runs);
	});

	test('gives each chosen type an output of its own', async () => {
		const events = ['other', 'message', 'conversationEvent'];
		await serve({ output: 'perEvent', events });
		await sendAll([{ type: 'message', text: 'hi' }, { type: 'x' }, event('AgentAccepted')]);
		const types = trigger.runs.map((output) => output.map(({ json }) => json.eventType));
		expect(types).toEqual([['message'], [], [], [], [], ['other'], [], ['conversationEvent'], []]);
	});

	test('n8n sees the outputs that the items go to', () => {
		const { outputs } = trigger.node.description;
		const seen = (parameters: IDataObject) => {
			const expression = /^=\{\{([\s\S]*)\(\$parameter\)\}\}$/.exec(outputs as string)![1]!;
			// eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- as n8n does
			return (new Function(`return ${expression}`)() as (given: IDataObject) => IDataObject[])(parameters);
		};
		expect(seen({ output: 'single', events: ALL_EVENTS })).toEqual([{ type: 'main' }]);
		for (const events of [ALL_EVENTS, ['other', 'message'], ['typing'], []]) {
			const names = seen({ output: 'perEvent', events }).map(({ displayName }) => displayName);
			const expected = outputsFor(events).map((type) =>
				type === 'other'
					? 'Any Other Activity'
					: type.replace(/([A-Z])/g, ' $1').replace(/^./, (first) => first.toUpperCase()),
			);
			expect(names).toEqual(expected);
		}
	});
});

describe('attachments', () => {
	const file = { name: 'fix.txt', contentType: 'text/plain', data: Buffer.from('turn it off') };
	const deliverFiles = async (): Promise<INodeExecutionData> => {
		const { conversationId } = await createConversation();
		emulator.desk.accept(conversationId, {});
		emulator.desk.reply(conversationId, { text: 'See these', files: [file, file] });
		await emulator.idle();
		expect(entries(emulator, 'delivery').map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
		return trigger.runs.flat().find(({ json }) => json.eventType === 'message')!;
	};

	test('stay where they are unless asked for', async () => {
		const item = await deliverFiles();
		expect(item.binary).toBeUndefined();
		expect(item.json.attachments).toHaveLength(2);
	});

	test('come as binary fields before Dynamics is answered', async () => {
		await serve({ options: { downloadAttachments: true } });
		const item = await deliverFiles();
		expect(Object.keys(item.binary!)).toEqual(['attachment_0', 'attachment_1']);
		expect(item.binary!.attachment_0).toMatchObject({ fileName: 'fix.txt', mimeType: 'text/plain' });
		expect(Buffer.from(item.binary!.attachment_0!.data, 'base64').toString()).toBe('turn it off');
	});

	test('within the limits; the item says what is left out and where it is', async () => {
		await serve({ options: { downloadAttachments: true, maxAttachments: 1, maxAttachmentSizeMb: 0.000001 } });
		const item = await deliverFiles();
		expect(item.binary).toBeUndefined();
		expect(item.json).toMatchObject({
			text: 'See these',
			attachments: [
				{ contentUrl: expect.stringContaining('fix.txt'), downloadError: expect.stringContaining('larger') },
				{
					contentUrl: expect.stringContaining('fix.txt'),
					downloadError: expect.stringContaining('only the first'),
				},
			],
		});
	});

	test('that are late leave the item with the reason, in time for Dynamics', async () => {
		await serve({ verification: 'none', options: { downloadAttachments: true } });
		const silent = createServer(() => undefined);
		const port = await listen(silent);
		cleanUps.push(async () => await close(silent));
		await serve({ options: { downloadAttachments: true } });
		const attachments = [
			{ contentType: 'text/plain', contentUrl: `http://localhost:${port}/slow`, name: 'slow.txt' },
		];
		const startedAt = performance.now();
		const response = await post({
			token: await emulator.issueDeliveryToken(),
			body: { ...MESSAGE, attachments },
		});
		expect(response.status).toBe(200);
		expect(performance.now() - startedAt).toBeLessThan(5_000);
		expect(itemsOf(trigger.runs)[0]!.attachments).toMatchObject([
			{ contentUrl: attachments[0]!.contentUrl, downloadError: 'it took too long', binaryProperty: null },
		]);
	});

	test('are told from cards, which stand in a field of their own', async () => {
		await serve({ options: { downloadAttachments: true } });
		const attachments = [
			{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard' } },
			{ contentType: 'text/plain', contentUrl: 'data:text/plain; base64,aGk=', name: 'a.txt' },
		];
		const token = await emulator.issueDeliveryToken();
		expect((await post({ token, body: { ...MESSAGE, attachments } })).status).toBe(200);
		const [item] = trigger.runs.flat();
		expect(item?.json).toMatchObject({
			attachments: [{ name: 'a.txt', binaryProperty: 'attachment_0', downloadError: null }],
			cards: [{ content: { type: 'AdaptiveCard' } }],
		});
	});

	test.each([
		'5 MB',
		'={{ NaN }}',
		'={{ Infinity }}',
		'={{ "" }}',
		'={{ null }}',
		'={{ -1 }}',
		'={{ 1e308 }}',
	])('with a limit that is no number come within the default ones: %s', async (limit) => {
		const options = { downloadAttachments: true, maxAttachments: limit, maxAttachmentSizeMb: limit };
		await serve({ options });
		const warn = jest.spyOn(Container.get(Logger), 'warn');
		const large = `data:,${'x'.repeat(5 * 1024 * 1024 + 1)}`;
		const urls = ['data:,hi', large, ...Array<string>(9).fill('data:,hi')];
		const attachments = urls.map((contentUrl) => ({ contentUrl, name: 'a.txt', contentType: 'a/b' }));
		const token = await emulator.issueDeliveryToken();
		expect((await post({ token, body: { ...MESSAGE, attachments } })).status).toBe(200);
		const [item] = trigger.runs.flat();
		expect(Object.keys(item!.binary!)).toHaveLength(9);
		expect(item!.json.attachments).toMatchObject([
			{ downloadError: null },
			{ downloadError: 'the file is larger than 5 MB' },
			...Array<object>(8).fill({ downloadError: null }),
			{ downloadError: 'only the first 10 are fetched' },
		]);
		for (const label of ['Max Attachments', 'Max Attachment Size (MB)']) {
			expect(warn.mock.calls.flat()).toContainEqual(expect.stringContaining(`${label} must be`));
		}
		jest.restoreAllMocks();
	});

	test.each<[boolean, unknown]>([
		[true, '={{ "true" }}'],
		[true, '={{ " TRUE " }}'],
		[true, '={{ 1 }}'],
		[false, '={{ "false" }}'],
		[false, '={{ "0" }}'],
		[false, '={{ null }}'],
		[false, '={{ undefined }}'],
		[false, '={{ "yes, please" }}'],
	])('come or do not, as an expression says: %s for %s', async (comes, downloadAttachments) => {
		await serve({ options: { downloadAttachments, listButtons: downloadAttachments } });
		const warn = jest.spyOn(Container.get(Logger), 'warn');
		const { binary } = await deliverFiles();
		expect(Object.keys(binary ?? {})).toHaveLength(comes ? 2 : 0);
		const warnings = warn.mock.calls.flat().filter((said) => String(said).includes('must be true or false'));
		expect(warnings.length > 0).toBe(downloadAttachments === '={{ "yes, please" }}');
		jest.restoreAllMocks();
	});

	test('with a limit that is a number as a text are bound by it', async () => {
		await serve({ options: { downloadAttachments: true, maxAttachments: '={{ " 1 " }}' } });
		expect(Object.keys((await deliverFiles()).binary!)).toEqual(['attachment_0']);
	});

	test('of eight deliveries at once stay within the budgets, and the next delivery gets its file', async () => {
		await serve({ options: { downloadAttachments: true } });
		const large = Buffer.alloc(5 * 1024 * 1024);
		const host = createServer((_, response) => void response.end(large));
		const port = await listen(host);
		cleanUps.push(async () => await close(host));
		const at = { contentType: 'a/b', contentUrl: `http://localhost:${port}/a`, name: 'a.bin' };
		const token = await emulator.issueDeliveryToken();
		// No delivery is answered before all have their files, so that all of them hold theirs.
		let arrived = 0;
		let open: (() => void) | undefined;
		const all = new Promise<void>((resolve) => (open = resolve));
		trigger.beforeAnswer = async () => {
			if (++arrived === 8) open?.();
			await all;
			return 200;
		};
		const responses = await Promise.all(
			Array.from({ length: 8 }, async (_, index) => {
				const body = { ...MESSAGE, text: `${index}`, attachments: Array<object>(10).fill(at) };
				return (await post({ token, body })).status;
			}),
		);
		expect(responses).toEqual(Array<number>(8).fill(200));
		const counts = trigger.runs.flat().map(({ binary }) => Object.keys(binary ?? {}).length);
		expect(Math.max(...counts)).toBeLessThanOrEqual(5);
		expect(counts.reduce((one, other) => one + other, 0)).toBeLessThanOrEqual(12);
		const left = trigger.runs.flat().flatMap(({ json }) => json.attachments as IDataObject[]);
		for (const { binaryProperty, contentUrl, downloadError } of left) {
			expect(contentUrl).toBe(at.contentUrl);
			expect(typeof downloadError).toBe(binaryProperty === null ? 'string' : 'object');
		}
		const files = { ...MESSAGE, attachments: Array<object>(5).fill(at) };
		await post({ token, body: files });
		expect(Object.keys(trigger.runs.flat().at(-1)!.binary!)).toHaveLength(5);
	}, 20_000);

	test('of this machine are not fetched for a credential that is elsewhere', async () => {
		await serve({ verification: 'none', options: { downloadAttachments: true } });
		const item = await deliverFiles();
		expect(item.json.attachments).toMatchObject([
			{ downloadError: expect.stringContaining('not an address on the internet') },
			{},
		]);
	});
});

test('10,000 generated bodies: no throw, no hang, and every valid activity arrives', async () => {
	await serve({ verification: 'none', events: ALL_EVENTS });
	const json = fc.jsonValue({ maxDepth: 4 });
	const key = fc.constantFrom(
		'Type',
		'type',
		'text',
		'Text',
		'name',
		'Name',
		'channelData',
		'ChannelData',
		'from',
		'attachments',
		'value',
	);
	const type = fc.constantFrom('message', 'event', 'typing', 'endOfConversation', 'Message', 'x');
	const activity = fc
		.tuple(type, fc.dictionary(key, json, { maxKeys: 5 }))
		.map(([ofType, rest]) => ({ ...rest, type: ofType, conversation: { id: CONVERSATION } }));
	const bodies = fc.sample(fc.oneof(activity, fc.dictionary(key, json), json), {
		numRuns: 10_000,
		seed: 20261120,
	});
	let valid = 0;
	for (let start = 0; start < bodies.length; start += 50) {
		const statuses = await Promise.all(
			bodies
				.slice(start, start + 50)
				.map(async (body) => (await post({ body: JSON.stringify(body) })).status),
		);
		statuses.forEach((status, index) => {
			const body = bodies[start + index];
			const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
			const ofType = isObject
				? Object.entries(body).find(([name]) => name.toLowerCase() === 'type')?.[1]
				: undefined;
			if (status === 200) valid++;
			else expect(status).toBe(400);
			if (isObject && 'conversation' in body && typeof ofType === 'string') expect(status).toBe(200);
		});
	}
	expect(valid).toBeGreaterThan(3000);
	expect(trigger.runs).toHaveLength(valid);
}, 120_000);
