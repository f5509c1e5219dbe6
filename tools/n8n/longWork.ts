// The template for long work, as the tests and the benchmark fill it in.
import { type Filling, type Rows, runQueryOf } from './templates';

/** Makes the tables with the statements that the template's node holds. */
export async function makeLongWorkTables(database: Rows): Promise<void> {
	await runQueryOf('long-work', 'Create the tables', database);
}

/**
 * Sets for how long a run has its conversation, so that nobody need wait the template's five minutes for another to take over.
 * @param seconds longer than the work takes.
 */
export function withLease(seconds: number): NonNullable<Filling['set']> {
	return ({ parameters }) => {
		const { options } = parameters as { options?: { queryReplacement?: string } };
		if (options?.queryReplacement === undefined) return;
		options.queryReplacement = options.queryReplacement.replace("'5 minutes'", `'${seconds} seconds'`);
	};
}
