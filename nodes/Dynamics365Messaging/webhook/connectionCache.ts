import type { IWebhookFunctions } from 'n8n-workflow';
import { connectionFrom, type Connection } from '../connection';

/**
 * n8n fetches and decrypts a credential each time it is asked for, and makes a sandbox for its expressions each time,
 * which takes longer than all else that the trigger does. So what was read serves the deliveries of some seconds; a
 * changed credential counts after them at the latest.
 */
const MAX_AGE_MS = 10_000;

/** Those that were just read, by trigger and credential. */
const connections = new Map<string, Promise<Connection>>();

async function readConnection(context: IWebhookFunctions): Promise<Connection> {
	return connectionFrom(await context.getCredentials('dynamics365MessagingApi'));
}

/**
 * The connection that the trigger's credential describes, read at most every ten seconds, and once by all deliveries that
 * come at the same time. Who tests the workflow in the editor gets what the credential says now.
 * @throws whatever n8n throws where there is no credential, InputError where it cannot be used; neither is remembered.
 */
export async function triggerConnection(context: IWebhookFunctions): Promise<Connection> {
	const { id, credentials } = context.getNode();
	const credentialId = credentials?.dynamics365MessagingApi?.id;
	if (!credentialId || context.getMode() === 'manual') return await readConnection(context);
	const key = JSON.stringify([context.getWorkflow().id, id, credentialId]);
	const known = connections.get(key);
	if (known) return await known;
	const read = readConnection(context);
	connections.set(key, read);
	const forget = () => connections.get(key) === read && connections.delete(key);
	// From the beginning of the read: one that never ends is not to hold up all deliveries to come.
	setTimeout(forget, MAX_AGE_MS).unref();
	read.catch(forget);
	return await read;
}
