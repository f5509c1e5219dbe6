// Many deliveries and messages through one process, which must hold as much at the end as at the start. Without n8n.
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmulator, type Emulator } from '../emulator';
import { message } from '../emulator/messaging/activities';
import { credentialFor } from '../tools/emulatorCredentials';
import { installationOf, makeRunFolder } from '../tools/n8n/installation';
import { writeCertificateFile } from '../tools/n8n/withN8n';
import { CALLERS, textOf } from './deliveries';
import { saturate, type Call } from './saturate';
import type { Benchmark } from './sections';

const SIZES = { full: 100_000, short: 5_000 };
const TENTHS = 10;
const CONVERSATIONS = 50;
const CREDENTIALS = 200;
/** Items of one execution. */
const BATCH = 500;
/** Every how many deliveries one has an ID, as most activities have none. */
const ID_EVERY = 10;
const MEBIBYTE = 1024 * 1024;

/** What is open in a process. */
interface Open {
	resources: Record<string, number>;
	listeners: number;
	/** Open descriptors. */
	files: number;
}

interface End {
	before: Open;
	after: Open;
	/** Timers that are yet to fire. */
	timers: number;
	/** Places in the lines of conversations. */
	places: number;
	warnings: string[];
}

/** The process that is watched. */
interface Watched {
	ask: <Answer>(name: string, given?: object) => Promise<Answer>;
	stop: () => void;
}

interface Reply {
	id: number;
	value?: unknown;
	error?: string;
}

/** Passes commands to a process, and its answers back. @throws Error with what went wrong there */
function commandsOf(child: ChildProcess): Watched {
	const waiting = new Map<number, (reply: Reply) => void>();
	let asked = 0;
	child.on('message', (reply: Reply) => {
		waiting.get(reply.id)?.(reply);
		waiting.delete(reply.id);
	});
	child.on('exit', (code) => {
		for (const [id, tell] of waiting) tell({ id, error: `The process ended with ${code}` });
	});
	return {
		ask: async <Answer>(name: string, given?: object) => {
			const id = ++asked;
			const reply = await new Promise<Reply>((resolve) => {
				waiting.set(id, resolve);
				child.send({ id, name, given });
			});
			if (reply.error !== undefined) throw new Error(reply.error);
			return reply.value as Answer;
		},
		stop: () => void child.kill('SIGKILL'),
	};
}

/** Starts the process with n8n's own Node.js. */
async function startWatched(emulator: Emulator, folder: string): Promise<Watched> {
	const file = join(folder, 'long.json');
	writeFileSync(file, JSON.stringify({ credential: credentialFor(emulator) }));
	const child = fork(join(__dirname, 'longProcess.cjs'), [file], {
		execPath: installationOf().node,
		execArgv: ['--expose-gc'],
		env: { ...process.env, NODE_EXTRA_CA_CERTS: writeCertificateFile(emulator, folder) },
	});
	await new Promise<void>((resolve, reject) => {
		child.once('message', () => resolve());
		child.once('exit', (code) => reject(new Error(`The process ended with ${code}`)));
	});
	return commandsOf(child);
}

function deliveriesTo(emulator: Emulator, port: number, token: string, count: number): Call[] {
	const { channelId, servicePrincipalId } = emulator.world;
	const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
	return Array.from({ length: count }, (_, index) => {
		const id = `c0ffee00-0000-4000-8000-${String(index % CONVERSATIONS).padStart(12, '0')}`;
		const activity = message(
			{ channelId, id },
			{ id: servicePrincipalId, name: 'Amber Rodriguez' },
			{ text: textOf(randomUUID()) },
		);
		const activityId = index % ID_EVERY === 0 ? randomUUID() : undefined;
		return {
			url: new URL(`http://127.0.0.1:${port}/v3/conversations/${id}/activities`),
			headers,
			body: JSON.stringify({ ...activity, id: activityId }),
		};
	});
}

/** Memory of the process, bytes: all that is resident, and what JavaScript's heap has in use. */
interface Memory {
	rss: number;
	heapUsed: number;
}

/** Does the work in tenths. @returns the memory after each, and how many were done in a second */
async function inTenths(
	watched: Watched,
	name: string,
	count: number,
	work: (tenth: number) => Promise<unknown>,
): Promise<{ memory: Memory[]; perSecond: number }> {
	const memory: Memory[] = [];
	let ms = 0;
	for (let tenth = 0; tenth < TENTHS; tenth++) {
		const startedAt = performance.now();
		await work(count / TENTHS);
		ms += performance.now() - startedAt;
		const now = await watched.ask<Memory>('look');
		memory.push(now);
		console.log(`  ${name}: tenth ${tenth + 1}, ${mib(now.rss)} MiB, heap in use ${mib(now.heapUsed)}`);
	}
	return { memory, perSecond: (count / ms) * 1000 };
}

