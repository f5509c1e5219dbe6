import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmulator, type Emulator } from '../../emulator';
import { credentialFor } from '../emulatorCredentials';
import { waitFor } from '../wait';
import { makeRunFolder } from './installation';
import { startN8n, type N8n, type StartOptions } from './n8n';
import { makeCredential, publishWorkflow } from './workflows';

/** A real n8n that trusts an emulator and has a credential for it. */
export interface Stage {
	emulator: Emulator;
	n8n: N8n;
	/** That of the nodes for Dynamics 365, for the emulator. */
	credentialId: string;
	/** Imports a workflow and puts it into production. */
	publish: (id: string, workflow: object) => Promise<void>;
	/** Ends n8n, at once or in order, and starts it again with what it had. */
	restart: (how?: 'kill' | 'stop') => Promise<void>;
}

/** Waits until n8n has come to rest: for some seconds after it is ready it still loads things, and answers nobody. */
export async function atRest(url: string): Promise<void> {
	let quickAnswers = 0;
	await waitFor('n8n to come to rest', 120_000, async () => {
		const startedAt = performance.now();
		await fetch(`${url}/healthz`);
		quickAnswers = performance.now() - startedAt < 50 ? quickAnswers + 1 : 0;
		return quickAnswers >= 50;
	});
}

/**
 * Writes down which certificate n8n is to trust.
 * @returns the file, for {@link StartOptions}.
 */
export function certificateFileOf({ certificate }: Emulator, folder: string): string {
	const file = join(folder, 'emulator.pem');
	writeFileSync(file, certificate.cert);
	return file;
}

/**
 * Starts emulator and n8n, lets `play` work with them, and ends both whatever happens.
 * @param play what is to happen on it.
 * @param options settings of n8n beside the usual ones, and another installation of n8n than the usual one.
 */
export async function onStage<T>(
	play: (stage: Stage) => Promise<T>,
	options: Pick<StartOptions, 'env' | 'installation'> = {},
): Promise<T> {
	const runFolder = makeRunFolder();
	const emulator = await startEmulator({ port: 0, deskPort: 0 });
	const certificateFile = certificateFileOf(emulator, runFolder);
	let n8n = await startN8n({ ...options, runFolder, certificateFile });
	try {
		await atRest(n8n.url);
		const stage: Stage = {
			emulator,
			n8n,
			credentialId: await makeCredential(n8n, 'dynamics365MessagingApi', credentialFor(emulator), 'Emulator'),
			publish: async (id, workflow) => void (await publishWorkflow(stage.n8n, id, workflow)),
			restart: async (how = 'kill') => {
				await n8n[how]();
				n8n = await startN8n({ ...options, runFolder, certificateFile, before: n8n });
				stage.n8n = n8n;
			},
		};
		return await play(stage);
	} finally {
		await n8n.stop();
		await emulator.close();
		rmSync(runFolder, { recursive: true, force: true });
	}
}
