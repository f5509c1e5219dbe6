import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { waitFor } from '../wait';
import type { N8n } from './n8n';

/** A workflow as n8n's REST interface takes and gives it, as far as it is looked at here. */
export interface Workflow {
	id: string;
	name: string;
	versionId: string;
	nodes: Array<{ id: string; name: string; type: string; webhookId?: string }>;
}

/** n8n registers webhooks some time after a workflow was activated. */
interface Publication {
	status: string;
	triggers: Array<{ errorMessage: string | null }>;
}

/**
 * Reads a workflow's file.
 * @param placeholders what stands in the file for what is known only now, and what that is.
 */
export function readWorkflow(file: string, placeholders: Record<string, string> = {}): object {
	const text = Object.entries(placeholders).reduce(
		(filled, [placeholder, value]) => filled.replaceAll(placeholder, value),
		readFileSync(file, 'utf8'),
	);
	return JSON.parse(text) as object;
}

/** Makes a workflow with an id of our own, and puts it into production. */
export async function publishWorkflow(n8n: N8n, id: string, workflow: object): Promise<Workflow> {
	const made = await n8n.rest<Workflow>('POST', '/workflows', { ...workflow, id, active: false });
	await activate(n8n, made);
	return made;
}

/**
 * Puts a workflow into production, and returns when n8n has done so: until then it has not kept what the triggers
 * remember, and forgets it if it is killed.
 */
export async function activate(n8n: N8n, { id, name }: Pick<Workflow, 'id' | 'name'>): Promise<void> {
	const { versionId } = await n8n.rest<Workflow>('GET', `/workflows/${id}`);
	await n8n.rest('POST', `/workflows/${id}/activate`, { versionId });
	await waitFor(`n8n to register the webhooks of "${name}"`, 60_000, async () => {
		const { status, triggers } = await n8n
			.rest<Publication>('GET', `/workflows/${id}/publication-status`)
			.catch((error: unknown) => {
				// n8n 1 has none: there the call above has done it.
				if (String(error).includes(' with 404')) return { status: 'published', triggers: [] };
				throw error;
			});
		const failed = triggers.find(({ errorMessage }) => errorMessage);
		if (failed) throw new Error(`n8n cannot activate "${name}": ${failed.errorMessage}`);
		return status === 'published';
	});
}

/**
 * Makes a credential in n8n.
 * @param type of the credential, e.g. `dynamics365MessagingApi`.
 * @param data what a person would type into its fields.
 * @returns its id.
 */
export async function makeCredential(n8n: N8n, type: string, data: object, name = type): Promise<string> {
	const { id } = await n8n.rest<{ id: string }>('POST', '/credentials', { name, type, data });
	return id;
}

/**
 * A workflow of the trigger alone.
 * @param credentialId of the credential for Dynamics 365.
 * @param parameters of the trigger; those that it has when it is dropped into a workflow by default.
 * @returns the workflow, and the path of the trigger below n8n's `/webhook/`.
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
		parameters,
		credentials: { dynamics365MessagingApi: { id: credentialId, name: 'Emulator' } },
	};
	const settings = { executionOrder: 'v1' };
	return { workflow: { name, nodes: [trigger], connections: {}, settings }, path: `${webhookId}/${id}` };
}
