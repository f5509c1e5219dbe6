import type { CommunicationConversation, Emulator, FaultAction } from '../../emulator';
import { validateCommunicationAnswer } from '../../emulator/communication/validate';
import {
	type Answer,
	type CommunicationClient,
	communicationEntries,
	communicationErrorOf,
	connectCommunication,
	COMMUNICATION_SCOPE,
	requestToken,
	send,
	signedHeaders,
	start,
} from './support';

let emulator: Emulator;
let acs: CommunicationClient;
beforeEach(async () => {
	emulator = await start();
	acs = connectCommunication(emulator);
});
afterEach(() => emulator.close());

const own = (): CommunicationConversation => {
	const { communicationConversationId: id } = emulator.world;
	const found = emulator.communication.conversations.find((conversation) => conversation.id === id);
	if (!found) throw new Error('The conversation is gone');
	return found;
};
const text = (content: string) => ({ request: { kind: 'text', content } });
const sendText = (content: string, headers: Record<string, string> = {}) =>
	acs('POST', `${acs.own}/messages:send`, { headers, body: text(content) });
/** The messages of the conversation, the oldest first. */
const said = () => own().messages.map(({ message }) => (message as { content?: string }).content);
const lastEntry = () => communicationEntries(emulator).at(-1);

const CUSTOMER = { kind: 'external', displayName: 'Bo', contacts: [{ id: '14255550199', kind: 'whatsApp' }] };
const SUPPORT = {
	kind: 'internal',
	displayName: 'Support',
	contact: { id: '8:acs:support', kind: 'communication' },
};

/** The answer's body, which must be one of the contract. */
function checked(operationId: string, { json, status, text: raw }: Answer): Record<string, unknown> {
	expect(validateCommunicationAnswer(operationId, status, raw === '' ? undefined : json)).toEqual([]);
	return json;
}

