import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import type { Connection } from '../../nodes/Dynamics365Messaging/connection';
import { messagingClient } from '../../nodes/Dynamics365Messaging/messagingApi/client';
import type { Json } from '../../nodes/shared/json';
import type { SendRequest, ServiceRequest } from '../../nodes/shared/transport/request';
import type { Throttle } from '../../nodes/shared/transport/throttle';
import { look } from './leaks';
import { startEmulator, type Emulator, type EmulatorOptions, type LogEntry } from '../../emulator';

/** The origins of this file's emulators. */
const origins = new Set<string>();

/**
 * Starts an emulator at an origin that no other of this test file had: what the package remembers of an authority, its
 * tokens and keys, would meet a stranger there, and the first call a 401.
 */
async function startElsewhere(options: EmulatorOptions): Promise<Emulator> {
	const emulator = await startEmulator(options);
	if (options.port !== 0 || !origins.has(emulator.origin)) {
		origins.add(emulator.origin);
		return emulator;
	}
	await emulator.close();
	return await startElsewhere(options);
}

/** An emulator on free ports, with the certificate that this run's Node.js trusts. */
export async function testEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
	const folder = process.env.TEST_CERTIFICATE_FOLDER;
	if (folder === undefined) throw new Error('test/support/globalSetup.ts has not run');
	const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
	const certificate = { key: pem('key.pem'), cert: pem('cert.pem') };
	const emulator = await startElsewhere({
		port: 0,
		deskPort: 0,
		certificate,
		contextLagMs: 0,
		...options,
	});
	const close = async () => {
		look('the emulator’s log', emulator.log);
		await emulator.close();
	};
	return { ...emulator, close };
}

/** What a person would type into the credential for an emulator. */
export function credentialFor({ origin, world }: Emulator): ICredentialDataDecryptedObject {
	return {
		tenantId: world.tenantId,
		clientId: world.clientId,
		clientSecret: world.clientSecret,
		organizationId: world.organizationId,
		geo: 'eu',
		channelId: world.channelId,
		zone: world.zone,
		baseUrl: origin,
		authorityHost: origin,
		scope: '',
		environmentUrl: origin,
	};
}

/** The credential for Azure Communication Services, by how the resource is shown who calls. */
export function communicationCredential(
	{ origin, world }: Emulator,
	authentication: 'clientSecret' | 'accessKey' | 'userToken' = 'clientSecret',
): ICredentialDataDecryptedObject {
	const common = { authentication, endpoint: origin, apiVersion: '2025-04-01-preview' };
	if (authentication === 'accessKey') return { ...common, secretAccessKey: world.communicationAccessKey };
	if (authentication === 'userToken') return { ...common, userToken: world.communicationUserToken };
	const { tenantId, clientId, clientSecret } = world;
	return { ...common, tenantId, clientId, clientSecret, authorityHost: origin, scope: '' };
}

/** The entries of one kind, in order. */
export function entries<K extends LogEntry['kind']>(
	emulator: Emulator,
	kind: K,
): Array<Extract<LogEntry, { kind: K }>> {
	return emulator.log.filter((entry): entry is Extract<LogEntry, { kind: K }> => entry.kind === kind);
}

/** The call that opens a conversation of nobody. */
export const openCall = {
	method: 'POST',
	path: '/conversation/create',
	body: {},
	isIdempotent: false,
	howToVerify: 'Look in the conversation.',
} as const satisfies SendRequest;

/** Makes a call of the Messaging API and gives its JSON. By default nothing is tried again. */
export async function callMessagingApi(
	connection: Connection,
	request: ServiceRequest,
	throttle?: Throttle,
): Promise<Json> {
	return (await messagingClient(connection, throttle).call(request)).json;
}
