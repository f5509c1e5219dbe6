// npm run bench:queue measures n8n's queue mode with the package in every process: its throughput, the guarantees that a
// workflow can have, and what is lost when a process or service fails under load.
import { setTimeout as pause } from 'node:timers/promises';
import { runMain } from '../tools/report';
import { type Cluster, type Member, MESSAGES, onCluster, type Patience, SERVICE_MS } from './queue/cluster';
import { allFaults, type Fault } from './queue/faults';
import { Load, type Outcome } from './queue/load';
import { failedRuns, heldInInbox, retryRuns } from './queue/records';
import { asItComes, type Made, onceAndInOrder, PAUSE_SECONDS, withRemoveDuplicates } from './queue/workflows';
import { type Check, median, quantile, runBenchmarks, type Section, tableOf } from './sections';

const args = process.argv.slice(2);
/** Of all faults together. */
const DELIVERIES = Number(/^--deliveries=(\d+)$/m.exec(args.join('\n'))?.[1] ?? 10_000);
/** Of each measurement in which nothing goes wrong. */
const BATCH = Math.max(50, Math.min(300, Math.round(DELIVERIES / 30)));
const CONVERSATIONS = 50;
/** What is left for the noise of the machine, of what n8n does when it is given all it can take. */
const SUSTAINED = 0.7;
/** On a machine that is busy otherwise; a short run does not look for it. */
const SHORT_PACE = 4;
/** Every how many deliveries Dynamics makes one twice. */
const REPEAT_EVERY = 10;
const STRIKE_EVERY_S = 60;

const full: Patience = { job: 15, turn: 90, sweep: 30 };
const short: Patience = { job: 8, turn: 12, sweep: 5 };

/** Prints progress while it runs. The tables are printed at the end. */
function tell(
	what: string,
	{ delivered, seconds, accepted, lost, twice, outOfOrder, answersMs }: Outcome,
): void {
	const p99 = Math.round(quantile(answersMs, 0.99));
	console.log(
		`  ${what}: ${(delivered / seconds).toFixed(1)}/s, p99 ${p99} ms; of ${delivered} answered 200: ${accepted}, lost: ${lost.length}, twice: ${twice.length}, conversations out of order: ${outOfOrder}`,
	);
}

interface Speed {
	header: string[];
	rows: string[][];
	/** Deliveries a second, medians. */
	one: number;
	two: number;
}

interface SpeedRun {
	outcome: Outcome;
	/** Of the webhook processors and of the workers, milliseconds for each delivery. */
	cpu: readonly [number, number];
}

/** Compares one worker with two, each under full load. */
async function measureSpeed({ workers, webhooks }: Cluster, load: Load): Promise<Speed> {
	const runs: Record<1 | 2, SpeedRun[]> = { 1: [], 2: [] };
	const used = (members: Member[]) =>
		members.reduce((sum, member) => sum + member.cpuSeconds() * 1000, 0) / BATCH;
	for (let round = 0; round < 3; round++) {
		for (const count of [2, 1] as const) {
			if (count === 1) await workers[1]!.stop();
			// Modules that the first execution loads are not part of the measurement.
			await load.deliver(40, {});
			const before = [used(webhooks), used(workers)] as const;
			const outcome = await load.deliver(BATCH, {});
			const cpu = [used(webhooks) - before[0], used(workers) - before[1]] as const;
			if (count === 1) await workers[1]!.start();
			runs[count].push({ outcome, cpu });
			tell(`${count} worker${count === 1 ? '' : 's'}`, outcome);
		}
	}
	const rateOf = (count: 1 | 2) =>
		median(runs[count].map(({ outcome }) => outcome.delivered / outcome.seconds));
	const row = (name: string, count: 1 | 2) => {
		const answers = runs[count].flatMap(({ outcome }) => outcome.answersMs);
		const cpu = ([0, 1] as const).map((kind) => median(runs[count].map((run) => run.cpu[kind])));
		const times = [quantile(answers, 0.5), quantile(answers, 0.99), ...cpu];
		return [name, rateOf(count).toFixed(1), ...times.map((ms) => ms.toFixed(0))];
	};
	return {
		header: [
			`${CONVERSATIONS} conversations, each as fast as it is answered`,
			'deliveries/s',
			'answer p50 (ms)',
			'answer p99 (ms)',
			'CPU of the webhook processors (ms/delivery)',
			'CPU of the workers (ms/delivery)',
		],
		rows: [row('One worker', 1), row('Two workers', 2)],
		one: rateOf(1),
		two: rateOf(2),
	};
}

