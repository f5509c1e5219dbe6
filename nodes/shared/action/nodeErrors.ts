import {
	NodeApiError,
	NodeOperationError,
	type INode,
	type INodeCredentialTestResult,
	type INodeExecutionData,
} from 'n8n-workflow';
import { andList } from '../sentences';
import { InputError, ServiceError, type Outcome } from '../transport/errors';

/** An error as n8n shows it. */
export type NodeError = NodeApiError | NodeOperationError;

/** Says how to fix an error. For the service's support it adds status, code and correlation ID, which n8n hides. Pure. */
export function descriptionOf({ description, httpCode, code, correlationId }: ServiceError): string {
	const parts = [
		httpCode === null ? null : `HTTP ${httpCode}`,
		code,
		correlationId === null ? null : `correlation ID ${correlationId}`,
	].filter((part) => part !== null);
	return parts.length === 0 ? description : `${description} (${parts.join(' · ')})`;
}

/**
 * Turns any error into one that n8n shows, with its item, HTTP status, the service's code, correlation ID, and whether
 * the request may have arrived. An error that is not one of ours becomes a NodeOperationError.
 */
export function toNodeError(node: INode, error: unknown, itemIndex?: number): NodeError {
	if (error instanceof NodeApiError || error instanceof NodeOperationError) return error;
	if (error instanceof ServiceError) {
		const { message, code, correlationId, outcome, conversationId } = error;
		const description = descriptionOf(error);
		const httpCode = error.httpCode === null ? undefined : String(error.httpCode);
		// NodeApiError gets no transport's code, as it would replace the message. For a lost answer it advises to try again.
		const apiError = new NodeApiError(node, { message }, { message, description, httpCode, itemIndex });
		apiError.httpCode = httpCode ?? null;
		// n8n puts words of its own in place of a message in which a code of Node.js stands, such as a host with “enoent”.
		apiError.message = message;
		Object.assign(apiError.context, { code, correlationId, outcome });
		if (conversationId !== null) apiError.context.conversationId = conversationId;
		return apiError;
	}
	const cause = error instanceof Error ? error : new Error(String(error));
	const description = error instanceof InputError ? error.description : undefined;
	const nodeError = new NodeOperationError(node, cause, { message: cause.message, description, itemIndex });
	// That of another error may be a bare code, for which n8n's words are better.
	if (error instanceof InputError) nodeError.message = cause.message;
	nodeError.context.outcome = 'notSent' satisfies Outcome;
	return nodeError;
}

/** Makes the item that Continue On Fail puts out for an error. */
export function failedItem(node: INode, error: NodeError, itemIndex: number): INodeExecutionData {
	const { code = null, correlationId = null, outcome, conversationId } = error.context;
	const httpCode = error instanceof NodeApiError ? error.httpCode : null;
	const description = error.description ?? null;
	const conversation = conversationId === undefined ? {} : { conversationId };
	const errorDetails = { description, httpCode, code, correlationId, outcome, ...conversation };
	const item: INodeExecutionData = {
		json: { error: error.message, errorDetails },
		pairedItem: { item: itemIndex },
	};
	// n8n moves an item with an `error` to the error output. There it copies the item, and replaces the json of a copy
	// with an `error` by the message alone. A property that is not enumerable is not copied, so the details stay.
	if (node.onError === 'continueErrorOutput') {
		Object.defineProperty(item, 'error', { value: error, writable: true, configurable: true });
	}
	return item;
}

/** Splits ascending numbers into those that stand alone and runs of three or more. Pure. */
function runsOf(numbers: number[]): Array<number | [number, number]> {
	const parts: Array<[number, number]> = [];
	for (const number of numbers) {
		const last = parts.at(-1);
		if (last?.[1] === number - 1) last[1] = number;
		else parts.push([number, number]);
	}
	return parts.flatMap(([from, to]): Array<number | [number, number]> => {
		if (from === to) return [from];
		return to === from + 1 ? [from, to] : [[from, to]];
	});
}

/** How many numbers and ranges a sentence has at the most, and numbers a list of them. */
const MAX_LISTED = 50;

/** Lists ascending numbers in words: `0 to 3, 7 and 9`. Of a long list, it counts the rest. Pure. */
export function ranges(numbers: number[]): string {
	const runs = runsOf(numbers);
	const shown = runs.slice(0, MAX_LISTED);
	const left = runs
		.slice(MAX_LISTED)
		.reduce((count: number, run) => count + (typeof run === 'number' ? 1 : run[1] - run[0] + 1), 0);
	const words = shown.map((run) => (typeof run === 'number' ? `${run}` : `${run[0]} to ${run[1]}`));
	return andList([...words, ...(left > 0 ? [`${left} more`] : [])]);
}

/** The same as data: numbers, and of a large run ranges such as `0-4999`. Pure. */
export function compact(numbers: number[]): Array<number | string> {
	if (numbers.length <= MAX_LISTED) return numbers;
	return runsOf(numbers).map((run) => (typeof run === 'number' ? run : `${run[0]}-${run[1]}`));
}

/** The indexes of the items of a run, by their outcome. */
export interface Tally {
	sent: number[];
	uncertain: number[];
	notSent: number[];
}

/** Says in words which items were sent. */
function tallyInWords({ sent, uncertain, notSent }: Tally): string {
	if (sent.length + uncertain.length === 0) return `None of the items was sent (${ranges(notSent)}).`;
	const list = (numbers: number[]) => (numbers.length === 0 ? 'none' : ranges(numbers));
	return [
		`Items that were sent: ${list(sent)}.`,
		...(uncertain.length > 0 ? [`Items that may have been sent: ${list(uncertain)}.`] : []),
		`Items that were not sent: ${list(notSent)}.`,
	].join(' ');
}

/** Adds to the error that ends a run which items were sent, so that a person knows which to send again. */
export function addTally(error: NodeError, tally: Tally): NodeError {
	error.description = [error.description, tallyInWords(tally)].filter(Boolean).join(' ');
	Object.assign(error.context, {
		sentItems: compact(tally.sent),
		uncertainItems: compact(tally.uncertain),
		notSentItems: compact(tally.notSent),
	});
	return error;
}

/**
 * Runs the Test of a credential.
 * @param work uses the credential, and throws where that fails. What it gives is the message of the success; n8n's editor
 * shows words of its own in its place.
 * @returns what n8n shows of it.
 */
export async function testResult(work: () => Promise<string | void>): Promise<INodeCredentialTestResult> {
	try {
		return { status: 'OK', message: (await work()) ?? 'Connection successful!' };
	} catch (error) {
		const message = error instanceof Error ? error.message : 'The test failed';
		const description =
			error instanceof ServiceError
				? descriptionOf(error)
				: error instanceof InputError
					? error.description
					: '';
		return { status: 'Error', message: `${message}. ${description}` };
	}
}
