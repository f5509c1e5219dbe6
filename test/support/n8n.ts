import 'reflect-metadata';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import express, { type Request, type Response } from 'express';
import {
	ExecutionLifecycleHooks,
	HookContext,
	InstanceSettings,
	PackageDirectoryLoader,
	WebhookContext,
	WorkflowExecute,
} from 'n8n-core';
import { Logger } from '@n8n/backend-common';
import { Container } from '@n8n/di';
import {
	createRunExecutionData,
	LoggerProxy,
	Workflow,
	type IBinaryKeyData,
	type ICredentialDataDecryptedObject,
	type ICredentialsHelper,
	type IDataObject,
	type INode,
	type INodeExecutionData,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IWebhookData,
	type IWebhookDescription,
	type IWebhookResponseData,
	type IWorkflowBase,
	type IWorkflowExecuteAdditionalData,
	type NodeExecutionHint,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { look } from './leaks';
import { close, listen } from '../../tools/ports';

/** The built package, loaded the way n8n loads it. */
export type LoadedPackage = PackageDirectoryLoader;

/** Looks at every line that goes to n8n's log, also at those that its level leaves out. */
function watchLog(): void {
	const logger = Container.get(Logger);
	const watched = (level: string) => (message: string, meta?: unknown) =>
		look(`n8n's log, ${level}`, [message, meta]);
	for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level] = watched(level);
	LoggerProxy.init(logger);
}

/** Loads `dist` as n8n does; `npm test` has built it before. */
export async function loadPackage(): Promise<LoadedPackage> {
	Container.get(InstanceSettings);
	watchLog();
	const loader = new PackageDirectoryLoader(join(__dirname, '..', '..'));
	await loader.loadAll();
	return loader;
}

/** The credentials of a run, by credential type. */
export type Credentials = Record<string, ICredentialDataDecryptedObject>;

function nodeTypesOf(loader: LoadedPackage): INodeTypes {
	const find = (type: string): INodeType => {
		const name = type.replace('n8n-nodes-dynamics365-messaging.', '');
		return loader.nodeTypes[name]!.type as INodeType;
	};
	return {
		getByName: find,
		getByNameAndVersion: find,
		getKnownTypes: () => ({}),
	};
}

function credentialsHelper(credentials: Credentials): ICredentialsHelper {
	const helper: Partial<ICredentialsHelper> = {
		getParentTypes: () => [],
		isCredentialUsableByNode: () => true,
		getDecrypted: async (_additionalData, _details, type) =>
			structuredClone((await Promise.resolve(credentials[type])) ?? {}),
	};
	return helper as ICredentialsHelper;
}

function additionalDataOf(workflow: IWorkflowBase, credentials: Credentials): IWorkflowExecuteAdditionalData {
	const url = 'http://localhost:5678';
	const data: Partial<IWorkflowExecuteAdditionalData> = {
		credentialsHelper: credentialsHelper(credentials),
		hooks: new ExecutionLifecycleHooks('trigger', '1', workflow),
		currentNodeExecutionIndex: 0,
		executionId: '1',
		restApiUrl: `${url}/rest`,
		instanceBaseUrl: url,
		formBaseUrl: `${url}/form`,
		formWaitingBaseUrl: `${url}/form-waiting`,
		formTestBaseUrl: `${url}/form-test`,
		webhookBaseUrl: `${url}/webhook`,
		webhookWaitingBaseUrl: `${url}/webhook-waiting`,
		webhookTestBaseUrl: `${url}/webhook-test`,
		variables: {},
		logAiEvent: () => undefined,
	};
	return data as IWorkflowExecuteAdditionalData;
}

/** A workflow of one node, as a workflow file has it. */
export function oneNode(
	type: 'azureCommunicationConversations' | 'dynamics365Messaging' | 'dynamics365MessagingTrigger',
	parameters: IDataObject,
	node: Partial<INode> = {},
): IWorkflowBase {
	return {
		id: 'w1',
		name: 'Test',
		active: false,
		activeVersionId: null,
		isArchived: false,
		createdAt: new Date(0),
		updatedAt: new Date(0),
		connections: {},
		nodes: [
			{
				id: '5a1f5a0e-3a0a-4b67-9d35-0d8a53f0a001',
				name: 'Dynamics',
				type: `n8n-nodes-dynamics365-messaging.${type}`,
				typeVersion: 1,
				position: [0, 0],
				parameters: JSON.parse(JSON.stringify(parameters)) as INode['parameters'],
				webhookId: 'c0b3a2de-4c3b-4a68-8f0e-0d8a53f0a002',
				credentials: {
					[type === 'azureCommunicationConversations'
						? 'azureCommunicationServicesApi'
						: 'dynamics365MessagingApi']: { id: '1', name: 'Emulator' },
				},
				...node,
			},
		],
	};
}

