import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { InputError } from '../../shared/transport/errors';
import type { Throttle } from '../../shared/transport/throttle';
import { binaryOf, paired, runNode, type Engine, type Given } from '../../shared/action/run';
import { fetchAttachments } from '../attachments/fetchAttachments';
import { callService } from '../messagingApi/client';
import { connectionFrom, type Connection } from '../connection';
import {
	deliver,
	startWithMessage,
	type ConversationStart,
	type Run,
} from '../messagingApi/startConversation';
import { readPages } from '../messagingApi/pages';
import { readRows } from '../dataverse/rows';
import { checkSize, withFiles } from './files';
import { OPERATIONS } from './registry';
import type { DownloadPlan, Plan } from './types';

/** The size of a file in bytes, without reading it where n8n keeps it outside of memory. */
async function sizeOf(context: IExecuteFunctions, itemIndex: number, property: string): Promise<number> {
	const binary = binaryOf(context, itemIndex, property);
	if (binary?.id !== undefined) return (await context.helpers.getBinaryMetadata(binary.id)).fileSize;
	return Buffer.byteLength(binary?.data ?? '', 'base64');
}

/** For all files of an item together. */
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/** Fetches the files that an item names; one that cannot be had is an error, so that it can be tried again. */
async function fetchFiles(
	context: IExecuteFunctions,
	{ origin }: Connection,
	{ attachments, limits }: DownloadPlan,
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

const START_MESSAGE_DROPPED =
	'A start message was not delivered, because the conversation is active already. Conversation: Send or Start delivers it in any case.';
const OPENING_UNUSED =
	'The conversation was active already: Customer, Context Variables and the options of a new conversation were not used.';

/** Does what an item's plan says. */
async function carryOut(context: IExecuteFunctions, run: Run, plan: Plan, itemIndex: number): Promise<Given> {
	const { connection, pace } = run;
	const read = async (property: string) => await context.helpers.getBinaryDataBuffer(itemIndex, property);
	switch (plan.kind) {
		case 'call': {
			const { request } = plan;
			const filled = request.method === 'GET' ? request : await withFiles(request, read);
			return { items: paired(plan.toItems(await callService(connection, filled, pace)), itemIndex) };
		}
		case 'list': {
			const items: INodeExecutionData[] = [];
			for await (const entry of readPages(connection, plan.list, pace)) {
				items.push({ json: plan.toItem(entry), pairedItem: { item: itemIndex } });
			}
			return { items };
		}
		case 'rows': {
			const items: INodeExecutionData[] = [];
			for await (const row of readRows(connection, plan.request, plan.limit, pace)) {
				items.push({ json: plan.toItem(row), pairedItem: { item: itemIndex } });
			}
			return { items };
		}
		case 'steps': {
			const host = { instanceId: context.getInstanceId(), memory: context.getWorkflowStaticData('global') };
			return { items: paired(await plan.run(run, host), itemIndex) };
		}
		case 'download': {
			const item = await fetchFiles(context, connection, plan);
			return { items: [{ ...item, pairedItem: { item: itemIndex } }] };
		}
		case 'open': {
			const opened = await startWithMessage(run, plan.opening, plan.instead);
			const isDropped = opened.startMessage === 'dropped';
			const hint = isDropped ? START_MESSAGE_DROPPED : unusedOf(plan.opening, opened.isNew);
			return { items: paired(plan.toItems(opened), itemIndex), hint };
		}
		case 'deliver': {
			const message = async (conversationId: string) => await withFiles(plan.message(conversationId), read);
			const delivered = await deliver(run, { opening: plan.opening, message });
			const hint = unusedOf(plan.opening, delivered.isNew);
			return { items: paired(plan.toItems(delivered), itemIndex), hint };
		}
	}
}

/** Whether what was given for a new conversation was of no use, as there was one already. */
function unusedOf({ request }: ConversationStart, isNew: boolean): string | undefined {
	const { customercontext, ...others } = request.body ?? {};
	const isGiven = Object.keys(customercontext ?? {}).length > 1 || Object.keys(others).length > 0;
	return isGiven && !isNew ? OPENING_UNUSED : undefined;
}

function engineFor(context: IExecuteFunctions, resource: string): Engine<Connection, Plan> {
	const seen: Run['seen'] = new Set();
	return {
		connect: async () =>
			connectionFrom(await context.getCredentials('dynamics365MessagingApi'), {
				channel: resource !== 'channel',
			}),
		check: async ({ files = [] }, itemIndex) => {
			for (const file of files) checkSize(file, await sizeOf(context, itemIndex, file.property));
		},
		carryOut: async (connection: Connection, pace: Throttle, plan, itemIndex) =>
			await carryOut(context, { connection, pace, seen }, plan, itemIndex),
	};
}

/** Runs the node. @throws NodeApiError, NodeOperationError of the first item that fails, unless Continue On Fail is set. */
export async function execute(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	return await runNode<Connection, Plan>(context, OPERATIONS, (resource) => engineFor(context, resource));
}
