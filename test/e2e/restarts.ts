// What the trigger promises with "When Workflow Succeeds" behind the proxy of deploy/one-n8n, while n8n is killed and
// restarted under load: every delivery is accepted at one of its three tries, none is lost, none is out of order, and only
// what ran at a kill may be said twice. It holds whether or not Dynamics has a conversation's deliveries wait for one another.
import { setTimeout as pause } from 'node:timers/promises';
import { sendNode, workflowOf } from '../../tools/n8n/echoWorkflow';
import { withN8n, type N8nWithEmulator } from '../../tools/n8n/withN8n';
import {
	activityOf,
	arrivals,
	evaluate,
	isUnderWayAt,
	type Delivery,
	type Outcome,
} from '../../tools/outcome';
import { post } from '../../tools/post';
import { startProxy } from '../../tools/proxy';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';
import type { Emulator } from '../../emulator';

const isShort = process.env.RESTARTS !== 'full';
const DELIVERIES = isShort ? 100 : 300;
const PER_SECOND = 5;
const CONVERSATIONS = 20;
const FAULTS: Array<'kill' | 'stop'> = isShort ? ['kill', 'stop'] : ['kill', 'stop', 'kill', 'stop', 'kill'];
/** How many are delivered around each of them. */
const PART = DELIVERIES / FAULTS.length;
/** How long the service takes for a message, so that a kill finds some under way. */
const SERVICE_MS = 300;
/**
 * How long Dynamics waits between two tries is not documented. What runs at a kill has two tries left, and the proxy holds each
 * for 9 seconds: n8n has 28 seconds to come back. That is enough on a machine of two cores that is busy.
 */
const RETRY_DELAY_MS = 5_000;

interface Played {
	deliveries: Delivery[];
	outcome: Outcome;
	/** When n8n was killed, epoch milliseconds. */
	killedAt: number[];
}

/** Has the emulator deliver a part of them at a pace; returns when each was accepted or given up. */
async function deliver(emulator: Emulator, from: number, count: number): Promise<Delivery[]> {
	const conversations = emulator.desk.list().map(({ id }) => id);
	const deliveries: Delivery[] = [];
	const startedAt = Date.now();
	for (let index = 0; index < count; index++) {
		await pause(Math.max(0, startedAt + (index * 1000) / PER_SECOND - Date.now()));
		const number = from + index;
		const conversationId = conversations[number % conversations.length]!;
		const entry = emulator.desk.deliver(conversationId, activityOf(number, conversationId));
		deliveries.push({ number, conversationId, entry });
	}
	await emulator.idle();
	return deliveries;
}

/** Deliveries that start no run are answered 200 behind the proxy, too: a repeat, and a kind that is not wanted. */
async function dropsAtOnce(emulator: Emulator, conversationId: string): Promise<boolean> {
	const said = { ...activityOf(0, conversationId), id: 'repeated' };
	const entries = [said, said, { ...said, type: 'typing', id: 'typing' }].map((activity) =>
		emulator.desk.deliver(conversationId, activity),
	);
	await emulator.idle();
	return entries.every(({ tries }) => tries.length === 1 && tries[0]?.status === 200);
}

/** What is posted below the activity to which it replies is the same delivery: it runs once, by whichever path it comes. */
async function runsOnceBelowAnActivity(
	emulator: Emulator,
	webhookUrl: string,
	conversationId: string,
): Promise<boolean> {
	const token = await emulator.issueDeliveryToken();
	const body = JSON.stringify({ ...activityOf(0, conversationId), text: 'a reply', id: 'reply' });
	const activities = `${webhookUrl}/v3/conversations/${conversationId}/activities`;
	const statuses: Array<number | undefined> = [];
	for (const url of [`${activities}/42`, `${activities}/43`, activities])
		statuses.push(await post(new URL(url), token, body));
	const said = emulator.log.filter(
		(entry) => entry.kind === 'request' && (entry.body as { text?: unknown } | undefined)?.text === 'a reply',
	);
	return statuses.every((status) => status === 200) && said.length === 1;
}

