// What a delivery is answered with the trigger's "When Workflow Succeeds", for each kind of workflow that docs/production.md
// tells of, in a real n8n.
import { randomUUID } from 'node:crypto';
import { Executions, type Execution } from '../../tools/n8n/executions';
import { sendNode, workflowOf, type WorkflowNode } from '../../tools/n8n/echoWorkflow';
import { withN8n, type N8nWithEmulator } from '../../tools/n8n/withN8n';
import { post } from '../../tools/post';
import { report, runMain } from '../../tools/report';
import type { FaultRule } from '../../emulator';

const MESSAGES = { operationId: 'sendActivity' };
/** The service refuses one message for good. */
const refusedOnce: FaultRule[] = [{ match: MESSAGES, action: { status: 400 }, times: 1 }];
/** As long as Dynamics waits. */
const PATIENCE_MS = 10_000;

interface Case {
	/** The trigger's parameters beside Respond. */
	trigger?: object;
	nodes: (credentialId: string) => WorkflowNode[];
	faults?: FaultRule[];
	activity?: object;
	/** The answers to each try of the delivery; undefined where none came within ten seconds. */
	answers: Array<number | undefined>;
}

function node(name: string, type: string, parameters: object, typeVersion: number): WorkflowNode {
	return {
		id: randomUUID(),
		name,
		type: `n8n-nodes-base.${type}`,
		typeVersion,
		position: [240, 0],
		parameters,
	};
}

function waitNode(amount: number): WorkflowNode {
	return { ...node('Wait', 'wait', { amount, unit: 'seconds' }, 1.1), webhookId: randomUUID() };
}

const subWorkflow = node(
	'Sub-workflow',
	'executeWorkflow',
	{ workflowId: { __rl: true, mode: 'id', value: 'subWorkflow' }, options: {} },
	1.2,
);

const cases: Record<string, Case> = {
	'a run that succeeds': { nodes: (id) => [sendNode(id)], answers: [200] },
	'a run that fails, and its retry': {
		nodes: (id) => [sendNode(id)],
		faults: refusedOnce,
		answers: [500, 200],
	},
	'a last node that fails with Continue On Fail': {
		nodes: (id) => [{ ...sendNode(id), onError: 'continueRegularOutput' }],
		faults: refusedOnce,
		answers: [200],
	},
	'a node that fails into its error output': {
		nodes: (id) => [{ ...sendNode(id), onError: 'continueErrorOutput' }],
		faults: refusedOnce,
		answers: [200],
	},
	'a Wait node of 3 seconds': { nodes: (id) => [waitNode(3), sendNode(id)], answers: [200] },
	'a Wait node of 70 seconds': { nodes: (id) => [waitNode(70), sendNode(id)], answers: [200] },
	'a Respond to Webhook node': {
		nodes: (id) => [sendNode(id), node('Respond', 'respondToWebhook', { respondWith: 'noData' }, 1.1)],
		answers: [500],
	},
	'a sub-workflow that succeeds': { nodes: () => [subWorkflow], answers: [200] },
	'a sub-workflow that fails, and its retry': {
		nodes: () => [subWorkflow],
		faults: refusedOnce,
		answers: [500, 200],
	},
	'an output for each event': {
		trigger: { events: ['message', 'typing'], output: 'perEvent' },
		nodes: (id) => [sendNode(id)],
		answers: [200],
	},
	'an output for each event, with nothing behind this one': {
		trigger: { events: ['message', 'typing'], output: 'perEvent' },
		nodes: (id) => [sendNode(id)],
		activity: { type: 'typing' },
		answers: [200],
	},
	'a kind that is not wanted': {
		trigger: { events: ['message'] },
		nodes: (id) => [sendNode(id)],
		activity: { type: 'typing' },
		answers: [200],
	},
};

