// Compares the trigger, with verification, with a trigger that does nothing and with n8n's own Webhook node.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Executions } from '../tools/n8n/executions';
import { withN8n, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { triggerWorkflow } from '../tools/n8n/workflows';
import { post } from '../tools/post';
import { waitFor } from '../tools/wait';
import { message } from '../emulator/messaging/activities';
import { type Call, saturate } from './saturate';
import { type Benchmark, median, quantile } from './sections';

const CALLERS = 16;
const SETTLE_MS = 120_000;

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
	latencies: number[];
}

const settings = { executionOrder: 'v1' };

/** Ours, set as it is when it is dropped into a workflow: with verification. */
function ourTrigger(credentialId: string): Contender {
	return {
		label: 'Our trigger, Entra token verified',
		workflowId: 'ours',
		...triggerWorkflow('Ours', credentialId),
	};
}

function bareTrigger(): Contender {
	const trigger = { id: randomUUID(), webhookId: randomUUID() };
	const node = {
		...trigger,
		name: 'Trigger',
		type: 'CUSTOM.bareTrigger',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	};
	return {
		label: 'Bare trigger of one line',
		workflowId: 'bare',
		path: `${trigger.webhookId}/${trigger.id}`,
		workflow: { name: 'Bare', nodes: [node], connections: {}, settings },
	};
}

function webhookAndCode(): Contender {
	const webhookId = randomUUID();
	const webhook = {
		id: randomUUID(),
		webhookId,
		name: 'Webhook',
		type: 'n8n-nodes-base.webhook',
		typeVersion: 2.1,
		position: [0, 0],
		parameters: {
			httpMethod: 'POST',
			path: 'v3/conversations/:conversationId/activities',
			responseMode: 'onReceived',
			options: {},
		},
	};
	const code = {
		id: randomUUID(),
		name: 'Code',
		type: 'n8n-nodes-base.code',
		typeVersion: 2,
		position: [220, 0],
		parameters: { jsCode: readFileSync(join(__dirname, 'normalise.js'), 'utf8') },
	};
	const connections = { Webhook: { main: [[{ node: 'Code', type: 'main', index: 0 }]] } };
	return {
		label: 'n8n’s Webhook node, then a Code node',
		workflowId: 'webhook',
		path: webhookId,
		workflow: { name: 'Webhook', nodes: [webhook, code], connections, settings },
	};
}

/** Deliveries of a representative's messages, each of another text, as the service sends them; in 50 conversations. */
function deliveriesTo(
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
				text: `Thank you for waiting. Your order **${randomUUID()}** left our warehouse; [follow it](https://contoso.example/track) any time.<br>Is there _anything else_ that I can do for you?`,
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
 * @throws Error where a delivery has no execution, or more than one.
 */
export async function roundOf(
	setup: N8nWithEmulator,
	contender: Contender,
	token: string,
	count: number,
): Promise<Round> {
	const { workflowId, label } = contender;
	const { count: before } = await executionsOf(setup, workflowId, GOOD);
	const calls = deliveriesTo(setup, contender, token, count);
	const startedAt = Date.now();
	const { latencies, elapsed } = await saturate(calls, CALLERS);
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
		latencies,
	};
}

/** The rounds of each contender. Each is first, second and last equally often, as what is first may find n8n fresher. */
async function allRounds(
	setup: N8nWithEmulator,
	contenders: readonly Contender[],
	token: string,
	{ rounds, count }: { rounds: number; count: number },
): Promise<Map<Contender, Round[]>> {
	const results = new Map(contenders.map((contender) => [contender, [] as Round[]]));
	for (let round = 0; round < rounds; round++) {
		const first = round % contenders.length;
		for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
			results.get(contender)!.push(await roundOf(setup, contender, token, count));
		}
	}
	return results;
}

/** Whether what is measured is what is said: a forger is refused, and the Code node makes the item that ours is. */
async function checkFairness(
	setup: N8nWithEmulator,
	[ours, bare, webhook]: readonly [Contender, Contender, Contender],
): Promise<void> {
	const forged = await setup.emulator.issueDeliveryToken({ aud: 'api://another' });
	const [call] = deliveriesTo(setup, ours, forged, 1);
	const status = await post(call!.url, forged, call!.body);
	if (status !== 401) throw new Error(`A forged delivery was answered ${status}: nothing is verified`);

	const token = await setup.emulator.issueDeliveryToken();
	const [{ body }] = deliveriesTo(setup, ours, token, 1) as [Call];
	for (const contender of [ours, bare, webhook]) {
		const [{ url }] = deliveriesTo(setup, contender, token, 1) as [Call];
		const answer = await post(url, token, body);
		if (answer !== 200) throw new Error(`${contender.label} answered ${answer}`);
	}
	const executions = new Executions(setup.n8n);
	const itemOf = async ({ workflowId, label }: Contender) => {
		const { runs } = await executions.waitFor(label, (execution) => execution.workflowId === workflowId);
		return JSON.stringify({ ...runs.at(-1)?.items[0], receivedAt: '' });
	};
	const [item, normalised] = [await itemOf(ours), await itemOf(webhook)];
	if (item !== normalised) throw new Error(`The items differ: ${item}, and the Code node's: ${normalised}`);
	const passedOn = await itemOf(bare);
	if (passedOn !== JSON.stringify({ ...(JSON.parse(body) as object), receivedAt: '' })) {
		throw new Error(`The bare trigger passed on ${passedOn}`);
	}
}

