import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { startEmulator, type Emulator, type EmulatorOptions, type LogEntry } from '../../emulator';

/** An emulator on free ports, with the certificate that this run's Node.js trusts. */
export async function testEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
	const folder = process.env.TEST_CERTIFICATE_FOLDER;
	if (folder === undefined) throw new Error('test/support/globalSetup.ts has not run');
	const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
	const certificate = { key: pem('key.pem'), cert: pem('cert.pem') };
	return await startEmulator({ port: 0, deskPort: 0, certificate, contextLagMs: 0, ...options });
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
	};
}

/** The entries of one kind, in order. */
export function entries<K extends LogEntry['kind']>(
	emulator: Emulator,
	kind: K,
): Array<Extract<LogEntry, { kind: K }>> {
	return emulator.log.filter((entry): entry is Extract<LogEntry, { kind: K }> => entry.kind === kind);
}
