import type { INodeProperties } from 'n8n-workflow';
import type { Effect } from '../operation';
import { numberField, type NumberField } from './number';

/** How many conversations are served at once; no rate limit is published. Source: docs/service-facts.md#rate-limits. */
export const CONCURRENCY: NumberField = {
	name: 'parallelConversations',
	label: 'Parallel Conversations',
	default: 10,
	min: 1,
	max: 50,
	isWhole: true,
};

/** For how long a call is tried again, seconds. Source: docs/service-facts.md#rate-limits. */
export const MAX_RETRY_TIME: NumberField = {
	name: 'maxRetryTime',
	label: 'Max Retry Time (Seconds)',
	default: 60,
	min: 0,
	max: 3600,
	isWhole: false,
};

const concurrencyOption = numberField(
	CONCURRENCY,
	'How many conversations are served at once. The items of one conversation always go one after the other.',
);

/** The options that an operation has because of what it does, beside its own. */
export type CommonOptions = Record<Effect, INodeProperties[]>;

/**
 * The options that all operations of a node have by what they do. Those of the run's first item hold for all.
 * @param lostAnswers what becomes of a message whose answer was lost. A whole sentence.
 */
export function commonOptions(lostAnswers: string): CommonOptions {
	const retry = numberField(
		MAX_RETRY_TIME,
		`How long a request is tried again when the service is busy or cannot be reached. ${lostAnswers} 0 means no retries.`,
	);
	return { send: [concurrencyOption, retry], configure: [retry], read: [retry], none: [] };
}

/** Fields in the order of their names, as n8n's lint asks for it. */
export function byName(fields: readonly INodeProperties[]): INodeProperties[] {
	return [...fields].sort((one, other) => one.displayName.localeCompare(other.displayName));
}

/** The Options collection of an operation, with its optional fields. */
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
