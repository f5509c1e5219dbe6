// The servers of misbehaving.ts again, now against each way out of the package as the nodes take it, with the time limit
// that it has there: the calls of both nodes, the tests of their credentials, and the files of a message.
import type { ICredentialTestFunctions, IDataObject } from 'n8n-workflow';
import type { Emulator } from '../../../emulator';
import { communicationClient } from '../../../nodes/AzureCommunicationConversations/api/client';
import { connectionFrom as communicationConnection } from '../../../nodes/AzureCommunicationConversations/api/connection';
import { testConnection as testCommunication } from '../../../nodes/AzureCommunicationConversations/methods/credentialTest';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { dataverseClient } from '../../../nodes/Dynamics365Messaging/dataverse/client';
import { messagingClient } from '../../../nodes/Dynamics365Messaging/messagingApi/client';
import { testConnection as testMessaging } from '../../../nodes/Dynamics365Messaging/methods/credentialTest';
import { downloadAttachments } from '../../../nodes/Dynamics365Messaging/operations/message/downloadAttachments';
import { keysFor, KeysUnavailable } from '../../../nodes/Dynamics365Messaging/webhook/keys';
import { getToken } from '../../../nodes/shared/entra/token';
import { binaryStore } from '../../../nodes/shared/action/binaryStore';
import { InputError, ServiceError } from '../../../nodes/shared/transport/errors';
import { collect } from '../../../nodes/shared/transport/roundTrip';
import { Throttle } from '../../../nodes/shared/transport/throttle';
import { close } from '../../../tools/ports';
import { waitFor } from '../../../tools/wait';
import { communicationCredential, credentialFor, openCall, testEmulator } from '../../support/emulator';
import {
	BEHAVIOURS,
	reset,
	startMisbehaving,
	type Behaviour,
	type Misbehaving,
} from '../../support/misbehaving';
import { loadPackage, oneNode, serveTrigger, type TriggerServer } from '../../support/n8n';
import { parametersOf } from '../../support/parameters';

const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';

let emulator: Emulator;
let trigger: TriggerServer;
let deliveryToken: string;

/** Limits for what has none of its own that a test can wait for, milliseconds. */
const SHORT_MS = 700;
/** On a machine that is busy with all servers at once. */
const SLACK_MS = 10_000;

interface WayOut {
	/** The longest that it may take, milliseconds. */
	limitMs: number;
	/** @param origin of the server. @param path where it is asked for, where the way leaves that open. */
	leave: (origin: string, path: string) => Promise<unknown>;
	/** Whether what it ended with is one of its own ends. */
	isEnd: (result: unknown) => boolean;
}

const isServiceEnd = (result: unknown) =>
	result instanceof ServiceError ? /\w+ \w+/.test(result.message) : !(result instanceof Error);
const throttle = () => new Throttle(0, undefined, SHORT_MS);
/** A credential whose tokens come from the emulator, as the service is to be asked, too. */
const credential = (given: IDataObject) => ({ ...credentialFor(emulator), ...given }) as never;
const request = (path: string) => ({ method: 'GET', path }) as const;
const isTestEnd = (result: unknown) =>
	['OK', 'Error'].includes((result as { status: string }).status) &&
	/\w+ \w+/.test((result as { message: string }).message);
const tested = async (
	test: typeof testMessaging,
	data: Parameters<typeof testMessaging>[0]['data'],
): Promise<unknown> =>
	await test.call({} as ICredentialTestFunctions, { id: '1', name: 'x', type: 'x', data });

/** The file of a message, by the trigger. */
async function throughTrigger(origin: string, path: string): Promise<unknown> {
	const text = origin + path;
	const attachments = [{ contentType: 'text/plain', contentUrl: text, name: 'a.txt' }];
	const response = await fetch(`${trigger.url}/v3/conversations/${CONVERSATION}/activities`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', authorization: `Bearer ${deliveryToken}` },
		body: JSON.stringify({ type: 'message', conversation: { id: CONVERSATION }, text, attachments }),
	});
	const item = trigger.runs.flat().find(({ json }) => json.text === text);
	const [file] = (item?.json.attachments ?? []) as IDataObject[];
	return { status: response.status, hasFile: item?.binary !== undefined, ...file };
}

const memory = binaryStore({
	getBinaryPath: (id) => id,
	prepareBinaryData: async (data) => ({
		data: (Buffer.isBuffer(data) ? data : await collect(data)).toString('base64'),
		mimeType: '',
	}),
});

