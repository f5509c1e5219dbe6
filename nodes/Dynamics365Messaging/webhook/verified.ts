import type { IWebhookFunctions } from 'n8n-workflow';
import type { Connection } from '../connection';
import { signedDeliveryMark } from '../setup/probe';
import type { Trust } from './verify';

/** What a signed delivery depends on: for what it is signed, where it is sent to, and which tokens are accepted. */
export interface SignedDelivery {
	connection: Connection;
	trust: Trust;
	/** n8n's ID of the trigger's webhook, which is part of its URL. */
	webhookId: string | undefined;
}

/** What the last delivery with an accepted token depended on, by the trigger it came to. Bounded by the active workflows. */
const verified = new Map<string, SignedDelivery>();

/** Names the trigger whose webhook was called. */
export function triggerOf(context: IWebhookFunctions): string {
	return `${context.getWorkflow().id}/${context.getNode().id}/${context.getMode()}`;
}

function identityOf({ connection, trust, webhookId }: SignedDelivery): string {
	return JSON.stringify([signedDeliveryMark(connection), trust.audience, trust.callerObjectId, webhookId]);
}

/** Notes that a delivery with an accepted token came. @param trigger names the workflow and the node. */
export function noteVerified(trigger: string, delivery: SignedDelivery): void {
	verified.set(trigger, delivery);
}

/** Whether one came since this process began, and nothing that it depends on has changed since. */
export function isVerified(trigger: string, delivery: SignedDelivery): boolean {
	const last = verified.get(trigger);
	// Compared only when somebody asks, as deliveries come more often.
	return last !== undefined && identityOf(last) === identityOf(delivery);
}
