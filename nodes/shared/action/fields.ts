import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../transport/errors';
import type { ParameterReader } from './parameters';

/** A text field and its limit, written once: the check, the field's hint and the tests all read it from here. */
export interface TextField {
	name: string;
	label: string;
	/** UTF-16 code units, as JavaScript and .NET count them. */
	maxLength: number;
}

/** The hint that a text field shows for its limit. */
export function limitHint({ maxLength }: TextField): string {
	return `At most ${maxLength.toLocaleString('en-US')} characters`;
}

/**
 * Checks a text's length.
 * @throws InputError naming the field.
 */
export function checkLength(text: string, { label, maxLength }: TextField): string {
	if (text.length > maxLength) {
		throw new InputError(
			`${label} is longer than ${maxLength.toLocaleString('en-US')} characters`,
			`It has ${text.length.toLocaleString('en-US')}. Shorten it.`,
		);
	}
	return text;
}

/** Reads a text and checks its length. '' where it is not set. */
export function readText(parameters: ParameterReader, field: TextField): string {
	return checkLength(parameters.text(field.name, field.label), field);
}

/** As `readText`, without the white space around it, which comes with pasting. */
export function readTrimmed(parameters: ParameterReader, field: TextField): string {
	return checkLength(parameters.text(field.name, field.label).trim(), field);
}

/** Drops the keys that hold nothing, as every field of the service's bodies is optional and an empty text is not. */
export function withoutEmpty(fields: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined),
	);
}

/** An object, or undefined where it would have no keys. */
export function unlessEmpty(fields: Record<string, unknown>): Record<string, unknown> | undefined {
	const kept = withoutEmpty(fields);
	return Object.keys(kept).length === 0 ? undefined : kept;
}

/** The key that keeps what goes into one conversation in order. */
export function conversationOrderingKey(conversationId: string): string {
	return `conversation ${conversationId.toLowerCase()}`;
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

/** A number field and its limits, written once as those of texts are. */
export interface NumberField {
	name: string;
	label: string;
	default: number;
	min: number;
	max: number;
	isWhole: boolean;
}

/**
 * Reads a number of a collection; its default where it is not set.
 * @throws InputError naming the field and its limits.
 */
export function readNumber(parameters: ParameterReader, field: NumberField): number {
	const { name, label, min, max, isWhole } = field;
	const given = parameters.raw(name);
	if (given === undefined || given === '') return field.default;
	const value = parameters.number(name, label);
	if (value < min || value > max || (isWhole && !Number.isInteger(value))) {
		throw new InputError(
			`${label} must be ${isWhole ? 'a whole number ' : ''}from ${min} to ${max.toLocaleString('en-US')}`,
			`It is ${value}.`,
		);
	}
	return value;
}

/** A number's field, with its limits. */
export function numberField(field: NumberField, description: string): INodeProperties {
	const { label, name, default: standard, min, max } = field;
	return {
		displayName: label,
		name,
		type: 'number',
		default: standard,
		typeOptions: { minValue: min, maxValue: max },
		description,
	};
}

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

/**
 * The option of every operation that talks to a service; that of the run's first item holds for all.
 * @param whatMayHaveArrived what becomes of a message whose answer was lost. A whole sentence.
 */
export const retryOption = (whatMayHaveArrived: string) =>
	numberField(
		MAX_RETRY_TIME,
		`How long a request is tried again when the service is busy or cannot be reached. ${whatMayHaveArrived} 0 means no retries.`,
	);
export const concurrencyOption = numberField(
	CONCURRENCY,
	'How many conversations are served at once. The items of one conversation always go one after the other.',
);

/** Return All and Limit, as n8n's Get Many operations have them. */
export const limitFields: INodeProperties[] = [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		description: 'Whether to return all results or only up to a given limit',
	},
	{
		displayName: 'Limit',
		name: 'limit',
		type: 'number',
		default: 50,
		typeOptions: { minValue: 1 },
		displayOptions: { show: { returnAll: [false] } },
		description: 'Max number of results to return',
	},
];

/** Reads Return All and Limit. Gives undefined for all. */
export function readLimit(parameters: ParameterReader): number | undefined {
	if (parameters.flag('returnAll')) return undefined;
	const limit = parameters.number('limit', 'Limit');
	if (!Number.isInteger(limit) || limit < 1)
		throw new InputError('Limit must be a whole number from 1', 'Or choose Return All.');
	return limit;
}
