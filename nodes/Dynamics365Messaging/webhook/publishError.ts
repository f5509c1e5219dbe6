import {
	type INode,
	type NodeError,
	WebhookPathTakenError,
	type WorkflowActivationError,
} from 'n8n-workflow';
import { descriptionOf, toNodeError } from '../../shared/action/nodeErrors';
import { InputError, ServiceError } from '../../shared/transport/errors';

const says = (message: string, mend: string) =>
	mend === '' ? message : `${message.replace(/[.:]$/, '')}. ${mend}`;

/** Puts the mend into the message of an error, as n8n shows the message alone. Pure. */
function withMend(error: unknown): unknown {
	if (error instanceof ServiceError)
		return error.with({ message: says(error.message, descriptionOf(error)) });
	if (error instanceof InputError)
		return new InputError(says(error.message, error.description), error.description);
	return error;
}

/**
 * Why a workflow is not published. The trigger itself has tried long enough, and n8n must not try again: n8n 2 would do so
 * five times, and after a try that succeeds it would know only a part of the trigger's webhooks. It does not after an error
 * of the class that this one extends. Source: docs/service-facts.md#n8n-publishing.
 */
class PublishRefused extends WebhookPathTakenError {
	constructor(node: INode, message: string, cause: unknown) {
		super(node.name, cause instanceof Error ? cause : undefined);
		this.name = 'PublishRefused';
		this.message = message;
		this.node = node;
	}
}

/** Makes the error with which publishing fails, with the mend in its message. Pure. */
export function toPublishError(node: INode, error: unknown): WorkflowActivationError {
	return new PublishRefused(node, toNodeError(node, withMend(error)).message, error);
}

/** Makes the error with which listening for a test event fails, with the mend in its message. Pure. */
export function toListenError(node: INode, error: unknown): NodeError {
	return toNodeError(node, withMend(error));
}
