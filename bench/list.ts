// Conversation: Get Many of long lists, beside the pagination of n8n's HTTP Request node.
import { join } from 'node:path';
import { withN8n, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { startListServer } from './listServer';
import { runWatched, startAnew, type MeasuredRun } from './memory';
import { profilesOf, tableOfShares, unwatched } from './profile';
import { type Benchmark, type Check, type Section } from './sections';
import {
	httpRequest,
	ourNode,
	publishChain,
	splitOut,
	withService,
	type NodeStep,
	type Service,
} from './service';
import { median, ratioOf } from './statistics';

const MEGABYTE = 1024 * 1024;
/** The largest page of the service. */
const PAGE_SIZE = 250;

const SIZES = { full: { lengths: [100_000], runs: 5 }, short: { lengths: [5_000], runs: 2 } };

const ENV = { N8N_CUSTOM_EXTENSIONS: join(__dirname, 'bareList') };
/** How many conversations are read in a profile. */
const PROFILED = 100_000;

type Who = 'ours' | 'theirs' | 'loop' | 'bare';
const ALL: Who[] = ['ours', 'theirs', 'loop', 'bare'];

function bareList(parameters: object): NodeStep {
	return { name: 'List', type: 'CUSTOM.bareList', typeVersion: 1, parameters };
}

const LIST: Record<Who, (service: Service, length: number) => NodeStep[]> = {
	bare: (_service, length) => [bareList({ length })],
	loop: ({ api }) => [bareList({ url: `${api}/conversations?PageSize=${PAGE_SIZE}` })],
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
	/** The time of the nodes, milliseconds. */
	ms: number;
	/** That of the whole execution, with what n8n does to keep it. */
	wholeMs: number;
	growth: number;
}

async function measureOnce(
	setup: N8nWithEmulator,
	who: Who,
	length: number,
	watch = unwatched,
): Promise<Measured> {
	const server = await startListServer(setup.emulator.certificate, length, PAGE_SIZE);
	const measure = async (service: Service): Promise<Measured> => {
		const chain = await publishChain(setup, `${who} ${length}`, LIST[who](service, length));
		const run: MeasuredRun = await runWatched(setup, chain, [{}], watch);
		if (run.items.List !== length) throw new Error(`${run.items.List} of ${length} conversations came out`);
		const { growth, wholeMs } = run;
		return { ms: (run.ms.Pages ?? 0) + (run.ms.List ?? 0), wholeMs, growth };
	};
	try {
		return await withService(setup, measure, server.origin);
	} finally {
		await server.close();
	}
}

type Results = Map<number, Record<Who, Measured[]>>;

const NAMES: Record<Who, string> = {
	ours: '**Conversation: Get Many**',
	theirs: 'HTTP Request, Split Out',
	loop: 'a bare loop of `node:https`',
	bare: 'a node that only gives them out',
};

function rowsOf(results: Results): string[][] {
	const seconds = (values: number[]) => `${(median(values) / 1000).toFixed(2)} s`;
	return [...results].flatMap(([length, by]) =>
		ALL.map((who) => [
			length.toLocaleString('en-US'),
			NAMES[who],
			seconds(by[who].map(({ ms }) => ms)),
			seconds(by[who].map(({ wholeMs }) => wholeMs)),
			`${Math.round(median(by[who].map(({ growth }) => growth)) / MEGABYTE)} MB`,
		]),
	);
}

function checksOf(results: Results, short: boolean): Check[] {
	return [...results].flatMap(([length, by]) => {
		const ratio = (key: keyof Measured, other: Who = 'theirs') =>
			ratioOf(
				by.ours.map((one) => one[key]),
				by[other].map((one) => one[key]),
			);
		const of = length.toLocaleString('en-US');
		const time = { what: `time ÷ HTTP Request, ${of}`, ...ratio('ms'), atMost: 1 };
		const memory = { what: `peak memory ÷ HTTP Request, ${of}`, ...ratio('growth'), atMost: 1 };
		const share = {
			what: `time of the execution ÷ n8n’s own share, ${of}`,
			...ratio('wholeMs', 'bare'),
			atMost: 1.2,
			// So few conversations are read in less time than an execution takes anyway.
			shortAtMost: 6,
		};
		const least = {
			what: `time of the execution ÷ a bare loop that reads them, ${of}`,
			...ratio('wholeMs', 'loop'),
			atMost: 1.2,
			shortAtMost: 3,
		};
		// In a short run, n8n is not restarted each time, so that memory of one run remains for the next.
		return short ? [time, least, share] : [time, least, share, memory];
	});
}

function sectionOf(results: Results, runs: number, short: boolean): Section {
	return {
		how: `All of the channel's conversations, one item for each, read in pages of ${PAGE_SIZE} from a service that has them ready (\`bench/listServer.ts\`: the emulator needs so long for each that it, and not the reader, would be measured); medians of ${runs} alternating runs, ${short ? 'all in one n8n' : 'each in an n8n that was started for it'}. HTTP Request follows the continuation token with its pagination; Split Out then makes an item of each entry, and its time is added. The whole execution is as its caller saw it; n8n’s own share is that of a node that asks nobody and gives out as many such items (\`bench/bareList\`); the bare loop reads the same pages in the same n8n by \`node:https\` and \`JSON.parse\`, and checks nothing. Peak memory: by how much n8n's process grew at the most in the execution, with what n8n itself does to keep it.`,
		header: ['conversations', '', 'time of the nodes', 'whole execution', 'peak memory'],
		rows: rowsOf(results),
		checks: checksOf(results, short),
	};
}

export const list: Benchmark = {
	name: 'list',
	title: 'Reading many conversations',
	profile: async () => {
		const found = await profilesOf(ALL, ENV, async (setup, who, watch) => {
			await measureOnce(setup, who, PROFILED, watch);
		});
		const shares = found.map(([who, profiled]) => [NAMES[who].replaceAll('*', ''), profiled.shares] as const);
		const title = `Where the time goes, for each of ${PROFILED.toLocaleString('en-US')} conversations:`;
		return [tableOfShares(title, PROFILED, shares)];
	},
	measure: async ({ short }) => {
		const { lengths, runs } = SIZES[short ? 'short' : 'full'];
		return await withN8n(
			async (setup) => {
				const results: Results = new Map(
					lengths.map((length) => [length, { ours: [], theirs: [], loop: [], bare: [] }]),
				);
				for (const [length, by] of results) {
					for (let round = 1; round <= runs; round++) {
						for (const who of ALL) {
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
			},
			{ env: ENV },
		);
	},
};
