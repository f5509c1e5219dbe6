// Files of 5 MB, sent and fetched, beside what n8n's own nodes need for the same.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emulator } from '../emulator';
import { message } from '../emulator/messaging/activities';
import { withN8n, type N8nWithEmulator } from '../tools/n8n/withN8n';
import { runWatched, startAnew } from './memory';
import { profilesOf, tableOfMemory, tableOfShares, unwatched, type Profiled } from './profile';
import { type Benchmark, type Section } from './sections';
import {
	httpRequest,
	ourNode,
	publishChain,
	splitOut,
	triggerStart,
	withService,
	type NodeStep,
	type Service,
} from './service';
import { intervalOf, median, ratioOf } from './statistics';

const MEGABYTE = 1024 * 1024;
const SIZE = 5 * MEGABYTE;
/** The size of the file of the warm-up run. Small, because memory that it takes would still be in use. */
const WARM_UP_SIZE = 1024;
const TYPE = 'application/pdf';
/** The default of Message: Send. */
const CONCURRENCY = 10;

const SIZES = { full: { files: 20, runs: 5 }, short: { files: 4, runs: 1 } };

type Who = 'ours' | 'theirs';
const BOTH: Who[] = ['ours', 'theirs'];

/** Files to be sent or fetched. */
interface Files {
	count: number;
	/** Bytes of each. */
	size: number;
	/** Where on the disk they are. */
	folder: string;
}

/** A task with files, and the nodes that carry it out. */
interface Task {
	name: string;
	nodes: Record<Who, string>;
	steps: Record<Who, (service: Service) => NodeStep[]>;
	/** How much of a file's size may be in memory. */
	targets: { times: number };
	/** What the workflow is started with; more than once where it cannot take so many files in one run. */
	bodies: (service: Service, files: Files) => object[];
	/** What starts the workflow, where it is not n8n's Webhook node. */
	start?: Partial<Record<Who, (service: Service) => ReturnType<typeof triggerStart>>>;
	/** Counts the files that arrived. @param items of the last run. */
	arrived: (service: Service, items: Record<string, number>, runs: number) => number;
}

const readFiles: NodeStep = {
	name: 'Read',
	type: 'n8n-nodes-base.readWriteFile',
	typeVersion: 1.1,
	parameters: { fileSelector: '={{ $json.body.folder }}/*.pdf', options: {} },
};

/** Extract from File does the same, but n8n 2.41.1 cannot load it as npm installs it: a package of its own is missing. */
const toBase64: NodeStep = {
	name: 'Base64',
	type: 'n8n-nodes-base.moveBinaryData',
	typeVersion: 1.1,
	parameters: {
		mode: 'binaryToJson',
		setAllData: false,
		sourceKey: 'data',
		destinationKey: 'data',
		options: { keepAsBase64: true },
	},
};

const CONVERSATION = "{{ $('Start').first().json.body.ids[$itemIndex] }}";

const sending: Task = {
	name: 'sent',
	targets: { times: 1 },
	nodes: { ours: '**Message: Send**', theirs: 'Move Binary Data, HTTP Request' },
	steps: {
		ours: (service) => [
			readFiles,
			ourNode(service, 'Send', {
				resource: 'message',
				operation: 'send',
				conversationId: { __rl: true, mode: 'id', value: `=${CONVERSATION}` },
				text: '',
				attachments: { attachment: [{ source: 'binary', binaryPropertyName: 'data' }] },
				options: { parallelConversations: CONCURRENCY },
			}),
		],
		theirs: (service) => [
			readFiles,
			toBase64,
			httpRequest(service, 'Send', {
				method: 'POST',
				url: `=${service.api}/conversation/${CONVERSATION}`,
				sendBody: true,
				specifyBody: 'json',
				jsonBody: `={{ ({ type: 'message', channelId: '${service.emulator.world.channelId}', conversation: { id: $('Start').first().json.body.ids[$itemIndex] }, attachments: [{ contentType: '${TYPE}', name: 'file.pdf', contentUrl: 'data:${TYPE};base64,' + $json.data }] }) }}`,
				options: { batching: { batch: { batchSize: CONCURRENCY, batchInterval: 1 } } },
			}),
		],
	},
	bodies: ({ emulator }, { count, folder }) => {
		emulator.addConversations(count);
		return [{ ids: emulator.desk.list().map(({ id }) => id), folder }];
	},
	arrived: ({ emulator }) =>
		emulator.desk
			.list()
			.flatMap(({ messages }) => messages.flatMap(({ attachments }) => attachments))
			.filter(({ contentUrl }) => contentUrl.startsWith(emulator.origin)).length,
};

