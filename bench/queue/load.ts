import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../tools/wait';
import type { DeliveryEntry, Emulator } from '../../emulator';
import type { Cluster } from './cluster';

/** A delivery that the bench made; `entry` changes while it is tried. */
export interface Delivery {
	number: number;
	conversationId: string;
	entry: DeliveryEntry;
	/** The repeated delivery with the same id, as Dynamics makes it when the answer was lost. */
	repeat?: DeliveryEntry;
}

/** The outcome of deliveries. */
export interface Outcome {
	delivered: number;
	/** The deliveries' numbers. */
	numbers: number[];
	/** Answered 200, at one of the tries. */
	accepted: number;
	/** Tries that were not answered 200. */
	failedTries: number;
	/** The time of each answer 200, milliseconds. */
	answersMs: number[];
	/** Answered 200, and never arrived. */
	lost: number[];
	/** Arrived more than once. */
	twice: number[];
	conversations: number;
	/** Conversations in which a message arrived before an earlier one. */
	outOfOrder: number;
	/** From the first delivery to the last arrival, seconds. */
	seconds: number;
}

/** The number in the text of a message of the bench; undefined for any other. */
export function numberIn(text: unknown): number | undefined {
	const digits = typeof text === 'string' ? /^delivery (\d+)$/.exec(text)?.[1] : undefined;
	return digits === undefined ? undefined : Number(digits);
}

/** Whether a list never goes back. Pure. */
export function isAscending(numbers: number[]): boolean {
	return numbers.every((number, index) => index === 0 || numbers[index - 1]! <= number);
}

/**
 * Evaluates deliveries by their answers and by the messages that arrived. Pure.
 * @param arrived the numbers that arrived in each conversation, in the order of their arrival.
 * @param seconds from the first delivery to the last arrival.
 */
export function evaluate(deliveries: Delivery[], arrived: Map<string, number[]>, seconds: number): Outcome {
	const times = new Map<number, number>();
	for (const number of [...arrived.values()].flat()) times.set(number, (times.get(number) ?? 0) + 1);
	const accepted = deliveries.filter(({ entry, repeat }) =>
		[entry, repeat].some((one) => one?.outcome === 'accepted'),
	);
	const tries = deliveries.flatMap(({ entry, repeat }) => [...entry.tries, ...(repeat?.tries ?? [])]);
	return {
		delivered: deliveries.length,
		numbers: deliveries.map(({ number }) => number),
		accepted: accepted.length,
		failedTries: tries.filter(({ status }) => status !== 200).length,
		answersMs: tries.filter(({ status }) => status === 200).map(({ ms }) => ms),
		lost: accepted.map(({ number }) => number).filter((number) => !times.has(number)),
		twice: deliveries.map(({ number }) => number).filter((number) => (times.get(number) ?? 0) > 1),
		conversations: new Set(deliveries.map(({ conversationId }) => conversationId)).size,
		// A message that arrives twice is counted elsewhere.
		outOfOrder: [...arrived.values()].filter((numbers) => !isAscending([...new Set(numbers)])).length,
		seconds,
	};
}

/** The activity that Dynamics delivers for a message of a representative. */
function activityOf(number: number, conversationId: string): Record<string, unknown> {
	return {
		type: 'message',
		id: String(1_756_399_395_730 + number),
		channelId: 'MessagingApi',
		from: { id: 'representative', name: 'Representative' },
		conversation: { id: conversationId },
		text: `delivery ${number}`,
	};
}

/** Makes deliveries and evaluates their outcome. */
export class Load {
	private readonly conversations: string[];
	private next = 1;
	/** The work that n8n's list and the inbox show as unfinished, but that no process will finish. */
	private readonly forgotten = new Set<string>();

