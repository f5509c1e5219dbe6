// Message: Send, beside n8n's HTTP Request node that makes the same calls.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { withN8n, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { startMessageServer, type MessageServer } from './messageServer';
import { countOutOfOrder, mostWithin, shuffled, stepsOf } from './order';
import { cpuMs, pidOf } from './process';
import { profilesOf, tableOfShares, unwatched } from './profile';
import { type Benchmark, type Section } from './sections';
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

/** How long the service takes for a call. */
const SERVICE_MS = 50;
/** The node's own default. */
const CONCURRENCY = 10;
/** The pause before and after a run, so that n8n's other work is not measured. */
const REST_MS = 1_000;

const SIZES = {
	full: { messages: 1_000, conversations: 100, runs: 5 },
	short: { messages: 200, conversations: 20, runs: 1 },
};

const ENV = { N8N_CUSTOM_EXTENSIONS: join(__dirname, 'bareRead') };

/** The most that the node allows, which is about what HTTP Request has under way without batches. */
const MANY = 50;

type Who = 'ours' | 'oursMany' | 'theirs' | 'theirsAtOnce' | 'reading' | 'neither';
const ALL: Who[] = ['ours', 'oursMany', 'theirs', 'theirsAtOnce', 'reading', 'neither'];
const SENDERS: Who[] = ['ours', 'oursMany', 'theirs', 'theirsAtOnce'];

interface Measured {
	wallMs: number;
	cpuPerMessageMs: number;
	tokenRequests: number;
	outOfOrder: number;
	/** The most calls that the service began within its own time for one. */
	atOnce: number;
	connections: number;
}

const postEach = (service: Service, options: object): NodeStep =>
	httpRequest(service, 'Send', {
		method: 'POST',
		url: `=${service.api}/conversation/{{ $json.conversationId }}`,
		sendBody: true,
		specifyBody: 'json',
		jsonBody: `={{ ({ type: 'message', channelId: '${service.emulator.world.channelId}', conversation: { id: $json.conversationId }, text: $json.text }) }}`,
		options,
	});

const sendEach = (service: Service, parallelConversations: number): NodeStep =>
	ourNode(service, 'Send', {
		resource: 'message',
		operation: 'send',
		conversationId: { __rl: true, mode: 'id', value: '={{ $json.conversationId }}' },
		text: '={{ $json.text }}',
		options: { parallelConversations },
	});

const SEND: Record<Who, (service: Service) => NodeStep[]> = {
	ours: (service) => [sendEach(service, CONCURRENCY)],
	oursMany: (service) => [sendEach(service, MANY)],
	// The node begins a batch one interval after the previous one, even if that has not finished.
	theirs: (service) => [
		postEach(service, { batching: { batch: { batchSize: CONCURRENCY, batchInterval: SERVICE_MS } } }),
	],
	theirsAtOnce: (service) => [postEach(service, {})],
	reading: () => [
		{
			name: 'Send',
			type: 'CUSTOM.bareRead',
			typeVersion: 1,
			parameters: { conversationId: '={{ $json.conversationId }}', text: '={{ $json.text }}' },
		},
	],
	neither: () => [],
};

/** The conversation of each message, in the order of the items. */
function turnsOf({ messages, conversations }: (typeof SIZES)['full']): string[] {
	const id = (index: number) => `c0ffee00-0000-4000-8000-${String(index % conversations).padStart(12, '0')}`;
	return shuffled(Array.from({ length: messages }, (_, index) => id(index)));
}

