import {
	NodeApiError,
	NodeOperationError,
	type INode,
	type INodeCredentialTestResult,
	type INodeExecutionData,
} from 'n8n-workflow';
import { andList } from '../sentences';
import { InputError, ServiceError, type Outcome } from '../transport/errors';

export type NodeError = NodeApiError | NodeOperationError;

/** What Microsoft's support asks for, in one line; the editor shows it nowhere else. */
function reference({ httpCode, code, correlationId }: ServiceError): string {
	const parts = [
		httpCode === null ? null : `HTTP ${httpCode}`,
		code,
		correlationId === null ? null : `correlation ID ${correlationId}`,
	].filter((part) => part !== null);
	return parts.length === 0 ? '' : ` (${parts.join(' · ')})`;
}

/** What there is to say of an error beyond its message. */
function descriptionOf(error: ServiceError): string {
	return `${error.description}${reference(error)}`;
}

/**
 * An error as n8n shows it: with the item it belongs to, HTTP status, the service's code and correlation id, and whether
 * what was to be sent may have arrived. What is none of ours is passed on as an operation's error.
 */
export function toNodeError(node: INode, error: unknown, itemIndex?: number): NodeError {
	if (error instanceof NodeApiError || error instanceof NodeOperationError) return error;
	if (error instanceof ServiceError) {
		const { message, code, correlationId, outcome, conversationId } = error;
		const description = descriptionOf(error);
		const httpCode = error.httpCode === null ? undefined : String(error.httpCode);
		// Given a transport's code, NodeApiError would say its own words, which for a lost answer are to try again.
		const apiError = new NodeApiError(node, { message }, { message, description, httpCode, itemIndex });
		apiError.httpCode = httpCode ?? null;
		const known = conversationId === null ? {} : { conversationId };
		Object.assign(apiError.context, { code, correlationId, outcome, ...known });
		return apiError;
	}
	const cause = error instanceof Error ? error : new Error(String(error));
	const description = error instanceof InputError ? error.description : undefined;
	const nodeError = new NodeOperationError(node, cause, { message: cause.message, description, itemIndex });
	nodeError.context.outcome = 'notSent' satisfies Outcome;
	return nodeError;
}

/** What Continue On Fail gives in an item's place. */
export function failedItem(node: INode, error: NodeError, itemIndex: number): INodeExecutionData {
	const { code = null, correlationId = null, outcome, conversationId } = error.context;
	const httpCode = error instanceof NodeApiError ? error.httpCode : null;
	const known = conversationId === undefined ? {} : { conversationId };
	const description = error.description ?? null;
	const errorDetails = { description, httpCode, code, correlationId, outcome, ...known };
	const item: INodeExecutionData = {
		json: { error: error.message, errorDetails },
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

/** Numbers as a person writes them: `0 to 3, 7 and 9`. Pure. */
export function ranges(numbers: number[]): string {
	const parts: Array<[number, number]> = [];
	for (const number of numbers) {
		const last = parts.at(-1);
		if (last?.[1] === number - 1) last[1] = number;
		else parts.push([number, number]);
	}
	const words = parts.flatMap(([from, to]) => {
		if (from === to) return [`${from}`];
		return to === from + 1 ? [`${from}`, `${to}`] : [`${from} to ${to}`];
	});
	return andList(words);
}

/** What became of each item of a run, by its index. */
export interface Tally {
	sent: number[];
	uncertain: number[];
	notSent: number[];
}

/** What became of the items of a run, in words. */
function tallyInWords({ sent, uncertain, notSent }: Tally): string {
	const all = sent.length === 0 && uncertain.length === 0;
	if (all) return `None of the items was sent (${ranges(notSent)}).`;
	const list = (numbers: number[]) => (numbers.length === 0 ? 'none' : ranges(numbers));
	return [
		`Items that were sent: ${list(sent)}.`,
		...(uncertain.length > 0 ? [`Items that may have been sent: ${list(uncertain)}.`] : []),
		`Items that were not sent: ${list(notSent)}.`,
	].join(' ');
}

/** Adds to the error that ends a run what became of its items, so that a person knows what to send again. */
export function tellTally(error: NodeError, tally: Tally): NodeError {
	error.description = [error.description, tallyInWords(tally)].filter(Boolean).join(' ');
	const { sent: sentItems, uncertain: uncertainItems, notSent: notSentItems } = tally;
	Object.assign(error.context, { sentItems, uncertainItems, notSentItems });
	return error;
}

/**
 * What the Test of a credential shows.
 * @param work does what the credential is to be tried with.
 */
export async function testResult(work: () => Promise<void>): Promise<INodeCredentialTestResult> {
	try {
		await work();
		return { status: 'OK', message: 'Connection successful!' };
	} catch (error) {
		return { status: 'Error', message: explain(error) };
	}
}

function explain(error: unknown): string {
	const description =
		error instanceof ServiceError
			? descriptionOf(error)
			: error instanceof InputError
				? error.description
				: '';
	return `${error instanceof Error ? error.message : 'The test failed'}. ${description}`;
}
