import type { IBinaryData, IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { isDataUri, readDataUri } from '../dataUri';
import { isRecord, readKey, textOf, type Json } from '../json';
import { timeLimit } from '../timeLimit';
import type { Client, ServiceCalls } from '../transport/client';
import { cancelled, InputError, ServiceError, type Outcome } from '../transport/errors';
import { Throttle } from '../transport/throttle';
import { binaryStore } from './binaryStore';
import { groupByOrderingKey, runGroups } from './concurrency';
import { readNumber } from './fields/number';
import { readConversationLocator } from './fields/locator';
import { CONCURRENCY, MAX_RETRY_TIME } from './fields/options';
import { failedItem, addTally, toNodeError, type NodeError, type Tally } from './nodeErrors';
import type { CallPlan, LookUp, Operation, Output, Plan, StepsContext } from './operation';
import { parameterReader, type ItemFile, type ParameterReader } from './parameters';
import { earlierResults, itemsToSkip, type Failed, type Result } from './retryOnFail';
import { toIso } from './time';

/** Finds the item's binary data that n8n gives to expressions as `$binary.data`: without its content. */
function withContent(context: IExecuteFunctions, itemIndex: number, given: Record<string, unknown>): unknown {
	const fields = Object.entries(given);
	const isSame = (binary: IBinaryData) =>
		fields.length === Object.keys(binary).length - 1 && fields.every(([key, value]) => binary[key] === value);
	const [found, ...others] = Object.values(context.getInputData()[itemIndex]?.binary ?? {}).filter(isSame);
	// Two files that differ in nothing but their content cannot be told apart.
	return others.every(({ data }) => data === found?.data) ? found : undefined;
}

/** Finds the binary data that a parameter names or gives; undefined where there is none. */
function binaryOf(context: IExecuteFunctions, itemIndex: number, source: unknown): IBinaryData | undefined {
	if (typeof source === 'string') {
		try {
			return context.helpers.assertBinaryData(itemIndex, source);
		} catch {
			return undefined;
		}
	}
	if (!isRecord(source) || typeof source.mimeType !== 'string') return undefined;
	const { mimeType, fileName, fileExtension, id } = source;
	const data = textOf(readKey(source, 'data')) ?? (id === undefined ? undefined : '');
	if (data === undefined) {
		const whole = withContent(context, itemIndex, source);
		return whole === undefined ? undefined : binaryOf(context, itemIndex, whole);
	}
	return {
		data,
		mimeType,
		fileName: textOf(fileName) ?? undefined,
		fileExtension: textOf(fileExtension) ?? undefined,
		...(typeof id === 'string' && { id }),
	};
}

/**
 * The content of a file that is kept in memory, in base64. Some programs put a data URI there, of which n8n would decode the
 * head as well. @throws InputError where that is unreadable.
 */
function base64In(data: string): string {
	if (!isDataUri(data)) return data;
	const file = readDataUri(data);
	if (file) return file.data.toString('base64');
	throw new InputError(
		'The file in the binary field is a data URI that cannot be read',
		'Put the base64 alone into its data.',
	);
}

/** Finds the file that a parameter names or gives; undefined where there is none. */
function fileOf(context: IExecuteFunctions, itemIndex: number, source: unknown): ItemFile | undefined {
	const binary = binaryOf(context, itemIndex, source);
	if (!binary) return undefined;
	const { mimeType, fileName, fileExtension, id, data } = binary;
	return {
		mimeType,
		fileName,
		fileExtension,
		size: async () =>
			id === undefined
				? Buffer.byteLength(base64In(data), 'base64')
				: (await context.helpers.getBinaryMetadata(id)).fileSize,
		read: async () =>
			await context.helpers.getBinaryDataBuffer(
				itemIndex,
				id === undefined ? { ...binary, data: base64In(data) } : binary,
			),
	};
}

/**
 * Makes the reader of one item's parameters.
 * @param checks gets the checks that are done before anything is sent.
 */
function readerOf(
	context: IExecuteFunctions,
	itemIndex: number,
	checks: Array<() => Promise<void>> = [],
): ParameterReader {
	return parameterReader({
		get: (name) => context.getNodeParameter(name, itemIndex, undefined),
		getLocator: (name) => context.getNodeParameter(name, itemIndex, undefined, { extractValue: true }),
		file: (given) => fileOf(context, itemIndex, given),
		fileProperties: () => Object.keys(context.getInputData()[itemIndex]?.binary ?? {}),
		beforeSending: (check) => void checks.push(check),
		toIso: (value) => toIso(value, context.getTimezone()),
	});
}

/** How a node connects to its services in one run. */
export interface Connector<Connection, Service extends string> {
	/** Reads the credential. @throws InputError with the name of the wrong field. */
	connect: () => Promise<Connection>;
	/** Makes the client of a service. @throws InputError where the credential does not lead to the service. */
	client: (service: Service, connection: Connection, throttle: Throttle) => Client;
	/** The service of a plan that names none. */
	firstService: Service;
}

/** The plan of an item, or its result where there is none to carry out. */
type Planned<Connection, Service extends string> = { plan: Plan<Connection, Service> } | Result;

function failureOf(cause: unknown): Failed {
	return { cause, outcome: cause instanceof ServiceError ? cause.outcome : 'notSent' };
}

function asItems(json: IDataObject[]): Output['items'] {
	return json.map((one) => ({ json: one }));
}

async function collect<Entry, Item>(
	pages: AsyncIterable<Entry[]>,
	toItem: (entry: Entry) => Item,
): Promise<Item[]> {
	const items: Item[] = [];
	for await (const page of pages) for (const entry of page) items.push(toItem(entry));
	return items;
}

/** Sends the request of a plan, and reads the result where the answer has none. @throws ServiceError with its `outcome`. */
async function answerTo(
	{ request, whenEmpty }: Pick<CallPlan, 'request' | 'whenEmpty'>,
	client: ServiceCalls,
): Promise<Json> {
	const { json } = await client.call(request);
	if (json !== null || whenEmpty === undefined) return json;
	const read = await client.call(whenEmpty).catch((error: unknown) => {
		const message = `It was written, but could not be read again: ${error instanceof Error ? error.message : ''}`;
		throw error instanceof ServiceError ? error.with({ message, outcome: 'uncertain' }) : error;
	});
	return read.json;
}

/** Carries out the plan of an item. @throws ServiceError with its `outcome`; InputError. */
async function carryOut<Connection, Service extends string>(
	plan: Plan<Connection, Service>,
	context: StepsContext<Connection, Service>,
	firstService: Service,
): Promise<Output> {
	if (plan.kind === 'steps') return await plan.run(context);
	const client = context.client(plan.service ?? firstService);
	if (plan.kind === 'call') {
		return { items: asItems(plan.toItems(await answerTo(plan, client))), hint: plan.hint };
	}
	const entries = client.pages(plan.list);
	if ('toItem' in plan) return { items: await collect(entries, (entry) => ({ json: plan.toItem(entry) })) };
	return { items: asItems(plan.toItems(await collect(entries, (entry) => entry))) };
}

function outcomeOf(result: Result | undefined): 'sent' | Outcome | undefined {
	if (!result) return undefined;
	return 'items' in result ? 'sent' : result.outcome;
}

/** An operation of any service. */
type HasFields = Pick<Operation<never>, 'fields'>;

/** The conversation that an item names; undefined where the operation has none, or it cannot be read. */
function conversationOf(
	context: IExecuteFunctions,
	{ fields }: HasFields,
	itemIndex: number,
): string | undefined {
	if (!fields.some(({ name }) => name === 'conversationId')) return undefined;
	try {
		return readConversationLocator(readerOf(context, itemIndex), () => false, '');
	} catch {
		return undefined;
	}
}

/** Makes the error of an item, with the conversation that it is about. */
function itemError(
	context: IExecuteFunctions,
	operation: HasFields,
	cause: unknown,
	itemIndex: number,
): NodeError {
	const error = toNodeError(context.getNode(), cause, itemIndex);
	const conversationId = error.context.conversationId ?? conversationOf(context, operation, itemIndex);
	if (conversationId !== undefined) error.context.conversationId = conversationId;
	return error;
}

function tallyOf(results: Array<Result | undefined>): Tally {
	const tally: Tally = { sent: [], uncertain: [], notSent: [] };
	for (const [index, result] of results.entries()) tally[outcomeOf(result) ?? 'notSent'].push(index);
	return tally;
}

function addHints(context: IExecuteFunctions, results: Array<Result | undefined>): void {
	const hints = results.flatMap((result) => (result && 'items' in result && result.hint) || []);
	for (const message of new Set(hints)) {
		context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
	}
}

/**
 * Plans every item, before anything is sent for the first one.
 * @param unread by index, why an item's options could not be read.
 */
async function planAll<Connection, Service extends string>(
	context: IExecuteFunctions,
	operation: Operation<Connection, Service>,
	connect: () => Promise<Connection>,
	unread: Map<number, unknown>,
): Promise<Array<Planned<Connection, Service>>> {
	const planned: Array<Planned<Connection, Service>> = [];
	for (const itemIndex of context.getInputData().keys()) {
		try {
			if (unread.has(itemIndex)) throw unread.get(itemIndex);
			const connection = await connect().catch((error: unknown) => {
				if (operation.brokenCredential && error instanceof InputError) return error;
				throw error;
			});
			const checks: Array<() => Promise<void>> = [];
			const parameters = readerOf(context, itemIndex, checks);
			if (connection instanceof InputError) {
				planned.push({ items: asItems(operation.brokenCredential?.(connection, parameters) ?? []) });
				continue;
			}
			const plan = operation.plan(parameters, connection);
			for (const check of checks) await check();
			planned.push({ plan });
		} catch (cause) {
			if (!context.continueOnFail()) throw itemError(context, operation, cause, itemIndex);
			planned.push({ cause, outcome: 'notSent' });
		}
	}
	return planned;
}

/** The options that hold for all items. */
interface RunOptions {
	concurrency: number;
	maxRetryMs: number;
	/** By index, why the items before the one that they are of have none. */
	unread: Map<number, unknown>;
}

/**
 * Reads the options of the run: those of the first item hold for all items. With Continue On Fail, an item whose options
 * cannot be read fails, and those of the next one hold.
 * @throws NodeError with the first item's index where there is no Continue On Fail.
 */
function runOptions(context: IExecuteFunctions): RunOptions {
	const unread = new Map<number, unknown>();
	for (const itemIndex of context.getInputData().keys()) {
		try {
			const options = readerOf(context, itemIndex).collection('options');
			const concurrency = readNumber(options, CONCURRENCY);
			return { concurrency, maxRetryMs: readNumber(options, MAX_RETRY_TIME) * 1000, unread };
		} catch (cause) {
			// n8n would hand the items on as they came, as if they had been sent.
			if (!context.continueOnFail()) throw toNodeError(context.getNode(), cause, itemIndex);
			unread.set(itemIndex, cause);
		}
	}
	return { concurrency: CONCURRENCY.default, maxRetryMs: 0, unread };
}

/** Makes a function that reads once, and gives every caller the same result. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
	let pending: Promise<T> | undefined;
	return async () => await (pending ??= read());
}

/** Makes the context of the steps of a run, in which each service has one client. */
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
			const shared = clients.get(service) ?? client(service, connection, throttle);
			clients.set(service, shared);
			return shared;
		},
		seen: new Set(),
		n8n: {
			instanceId: context.getInstanceId(),
			get memory() {
				return context.getWorkflowStaticData('global');
			},
			signal: throttle.signal,
			binary: binaryStore(context.helpers),
		},
	};
}