/** The sub-workflow: it sends what it is given. */
function subWorkflowOf(credentialId: string): object {
	const trigger = node('Trigger', 'executeWorkflowTrigger', { inputSource: 'passthrough' }, 1.1);
	const send = sendNode(credentialId);
	return {
		name: 'Sub-workflow',
		nodes: [trigger, send],
		connections: { Trigger: { main: [[{ node: send.name, type: 'main', index: 0 }]] } },
		settings: { executionOrder: 'v1' },
	};
}

/** Publishes the workflow of one case, delivers to it, and says whether it was answered as expected. */
async function holds(
	{ emulator, n8n, credentialId, publish }: N8nWithEmulator,
	what: string,
	index: number,
	{ trigger, nodes, faults = [], activity, answers }: Case,
	conversationId: string,
): Promise<boolean> {
	const { workflow, path } = workflowOf(
		what,
		credentialId,
		{ respond: 'onSuccess', ...trigger },
		nodes(credentialId),
	);
	const id = `case${index}`;
	await publish(id, workflow);
	emulator.settings.faults = structuredClone(faults);
	const url = new URL(`${n8n.url}/webhook/${path}/v3/conversations/${conversationId}/activities`);
	const body = JSON.stringify({ type: 'message', text: what, ...activity });
	const token = await emulator.issueDeliveryToken();
	const got: typeof answers = [];
	const startedAt = Date.now();
	while (got.length < answers.length) got.push(await post(url, token, body, PATIENCE_MS));
	const runs = (await new Executions(n8n).all()).filter(({ workflowId }) => workflowId === id);
	const told = runs.map(({ status, runs: [...all] }) => [status, ...all.flatMap(({ error }) => error ?? [])]);
	console.log(
		`  ${what}: ${got.join(', ')} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s; runs: ${JSON.stringify(told)}`,
	);
	return JSON.stringify(got) === JSON.stringify(answers);
}

/** A file is fetched before the workflow starts, and is there. */
async function downloads(
	{ emulator, n8n, credentialId, publish }: N8nWithEmulator,
	conversationId: string,
): Promise<boolean> {
	const parameters = { respond: 'onSuccess', options: { downloadAttachments: true } };
	const { workflow, path } = workflowOf('Download', credentialId, parameters, [
		sendNode(credentialId, 'got it'),
	]);
	await publish('download', workflow);
	emulator.settings.faults = [];
	emulator.setWebhookUrl(`${n8n.url}/webhook/${path}`);
	emulator.desk.accept(conversationId, { agentName: 'Ada' });
	emulator.desk.reply(conversationId, {
		files: [{ name: 'a.txt', contentType: 'text/plain', data: Buffer.from('hello') }],
	});
	await emulator.idle();
	emulator.setWebhookUrl(null);
	const entries = emulator.log.filter((entry) => entry.kind === 'delivery');
	const hasFile = ({ workflowId, runs }: Execution) =>
		workflowId === 'download' && JSON.stringify(runs[0]?.items).includes('attachment_0');
	const run = await new Executions(n8n).waitFor('the one with a file', hasFile);
	console.log(
		`  a download: ${entries.map(({ outcome }) => outcome).join(', ')}; ${JSON.stringify(run.runs[0]?.items[0]?.attachments)}`,
	);
	return entries.length > 0 && entries.every(({ outcome }) => outcome === 'accepted');
}

runMain(
	async () =>
		await withN8n(async (setup) => {
			const { emulator, credentialId, publish } = setup;
			await publish('subWorkflow', subWorkflowOf(credentialId));
			emulator.addConversations(Object.keys(cases).length + 1);
			const conversations = emulator.desk.list().map(({ id }) => id);
			const checks: Record<string, boolean> = {};
			for (const [index, [what, one]] of Object.entries(cases).entries()) {
				checks[what] = await holds(setup, what, index, one, conversations[index]!);
			}
			checks['a download'] = await downloads(setup, conversations.at(-1)!);
			return report('on success', checks);
		}),
);