async function measureOnce(
	setup: N8nWithEmulator,
	who: Who,
	size: (typeof SIZES)['full'],
	watch = unwatched,
): Promise<Measured> {
	const server = await startMessageServer(setup.emulator.certificate, SERVICE_MS);
	const measure = async (service: Service): Promise<Measured> => {
		const items = turnsOf(size).map((conversationId, index) => ({ conversationId, text: String(index) }));
		const chain = await publishChain(setup, who, [splitOut('Items', 'body.items'), ...SEND[who](service)]);
		const pid = pidOf(setup.n8n);

		await pause(REST_MS);
		const before = cpuMs(pid);
		await watch(async () => await chain.start({ items }));
		await pause(REST_MS);
		const used = cpuMs(pid) - before;
		const { ms } = await chain.lastRun();
		checkAllArrived(server, SENDERS.includes(who) ? size.messages : 0);
		return {
			wallMs: ms.Send ?? 0,
			cpuPerMessageMs: used / size.messages,
			tokenRequests: service.emulator.log.filter(({ kind }) => kind === 'token').length,
			outOfOrder: countOutOfOrder([...server.conversations.values()]),
			atOnce: mostWithin(
				server.taken.map(({ at }) => at),
				SERVICE_MS,
			),
			connections: server.connections(),
		};
	};
	try {
		return await withService(setup, measure, server.origin);
	} finally {
		await server.close();
	}
}

/** @throws Error where a message is missing or there twice: such a run is not worth comparing. */
function checkAllArrived({ taken }: MessageServer, messages: number): void {
	const texts = taken.map(({ text }) => text);
	if (texts.length !== messages || new Set(texts).size !== messages) {
		throw new Error(`${texts.length} messages arrived, of ${messages}`);
	}
}

const NAMES: Record<Who, string> = {
	ours: `**Message: Send**, ${CONCURRENCY} at once`,
	oursMany: `**Message: Send**, ${MANY} at once`,
	theirs: 'HTTP Request, batches',
	theirsAtOnce: 'HTTP Request, without',
	reading: 'a node that only reads the items',
	neither: 'the workflow without it',
};

