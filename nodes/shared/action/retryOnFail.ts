import type { IExecuteFunctions } from 'n8n-workflow';
import type { Outcome } from '../transport/errors';
import type { Effect, Output } from './operation';

/** The output for an item, or why there is none. */
export type Result = Output | Failed;

/** Why there is no output for an item, and whether its request may have arrived. */
export interface Failed {
	cause: unknown;
	outcome: Outcome;
}

/**
 * The results of earlier tries of a run. n8n's Retry On Fail executes the node again with all items, and those that were
 * sent, or may have been, must not be sent again. n8n gives each try the same objects, so these are the keys.
 */
const earlierTries = new WeakMap<object, WeakMap<object, Map<number, Result>>>();

/**
 * Finds the results of earlier tries for an item of this run.
 * @returns a map by the item's index, to read and to add to; undefined where n8n would not execute the node again, or a
 * second time does no harm.
 */
export function earlierResults(
	context: IExecuteFunctions,
	effect: Effect,
	itemIndex: number,
): Map<number, Result> | undefined {
	const changes = effect === 'send' || effect === 'configure';
	if (!changes || context.getNode().retryOnFail !== true) return undefined;
	const run = context.getExecuteData();
	// A node before may give out items without `json`, or one that is no object.
	const json: unknown = context.getInputData()[itemIndex]?.json;
	const item = typeof json === 'object' && json !== null ? json : run;
	const ofRun = earlierTries.get(run) ?? new WeakMap<object, Map<number, Result>>();
	const ofItem = ofRun.get(item) ?? new Map<number, Result>();
	earlierTries.set(run, ofRun);
	ofRun.set(item, ofItem);
	return ofItem;
}

/**
 * Lists the items that another try of the run must skip: those that were sent or may have been, and those before them in
 * their group, which would now be out of order. Pure.
 * @param groups the indexes of the items that keep their order.
 */
export function itemsToSkip(groups: number[][], outcomes: Array<'sent' | Outcome | undefined>): number[] {
	return groups.flatMap((group) => {
		const last = group.findLastIndex(
			(index) => outcomes[index] === 'sent' || outcomes[index] === 'uncertain',
		);
		return group.slice(0, last + 1);
	});
}
