import type { INodeExecutionData, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { outputsFor, passes, type Filter } from '../activity/filter';
import type { EventType, TriggerItem } from '../activity/items';
import { NotAnActivity, readActivity } from '../activity/read';
import { fetchAttachments } from '../attachments/fetchAttachments';
import type { Json } from '../../shared/json';
import { triggerConnection } from './connectionCache';
import { admit, identify } from './duplicates';
import { checkBodyLimits } from './bodyLimits';
import { TokenRejected, verifyCaller, type Trust } from './verify';

/** What the trigger is set to. */
export interface Settings extends Filter {
	/** `none` believes everybody. */
	verification: string;
	trust: Trust;
	/** Whether each chosen event type has an output of its own. */
	perEvent: boolean;
	/** The limits within which attachments are fetched; undefined for not at all. */
	download: { maxBytes: number; maxCount: number } | undefined;
}

/** For all attachments of a delivery together. */
const DOWNLOAD_TIMEOUT_MS = 5_000;

type Verdict =
	/** Starts the workflow; answered 200 once the run is enqueued. */
	| { kind: 'run'; outputs: INodeExecutionData[][] }
	/** Not asked for, or there already: answered 200 without a run, so that Dynamics does not try again. */
	| { kind: 'dropped' }
	| { kind: 'refused'; status: 400 | 401 | 404 | 413 | 415 | 503; reason: string };

/** Node.js keeps the first of several Authorization headers; whoever sends several is nobody to believe. */
function authorizationOf(context: IWebhookFunctions): string | undefined {
	const { rawHeaders, headers } = context.getRequestObject();
	const sent = rawHeaders.filter(
		(name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization',
	).length;
	if (sent > 1) throw new TokenRejected('several Authorization headers');
	return headers.authorization;
}

function readDelivery(context: IWebhookFunctions): TriggerItem {
	const request = context.getRequestObject();
	if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
		throw new NotAnActivity('The content type is not JSON', 415);
	}
	const { conversationId } = context.getParamsData() as { conversationId?: string };
	if (!conversationId) throw new NotAnActivity('The path names no conversation', 404);
	const body = request.body as Json | undefined;
	checkBodyLimits(body);
	return readActivity(body, conversationId, new Date().toISOString());
}

/** The origin of the credential's service; undefined where there is no usable credential. */
async function ownOrigin(
	context: IWebhookFunctions,
	{ verification }: Settings,
): Promise<string | undefined> {
	if (verification === 'none') return undefined;
	return (await triggerConnection(context)).origin;
}

/**
 * The item as n8n gets it, with its files where they are wanted: fetched before the answer to Dynamics, so that what
 * was answered is enqueued whole, and within a time that leaves Dynamics no reason to try again.
 */
async function dataOf(
	context: IWebhookFunctions,
	item: TriggerItem,
	settings: Settings,
): Promise<INodeExecutionData> {
	if (!settings.download || item.eventType !== 'message' || item.attachments.length === 0)
		return { json: { ...item } };
	const { attachments, binary } = await fetchAttachments(
		item.attachments,
		{
			...settings.download,
			signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
			ownOrigin: await ownOrigin(context, settings),
		},
		async (data, fileName, mimeType) => await context.helpers.prepareBinaryData(data, fileName, mimeType),
	);
	return { json: { ...item, attachments }, ...(Object.keys(binary).length > 0 && { binary }) };
}

async function evaluate(context: IWebhookFunctions, readSettings: () => Settings): Promise<Verdict> {
	const settings = readSettings();
	if (settings.verification !== 'none') {
		await verifyCaller(authorizationOf(context), await triggerConnection(context), settings.trust);
	}
	const item = readDelivery(context);
	if (!passes(item, settings)) return { kind: 'dropped' };
	const scope = `${context.getWorkflow().id}/${context.getNode().id}/${context.getMode()}`;
	const identity = identify(scope, item.conversationId, item.activityId, JSON.stringify(item.activity));
	switch (await admit(identity, context.getResponseObject())) {
		case 'new':
			return {
				kind: 'run',
				outputs: atItsOutput(await dataOf(context, item, settings), item.eventType, settings),
			};
		case 'duplicate':
			return { kind: 'dropped' };
		case 'undecided':
			return { kind: 'refused', status: 503, reason: 'the first try of this delivery is not answered yet' };
	}
}

/**
 * Every failure has an answer of its own: throwing would start an errored execution and answer 500. What cannot be
 * decided now (no keys, a broken credential) is answered so that Dynamics tries again.
 */
function refusal(error: unknown): Verdict {
	const reason = error instanceof Error ? error.message : 'unknown';
	if (error instanceof TokenRejected) return { kind: 'refused', status: 401, reason };
	if (error instanceof NotAnActivity) return { kind: 'refused', status: error.status, reason };
	return { kind: 'refused', status: 503, reason };
}

/** The item at the output of its event type, or at the only one. */
function atItsOutput(
	data: INodeExecutionData,
	eventType: EventType,
	{ perEvent, events }: Settings,
): INodeExecutionData[][] {
	if (!perEvent) return [[data]];
	return outputsFor(events).map((type) => (type === eventType ? [data] : []));
}

/**
 * Answers a delivery: believes the caller or refuses, reads the activity, and lets it start the workflow if it is of a
 * kind that was asked for and was not there before. Never throws. Source: docs/service-facts.md#n8n-webhook-answers.
 * @param readSettings is called within, as reading them can fail too.
 */
export async function handleDelivery(
	context: IWebhookFunctions,
	readSettings: () => Settings,
): Promise<IWebhookResponseData> {
	const verdict = await evaluate(context, readSettings).catch(refusal);
	switch (verdict.kind) {
		case 'run':
			return { workflowData: verdict.outputs, webhookResponse: '' };
		case 'dropped':
			return { webhookResponse: '' };
		case 'refused': {
			context.logger.warn(`Dynamics 365 Messaging Trigger answered ${verdict.status}: ${verdict.reason}`);
			const response = context.getResponseObject();
			if (verdict.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
			response.status(verdict.status).end();
			return { noWebhookResponse: true };
		}
	}
}
