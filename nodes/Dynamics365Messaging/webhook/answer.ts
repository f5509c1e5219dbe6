import type { IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { NotAnActivity, readActivity } from '../activity/read';
import type { EventType, TriggerItem } from '../activity/items';
import { connectionFrom } from '../api/connection';
import type { Json } from '../api/json';
import { KeysUnavailable } from './keys';
import { NotBelieved, verifyCaller } from './verify';

/** What the trigger is set to. */
export interface Settings {
	verification: string;
	events: string[];
}

type Verdict =
	/** Starts the workflow; answered 200 once the run is enqueued. */
	| { kind: 'run'; item: TriggerItem }
	/** Not asked for: answered 200 without a run, so that Dynamics does not try again. */
	| { kind: 'filtered' }
	| { kind: 'refused'; status: 400 | 401 | 404 | 415 | 503; reason: string };

/**
 * Whether an item starts the workflow.
 * @param events the event types that were chosen.
 */
export function passes(item: TriggerItem, events: readonly string[]): boolean {
	const type: EventType = item.eventType;
	return events.includes(type);
}

async function judge(context: IWebhookFunctions, settings: Settings): Promise<Verdict> {
	if (settings.verification !== 'none') {
		const connection = connectionFrom(await context.getCredentials('dynamics365MessagingApi'));
		await verifyCaller(context.getHeaderData().authorization, connection);
	}
	const contentType = context.getRequestObject().headers['content-type'] ?? '';
	if (!/^application\/json\s*(;|$)/i.test(contentType))
		throw new NotAnActivity('The content type is not JSON', 415);
	const { conversationId } = context.getParamsData() as { conversationId?: string };
	if (!conversationId) throw new NotAnActivity('The path names no conversation', 404);
	const item = readActivity(
		context.getRequestObject().body as Json,
		conversationId,
		new Date().toISOString(),
	);
	return passes(item, settings.events) ? { kind: 'run', item } : { kind: 'filtered' };
}

/** Every failure has an answer of its own: throwing would start an errored execution and answer 500. */
function refusal(error: unknown): Verdict {
	if (error instanceof NotBelieved) return { kind: 'refused', status: 401, reason: error.message };
	if (error instanceof NotAnActivity) return { kind: 'refused', status: error.status, reason: error.message };
	if (error instanceof KeysUnavailable) return { kind: 'refused', status: 503, reason: error.message };
	return { kind: 'refused', status: 503, reason: error instanceof Error ? error.message : 'unknown' };
}

/**
 * Answers a delivery: believes the caller or refuses, reads the activity, and lets it start the workflow if it is of a
 * kind that was asked for. Never throws.
 */
export async function answerDelivery(
	context: IWebhookFunctions,
	settings: Settings,
): Promise<IWebhookResponseData> {
	const verdict = await judge(context, settings).catch(refusal);
	switch (verdict.kind) {
		case 'run':
			return { workflowData: [[{ json: { ...verdict.item } }]], webhookResponse: '' };
		case 'filtered':
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
