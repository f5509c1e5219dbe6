// Compares the trigger, with verification, with a trigger that does nothing and with n8n's own Webhook node.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Executions } from '../tools/n8n/executions';
import { withN8n, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { triggerWorkflow } from '../tools/n8n/workflows';
import { post } from '../tools/post';
import { CALLERS, deliveriesTo, roundOf, type Contender, type Round } from './deliveries';
import { tableOfShares, withProfiler, type Shares } from './profile';
import type { Call } from './saturate';
import type { Benchmark, Check } from './sections';
import { intervalOf, isSure, median, quantile, ratioOf, type Ratio } from './statistics';
import type { Table } from './tables';

const CONTENDERS = ['ours', 'bare', 'webhook'] as const;
type Who = (typeof CONTENDERS)[number];

const LABELS: Record<Who, string> = {
	ours: 'Our trigger, Entra token verified',
	bare: 'Bare trigger of one line',
	webhook: 'n8n’s Webhook node, then a Code node',
};

const settings = { executionOrder: 'v1' };

/** Ours, set as it is when it is dropped into a workflow: with verification. */
function ourTrigger(credentialId: string): Contender {
	return {
		label: LABELS.ours,
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
		label: LABELS.bare,
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
		label: LABELS.webhook,
		workflowId: 'webhook',
		path: webhookId,
		workflow: { name: 'Webhook', nodes: [webhook, code], connections, settings },
	};
}

/** Whether what is measured is what is said: a forger is refused, and the Code node makes the item that ours is. */
async function checkFairness(
	setup: N8nWithEmulator,
	[ours, bare, webhook]: readonly [Contender, Contender, Contender],
): Promise<void> {
	const forged = await setup.emulator.issueDeliveryToken({ aud: 'api://another' });
	const [call] = deliveriesTo(setup, ours, forged, 1) as [Call];
	const status = await post(call.url, forged, call.body);
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

/** How many rounds there are, and of how many deliveries each. */
interface Size {
	/** Before it is asked whether the ratios are sure. */
	least: number;
	/** At the most. */
	most: number;
	/** How many of the first rounds the Webhook node takes part in. */
	webhook: number;
	count: number;
}

const SHORT: Size = { least: 4, most: 4, webhook: 2, count: 30 };
const FULL: Size = { least: 10, most: 60, webhook: 6, count: 60 };
/** Without sandboxes for expressions, everything is several times as fast. */
const FULL_WITHOUT_SANDBOX: Size = { least: 10, most: 60, webhook: 6, count: 150 };

/** How near to the ratio both ends of its 95 % interval must be. */
const WITHIN = 0.05;

/** The rounds of each contender in one n8n. */
interface Results {
	ours: Round[];
	bare: Round[];
	webhook: Round[];
	/** Whether the ratios became sure before the rounds were at their end. */
	isSure: boolean;
}

type Speed = 'answered' | 'executed';

const speedRatio = (one: Round[], other: Round[], what: Speed): Ratio =>
	ratioOf(
		one.map((round) => round[what]),
		other.map((round) => round[what]),
	);

/** What the other took of n8n's processor, divided by what one took. */
const cpuRatio = (one: Round[], other: Round[]): Ratio =>
	ratioOf(
		other.map(({ cpuMs }) => cpuMs),
		one.map(({ cpuMs }) => cpuMs),
	);

/** How long the other took divided by how long one took, at a quantile of all rounds' deliveries. */
function latencyRatio(one: Round[], other: Round[], share: number): Ratio {
	const pairs = one.flatMap((round, index) => {
		const beside = other[index];
		return beside ? [{ round, beside }] : [];
	});
	const of = (drawn: typeof pairs) => {
		const at = (rounds: Round[]) =>
			quantile(
				rounds.flatMap(({ latencies }) => latencies),
				share,
			);
		return at(drawn.map(({ beside }) => beside)) / at(drawn.map(({ round }) => round));
	};
	// Each drawing sorts all latencies.
	return { ratio: of(pairs), interval: intervalOf(pairs, of, 200) };
}

/** Starts n8n, and publishes all contenders in it. */
async function withContenders<T>(
	env: NodeJS.ProcessEnv,
	use: (setup: N8nWithEmulator, contenders: Record<Who, Contender>, token: string) => Promise<T>,
): Promise<T> {
	return await withN8n(
		async (setup) => {
			const contenders = {
				ours: ourTrigger(setup.credentialId),
				bare: bareTrigger(),
				webhook: webhookAndCode(),
			};
			for (const { workflowId, workflow } of Object.values(contenders)) {
				await setup.publish(workflowId, workflow);
			}
			await checkFairness(setup, [contenders.ours, contenders.bare, contenders.webhook]);
			return await use(setup, contenders, await setup.emulator.issueDeliveryToken());
		},
		{ env: { N8N_CUSTOM_EXTENSIONS: join(__dirname, 'bareTrigger'), ...env } },
	);
}

/**
 * Lets the contenders take turns until the ratios of ours to the bare trigger are sure, or the rounds are at their end.
 * Each is first as often, as what is first may find n8n fresher. The first round of each is a warm-up.
 */
async function resultsIn(env: NodeJS.ProcessEnv, { least, most, webhook, count }: Size): Promise<Results> {
	return await withContenders(env, async (setup, contenders, token) => {
		const results: Results = { ours: [], bare: [], webhook: [], isSure: false };
		for (const who of CONTENDERS) await roundOf(setup, contenders[who], token, count);
		while (results.ours.length < most && !results.isSure) {
			const round = results.ours.length;
			const all = round < webhook ? CONTENDERS : (['ours', 'bare'] as const);
			const first = round % all.length;
			for (const who of [...all.slice(first), ...all.slice(0, first)]) {
				results[who].push(await roundOf(setup, contenders[who], token, count));
			}
			const { ours, bare } = results;
			const ratios = [speedRatio(ours, bare, 'answered'), cpuRatio(ours, bare)];
			const told = ratios.map(({ ratio, interval }) =>
				[ratio, ...interval].map((value) => value.toFixed(3)).join(' '),
			);
			console.log(`  round ${round + 1}, ours ÷ bare, with its interval: speed ${told[0]}, CPU ${told[1]}`);
			results.isSure = ours.length >= least && ratios.every((ratio) => isSure(ratio, WITHIN));
		}
		return results;
	});
}

function rowsOf(results: Results, suffix = ''): string[][] {
	return CONTENDERS.map((who) => {
		const latencies = results[who].flatMap((round) => round.latencies);
		const middle = (of: (round: Round) => number) => median(results[who].map(of)).toFixed(1);
		return [
			`${LABELS[who]}${suffix}`,
			String(results[who].length),
			middle(({ answered }) => answered),
			middle(({ executed }) => executed),
			middle(({ cpuMs }) => cpuMs),
			quantile(latencies, 0.5).toFixed(0),
			quantile(latencies, 0.99).toFixed(0),
		];
	});
}

const WITHOUT = ', without sandbox';

/** A short run has a few dozen calls, whose p99 is the slowest one, and the time of a busy machine. */
function checksOf({ ours, bare, webhook }: Results, suffix = ''): Check[] {
	const speed = (what: Speed): Check => ({
		what: `ours ÷ bare, ${what}/s${suffix}`,
		...speedRatio(ours, bare, what),
		atLeast: 0.97,
		shortAtLeast: 0.6,
	});
	const latency = (share: number): Check => ({
		what: `bare ÷ ours, p${share * 100}${suffix}`,
		...latencyRatio(ours, bare, share),
		atLeast: 0.95,
		shortAtLeast: share === 0.5 ? 0.5 : 0.3,
	});
	return [
		speed('answered'),
		speed('executed'),
		{ what: `bare ÷ ours, CPU per delivery${suffix}`, ...cpuRatio(ours, bare), atLeast: 0.97 },
		latency(0.5),
		latency(0.99),
		{
			what: `ours ÷ Webhook and Code, answered/s${suffix}`,
			...speedRatio(ours, webhook, 'answered'),
			atLeast: 1.3,
			shortAtLeast: 0.3,
		},
	];
}

const soFar = (most: number, { ours, isSure: isEnough }: Results) =>
	`${ours.length}${isEnough ? '' : ` (the upper bound: ${most})`}`;

/** How many deliveries of each are profiled. */
const PROFILED = 100;

async function profiled(env: NodeJS.ProcessEnv): Promise<[ours: Shares, bare: Shares]> {
	return await withProfiler(async (profiler) =>
		withContenders({ ...profiler.env, ...env }, async (setup, { ours, bare }, token) => {
			const of = async (contender: Contender) => {
				await roundOf(setup, contender, token, PROFILED);
				const work = async () => await roundOf(setup, contender, token, PROFILED);
				return (await profiler.profileDuring(setup.n8n, work)).shares;
			};
			return [await of(ours), await of(bare)];
		}),
	);
}

const LEGACY = { N8N_EXPRESSION_ENGINE: 'legacy' };

async function profile(): Promise<Table[]> {
	const [ours, bare] = await profiled({});
	const [oursWithout, bareWithout] = await profiled(LEGACY);
	return [
		tableOfShares('Where the time goes, for each delivery:', PROFILED, [
			['ours', ours],
			['bare', bare],
			[`ours${WITHOUT}`, oursWithout],
			[`bare${WITHOUT}`, bareWithout],
		]),
	];
}

export const trigger: Benchmark = {
	name: 'trigger',
	title: 'Deliveries to the trigger',
	profile,
	measure: async ({ short, rounds }) => {
		const sized = (size: Size): Size => ({
			...size,
			least: Math.min(size.least, rounds ?? size.least),
			most: rounds ?? size.most,
		});
		const size = sized(short ? SHORT : FULL);
		const sizeWithout = sized(FULL_WITHOUT_SANDBOX);
		const asItIs = await resultsIn({}, size);
		// What n8n itself spends on expressions is most of what there is to measure; a short run has no time for both.
		const without = short ? undefined : await resultsIn(LEGACY, sizeWithout);
		return {
			how: [
				'Three workflows in one n8n as it is installed (SQLite, every execution saved): our trigger with the settings that it has when it is dropped into a workflow; a trigger that only passes its body on (`bench/bareTrigger`); and n8n’s Webhook node (it responds immediately) with a Code node that makes the same item, but verifies nothing.',
				`All get the same signed deliveries: a message of some 200 characters, each with a text of its own. ${CALLERS} callers call again as soon as they were answered, in rounds of ${size.count} (without sandbox ${sizeWithout.count}) deliveries, in turns. A round ends when its executions are saved; the run fails unless every delivery was answered 200 and had exactly one.`,
				`A ratio is the median over the rounds of what one did divided by what the other did in the same round. Rounds go on until the 95 % intervals of answered/s and CPU are within ±${WITHIN}: ${soFar(size.most, asItIs)} rounds${without ? `, without sandbox ${soFar(sizeWithout.most, without)}` : ''}. CPU is that of n8n’s process, for a delivery with its execution.`,
				...(without
					? [
							'Without sandbox: in an n8n with `N8N_EXPRESSION_ENGINE=legacy`, which makes none for expressions.',
						]
					: []),
			].join(' '),
			header: ['', 'rounds', 'answered/s', 'executed/s', 'CPU, ms', 'p50, ms', 'p99, ms'],
			rows: [...rowsOf(asItIs), ...(without ? rowsOf(without, WITHOUT) : [])],
			checks: [...checksOf(asItIs), ...(without ? checksOf(without, WITHOUT) : [])],
		};
	},
};
