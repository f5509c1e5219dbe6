// What the soak of every template shares: chance with a seed, the clock, kills of n8n, and faults of the services.
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../emulator/settings';
import { Executions } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { waitFor } from '../../../tools/wait';

export type Checks = Record<string, boolean>;

/** Two minutes of real life: customers, representatives, kills and faults beside each other. */
export class Soak {
	private readonly random: () => number;
	private until = Infinity;

	constructor(
		readonly setup: N8nWithEmulator,
		/** The origin of the proxy, at which n8n is reached. */
		readonly origin: string,
		private readonly options: { seed: number; seconds: number; kills: number },
	) {
		this.random = seededRandom(options.seed);
	}

	/** How often n8n is killed. */
	get kills(): number {
		return this.options.kills;
	}

	/** Whether new traffic may still begin. */
	get isOn(): boolean {
		return Date.now() < this.until;
	}

	/** True with a probability from 0 to 1. */
	chance(probability: number): boolean {
		return this.random() < probability;
	}

	pick<T>(all: readonly T[]): T {
		const one = all[Math.floor(this.random() * all.length)];
		if (one === undefined) throw new Error('There is nothing to pick from');
		return one;
	}

	/** Lets some time pass, as people do. */
	async pause(fromMs: number, toMs: number): Promise<void> {
		await sleep(fromMs + this.random() * (toMs - fromMs));
	}

	/**
	 * Lets people act for the time of the soak, while n8n is killed and the services fail.
	 * Returns when each has come to an end, every delivery is over and no run is left.
	 * @param how whether a schedule of the template starts runs all the time: then nobody can wait until none is left.
	 */
	async run(
		people: Array<() => Promise<void>>,
		{ isScheduled = false }: { isScheduled?: boolean } = {},
	): Promise<void> {
		const { emulator } = this.setup;
		const { seconds, kills } = this.options;
		this.until = Date.now() + seconds * 1000;
		Object.assign(emulator.settings.delivery, { retryDelayMs: 5_000 });
		emulator.settings.faults.push(
			{ match: { operationId: 'sendActivity' }, action: 'resetAfter', probability: 0.02 },
			{ match: { operationId: 'sendActivity' }, action: { status: 503 }, probability: 0.03 },
			{ match: { operationId: 'sendActivity' }, action: { status: 429, retryAfter: 1 }, probability: 0.03 },
			{ match: { operationId: 'sendActivity' }, action: { delayMs: 500 }, probability: 0.1 },
			{ match: { operationId: 'createConversation' }, action: 'resetAfter', probability: 0.05 },
		);
		await Promise.all([...people.map((act) => act()), this.strike(kills, seconds)]);
		emulator.settings.faults = [];
		await emulator.idle();
		const executions = new Executions(this.setup.n8n);
		if (!isScheduled) await executions.waitUntilIdle(120_000);
		const failed = new Map<string, number>();
		for (const { runs } of (await executions.all()).filter(({ status }) => status === 'error')) {
			const { node, error } = runs.findLast((run) => run.error !== undefined) ?? {};
			const why = `${node}: ${error}`;
			failed.set(why, (failed.get(why) ?? 0) + 1);
		}
		console.log(`  of the last runs, failed: ${JSON.stringify(Object.fromEntries(failed))}`);
	}

	/** Posts JSON as a front end does: through the proxy, and again with the same content until it is told the end of it. */
	async post(path: string, body: object, headers: Record<string, string>): Promise<Answer> {
		try {
			const response = await fetch(this.origin + path, {
				method: 'POST',
				headers: { 'content-type': 'application/json', ...headers },
				body: JSON.stringify(body),
				signal: AbortSignal.timeout(90_000),
			});
			const text = await response.text();
			// While it starts, n8n answers 200 and a sentence to everything.
			return {
				status: response.status,
				body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : {},
			};
		} catch {
			return { status: 0, body: {} };
		}
	}

	private async strike(kills: number, seconds: number): Promise<void> {
		for (let kill = 0; kill < kills; kill++) {
			await sleep(((0.6 + 0.4 * this.random()) * seconds * 1000) / (kills + 1) / 1.2);
			const startedAt = Date.now();
			// A slow machine takes minutes for it. They do not count, as little is played in them.
			const leftMs = this.until - startedAt;
			this.until = Infinity;
			try {
				await this.setup.restart('kill');
			} finally {
				this.until = Date.now() + leftMs;
			}
			console.log(`  killed; back after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
		}
	}
}

/** Whether each place is the same as the one before it, or higher. */
export function isInOrder(places: readonly number[]): boolean {
	return places.every((place, index) => index === 0 || place >= (places[index - 1] ?? 0));
}

/** What n8n answered to a post; status 0 where the connection was cut. */
export interface Answer {
	status: number;
	body: Record<string, unknown>;
}

/** Waits until the proxy leads to n8n. */
export async function waitForProxy(origin: string): Promise<void> {
	await waitFor('the proxy to find n8n', 30_000, async () => (await fetch(`${origin}/healthz`)).ok);
}
