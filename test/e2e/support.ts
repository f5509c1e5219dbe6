import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { importWorkflow, makeRunFolder, startN8n, type N8n, type StartOptions } from '../../demo/n8n';
import { waitFor } from '../../demo/wait';
import { startEmulator, type Emulator } from '../../emulator';

/** A real n8n that trusts an emulator and has a credential for it. */
export interface Stage {
	emulator: Emulator;
	n8n: N8n;
	credentialId: string;
	/** Imports a workflow and puts it into production. */
	publish: (id: string, workflow: object) => Promise<void>;
	/** Kills n8n and starts it again with what it had. */
	restart: () => Promise<void>;
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
 * Starts emulator and n8n, lets `play` work with them, and ends both whatever happens.
 * @param play what is to happen on it.
 * @param options settings of n8n beside the demo's, and another installation of n8n than the demo's.
 */
export async function onStage<T>(
	play: (stage: Stage) => Promise<T>,
	options: Pick<StartOptions, 'env' | 'installation'> = {},
): Promise<T> {
	const runFolder = makeRunFolder();
	const emulator = await startEmulator({ port: 0, deskPort: 0 });
	const certificateFile = join(runFolder, 'emulator.pem');
	writeFileSync(certificateFile, emulator.certificate.cert);
	let n8n = await startN8n({ ...options, runFolder, certificateFile });
	try {
		const { tenantId, clientId, clientSecret, organizationId, geo, channelId } = emulator.world;
		const { origin } = emulator;
		const urls = { baseUrl: origin, authorityHost: origin, environmentUrl: origin };
		const data = { tenantId, clientId, clientSecret, organizationId, geo, channelId };
		const { id: credentialId } = await n8n.rest<{ id: string }>('POST', '/credentials', {
			name: 'Emulator',
			type: 'dynamics365MessagingApi',
			data: { ...data, zone: '', scope: '', ...urls },
		});
		const publish = async (id: string, workflow: object) => {
			const file = join(runFolder, `${id}.json`);
			writeFileSync(file, JSON.stringify(workflow));
			await importWorkflow(n8n, id, file, {});
		};
		await atRest(n8n.url);
		const stage: Stage = {
			emulator,
			n8n,
			credentialId,
			publish,
			restart: async () => {
				await n8n.kill();
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

/**
 * Posts an activity as Dynamics does.
 * @param patienceMs after which the caller gives up; undefined for never.
 * @returns the status, or undefined where the caller gave up before the answer.
 */
export async function post(
	url: URL,
	token: string,
	body: string,
	patienceMs?: number,
): Promise<number | undefined> {
	return await new Promise((resolve, reject) => {
		let answered = false;
		let gaveUp = false;
		const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
		const sent = request(url, { method: 'POST', headers }, (answer) => {
			answered = true;
			answer.resume().on('end', () => resolve(answer.statusCode));
		});
		sent.on('error', (error) => (gaveUp ? resolve(undefined) : reject(error)));
		sent.end(body, () => {
			if (patienceMs === undefined) return;
			setTimeout(() => {
				if (answered) return;
				gaveUp = true;
				sent.destroy();
			}, patienceMs);
		});
	});
}

/** Prints what was checked and how it went, and gives the exit code. */
export function report(name: string, checks: Record<string, boolean>): number {
	const failed = Object.entries(checks).filter(([, good]) => !good);
	for (const [what] of failed) console.log(`  ✗ ${what}`);
	console.log(`${name}: ${Object.keys(checks).length - failed.length} passed, ${failed.length} failed`);
	return failed.length === 0 ? 0 : 1;
}

/** Runs a script's main function and ends the process with its exit code. */
export function runMain(main: () => Promise<number>): void {
	main().then(
		(code) => process.exit(code),
		(error: unknown) => {
			console.error(error);
			process.exit(1);
		},
	);
}
