// npm run bench:queue measures n8n's queue mode with the package in every process, behind the proxy of deploy/queue-mode: its
// throughput, and what becomes of deliveries when a process or service fails under load.
import { setTimeout as pause } from 'node:timers/promises';
import { isUnderWayAt, type Delivery, type Outcome } from '../tools/outcome';
import { runMain } from '../tools/report';
import { type Cluster, type Member, onCluster, SERVICE_MS } from './queue/cluster';
import { allFaults, type Fault } from './queue/faults';
import { Load } from './queue/load';
import { LEASE_SECONDS, type Way, WAYS, workflowFor } from './queue/workflows';
import { type Check, median, quantile, runBenchmarks, type Section, tableOf } from './sections';

const args = process.argv.slice(2);

function numberOf(option: string, otherwise: number): number {
	return Number(new RegExp(`^--${option}=([\\d.]+)$`, 'm').exec(args.join('\n'))?.[1] ?? otherwise);
}

/** `--succeeds`: When Workflow Succeeds alone, at the pace that is set. */
const SUCCEEDS = args.includes('--succeeds');
/** `--faults=Redis`: only the faults whose name has this in it. */
const FAULTS = args.map((arg) => /^--faults=(.+)$/.exec(arg)?.[1] ?? '').join('');
/** Of all faults together, with Respond: When Workflow Succeeds; a quarter of them each for what stands beside it. */
const DELIVERIES = numberOf('deliveries', 10_000);
/** Of each measurement in which nothing goes wrong. */
const BATCH = Math.max(50, Math.min(300, Math.round(DELIVERIES / 30)));
const CONVERSATIONS = 50;
/** What is left for the noise of the machine, of what n8n does when it is given all it can take. */
const SUSTAINED = 0.6;
/** Deliveries a second on a machine that is busy otherwise, where a run does not look for what n8n sustains. */
const SET_PACE = numberOf('pace', 4);
/** Every how many deliveries Dynamics makes one twice. */
const REPEAT_EVERY = 10;
const STRIKE_EVERY_S = 60;
const ROUNDS = 3;

const NAMES: Record<Way, string> = {
	immediately: 'Immediately',
	onSuccess: 'When Workflow Succeeds',
	longWork: 'Long work',
};

const p99 = ({ answersMs }: Outcome) => quantile(answersMs, 0.99);
const sum = (numbers: number[]) => numbers.reduce((one, other) => one + other, 0);

/** Prints progress while it runs. The tables are printed at the end. */
function tell(what: string, outcome: Outcome): void {
	const { numbers, seconds, accepted, givenUp, lost, twice, outOfOrder } = outcome;
	console.log(
		`  ${what}: ${(numbers.length / seconds).toFixed(1)}/s, p99 ${p99(outcome).toFixed(0)} ms; of ${numbers.length} answered 200: ${accepted.length}, given up: ${givenUp.length}, lost: ${lost.length}, twice: ${twice.length}, out of order: ${outOfOrder.length}`,
	);
	if (Object.keys(outcome.otherAnswers).length > 0)
		console.log(`    other answers: ${JSON.stringify(outcome.otherAnswers)}`);
	if (outOfOrder.length > 0) console.log(`    ${outOfOrder.map((numbers) => numbers.join(' ')).join(' | ')}`);
}

interface SpeedRun {
	outcome: Outcome;
	/** Of the webhook processors and of the workers, milliseconds for each delivery. */
	cpu: readonly [number, number];
}

interface Speed {
	header: string[];
	rows: string[][];
	/** Deliveries a second, by round. */
	rates: Record<Way, number[]>;
}

