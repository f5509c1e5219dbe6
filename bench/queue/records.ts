import type { Cluster } from './cluster';
import { numberIn } from './load';

/** An execution that failed, as n8n has stored it. */
export interface FailedRun {
	execution: number;
	status: string;
}

/**
 * Which of some deliveries n8n itself lists as executions that failed.
 * @returns by the deliveries' numbers.
 */
export async function failedRuns({ database }: Cluster, numbers: number[]): Promise<Map<number, FailedRun>> {
	const rows = await database.rows<{ execution: number; status: string; number: string | null }>(
		`SELECT e.id AS execution, e.status, (regexp_match(d.data, '"delivery (\\d+)"'))[1] AS number
		FROM execution_entity e JOIN execution_data d ON d."executionId" = e.id
		WHERE e.status IN ('error', 'crashed') ORDER BY e.id`,
	);
	const wanted = new Set(numbers);
	return new Map(
		rows
			.filter(({ number }) => number !== null && wanted.has(Number(number)))
			.map(({ number, execution, status }) => [Number(number), { execution, status }]),
	);
}

/** Finds the deliveries that the inbox has given out but not marked as sent. A person must check them, as they may have arrived. */
export async function heldInInbox({ database }: Cluster, numbers: number[]): Promise<number[]> {
	const rows = await database.rows<{ message: string }>(
		"SELECT message FROM dynamics365.inbox WHERE state = 'sending'",
	);
	const held = new Set(rows.map(({ message }) => numberIn(message)));
	return numbers.filter((number) => held.has(number));
}

/** Retries them, as a person would in n8n's list. One that n8n refuses stays as it is. */
export async function retryRuns({ main }: Cluster, runs: Iterable<FailedRun>): Promise<void> {
	for (const { execution } of runs) {
		await main.rest('POST', `/executions/${execution}/retry`, { loadWorkflow: false }).catch(() => undefined);
	}
}
