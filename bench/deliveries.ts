// Deliveries to a trigger in n8n, as many at once as there are callers, until all of their executions have ended.
import { randomUUID } from 'node:crypto';
import type { N8nWithEmulator } from '../tools/n8n/withN8n';
import { waitFor } from '../tools/wait';
import { message } from '../emulator/messaging/activities';
import { cpuMs, pidOf } from './process';
import { type Call, saturate } from './saturate';

/** How many call at the same time, unless a benchmark says otherwise. */
export const CALLERS = 16;
const SETTLE_MS = 120_000;

/** What a representative writes: some 200 characters with Markdown, about an order. */
export const textOf = (order: string): string =>
	`Thank you for waiting. Your order **${order}** left our warehouse; [follow it](https://contoso.example/track) any time.<br>Is there _anything else_ that I can do for you?`;

/** A workflow that takes deliveries. */
export interface Contender {
	label: string;
	workflowId: string;
	/** The address below which Dynamics posts, relative to n8n's. */
	path: string;
	workflow: object;
}

/** The result of one contender in one round. */
export interface Round {
	/** Deliveries answered 200 in a second. */
	answered: number;
	/** Deliveries whose executions had ended, in a second. */
	executed: number;
	/** Processor time of n8n's process for each delivery, with its execution, milliseconds. */
	cpuMs: number;
	/** How long each delivery took until it was answered, milliseconds. */
	latencies: number[];
}

/** Deliveries of a representative's messages, each of another text, as the service sends them; in 50 conversations. */
export function deliveriesTo(
	{ n8n, emulator }: N8nWithEmulator,
	{ path }: Contender,
	token: string,
	count: number,
): Call[] {
	const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
	return Array.from({ length: count }, (_, index) => {
		const conversationId = `c0ffee00-0000-4000-8000-${String(index % 50).padStart(12, '0')}`;
		const activity = message(
			{ channelId: emulator.world.channelId, id: conversationId },
			{ id: emulator.world.servicePrincipalId, name: 'Amber Rodriguez' },
			{
				text: textOf(randomUUID()),
			},
		);
		return {
			url: new URL(`${n8n.url}/webhook/${path}/v3/conversations/${conversationId}/activities`),
			headers,
			body: JSON.stringify(activity),
		};
	});
}

/** How many executions of a workflow have one of these states, and when the last of the newest hundred ended. */
async function executionsOf({ n8n }: N8nWithEmulator, workflowId: string, status: string[]) {
	const filter = encodeURIComponent(JSON.stringify({ workflowId, status }));
	const { count, results } = await n8n.rest<{ count: number; results: Array<{ stoppedAt?: string }> }>(
		'GET',
		`/executions?limit=100&filter=${filter}`,
	);
	const endedAt = Math.max(...results.map(({ stoppedAt }) => (stoppedAt ? Date.parse(stoppedAt) : 0)));
	return { count, endedAt };
}

const GOOD = ['success'];
const NOT_GOOD = ['new', 'running', 'waiting', 'error', 'crashed', 'canceled', 'unknown'];

/**
 * Lets a contender take deliveries as fast as it can, and waits until all that follows from them is done.
 * @param callers how many call at the same time.
 * @throws Error where a delivery has no execution, or more than one.
 */
export async function roundOf(
	setup: N8nWithEmulator,
	contender: Contender,
	token: string,
	count: number,
	callers = CALLERS,
): Promise<Round> {
	const { workflowId, label } = contender;
	const { count: before } = await executionsOf(setup, workflowId, GOOD);
	const calls = deliveriesTo(setup, contender, token, count);
	const pid = pidOf(setup.n8n);
	const cpuBefore = cpuMs(pid);
	const startedAt = Date.now();
	const { latencies, elapsed } = await saturate(calls, callers);
	const { count: after, endedAt } = await waitFor(`the executions of: ${label}`, SETTLE_MS, async () => {
		const left = await executionsOf(setup, workflowId, NOT_GOOD);
		const good = await executionsOf(setup, workflowId, GOOD);
		return left.count === 0 && good.count >= before + count && good;
	});
	if (after !== before + count) {
		throw new Error(`${label}: ${count} deliveries had ${after - before} executions`);
	}
	return {
		answered: (count / elapsed) * 1000,
		executed: (count / (endedAt - startedAt)) * 1000,
		cpuMs: (cpuMs(pid) - cpuBefore) / count,
		latencies,
	};
}