describe('the calls', () => {
	test('a message is sent, and listed before those that were there', async () => {
		const answer = await sendText('It is on its way.');
		expect(answer.status).toBe(200);
		expect(answer.headers['repeatability-result']).toBeUndefined();
		const { messageId } = checked('communication.sendMessage', answer);
		expect(messageId).toMatch(/^\d{13}$/);
		const list = checked('communication.listMessages', await acs('GET', `${acs.own}/messages`));
		expect(list).toEqual({
			value: [
				{
					id: messageId,
					sequenceId: 2,
					message: { kind: 'text', content: 'It is on its way.' },
					senderDisplayName: 'Contoso',
					senderCommunicationIdentifier: emulator.world.communicationUserId,
					createdOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
				},
				expect.objectContaining({ sequenceId: 1, senderDisplayName: 'Ada' }),
			],
		});
		expect(lastEntry()).toMatchObject({ operationId: 'communication.listMessages', messageId: undefined });
		expect(communicationEntries(emulator).at(-2)).toMatchObject({ messageId, repeated: false });
	});

	test('messages of one millisecond have different ids, in their order', async () => {
		for (let count = 0; count < 5; count++) {
			emulator.communication.receive(emulator.world.communicationConversationId, String(count));
		}
		const ids = own().messages.map(({ id }) => id);
		expect(new Set(ids).size).toBe(6);
		expect([...ids].sort()).toEqual(ids);
	});

	test('an id may be encoded or not, and the other version is as good', async () => {
		const { communicationConversationId: id } = emulator.world;
		for (const path of [encodeURIComponent(id), id]) {
			const answer = await acs(
				'POST',
				`/conversations/${path}/messages:send?api-version=2025-09-01-preview`,
				{
					body: text(path),
				},
			);
			expect([answer.status, lastEntry()?.conversationId]).toEqual([200, id]);
		}
	});

	test('a conversation is created, read, terminated and deleted', async () => {
		const { communicationChannelId: channelId } = emulator.world;
		const created = await acs('POST', '/conversations', {
			body: {
				conversation: {
					topic: 'Return',
					deliveryChannelIds: [channelId],
					outboundDeliveryStrategy: 'internalOnly',
					participants: [CUSTOMER, SUPPORT],
				},
				initialMessage: { content: 'Hello' },
			},
		});
		expect(created.status).toBe(201);
		const conversation = checked('communication.createConversation', created);
		const customerId = expect.stringMatching(/^8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}$/);
		expect(conversation).toEqual({
			id: expect.stringMatching(/^19:[0-9a-f-]{36}@thread\.v2$/),
			topic: 'Return',
			deliveryChannelIds: [channelId],
			outboundDeliveryStrategy: 'internalOnly',
			participants: [
				{
					...CUSTOMER,
					id: customerId,
					contacts: [...CUSTOMER.contacts, { id: customerId, kind: 'communication' }],
				},
				{ ...SUPPORT, id: '8:acs:support' },
			],
		});
		expect(lastEntry()).toMatchObject({
			conversationId: conversation.id,
			messageId: expect.stringMatching(/^\d{13}$/),
		});

		const path = `/conversations/${encodeURIComponent(String(conversation.id))}`;
		const read = await acs('GET', path);
		expect([read.status, checked('communication.getConversation', read)]).toEqual([200, conversation]);
		const { value } = (await acs('GET', `${path}/messages`)).json;
		expect(value).toMatchObject([
			{ message: { kind: 'text', content: 'Hello' }, senderDisplayName: 'Support' },
		]);

		for (let time = 0; time < 2; time++) {
			const terminated = await acs('POST', `${path}:terminate`);
			expect([terminated.status, terminated.text]).toEqual([200, '']);
			checked('communication.terminateConversation', terminated);
		}
		const refused = await acs('POST', `${path}/messages:send`, { body: text('late') });
		expect(communicationErrorOf(refused)).toEqual([409, 'ConversationTerminated']);
		expect((await acs('GET', path)).status).toBe(200);

		const deleted = await acs('DELETE', path);
		expect([deleted.status, deleted.text]).toEqual([204, '']);
		checked('communication.deleteConversation', deleted);
		expect(communicationErrorOf(await acs('GET', path))).toEqual([404, 'ConversationNotFound']);
		expect(emulator.communication.conversations).toHaveLength(1);
	});

	test('a conversation may begin with nothing', async () => {
		const { json, status } = await acs('POST', '/conversations', { body: { conversation: {} } });
		expect([status, json]).toEqual([
			201,
			{
				id: expect.any(String),
				deliveryChannelIds: [],
				outboundDeliveryStrategy: 'allParticipants',
				participants: [],
			},
		]);
	});

	test('participants are added, but for those that are not valid', async () => {
		const answer = await acs('POST', `${acs.own}/participants:add`, {
			body: {
				participants: [
					CUSTOMER,
					CUSTOMER,
					SUPPORT,
					{ ...SUPPORT, contact: { id: 'invalid-one', kind: 'communication' } },
				],
			},
		});
		expect(answer.status).toBe(207);
		expect(checked('communication.addParticipants', answer)).toEqual({
			invalidParticipants: [
				{ id: 'invalid-one', error: { code: 'BadRequest', message: expect.any(String) } },
			],
		});
		expect(own().participants.map(({ displayName }) => displayName)).toEqual([
			'Ada',
			'Contoso',
			'Bo',
			'Support',
		]);
	});

	test('participants are removed by their ids or those of their contacts', async () => {
		const { communicationUserId } = emulator.world;
		const answer = await acs('POST', `${acs.own}/participants:remove`, {
			body: { participantIds: ['14255550123', communicationUserId, 'nobody'] },
		});
		expect(answer.status).toBe(207);
		expect(checked('communication.removeParticipants', answer)).toEqual({
			invalidParticipants: [{ id: 'nobody', error: { code: 'NotFound', message: expect.any(String) } }],
		});
		expect(own().participants).toEqual([]);
		await sendText('anyone?');
		expect(own().messages.at(-1)?.senderCommunicationIdentifier).toBe(communicationUserId);
		expect(() => emulator.communication.receive(own().id, 'x')).toThrow('has no customer');
	});

	test('the templates have every kind of header and of button', async () => {
		const { communicationChannelId } = emulator.world;
		const answer = await acs('GET', `/channels/${communicationChannelId}/templates`);
		const { nextLink, value } = checked('communication.listTemplates', answer);
		expect(nextLink).toBeUndefined();
		const templates = value as { name: string; language: string; status: string; content: object[] }[];
		const languages = templates.flatMap(({ language, name }) =>
			name === 'shipping_confirmation' ? [language] : [],
		);
		expect(languages).toEqual(['en_US', 'de']);
		const all = JSON.stringify(templates);
		for (const word of ['IMAGE', 'VIDEO', 'DOCUMENT', 'LOCATION', 'QUICK_REPLY', 'URL', 'pending']) {
			expect(all).toContain(`"${word}"`);
		}
	});

	test('the caller’s own id for a request comes back', async () => {
		const id = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
		const good = await acs('GET', '/conversations', { headers: { 'x-ms-client-request-id': id } });
		const bad = await acs('GET', '/nothing', { headers: { 'x-ms-client-request-id': id } });
		expect([good, bad].map(({ headers }) => headers['x-ms-client-request-id'])).toEqual([id, id]);
	});
});

