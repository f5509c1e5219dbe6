import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../shared/transport/errors';
import { nonEmptyText, readKey } from '../../shared/json';
import {
	limitFields,
	limitHint,
	optionsField,
	readText,
	unlessEmpty,
	type TextField,
} from '../../shared/action/fields';
import type { ParameterReader } from '../../shared/action/parameters';

export const conversationIdField: INodeProperties = {
	displayName: 'Conversation',
	name: 'conversationId',
	type: 'resourceLocator',
	default: { mode: 'id', value: '' },
	required: true,
	description:
		'The conversation, by its ID (a GUID), which the trigger, Conversation: Send or Start and Create give as conversationId. The list has the active ones, by the time of their start and their ID.',
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

/** Who a message or an event is from, as the representative sees it. Source: docs/service-facts.md#activities-sent. */
const SENDER_ID: TextField = { name: 'senderId', label: 'Sender ID', maxLength: 256 };
export const SENDER_NAME: TextField = { name: 'senderName', label: 'Sender Name', maxLength: 256 };

export const senderFields: INodeProperties[] = [
	{
		displayName: SENDER_ID.label,
		name: SENDER_ID.name,
		type: 'string',
		default: '',
		description: `Your own ID of the person who writes. ${limitHint(SENDER_ID)}.`,
	},
	{
		displayName: SENDER_NAME.label,
		name: SENDER_NAME.name,
		type: 'string',
		default: '',
		description: `Name of the person who writes, as the representative sees it. ${limitHint(SENDER_NAME)}.`,
	},
];

/** The activity's `from`; undefined where neither id nor name is set. */
export function readSender(options: ParameterReader): Record<string, unknown> | undefined {
	return unlessEmpty({ id: readText(options, SENDER_ID), name: readText(options, SENDER_NAME) });
}

/** Those, and the start time, of the lists of the Messaging API. */
export const listFields: INodeProperties[] = [
	...limitFields,
	optionsField([
		{
			displayName: 'Start Time',
			name: 'startTime',
			type: 'dateTime',
			default: '',
			description:
				'Return only what came after this point in time, such as 2026-01-31T09:00:00Z. Without an offset it is in the workflow’s time zone.',
		},
	]),
];

/** The query of a list: its start time, where one is set. */
export function readListQuery(parameters: ParameterReader): Record<string, string> {
	const startTime = parameters.collection('options').time('startTime', 'Start Time');
	return startTime === '' ? {} : { StartTimeStamp: startTime };
}

/** The id that the service gave a message; null where it gave none or an empty one. */
export function messageIdOf(answer: unknown): string | null {
	return nonEmptyText(readKey(answer, 'messageId'));
}
