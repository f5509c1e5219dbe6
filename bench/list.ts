// Conversation: Get Many of long lists, beside the pagination of n8n's HTTP Request node.
import { withN8n, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { runWatched, startAnew, type MeasuredRun } from './memory';
import { median, type Benchmark, type Check, type Section } from './sections';
import {
	httpRequest,
	ourNode,
	publishChain,
	splitOut,
	withService,
	type NodeStep,
	type Service,
} from './service';

const MEGABYTE = 1024 * 1024;
/** The largest page of the service. */
const PAGE_SIZE = 250;

const SIZES = { full: { lengths: [10_000, 100_000], runs: 3 }, short: { lengths: [5_000], runs: 3 } };

type Who = 'ours' | 'theirs';

const LIST: Record<Who, (service: Service) => NodeStep[]> = {
	ours: (service) => [
		ourNode(service, 'List', {
			resource: 'conversation',
			operation: 'getMany',
			returnAll: true,
			options: {},
		}),
	],
	theirs: (service) => [
		httpRequest(service, 'Pages', {
			url: `${service.api}/conversations`,
			sendQuery: true,
			queryParameters: { parameters: [{ name: 'PageSize', value: String(PAGE_SIZE) }] },
			options: {
				pagination: {
					pagination: {
						paginationMode: 'updateAParameterInEachRequest',
						parameters: {
							parameters: [
								{ type: 'qs', name: 'ContinuationToken', value: '={{ $response.body?.continuationtoken }}' },
							],
						},
						paginationCompleteWhen: 'other',
						completeExpression: '={{ !$response.body.continuationtoken }}',
					},
				},
			},
		}),
		splitOut('List', 'conversations'),
	],
};

interface Measured {
	ms: number;
	growth: number;
}

async function measureOnce(setup: N8nWithEmulator, who: Who, length: number): Promise<Measured> {
	return await withService(setup, async (service) => {
		service.emulator.addConversations(length);
		const chain = await publishChain(setup, `${who} ${length}`, LIST[who](service));
		const run: MeasuredRun = await runWatched(setup, chain, {});
		if (run.items.List !== length) throw new Error(`${run.items.List} of ${length} conversations came out`);
		return { ms: (run.ms.Pages ?? 0) + (run.ms.List ?? 0), growth: run.growth };
	});
}

type Results = Map<number, Record<Who, Measured[]>>;

function rowsOf(results: Results): string[][] {
	const names = { ours: '**Conversation: Get Many**', theirs: 'HTTP Request, Split Out' };
	return [...results].flatMap(([length, by]) =>
		(['ours', 'theirs'] as const).map((who) => [
			length.toLocaleString('en-US'),
			names[who],
			`${(median(by[who].map(({ ms }) => ms)) / 1000).toFixed(2)} s`,
			`${Math.round(median(by[who].map(({ growth }) => growth)) / MEGABYTE)} MB`,
		]),
	);
}

function checksOf(results: Results, short: boolean): Check[] {
	return [...results].flatMap(([length, by]) => {
		const ratio = (key: keyof Measured) =>
			median(by.ours.map((one) => one[key])) / median(by.theirs.map((one) => one[key]));
		const of = length.toLocaleString('en-US');
		const time = { what: `time ÷ HTTP Request, ${of}`, ratio: ratio('ms'), atMost: 1 };
		const memory = { what: `peak memory ÷ HTTP Request, ${of}`, ratio: ratio('growth'), atMost: 1 };
		// In a short run, n8n is not restarted each time, so that memory of one run remains for the next.
		return short ? [time] : [time, memory];
	});
}

function sectionOf(results: Results, runs: number, short: boolean): Section {
	return {
		how: `All of the channel's conversations, one item for each, read in pages of ${PAGE_SIZE} from a service that answers as fast as it can; medians of ${runs} alternating runs, ${short ? 'all in one n8n' : 'each in an n8n that was started for it'}. HTTP Request follows the continuation token with its pagination; Split Out then makes an item of each entry, and its time is added. Peak memory: by how much n8n's process grew at the most in the execution, with what n8n itself does to keep it.`,
		header: ['conversations', '', 'time', 'peak memory'],
		rows: rowsOf(results),
		checks: checksOf(results, short),
	};
}

export const list: Benchmark = {
	name: 'list',
	title: 'Reading many conversations',
	measure: async ({ short }) => {
		const { lengths, runs } = SIZES[short ? 'short' : 'full'];
		return await withN8n(async (setup) => {
			const results: Results = new Map(lengths.map((length) => [length, { ours: [], theirs: [] }]));
			for (const [length, by] of results) {
				for (let round = 1; round <= runs; round++) {
					for (const who of ['ours', 'theirs'] as const) {
						if (!short) await startAnew(setup);
						// So that what it needs is loaded.
						await measureOnce(setup, who, 2 * PAGE_SIZE);
						const measured = await measureOnce(setup, who, length);
						by[who].push(measured);
						console.log(`  run ${round}, ${length}, ${who}: ${JSON.stringify(measured)}`);
					}
				}
			}
			return sectionOf(results, runs, short);
		});
	},
};
