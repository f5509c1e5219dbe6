import { setTimeout as pause } from 'node:timers/promises';
import { waitUntilResponsive, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { forgetPeak, memoryOf, pidOf } from './process';
import { unwatched } from './profile';
import type { Chain, Run } from './service';

/** The pause after a start or a run until the memory is stable. */
const REST_MS = 2_000;

/** The last run, and the largest growth of n8n's memory during all of them, bytes. */
export interface MeasuredRun extends Run {
	growth: number;
	/** The time that its caller measured, milliseconds. It includes the time in which n8n stores the execution. */
	wholeMs: number;
}

/** Restarts n8n, so that its memory holds nothing of earlier runs. */
export async function startAnew(setup: N8nWithEmulator): Promise<void> {
	await setup.restart();
	await waitUntilResponsive(setup.n8n.url);
}

/** Runs a workflow, once for each body, one after the other, and watches the memory of n8n's process. */
export async function runWatched(
	{ n8n }: N8nWithEmulator,
	chain: Chain,
	bodies: object[],
	watch = unwatched,
): Promise<MeasuredRun> {
	await pause(REST_MS);
	const pid = pidOf(n8n);
	forgetPeak(pid);
	const { now } = memoryOf(pid);
	const startedAt = performance.now();
	await watch(async () => {
		for (const body of bodies) await chain.start(body);
	});
	const wholeMs = performance.now() - startedAt;
	const { peak } = memoryOf(pid);
	return { ...(await chain.lastRun()), growth: peak - now, wholeMs };
}