/** Compares the ways, each under full load, in turns. */
async function measureSpeed(
	{ workers, webhooks }: Cluster,
	load: Load,
	take: (way: Way) => Promise<void>,
): Promise<Speed> {
	const runs: Record<Way, SpeedRun[]> = { immediately: [], onSuccess: [], longWork: [] };
	const used = (members: Member[]) => sum(members.map((member) => member.cpuSeconds() * 1000)) / BATCH;
	for (let round = 0; round < ROUNDS; round++) {
		for (const way of round % 2 === 0 ? WAYS : [...WAYS].reverse()) {
			await take(way);
			// Modules that the first execution loads are not part of the measurement.
			await load.deliver(40, {});
			const before = [used(webhooks), used(workers)] as const;
			const { outcome } = await load.deliver(BATCH, {});
			const cpu = [used(webhooks) - before[0], used(workers) - before[1]] as const;
			runs[way].push({ outcome, cpu });
			tell(NAMES[way], outcome);
		}
	}
	const ratesOf = (way: Way) => runs[way].map(({ outcome }) => outcome.numbers.length / outcome.seconds);
	const row = (way: Way) => {
		const answers = runs[way].flatMap(({ outcome }) => outcome.answersMs);
		const cpu = ([0, 1] as const).map((kind) => median(runs[way].map((run) => run.cpu[kind])));
		const times = [quantile(answers, 0.5), quantile(answers, 0.99), ...cpu];
		return [NAMES[way], median(ratesOf(way)).toFixed(1), ...times.map((ms) => ms.toFixed(0))];
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
		rows: WAYS.map(row),
		rates: {
			immediately: ratesOf('immediately'),
			onSuccess: ratesOf('onSuccess'),
			longWork: ratesOf('longWork'),
		},
	};
}

/** The result of a fault. */
interface Aftermath {
	way: Way;
	fault: Fault | undefined;
	outcome: Outcome;
	strikes: number;
	/** How many deliveries had no answer yet when it struck. */
	underWay: number;
	/** How many deliveries the table of long work shows to a person, as uncertain or failed. */
	shown: number;
	/** Answered 200, never arrived, and shown to nobody. */
	lost: number;
	/** The number of n8n processes that ended without having been killed. */
	gaveUp: number;
}

/** The deliveries that the template for long work has set aside for a person. */
async function setAside({ database }: Cluster): Promise<Set<number>> {
	const rows = await database.rows<{ number: string }>(
		"SELECT replace(item->>'text', 'delivery ', '') AS number FROM dynamics365.deliveries WHERE state IN ('uncertain', 'failed')",
	);
	return new Set(rows.map(({ number }) => Number(number)));
}

async function endure(
	cluster: Cluster,
	load: Load,
	{ way, fault, count, perSecond }: { way: Way; fault: Fault | undefined; count: number; perSecond: number },
): Promise<Aftermath> {
	const members = [...cluster.webhooks, ...cluster.workers];
	const gaveUp = () => sum(members.map(({ endedByItself }) => endedByItself));
	const before = gaveUp();
	await fault?.prepare?.(cluster);
	const seconds = count / perSecond;
	const strikes = fault ? Math.max(1, Math.floor(seconds / STRIKE_EVERY_S)) : 0;
	const struckAt: number[] = [];
	const strikeAll = async () => {
		for (let turn = 0; turn < strikes; turn++) {
			const dueAt = startedAt + ((turn + 0.3) * seconds * 1000) / strikes;
			await pause(Math.max(0, dueAt - Date.now()));
			struckAt.push(Date.now());
			await fault?.strike(cluster, turn);
		}
	};
	const startedAt = Date.now();
	const [{ deliveries, outcome }] = await Promise.all([
		load.deliver(count, { perSecond, repeatEvery: REPEAT_EVERY, inARow: 3 }),
		strikeAll(),
	]);
	await fault?.cleanUp?.(cluster);
	const shown = await setAside(cluster);
	const isUnderWay = (delivery: Delivery) => struckAt.some((time) => isUnderWayAt(time, delivery));
	tell(`${NAMES[way]}; ${fault?.name ?? 'nothing goes wrong'}`, outcome);
	return {
		way,
		fault,
		outcome,
		strikes,
		underWay: deliveries.filter(isUnderWay).length,
		shown: outcome.numbers.filter((number) => shown.has(number)).length,
		lost: outcome.lost.filter((number) => !shown.has(number)).length,
		gaveUp: gaveUp() - before,
	};
}