describe('who may come in', () => {
	const asked = (client: CommunicationClient) => client('GET', '/conversations');
	const entraToken = async (scope = COMMUNICATION_SCOPE) =>
		String((await requestToken(emulator, { scope })).json.access_token);

	test.each([COMMUNICATION_SCOPE, 'https://communication.azure.com//.default'])(
		'an app with a token for %s',
		async (scope) => {
			const token = await entraToken(scope);
			const claims = JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString('utf8'));
			expect(claims.aud).toBe('https://communication.azure.com');
			expect((await asked(connectCommunication(emulator, token))).status).toBe(200);
			expect(lastEntry()).toMatchObject({ authentication: 'entra', status: 200 });
		},
	);

	test('the access key, over a body with more than ASCII, and over a query that is not in order', async () => {
		expect((await sendText('Größe – 靴 👟')).status).toBe(200);
		expect(lastEntry()).toMatchObject({ authentication: 'accessKey', status: 200 });
		const query = 'participantId=a%20b%2bc&maxPageSize=1&api-version=2025-04-01-preview';
		expect((await acs('GET', `/conversations?${query}`)).status).toBe(200);
	});

	test('a user’s token', async () => {
		const user = connectCommunication(emulator, emulator.world.communicationUserToken);
		expect((await asked(user)).status).toBe(200);
		expect(lastEntry()).toMatchObject({ authentication: 'userToken', status: 200 });
	});

	const refusals: [string, string, RegExp, () => Promise<Record<string, string | undefined>>][] = [
		['nothing', 'Unauthorized', /neither/, async () => ({ authorization: undefined })],
		['another scheme', 'Unauthorized', /neither/, async () => ({ authorization: 'Basic eDp5' })],
		[
			'a token that is none',
			'Unauthorized',
			/token is not valid/,
			async () => ({ authorization: 'Bearer other' }),
		],
		[
			'a token for Dataverse',
			'Unauthorized',
			/"aud"/,
			async () => ({ authorization: `Bearer ${await entraToken(`${emulator.origin}/.default`)}` }),
		],
	];
	test.each(refusals)('%s is refused', async (_name, code, reason, headersOf) => {
		const answer = await acs('GET', '/conversations', { headers: await headersOf() });
		expect(communicationErrorOf(answer)).toEqual([401, code]);
		expect(lastEntry()).toMatchObject({ errorCode: code, errorMessage: expect.stringMatching(reason) });
	});

	const url = () => `${emulator.origin}/messages/conversations?api-version=2025-04-01-preview`;
	const key = () => emulator.world.communicationAccessKey;
	const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toUTCString();
	const badSignatures: [string, RegExp, () => Record<string, string>][] = [
		[
			'another key',
			/signature does not match/,
			() => signedHeaders('b3RoZXI=', { method: 'GET', url: url() }),
		],
		['another method', /signature does not match/, () => signedHeaders(key(), { method: 'PUT', url: url() })],
		[
			'another query',
			/signature does not match/,
			() => signedHeaders(key(), { method: 'GET', url: `${url()}&x=1` }),
		],
		[
			'another host',
			/signature does not match/,
			() => signedHeaders(key(), { method: 'GET', url: url().replace('localhost', '127.0.0.1') }),
		],
		[
			'another body',
			/hash of the body/,
			() => signedHeaders(key(), { method: 'GET', url: url(), body: 'x' }),
		],
		['an old date', /5 minutes/, () => signedHeaders(key(), { method: 'GET', url: url() }, minutesAgo(5.1))],
		[
			'a date to come',
			/5 minutes/,
			() => signedHeaders(key(), { method: 'GET', url: url() }, minutesAgo(-5.1)),
		],
		[
			'a date of another form',
			/RFC 1123/,
			() => signedHeaders(key(), { method: 'GET', url: url() }, new Date().toISOString()),
		],
		[
			'other signed headers',
			/must be HMAC-SHA256/,
			() => ({
				...signedHeaders(key(), { method: 'GET', url: url() }),
				authorization: 'HMAC-SHA256 SignedHeaders=host&Signature=x',
			}),
		],
	];
	test.each(badSignatures)('a signature with %s is refused', async (_name, reason, headersOf) => {
		const answer = await send(url(), { ca: emulator.certificate.cert, headers: headersOf() });
		expect(communicationErrorOf(answer)).toEqual([401, 'Denied']);
		expect(lastEntry()).toMatchObject({
			authentication: 'accessKey',
			errorMessage: expect.stringMatching(reason),
		});
	});

	test('the service’s clock decides, not that of this machine', async () => {
		emulator.settings.clockSkewMs = 600_000;
		expect(communicationErrorOf(await asked(acs))).toEqual([401, 'Denied']);
	});

	test('each kind can be shut out by itself', async () => {
		const clients = {
			accessKey: acs,
			userToken: connectCommunication(emulator, emulator.world.communicationUserToken),
			entra: connectCommunication(emulator, await entraToken()),
		};
		for (const refuse of ['accessKey', 'userToken', 'entra'] as const) {
			emulator.settings.communication.refuse = refuse;
			for (const [kind, client] of Object.entries(clients)) {
				const answer = await asked(client);
				expect([kind, answer.status]).toEqual([kind, kind === refuse ? 403 : 200]);
				if (kind === refuse) expect(communicationErrorOf(answer)).toEqual([403, 'Forbidden']);
			}
		}
	});

	test('who may not come in is not told what is there', async () => {
		for (const path of ['/conversations/nobody', '/nothing', '/conversations?x=1']) {
			expect((await acs('GET', path, { headers: { authorization: 'Bearer x' } })).status).toBe(401);
		}
	});

	test('tokens can be revoked, and keys rotated, under a request', async () => {
		for (const action of ['revokeTokens', 'rotateKeys'] as const) {
			const client = connectCommunication(emulator, await entraToken());
			emulator.settings.faults = [{ action, times: 1 }];
			expect((await asked(acs)).status).toBe(200);
			expect((await asked(client)).status).toBe(401);
			expect(lastEntry()).toMatchObject({ fault: action, status: 401 });
			expect((await asked(connectCommunication(emulator, await entraToken()))).status).toBe(200);
		}
	});
});

