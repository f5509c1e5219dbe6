// What it costs to answer Dynamics when the workflow has succeeded, beside answering at once.
import { withN8n } from '../tools/n8n/withN8n';
import { triggerWorkflow } from '../tools/n8n/workflows';
import { roundOf, type Contender, type Round } from './deliveries';
import { profilesOf, tableOfShares } from './profile';
import type { Benchmark } from './sections';
import { median, quantile, ratioOf } from './statistics';

const CALLERS = [1, 4, 16] as const;
const WAYS = ['immediately', 'onSuccess'] as const;
type Way = (typeof WAYS)[number];

const LABELS: Record<Way, string> = { immediately: 'Immediately', onSuccess: 'When Workflow Succeeds' };

interface Size {
	rounds: number;
	count: number;
}

const SIZES: Record<'full' | 'short', Size> = {
	full: { rounds: 8, count: 200 },
	short: { rounds: 2, count: 40 },
};

/** n8n's sandboxes for expressions are most of a delivery's time, and have nothing to do with when it is answered. */
const ENV = { N8N_EXPRESSION_ENGINE: 'legacy' };

const contender = (credentialId: string, way: Way): Contender => ({
	label: LABELS[way],
	workflowId: way,
	...triggerWorkflow(LABELS[way], credentialId, { respond: way }),
});

type Results = Map<number, Record<Way, Round[]>>;

async function resultsOf({ rounds, count }: Size): Promise<Results> {
	return await withN8n(
		async (setup) => {
			const contenders = {
				immediately: contender(setup.credentialId, 'immediately'),
				onSuccess: contender(setup.credentialId, 'onSuccess'),
			};
			const token = await setup.emulator.issueDeliveryToken();
			for (const one of Object.values(contenders)) {
				await setup.publish(one.workflowId, one.workflow);
				await roundOf(setup, one, token, count);
			}
			const results: Results = new Map(
				CALLERS.map((callers) => [callers, { immediately: [], onSuccess: [] }]),
			);
			for (let round = 0; round < rounds; round++) {
				for (const [callers, by] of results) {
					for (const way of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
						by[way].push(await roundOf(setup, contenders[way], token, count, callers));
					}
				}
				console.log(`  round ${round + 1} of ${rounds}`);
			}
			return results;
		},
		{ env: ENV },
	);
}

/** How many deliveries of each way are profiled. */
const PROFILED = 200;

export const respond: Benchmark = {
	name: 'respond',
	title: 'When Workflow Succeeds',
	measure: async ({ short, rounds }) => {
		const { count, ...size } = SIZES[short ? 'short' : 'full'];
		const results = await resultsOf({ count, rounds: rounds ?? size.rounds });
		const of = (all: Round[], key: 'executed' | 'cpuMs') => all.map((round) => round[key]);
		return {
			how: `A workflow of the trigger alone, once with Respond: Immediately and once with When Workflow Succeeds, in one n8n without sandboxes for expressions (\`N8N_EXPRESSION_ENGINE=legacy\`, where a delivery takes least); ${rounds ?? size.rounds} rounds of ${count} deliveries in 50 conversations for each, in turns. A delivery that is answered at once is executed all the same, so what compares the two is how many are executed. CPU is that of n8n’s process.`,
			header: ['callers', '', 'answered/s', 'executed/s', 'CPU, ms', 'p50, ms', 'p99, ms'],
			rows: [...results].flatMap(([callers, by]) =>
				WAYS.map((way) => {
					const latencies = by[way].flatMap((round) => round.latencies);
					return [
						String(callers),
						LABELS[way],
						median(by[way].map(({ answered }) => answered)).toFixed(1),
						median(of(by[way], 'executed')).toFixed(1),
						median(of(by[way], 'cpuMs')).toFixed(1),
						quantile(latencies, 0.5).toFixed(1),
						quantile(latencies, 0.99).toFixed(1),
					];
				}),
			),
			checks: [...results].flatMap(([callers, { immediately, onSuccess }]) => [
				{
					what: `executed/s ÷ Immediately, callers: ${callers}`,
					...ratioOf(of(onSuccess, 'executed'), of(immediately, 'executed')),
					atLeast: 0.9,
					// One caller waits for each workflow's end, and a short run has few calls.
					shortAtLeast: 0.5,
				},
				{
					what: `CPU per delivery ÷ Immediately, callers: ${callers}`,
					...ratioOf(of(onSuccess, 'cpuMs'), of(immediately, 'cpuMs')),
					atMost: 1.1,
					shortAtMost: 1.6,
				},
			]),
		};
	},
	profile: async () => {
		const found = await profilesOf(WAYS, ENV, async (setup, way, watch) => {
			const one = contender(setup.credentialId, way);
			await setup.publish(one.workflowId, one.workflow);
			const token = await setup.emulator.issueDeliveryToken();
			await watch(async () => await roundOf(setup, one, token, PROFILED));
		});
		const shares = found.map(([way, profiled]) => [LABELS[way], profiled.shares] as const);
		return [tableOfShares('Where the time goes, for each delivery of 16 callers:', PROFILED, shares)];
	},
};
