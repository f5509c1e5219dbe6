import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../../nodes/Dynamics365Messaging/connection';
import { messagingClient } from '../../nodes/Dynamics365Messaging/messagingApi/client';
import type { Json } from '../../nodes/shared/json';
import type { SendRequest, ServiceRequest } from '../../nodes/shared/transport/request';
import type { Throttle } from '../../nodes/shared/transport/throttle';
import { look } from './leaks';
import { startEmulator, type Emulator, type EmulatorOptions, type LogEntry } from '../../emulator';

export { communicationCredential, credentialFor } from '../../tools/emulatorCredentials';

/** The origins of this file's emulators. */
const origins = new Set<string>();

/**
 * Starts an emulator at an origin that no other emulator of this test file had. The package caches an authority's
 * tokens and keys, which would not be valid at a new emulator of the same origin: the first call would get a 401.
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

/** The entries of one kind, in order. */
export function entries<K extends LogEntry['kind']>(
	emulator: Emulator,
	kind: K,
): Array<Extract<LogEntry, { kind: K }>> {
	return emulator.log.filter((entry): entry is Extract<LogEntry, { kind: K }> => entry.kind === kind);
}

/** The call that starts a conversation without a customer id. */
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
