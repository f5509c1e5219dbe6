import { ExecuteContext, ExecutionLifecycleHooks, WorkflowExecute } from 'n8n-core';
import { createNodeAsTool } from 'n8n-core/dist/execution-engine/node-execution-context/utils/create-node-as-tool';
import {
	createRunExecutionData,
	NodeConnectionTypes,
	NodeHelpers,
	nodeNameToToolName,
	Workflow,
	type EngineRequest,
	type EngineResponse,
	type ICredentialsHelper,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeProperties,
	type INodePropertyOptions,
	type INodePropertyCollection,
	type INodeType,
	type INodeTypeDescription,
	type IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';
import type { Emulator } from '../../emulator';
import { actionNode } from '../../nodes/Dynamics365Messaging/operations';
import { MAX_ACTION_LENGTH } from '../../nodes/Dynamics365Messaging/operations/operation';
import { credentialFor, entries, testEmulator } from '../support/emulator';
import { loadPackage, oneNode, type LoadedPackage } from '../support/n8n';

/** What an AI agent may do, and what is for people. */
const OFFERED = actionNode.operations.filter(({ effect }) => effect !== 'configure');
const BARRED = actionNode.operations.filter(({ effect }) => effect === 'configure');
const OPERATION_NAMES = OFFERED.map(({ resource, operation }) => `${resource}: ${operation}`);

let loader: LoadedPackage;
let emulator: Emulator;

beforeAll(async () => void (loader = await loadPackage()));

/** The node as n8n offers it to agents. Source: n8n, tool-generation/ai-tools.js, convertNodeToAiTool. */
function toolForm(): INodeType {
	const nodeType = loader.getNode('dynamics365Messaging').type as INodeType;
	const { name, displayName, ...rest } = nodeType.description;
	const description = {
		...rest,
		name: `${name}Tool`,
		displayName: `${displayName} Tool`,
		inputs: [],
		outputs: [NodeConnectionTypes.AiTool],
	};
	return Object.assign(Object.create(nodeType) as INodeType, { description });
}

/** A tool, named as the editor names it when it is added by its operation. */
function toolNode(name: string, parameters: IDataObject = {}, node: Partial<INode> = {}): INode {
	const [resource, operation] = name.split(': ');
	const all = { resource, operation, ...parameters };
	return oneNode('dynamics365Messaging', all, {
		name: NodeHelpers.makeNodeName(all, toolForm().description),
		type: 'n8n-nodes-dynamics365-messaging.dynamics365MessagingTool',
		...node,
	}).nodes[0]!;
}

/** The description of a tool that a language model gets. */
function shownOf(name: string, parameters?: IDataObject) {
	const node = toolNode(name, parameters);
	return createNodeAsTool({ node, nodeType: toolForm(), handleToolInvocation: async () => '' }).response;
}

/**
 * The fields that a model can be asked for, and the keys that it is asked by: made of a field's name and, in a list, of
 * its place. A choice is never left to the model.
 * Source: n8n's editor, fromAIOverride.utils, buildUniqueName and PROP_TYPE_DENYLIST.
 */
function modelFields(
	fields: INodeProperties[],
	place = '',
): Array<{ key: string; description: string | undefined }> {
	return fields.flatMap(({ type, displayName, description, options }) => {
		if (type === 'options') return [];
		if (type === 'collection') return modelFields(options as INodeProperties[], place);
		if (type === 'fixedCollection') {
			const lists = options as INodePropertyCollection[];
			return lists.flatMap(({ name, values }) => modelFields(values, `${name}0_`));
		}
		const key = `${place}${displayName}`.replace(/[^a-zA-Z0-9-]/g, '_').slice(0, 63);
		return [{ key, description }];
	});
}

/** The expression that the editor writes when a person leaves a field to the model. */
function fromAi(key: string, type: 'string' | 'number' | 'boolean' | 'json' = 'string'): string {
	return `={{ /*n8n-auto-generated-fromAI-override*/ $fromAI('${key}', \`\`, '${type}') }}`;
}

describe('what a language model is shown', () => {
	test.each(OFFERED)('is what the tool does, and where: $action', ({ resource, operation, action }) => {
		const tool = shownOf(`${resource}: ${operation}`);
		expect(tool.description).toBe(`${action} in Dynamics 365 Messaging`);
		// n8n cuts off what is longer than 64 characters, of a second such tool the number by which they differ; an agent
		// refuses two tools of one name.
		expect(tool.name).toBe(tool.description.replaceAll(' ', '_'));
		expect(nodeNameToToolName(`${tool.description}1`)).not.toBe(tool.name);
		expect(action.length).toBeLessThanOrEqual(MAX_ACTION_LENGTH);
		expect(action).toMatch(/^[A-Z][a-z]+ [A-Za-z ]+$/);
		expect(action).toMatch(/conversation|message|event|typing|channel/);
	});

	test('is never the same of two operations', () => {
		expect(new Set(actionNode.operations.map(({ action }) => action)).size).toBe(
			actionNode.operations.length,
		);
	});

	test.each(OFFERED)('has a key of its own for each field that is left to it: $action', (operation) => {
		const fields = modelFields(actionNode.fieldsOf(operation));
		const keys = fields.map(({ key }) => key);
		// Two fields of one key would get one value.
		expect(new Set(keys).size).toBe(keys.length);
		const leftToIt = Object.fromEntries(keys.map((key) => [key, fromAi(key)]));
		const shown = shownOf(`${operation.resource}: ${operation.operation}`, leftToIt);
		expect(Object.keys(shown.schema.shape)).toEqual(keys);
		// What a person, or a model that builds workflows, makes the key's description of.
		expect(fields.filter(({ description }) => !description)).toEqual([]);
	});
});

/** The tool as the editor shows it. Source: n8n, tool-generation/ai-tools.js, createAiTools. */
function shownInEditor(): INodeTypeDescription {
	const { usableAsTool, ...description } = structuredClone(
		(loader.getNode('dynamics365Messaging').type as INodeType).description,
	);
	return { ...description, ...(typeof usableAsTool === 'object' ? usableAsTool.replacements : {}) };
}

describe('the tool in the editor', () => {
	const valuesIn = (field: INodeProperties) =>
		((field.options ?? []) as INodePropertyOptions[]).map(({ value }) => String(value));
	const shownWith = (resource: string, operation: string) =>
		shownInEditor().properties.filter((field) =>
			NodeHelpers.displayParameter({ resource, operation }, field, null, shownInEditor()),
		);

	test('offers what agents may do, and nothing that changes the set-up', () => {
		const offered = shownInEditor()
			.properties.filter(({ name }) => name === 'operation')
			.flatMap((field) =>
				valuesIn(field).map((value) => `${String(field.displayOptions?.show?.resource?.[0])}: ${value}`),
			);
		expect(offered).toEqual(OPERATION_NAMES);
		expect(BARRED.map(({ resource, operation }) => `${resource}: ${operation}`)).toEqual([
			'channel: create',
			'channel: delete',
			'channel: linkManagedIdentity',
			'channel: update',
		]);
		// Nor a field of theirs.
		for (const { resource, operation } of BARRED) {
			const names = shownWith(resource, operation).map(({ name }) => name);
			expect(names).toEqual(['resource', 'operation']);
		}
	});

	test.each(['the node', 'its tool'])('a new one says something to Dynamics 365: %s', (which) => {
		const node = (loader.getNode('dynamics365Messaging').type as INodeType).description;
		const description = which === 'the node' ? node : shownInEditor();
		const { properties } = description;
		const parameters = NodeHelpers.getNodeParameters(properties, {}, true, false, null, description);
		expect(parameters).toMatchObject({ resource: 'conversation', operation: 'sendOrStart' });
		const operations = properties.find(
			({ name, displayOptions }) =>
				name === 'operation' && displayOptions?.show?.resource?.[0] === 'conversation',
		)!;
		expect(valuesIn(operations)[0]).toBe('sendOrStart');
		// n8n saves only what differs from the default, and runs the node by its own defaults.
		for (const field of properties.filter(({ name }) => name === 'operation')) {
			const own = node.properties.find(
				({ name, displayOptions }) =>
					name === 'operation' &&
					displayOptions?.show?.resource?.[0] === field.displayOptions?.show?.resource?.[0],
			);
			expect(field.default).toBe(own?.default);
			expect(valuesIn(field)).toContain(field.default);
		}
	});

	test.each(OFFERED)('warns where the model could speak as another customer: $action', (operation) => {
		const fields = shownWith(operation.resource, operation.operation);
		const notices = fields.filter(({ type }) => type === 'notice').map(({ displayName }) => displayName);
		const hasCustomer = fields.some(({ name }) => name === 'customerId');
		const warning = expect.stringContaining('Do not let the model choose Customer ID');
		expect(notices).toEqual(hasCustomer ? [warning] : []);
		// The node itself has no such notice.
		expect(actionNode.properties.filter(({ type }) => type === 'notice')).toEqual([]);
	});
});

type Tool = ReturnType<typeof shownOf>;

/** How agents use their tools, in place of whom these tests make the given calls, and give what a model is told of each. */
const WAYS = {
	/** n8n's older agents call the tool's own function. Source: n8n, get-input-connection-data.js. */
	async calls(tool: Tool, calls: IDataObject[]): Promise<string[]> {
		const answers: string[] = [];
		for (const call of calls) {
			answers.push(String(await tool.invoke(call).catch(({ message }: Error) => message)));
		}
		return answers;
	},

	/** Its newer ones have the engine run the tool's node. Source: n8n, createEngineRequests.js and buildSteps.js. */
	async requests(tool: Tool, calls: IDataObject[], done?: EngineResponse): Promise<string[] | EngineRequest> {
		if (done?.actionResponses.length) {
			return done.actionResponses.map(({ data }) =>
				JSON.stringify(data.data?.ai_tool?.[0]?.map(({ json }) => json)),
			);
		}
		const nodeName = tool.metadata!.sourceNodeName as string;
		const actions = calls.map((input, index) => ({
			actionType: 'ExecutionNodeAction' as const,
			nodeName,
			input,
			type: NodeConnectionTypes.AiTool,
			id: `call_${index}`,
			metadata: { itemIndex: 0 },
		}));
		return { actions, metadata: {} };
	},
};

type Way = keyof typeof WAYS;

/** Replaces an agent: it makes the given calls of its only tool. */
function agentType(way: Way, calls: IDataObject[]): INodeType {
	return {
		description: {
			displayName: 'Agent',
			name: 'agent',
			group: ['transform'],
			version: 1,
			description: '',
			defaults: { name: 'Agent' },
			inputs: [NodeConnectionTypes.Main, { type: NodeConnectionTypes.AiTool }],
			outputs: [NodeConnectionTypes.Main],
			properties: [],
		},
		async execute(this: IExecuteFunctions, done?: EngineResponse) {
			const tools = (await this.getInputConnectionData(NodeConnectionTypes.AiTool, 0)) as Tool[];
			const answers = await WAYS[way](tools[0]!, calls, done);
			return Array.isArray(answers) ? [[{ json: { answers } }]] : answers;
		},
	};
}

/** The workflow of an agent and its tool. */
function workflowOf(agent: INode, tool: INode, agentNodeType: INodeType): Workflow {
	const trigger: INode = { ...agent, id: 'input', name: 'Input' };
	const find = (type: string) => (type === tool.type ? toolForm() : agentNodeType);
	return new Workflow({
		nodes: [trigger, agent, tool],
		connections: {
			Input: { main: [[{ node: agent.name, type: 'main', index: 0 }]] },
			[tool.name]: { ai_tool: [[{ node: agent.name, type: 'ai_tool', index: 0 }]] },
		},
		active: false,
		nodeTypes: { getByName: find, getByNameAndVersion: find, getKnownTypes: () => ({}) },
		settings: { executionOrder: 'v1' },
	});
}

function additionalData(): IWorkflowExecuteAdditionalData {
	const credentialsHelper: Partial<ICredentialsHelper> = {
		getParentTypes: () => [],
		isCredentialUsableByNode: () => true,
		getDecrypted: async () => credentialFor(emulator),
	};
	const url = 'http://localhost:5678';
	const data: Partial<IWorkflowExecuteAdditionalData> = {
		credentialsHelper: credentialsHelper as ICredentialsHelper,
		hooks: new ExecutionLifecycleHooks('trigger', '1', oneNode('dynamics365Messaging', {})),
		currentNodeExecutionIndex: 0,
		executionId: '1',
		instanceBaseUrl: url,
		formWaitingBaseUrl: url,
		webhookWaitingBaseUrl: url,
		variables: {},
	};
	return data as IWorkflowExecuteAdditionalData;
}

/** Runs an agent with a tool, on one item. @returns what the model is told of each of its calls */
async function letAgent(
	way: Way,
	tool: INode,
	calls: IDataObject[],
	item: IDataObject = {},
): Promise<string[]> {
	const agent: INode = {
		id: 'agent',
		name: 'Agent',
		type: 'test.agent',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	};
	const workflow = workflowOf(agent, tool, agentType(way, calls));
	const data = { main: [[{ json: item, pairedItem: { item: 0 } }]] };
	const ran = { startTime: 0, executionTime: 0, executionIndex: 0, source: [], data };
	const runData = createRunExecutionData({
		resultData: { runData: { Input: [ran] } },
		executionData: {
			nodeExecutionStack: [{ node: agent, data, source: { main: [{ previousNode: 'Input' }] } }],
		},
	});
	const execution = new WorkflowExecute(additionalData(), 'trigger', runData);
	const { resultData } = (await execution.processRunExecutionData(workflow)).data;
	expect(resultData.error).toBeUndefined();
	return resultData.runData.Agent!.at(-1)!.data!.main![0]![0]!.json.answers as string[];
}

/** The items in the answer to the model. */
function told(answer: string): IDataObject[] {
	// An error comes as its text.
	if (!/^[[{]/.test(answer)) throw new Error(answer);
	return [JSON.parse(answer) as IDataObject].flat();
}

function useEmulator(): void {
	beforeEach(async () => void (emulator = await testEmulator()));
	afterEach(async () => await emulator.close());
}

const conversationId = { __rl: true, mode: 'id', value: fromAi('Conversation') };
const sending = { conversationId, text: fromAi('Text') };
const isMessageId: unknown = expect.stringMatching(/^\d{13}$/);

const sent = () => entries(emulator, 'request').filter(({ operationId }) => operationId === 'sendActivity');

function startedConversation(): string {
	emulator.addConversations(1);
	return emulator.desk.list().at(-1)!.id;
}

const textsOf = (id: string) => emulator.desk.get(id).messages.map(({ text }) => text);

describe.each(Object.keys(WAYS) as Way[])('an agent that %s its tool', (way) => {
	useEmulator();

	async function use(name: string, parameters: IDataObject, call: IDataObject, item?: IDataObject) {
		const [answer] = await letAgent(way, toolNode(name, parameters), [call], item);
		return told(answer!);
	}

	test('does whatever the operations do, with what the model fills in, and the model is told what came out', async () => {
		const used = new Set<string>();
		const does = async (...[name, ...rest]: Parameters<typeof use>) => {
			used.add(name);
			return await use(name, ...rest);
		};
		const given = {
			customerId: fromAi('Customer_ID'),
			contextMode: 'json',
			contextJson: fromAi('Context_Variables__JSON_', 'json'),
			options: { startMessage: fromAi('Start_Message'), skipAiAgent: fromAi('Skip_AI_Agent', 'boolean') },
		};
		const [created] = await does('conversation: create', given, {
			Customer_ID: 'jdoe',
			Context_Variables__JSON_: { product: 'Heat pump', age: 7 },
			Start_Message: 'Hello?',
			Skip_AI_Agent: true,
		});
		expect(created).toMatchObject({ isNew: true, messageId: isMessageId });
		const id = created!.conversationId as string;
		const Conversation = id;
		expect(await does('conversation: getMany', {}, {})).toMatchObject([{ conversationId: id }]);
		expect(await does('conversation: getContext', { conversationId }, { Conversation })).toEqual([
			{ conversationId: id, context: { product: 'Heat pump', age: 7 } },
		]);

		const asked = await does('availability: getForConversation', { conversationId }, { Conversation });
		expect(asked).toMatchObject([{ isRepresentativeAvailable: true, positionInQueue: 1 }]);
		const workstreamId = { __rl: true, mode: 'id', value: fromAi('Workstream') };
		const Workstream = emulator.world.workstreamId;
		expect(await does('availability: getBeforeConversation', { workstreamId }, { Workstream })).toMatchObject(
			[{ isQueueAvailable: true, averageWaitSeconds: 60, positionInQueue: 2 }],
		);

		const continuing = { customerId: fromAi('Customer_ID'), text: fromAi('Text') };
		const words = { Customer_ID: 'jdoe', Text: 'It is loud' };
		expect(await does('conversation: sendOrStart', continuing, words)).toEqual([
			{ conversationId: id, isNew: false, messageId: isMessageId, delivered: 'message' },
		]);
		expect(await does('message: send', sending, { Conversation, Text: 'Very loud' })).toEqual([
			{ conversationId: id, messageId: isMessageId },
		]);
		const typing = { conversationId, senderName: fromAi('Sender_Name') };
		await does('message: sendTyping', typing, { Conversation, Sender_Name: 'John' });
		expect(sent().at(-1)!.body).toMatchObject({ type: 'typing', from: { name: 'John' } });
		const event = {
			conversationId,
			eventName: fromAi('Event_Name'),
			eventValue: fromAi('Event_Value__JSON_', 'json'),
		};
		await does('customEvent: send', event, {
			Conversation,
			Event_Name: 'Order',
			Event_Value__JSON_: { id: 7 },
		});
		expect(sent().at(-1)!.body).toMatchObject({
			channelData: { customEventName: 'Order', customEventValue: '{"id":7}' },
		});

		const list = { conversationId, limit: fromAi('Limit', 'number') };
		const messages = await does('message: getMany', list, { Conversation, Limit: 2 });
		expect(messages.map(({ text }) => text)).toEqual(['Hello?', 'It is loud']);
		const marking = { conversationId, messageId: fromAi('Message_ID') };
		const { messageId } = messages[1]!;
		expect(await does('message: markAsRead', marking, { Conversation, Message_ID: messageId })).toEqual([
			{ conversationId: id, messageId },
		]);
		emulator.desk.accept(id, {});
		const file = { name: 'a.txt', contentType: 'text/plain', data: Buffer.from('Turn it off') };
		emulator.desk.reply(id, { files: [file] });
		await emulator.idle();
		const { attachments } = entries(emulator, 'delivery').at(-1)!.activity as { attachments: IDataObject[] };
		expect(await does('message: downloadAttachments', {}, {}, { attachments })).toMatchObject([
			{ attachments: [{ name: 'a.txt', downloadError: null }] },
		]);
		await does('conversation: end', { conversationId }, { Conversation });
		expect(emulator.desk.get(id).state).toBe('closed');
		expect(await does('conversation: get', { conversationId }, { Conversation })).toMatchObject([
			{ conversationId: id, status: 'Closed' },
		]);
		emulator.settings.transcripts.delayMs = 0;
		const transcript = await does('conversation: getTranscript', { conversationId }, { Conversation });
		expect(transcript.map(({ text }) => text)).toEqual(['Hello?', 'It is loud', 'Very loud', null]);

		emulator.setWebhookUrl('https://n8n.example.com/webhook/a/b');
		const Channel_ID = emulator.world.channelId;
		const channelId = { __rl: true, mode: 'id', value: fromAi('Channel_ID') };
		const checked = await does('channel: checkSetup', { channelId }, { Channel_ID });
		expect(checked.find(({ check }) => check === 'channelRecord')).toMatchObject({ status: 'ok' });
		expect(await does('channel: getMany', { limit: 9 }, {})).toHaveLength(1);
		const [got] = await does('channel: get', { channelId }, { Channel_ID });
		expect(got).toMatchObject({ channelId: Channel_ID });
		const missing = OPERATION_NAMES.filter((name) => !used.has(name));
		if (missing.length > 0) throw new Error(`Add a call of does('${missing[0]}', …) to this test`);
	});

	const set = {
		name: 'Kiosk',
		channelId: '3e8a1c52-90ab-4cde-8f01-23456789abcd',
		updateFields: { name: 'Kiosk' },
	};

	test.each(BARRED)('cannot change the set-up: $action', async ({ resource, operation, action }) => {
		const refused = expect.stringContaining(
			`AI agents cannot use this operation: “${action}” changes the set-up`,
		);
		const chosen = toolNode(`${resource}: ${operation}`, set);
		expect(await letAgent(way, chosen, [{}])).toEqual([refused]);
		// The model may not choose it either, by an expression in place of the operation.
		const open = toolNode('channel: get', set);
		open.parameters = { ...open.parameters, operation: fromAi('Operation') };
		expect(await letAgent(way, open, [{ Operation: operation }])).toEqual([refused]);
		expect(emulator.log).toEqual([]);
	});

	test('sends once for each call, also where two calls are the same', async () => {
		const id = startedConversation();
		const call = { Conversation: id, Text: 'Are you there?' };
		const answers = await letAgent(way, toolNode('message: send', sending), [call, call]);
		const ids = answers.flatMap(told).map(({ messageId }) => messageId);
		expect(ids).toEqual([isMessageId, isMessageId]);
		expect(new Set(ids).size).toBe(2);
		expect(textsOf(id)).toEqual([call.Text, call.Text]);
	});

	const trying: Partial<INode> = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };

	test('under Retry On Fail sends nothing twice, but a second call that is the same', async () => {
		const id = startedConversation();
		emulator.settings.faults = [{ match: { operationId: 'sendActivity' }, action: 'resetAfter', times: 1 }];
		const call = { Conversation: id, Text: 'Are you there?' };
		const [lost, second] = await letAgent(way, toolNode('message: send', sending, trying), [call, call]);
		expect(lost).toContain('what was sent may have arrived');
		expect(told(second!)).toEqual([{ conversationId: id, messageId: isMessageId }]);
		expect(textsOf(id)).toEqual([call.Text, call.Text]);
	});

	test('under Retry On Fail tries again what surely did not arrive', async () => {
		const id = startedConversation();
		emulator.settings.faults = [
			{ match: { operationId: 'sendActivity' }, action: { status: 429 }, times: 1 },
		];
		// Without the node's own tries, so that only n8n's are left.
		const tool = toolNode('message: send', { ...sending, options: { maxRetryTime: 0 } }, trying);
		const [answer] = await letAgent(way, tool, [{ Conversation: id, Text: 'Are you there?' }]);
		expect(told(answer!)).toEqual([{ conversationId: id, messageId: isMessageId }]);
		expect(textsOf(id)).toEqual(['Are you there?']);
	});

	test('tells the model what is wrong with a call, and sends nothing of it', async () => {
		const id = startedConversation();
		const [noId, tooLong, right] = await letAgent(way, toolNode('message: send', sending), [
			{ Conversation: '', Text: 'Are you there?' },
			{ Conversation: id, Text: 'x'.repeat(6001) },
			{ Conversation: id, Text: 'Hello?' },
		]);
		expect(noId).toContain('Conversation is empty');
		expect(tooLong).toContain('Text is longer than 6,000 characters');
		expect(told(right!)).toMatchObject([{ conversationId: id }]);
		expect(textsOf(id)).toEqual(['Hello?']);
	});
});

describe('an agent without a workflow', () => {
	useEmulator();

	test('has its tool do something once for each call', async () => {
		// As the agents that n8n has beside its workflows do. Source: n8n, ephemeral-node-executor.js, executeNodeDirectly.
		const id = startedConversation();
		const tool = toolNode('message: send', sending);
		for (const text of ['Hello?', 'Hello?']) {
			const items = [{ json: { Conversation: id, Text: text } }];
			const data = { main: [items] };
			const context = new ExecuteContext(
				workflowOf(tool, tool, toolForm()),
				tool,
				additionalData(),
				'internal',
				createRunExecutionData(),
				0,
				items,
				data,
				{ node: tool, data, source: null },
				[],
			);
			const output = await toolForm().execute!.call(context);
			expect(output).toMatchObject([[{ json: { conversationId: id, messageId: isMessageId } }]]);
		}
		expect(textsOf(id)).toEqual(['Hello?', 'Hello?']);
	});
});