const FAULTS_HEADER = [
	'Respond',
	'What goes wrong',
	'how often',
	'deliveries',
	'answered 200',
	'tries not answered 200',
	'answer p99 (ms)',
	'given up by Dynamics',
	'answered 200 and lost',
	'shown to a person',
	'said twice',
	'under way when it struck',
	'conversations out of order',
	'processes of n8n that gave up',
];

/** A table without the columns that say 0 in every row. */
function withoutZeros(header: string[], rows: string[][]): { header: string[]; rows: string[][] } {
	const isKept = (_: string, column: number) => rows.some((row) => row[column] !== '0');
	return { header: header.filter(isKept), rows: rows.map((row) => row.filter(isKept)) };
}

function rowOf({ way, fault, outcome, strikes, underWay, shown, lost, gaveUp }: Aftermath): string[] {
	const numbers = [
		strikes,
		outcome.numbers.length,
		outcome.accepted.length,
		sum(Object.values(outcome.otherAnswers)),
		Math.round(p99(outcome)),
		outcome.givenUp.length,
		lost,
		shown,
		outcome.twice.length,
		underWay,
		outcome.outOfOrder.length,
		gaveUp,
	];
	return [NAMES[way], fault?.name ?? 'Nothing', ...numbers.map(String)];
}

/** Publishes a way's workflow and takes the one before out of production, so that its schedule does not run beside it. */
function publisher({ publish, leadTo, credentials }: Cluster): (way: Way) => Promise<void> {
	let takeOut: () => Promise<unknown> = () => Promise.resolve();
	let times = 0;
	return async (way) => {
		await takeOut();
		const { workflow, path } = workflowFor(way, credentials);
		takeOut = await publish(`${way}${++times}`, workflow);
		leadTo(path);
	};
}

/** What a way promises, and what was seen of it. */
function promisesOf(way: Way, aftermaths: Aftermath[], isShort: boolean): Check[] {
	const own = aftermaths.filter((aftermath) => aftermath.way === way);
	const count = (of: (aftermath: Aftermath) => number, which: Aftermath[] = own) => sum(which.map(of));
	const kills = own.filter(({ fault }) => fault?.kind === 'kill');
	const others = own.filter(({ fault }) => fault?.kind !== 'kill');
	const reachable = own.filter(({ fault }) => fault === undefined || fault.kind === 'kill');
	const name = NAMES[way];
	const none = (what: string, number: number): Check => ({
		what: `${name}: ${what}`,
		ratio: number,
		atMost: 0,
	});
	const underWay = Math.max(
		1,
		count((aftermath) => aftermath.underWay, kills),
	);
	const givenUp = count(({ outcome }) => outcome.givenUp.length, reachable);
	return [
		none(
			'answered 200 and lost',
			count(({ lost }) => lost),
		),
		none(
			'conversations out of order',
			count(({ outcome }) => outcome.outOfOrder.length),
		),
		none(
			'said twice, where no process of n8n was killed',
			count(({ outcome }) => outcome.twice.length, others),
		),
		{
			what: `${name}: said twice ÷ under way, where a process of n8n was killed`,
			ratio: count(({ outcome }) => outcome.twice.length, kills) / underWay,
			atMost: 1,
		},
		// What n8n notices too late after a kill is its own limit (docs/production.md), which must not stop a release.
		isShort
			? {
					what: `${name}: given up by Dynamics ÷ under way when a process was killed`,
					ratio: givenUp / underWay,
					atMost: 1,
				}
			: none('given up by Dynamics, where no store and no service was away', givenUp),
	];
}

const pacesText = (paces: Record<Way, number>) =>
	WAYS.map((way) => `${NAMES[way]} ${paces[way].toFixed(1)}`).join(', ');

