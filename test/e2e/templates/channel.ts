import { randomUUID } from 'node:crypto';
import type { RequestEntry } from '../../../emulator';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import type { Json } from './httpStub';
import {
	type CredentialIds,
	type Filling,
	type Published,
	publishTemplate,
} from '../../../tools/n8n/templates';

/** A secret header of the test and its templates. */
export interface Secret {
	credentialId: string;
	headers: Record<string, string>;
}

/** Makes the Header Auth credential that the notes of a template ask for. */
export async function makeSecret({ n8n }: N8nWithEmulator): Promise<Secret> {
	const [name, value] = ['x-channel-secret', randomUUID()];
	const credentialId = await makeCredential(n8n, 'httpHeaderAuth', { name, value });
	return { credentialId, headers: { [name]: value } };
}

/** The credential of the nodes for Dynamics 365, as a person chooses it. */
export function ownCredentials({ credentialId: id }: N8nWithEmulator): CredentialIds {
	const names = ['dynamics365Messaging', 'dynamics365MessagingTool', 'dynamics365MessagingTrigger'];
	return Object.fromEntries(
		names.map((name) => [`n8n-nodes-dynamics365-messaging.${name}`, { type: 'dynamics365MessagingApi', id }]),
	);
}

/** Publishes a template, passes it to `use`, and deactivates it at the end. */
export async function inProduction<T>(
	setup: N8nWithEmulator,
	name: string,
	filling: Filling,
	use: (published: Published) => Promise<T>,
): Promise<T> {
	// An earlier template may have left its URL here, which would keep this template's trigger from registering.
	setup.emulator.setWebhookUrl(null);
	const published = await publishTemplate(setup, name, filling);
	// If it fails, n8n and the emulator are stopped anyway.
	const result = await use(published);
	await setup.emulator.idle();
	await setup.n8n.rest('POST', `/workflows/${published.id}/deactivate`, {});
	return result;
}

/** Sets fields of a template's node “Settings”, and throws where it has no such field. */
export function settings(values: Record<string, string>): Filling['set'] {
	return ({ name, parameters }) => {
		if (name !== 'Settings') return;
		const { assignments } = parameters.assignments as { assignments: Array<{ name: string; value: string }> };
		for (const [field, value] of Object.entries(values)) {
			const found = assignments.find((one) => one.name === field);
			if (!found) throw new Error(`The node Settings has no field ${field}`);
			found.value = value;
		}
	};
}

/** Posts JSON to a webhook, and reads what it answers. */
export async function say(
	url: string,
	body: Json,
	headers: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
	const response = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body),
	});
	const text = await response.text();
	return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Json) : { text } };
}

/** The calls of the Messaging API that were made since `seq`. */
export function callsSince({ emulator }: N8nWithEmulator, seq: number): RequestEntry[] {
	return emulator.log.filter((entry): entry is RequestEntry => entry.kind === 'request' && entry.seq > seq);
}

/** Whether a message of the emulator was marked as automated: a workflow wrote it, and no person. */
export function isAutomated({ channelData }: { channelData: Record<string, unknown> }): boolean {
	return 'messagingapi-oc' in channelData;
}