/** The activity of a representative's message with files; each in a conversation of its own. */
function messageWith(emulator: Emulator, { count, size }: Files) {
	emulator.addConversations(1);
	const conversation = emulator.desk.list().at(-1);
	const id = conversation?.id ?? '';
	const file = (index: number) => ({ name: `${index}.pdf`, contentType: TYPE, data: randomBytes(size) });
	emulator.desk.accept(id);
	emulator.desk.reply(id, { files: Array.from({ length: count }, (_, index) => file(index)) });
	const sender = { id: emulator.world.servicePrincipalId, name: 'Amber Rodriguez' };
	const attachments = conversation?.messages.at(-1)?.attachments;
	return message({ channelId: emulator.world.channelId, id }, sender, { text: '', attachments });
}

const fetching: Task = {
	name: 'fetched',
	targets: { times: 0.5 },
	nodes: { ours: '**Message: Download Attachments**', theirs: 'Split Out, HTTP Request' },
	steps: {
		ours: (service) => [
			ourNode(service, 'Fetch', {
				resource: 'message',
				operation: 'downloadAttachments',
				attachments: '={{ $json.body.attachments }}',
				options: {},
			}),
			splitOut('Files', '$binary'),
		],
		theirs: (service) => [
			splitOut('Attachments', 'body.attachments'),
			httpRequest(service, 'Files', {
				url: '={{ $json.contentUrl }}',
				options: { response: { response: { responseFormat: 'file' } } },
			}),
		],
	},
	bodies: ({ emulator }, files) => [messageWith(emulator, files)],
	arrived: (_service, items) => items.Files ?? 0,
};

/** What the trigger fetches of one message at the most is 25 MB. */
const FILES_OF_A_MESSAGE = 5;

const fetchingInTrigger: Task = {
	name: 'fetched by the trigger',
	targets: { times: 0.5 },
	nodes: { ours: '**Trigger**: Download Attachments', theirs: 'Webhook, Split Out, HTTP Request' },
	start: { ours: async (service) => await triggerStart(service, { downloadAttachments: true }) },
	steps: { ours: () => [splitOut('Files', '$binary')], theirs: fetching.steps.theirs },
	bodies: ({ emulator }, { count, size, folder }) => {
		const each = Math.min(count, FILES_OF_A_MESSAGE);
		return Array.from({ length: count / each }, () => messageWith(emulator, { count: each, size, folder }));
	},
	arrived: (_service, items, runs) => (items.Files ?? 0) * runs,
};

const TASKS = [fetching, fetchingInTrigger, sending];

interface Measured {
	ms: number;
	/** By how many times the files' size n8n's memory grew. */
	times: number;
}

async function measureOnce(
	setup: N8nWithEmulator,
	task: Task,
	who: Who,
	files: Files,
	watch = unwatched,
): Promise<Measured> {
	return await withService(setup, async (service) => {
		const { count, size } = files;
		const bodies = task.bodies(service, files);
		const start = await task.start?.[who]?.(service);
		const chain = await publishChain(setup, `${task.name} ${who}`, task.steps[who](service), start);
		const { growth, items, wholeMs } = await runWatched(setup, chain, bodies, watch);
		const arrived = task.arrived(service, items, bodies.length);
		if (arrived !== count) throw new Error(`${arrived} of ${count} files were ${task.name}`);
		return { ms: wholeMs, times: growth / (count * size) };
	});
}

function writeFiles(folder: string, count: number, size: number): Files {
	mkdirSync(folder);
	for (let index = 0; index < count; index++) writeFileSync(join(folder, `${index}.pdf`), randomBytes(size));
	return { folder, count, size };
}

type Results = Map<Task, Record<Who, Measured[]>>;

