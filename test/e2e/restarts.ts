// What the trigger promises with "When Workflow Succeeds" behind the proxy of deploy/one-n8n, while n8n is killed and
// restarted under load: every delivery is accepted at one of its three tries, none is lost, none is out of order, and only
// what ran at a kill may be said twice. It holds whether or not Dynamics has a conversation's deliveries wait for one another.
import { setTimeout as pause } from 'node:timers/promises';
import { sendNode, workflowOf } from '../../tools/n8n/echoWorkflow';
import { withN8n, type N8nWithEmulator } from '../../tools/n8n/withN8n';
import { freePort } from '../../tools/ports';
import { startProxy } from '../../tools/proxy';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';
import type { DeliveryEntry, Emulator } from '../../emulator';

const isShort = process.env.RESTARTS !== 'full';
const DELIVERIES = isShort ? 100 : 300;
const PER_SECOND = 5;
const CONVERSATIONS = 20;
const FAULTS: Array<'kill' | 'stop'> = isShort ? ['kill', 'stop'] : ['kill', 'stop', 'kill', 'stop', 'kill'];
/** How many are delivered around each of them. */
const PART = DELIVERIES / FAULTS.length;
/** How long the service takes for a message, so that a kill finds some under way. */
const SERVICE_MS = 300;
/** What ran at a kill has two tries left, which the proxy holds for so long together. */
const HELD_MS = 2 * 9_000;
/** The least that Dynamics waits between two tries, here: it is not documented. */
const LEAST_RETRY_DELAY_MS = 1_000;

interface Delivery {
	number: number;
	conversationId: string;
	entry: DeliveryEntry;
}

interface Outcome {
	deliveries: Delivery[];
	/** The numbers that arrived in each conversation, in the order of arrival. */
	arrived: Map<string, number[]>;
	/** When n8n was killed, epoch milliseconds. */
	killedAt: number[];
}

function activityOf(number: number, conversationId: string): Record<string, unknown> {
	return {
		type: 'message',
		channelId: 'MessagingApi',
		from: { id: 'representative', name: 'Representative' },
		conversation: { id: conversationId },
		text: `delivery ${number}`,
	};
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

/** How long Dynamics waits between two tries so that a restart as long as this one, and half as long again, is survived. */
async function retryDelayFor({ restart }: N8nWithEmulator): Promise<number> {
	const endedAt = Date.now();
	await restart('stop');
	const tookMs = Date.now() - endedAt;
	const retryDelayMs = Math.max(LEAST_RETRY_DELAY_MS, Math.ceil((1.5 * tookMs - HELD_MS) / 2));
	console.log(`  a restart takes ${(tookMs / 1000).toFixed(1)} s here; Dynamics waits ${retryDelayMs} ms`);
	return retryDelayMs;
}

/** Ends n8n after a while and starts it again; returns when it was ended. */
async function strike({ restart }: N8nWithEmulator, how: 'kill' | 'stop'): Promise<number> {
	await pause((0.3 * PART * 1000) / PER_SECOND);
	const endedAt = Date.now();
	await restart(how);
	console.log(`  ${how}: back after ${((Date.now() - endedAt) / 1000).toFixed(1)} s`);
	return endedAt;
}

function arrivalsSince(emulator: Emulator, start: number): Map<string, number[]> {
	const arrived = new Map<string, number[]>();
	for (const entry of emulator.log.slice(start)) {
		if (entry.kind !== 'request' || !entry.messageId || !entry.conversationId) continue;
		const text = (entry.body as { text?: string }).text;
		const numbers = arrived.get(entry.conversationId) ?? [];
		arrived.set(entry.conversationId, [...numbers, Number(text?.replace('delivery ', ''))]);
	}
	return arrived;
}

/** What may be said twice: the deliveries that had no answer yet when n8n was killed. */
function underWayAt(times: number[], { entry }: Delivery): boolean {
	return times.some((time) =>
		entry.tries.some(({ at, ms }) => Date.parse(at) <= time && time <= Date.parse(at) + ms + 50),
	);
}

function judge(what: string, { deliveries, arrived, killedAt }: Outcome): Record<string, boolean> {
	const all = [...arrived.values()].flat();
	const times = (number: number) => all.filter((other) => other === number).length;
	const given = deliveries.filter(({ entry }) => entry.outcome !== 'accepted');
	const lost = deliveries.filter(({ number, entry }) => entry.outcome === 'accepted' && times(number) === 0);
	const twice = deliveries.filter(({ number }) => times(number) > 1);
	const runs = killedAt.flatMap((time) => deliveries.filter((delivery) => underWayAt([time], delivery)));
	const unordered = [...arrived].filter(([, numbers]) =>
		[...new Set(numbers)].some((number, index, list) => index > 0 && list[index - 1]! > number),
	);
	const tries = deliveries.flatMap(({ entry }) => entry.tries);
	const others = tries.filter(({ status }) => status !== 200);
	const name = (list: Delivery[]) => list.map(({ number }) => number).join(', ') || 'none';
	console.log(
		`  ${what}: ${deliveries.length} deliveries, ${tries.length} tries, not answered 200: ${
			others.map(({ status, error }) => status ?? error).join(', ') || 'none'
		}`,
	);
	console.log(`  given up: ${name(given)}; lost: ${name(lost)}; under way at a kill: ${name(runs)}`);
	console.log(
		`  said twice: ${name(twice)}; out of order: ${unordered.map(([, numbers]) => numbers.join(' ')).join(' | ') || 'none'}`,
	);
	return {
		[`${what}: all accepted`]: given.length === 0,
		[`${what}: none lost`]: lost.length === 0,
		[`${what}: none out of order`]: unordered.length === 0,
		[`${what}: said twice only what ran at a kill`]: twice.every((delivery) =>
			underWayAt(killedAt, delivery),
		),
	};
}

async function play(setup: N8nWithEmulator, oneAtATime: boolean, retryDelayMs: number): Promise<Outcome> {
	const { emulator } = setup;
	Object.assign(emulator.settings.delivery, { oneAtATime, retryDelayMs });
	const start = emulator.log.length;
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
	return { deliveries, killedAt, arrived: arrivalsSince(emulator, start) };
}

runMain(async () => {
	// The same one at each start, and none that another n8n takes while this one is away.
	const env = { N8N_RUNNERS_BROKER_PORT: String(await freePort()) };
	return await withN8n(
		async (setup) => {
			const { emulator, n8n, credentialId, publish } = setup;
			const proxy = await startProxy('one-n8n', { N8N_UPSTREAM: new URL(n8n.url).host });
			try {
				const send = sendNode(credentialId);
				const { workflow, path } = workflowOf('Restarts', credentialId, { respond: 'onSuccess' }, [send]);
				await publish('restarts', workflow);
				emulator.addConversations(CONVERSATIONS);
				emulator.settings.faults = [
					{ match: { operationId: 'sendActivity' }, action: { delayMs: SERVICE_MS } },
				];
				emulator.setWebhookUrl(`${proxy.url}/webhook/${path}`);
				await waitFor('the proxy to find n8n', 15_000, async () => (await fetch(`${proxy.url}/healthz`)).ok);
				const retryDelayMs = await retryDelayFor(setup);
				return report('restarts', {
					...judge('one at a time in a conversation', await play(setup, true, retryDelayMs)),
					...judge('side by side in a conversation', await play(setup, false, retryDelayMs)),
				});
			} finally {
				await proxy.stop();
			}
		},
		{ env },
	);
});