/** How long all look-ups of a run may take, milliseconds. The messages are sent by then, and only the output waits. */
const LOOK_UP_MS = 5_000;

/** Makes the look-up of a run: its requests have a throttle of their own, so that none of them holds a message up. */
function lookUpOf<Connection, Service extends string>(
	{ connect, client, firstService }: Connector<Connection, Service>,
	signal: AbortSignal | undefined,
): LookUp {
	const lists = new Map<string, Promise<Json[]>>();
	const open = once(async () => {
		const limit = timeLimit(LOOK_UP_MS, signal);
		return client(firstService, await connect(), new Throttle(0, limit.signal));
	});
	return async (list) => {
		const key = JSON.stringify(list);
		const entries =
			lists.get(key) ?? open().then(async (one) => await collect(one.pages(list), (entry) => entry));
		lists.set(key, entries);
		return await entries;
	};
}

/** Completes the items of a result, where its plan has something to add and it can be had. */
async function completed(
	result: Result | undefined,
	{ complete }: Pick<CallPlan, 'complete'>,
	lookUp: LookUp,
): Promise<Result | undefined> {
	if (!result || !('items' in result) || !complete) return result;
	const items = result.items.map(({ json }) => json);
	return await complete(items, lookUp).then(
		(more): Result => ({ ...result, items: asItems(more) }),
		() => result,
	);
}