function workflowOf(loader: LoadedPackage, workflow: IWorkflowBase): Workflow {
	return new Workflow({
		id: workflow.id,
		name: workflow.name,
		nodes: workflow.nodes,
		connections: workflow.connections,
		active: false,
		nodeTypes: nodeTypesOf(loader),
		settings: { timezone: 'Europe/Amsterdam' },
		staticData: workflow.staticData,
	});
}

/**
 * Runs a workflow from its first node on, through n8n-core's own engine, with the given items as if another node, `Input`, had
 * just given them.
 * @returns a promise with `cancel`, as when a person stops the execution.
 */
export function startWorkflow(
	loader: LoadedPackage,
	json: IWorkflowBase,
	credentials: Credentials,
	items: IDataObject[] = [{}],
	binary: IBinaryKeyData[] = [],
): ReturnType<WorkflowExecute['processRunExecutionData']> {
	const target = json.nodes[0]!;
	const source = oneNode('dynamics365MessagingTrigger', {}, { id: 'input', name: 'Input' }).nodes[0]!;
	const workflow = workflowOf(loader, {
		...json,
		nodes: [...json.nodes, source],
		connections: { ...json.connections, Input: { main: [[{ node: target.name, type: 'main', index: 0 }]] } },
	});
	const node = workflow.nodes[target.name]!;
	const data = {
		main: [
			items.map((item, index): INodeExecutionData => ({
				json: item,
				pairedItem: { item: index },
				...(binary[index] && { binary: binary[index] }),
			})),
		],
	};
	const ran = { startTime: 0, executionTime: 0, executionIndex: 0, source: [], data };
	const runData = createRunExecutionData({
		resultData: { runData: { Input: [ran] } },
		executionData: { nodeExecutionStack: [{ node, data, source: { main: [{ previousNode: 'Input' }] } }] },
	});
	const engine = new WorkflowExecute(additionalDataOf(json, credentials), 'trigger', runData);
	const running = engine.processRunExecutionData(workflow);
	void running.then((run) => look('a run', run));
	return running;
}

/** As {@link startWorkflow}, to its end. */
export async function runWorkflow(...given: Parameters<typeof startWorkflow>): Promise<IRun> {
	return await startWorkflow(...given);
}

/** What a node gave out in a run: its items, those of its error output, or the error that ended the run. */
export function outcomeOf(
	run: IRun,
	name = 'Dynamics',
): {
	items: INodeExecutionData[];
	errorItems: INodeExecutionData[];
	error: IDataObject | undefined;
	hints: NodeExecutionHint[];
} {
	const data = run.data.resultData.runData[name]?.[0];
	return {
		items: data?.data?.main?.[0] ?? [],
		errorItems: data?.data?.main?.[1] ?? [],
		hints: data?.hints ?? [],
		error: (data?.error ?? run.data.resultData.error) as unknown as IDataObject | undefined,
	};
}

/** A trigger's node in a workflow, as n8n has it when the workflow is activated or deactivated. */
export interface Activation {
	loader: LoadedPackage;
	json: IWorkflowBase;
	credentials: Credentials;
	webhookBaseUrl: string;
	/** What n8n's N8N_ENDPOINT_WEBHOOK_TEST names. Default: webhook-test. */
	testEndpoint?: string;
	/** `manual` where the workflow begins to listen for a test, `internal` where it stops. */
	mode?: WorkflowExecuteMode;
	/** Whether it is the test's webhook. By default in the mode `manual`. */
	isTest?: boolean;
	/** The static data that n8n stores for the workflow. */
	staticData?: IDataObject;
}

function hookContext({
	loader,
	json,
	credentials,
	webhookBaseUrl,
	testEndpoint = 'webhook-test',
	mode = 'trigger',
	isTest = mode === 'manual',
	staticData,
}: Activation) {
	const workflow = workflowOf(loader, { ...json, staticData });
	const node = workflow.nodes[json.nodes[0]!.name]!;
	const webhookTestBaseUrl = webhookBaseUrl.replace(/\/webhook$/, `/${testEndpoint}`);
	const additionalData = { ...additionalDataOf(json, credentials), webhookBaseUrl, webhookTestBaseUrl };
	const webhook = { isTest } as IWebhookData;
	const context = new HookContext(workflow, node, additionalData, mode, 'activate', webhook);
	const nodeType = workflow.nodeTypes.getByNameAndVersion(node.type, node.typeVersion);
	return { context, methods: nodeType.webhookMethods!.default! };
}

