import type { IExecuteFunctions } from 'n8n-workflow';
import type { Outcome } from '../transport/errors';
import type { Effect, Output } from './operation';

/** What an item gave, or why there is nothing. */
export type Result = Output | Failed;

/** Why an item gave nothing, and whether what it was to send may have arrived. */
export interface Failed {
	cause: unknown;
	outcome: Outcome;
}

/**
 * What earlier tries of the same run came to. n8n's Retry On Fail executes a whole node again, all of its items; those
 * that were sent, or may have been, must not be sent once more. A try is known by the data that the run was given, which
 * n8n hands over again as the same objects.
 */
const earlierTries = new WeakMap<object, WeakMap<object, Map<number, Result>>>();

/** What is remembered of an item of this run, by its index; undefined where n8n does not execute it again. */
export function earlierResults(
	context: IExecuteFunctions,
	effect: Effect,
	itemIndex: number,
): Map<number, Result> | undefined {
	const item = context.getInputData()[itemIndex]?.json;
	const changes = effect === 'send' || effect === 'configure';
	if (!changes || context.getNode().retryOnFail !== true || item === undefined) return undefined;
	const run = context.getExecuteData();
	const ofRun = earlierTries.get(run) ?? new WeakMap<object, Map<number, Result>>();
	const ofItem = ofRun.get(item) ?? new Map<number, Result>();
	earlierTries.set(run, ofRun);
	ofRun.set(item, ofItem);
	return ofItem;
}

/**
 * The items that another try of the run must leave as they are: what was sent or may have been, and what was not where
 * something after it in its group was, as it would come out of order. Pure.
 * @param groups the indexes of the items that keep their order among each other.
 */
export function settledItems(groups: number[][], outcomes: Array<'sent' | Outcome | undefined>): number[] {
	return groups.flatMap((group) => {
		const last = group.findLastIndex(
			(index) => outcomes[index] === 'sent' || outcomes[index] === 'uncertain',
		);
		return group.slice(0, last + 1);
	});
}