/**
 * Runs an operation for all items. Every item is planned before anything is sent for the first one, so that a mistake in
 * the last item is found before the others are sent. Items with the same ordering key are sent in their order, others at
 * the same time. The output is in the order of the items.
 * @throws NodeApiError or NodeOperationError of the first item that fails, unless Continue On Fail is set.
 */
export async function runItems<Connection, Service extends string>(
	context: IExecuteFunctions,
	operation: Operation<Connection, Service>,
	connector: Connector<Connection, Service>,
): Promise<INodeExecutionData[]> {
	if (context.getInputData().length === 0) return [];
	const connect = once(connector.connect);
	const { concurrency, maxRetryMs, unread } = runOptions(context);
	const planned = await planAll(context, operation, connect, unread);
	const signal = context.getExecutionCancelSignal();
	const { maxTryMs } = operation;
	const throttle = new Throttle(Math.min(maxRetryMs, maxTryMs ?? maxRetryMs), signal, maxTryMs);
	const steps = once(async () => stepsContext(context, await connect(), throttle, connector));
	const results: Array<Result | undefined> = planned.map((one) => ('plan' in one ? undefined : one));
	let hasFailed = false;

	const work = async (itemIndex: number) => {
		const one = planned[itemIndex];
		if (!one || !('plan' in one)) return;
		const earlier = earlierResults(context, operation.effect, itemIndex)?.get(itemIndex);
		const run = async () => await carryOut(one.plan, await steps(), connector.firstService);
		const result = earlier ?? (await run().catch(failureOf));
		results[itemIndex] = result;
		if ('cause' in result && !context.continueOnFail()) hasFailed = true;
	};
	const groups = groupByOrderingKey(planned.map((one) => ('plan' in one ? one.plan.orderingKey : undefined)));
	const atOnce = operation.effect === 'send' ? concurrency : 1;
	await runGroups(groups, atOnce, work, () => hasFailed || signal?.aborted === true);

	for (const itemIndex of itemsToSkip(groups, results.map(outcomeOf))) {
		const result = results[itemIndex];
		if (result) earlierResults(context, operation.effect, itemIndex)?.set(itemIndex, result);
	}
	const error = runError(context, operation, results, hasFailed);
	if (error) {
		const needsTally = ['send', 'configure'].includes(operation.effect) && results.length > 1;
		throw needsTally ? addTally(error, tallyOf(results)) : error;
	}
	addHints(context, results);
	const lookUp = lookUpOf({ ...connector, connect }, signal);
	const complete = async (result: Result | undefined, itemIndex: number) => {
		const one = planned[itemIndex];
		return one && 'plan' in one && one.plan.kind === 'call'
			? await completed(result, one.plan, lookUp)
			: result;
	};
	return outputOf(context, operation, await Promise.all(results.map(complete)));
}