describe('a message that is sent more than once', () => {
	const ID = '7b3e9f10-2a4c-4d5e-8f60-1b2c3d4e5f60';
	const headersOf = (id = ID, firstSent = new Date().toUTCString()) => ({
		'Repeatability-Request-ID': id,
		'Repeatability-First-Sent': firstSent,
	});

	test('is delivered once, and answered alike', async () => {
		const headers = headersOf();
		const first = await sendText('once', headers);
		const second = await sendText('once', { ...headers, 'Repeatability-Request-ID': ID.toUpperCase() });
		expect([first.status, first.headers['repeatability-result']]).toEqual([200, 'accepted']);
		expect([second.status, second.headers['repeatability-result'], second.json]).toEqual([
			200,
			'accepted',
			first.json,
		]);
		expect(said()).toEqual(['Where is my order?', 'once']);
		expect(communicationEntries(emulator)).toMatchObject([
			{
				repeated: false,
				messageId: first.json.messageId,
				repeatabilityRequestId: ID,
				firstSent: headers['Repeatability-First-Sent'],
			},
			{ repeated: true, messageId: undefined },
		]);
	});

	test('is delivered once even if the first answer was lost', async () => {
		const headers = headersOf();
		emulator.settings.faults = [{ action: 'resetAfter', times: 1 }];
		await expect(sendText('lost', headers)).rejects.toThrow();
		expect(lastEntry()).toMatchObject({ status: 0, messageId: own().messages.at(-1)?.id });
		const { json, status } = await sendText('lost', headers);
		expect([status, json.messageId]).toEqual([200, own().messages.at(-1)?.id]);
		expect(said()).toEqual(['Where is my order?', 'lost']);
		expect(lastEntry()).toMatchObject({ repeated: true });
	});

	test('is delivered twice without the headers, or under two ids', async () => {
		await sendText('a');
		await sendText('a');
		await sendText('a', headersOf());
		await sendText('a', headersOf('0c1d2e3f-4a5b-4c6d-8e7f-901a2b3c4d5e'));
		expect(said()).toHaveLength(5);
	});

	const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toUTCString();
	const anHourAgo = hoursAgo(1);
	const rejections: [string, string, Record<string, string>][] = [
		['another text', 'two', headersOf(ID, anHourAgo)],
		['another date', 'one', headersOf(ID, hoursAgo(2))],
		['an id alone', 'one', { 'Repeatability-Request-ID': ID }],
		['a date alone', 'one', { 'Repeatability-First-Sent': anHourAgo }],
		[
			'a date of the day before yesterday',
			'one',
			headersOf('0c1d2e3f-4a5b-4c6d-8e7f-901a2b3c4d5e', hoursAgo(24.1)),
		],
	];
	test.each(rejections)('is rejected with %s', async (_name, content, headers) => {
		expect((await sendText('one', headersOf(ID, anHourAgo))).status).toBe(200);
		const answer = await sendText(content, headers);
		expect(communicationErrorOf(answer)).toEqual([400, 'RepeatabilityRejected']);
		expect(answer.headers['repeatability-result']).toBe('rejected');
		expect(said()).toEqual(['Where is my order?', 'one']);
	});

	test('is rejected in another conversation', async () => {
		emulator.communication.addConversations(1);
		const other = encodeURIComponent(String(emulator.communication.conversations[1]?.id));
		const headers = headersOf();
		await sendText('one', headers);
		const answer = await acs('POST', `/conversations/${other}/messages:send`, { headers, body: text('one') });
		expect(communicationErrorOf(answer)).toEqual([400, 'RepeatabilityRejected']);
	});

	test.each([
		['an id that is no GUID', headersOf('1')],
		['an ISO date', headersOf(ID, new Date().toISOString())],
	])('is refused with %s', async (_name, headers) => {
		expect(communicationErrorOf(await sendText('one', headers))).toEqual([400, 'BadRequest']);
		expect(said()).toHaveLength(1);
	});

	test('may be tried again under its id after it was refused', async () => {
		const headers = headersOf();
		emulator.communication.closeWindow(own().id);
		expect((await sendText('patience', headers)).status).toBe(400);
		emulator.settings.faults = [{ action: { status: 429 }, times: 1 }];
		expect((await sendText('patience', headers)).status).toBe(429);
		emulator.communication.receive(own().id, 'Hello?');
		expect((await sendText('patience', headers)).status).toBe(200);
		expect(lastEntry()).toMatchObject({ repeated: false, messageId: expect.any(String) });
	});

	test.each<[string, string, unknown, number]>([
		['DELETE', '', undefined, 204],
		['POST', ':terminate', undefined, 200],
		['POST', '/participants:add', { participants: [CUSTOMER] }, 207],
		['POST', '/participants:remove', { participantIds: ['14255550123'] }, 207],
	])('holds for %s %s as well', async (method, part, body, status) => {
		const headers = headersOf();
		const first = await acs(method, `${acs.own}${part}`, { headers, body });
		const second = await acs(method, `${acs.own}${part}`, { headers, body });
		expect([first.status, second.status, second.text]).toEqual([status, status, first.text]);
		expect(second.headers['repeatability-result']).toBe('accepted');
		expect(lastEntry()).toMatchObject({ repeated: true });
	});

	test('is not to be had for create: the headers are not refused, and do nothing', async () => {
		for (let time = 0; time < 2; time++) {
			const answer = await acs('POST', '/conversations', {
				headers: headersOf(),
				body: { conversation: {} },
			});
			expect([answer.status, answer.headers['repeatability-result']]).toEqual([201, undefined]);
		}
		expect(emulator.communication.conversations).toHaveLength(3);
	});
});

