import type { ServerResponse } from 'node:http';
import type { INodeExecutionData, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';

import { withButtonsBelow } from '../activity/cards/readCards';
import { outputsFor, passes } from '../activity/filter';
import type { TriggerItem } from '../activity/items';
import { NotAnActivity } from '../activity/read';
import { ByteBudget } from '../attachments/byteBudget';
import { fetchAttachments } from '../attachments/fetchAttachments';
import { binaryStore } from '../../shared/action/binaryStore';
import { readKey, textOf } from '../../shared/json';
import { signedDeliveryMark } from '../setup/probe';
import { triggerConnection } from './connectionCache';
import { admit, admitInOrder, identify, isGone } from './duplicates';
import { authorizationOf, readDelivery } from './readDelivery';
import { readSettings, type Settings } from './settings';
import { TokenRejected, verifyCaller, type Trust } from './verify';
import { isVerified, noteVerified, triggerOf, type SignedDelivery } from './verified';

/** For all attachments of a delivery together, so that its answer comes within the five seconds that are promised. */
const DOWNLOAD_TIMEOUT_MS = 4_000;

/** Gives back what a delivery's files hold once it is answered: from then on, they are in the hands of n8n. */
function releaseWhenAnswered(budget: ByteBudget, response: ServerResponse): void {
	if (isGone(response)) budget.release();
	else response.once('close', () => budget.release());
}

type DeliveryResult =
	/** Starts the workflow; answered 200 once the execution is enqueued, or once it has succeeded. */
	| { kind: 'accepted'; outputs: INodeExecutionData[][] }
	/** Filtered out or a duplicate; answered 200 without an execution, so that Dynamics does not try again. */
	| { kind: 'dropped' }
	| { kind: 'refused'; status: 400 | 401 | 404 | 413 | 415 | 503; reason: string };

/** The fields of an item, with the buttons below its plain text where they are wanted. */
function fieldsOf(item: TriggerItem, listsButtons: boolean): TriggerItem {
	const fields = { ...item };
	if (!listsButtons || fields.eventType !== 'message') return fields;
	return { ...fields, plainText: withButtonsBelow(fields.plainText, fields.buttons) };
}

/**
 * The item as n8n takes it, with its files where they are wanted. They are fetched before Dynamics gets its answer, so
 * that an accepted delivery is enqueued complete. The time limit keeps Dynamics from trying again meanwhile.
 */
async function dataOf(
	context: IWebhookFunctions,
	item: TriggerItem,
	{ download, listsButtons, verifiesCaller }: Settings,
): Promise<INodeExecutionData> {
	const fields = fieldsOf(item, listsButtons);
	if (!download || item.eventType !== 'message' || item.attachments.length === 0)
		return { json: { ...fields } };
	const budget = new ByteBudget(download.maxBytes);
	const { attachments, binary } = await fetchAttachments(
		item.attachments,
		{
			...download,
			budget,
			signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
			// Without verification the trigger has no credential.
			ownOrigin: verifiesCaller ? (await triggerConnection(context)).origin : undefined,
		},
		binaryStore(context.helpers),
	);
	releaseWhenAnswered(budget, context.getResponseObject());
	return { json: { ...fields, attachments }, ...(Object.keys(binary).length > 0 && { binary }) };
}

/** What a signed delivery depends on now. @throws what {@link triggerConnection} throws. */
async function expectedDelivery(context: IWebhookFunctions, trust: Trust): Promise<SignedDelivery> {
	const connection = await triggerConnection(context);
	return { connection, trust, webhookId: context.getNode().webhookId };
}

/**
 * Gives the mark of the app and the channel for which a signed delivery came to the trigger since the process began, for
 * Check Setup. Never throws.
 * @returns undefined where none came, or what it depends on has changed since.
 */
export async function signedDeliveryOf(context: IWebhookFunctions): Promise<string | undefined> {
	try {
		const { verifiesCaller, trust } = readSettings(context);
		if (!verifiesCaller) return undefined;
		const expected = await expectedDelivery(context, trust);
		return isVerified(triggerOf(context), expected) ? signedDeliveryMark(expected.connection) : undefined;
	} catch {
		return undefined;
	}
}

async function evaluate(context: IWebhookFunctions): Promise<DeliveryResult> {
	const settings = readSettings(context);
	if (settings.verifiesCaller) {
		const expected = await expectedDelivery(context, settings.trust);
		await verifyCaller(authorizationOf(context), expected.connection, settings.trust);
		noteVerified(triggerOf(context), expected);
	}
	const item = readDelivery(context);
	if (!passes(item, settings)) return { kind: 'dropped' };
	const scope = triggerOf(context);
	const { conversationId, activityId: id, activity } = item;
	const type = textOf(readKey(activity, 'type'));
	const identity = identify(scope, conversationId, { id, type }, JSON.stringify(activity));
	const response = context.getResponseObject();
	const admission = settings.respondsOnSuccess
		? await admitInOrder(
				`${scope}/${item.conversationId.toLowerCase()}`,
				identity,
				response,
				(status, seconds) =>
					context.logger.warn(
						`Dynamics 365 Messaging Trigger: the workflow for a delivery of conversation ${item.conversationId} ended after ${seconds} s, when Dynamics 365 had given the delivery up (HTTP status ${status})`,
					),
			)
		: await admit(identity, response);
	switch (admission) {
		case 'new': {
			const data = await dataOf(context, item, settings);
			const types = settings.perEvent ? outputsFor(settings.events) : [item.eventType];
			return { kind: 'accepted', outputs: types.map((type) => (type === item.eventType ? [data] : [])) };
		}
		case 'duplicate':
			return { kind: 'dropped' };
		case 'undecided':
			return {
				kind: 'refused',
				status: 503,
				reason: settings.respondsOnSuccess
					? 'an earlier delivery of this conversation is still being worked on'
					: 'the first try of this delivery is not answered yet',
			};
	}
}

/**
 * The answer to a failure. Throwing instead would start an errored execution and answer 500. What cannot be decided now
 * (no keys, a broken credential) is answered 503, so that Dynamics tries again.
 */
function refusal(error: unknown): DeliveryResult {
	const reason = error instanceof Error ? error.message : 'unknown';
	if (error instanceof TokenRejected) return { kind: 'refused', status: 401, reason };
	if (error instanceof NotAnActivity) return { kind: 'refused', status: error.status, reason };
	return { kind: 'refused', status: 503, reason };
}

/**
 * Answers a delivery: verifies the caller, reads the activity, and starts the workflow unless the item is filtered out or
 * a duplicate. Never throws. Source: docs/service-facts.md#n8n-webhook-answers.
 * @returns what n8n's `webhook` method returns; the response is ended already where the delivery is refused.
 * @example
 * async webhook(this: IWebhookFunctions) {
 * 	return await handleDelivery(this);
 * }
 */
export async function handleDelivery(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	const result = await evaluate(context).catch(refusal);
	switch (result.kind) {
		case 'accepted':
			return { workflowData: result.outputs, webhookResponse: '' };
		case 'dropped':
			return { webhookResponse: '' };
		case 'refused': {
			context.logger.warn(`Dynamics 365 Messaging Trigger answered ${result.status}: ${result.reason}`);
			const response = context.getResponseObject();
			if (result.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
			response.status(result.status).end();
			return { noWebhookResponse: true };
		}
	}
}
