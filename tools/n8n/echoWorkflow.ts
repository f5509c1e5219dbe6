import { randomUUID } from 'node:crypto';
import { triggerWorkflow } from './workflows';

/** A node as n8n's workflow files have it. */
export type WorkflowNode = Record<string, unknown> & { name: string };

/** Message: Send, of what the trigger's item says, to the conversation from which it came. */
export function sendNode(credentialId: string, text = "={{ $('Trigger').first().json.text }}"): WorkflowNode {
	return {
		id: randomUUID(),
		name: 'Send',
		type: 'n8n-nodes-dynamics365-messaging.dynamics365Messaging',
		typeVersion: 1,
		position: [480, 0],
		parameters: {
			resource: 'message',
			operation: 'send',
			conversationId: { __rl: true, mode: 'id', value: "={{ $('Trigger').first().json.conversationId }}" },
			text,
		},
		credentials: { dynamics365MessagingApi: { id: credentialId, name: 'Emulator' } },
	};
}

/**
 * A workflow of the trigger and, in a row behind it, other nodes.
 * @param parameters of the trigger.
 * @returns the workflow, and the path of the trigger below n8n's `/webhook/`.
 */
export function workflowOf(
	name: string,
	credentialId: string,
	parameters: object,
	nodes: WorkflowNode[],
): { workflow: object; path: string } {
	const { workflow, path } = triggerWorkflow(name, credentialId, parameters);
	const names = ['Trigger', ...nodes.map((node) => node.name)];
	const to = (node: string) => ({ main: [[{ node, type: 'main', index: 0 }]] });
	const links = nodes.map((node, index) => [names[index], to(node.name)] as const);
	const { nodes: triggers } = workflow as { nodes: WorkflowNode[] };
	return {
		path,
		workflow: {
			...workflow,
			nodes: [...triggers, ...nodes],
			connections: Object.fromEntries(links) as object,
		},
	};
}
