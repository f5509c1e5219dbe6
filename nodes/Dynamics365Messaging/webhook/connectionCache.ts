import type { IWebhookFunctions } from 'n8n-workflow';
import { connectionFrom, requireChannel, type Connection } from '../connection';

/**
 * How long a credential is kept. n8n fetches and decrypts it for each request and makes a sandbox for its expressions,
 * which takes longer than the rest of the trigger's work. A changed credential takes effect after this time.
 */
const MAX_AGE_MS = 10_000;

/** The connections that were read, or are being read, by trigger and credential. */
const connections = new Map<string, Promise<Connection>>();

async function readConnection(context: IWebhookFunctions): Promise<Connection> {
	return requireChannel(connectionFrom(await context.getCredentials('dynamics365MessagingApi')));
}

/**
 * Returns the connection of the trigger's credential. It is read at most every ten seconds, and once for all deliveries
 * that come at the same time. A test in the editor reads it anew.
 * @throws n8n's error where there is no credential, InputError where it cannot be used; no failure is kept.
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
	// Counted from the start of the read, so that one that never ends does not block all later deliveries.
	setTimeout(forget, MAX_AGE_MS).unref();
	read.catch(forget);
	return await read;
}
