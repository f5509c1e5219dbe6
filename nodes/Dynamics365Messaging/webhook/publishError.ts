import { type INode, type NodeError, WebhookPathTakenError, WorkflowActivationError } from 'n8n-workflow';
import { toNodeError } from '../../shared/action/nodeErrors';
import { InputError, ServiceError } from '../../shared/transport/errors';

/** Puts the mend into the message of an error, as n8n shows the message alone. Pure. */
function withMend(error: unknown): unknown {
	const says = (message: string, description: string) =>
		description === '' ? message : `${message.replace(/[.:]$/, '')}. ${description}`;
	if (error instanceof ServiceError) return error.with({ message: says(error.message, error.description) });
	if (error instanceof InputError)
		return new InputError(says(error.message, error.description), error.description);
	return error;
}

/**
 * A refusal that stays until a person changes something. n8n 2 tries to publish five times within 15 seconds, but only once where the
 * error is of the class that this one extends. Source: docs/service-facts.md#n8n-publishing.
 */
class FinalRefusal extends WebhookPathTakenError {
	constructor(node: INode, message: string) {
		super(node.name);
		this.name = 'FinalRefusal';
		this.message = message;
		this.node = node;
	}
}

/** Whether a person has to change something before another try: what they entered is wrong, or was refused. Pure. */
function isFinal(error: unknown): boolean {
	return error instanceof InputError || (error instanceof ServiceError && error.retry !== 'yes');
}

/**
 * Makes the error with which publishing fails, with the mend in its message. Pure.
 * @returns one after which n8n 2 tries again only where that may help, such as after a 503.
 */
export function toPublishError(node: INode, error: unknown): WorkflowActivationError {
	const { message } = toNodeError(node, withMend(error));
	if (isFinal(error)) return new FinalRefusal(node, message);
	return new WorkflowActivationError(message, { node, level: 'warning' });
}

/** Makes the error with which listening for a test event fails, with the mend in its message. Pure. */
export function toListenError(node: INode, error: unknown): NodeError {
	return toNodeError(node, withMend(error));
}
