import type { IBinaryData, IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { Client } from '../transport/client';
import { cancelled, InputError, ServiceError, type Outcome } from '../transport/errors';
import { Throttle } from '../transport/throttle';
import { groupByOrderingKey, runGroups } from './concurrency';
import { readNumber } from './fields/number';
import { CONCURRENCY, MAX_RETRY_TIME } from './fields/options';
import { failedItem, tellTally, toNodeError, type NodeError, type Tally } from './nodeErrors';
import type { Operation, Output, Plan, StepsContext } from './operation';
import { parameterReader, type ItemFile, type ParameterReader } from './parameters';
import { earlierResults, settledItems, type Failed, type Result } from './retryOnFail';
import { toIso } from './time';

/** A binary field of an item; undefined where there is none. */
function binaryOf(context: IExecuteFunctions, itemIndex: number, property: string): IBinaryData | undefined {
	try {
		return context.helpers.assertBinaryData(itemIndex, property);
	} catch {
		return undefined;
	}
}

function fileOf(context: IExecuteFunctions, itemIndex: number, property: string): ItemFile | undefined {
	const binary = binaryOf(context, itemIndex, property);
	if (!binary) return undefined;
	const { mimeType, fileName, fileExtension, id, data } = binary;
	return {
		mimeType,
		fileName,
		fileExtension,
		size: async () =>
			id === undefined
				? Buffer.byteLength(data, 'base64')
				: (await context.helpers.getBinaryMetadata(id)).fileSize,
		read: async () => await context.helpers.getBinaryDataBuffer(itemIndex, property),
	};
}

/**
 * The parameters of one item of a run.
 * @param checks gets what is to be looked at before anything is sent.
 */
function readerOf(
	context: IExecuteFunctions,
	itemIndex: number,
	checks: Array<() => Promise<void>> = [],
): ParameterReader {
	return parameterReader({
		get: (name) => context.getNodeParameter(name, itemIndex, undefined),
		getLocator: (name) => context.getNodeParameter(name, itemIndex, undefined, { extractValue: true }),
		getFile: (property) => fileOf(context, itemIndex, property),
		fileProperties: () => Object.keys(context.getInputData()[itemIndex]?.binary ?? {}),
		beforeSending: (check) => void checks.push(check),
		toIso: (value) => toIso(value, context.getTimezone()),
	});
}

/** How a node comes to its services, for one run. */
export interface Connector<Connection, Service extends string> {
	/** Reads the credential. @throws InputError naming its field. */
	connect: () => Promise<Connection>;
	/** The client of one of the node's services. @throws InputError where the credential has no way to it. */
	client: (service: Service, connection: Connection, throttle: Throttle) => Client;
	/** The service that a plan means which names none. */
	firstService: Service;
}

function failedBy(cause: unknown): Failed {
	return { cause, outcome: cause instanceof ServiceError ? cause.outcome : 'notSent' };
}

function asItems(json: IDataObject[]): Output['items'] {
	return json.map((one) => ({ json: one }));
}

async function collect<Entry, Item>(
	entries: AsyncIterable<Entry>,
	toItem: (entry: Entry) => Item,
): Promise<Item[]> {
	const items: Item[] = [];
	for await (const entry of entries) items.push(toItem(entry));
	return items;
}

/** Does what an item's plan says. @throws ServiceError with its `outcome`, InputError. */
async function carryOut<Connection, Service extends string>(
	plan: Plan<Connection, Service>,
	context: StepsContext<Connection, Service>,
	firstService: Service,
): Promise<Output> {
	if (plan.kind === 'steps') return await plan.run(context);
	const client = context.client(plan.service ?? firstService);
	if (plan.kind === 'call') {
		return { items: asItems(plan.toItems((await client.call(plan.request)).json)), hint: plan.hint };
	}
	const entries = client.list(plan.list);
	if ('toItem' in plan) return { items: await collect(entries, (entry) => ({ json: plan.toItem(entry) })) };
	return { items: asItems(plan.toItems(await collect(entries, (entry) => entry))) };
}

function outcomeOf(result: Result | undefined): 'sent' | Outcome | undefined {
	if (!result) return undefined;
	return 'items' in result ? 'sent' : result.outcome;
}

function tallyOf(results: Array<Result | undefined>): Tally {
	const tally: Tally = { sent: [], uncertain: [], notSent: [] };
	for (const [index, result] of results.entries()) tally[outcomeOf(result) ?? 'notSent'].push(index);
	return tally;
}

function addHints(context: IExecuteFunctions, results: Array<Result | undefined>): void {
	const hints = new Set(results.map((result) => (result && 'items' in result ? result.hint : undefined)));
	for (const message of hints) {
		if (message !== undefined)
			context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
	}
}

/** Plans every item before anything goes out for the first one. */
async function planAll<Connection, Service extends string>(
	context: IExecuteFunctions,
	operation: Operation<Connection, Service>,
	connect: () => Promise<Connection>,
): Promise<Array<{ plan: Plan<Connection, Service> } | Result>> {
	const planned: Array<{ plan: Plan<Connection, Service> } | Result> = [];
	for (const itemIndex of context.getInputData().keys()) {
		try {
			const connection = await connect().catch((error: unknown) => {
				if (operation.brokenCredential && error instanceof InputError) return error;
				throw error;
			});
			if (connection instanceof InputError) {
				planned.push({ items: asItems(operation.brokenCredential?.(connection) ?? []) });
				continue;
			}
			const checks: Array<() => Promise<void>> = [];
			const plan = operation.plan(readerOf(context, itemIndex, checks), connection);
			for (const check of checks) await check();
			planned.push({ plan });
		} catch (cause) {
			if (!context.continueOnFail()) throw toNodeError(context.getNode(), cause, itemIndex);
			planned.push({ cause, outcome: 'notSent' });
		}
	}
	return planned;
}

/** The options that hold for a whole run are those of its first item. */
function runOptions(context: IExecuteFunctions): { concurrency: number; maxRetryMs: number } {
	const options = readerOf(context, 0).collection('options');
	try {
		return {
			concurrency: readNumber(options, CONCURRENCY),
			maxRetryMs: readNumber(options, MAX_RETRY_TIME) * 1000,
		};
	} catch (error) {
		throw toNodeError(context.getNode(), error, 0);
	}
}

/** Remembers what it has read, and reads once for all that ask at the same time. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
	let reading: Promise<T> | undefined;
	return async () => await (reading ??= read());
}

/** What the steps of a run work with. Each service has one client for the whole run. */
function stepsContext<Connection, Service extends string>(
	context: IExecuteFunctions,
	connection: Connection,
	throttle: Throttle,
	{ client }: Connector<Connection, Service>,
): StepsContext<Connection, Service> {
	const clients = new Map<Service, Client>();
	return {
		connection,
		client: (service, other) => {
			if (other) return client(service, other, throttle);
			const known = clients.get(service) ?? client(service, connection, throttle);
			clients.set(service, known);
			return known;
		},
		seen: new Set(),
		n8n: {
			instanceId: context.getInstanceId(),
			get memory() {
				return context.getWorkflowStaticData('global');
			},
			signal: throttle.signal,
			writeBinary: async (data, fileName, mimeType) =>
				await context.helpers.prepareBinaryData(data, fileName, mimeType),
		},
	};
}

/**
 * Runs an operation for all items. Every item is checked before anything goes out for the first one, so that a run
 * which is wrong in its last item has not already said the rest. What goes into one conversation is sent in the order of
 * the items, different conversations side by side; what comes out is in the order of the items.
 * @throws NodeApiError, NodeOperationError of the first item that fails, unless Continue On Fail is set.
 */
export async function runItems<Connection, Service extends string>(
	context: IExecuteFunctions,
	operation: Operation<Connection, Service>,
	connector: Connector<Connection, Service>,
): Promise<INodeExecutionData[]> {
	if (context.getInputData().length === 0) return [];
	const connect = once(connector.connect);
	const { concurrency, maxRetryMs } = runOptions(context);
	const planned = await planAll(context, operation, connect);
	const signal = context.getExecutionCancelSignal();
	const throttle = new Throttle(maxRetryMs, signal);
	const steps = once(async () => stepsContext(context, await connect(), throttle, connector));
	const results: Array<Result | undefined> = planned.map((one) => ('plan' in one ? undefined : one));
	let isBroken = false;

	const work = async (itemIndex: number) => {
		const one = planned[itemIndex];
		if (!one || !('plan' in one)) return;
		const earlier = earlierResults(context, operation.effect, itemIndex)?.get(itemIndex);
		const result =
			earlier ??
			(await steps()
				.then(async (given) => await carryOut(one.plan, given, connector.firstService))
				.catch(failedBy));
		results[itemIndex] = result;
		if ('cause' in result && !context.continueOnFail()) isBroken = true;
	};
	const groups = groupByOrderingKey(planned.map((one) => ('plan' in one ? one.plan.orderingKey : undefined)));
	const width = operation.effect === 'send' ? concurrency : 1;
	await runGroups(groups, width, work, () => isBroken || signal?.aborted === true);

	for (const itemIndex of settledItems(groups, results.map(outcomeOf))) {
		const result = results[itemIndex];
		if (result) earlierResults(context, operation.effect, itemIndex)?.set(itemIndex, result);
	}
	const ending = endingOf(context, results, isBroken);
	if (ending) {
		const isTold = ['send', 'configure'].includes(operation.effect) && results.length > 1;
		throw isTold ? tellTally(ending, tallyOf(results)) : ending;
	}
	addHints(context, results);
	return outputOf(context, results);
}

/** What came out for all items, in their order. */
function outputOf(context: IExecuteFunctions, results: Array<Result | undefined>): INodeExecutionData[] {
	const output: INodeExecutionData[] = [];
	for (const [itemIndex, result] of results.entries()) {
		if (!result) continue;
		if ('items' in result) {
			for (const item of result.items) output.push({ ...item, pairedItem: { item: itemIndex } });
		} else {
			const error = toNodeError(context.getNode(), result.cause, itemIndex);
			output.push(failedItem(context.getNode(), error, itemIndex));
		}
	}
	return output;
}

/** The error that ends a run: that the execution was cancelled, or that of the first item that failed. */
function endingOf(
	context: IExecuteFunctions,
	results: Array<Result | undefined>,
	isBroken: boolean,
): NodeError | undefined {
	if (context.getExecutionCancelSignal()?.aborted) {
		const isUncertain = results.some((result) => outcomeOf(result) === 'uncertain');
		const uncertain = {
			message: 'The execution was cancelled when some items may have been sent already',
			description: 'Look for those before you send them again.',
			outcome: 'uncertain',
		} as const;
		const error = cancelled().with(isUncertain ? uncertain : {});
		return toNodeError(context.getNode(), error);
	}
	const itemIndex = isBroken ? results.findIndex((result) => result && 'cause' in result) : -1;
	const failed = results[itemIndex];
	return failed && 'cause' in failed ? toNodeError(context.getNode(), failed.cause, itemIndex) : undefined;
}
