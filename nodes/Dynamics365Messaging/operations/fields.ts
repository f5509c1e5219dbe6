import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../api/errors';
import { nonEmptyText, readKey } from '../api/json';
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

export const conversationIdField: INodeProperties = {
	displayName: 'Conversation',
	name: 'conversationId',
	type: 'resourceLocator',
	default: { mode: 'id', value: '' },
	required: true,
	description:
		'The conversation, as Conversation: Create or the trigger gave its ID. The list has the active ones, by the time of their start and their ID.',
	modes: [
		{
			displayName: 'By ID',
			name: 'id',
			type: 'string',
			placeholder: 'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
		},
		{
			displayName: 'From List',
			name: 'list',
			type: 'list',
			typeOptions: { searchListMethod: 'searchConversations', searchable: true },
		},
	],
};

/** What would lead to another path of the API: `/conversation/create` opens a conversation. */
const NO_IDS = new Set(['', '.', '..', 'create']);

/**
 * Reads the conversation's id.
 * @throws InputError where it is empty, or would change the path of the URL that it is put into.
 */
export function readConversationId(parameters: ParameterReader): string {
	const id = parameters.locator('conversationId', 'Conversation').trim();
	if (NO_IDS.has(id.toLowerCase()) || !id.isWellFormed()) {
		throw new InputError(
			id === '' ? 'Conversation is empty' : 'Conversation is not an ID',
			'Use the conversationId from Conversation: Create or from the trigger.',
		);
	}
	return id;
}

/** Who a message or an event is from, as the representative sees it. Source: seed 002, payload field reference. */
const SENDER_ID: TextField = { name: 'senderId', label: 'Sender ID', maxLength: 256 };
export const SENDER_NAME: TextField = { name: 'senderName', label: 'Sender Name', maxLength: 256 };

export const senderFields: INodeProperties[] = [
	{
		displayName: SENDER_ID.label,
		name: SENDER_ID.name,
		type: 'string',
		default: '',
		description: `ID of the person who writes, in your own channel. ${limitHint(SENDER_ID)}.`,
	},
	{
		displayName: SENDER_NAME.label,
		name: SENDER_NAME.name,
		type: 'string',
		default: '',
		description: `Name that the representative sees. ${limitHint(SENDER_NAME)}.`,
	},
];

/** The activity's `from`; undefined where neither id nor name is set. */
export function readSender(options: ParameterReader): Record<string, unknown> | undefined {
	return unlessEmpty({ id: readText(options, SENDER_ID), name: readText(options, SENDER_NAME) });
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

/** Return All and Limit, as n8n's Get Many operations have them. */
export const listFields: INodeProperties[] = [
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
	optionsField([
		{
			displayName: 'Start Time',
			name: 'startTime',
			type: 'dateTime',
			default: '',
			description: 'Return only what came after this point in time',
		},
	]),
];

/** Reads Return All and Limit. Gives undefined for all. */
export function readLimit(parameters: ParameterReader): number | undefined {
	if (parameters.flag('returnAll')) return undefined;
	const limit = parameters.number('limit', 'Limit');
	if (!Number.isInteger(limit) || limit < 1)
		throw new InputError('Limit must be a whole number from 1', 'Or choose Return All.');
	return limit;
}

/** The query of a list: its start time, where one is set. */
export function readListQuery(parameters: ParameterReader): Record<string, string> {
	const startTime = parameters.collection('options').time('startTime', 'Start Time');
	return startTime === '' ? {} : { StartTimeStamp: startTime };
}

/** The id that the service gave a message; null where it gave none or an empty one. */
export function messageIdOf(answer: unknown): string | null {
	return nonEmptyText(readKey(answer, 'messageId'));
}