/** What a workflow can ask for: the same deliveries, half of them repeated, through each, with a service of uneven speed. */
async function measureWorkflows(
	{ workers, serviceAnswers }: Cluster,
	load: Load,
	publish: (kind: Kind) => Promise<void>,
	perSecond: number,
): Promise<{ header: string[]; rows: string[][] }> {
	const rows: string[][] = [];
	const through = async (name: string, kind: Kind) => {
		await publish(kind);
		serviceAnswers([{ match: MESSAGES, action: { delayMs: 3 * SERVICE_MS }, probability: 0.3 }]);
		// Three after one another in each conversation, so that a slow one can be overtaken.
		const outcome = await load.deliver(BATCH, { perSecond, repeatEvery: 2, inARow: 3 });
		serviceAnswers([]);
		tell(name, outcome);
		rows.push([
			name,
			`${outcome.twice.length} of ${Math.ceil(BATCH / 2)}`,
			`${outcome.outOfOrder} of ${outcome.conversations}`,
			String(outcome.lost.length),
		]);
	};
	await through('Two workers; sent as it comes', 'asItComes');
	await through('Two workers; n8n’s Remove Duplicates', 'removeDuplicates');
	await through('Two workers; an inbox in PostgreSQL', 'onceAndInOrder');
	await Promise.all(workers.map((worker) => worker.stop()));
	await workers[0]!.start({ N8N_CONCURRENCY_PRODUCTION_LIMIT: '1' });
	await through('One worker with a concurrency of 1; sent as it comes', 'asItComes');
	await workers[0]!.stop();
	await Promise.all(workers.map((worker) => worker.start()));
	return {
		header: ['', 'repeated ones sent twice', 'conversations out of order', 'lost'],
		rows,
	};
}

/** The result of a fault. */
interface Aftermath {
	outcome: Outcome;
	/** Of those that were lost, how many n8n lists as executions that failed. */
	listed: number;
	/** How many of the lost ones the inbox has as given out but not sent. */
	held: number;
	/** How many of the lost ones neither n8n nor the inbox knows of. */
	traceless: number;
	/** How many of the lost ones a Retry in n8n's list did not mend. */
	left: number;
	/** How many arrived twice, after that Retry too. */
	twice: number;
	strikes: number;
	/** The number of n8n processes that ended without having been killed. */
	gaveUp: number;
}

async function endure(
	cluster: Cluster,
	load: Load,
	fault: Fault | undefined,
	count: number,
	perSecond: number,
): Promise<Aftermath> {
	const members = [...cluster.webhooks, ...cluster.workers];
	const gaveUp = () => members.reduce((sum, { endedByItself }) => sum + endedByItself, 0);
	const before = gaveUp();
	await fault?.prepare?.(cluster);
	const seconds = count / perSecond;
	const strikes = fault ? Math.max(1, Math.floor(seconds / STRIKE_EVERY_S)) : 0;
	const strikeAll = async () => {
		for (let turn = 0; turn < strikes; turn++) {
			const dueAt = startedAt + ((turn + 0.3) * seconds * 1000) / strikes;
			await pause(Math.max(0, dueAt - Date.now()));
			await fault?.strike(cluster, turn);
		}
	};
	const startedAt = Date.now();
	const [outcome] = await Promise.all([
		load.deliver(count, { perSecond, repeatEvery: REPEAT_EVERY, inARow: 3 }),
		strikeAll(),
	]);
	await load.rest();
	await fault?.cleanUp?.(cluster);
	const failed = await failedRuns(cluster, outcome.lost);
	const held = await heldInInbox(cluster, outcome.lost);
	await retryRuns(cluster, failed.values());
	await load.rest();
	const times = load.timesArrived();
	tell(fault?.name ?? 'Nothing goes wrong', outcome);
	return {
		outcome,
		listed: failed.size,
		held: held.length,
		traceless: outcome.lost.filter((number) => !failed.has(number) && !held.includes(number)).length,
		left: outcome.lost.filter((number) => !times.has(number)).length,
		twice: outcome.numbers.filter((number) => (times.get(number) ?? 0) > 1).length,
		strikes,
		gaveUp: gaveUp() - before,
	};
}

