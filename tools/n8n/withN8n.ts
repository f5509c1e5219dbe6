import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmulator, type Emulator } from '../../emulator';
import { credentialFor } from '../emulatorCredentials';
import { waitFor } from '../wait';
import { makeRunFolder } from './installation';
import { startN8n, type N8n, type StartOptions } from './n8n';
import { makeCredential, publishWorkflow } from './workflows';

/** A real n8n that trusts an emulator, and has a credential for it. */
export interface N8nWithEmulator {
	emulator: Emulator;
	n8n: N8n;
	/** The id of n8n's credential for the Messaging API of the emulator. */
	credentialId: string;
	/** Imports a workflow under an id, and activates it. */
	publish: (id: string, workflow: object) => Promise<void>;
	/** Ends n8n, by SIGKILL unless it is to stop in order, and starts it again with the same data, on the same port. */
	restart: (how?: 'kill' | 'stop') => Promise<void>;
}

/**
 * Waits until n8n answers without delay. For some seconds after it is ready, it still loads modules and does not answer.
 * @param url the origin of n8n.
 * @throws NotSeen after two minutes.
 *
 * @example
 * await setup.restart();
 * await waitUntilResponsive(setup.n8n.url);
 */
export async function waitUntilResponsive(url: string): Promise<void> {
	let quickAnswers = 0;
	await waitFor('n8n to come to rest', 120_000, async () => {
		const startedAt = performance.now();
		await fetch(`${url}/healthz`);
		quickAnswers = performance.now() - startedAt < 50 ? quickAnswers + 1 : 0;
		return quickAnswers >= 50;
	});
}

/**
 * Writes the emulator's certificate into a file, for n8n to trust.
 * @param folder must exist.
 * @returns the path of the file, for {@link StartOptions}.
 *
 * @example
 * const runFolder = makeRunFolder();
 * const n8n = await startN8n({ runFolder, certificateFile: writeCertificateFile(emulator, runFolder) });
 */
export function writeCertificateFile({ certificate }: Emulator, folder: string): string {
	const file = join(folder, 'emulator.pem');
	writeFileSync(file, certificate.cert);
	return file;
}

/**
 * Starts an emulator and n8n, passes them to `use`, and stops both, even if `use` throws.
 * @param use works with them.
 * @param options environment variables of n8n in addition to the usual ones, its port, and the installation of n8n.
 * @returns what `use` returns.
 * @throws what `use` throws, or Error when n8n does not start.
 *
 * @example
 * const status = await withN8n(async ({ credentialId, n8n, publish }) => {
 * 	const { workflow, path } = triggerWorkflow('First', credentialId);
 * 	await publish('first', workflow);
 * 	return (await fetch(`${n8n.url}/webhook/${path}`)).status;
 * });
 */
export async function withN8n<T>(
	use: (setup: N8nWithEmulator) => Promise<T>,
	options: Pick<StartOptions, 'env' | 'installation' | 'port'> = {},
): Promise<T> {
	const runFolder = makeRunFolder();
	const emulator = await startEmulator({ port: 0, deskPort: 0 });
	const certificateFile = writeCertificateFile(emulator, runFolder);
	let n8n = await startN8n({ ...options, runFolder, certificateFile });
	try {
		await waitUntilResponsive(n8n.url);
		const setup: N8nWithEmulator = {
			emulator,
			n8n,
			credentialId: await makeCredential(n8n, 'dynamics365MessagingApi', credentialFor(emulator), 'Emulator'),
			publish: async (id, workflow) => void (await publishWorkflow(setup.n8n, id, workflow)),
			restart: async (how = 'kill') => {
				await n8n[how]();
				n8n = await startN8n({ ...options, runFolder, certificateFile, before: n8n });
				setup.n8n = n8n;
			},
		};
		return await use(setup);
	} finally {
		await n8n.stop();
		await emulator.close();
		rmSync(runFolder, { recursive: true, force: true });
	}
}
