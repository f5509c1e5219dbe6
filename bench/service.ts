// Serves the benchmarks of sending, reading and files: a new service for each run, and the workflows
// that are run against it.
import { randomUUID } from 'node:crypto';
import { credentialFor } from '../tools/emulatorCredentials';
import { unflatten } from '../tools/n8n/executions';
import type { N8nWithEmulator } from '../tools/n8n/withN8n';
import { makeCredential } from '../tools/n8n/workflows';
import { startEmulator, type Emulator } from '../emulator';

/** A credential as a node of a workflow names it. */
type Credentials = Record<string, { id: string; name: string }>;

/** A new emulator: n8n has no token for it from another run, and its log contains this run only. */
export interface Service {
	emulator: Emulator;
	/** For this package's nodes. */
	ours: Credentials;
	/** For n8n's HTTP Request node: OAuth2 with client credentials. */
	theirs: Credentials;
	/** The path of the API with its host. */
	api: string;
}

/** A node without its position in a workflow. */
export interface NodeStep {
	name: string;
	type: string;
	typeVersion: number;
	parameters: object;
	credentials?: Credentials;
}

/**
 * Starts a service with credentials for it, passes it to `use`, and stops it at the end.
 * @param setup its n8n gets the credentials, and trusts the service because it has the certificate of the setup's emulator.
 * @param messagingOrigin of another server in place of the emulator's Messaging API; the emulator gives the tokens for it.
 */
export async function withService<T>(
	setup: N8nWithEmulator,
	use: (service: Service) => Promise<T>,
	messagingOrigin?: string,
): Promise<T> {
	const { certificate } = setup.emulator;
	const emulator = await startEmulator({ port: 0, deskPort: 0, certificate });
	try {
		const { tenantId, clientId, clientSecret, organizationId, zone } = emulator.world;
		const { origin } = emulator;
		const make = async (type: string, data: object): Promise<Credentials> => {
			const name = `${type} ${origin}`;
			return { [type]: { id: await makeCredential(setup.n8n, type, data, name), name } };
		};
		const ours = await make('dynamics365MessagingApi', {
			...credentialFor(emulator),
			...(messagingOrigin !== undefined && { baseUrl: messagingOrigin }),
		});
		const theirs = await make('oAuth2Api', {
			clientId,
			clientSecret,
			grantType: 'clientCredentials',
			accessTokenUrl: `${origin}/${tenantId}/oauth2/v2.0/token`,
			scope: `https://${organizationId.replaceAll('-', '')}-c.${zone}.dynamics.com/.default`,
			authentication: 'body',
		});
		return await use({ emulator, ours, theirs, api: `${messagingOrigin ?? origin}/api/v1.0/consumer` });
	} finally {
		await emulator.close();
	}
}

/** The HTTP Request node with the service's OAuth2 credential and headers. */
export function httpRequest({ emulator, theirs }: Service, name: string, parameters: object): NodeStep {
	const { channelId, organizationId } = emulator.world;
	return {
		name,
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.5,
		parameters: {
			authentication: 'genericCredentialType',
			genericAuthType: 'oAuth2Api',
			sendHeaders: true,
			headerParameters: {
				parameters: [
					{ name: 'channel-id', value: channelId },
					{ name: 'organization-id', value: organizationId },
				],
			},
			...parameters,
		},
		credentials: theirs,
	};
}

/** This package's action node. */
export function ourNode({ ours }: Service, name: string, parameters: object): NodeStep {
	const type = 'n8n-nodes-dynamics365-messaging.dynamics365Messaging';
	return { name, type, typeVersion: 1, parameters, credentials: ours };
}

/** n8n's node that makes one item of each entry of a list. */
export function splitOut(name: string, field: string): NodeStep {
	const parameters = { fieldToSplitOut: field, options: {} };
	return { name, type: 'n8n-nodes-base.splitOut', typeVersion: 1, parameters };
}

/** The times and the items of one execution. */
export interface Run {
	/** Milliseconds that each node took, by its name. */
	ms: Record<string, number>;
	/** How many items came out of each node, by its name. */
	items: Record<string, number>;
}

interface RawRun {
	executionTime: number;
	data?: { main?: Array<unknown[] | null> };
}

