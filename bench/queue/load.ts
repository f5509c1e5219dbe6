import { setTimeout as pause } from 'node:timers/promises';
import { activityOf, arrivals, evaluate, type Delivery, type Outcome } from '../../tools/outcome';
import { waitFor } from '../../tools/wait';
import type { Cluster } from './cluster';

/** How deliveries are made. */
export interface Pace {
	/** How many a second are due; undefined for as many as are answered, one at a time in each conversation. */
	perSecond?: number;
	/** Every how many deliveries one is made twice; 0 for none. */
	repeatEvery?: number;
	/** How many in a conversation before the next one has its turn. */
	inARow?: number;
}

/** Makes deliveries and evaluates their outcome. */
export class Load {
	private readonly conversations: string[];
	private next = 1;
	/** When what n8n's list and the table of long work show as unfinished was first seen; epoch milliseconds. */
	private readonly openSince = new Map<string, number>();

	/** @param patienceMs how long a piece of work may be unfinished before it counts as forgotten. */
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
	 * Delivers, one conversation after the other. Returns when all were answered or given up, and n8n has nothing left to do.
	 * @returns the deliveries and their outcome.
	 */
	async deliver(
		count: number,
		{ perSecond, repeatEvery = 0, inARow = 1 }: Pace,
	): Promise<{ deliveries: Delivery[]; outcome: Outcome }> {
		const { emulator } = this.cluster;
		const logStart = emulator.log.length;
		const startedAt = Date.now();
		const deliveries: Delivery[] = [];
		for (let index = 0; index < count; index++) {
			if (perSecond !== undefined)
				await pause(Math.max(0, startedAt + (index * 1000) / perSecond - Date.now()));
			const number = this.next++;
			const conversationId = this.conversations[Math.floor(index / inARow) % this.conversations.length] ?? '';
			// Only by its id a repeat is known from the same words said twice.
			const activity = { ...activityOf(number, conversationId), id: `activity-${number}` };
			const make = () => emulator.desk.deliver(conversationId, activity);
			const delivery: Delivery = { number, conversationId, entry: make() };
			if (repeatEvery > 0 && index % repeatEvery === 0) delivery.repeat = make();
			deliveries.push(delivery);
		}
		await emulator.idle();
		await this.rest();
		const { byConversation, lastAt } = arrivals(emulator, logStart);
		return { deliveries, outcome: evaluate(deliveries, byConversation, (lastAt - startedAt) / 1000) };
	}

	/** Waits until n8n has nothing left to do, apart from what it has forgotten: a queue that lost a job never does it. */
	private async rest(): Promise<void> {
		await waitFor('n8n to have nothing left to do', 600_000, async () => {
			await pause(300);
			const rows = await this.cluster.database.rows<{ open: string }>(
				`SELECT 'execution ' || id AS open FROM execution_entity WHERE status IN ('new', 'running')
				UNION ALL SELECT 'delivery ' || id FROM dynamics365.deliveries WHERE state IN ('waiting', 'working', 'saying')`,
			);
			const isForgotten = ({ open }: { open: string }) => {
				const since = this.openSince.get(open) ?? Date.now();
				this.openSince.set(open, since);
				return Date.now() - since > this.patienceMs;
			};
			return rows.every(isForgotten);
		});
	}
}
