// Checks the trigger in a real n8n at a realistic rate. 2,000 deliveries at 10 a second, every third one repeated as
// Dynamics repeats it, must give exactly 2,000 executions, one of each, without a 5xx and without a late answer.
import { setTimeout as pause } from 'node:timers/promises';
import { unflatten } from '../../tools/n8n/executions';
import type { N8n } from '../../tools/n8n/n8n';
import { withN8n } from '../../tools/n8n/withN8n';
import { triggerWorkflow } from '../../tools/n8n/workflows';
import { post } from '../../tools/post';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';
import type { Emulator } from '../../emulator';

const DELIVERIES = Number(process.env.E2E_DELIVERIES ?? 2000);
const isWhole = DELIVERIES >= 2000;
const INTERVAL_MS = 100;
const SLOWEST_ANSWER_MS = 5_000;
/** How long a caller that gives up waits: less than n8n takes to answer, so that the answer is lost. */
const PATIENCE_MS = 8;
/** Dynamics tries again some time after it gave up. */
const RETRY_AFTER_MS = 1_000;

interface Tally {
	statuses: Map<number, number>;
	slowestMs: number;
	/** Tries whose caller disconnected before the answer. */
	callerDisconnected: number;
}

/** Posts one try and tallies its answer. */
async function tryOnce(
	url: URL,
	token: string,
	body: string,
	tally: Tally,
	patienceMs?: number,
): Promise<number | undefined> {
	const startedAt = performance.now();
	const status = await post(url, token, body, patienceMs);
	if (status === undefined) {
		tally.callerDisconnected++;
	} else {
		tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
		tally.slowestMs = Math.max(tally.slowestMs, performance.now() - startedAt);
	}
	return status;
}

/** One delivery as Dynamics makes it: of every three, one is tried again, as its answer was lost one way or another. */
async function deliver(index: number, base: string, token: string, tally: Tally): Promise<void> {
	const conversationId = `c0ffee00-0000-4000-8000-${String(index % 50).padStart(12, '0')}`;
	const withId = index % 2 === 0;
	const body = JSON.stringify({
		type: 'message',
		...(withId && { id: String(1_756_399_395_730 + index) }),
		conversation: { id: conversationId },
		text: `delivery ${index}`,
	});
	const url = new URL(`${base}/v3/conversations/${conversationId}/activities`);
	const isRepeated = index % 3 === 2;
	// With an id, the answer is lost after n8n has sent it. Without one, n8n sees that the caller has disconnected.
	const first = await tryOnce(url, token, body, tally, isRepeated && !withId ? PATIENCE_MS : undefined);
	const isDone = first === 200 && (!isRepeated || !withId);
	if (isDone) return;
	// Two more tries, as Dynamics makes them, until one is answered 200.
	for (let tries = 1; tries < 3; tries++) {
		await pause(RETRY_AFTER_MS);
		if ((await tryOnce(url, token, body, tally)) === 200) return;
	}
}

async function textsOfExecutions(n8n: N8n): Promise<string[]> {
	const texts: string[] = [];
	let cursor: string | null = '';
	while (cursor !== null) {
		const path: string = `/executions?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`;
		const { results, nextCursor }: { results: Array<{ id: string }>; nextCursor: string | null } =
			await n8n.rest('GET', path);
		const page = await Promise.all(
			results.map(async ({ id }) => {
				const { data } = await n8n.rest<{ data: string }>('GET', `/executions/${id}`);
				return (
					/"(delivery \d+)"/.exec(JSON.stringify(unflatten(data)))?.[1] ?? `execution ${id} holds no delivery`
				);
			}),
		);
		texts.push(...page);
		cursor = nextCursor;
	}
	return texts;
}

async function countExecutions(n8n: N8n): Promise<number> {
	return (await n8n.rest<{ count: number }>('GET', '/executions?limit=1')).count;
}

async function deliverAll(emulator: Emulator, base: string): Promise<Tally> {
	const tally: Tally = { statuses: new Map(), slowestMs: 0, callerDisconnected: 0 };
	const token = await emulator.issueDeliveryToken();
	const all: Array<Promise<void>> = [];
	const startedAt = performance.now();
	for (let index = 0; index < DELIVERIES; index++) {
		await pause(Math.max(0, startedAt + index * INTERVAL_MS - performance.now()));
		all.push(deliver(index, base, token, tally));
		if (index % 500 === 499) console.log(`  … ${index + 1} delivered`);
	}
	await Promise.all(all);
	return tally;
}

runMain(
	async () =>
		await withN8n(async ({ emulator, n8n, credentialId, publish }) => {
			const { workflow, path } = triggerWorkflow('Deliveries', credentialId);
			await publish('deliveries', workflow);
			const tally = await deliverAll(emulator, `${n8n.url}/webhook/${path}`);
			await waitFor(
				`${DELIVERIES} executions`,
				60_000,
				async () => (await countExecutions(n8n)) >= DELIVERIES,
			);

			const texts = await textsOfExecutions(n8n);
			const twice = texts.filter((text, index) => texts.indexOf(text) !== index);
			const statuses = [...tally.statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
			console.log(`  answers: ${statuses}; tries whose caller had gone: ${tally.callerDisconnected}`);
			console.log(`  slowest answer: ${Math.round(tally.slowestMs)} ms`);
			console.log(
				`  executions: ${texts.length}, of them twice: ${twice.length} ${twice.slice(0, 5).join(', ')}`,
			);
			return report('deliveries', {
				'exactly one execution of each': texts.length === DELIVERIES && new Set(texts).size === DELIVERIES,
				// On a busy machine, single times are not conclusive. Only the time of the whole run is checked.
				'every answer is 200': !isWhole || [...tally.statuses.keys()].every((status) => status === 200),
				'the slowest answer comes in time': !isWhole || tally.slowestMs < SLOWEST_ANSWER_MS,
				'some callers had gone before the answer': tally.callerDisconnected > 0,
			});
		}),
);
