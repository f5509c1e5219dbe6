import { randomUUID } from 'node:crypto';
import type { RequestEntry } from '../../../emulator';
import type { Stage } from '../../../tools/n8n/stage';
import { makeCredential } from '../../../tools/n8n/workflows';
import type { Json } from './httpStub';
import { type CredentialIds, type Filling, type Published, publishTemplate } from './support';

/** A header that only the test and its templates know. */
export interface Secret {
	credentialId: string;
	headers: Record<string, string>;
}

/** Makes the Header Auth credential that the notes of a template ask for. */
export async function makeSecret({ n8n }: Stage): Promise<Secret> {
	const [name, value] = ['x-channel-secret', randomUUID()];
	const credentialId = await makeCredential(n8n, 'httpHeaderAuth', { name, value });
	return { credentialId, headers: { [name]: value } };
}

/** The credential of the nodes for Dynamics 365, as a person chooses it. */
export function ownCredentials({ credentialId: id }: Stage): CredentialIds {
	const names = ['dynamics365Messaging', 'dynamics365MessagingTool', 'dynamics365MessagingTrigger'];
	return Object.fromEntries(
		names.map((name) => [`n8n-nodes-dynamics365-messaging.${name}`, { type: 'dynamics365MessagingApi', id }]),
	);
}

/** Publishes a template, and takes it out of production when `play` is over. */
export async function inProduction<T>(
	stage: Stage,
	name: string,
	filling: Filling,
	play: (published: Published) => Promise<T>,
): Promise<T> {
	// Whatever was played before: the channel is nobody's, so that the template's trigger can have it.
	stage.emulator.setWebhookUrl(null);
	const published = await publishTemplate(stage, name, filling);
	// Where it fails, the whole stage is taken down.
	const result = await play(published);
	await stage.emulator.idle();
	await stage.n8n.rest('POST', `/workflows/${published.id}/deactivate`, {});
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
export function callsSince({ emulator }: Stage, seq: number): RequestEntry[] {
	return emulator.log.filter((entry): entry is RequestEntry => entry.kind === 'request' && entry.seq > seq);
}
