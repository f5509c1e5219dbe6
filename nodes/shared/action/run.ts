import {
	NodeOperationError,
	type IBinaryData,
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
} from 'n8n-workflow';
import { InputError, ServiceError, type Outcome } from '../transport/errors';
import { cancelled, Throttle } from '../transport/throttle';
import { MAX_RETRY_TIME, CONCURRENCY, readNumber } from './fields';
import { groupByOrderingKey, runGroups } from './concurrency';
import { failedItem, tellTally, toNodeError, type NodeError, type Tally } from './nodeErrors';
import { parameterReader, type ParameterReader } from './parameters';
import { findOperation } from './properties';
import { toIso } from './time';
import type { BasePlan, Effect, Operation } from './operation';

/** A binary field of an item; undefined where there is none. */
export function binaryOf(
	context: IExecuteFunctions,
	itemIndex: number,
	property: string,
): IBinaryData | undefined {
	try {
		return context.helpers.assertBinaryData(itemIndex, property);
	} catch {
		return undefined;
	}
}

/** The parameters of one item of a run. */
function readerOf(context: IExecuteFunctions, itemIndex: number): ParameterReader {
	return parameterReader({
		get: (name) => context.getNodeParameter(name, itemIndex, undefined),
		getLocator: (name) => context.getNodeParameter(name, itemIndex, undefined, { extractValue: true }),
		getFile: (property) => binaryOf(context, itemIndex, property),
		fileProperties: () => Object.keys(context.getInputData()[itemIndex]?.binary ?? {}),
		toIso: (value) => toIso(value, context.getTimezone()),
	});
}

/** What a plan gave: the items that come out for it. */
export interface Given {
	items: INodeExecutionData[];
	/** What the items alone would not show; said below the node, once for all of its items. */
	hint?: string;
}

/** What an item gave, or why there is nothing. */
type Done = Given | Failed;
interface Failed {
	cause: unknown;
	outcome: Outcome;
}

/** How a node does what its operations plan: what differs between nodes, for one run. */
export interface Engine<Connection, Plan extends BasePlan> {
	/** Reads the credential. @throws InputError naming its field. */
	connect: () => Promise<Connection>;
	/** Looks at what a plan needs of n8n, before anything goes out for any item. @throws InputError naming the field. */
	check?: (plan: Plan, itemIndex: number) => Promise<void>;
	/** Does what an item's plan says. @throws ServiceError with its `outcome`, InputError. */
	carryOut: (connection: Connection, pace: Throttle, plan: Plan, itemIndex: number) => Promise<Given>;
}

function failedBy(cause: unknown): Failed {
	return { cause, outcome: cause instanceof ServiceError ? cause.outcome : 'notSent' };
}

/** Items as they come out for one that went in. */
export function paired(json: IDataObject[], itemIndex: number): INodeExecutionData[] {
	return json.map((one) => ({ json: one, pairedItem: { item: itemIndex } }));
}

/**
 * What earlier tries of the same run came to. n8n's Retry On Fail executes a whole node again, all of its items; those
 * that were sent, or may have been, must not be sent once more. A try is known by the data that the run was given, which
 * n8n hands over again as the same objects.
 */
const earlierTries = new WeakMap<object, WeakMap<object, Map<number, Done>>>();

/** What is remembered of an item of this run; undefined where n8n does not repeat it. */
function memoryOf(
	context: IExecuteFunctions,
	{ effect }: { effect: Effect },
	itemIndex: number,
): Map<number, Done> | undefined {
	const item = context.getInputData()[itemIndex]?.json;
	const changes = effect === 'send' || effect === 'configure';
	if (!changes || context.getNode().retryOnFail !== true || item === undefined) return undefined;
	const run = context.getExecuteData();
	const ofRun = earlierTries.get(run) ?? new WeakMap<object, Map<number, Done>>();
	const ofItem = ofRun.get(item) ?? new Map<number, Done>();
	earlierTries.set(run, ofRun);
	ofRun.set(item, ofItem);
	return ofItem;
}

/**
 * The items that another try of the run must leave as they are: what was sent or may have been, and what was not where
 * something after it in its lane was, as it would come out of order. Pure.
 */
export function settledItems(lanes: number[][], outcomes: Array<'sent' | Outcome | undefined>): number[] {
	return lanes.flatMap((lane) => {
		const last = lane.findLastIndex((index) => outcomes[index] === 'sent' || outcomes[index] === 'uncertain');
		return lane.slice(0, last + 1);
	});
}

function outcomeOf(done: Done | undefined): 'sent' | Outcome | undefined {
	if (!done) return undefined;
	return 'items' in done ? 'sent' : done.outcome;
}

function tallyOf(results: Array<Done | undefined>): Tally {
	const tally: Tally = { sent: [], uncertain: [], notSent: [] };
	for (const [index, done] of results.entries()) tally[outcomeOf(done) ?? 'notSent'].push(index);
	return tally;
}

function addHints(context: IExecuteFunctions, results: Array<Done | undefined>): void {
	const hints = new Set(results.map((done) => (done && 'items' in done ? done.hint : undefined)));
	for (const message of hints) {
		if (message !== undefined)
			context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
	}
}