function sectionOf(results: Record<Who, Measured[]>, size: (typeof SIZES)['full']): Section {
	const { messages, conversations, runs } = size;
	const middle = (who: Who, key: keyof Measured) => median(results[who].map((one) => one[key]));
	const ours = [...results.ours, ...results.oursMany];
	/** What the service takes for all calls, where no message may overtake another of its conversation. */
	const serviceMs = (atOnce: number) => stepsOf(turnsOf(size), atOnce) * SERVICE_MS;
	const each = (who: Who, key: keyof Measured) => results[who].map((one) => one[key]);
	const ratio = (key: keyof Measured, who: Who = 'ours', other: Who = 'theirs') =>
		ratioOf(each(who, key), each(other, key));
	const overService = (who: Who, atOnce: number) =>
		ratioOf(
			each(who, 'wallMs'),
			each(who, 'wallMs').map(() => serviceMs(atOnce)),
		);
	/** Every item is read before the first is sent, so what n8n needs to read them comes before what the service takes. */
	const overLeast = (who: Who, atOnce: number) =>
		ratioOf(
			each(who, 'wallMs'),
			each('reading', 'wallMs').map((ms) => ms + serviceMs(atOnce)),
		);
	const row = (who: Who) => [
		NAMES[who],
		who === 'neither' ? '' : `${Math.round(middle(who, 'wallMs'))} ms`,
		`${middle(who, 'cpuPerMessageMs').toFixed(2)} ms`,
		...(SENDERS.includes(who)
			? (['tokenRequests', 'outOfOrder', 'atOnce', 'connections'] as const).map((key) =>
					results[who].map((one) => one[key]).join(', '),
				)
			: []),
	];
	return {
		how: `${messages.toLocaleString('en-US')} items for ${conversations} conversations, in a shuffled order, to a service that takes ${SERVICE_MS} ms for each call and does nothing else (\`bench/messageServer.ts\`: the emulator needs so much processor time that it, and not the sender, would be measured); medians of ${runs} alternating runs, each with a service, a workflow and a credential of its own, in a warm n8n. Message: Send serves ${CONCURRENCY} conversations at once (its default), and ${MANY}. The least possible time is that of a node which only reads the two parameters of each item (\`bench/bareRead\`; both are expressions, and all items are read before the first is sent), and then the service’s own for as many calls at once, in a schedule in which no message overtakes another of its conversation: ${serviceMs(CONCURRENCY)} ms and ${serviceMs(MANY)} ms. HTTP Request has batches of ${CONCURRENCY} every ${SERVICE_MS} ms, which is as many at once as long as the service keeps pace: it does not wait for a batch to end. Without batches it begins all calls as fast as it can. Wall time is the node's own, CPU that of n8n's process for the whole execution. Out of order: conversations whose messages came to the service in another order than the items'. At once: the most calls that the service took up within ${SERVICE_MS} ms. The last four columns have each run's number.`,
		header: [
			'',
			'wall time',
			'CPU per message',
			'token requests',
			'conversations out of order',
			'calls at once',
			'connections',
		],
		rows: ALL.map(row),
		checks: [
			{
				what: `wall time ÷ the least possible, ${CONCURRENCY} at once`,
				...overLeast('ours', CONCURRENCY),
				atMost: 1.1,
				// A busy machine, on which the service is slower than it says.
				shortAtMost: 3,
			},
			{
				what: `wall time ÷ the least possible, ${MANY} at once`,
				...overLeast('oursMany', MANY),
				atMost: 1.25,
				shortAtMost: 4,
			},
			{
				what: `wall time ÷ the service’s own, ${CONCURRENCY} at once`,
				...overService('ours', CONCURRENCY),
				atMost: 1.1,
				// n8n’s reading of the items comes before, and a short run has few of them.
				shortAtMost: 4,
			},
			{
				what: `wall time ÷ the service’s own, ${MANY} at once`,
				...overService('oursMany', MANY),
				atMost: 1.25,
				// n8n’s reading of the items comes before, and a short run has few of them.
				shortAtMost: 8,
			},
			{
				what: `wall time, ${MANY} at once ÷ HTTP Request without batches`,
				...ratio('wallMs', 'oursMany', 'theirsAtOnce'),
				atMost: 1,
			},
			{ what: 'wall time ÷ HTTP Request', ...ratio('wallMs'), atMost: 1 },
			{ what: 'CPU per message ÷ HTTP Request', ...ratio('cpuPerMessageMs'), atMost: 1 },
			{
				what: 'token requests of a run',
				ratio: Math.max(...ours.map((one) => one.tokenRequests)),
				atMost: 1,
			},
			{
				what: 'connections ÷ calls at once that were allowed',
				ratio: Math.max(
					...results.ours.map(({ connections }) => connections / CONCURRENCY),
					...results.oursMany.map(({ connections }) => connections / MANY),
				),
				atMost: 1,
				shortAtMost: 1,
			},
			{
				what: 'conversations out of order in any run',
				ratio: Math.max(...ours.map((one) => one.outOfOrder)),
				atMost: 0,
			},
		],
	};
}

export const send: Benchmark = {
	name: 'send',
	title: 'Sending messages',
	profile: async () => {
		const whos = ['ours', 'oursMany', 'reading', 'theirsAtOnce'] as const;
		const found = await profilesOf(whos, ENV, async (setup, who, watch) => {
			await measureOnce(setup, who, SIZES.full, watch);
		});
		const shares = found.map(([who, profiled]) => [NAMES[who].replaceAll('*', ''), profiled.shares] as const);
		return [tableOfShares('Where the time goes, for each message:', SIZES.full.messages, shares)];
	},
	measure: async ({ short }) => {
		const size = SIZES[short ? 'short' : 'full'];
		return await withN8n(
			async (setup) => {
				const results: Record<Who, Measured[]> = {
					ours: [],
					oursMany: [],
					theirs: [],
					theirsAtOnce: [],
					reading: [],
					neither: [],
				};
				// The first round warms n8n up.
				for (let round = 0; round <= size.runs; round++) {
					for (const who of ALL) {
						const measured = await measureOnce(setup, who, size);
						if (round > 0) results[who].push(measured);
						console.log(`  ${round === 0 ? 'warm-up' : `run ${round}`}, ${who}: ${JSON.stringify(measured)}`);
					}
				}
				return sectionOf(results, size);
			},
			{ env: ENV },
		);
	},
};
