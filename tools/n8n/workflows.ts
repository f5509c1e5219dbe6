import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { waitFor } from '../wait';
import type { N8n } from './n8n';

/** The fields of a workflow in n8n's REST interface that are used here. */
export interface Workflow {
	id: string;
	name: string;
	versionId: string;
	nodes: Array<{ id: string; name: string; type: string; webhookId?: string }>;
}

/** The state of an activation: n8n registers webhooks some time after a workflow was activated. */
interface Publication {
	status: string;
	triggers: Array<{ errorMessage: string | null }>;
}

/**
 * Reads the file of a workflow.
 * @param placeholders texts in the file, each with the text that replaces it.
 * @returns the workflow.
 * @throws the error of the file system, or SyntaxError for a file that is not JSON.
 */
export function readWorkflow(file: string, placeholders: Record<string, string> = {}): object {
	const text = Object.entries(placeholders).reduce(
		(filled, [placeholder, value]) => filled.replaceAll(placeholder, value),
		readFileSync(file, 'utf8'),
	);
	return JSON.parse(text) as object;
}

/**
 * Creates a workflow and activates it.
 * @param id the id that it gets.
 * @param workflow its `name`, `nodes`, `connections` and `settings`.
 * @throws Error when n8n refuses it or cannot activate it.
 */
export async function publishWorkflow(n8n: N8n, id: string, workflow: object): Promise<Workflow> {
	const made = await n8n.rest<Workflow>('POST', '/workflows', { ...workflow, id, active: false });
	await activate(n8n, made);
	return made;
}

/**
 * Activates a workflow, and returns when n8n has registered its webhooks. Before that, n8n has not stored the static
 * data of the triggers, and would lose it if it were killed.
 * @throws Error when a trigger cannot be activated, or NotSeen after a minute.
 */
export async function activate(n8n: N8n, { id, name }: Pick<Workflow, 'id' | 'name'>): Promise<void> {
	const { versionId } = await n8n.rest<Workflow>('GET', `/workflows/${id}`);
	await n8n.rest('POST', `/workflows/${id}/activate`, { versionId });
	await waitFor(`n8n to register the webhooks of "${name}"`, 60_000, async () => {
		const { status, triggers } = await n8n
			.rest<Publication>('GET', `/workflows/${id}/publication-status`)
			.catch((error: unknown) => {
				// n8n 1 has no such path. There, the workflow is active when the call above returns.
				if (String(error).includes(' with 404')) return { status: 'published', triggers: [] };
				throw error;
			});
		const failed = triggers.find(({ errorMessage }) => errorMessage);
		if (failed) throw new Error(`n8n cannot activate "${name}": ${failed.errorMessage}`);
		return status === 'published';
	});
}

/**
 * Creates a credential in n8n.
 * @param type of the credential, e.g. `dynamics365MessagingApi`.
 * @param data the values of its fields.
 * @returns its id.
 * @throws Error when n8n refuses it.
 */
export async function makeCredential(n8n: N8n, type: string, data: object, name = type): Promise<string> {
	const { id } = await n8n.rest<{ id: string }>('POST', '/credentials', { name, type, data });
	return id;
}

/**
 * Makes a workflow that has only the trigger.
 * @param credentialId of the credential for Dynamics 365.
 * @param parameters of the trigger, where they differ from their defaults. It does not register its URL: what a test starts is
 * called at its path.
 * @returns the workflow, and the path of its webhook below n8n's `/webhook/`.
 */
export function triggerWorkflow(
	name: string,
	credentialId: string,
	parameters: object = {},
): { workflow: object; path: string } {
	const [id, webhookId] = [randomUUID(), randomUUID()];
	const trigger = {
		id,
		webhookId,
		name: 'Trigger',
		type: 'n8n-nodes-dynamics365-messaging.dynamics365MessagingTrigger',
		typeVersion: 1,
		position: [0, 0],
		parameters: { registerWebhook: false, ...parameters },
		credentials: { dynamics365MessagingApi: { id: credentialId, name: 'Emulator' } },
	};
	const settings = { executionOrder: 'v1' };
	return { workflow: { name, nodes: [trigger], connections: {}, settings }, path: `${webhookId}/${id}` };
}
