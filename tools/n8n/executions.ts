import type { N8n } from './n8n';
import { waitFor } from '../wait';

type Json = Record<string, unknown>;

/** One run of a node in an execution. */
export interface NodeRun {
	node: string;
	/** Epoch milliseconds. */
	startedAt: number;
	/** How long it took, milliseconds. */
	ms: number;
	/** The JSON of the items of its first output that has any. */
	items: Json[];
	error?: string;
}

/** An execution that has ended, as n8n has stored it. */
export interface Execution {
	id: string;
	workflowId: string;
	status: string;
	/** The runs of its nodes, in the order in which they began. */
	runs: NodeRun[];
}

interface Listed {
	id: string;
	workflowId: string;
	status: string;
}

const unfinished = new Set(['new', 'running', 'waiting']);

/**
 * Reads n8n's executions through its REST interface.
 *
 * @example
 * const executions = new Executions(n8n);
 * const { runs } = await executions.waitFor('a success', ({ status }) => status === 'success');
 */
export class Executions {
	private readonly ended = new Map<string, Execution>();

	constructor(private readonly n8n: N8n) {}

	/** Returns every execution that has ended, oldest first. */
	async all(): Promise<Execution[]> {
		for (const { id } of (await this.list()).filter(({ status }) => !unfinished.has(status))) {
			if (!this.ended.has(id)) this.ended.set(id, await this.read(id));
		}
		return [...this.ended.values()].sort((one, other) => Number(one.id) - Number(other.id));
	}

	/**
	 * Waits for an execution that has ended and that `matches`.
	 * @param what describes it, for the error.
	 * @param limit milliseconds.
	 * @throws NotSeen when there is none in time.
	 */
	async waitFor(
		what: string,
		matches: (execution: Execution) => boolean,
		limit = 30_000,
	): Promise<Execution> {
		return await waitFor(`an execution in n8n: ${what}`, limit, async () => (await this.all()).find(matches));
	}

	/** Waits until no execution is running or waiting. @param limit milliseconds @throws NotSeen when one still is */
	async waitUntilIdle(limit = 30_000): Promise<void> {
		await waitFor('all executions in n8n to end', limit, async () =>
			(await this.list()).every(({ status }) => !unfinished.has(status)),
		);
	}

	private async list(): Promise<Listed[]> {
		const { results } = await this.n8n.rest<{ results: Listed[] }>('GET', '/executions?limit=100');
		return results;
	}

	private async read(id: string): Promise<Execution> {
		const { workflowId, status, data } = await this.n8n.rest<Listed & { data: string }>(
			'GET',
			`/executions/${id}`,
		);
		const { resultData } = unflatten(data) as { resultData: { runData?: Record<string, RawRun[]> } };
		const runs = Object.entries(resultData.runData ?? {}).flatMap(([node, raw]) =>
			raw.map((run) => ({ ...readRun(node, run), index: run.executionIndex ?? 0 })),
		);
		runs.sort((one, other) => one.index - other.index);
		return { id, workflowId, status, runs };
	}
}

interface RawRun {
	startTime: number;
	executionTime: number;
	executionIndex?: number;
	error?: { message?: string };
	data?: { main?: Array<Array<{ json: Json }> | null> };
}

function readRun(node: string, run: RawRun): NodeRun {
	const items = run.data?.main?.find((output) => output?.length) ?? [];
	return {
		node,
		startedAt: run.startTime,
		ms: run.executionTime,
		items: items.map(({ json }) => json),
		error: run.error && (run.error.message ?? 'an error without a message'),
	};
}

/**
 * Parses the data of n8n's executions, which is in the format of the package "flatted": a JSON list in which every
 * string inside an object or a list is the index of the value that it refers to.
 * @returns the value at index 0, with all references resolved.
 * @throws SyntaxError for a text that is not JSON.
 */
export function unflatten(text: string): unknown {
	const list = JSON.parse(text) as unknown[];
	const done = new Map<number, unknown>();
	const at = (position: number): unknown => {
		const value = list[position];
		if (typeof value !== 'object' || value === null) return value;
		if (done.has(position)) return done.get(position);
		const whole: unknown[] | Json = Array.isArray(value) ? [] : {};
		done.set(position, whole);
		for (const [key, inner] of Object.entries(value as Json)) {
			Object.assign(whole, { [key]: typeof inner === 'string' ? at(Number(inner)) : inner });
		}
		return whole;
	};
	return at(0);
}