describe('what goes wrong on purpose', () => {
	const apply = (action: FaultAction, match = {}) =>
		(emulator.settings.faults = [{ action, match, times: 1 }]);

	test('a connection that is cut before anything is done', async () => {
		apply('resetBefore');
		await expect(sendText('cut')).rejects.toThrow();
		expect(said()).toHaveLength(1);
		expect(lastEntry()).toMatchObject({ status: 0, fault: 'resetBefore', messageId: undefined });
	});

	test.each([
		[429, 'TooManyRequests'],
		[401, 'Unauthorized'],
		[500, 'InternalServerError'],
		[503, 'ServiceUnavailable'],
		[418, 'Error'],
	])('status %d has the code %s', async (status, code) => {
		apply({ status, retryAfter: 7 });
		const answer = await sendText('x');
		expect(communicationErrorOf(answer)).toEqual([status, code]);
		expect(answer.headers['retry-after']).toBe('7');
		expect(lastEntry()).toMatchObject({ status, errorCode: code, messageId: undefined });
		expect(said()).toHaveLength(1);
	});

	test('the page of a proxy', async () => {
		apply({ status: 502, body: '<h1>Bad gateway</h1>', contentType: 'text/html' });
		expect(await sendText('x')).toMatchObject({ status: 502, text: '<h1>Bad gateway</h1>' });
	});

	test('a delay', async () => {
		apply({ delayMs: 120 });
		const startedAt = Date.now();
		expect((await sendText('x')).status).toBe(200);
		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(115);
	});

	test('only for one call, or for one conversation', async () => {
		apply({ status: 503 }, { operationId: 'communication.listConversations' });
		expect((await sendText('x')).status).toBe(200);
		expect((await acs('GET', '/conversations')).status).toBe(503);
		emulator.communication.addConversations(1);
		const other = String(emulator.communication.conversations[1]?.id);
		apply({ status: 503 }, { conversationId: other });
		expect((await sendText('x')).status).toBe(200);
		expect((await acs('GET', `/conversations/${encodeURIComponent(other)}`)).status).toBe(503);
	});
});