/** Ends n8n after a while and starts it again; returns when it was ended. */
async function strike({ restart }: N8nWithEmulator, how: 'kill' | 'stop'): Promise<number> {
	await pause((0.3 * PART * 1000) / PER_SECOND);
	const endedAt = Date.now();
	await restart(how);
	console.log(`  ${how}: back after ${((Date.now() - endedAt) / 1000).toFixed(1)} s`);
	return endedAt;
}

function judge(what: string, { deliveries, outcome, killedAt }: Played): Record<string, boolean> {
	const { givenUp, lost, twice, outOfOrder } = outcome;
	const tries = deliveries.flatMap(({ entry }) => entry.tries);
	const underWay = deliveries.filter((delivery) => killedAt.some((time) => isUnderWayAt(time, delivery)));
	const numbers = underWay.map(({ number }) => number);
	const list = (some: unknown[]) => some.join(', ') || 'none';
	console.log(
		`  ${what}: ${deliveries.length} deliveries, ${tries.length} tries, other answers than 200: ${JSON.stringify(outcome.otherAnswers)}`,
	);
	console.log(
		`  given up: ${list(givenUp)}; lost: ${list(lost)}; under way at a kill: ${list(numbers)}; said twice: ${list(twice)}; out of order: ${list(outOfOrder.map((some) => some.join(' ')))}`,
	);
	return {
		[`${what}: all accepted`]: givenUp.length === 0,
		[`${what}: none lost`]: lost.length === 0,
		[`${what}: none out of order`]: outOfOrder.length === 0,
		[`${what}: said twice only what ran at a kill`]: twice.every((number) => numbers.includes(number)),
	};
}

async function play(setup: N8nWithEmulator, oneAtATime: boolean): Promise<Played> {
	const { emulator } = setup;
	Object.assign(emulator.settings.delivery, { oneAtATime, retryDelayMs: RETRY_DELAY_MS });
	const start = emulator.log.length;
	const startedAt = Date.now();
	const deliveries: Delivery[] = [];
	const killedAt: number[] = [];
	// Two outages within the tries of one delivery are more than three tries stand: the next one comes when all are done.
	for (const how of FAULTS) {
		const [part, endedAt] = await Promise.all([
			deliver(emulator, deliveries.length, PART),
			strike(setup, how),
		]);
		deliveries.push(...part);
		if (how === 'kill') killedAt.push(endedAt);
	}
	const { byConversation, lastAt } = arrivals(emulator, start);
	const outcome = evaluate(deliveries, byConversation, (lastAt - startedAt) / 1000);
	return { deliveries, outcome, killedAt };
}

runMain(
	async () =>
		await withN8n(async (setup) => {
			const { emulator, n8n, credentialId, publish } = setup;
			const proxy = await startProxy('one-n8n', { N8N_UPSTREAM: new URL(n8n.url).host });
			try {
				const send = sendNode(credentialId);
				const { workflow, path } = workflowOf(
					'Restarts',
					credentialId,
					{ events: ['message'], respond: 'onSuccess' },
					[send],
				);
				await publish('restarts', workflow);
				emulator.addConversations(CONVERSATIONS);
				emulator.settings.faults = [
					{ match: { operationId: 'sendActivity' }, action: { delayMs: SERVICE_MS } },
				];
				emulator.setWebhookUrl(`${proxy.url}/webhook/${path}`);
				await waitFor('the proxy to find n8n', 15_000, async () => (await fetch(`${proxy.url}/healthz`)).ok);
				const [conversation] = emulator.desk.list();
				const isDropped = await dropsAtOnce(emulator, conversation?.id ?? '');
				const isOne = await runsOnceBelowAnActivity(
					emulator,
					`${proxy.url}/webhook/${path}`,
					conversation?.id ?? '',
				);
				return report('restarts', {
					'what starts no run is answered 200': isDropped,
					'a delivery below the activity to which it replies is the same delivery': isOne,
					...judge('one at a time in a conversation', await play(setup, true)),
					...judge('side by side in a conversation', await play(setup, false)),
				});
			} finally {
				await proxy.stop();
			}
		}),
);
