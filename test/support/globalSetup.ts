import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../emulator/certificate';

/**
 * Makes the certificate that every emulator of this run uses and has Node.js trust it, as n8n is made to trust it in
 * the demo: through NODE_EXTRA_CA_CERTS, which the test workers read when they start.
 */
export default async function globalSetup(): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), 'dynamics365-messaging-test-'));
	const { key, cert } = await makeCertificate();
	writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
	writeFileSync(join(folder, 'cert.pem'), cert);
	process.env.NODE_EXTRA_CA_CERTS = join(folder, 'cert.pem');
	process.env.TEST_CERTIFICATE_FOLDER = folder;
	// n8n-core keeps its settings in the user's home unless told otherwise.
	process.env.N8N_USER_FOLDER = folder;
	process.env.N8N_LOG_LEVEL = 'silent';
	// isolated-vm, the newer engine, has no binary for Node.js 20.
	process.env.N8N_EXPRESSION_ENGINE = 'legacy';
}