	/** @param patienceMs for how long n8n may do nothing about what is left to do until that counts as forgotten. */
	constructor(
		private readonly cluster: Cluster,
		conversations: number,
		private readonly patienceMs: number,
	) {
		const { emulator } = cluster;
		emulator.addConversations(conversations);
		this.conversations = emulator.desk.list().map(({ id }) => id);
	}

	/**
	 * Delivers at a fixed rate, one conversation after the other. Returns when all were answered or given up, and n8n has
	 * nothing left to do.
	 * @param count of deliveries.
	 * @param perSecond how many a second are due; undefined for as many as are answered, one at a time in each conversation.
	 * @param repeatEvery every how many deliveries one is made twice; 0 for none.
	 * @param inARow how many in a conversation before the next one has its turn.
	 */
	async deliver(
		count: number,
		{ perSecond, repeatEvery = 0, inARow = 1 }: { perSecond?: number; repeatEvery?: number; inARow?: number },
	): Promise<Outcome> {
		const { emulator } = this.cluster;
		const logStart = emulator.log.length;
		const startedAt = Date.now();
		const deliveries: Delivery[] = [];
		for (let index = 0; index < count; index++) {
			if (perSecond !== undefined)
				await pause(Math.max(0, startedAt + (index * 1000) / perSecond - Date.now()));
			const number = this.next++;
			const conversationId = this.conversations[Math.floor(index / inARow) % this.conversations.length]!;
			const make = () => emulator.desk.deliver(conversationId, activityOf(number, conversationId));
			const delivery: Delivery = { number, conversationId, entry: make() };
			if (repeatEvery > 0 && index % repeatEvery === 0) delivery.repeat = make();
			deliveries.push(delivery);
		}
		await emulator.idle();
		await this.rest();
		const { arrived, lastAt } = arrivals(emulator, logStart);
		return evaluate(deliveries, arrived, (lastAt - startedAt) / 1000);
	}

	/** How often each delivery has arrived until now, by their numbers; those that never did are not there. */
	timesArrived(): Map<number, number> {
		const times = new Map<number, number>();
		for (const number of [...arrivals(this.cluster.emulator, 0).arrived.values()].flat())
			times.set(number, (times.get(number) ?? 0) + 1);
		return times;
	}

	/**
	 * Waits until n8n has nothing left to do, or has done nothing for a while: what a queue has forgotten is never done, and
	 * not waited for a second time.
	 */
	async rest(): Promise<void> {
		const { database, emulator } = this.cluster;
		let seen = '';
		let seenAt = Date.now();
		await waitFor('n8n to have nothing left to do', 600_000, async () => {
			await pause(300);
			const rows = await database.rows<{ open: string }>(
				`SELECT 'execution ' || id AS open FROM execution_entity WHERE status IN ('new', 'running')
				UNION ALL SELECT 'activity ' || activity FROM dynamics365.inbox WHERE state = 'waiting'`,
			);
			const open = rows.map((row) => row.open).filter((what) => !this.forgotten.has(what));
			const now = JSON.stringify([open, emulator.log.length]);
			if (now !== seen) [seen, seenAt] = [now, Date.now()];
			const isForgotten = Date.now() - seenAt > this.patienceMs;
			if (isForgotten) for (const what of open) this.forgotten.add(what);
			return open.length === 0 || isForgotten;
		});
	}
}

/** What arrived at the service since an entry of its log, and when the last of it did. */
function arrivals(emulator: Emulator, since: number): { arrived: Map<string, number[]>; lastAt: number } {
	const arrived = new Map<string, number[]>();
	let lastAt = 0;
	for (const entry of emulator.log.slice(since)) {
		if (entry.kind !== 'request' || entry.messageId === undefined || entry.conversationId === undefined)
			continue;
		const number = numberIn((entry.body as { text?: unknown } | undefined)?.text);
		if (number === undefined) continue;
		arrived.set(entry.conversationId, [...(arrived.get(entry.conversationId) ?? []), number]);
		lastAt = Date.parse(entry.at);
	}
	return { arrived, lastAt };
}