/** The median over the rounds of what one did divided by what the other did in the same round. */
function ratio(one: Round[], other: Round[], what: 'answered' | 'executed'): number {
	return median(one.map((round, index) => round[what] / other[index]![what]));
}

/** The median over the rounds of how long one took divided by how long the other took, at a quantile. */
function latencyRatio(one: Round[], other: Round[], share: number): number {
	return median(
		one.map(({ latencies }, index) => quantile(latencies, share) / quantile(other[index]!.latencies, share)),
	);
}

/** The rounds of each contender in one n8n, in the order of the contenders. */
interface Results {
	labels: string[];
	rounds: [ours: Round[], bare: Round[], webhook: Round[]];
}

/** Runs all rounds in an n8n of their own. The first round of each contender is a warm-up. */
async function resultsIn(env: NodeJS.ProcessEnv, size: { rounds: number; count: number }): Promise<Results> {
	return await withN8n(
		async (setup) => {
			const contenders = [ourTrigger(setup.credentialId), bareTrigger(), webhookAndCode()] as const;
			for (const { workflowId, workflow } of contenders) await setup.publish(workflowId, workflow);
			await checkFairness(setup, contenders);
			const token = await setup.emulator.issueDeliveryToken();
			await allRounds(setup, contenders, token, { ...size, rounds: 1 });
			const results = await allRounds(setup, contenders, token, size);
			const [ours, bare, webhook] = contenders;
			return {
				labels: contenders.map(({ label }) => label),
				rounds: [results.get(ours)!, results.get(bare)!, results.get(webhook)!],
			};
		},
		{ env: { N8N_CUSTOM_EXTENSIONS: join(__dirname, 'bareTrigger'), ...env } },
	);
}

function rowsOf({ labels, rounds }: Results, suffix = ''): string[][] {
	return rounds.map((ofOne, index) => {
		const latencies = ofOne.flatMap((round) => round.latencies);
		return [
			`${labels[index]}${suffix}`,
			median(ofOne.map(({ answered }) => answered)).toFixed(1),
			median(ofOne.map(({ executed }) => executed)).toFixed(1),
			quantile(latencies, 0.5).toFixed(0),
			quantile(latencies, 0.99).toFixed(0),
		];
	});
}

export const trigger: Benchmark = {
	name: 'trigger',
	title: 'Deliveries to the trigger',
	measure: async ({ short }) => {
		const size = short ? { rounds: 3, count: 60 } : { rounds: 6, count: 150 };
		const asItIs = await resultsIn({}, size);
		// What n8n itself spends on expressions is most of what there is to measure; a short run has no time for both.
		const legacy = short ? undefined : await resultsIn({ N8N_EXPRESSION_ENGINE: 'legacy' }, size);
		const [ours, bare, webhook] = asItIs.rounds;
		return {
			how: [
				'Three workflows in one n8n as it is installed (SQLite, every execution saved): our trigger with the settings that it has when it is dropped into a workflow, so each delivery’s Entra token is verified and the delivery is looked up among those that came before; a trigger that only passes its body on (`bench/bareTrigger`), at the same kind of path; and n8n’s Webhook node (it responds immediately) with a Code node that makes the same item (compared before the start), but verifies nothing.',
				`All get the same signed deliveries: a message of some 200 characters, each with a text of its own. ${CALLERS} callers with kept-alive connections call again as soon as they were answered; ${size.rounds} rounds of ${size.count} deliveries for each, in turns, each as often first, after a round that does not count. A round begins when all executions of the one before it are saved, and the run fails unless every delivery was answered 200 and had exactly one execution.`,
				'A ratio is the median over the rounds of what one did divided by what the other did in the same round.',
				...(legacy
					? [
							'The rows “without sandbox” are those of a second n8n with `N8N_EXPRESSION_ENGINE=legacy`, in which n8n makes no sandbox for expressions.',
						]
					: []),
			].join(' '),
			header: ['', 'answered/s', 'executed/s', 'p50, ms', 'p99, ms'],
			rows: [...rowsOf(asItIs), ...(legacy ? rowsOf(legacy, ', without sandbox') : [])],
			checks: [
				{ what: 'ours ÷ bare, answered/s', ratio: ratio(ours, bare, 'answered'), atLeast: 0.95 },
				{ what: 'ours ÷ bare, executed/s', ratio: ratio(ours, bare, 'executed'), atLeast: 0.95 },
				...([0.5, 0.99] as const).map((share) => ({
					what: `bare ÷ ours, p${share * 100}`,
					ratio: latencyRatio(bare, ours, share),
					atLeast: 0.95,
					// A few dozen calls, whose p99 is the slowest one.
					shortAtLeast: share === 0.5 ? undefined : 0.3,
				})),
				{
					what: 'ours ÷ Webhook and Code, answered/s',
					ratio: ratio(ours, webhook, 'answered'),
					atLeast: 1.3,
					shortAtLeast: 0.4,
				},
				...(legacy
					? [
							{
								what: 'ours ÷ bare, answered/s, without sandbox',
								ratio: ratio(legacy.rounds[0], legacy.rounds[1], 'answered'),
							},
							{
								what: 'ours ÷ Webhook and Code, answered/s, without sandbox',
								ratio: ratio(legacy.rounds[0], legacy.rounds[2], 'answered'),
							},
						]
					: []),
			],
		};
	},
};