async function measureOn(cluster: Cluster, isShort: boolean): Promise<Section> {
	const load = new Load(cluster, CONVERSATIONS, 3 * LEASE_SECONDS * 1000);
	const take = publisher(cluster);
	const tables: string[] = [];
	const checks: Check[] = [];
	const paces: Record<Way, number> = { immediately: SET_PACE, onSuccess: SET_PACE, longWork: SET_PACE };
	const isWhole = !isShort && !SUCCEEDS;
	if (isWhole) {
		const { header, rows, rates } = await measureSpeed(cluster, load, take);
		tables.push(tableOf({ header, rows }));
		checks.push({
			what: 'Deliveries a second: When Workflow Succeeds ÷ Immediately',
			ratio: median(rates.onSuccess.map((rate, round) => rate / (rates.immediately[round] ?? NaN))),
			atLeast: 0.8,
		});
		for (const way of WAYS) paces[way] = SUSTAINED * median(rates[way]);
	}
	const faults = allFaults(isShort, process.env, FAULTS);
	const aftermaths: Aftermath[] = [];
	for (const way of isWhole ? WAYS : (['onSuccess'] as const)) {
		await take(way);
		const all = way === 'onSuccess' ? DELIVERIES : DELIVERIES / 4;
		const perSecond = paces[way];
		const count = isShort ? 50 : Math.ceil(all / faults.length);
		const calm = { way, fault: undefined, count: isShort ? 50 : BATCH, perSecond };
		aftermaths.push(await endure(cluster, load, calm));
		for (const fault of faults) {
			aftermaths.push(await endure(cluster, load, { way, fault, count, perSecond }));
		}
	}
	const calmOf = (way: Way) => aftermaths.find((one) => one.way === way && one.fault === undefined);
	// On a busy machine, times are not conclusive, so a short run checks none.
	if (!isShort) {
		const calm = calmOf('onSuccess');
		checks.push({
			what: 'When Workflow Succeeds: p99 of the answers while nothing goes wrong ÷ 1 s',
			ratio: calm ? p99(calm.outcome) / 1000 : NaN,
			atMost: 1,
		});
	}
	const tokens = cluster.emulator.log.filter(({ kind }) => kind === 'token').length;
	checks.push(
		...promisesOf('onSuccess', aftermaths, isShort),
		...(isWhole ? promisesOf('longWork', aftermaths, isShort) : []),
		{
			what: 'Token requests ÷ processes that send (webhook processors never ask)',
			ratio: tokens / sum(cluster.workers.map(({ starts }) => starts)),
			atMost: 1,
		},
	);
	return {
		how: [HOW, ...tables, `Deliveries a second in what follows: ${pacesText(paces)}.`].join('\n\n'),
		...withoutZeros(FAULTS_HEADER, aftermaths.map(rowOf)),
		checks,
	};
}

const HOW = `n8n 2.41.1 in queue mode with the package in every process, behind HAProxy with [deploy/queue-mode/haproxy.cfg](../deploy/queue-mode/haproxy.cfg) and with the settings of its compose file: one main, two webhook processors, two workers, on PostgreSQL and Redis, all on one machine with the emulator. That one delivers as Dynamics does (signed, up to three tries a second apart, a conversation’s deliveries one after the other), takes ${SERVICE_MS} ms for each message that is sent, and its log says what was sent. Two workflows of two nodes (the trigger, and Message: Send of what it got) differ in Respond alone; the third is [templates/long-work.json](../templates/long-work.json), with a lease of ${LEASE_SECONDS} s. One delivery of ${REPEAT_EVERY} is made twice.`;

runMain(
	async () =>
		await runBenchmarks(
			[
				{
					name: 'queue',
					title: 'Queue mode',
					command: 'npm run bench:queue',
					measure: async ({ short }) => await onCluster(async (cluster) => await measureOn(cluster, short)),
				},
			],
			args,
		),
);