/** Makes the output of a run, in the order of the items. */
function outputOf(
	context: IExecuteFunctions,
	operation: HasFields,
	results: Array<Result | undefined>,
): INodeExecutionData[] {
	return results.flatMap((result, item): INodeExecutionData[] => {
		if (!result) return [];
		if ('items' in result) return result.items.map((one) => ({ ...one, pairedItem: { item } }));
		const error = itemError(context, operation, result.cause, item);
		return [failedItem(context.getNode(), error, item)];
	});
}

/** Makes the error that ends a run: that of a cancelled execution, or of the first item that failed. */
function runError(
	context: IExecuteFunctions,
	operation: HasFields,
	results: Array<Result | undefined>,
	hasFailed: boolean,
): NodeError | undefined {
	if (context.getExecutionCancelSignal()?.aborted) {
		const isUncertain = results.some((result) => outcomeOf(result) === 'uncertain');
		const uncertain = {
			message: 'The execution was cancelled after some items may have been sent',
			description: 'Check which ones arrived before you send them again.',
			outcome: 'uncertain',
		} as const;
		return toNodeError(context.getNode(), cancelled().with(isUncertain ? uncertain : {}));
	}
	const itemIndex = hasFailed ? results.findIndex((result) => result && 'cause' in result) : -1;
	const failed = results[itemIndex];
	return failed && 'cause' in failed ? itemError(context, operation, failed.cause, itemIndex) : undefined;
}
