// For the templates that put a delivery down in a row, and look at the open rows by a schedule.
import type { Filling } from '../../../tools/n8n/templates';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';

/**
 * Shortens the times of a template, so that a test need not wait for them.
 * @param times what stands in the query parameters, and what stands there instead.
 * @param secondsInterval how often the schedule looks.
 */
export function atOnce(times: Record<string, string>, secondsInterval = 1): NonNullable<Filling['set']> {
	return ({ type, parameters }) => {
		if (type === 'n8n-nodes-base.scheduleTrigger') {
			parameters.rule = { interval: [{ field: 'seconds', secondsInterval }] };
		}
		const { options } = parameters as { options?: { queryReplacement?: string } };
		if (options?.queryReplacement === undefined) return;
		for (const [from, to] of Object.entries(times)) {
			options.queryReplacement = options.queryReplacement.replace(from, to);
		}
	};
}

/** How many executions of a workflow have failed. */
export async function errorsOf({ n8n }: N8nWithEmulator, workflowId: string): Promise<number> {
	const filter = encodeURIComponent(JSON.stringify({ workflowId, status: ['error', 'crashed'] }));
	const { results } = await n8n.rest<{ results: unknown[] }>('GET', `/executions?limit=100&filter=${filter}`);
	return results.length;
}

/** How the deliveries of a conversation were answered, each try. */
export function triesOf({ emulator }: N8nWithEmulator, conversationId: string): Array<number | undefined> {
	return emulator.log.flatMap((entry) =>
		entry.kind === 'delivery' && entry.conversationId === conversationId
			? entry.tries.map(({ status }) => status)
			: [],
	);
}