const FAULTS_HEADER = [
	'What goes wrong',
	'how often',
	'deliveries',
	'answered 200',
	'tries not answered 200',
	'answer p99 (ms)',
	'lost',
	'of them listed by n8n as failed',
	'of them in the inbox as being sent',
	'left after Retry',
	'sent twice',
	'conversations out of order',
	'processes of n8n that gave up',
];

function rowOf(name: string, { outcome, strikes, listed, held, left, twice, gaveUp }: Aftermath): string[] {
	const { delivered, accepted, failedTries, answersMs, lost, outOfOrder } = outcome;
	const p99 = Math.round(quantile(answersMs, 0.99));
	const numbers = [
		strikes,
		delivered,
		accepted,
		failedTries,
		p99,
		lost.length,
		listed,
		held,
		left,
		twice,
		outOfOrder,
		gaveUp,
	];
	return [name, ...numbers.map(String)];
}

type Kind = 'asItComes' | 'removeDuplicates' | 'onceAndInOrder';

/** Publishes each workflow once, and directs the deliveries to the chosen one. */
function publisher(cluster: Cluster, { sweep }: Patience): (kind: Kind) => Promise<void> {
	const { credentials } = cluster;
	const made: Record<Kind, Made> = {
		asItComes: asItComes(credentials),
		removeDuplicates: withRemoveDuplicates(credentials),
		onceAndInOrder: onceAndInOrder(credentials, sweep),
	};
	const published = new Set<Kind>();
	return async (kind) => {
		const { workflow, trigger } = made[kind];
		if (!published.has(kind)) await cluster.publish(kind, workflow);
		published.add(kind);
		cluster.leadTo(trigger);
	};
}

async function measureOn(cluster: Cluster, patience: Patience, isShort: boolean): Promise<Section> {
	const load = new Load(cluster, CONVERSATIONS, (patience.turn + patience.sweep + patience.job * 3) * 1000);
	const publish = publisher(cluster, patience);
	const tables: string[] = [];
	const checks: Check[] = [];
	let perSecond = SHORT_PACE;
	if (!isShort) {
		await publish('asItComes');
		const speed = await measureSpeed(cluster, load);
		tables.push(tableOf(speed.header, speed.rows));
		checks.push({ what: 'Deliveries a second: two workers / one worker', ratio: speed.two / speed.one });
		await publish('onceAndInOrder');
		const { delivered, seconds } = await load.deliver(BATCH, {});
		perSecond = SUSTAINED * (delivered / seconds);
		const workflows = await measureWorkflows(cluster, load, publish, perSecond);
		tables.push(tableOf(workflows.header, workflows.rows));
	}
	await publish('onceAndInOrder');
	const faults = allFaults(isShort, process.env);
	const count = isShort ? 50 : Math.ceil(DELIVERIES / faults.length);
	const calm = await endure(cluster, load, undefined, isShort ? 50 : BATCH, perSecond);
	const aftermaths: Array<[Fault, Aftermath]> = [];
	for (const fault of faults) aftermaths.push([fault, await endure(cluster, load, fault, count, perSecond)]);

	const sum = (of: (aftermath: Aftermath) => number) =>
		[calm, ...aftermaths.map(([, aftermath]) => aftermath)].map(of).reduce((one, other) => one + other, 0);
	const accepted = sum(({ outcome }) => outcome.accepted);
	const tokens = cluster.emulator.log.filter(({ kind }) => kind === 'token').length;
	const starts = cluster.workers.map((worker) => worker.starts).reduce((one, other) => one + other, 0);
	// On a busy machine, times are not conclusive, so a short run checks none.
	if (!isShort) {
		checks.push({
			what: 'p99 of the answers while nothing goes wrong / 1 s',
			ratio: quantile(calm.outcome.answersMs, 0.99) / 1000,
			atMost: 1,
		});
	}
	checks.push(
		{
			what: 'Token requests / processes that send (webhook processors never ask)',
			ratio: tokens / starts,
			atMost: 1,
		},
		{ what: 'Sent twice / answered 200', ratio: sum(({ twice }) => twice) / accepted, atMost: 0 },
		{
			what: 'Lost, and neither in n8n’s list of failed executions nor in the inbox / answered 200',
			ratio: sum(({ traceless }) => traceless) / accepted,
			atMost: 0,
			// A killed worker may lose the few of the 150 that it has just begun.
			shortAtMost: 0.05,
		},
		{
			what: 'Conversations out of order / all of them, while nothing goes wrong',
			ratio: calm.outcome.outOfOrder / calm.outcome.conversations,
			atMost: 0,
			// Where the machine is so busy that workers start late, the race of which the limits tell may catch one or two.
			shortAtMost: 0.2,
		},
		{
			what: 'Conversations out of order / all of them, with the faults',
			ratio: sum(({ outcome }) => outcome.outOfOrder) / sum(({ outcome }) => outcome.conversations),
		},
	);
	return {
		how: [HOW, ...tables, LIMITS, `Under load: ${perSecond.toFixed(1)} deliveries a second.`].join('\n\n'),
		header: FAULTS_HEADER,
		rows: [rowOf('Nothing', calm), ...aftermaths.map(([{ name }, aftermath]) => rowOf(name, aftermath))],
		checks,
	};
}