/** The file of a message, by the action node, whose execution somebody stops. */
async function throughItem(origin: string, path: string): Promise<unknown> {
	const attachments = [{ contentType: 'text/plain', contentUrl: origin + path, name: 'a.txt' }];
	const connection = connectionFrom(credential({ baseUrl: origin }));
	const plan = downloadAttachments.plan(parametersOf({ attachments, options: {} }).parameters, connection);
	if (plan.kind !== 'steps') throw new Error('it is a plan of another kind');
	const stopped = new AbortController();
	const timer = setTimeout(() => stopped.abort(), SHORT_MS);
	const n8n = { instanceId: 'test', memory: {}, signal: stopped.signal, binary: memory };
	const client = () => {
		throw new Error('it calls no service');
	};
	return await plan.run({ connection, client, seen: new Set(), n8n }).finally(() => clearTimeout(timer));
}

/** The token of a tenant whose ID ends with the path's number, so that no answer is remembered. */
const tenantOf = (path: string) => `00000000-0000-4000-8000-${path.slice(1).padStart(12, '0')}`;

const WAYS: Record<string, WayOut> = {
	'a call of the Messaging API': {
		limitMs: SHORT_MS,
		leave: async (origin, path) =>
			await messagingClient(connectionFrom(credential({ baseUrl: origin })), throttle()).call(request(path)),
		isEnd: isServiceEnd,
	},
	'a message': {
		limitMs: SHORT_MS,
		leave: async (origin, path) =>
			await messagingClient(connectionFrom(credential({ baseUrl: origin })), throttle()).call({
				...openCall,
				path,
			}),
		isEnd: isServiceEnd,
	},
	'a call of Dataverse': {
		limitMs: SHORT_MS,
		leave: async (origin, path) =>
			await dataverseClient(connectionFrom(credential({ environmentUrl: origin })), throttle()).call(
				request(path),
			),
		isEnd: isServiceEnd,
	},
	'a call of Azure Communication Services': {
		limitMs: SHORT_MS,
		leave: async (origin, path) =>
			await communicationClient(
				communicationConnection({ ...communicationCredential(emulator, 'accessKey'), endpoint: origin }),
				throttle(),
			).call(request(path)),
		isEnd: isServiceEnd,
	},
	'the file of an item': {
		limitMs: SHORT_MS,
		leave: throughItem,
		isEnd: (result) => (result instanceof Error ? result instanceof InputError : true),
	},
	'the file of a delivery': {
		limitMs: 5_000,
		leave: throughTrigger,
		isEnd: (result) => {
			const { status, hasFile, downloadError } = result as IDataObject;
			return status === 200 && hasFile === (downloadError === null);
		},
	},
	'the keys of a tenant': {
		limitMs: 5_000,
		leave: async (origin, path) =>
			await keysFor(connectionFrom(credential({ authorityHost: origin, tenantId: tenantOf(path) })), 'kid'),
		isEnd: (result) => result instanceof KeysUnavailable,
	},
	'the metadata of a tenant': {
		limitMs: 5_000,
		leave: async (origin) =>
			await keysFor(connectionFrom(credential({ authorityHost: origin, tenantId: 'contoso.com' })), 'kid'),
		isEnd: (result) => result instanceof KeysUnavailable,
	},
	'a token': {
		limitMs: 15_000,
		leave: async (origin, path) =>
			await getToken(connectionFrom(credential({ authorityHost: origin, tenantId: tenantOf(path) }))),
		isEnd: (result) => result instanceof ServiceError,
	},
	'the test of the credential for Dynamics 365': {
		limitMs: 15_000,
		leave: async (origin) => await tested(testMessaging, credential({ baseUrl: origin })),
		isEnd: isTestEnd,
	},
	'the test of a credential without a channel': {
		limitMs: 15_000,
		leave: async (origin) =>
			await tested(
				testMessaging,
				credential({ authorityHost: origin, channelId: '', tenantId: tenantOf('/7') }),
			),
		isEnd: isTestEnd,
	},
	'the test of the credential for Azure Communication Services': {
		limitMs: 30_000,
		leave: async (origin) =>
			await tested(testCommunication, {
				...communicationCredential(emulator, 'accessKey'),
				endpoint: origin,
				channelRegistrationId: CONVERSATION,
			}),
		isEnd: isTestEnd,
	},
};

