import type { IDataObject } from 'n8n-workflow';
import type { Plan } from '../../nodes/shared/action/operation';
import { readKey, type Json } from '../../nodes/shared/json';
import type { ServiceRequest } from '../../nodes/shared/transport/request';

/** A request in the form that tests compare. */
export type PlannedRequest = ServiceRequest & { body?: Record<string, unknown> };

/** The requests of a plan, in order, and its result. */
export interface Carried {
	requests: PlannedRequest[];
	items: IDataObject[];
	error: unknown;
}

/**
 * Carries out a plan against prepared answers, and records its requests. No service is called.
 * @param answers to its requests in turn; an error is thrown. The last one answers all that follow.
 */
export async function carryOut<Connection, Service extends string>(
	plan: Plan<Connection, Service>,
	connection: Connection,
	answers: Array<Json | Error> = [{}],
): Promise<Carried> {
	const requests: PlannedRequest[] = [];
	const call = async (request: ServiceRequest) => {
		const answer = answers[Math.min(requests.length, answers.length - 1)] ?? null;
		requests.push(request as PlannedRequest);
		if (answer instanceof Error) throw answer;
		return { json: answer, date: Date.now(), mayRepeat: false };
	};
	if (plan.kind === 'call') {
		const { json: answer } = await call(plan.request);
		const json = answer === null && plan.whenEmpty ? (await call(plan.whenEmpty)).json : answer;
		return { requests, items: plan.toItems(json), error: undefined };
	}
	if (plan.kind === 'list') {
		const { json } = await call(plan.list.request);
		const found = readKey(json, plan.list.entriesKey);
		const entries = Array.isArray(found) ? found : [];
		const items = 'toItem' in plan ? entries.map(plan.toItem) : plan.toItems(entries);
		return { requests, items, error: undefined };
	}
	const page = async () => await Promise.reject(new Error('this plan reads a list'));
	const list = () => {
		throw new Error('this plan reads a list');
	};
	const signal = undefined;
	const n8n = {
		instanceId: 'test',
		memory: {},
		signal,
		binary: { write: async () => ({ data: '', mimeType: '' }), discard: async () => undefined },
	};
	return await plan
		.run({ connection, client: () => ({ call, page, pages: list, list }), seen: new Set(), n8n })
		.then(
			({ items }) => ({ requests, items: items.map(({ json }) => json), error: undefined }),
			(error: unknown) => ({ requests, items: [], error }),
		);
}