function sectionOf(results: Results, { files, runs }: (typeof SIZES)['full'], short: boolean): Section {
	const of = (measured: Measured[], key: keyof Measured) => measured.map((one) => one[key]);
	const middle = (measured: Measured[], key: keyof Measured) => median(of(measured, key));
	const rows = [...results].flatMap(([{ name, nodes }, by]) =>
		BOTH.map((who) => [
			name,
			nodes[who],
			`${(middle(by[who], 'ms') / 1000).toFixed(2)} s`,
			`${Math.round((middle(by[who], 'times') * files * SIZE) / MEGABYTE)} MB`,
			middle(by[who], 'times').toFixed(2),
		]),
	);
	return {
		how: `${files} files of 5 MB in one run, in n8n's default mode for binary data (files on disk); medians of ${runs} alternating runs, ${short ? 'all in one n8n' : 'each in an n8n that was started for it'}. Sent: each in a message of its own into a conversation of its own, ${CONCURRENCY} at once, read from disk by Read/Write Files; HTTP Request, which needs their base64 in the item, gets it from Move Binary Data (its successor, Extract from File, cannot be loaded in n8n 2.41.1 as npm installs it). Fetched: all from one message, all at once; by the trigger, which takes 25 MB of one message at the most, ${FILES_OF_A_MESSAGE} from each of several, one after the other. Time: the whole execution, as its caller saw it. Peak memory: by how much n8n's process grew at the most in the execution, all nodes of it.`,
		header: ['', '', 'time', 'peak memory', 'per file ÷ its size'],
		rows,
		checks: [...results].flatMap(([{ name, targets }, by]) => [
			{
				what: `peak memory per file ÷ its size, ${name}`,
				ratio: middle(by.ours, 'times'),
				interval: intervalOf(of(by.ours, 'times'), median),
				atMost: targets.times,
				// With few files, the growth of n8n's process for other reasons weighs more.
				shortAtMost: 4.5,
			},
			{
				what: `time ÷ HTTP Request, ${name}`,
				...ratioOf(of(by.ours, 'ms'), of(by.theirs, 'ms')),
				atMost: 1,
				// One run of each.
				shortAtMost: 2.5,
			},
			...(short
				? []
				: [
						{
							what: `peak memory ÷ HTTP Request, ${name}`,
							...ratioOf(of(by.ours, 'times'), of(by.theirs, 'times')),
							atMost: 1,
						},
					]),
		]),
	};
}

/** Writes files of the size that is measured, and a small one; removes them when `use` has ended. */
async function withFiles<T>(
	count: number,
	use: (files: Files, small: Files, env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), 'bench-attachments-'));
	try {
		return await use(
			writeFiles(join(folder, 'files'), count, SIZE),
			writeFiles(join(folder, 'small'), 1, WARM_UP_SIZE),
			{ N8N_RESTRICT_FILE_ACCESS_TO: folder },
		);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

export const attachments: Benchmark = {
	name: 'attachments',
	title: 'Attachments',
	profile: async () =>
		await withFiles(SIZES.full.files, async (files, small, env) => {
			const whos = TASKS.flatMap((task) => BOTH.map((who) => ({ task, who })));
			const found: Array<[label: string, profiled: Profiled]> = [];
			// Each in an n8n of its own, as memory that one has taken is not given back.
			for (const one of whos) {
				const profiles = await profilesOf([one], env, async (setup, { task, who }, watch) => {
					await measureOnce(setup, task, who, watch === unwatched ? small : files, watch);
				});
				const label = `${one.task.nodes[one.who].replaceAll('*', '')} (${one.task.name})`;
				found.push(...profiles.map(([, profiled]): [string, Profiled] => [label, profiled]));
			}
			const count = SIZES.full.files;
			return [
				tableOfShares(
					'Where the time goes, for each file:',
					count,
					found.map(([label, { shares }]) => [label, shares]),
				),
				tableOfMemory(
					'What the memory is taken by when it is most, of all files:',
					found.map(([label, { memory }]) => [label, memory]),
				),
			];
		}),
	measure: async ({ short }) => {
		const size = SIZES[short ? 'short' : 'full'];
		return await withFiles(size.files, async (files, small, env) =>
			withN8n(
				async (setup) => {
					const results: Results = new Map(TASKS.map((task) => [task, { ours: [], theirs: [] }]));
					for (const [task, by] of results) {
						for (let round = 1; round <= size.runs; round++) {
							for (const who of BOTH) {
								if (!short) await startAnew(setup);
								// So that what it needs is loaded.
								await measureOnce(setup, task, who, small);
								const measured = await measureOnce(setup, task, who, files);
								by[who].push(measured);
								console.log(`  run ${round}, ${task.name}, ${who}: ${JSON.stringify(measured)}`);
							}
						}
					}
					return sectionOf(results, size, short);
				},
				{ env },
			),
		);
	},
};