/** Plans every item before anything goes out for the first one. */
async function planAll<Connection, Plan extends BasePlan>(
	context: IExecuteFunctions,
	operation: Operation<Connection, Plan>,
	{ connect, check }: Pick<Engine<Connection, Plan>, 'connect' | 'check'>,
): Promise<Array<{ plan: Plan } | Done>> {
	const planned: Array<{ plan: Plan } | Done> = [];
	for (const itemIndex of context.getInputData().keys()) {
		try {
			const connection = await connect().catch((error: unknown) => {
				if (operation.brokenCredential && error instanceof InputError) return error;
				throw error;
			});
			if (connection instanceof InputError) {
				const items = operation.brokenCredential?.(connection) ?? [];
				planned.push({ items: paired(items, itemIndex) });
				continue;
			}
			const plan = operation.plan(readerOf(context, itemIndex), connection);
			await check?.(plan, itemIndex);
			planned.push({ plan });
		} catch (cause) {
			if (!context.continueOnFail()) throw toNodeError(context.getNode(), cause, itemIndex);
			planned.push({ cause, outcome: 'notSent' });
		}
	}
	return planned;
}

/** The options that hold for a whole run are those of its first item. */
function runOptions(context: IExecuteFunctions): { parallel: number; maxRetryMs: number } {
	const options = readerOf(context, 0).collection('options');
	try {
		return {
			parallel: readNumber(options, CONCURRENCY),
			maxRetryMs: readNumber(options, MAX_RETRY_TIME) * 1000,
		};
	} catch (error) {
		throw toNodeError(context.getNode(), error, 0);
	}
}

/**
 * Runs an operation for all items. Every item is checked before anything goes out for the first one, so that a run
 * which is wrong in its last item has not already said the rest. What goes into one conversation is sent in the order of
 * the items, different conversations side by side; what comes out is in the order of the items.
 * @throws NodeApiError, NodeOperationError of the first item that fails, unless Continue On Fail is set.
 */
async function runItems<Connection, Plan extends BasePlan>(
	context: IExecuteFunctions,
	operation: Operation<Connection, Plan>,
	engine: Engine<Connection, Plan>,
): Promise<INodeExecutionData[]> {
	if (context.getInputData().length === 0) return [];
	let connecting: Promise<Connection> | undefined;
	const connect = async () => await (connecting ??= engine.connect());

	const { parallel, maxRetryMs } = runOptions(context);
	const planned = await planAll(context, operation, { ...engine, connect });
	const signal = context.getExecutionCancelSignal();
	const pace = new Throttle(maxRetryMs, signal);
	const results: Array<Done | undefined> = planned.map((one) => ('plan' in one ? undefined : one));
	let isBroken = false;

	const work = async (itemIndex: number) => {
		const one = planned[itemIndex];
		if (!one || !('plan' in one)) return;
		const done =
			memoryOf(context, operation, itemIndex)?.get(itemIndex) ??
			(await connect()
				.then(async (connection) => await engine.carryOut(connection, pace, one.plan, itemIndex))
				.catch(failedBy));
		results[itemIndex] = done;
		if ('cause' in done && !context.continueOnFail()) isBroken = true;
	};
	const lanes = groupByOrderingKey(planned.map((one) => ('plan' in one ? one.plan.orderingKey : undefined)));
	const width = operation.effect === 'send' ? parallel : 1;
	await runGroups(lanes, width, work, () => isBroken || signal?.aborted === true);

	for (const itemIndex of settledItems(lanes, results.map(outcomeOf))) {
		const done = results[itemIndex];
		if (done) memoryOf(context, operation, itemIndex)?.set(itemIndex, done);
	}
	const ending = endingOf(context, results, isBroken);
	if (ending) {
		const isTold = ['send', 'configure'].includes(operation.effect) && results.length > 1;
		throw isTold ? tellTally(ending, tallyOf(results)) : ending;
	}
	addHints(context, results);
	const output: INodeExecutionData[] = [];
	for (const [itemIndex, done] of results.entries()) {
		if (!done) continue;
		if ('items' in done) for (const item of done.items) output.push(item);
		else {
			const error = toNodeError(context.getNode(), done.cause, itemIndex);
			output.push(failedItem(context.getNode(), error, itemIndex));
		}
	}
	return output;
}

/** The error that ends a run: that the execution was cancelled, or that of the first item that failed. */
function endingOf(
	context: IExecuteFunctions,
	results: Array<Done | undefined>,
	isBroken: boolean,
): NodeError | undefined {
	if (context.getExecutionCancelSignal()?.aborted) {
		const isUncertain = results.some((done) => outcomeOf(done) === 'uncertain');
		const uncertain = {
			message: 'The execution was cancelled when some items may have been sent already',
			description: 'Look for those before you send them again.',
			outcome: 'uncertain',
		} as const;
		const error = cancelled().with(isUncertain ? uncertain : {});
		return toNodeError(context.getNode(), error);
	}
	const itemIndex = isBroken ? results.findIndex((done) => done && 'cause' in done) : -1;
	const failed = results[itemIndex];
	return failed && 'cause' in failed ? toNodeError(context.getNode(), failed.cause, itemIndex) : undefined;
}

/**
 * Runs what the node's Resource and Operation name.
 * @throws NodeOperationError where there is no such operation, and what {@link runItems} throws.
 */
export async function runNode<Connection, Plan extends BasePlan>(
	context: IExecuteFunctions,
	operations: ReadonlyArray<Operation<Connection, Plan>>,
	engineFor: (resource: string) => Engine<Connection, Plan>,
): Promise<INodeExecutionData[][]> {
	const resource = context.getNodeParameter('resource', 0);
	const name = context.getNodeParameter('operation', 0);
	const operation = findOperation(operations, resource, name);
	if (!operation) {
		throw new NodeOperationError(context.getNode(), `There is no operation ${name} for ${resource}`, {
			description: 'Choose Resource and Operation again: the node may be from another version.',
		});
	}
	return [await runItems(context, operation, engineFor(resource))];
}