const HOW = `n8n 2.41.1 in queue mode with the package in every process: one main, two webhook processors behind a load balancer, two workers, on PostgreSQL and Redis, all on one machine with the emulator. That one delivers as Dynamics does (signed, in order within a conversation, up to three tries), takes ${SERVICE_MS} ms for each message that is sent, and its log says what was sent.`;

const LIMITS = `**Order, and each delivery once, is what a workflow has to ask for.** n8n's queue knows no order within a conversation, and its Remove Duplicates reads and writes its memory without a lock. An inbox in PostgreSQL ([queue/inbox.sql](queue/inbox.sql), and the workflow \`onceAndInOrder\` in [queue/workflows.ts](queue/workflows.ts)) gives both: a delivery goes in once, by conversation and activity ID, and ${PAUSE_SECONDS} s later, by when the one before it is there too, an execution takes what waits in the conversation, in its order, while no other is sending in it. One worker with a concurrency of 1 keeps the order alone, at its price. The faults strike the workflow with the inbox; one delivery of ${REPEAT_EVERY} is made twice.

Whose limit it is:
- A worker is killed: n8n's. It runs no job a second time (\`maxStalledCount: 0\` in its code), but marks what the worker was running as failed, some time later; the table says whether anything was. What was being sent may have arrived, so the inbox keeps it as “sending” and does not give it out again.
- Redis is killed: Redis's, without \`appendonly yes\`. Jobs that wait in it are forgotten with it; the table says whether any did, and whether n8n lists them.
- Order while something goes wrong: n8n's. Where a worker starts a delivery more than ${PAUSE_SECONDS} s after the one behind it was started, as after a restart, the inbox gives out the later one first; nothing in a delivery tells that there is one before it.
- PostgreSQL is restarted: n8n's. What it has answered and entered in its list, but not yet handed to its queue at that moment, stays “new” there, and nobody takes it up.
- PostgreSQL is away for longer than three tries take: what was never answered 200 was never n8n's; Dynamics gives it up. How long Dynamics waits between two tries is not documented; the emulator waits a second.
- 503 without Retry-After: ours, by choice. The message may have arrived, so it is not sent again blindly; the execution fails, and says where to look before somebody chooses Retry.`;

runMain(
	async () =>
		await runBenchmarks(
			[
				{
					name: 'queue',
					title: 'Where one machine is outgrown: n8n’s queue mode',
					measure: async ({ short: isShort }) => {
						const patience = isShort ? short : full;
						return await onCluster(patience, async (cluster) => await measureOn(cluster, patience, isShort));
					},
				},
			],
			args,
		),
);