/** Runs a trigger's `create`, as n8n does when the workflow is activated or, in mode `manual`, listens for a test. */
export async function activate(activation: Activation): Promise<boolean> {
	const { context, methods } = hookContext(activation);
	return (await methods.checkExists.call(context)) || (await methods.create.call(context));
}

/** Runs its `delete`, as when the workflow is deactivated or stops listening. */
export async function deactivate(activation: Activation): Promise<boolean> {
	const { context, methods } = hookContext(activation);
	return await methods.delete.call(context);
}

/** A real HTTP server that hands requests to a trigger's `webhook()` and answers as n8n does with what that gives. */
export interface TriggerServer {
	/** The base URL, to be registered at the emulator. */
	url: string;
	/** Where n8n takes its webhooks to be: its WEBHOOK_URL. */
	baseUrl: string;
	/** The outputs of every `workflowData` that started a run, in order. */
	runs: INodeExecutionData[][];
	node: INodeType;
	/** Runs before the trigger is called. */
	beforeWebhook: () => Promise<void>;
	/** Runs the trigger's `webhook()`. */
	measure: (webhook: () => Promise<IWebhookResponseData>) => Promise<IWebhookResponseData>;
	/** Runs before a response is sent, e.g. to delay it as n8n does when it enqueues a run. */
	beforeAnswer: () => Promise<number>;
	close(): Promise<void>;
}

/** The path that n8n gives a webhook: one with parameters stands below the node's webhook id. */
function pathOf(workflow: Workflow, node: INode, { path }: IWebhookDescription): string {
	const resolved = String(workflow.expression.getSimpleParameterValue(node, path, 'internal', {}));
	return resolved.includes(':') ? `${node.webhookId}/${resolved}` : resolved;
}

/**
 * Serves a workflow whose first node is the trigger, on a free port.
 * @param mode `manual` where the workflow listens for a test.
 */
export async function serveTrigger(
	loader: LoadedPackage,
	json: IWorkflowBase,
	credentials: Credentials,
	mode: WorkflowExecuteMode = 'webhook',
): Promise<TriggerServer> {
	const workflow = workflowOf(loader, json);
	const node = workflow.nodes[json.nodes[0]!.name]!;
	const runs: INodeExecutionData[][] = [];
	const app = express();
	const nodeType = workflow.nodeTypes.getByNameAndVersion(node.type, node.typeVersion);
	const served: TriggerServer = {
		url: '',
		baseUrl: '',
		runs,
		node: nodeType,
		beforeWebhook: async () => undefined,
		measure: async (webhook) => await webhook(),
		beforeAnswer: async () => 200,
		close: async () => undefined,
	};
	const answer =
		(webhookDescription: IWebhookDescription) => async (request: Request, response: Response) => {
			const additionalData = {
				...additionalDataOf(json, credentials),
				webhookBaseUrl: served.baseUrl,
				httpRequest: request,
				httpResponse: response,
			};
			const webhook: IWebhookData = {
				httpMethod: request.method as IWebhookData['httpMethod'],
				node: node.name,
				path: pathOf(workflow, node, webhookDescription),
				webhookDescription,
				workflowId: workflow.id,
				workflowExecuteAdditionalData: additionalData,
			};
			const context = new WebhookContext(workflow, node, additionalData, mode, webhook, [], null);
			await served.beforeWebhook();
			const result = await served.measure(async () => await nodeType.webhook!.call(context));
			look('a webhook’s answer', result);
			if (result.workflowData) {
				runs.push(...result.workflowData);
				response.status(await served.beforeAnswer());
			}
			if (result.noWebhookResponse !== true)
				response.send(result.webhookResponse ?? { message: 'Workflow was started' });
		};
	// n8n keeps the bytes of a body beside what it has parsed of them.
	const verify = (request: IncomingMessage, _: unknown, body: Buffer) => void (request.rawBody = body);
	const parse = express.json({ limit: '16mb', strict: false, verify });
	for (const description of nodeType.description.webhooks ?? []) {
		const method = description.httpMethod === 'GET' ? 'get' : 'post';
		app[method](`/webhook/${pathOf(workflow, node, description)}`, parse, answer(description));
	}
	const server = createServer(app);
	const port = await listen(server);
	const setup = nodeType.description.webhooks!.find(({ httpMethod }) => httpMethod === 'GET')!;
	served.baseUrl = `http://127.0.0.1:${port}/webhook`;
	served.url = `${served.baseUrl}/${pathOf(workflow, node, setup)}`;
	served.close = async () => await close(server);
	return served;
}