beforeAll(async () => {
	emulator = await testEmulator();
	const options = { downloadAttachments: true, maxAttachmentSizeMb: 1 };
	const json = oneNode('dynamics365MessagingTrigger', { options });
	trigger = await serveTrigger(await loadPackage(), json, {
		dynamics365MessagingApi: credentialFor(emulator),
	});
	deliveryToken = await emulator.issueDeliveryToken();
	// Any service may be asked for with it.
	const body = JSON.stringify({ token_type: 'Bearer', access_token: 'a.b.c', expires_in: 3_600 });
	const action = { status: 200, body, contentType: 'application/json' };
	emulator.settings.faults = [{ match: { operationId: 'token' }, action }];
});

afterAll(async () => {
	await trigger.close();
	await emulator.close();
});

async function timed(run: () => Promise<unknown>): Promise<{ ms: number; result: unknown }> {
	const from = performance.now();
	const result = await run().catch((error: unknown) => error);
	return { ms: performance.now() - from, result };
}

async function stop({ server, open }: Misbehaving): Promise<void> {
	for (const socket of open) socket.destroy();
	await close(server);
}

/** Runs some work for each of a list, a number of them at a time. */
async function each<T>(list: T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
	const left = list.values();
	await Promise.all(
		Array.from({ length: atOnce }, async () => {
			for (const one of left) await work(one);
		}),
	);
}

/** Runs a way out against each server. @returns what went wrong */
async function runAll({ leave, isEnd, limitMs }: WayOut): Promise<unknown[]> {
	const wrong: unknown[] = [];
	const run = async (behaviour: Behaviour) => {
		const server = await startMisbehaving(behaviour);
		let connections = 0;
		server.server.on('connection', () => connections++);
		const { ms, result } = await timed(async () => await leave(`https://localhost:${server.port}`, '/1'));
		const isRight = ms < limitMs + SLACK_MS && isEnd(result) && connections > 0;
		if (!isRight) wrong.push([behaviour.name, ms, connections, result]);
		// An honest answer leaves its connection to Node.js' agent, which closes it after five seconds.
		await waitFor('the connections to be closed', 12_000, () => server.open.size === 0).catch(() =>
			wrong.push([behaviour.name, 'left a connection open']),
		);
		await stop(server);
	};
	await Promise.all(BEHAVIOURS.map(run));
	return wrong;
}

const running = new Map<string, Promise<unknown[]>>();
const ways = Object.entries(WAYS);

test.each(ways)(
	'%s ends in its time, with an end of its own, and leaves no connection, whatever the server does',
	async (name, { limitMs }) => {
		// Those that wait for long wait at the same time.
		for (const [other, way] of ways) {
			const isNow = other === name || (limitMs > SHORT_MS && way.limitMs > SHORT_MS);
			if (isNow && !running.has(other)) running.set(other, runAll(way));
		}
		expect(await running.get(name)).toEqual([]);
	},
	180_000,
);

/** What nobody can take for an answer. */
const isNoAnswer = (result: unknown) =>
	result instanceof Error || (result as { downloadError?: unknown }).downloadError !== null;
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"ok":true}';
const CUTTABLE = [
	'a call of the Messaging API',
	'a message',
	'a call of Dataverse',
	'a call of Azure Communication Services',
	'the file of an item',
	'the file of a delivery',
	'the keys of a tenant',
	'a token',
];

test.each(CUTTABLE.flatMap((way) => [[way, 'end'] as const, [way, 'reset'] as const]))(
	'%s whose answer is cut at each of its bytes, by %s, ends as one without an answer',
	async (name, how) => {
		const { leave, isEnd, limitMs } = WAYS[name]!;
		const server = await startMisbehaving({
			name: 'cut',
			service: 0,
			file: '',
			request: (socket, head) => {
				const at = Number(/[/-]0*(\d+)(?:\/(?:discovery|oauth2)\S*)?(?:\?\S*)? HTTP/.exec(head)?.[1]);
				socket.write(ANSWER.slice(0, at), () => (how === 'end' ? socket.end() : reset(socket)));
			},
		});
		const wrong: unknown[] = [];
		await each(
			Array.from({ length: ANSWER.length }, (_, at) => at),
			10,
			async (at) => {
				const path = `/${at}`;
				const { ms, result } = await timed(async () => await leave(`https://localhost:${server.port}`, path));
				if (ms > limitMs + SLACK_MS || !isEnd(result) || !isNoAnswer(result)) wrong.push([at, ms, result]);
			},
		);
		expect(wrong).toEqual([]);
		await waitFor('the connections to be closed', 7_000, () => server.open.size === 0);
		await stop(server);
	},
	120_000,
);
