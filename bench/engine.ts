// Compares n8n's settings for how it evaluates expressions, of which each delivery costs several.
import { workflowOf } from '../tools/n8n/echoWorkflow';
import { withN8n } from '../tools/n8n/withN8n';
import { roundOf, type Contender, type Round } from './deliveries';
import { type Benchmark, median, quantile } from './sections';

const LAZY = { N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true' };
const CACHE = { N8N_EXPRESSION_ENGINE_COMPILE_CACHE: 'true' };
const POOL = { N8N_EXPRESSION_ENGINE_POOL_SIZE: '4' };

const SETTINGS: Record<string, NodeJS.ProcessEnv> = {
	'as it is installed': {},
	'`LAZY_ACQUIRE=true`': LAZY,
	'`COMPILE_CACHE=true`': CACHE,
	'`POOL_SIZE=4`': POOL,
	'all three': { ...LAZY, ...CACHE, ...POOL },
	'`N8N_EXPRESSION_ENGINE=legacy`': { N8N_EXPRESSION_ENGINE: 'legacy' },
};

/** The trigger, and a node that evaluates an expression. */
function contender(credentialId: string): Contender {
	const field = { id: 'field-1', name: 'answer', type: 'string', value: '={{ $json.text }}' };
	const edit = {
		name: 'Edit Fields',
		type: 'n8n-nodes-base.set',
		typeVersion: 3.4,
		position: [240, 0],
		parameters: { assignments: { assignments: [field] }, options: {} },
	};
	const made = workflowOf('Engine', credentialId, { respond: 'onSuccess' }, [edit]);
	return { label: 'Trigger, Edit Fields', workflowId: 'engine', ...made };
}

/** A round in an n8n of its own, after one that does not count. */
async function roundWith(env: NodeJS.ProcessEnv, count: number): Promise<Round> {
	return await withN8n(
		async (setup) => {
			const one = contender(setup.credentialId);
			await setup.publish(one.workflowId, one.workflow);
			const token = await setup.emulator.issueDeliveryToken();
			await roundOf(setup, one, token, count);
			return await roundOf(setup, one, token, count);
		},
		{ env },
	);
}

export const engine: Benchmark = {
	name: 'engine',
	title: 'n8n’s settings for expressions',
	onlyNamed: true,
	measure: async ({ short }) => {
		const { rounds, count } = short ? { rounds: 1, count: 40 } : { rounds: 3, count: 150 };
		const results = new Map(Object.keys(SETTINGS).map((name) => [name, [] as Round[]]));
		for (let round = 0; round < rounds; round++) {
			const order = Object.entries(SETTINGS);
			for (const [name, env] of round % 2 === 0 ? order : order.reverse()) {
				const result = await roundWith(env, count);
				console.log(`  ${name}: ${result.answered.toFixed(1)} answered/s`);
				results.get(name)?.push(result);
			}
		}
		const [asItIs = []] = results.values();
		const ratioOf = (other: Round[]) =>
			median(other.map(({ answered }, round) => answered / (asItIs[round]?.answered ?? NaN)));
		return {
			how: `The trigger with Respond: When Workflow Succeeds, and a node with one expression behind it, in an n8n with SQLite that was started for each round; ${rounds} rounds of ${count} deliveries for each setting, in turns, each after a round that does not count. 16 callers call again as soon as they were answered. The ratio is the median over the rounds.`,
			header: ['`N8N_EXPRESSION_ENGINE_…`', 'answered/s', 'p50, ms', 'p99, ms', '÷ as it is installed'],
			rows: [...results].map(([name, all]) => {
				const latencies = all.flatMap((round) => round.latencies);
				return [
					name,
					median(all.map(({ answered }) => answered)).toFixed(1),
					quantile(latencies, 0.5).toFixed(0),
					quantile(latencies, 0.99).toFixed(0),
					ratioOf(all).toFixed(2),
				];
			}),
			checks: [],
		};
	},
};
