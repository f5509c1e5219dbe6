import { setTimeout as pause } from 'node:timers/promises';
import { waitUntilResponsive, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { forgetPeak, memoryOf, pidOf } from './process';
import type { Chain, Run } from './service';

/** After a start or a run, until memory is what it is. */
const REST_MS = 2_000;

/** A run, and by how much n8n's memory grew for it at the most, bytes, beyond what it had before. */
export interface MeasuredRun extends Run {
	growth: number;
	/** What it took as its caller saw it, milliseconds: with what n8n does to keep it. */
	wholeMs: number;
}

/** Starts n8n anew, so that nothing is in memory of what it did before. */
export async function startAnew(setup: N8nWithEmulator): Promise<void> {
	await setup.restart();
	await waitUntilResponsive(setup.n8n.url);
}

/** Runs a workflow and watches the memory of n8n's process. */
export async function runWatched({ n8n }: N8nWithEmulator, chain: Chain, body: object): Promise<MeasuredRun> {
	await pause(REST_MS);
	const pid = pidOf(n8n);
	forgetPeak(pid);
	const { now } = memoryOf(pid);
	const startedAt = performance.now();
	await chain.start(body);
	const wholeMs = performance.now() - startedAt;
	const { peak } = memoryOf(pid);
	return { ...(await chain.lastRun()), growth: peak - now, wholeMs };
}
