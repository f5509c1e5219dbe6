import type { INodeProperties } from 'n8n-workflow';
import type { Sender } from '../../../emulator/messaging/contract';
import { limitFields } from '../../shared/action/fields/limit';
import { conversationLocator, readConversationId as readLocator } from '../../shared/action/fields/locator';
import { optionsField } from '../../shared/action/fields/options';
import { readText, textField, type TextField } from '../../shared/action/fields/text';
import type { ParameterReader } from '../../shared/action/parameters';
import { unlessEmpty } from '../../shared/json';

export const conversationIdField = conversationLocator(
	'The conversation, by its ID (a GUID), which the trigger, Conversation: Send or Start and Create give as conversationId. The list has the active ones, by the time of their start and their ID.',
	'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
);

/**
 * Reads the conversation's ID.
 * @throws InputError where it is empty, or would change the path: `/conversation/create` starts a conversation.
 */
export function readConversationId(parameters: ParameterReader): string {
	const fix = 'Use the conversationId from Conversation: Create or from the trigger.';
	return readLocator(parameters, fix, (id) => id.toLowerCase() === 'create');
}

/** Who a message or an event is from, as the representative sees it. Source: docs/service-facts.md#activities-sent. */
const SENDER_ID: TextField = { name: 'senderId', label: 'Sender ID', maxLength: 256 };
export const SENDER_NAME: TextField = { name: 'senderName', label: 'Sender Name', maxLength: 256 };

export const senderFields: INodeProperties[] = [
	textField(SENDER_ID, { description: 'Your own ID of the person who writes.' }),
	textField(SENDER_NAME, { description: 'Name of the person who writes, as the representative sees it.' }),
];

/** The activity's `from`; undefined where neither id nor name is set. */
export function readSender(options: ParameterReader): Sender | undefined {
	return unlessEmpty({ id: readText(options, SENDER_ID), name: readText(options, SENDER_NAME) });
}

/** The fields of the lists of the Messaging API: Return All, Limit, and the start time among the options. */
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

/** The query of a list: its start time, where one is set. @throws InputError naming the field. */
export function readListQuery(parameters: ParameterReader): Record<string, string> {
	const startTime = parameters.collection('options').time('startTime', 'Start Time');
	return startTime === '' ? {} : { StartTimeStamp: startTime };
}
