import type { INodeProperties } from 'n8n-workflow';
import type { Effect } from '../operation';
import { numberField, type NumberField } from './number';

/** How many groups of items run at the same time. No rate limit is published. Source: docs/service-facts.md#rate-limits. */
export const CONCURRENCY: NumberField = {
	name: 'parallelConversations',
	label: 'Parallel Conversations',
	default: 10,
	min: 1,
	max: 50,
	isWhole: true,
};

/** How long a request is retried, in seconds. Source: docs/service-facts.md#rate-limits. */
export const MAX_RETRY_TIME: NumberField = {
	name: 'maxRetryTime',
	label: 'Max Retry Time (Seconds)',
	default: 60,
	min: 0,
	max: 3600,
	isWhole: false,
};

/** The options that an operation gets by its effect. */
export type CommonOptions = Record<Effect, INodeProperties[]>;

/**
 * Makes the options that the operations of a node get by their effect. The values of the first item hold for the run.
 * @param lostAnswers what happens to a message whose answer was lost. A whole sentence.
 */
export function commonOptions(lostAnswers: string): CommonOptions {
	const retry = numberField(
		MAX_RETRY_TIME,
		`How long to retry a request when the service is busy or cannot be reached. ${lostAnswers} 0 means no retries.`,
	);
	const concurrency = numberField(
		CONCURRENCY,
		'How many conversations to work on at the same time. The items of one conversation are always sent one after the other.',
	);
	return { send: [concurrency, retry], configure: [retry], read: [retry], none: [] };
}

/** Sorts fields by their names, as n8n's lint requires it of options. */
export function byName(fields: readonly INodeProperties[]): INodeProperties[] {
	return [...fields].sort((one, other) => one.displayName.localeCompare(other.displayName));
}

/** Makes the collection Options of an operation. */
export function optionsField(options: INodeProperties[]): INodeProperties {
	return {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		options,
	};
}
