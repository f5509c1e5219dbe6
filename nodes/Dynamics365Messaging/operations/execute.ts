import {
	NodeApiError,
	NodeOperationError,
	tryToParseDateTime,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
} from 'n8n-workflow';
import { fetchAttachments } from '../api/attachments';
import { callService } from '../api/client';
import { connectionFrom, type Connection } from '../api/connection';
import { InputError, ServiceError } from '../api/errors';
import { readPages } from '../api/pages';
import { parameterReader, type ParameterReader } from './parameters';
import type { Operation, Plan } from './types';

/**
 * An error as n8n shows it: with the item it belongs to, HTTP status, the service's code and correlation id.
 * What is none of ours is passed on as an operation's error.
 */
export function toNodeError(
	node: INode,
	error: unknown,
	itemIndex?: number,
): NodeApiError | NodeOperationError {
	if (error instanceof NodeApiError || error instanceof NodeOperationError) return error;
	if (error instanceof ServiceError) {
		const { message, description, code, correlationId } = error;
		const httpCode = error.httpCode === null ? undefined : String(error.httpCode);
		// Given a transport's code, NodeApiError would say its own words, which for a lost answer are to try again.
		const apiError = new NodeApiError(node, { message }, { message, description, httpCode, itemIndex });
		apiError.httpCode = httpCode ?? null;
		Object.assign(apiError.context, { code, correlationId });
		return apiError;
	}
	const cause = error instanceof Error ? error : new Error(String(error));
	const description = error instanceof InputError ? error.description : undefined;
	return new NodeOperationError(node, cause, { message: cause.message, description, itemIndex });
}

type NodeError = NodeApiError | NodeOperationError;

/** What Continue On Fail gives in an item's place. */
function failedItem(node: INode, error: NodeError, itemIndex: number): INodeExecutionData {
	const { code = null, correlationId = null } = error.context;
	const httpCode = error instanceof NodeApiError ? error.httpCode : null;
	const item: INodeExecutionData = {
		json: { error: error.message, errorDetails: { httpCode, code, correlationId } },
		pairedItem: { item: itemIndex },
	};
	// n8n finds what belongs to the error output by an item's `error`, copies it there, and replaces the json of what
	// then still has an `error` by the message alone. One that is not copied leads there and spares the details.
	if (node.onError === 'continueErrorOutput') {
		Object.defineProperty(item, 'error', {
			value: error,
			writable: true,
			configurable: true,
			enumerable: false,
		});
	}
	return item;
}

/** The parameters of one item of a run. */
function readerOf(context: IExecuteFunctions, itemIndex: number): ParameterReader {
	return parameterReader({
		get: (name) => context.getNodeParameter(name, itemIndex, undefined),
		getLocator: (name) => context.getNodeParameter(name, itemIndex, undefined, { extractValue: true }),
		toIso: (value) => {
			try {
				return tryToParseDateTime(value, context.getTimezone()).toUTC().toISO() ?? undefined;
			} catch {
				return undefined;
			}
		},
	});
}

/** Fetches the files that an item names; one that cannot be had is an error, so that it can be tried again. */
async function fetchFiles(
	context: IExecuteFunctions,
	{ origin }: Connection,
	{ attachments, limits }: Extract<Plan, { kind: 'download' }>,
): Promise<INodeExecutionData> {
	const signals = [AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS), context.getExecutionCancelSignal()];
	const signal = AbortSignal.any(signals.filter((one) => one !== undefined));
	const fetched = await fetchAttachments(
		attachments,
		{ ...limits, signal, ownOrigin: origin },
		async (data, fileName, mimeType) => await context.helpers.prepareBinaryData(data, fileName, mimeType),
	);
	const failed = fetched.attachments.filter(({ downloadError }) => downloadError !== null);
	if (failed.length > 0) {
		const reasons = failed.map(
			({ name, contentUrl, downloadError }) => `${name ?? contentUrl}: ${downloadError}`,
		);
		throw new InputError(
			`${failed.length} of ${attachments.length} attachments could not be fetched`,
			`${reasons.join('. ')}.`,
		);
	}
	return { json: { attachments: fetched.attachments }, binary: fetched.binary };
}

async function carryOut(
	context: IExecuteFunctions,
	connection: Connection,
	plan: Plan,
): Promise<INodeExecutionData[]> {
	const signal = context.getExecutionCancelSignal();
	if (plan.kind === 'download') return [await fetchFiles(context, connection, plan)];
	return (await callOrList(connection, plan, signal)).map((json) => ({ json }));
}

async function callOrList(
	connection: Connection,
	plan: Exclude<Plan, { kind: 'download' }>,
	signal?: AbortSignal,
): Promise<IDataObject[]> {
	if (plan.kind === 'call') return plan.toItems(await callService(connection, plan.request, signal));
	const items: IDataObject[] = [];
	for await (const entry of readPages(connection, plan.list, signal)) items.push(plan.toItem(entry));
	return items;
}

/** For all files of an item together. */
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

type Outcome<T> = { value: T } | { error: NodeError };

/** Does an item's work. Its error ends the run, or under Continue On Fail becomes its outcome. */
async function attempt<T>(
	context: IExecuteFunctions,
	itemIndex: number,
	work: () => Promise<T>,
): Promise<Outcome<T>> {
	try {
		return { value: await work() };
	} catch (cause) {
		const error = toNodeError(context.getNode(), cause, itemIndex);
		if (!context.continueOnFail()) throw error;
		return { error };
	}
}

/**
 * Runs an operation for all items. Every item is checked before anything goes out for the first one, so that a run
 * which is wrong in its last item has not already said the rest.
 * @throws NodeApiError, NodeOperationError of the first item that fails, unless Continue On Fail is set.
 */
export async function runItems(
	context: IExecuteFunctions,
	operation: Operation,
): Promise<INodeExecutionData[]> {
	const itemIndexes = [...context.getInputData().keys()];
	let connecting: Promise<Connection> | undefined;
	const connect = async () =>
		await (connecting ??= context.getCredentials('dynamics365MessagingApi').then(connectionFrom));

	const planned: Array<Outcome<Plan>> = [];
	for (const itemIndex of itemIndexes) {
		const work = async () => operation.plan(readerOf(context, itemIndex), (await connect()).channelId);
		planned.push(await attempt(context, itemIndex, work));
	}

	const output: INodeExecutionData[] = [];
	for (const [itemIndex, plan] of planned.entries()) {
		const done =
			'error' in plan
				? plan
				: await attempt(context, itemIndex, async () => await carryOut(context, await connect(), plan.value));
		if ('error' in done) output.push(failedItem(context.getNode(), done.error, itemIndex));
		else output.push(...done.value.map((item) => ({ ...item, pairedItem: { item: itemIndex } })));
	}
	return output;
}