test('the log knows each call, but neither tokens, keys nor signatures', async () => {
	const { headers } = await sendText('logged');
	expect(lastEntry()).toEqual({
		kind: 'communication',
		seq: expect.any(Number),
		at: expect.any(String),
		method: 'POST',
		path: `/messages${acs.own}/messages:send?api-version=2025-04-01-preview`,
		operationId: 'communication.sendMessage',
		status: 200,
		errorCode: undefined,
		errorMessage: undefined,
		correlationId: headers['ms-cv'],
		authentication: 'accessKey',
		repeatabilityRequestId: undefined,
		firstSent: undefined,
		repeated: false,
		conversationId: emulator.world.communicationConversationId,
		messageId: expect.any(String),
		fault: undefined,
		body: text('logged'),
	});
	const { communicationAccessKey, communicationUserToken } = emulator.world;
	const { json } = await requestToken(emulator, { scope: COMMUNICATION_SCOPE });
	for (const token of [communicationUserToken, String(json.access_token), 'a-token-that-is-none']) {
		await connectCommunication(emulator, token)('GET', '/conversations');
	}
	const log = JSON.stringify(emulator.log);
	for (const secret of [
		communicationAccessKey,
		communicationUserToken,
		String(json.access_token),
		'a-token-that-is-none',
		'Signature',
	]) {
		expect(log).not.toContain(secret);
	}
});

test('the user access token has the form that Microsoft’s SDK reads', () => {
	const { communicationUserId, communicationUserToken } = emulator.world;
	// As `AzureCommunicationTokenCredential` does: it decodes the second part, and takes `exp` in seconds.
	const parts = communicationUserToken.split('.');
	expect(parts).toHaveLength(3);
	for (const part of parts) expect(part).toMatch(/^[\w-]+$/);
	const [header, claims] = parts.slice(0, 2).map((part) => {
		const base64 = part.replace(/-/g, '+').replace(/_/g, '/');
		return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
	});
	expect(header).toMatchObject({ alg: 'RS256', typ: 'JWT' });
	expect(claims.exp * 1000).toBeGreaterThan(Date.now());
	expect(`8:${claims.skypeid}`).toBe(communicationUserId);
	expect(communicationUserId).toContain(claims.resourceId);
});

test('two emulators have conversations of their own', async () => {
	const other = await start();
	await sendText('here only');
	expect(other.communication.conversations[0]?.messages).toHaveLength(1);
	await other.close();
});

test('nothing happens in a conversation that is not there', () => {
	expect(() => emulator.communication.receive('19:x@thread.v2', 'x')).toThrow('There is no conversation');
	expect(() => emulator.communication.closeWindow('19:x@thread.v2')).toThrow('There is no conversation');
});