interface RunData {
	resultData: { runData?: Record<string, RawRun[]>; error?: { message?: string } };
}

/** A workflow in production that a call starts. */
export interface Chain {
	/** Runs it, and returns when n8n has ended the execution and kept it. @throws Error where n8n answers with an error. */
	start: (body: object) => Promise<void>;
	/** Reads its last execution from n8n. @throws Error when that failed. */
	lastRun: () => Promise<Run>;
}

/** A node that a call starts, and where it takes calls. */
interface Start {
	step: NodeStep & { id: string; webhookId: string };
	/** Its path, relative to n8n's address. */
	pathFor: (body: object) => string;
	headers?: Record<string, string>;
}

/** n8n's Webhook node. */
function webhookStart(): Start {
	const path = randomUUID();
	const step = {
		id: randomUUID(),
		webhookId: path,
		name: 'Start',
		type: 'n8n-nodes-base.webhook',
		typeVersion: 2,
		// The first item of the last node is answered, when all of them have ended.
		parameters: { httpMethod: 'POST', path, responseMode: 'lastNode', options: {} },
	};
	return { step, pathFor: () => `webhook/${path}` };
}

/** This package's trigger, which answers when the workflow has succeeded. @param options those of the node. */
export async function triggerStart({ emulator, ours }: Service, options: object): Promise<Start> {
	const [id, webhookId] = [randomUUID(), randomUUID()];
	const step = {
		id,
		webhookId,
		name: 'Start',
		type: 'n8n-nodes-dynamics365-messaging.dynamics365MessagingTrigger',
		typeVersion: 1,
		parameters: { registerWebhook: false, respond: 'onSuccess', options },
		credentials: ours,
	};
	return {
		step,
		pathFor: (body) => {
			const { conversation } = body as { conversation: { id: string } };
			return `webhook/${webhookId}/${id}/v3/conversations/${conversation.id}/activities`;
		},
		headers: { authorization: `Bearer ${await emulator.issueDeliveryToken()}` },
	};
}

/** Puts nodes into production that run one after the other; the first one gets what was posted as `body`. */
export async function publishChain(
	setup: N8nWithEmulator,
	name: string,
	steps: NodeStep[],
	{ step: start, pathFor, headers }: Start = webhookStart(),
): Promise<Chain> {
	const id = randomUUID().replaceAll('-', '').slice(0, 16);
	const all = [start, ...steps];
	const nodes = all.map((step, index) => ({
		id: randomUUID(),
		...step,
		position: [index * 220, 0],
	}));
	const connections = Object.fromEntries(
		steps.map((step, index) => [
			(all[index] ?? start).name,
			{ main: [[{ node: step.name, type: 'main', index: 0 }]] },
		]),
	);
	await setup.publish(id, { name, nodes, connections, settings: { executionOrder: 'v1' } });
	return {
		start: async (body) => {
			const answer = await fetch(`${setup.n8n.url}/${pathFor(body)}`, {
				method: 'POST',
				headers: { 'content-type': 'application/json', ...headers },
				body: JSON.stringify(body),
			});
			const text = await answer.text();
			if (!answer.ok) throw new Error(`“${name}” ended with ${answer.status}: ${text.slice(0, 500)}`);
		},
		lastRun: async () => await lastRun(setup, id),
	};
}

async function lastRun({ n8n }: N8nWithEmulator, workflowId: string): Promise<Run> {
	const filter = encodeURIComponent(JSON.stringify({ workflowId }));
	const { results } = await n8n.rest<{ results: Array<{ id: string }> }>(
		'GET',
		`/executions?limit=1&filter=${filter}`,
	);
	const { data } = await n8n.rest<{ data: string }>('GET', `/executions/${results[0]?.id}`);
	const { runData = {}, error } = (unflatten(data) as RunData).resultData;
	if (error) throw new Error(`An execution failed: ${error.message}`);
	const each = (value: (run: RawRun) => number) =>
		Object.fromEntries(
			Object.entries(runData).map(([name, runs]) => [name, runs.reduce((sum, run) => sum + value(run), 0)]),
		);
	return {
		ms: each(({ executionTime }) => executionTime),
		items: each(({ data: output }) => output?.main?.[0]?.length ?? 0),
	};
}