const mib = (bytes: number | undefined) => ((bytes ?? NaN) / MEBIBYTE).toFixed(1);

/** What is open at the end and was not at the start. */
function leftOver({ before, after, timers, places, warnings }: End): string[] {
	const more = Object.entries(after.resources).flatMap(([name, count]) =>
		count > (before.resources[name] ?? 0) ? [`${name}: ${count - (before.resources[name] ?? 0)}`] : [],
	);
	const files = after.files > before.files ? [`descriptors: ${after.files - before.files}`] : [];
	const listeners =
		after.listeners > before.listeners ? [`listeners: ${after.listeners - before.listeners}`] : [];
	const counted = Object.entries({ timers, places }).flatMap(([name, count]) =>
		count > 0 ? [`${name}: ${count}`] : [],
	);
	return [...more, ...files, ...listeners, ...counted, ...warnings];
}

export const long: Benchmark = {
	name: 'long',
	title: 'Long runs',
	measure: async ({ short }) => {
		const count = SIZES[short ? 'short' : 'full'];
		const emulator = await startEmulator({ port: 0, deskPort: 0 });
		const folder = makeRunFolder('long');
		const watched = await startWatched(emulator, folder);
		try {
			const token = await emulator.issueDeliveryToken();
			const { port } = await watched.ask<{ port: number }>('start');
			const delivered = await inTenths(watched, 'deliveries', count, async (tenth) => {
				await saturate(deliveriesTo(emulator, port, token, tenth), CALLERS);
			});
			emulator.addConversations(CONVERSATIONS);
			const conversations = emulator.desk.list().map(({ id }) => id);
			const sent = await inTenths(watched, 'messages', count, async (tenth) => {
				for (let done = 0; done < tenth; done += BATCH) {
					await watched.ask('send', { conversations, count: Math.min(BATCH, tenth - done) });
				}
			});
			const texts = emulator.desk.list().flatMap(({ messages }) => messages);
			if (texts.length !== count) throw new Error(`${texts.length} of ${count} messages arrived`);
			const { made, left } = await watched.ask<{ made: number; left: number }>('credentials', {
				count: CREDENTIALS,
			});
			const leftovers = leftOver(await watched.ask<End>('end'));
			const growth = ({ memory }: { memory: Memory[] }) =>
				(memory.at(-1)?.rss ?? NaN) / (memory.at(0)?.rss ?? NaN);
			const all = [
				['deliveries', delivered],
				['messages', sent],
			] as const;
			return {
				how: `${count.toLocaleString('en-US')} deliveries from ${CALLERS} callers (one of ${ID_EVERY} with an ID) to the trigger, then as many messages in executions of ${BATCH} items by Message: Send, 10 at once, all through one process with a stand-in for n8n; the emulator is in another. Resident memory is read after a full collection of garbage. Left over: what \`process.getActiveResourcesInfo()\`, /proc/self/fd, the timers that are yet to fire and the process’ listeners have more at the end than at the start. Then ${CREDENTIALS} credentials ask for a token in turn, 61 minutes pass on both clocks of the process, and one of them asks again.`,
				header: ['', 'each second', 'MiB, by tenth', 'of that heap in use'],
				rows: all.map(([name, { memory, perSecond }]) => [
					`${count.toLocaleString('en-US')} ${name}`,
					perSecond.toFixed(0),
					memory.map(({ rss }) => mib(rss)).join(', '),
					memory.map(({ heapUsed }) => mib(heapUsed)).join(', '),
				]),
				further: [
					{
						header: ['At the end', ''],
						rows: [
							['left over', leftovers.join(', ') || 'nothing'],
							[`token clients of ${CREDENTIALS} credentials`, String(made)],
							['token clients after an hour', String(left)],
						],
					},
				],
				checks: [
					...all.map(([name, measured]) => ({
						what: `memory after the last tenth ÷ after the first, ${name}`,
						ratio: growth(measured),
						atMost: 1.05,
						// A tenth of so few is not yet all code that will be compiled.
						shortAtMost: 1.3,
					})),
					{ what: 'things left over', ratio: leftovers.length, atMost: 0 },
					{
						what: 'token clients ÷ credentials in use',
						ratio: made / CREDENTIALS,
						atLeast: 1,
						shortAtLeast: 1,
					},
					{ what: 'token clients kept for more than an hour', ratio: left - 1, atMost: 0 },
				],
			};
		} finally {
			watched.stop();
			await emulator.close();
			rmSync(folder, { recursive: true, force: true });
		}
	},
};
