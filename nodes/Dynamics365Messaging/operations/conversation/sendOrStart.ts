import { InputError } from '../../../shared/transport/errors';
import { limitHint, optionsField } from '../../../shared/action/fields';
import { SENDER_NAME } from '../fields';
import { contentFields, contentOptions, readContent } from '../message/messageBody';
import type { Operation } from '../types';
import {
	CUSTOMER_ID,
	customerFields,
	customerOrderingKey,
	startOptions,
	readCustomerId,
	readConversationStart,
} from './startFields';

/** Both operations' options, in the order of their names. */
const options = [...contentOptions, ...Object.values(startOptions)].sort((one, other) =>
	one.displayName.localeCompare(other.displayName),
);

export const sendOrStart: Operation = {
	resource: 'conversation',
	operation: 'sendOrStart',
	name: 'Send or Start',
	action: 'Send message or start conversation',
	description: 'Say something by customer ID, in the active conversation or in a new one. Delivered once.',
	effect: 'send',
	fields: [
		{
			displayName: CUSTOMER_ID.label,
			name: CUSTOMER_ID.name,
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. jdoe123',
			description: `Your own ID of the customer, the same each time, by which the active conversation is found. ${limitHint(CUSTOMER_ID)}.`,
		},
		...contentFields,
		...customerFields,
		optionsField(options),
	],
	plan: (parameters, { channelId }) => {
		const customerId = readCustomerId(parameters);
		if (customerId === '') {
			throw new InputError(
				'Customer ID is empty',
				'Give your own ID of the customer: without it the active conversation cannot be found.',
			);
		}
		const given = parameters.collection('options');
		const { text, files, hasAttachments, isAutomated, request } = readContent(parameters);
		// A start message never reaches the AI agent, and carries no files and no mark.
		const asStartMessage = given.flag('skipAiAgent') && !hasAttachments && !isAutomated;
		const displayname =
			given.text('startMessageDisplayName', 'Display Name') ||
			given.text(SENDER_NAME.name, SENDER_NAME.label);
		const startMessage = displayname === '' ? { message: text } : { message: text, displayname };
		return {
			kind: 'deliver',
			opening: readConversationStart(parameters, asStartMessage ? startMessage : undefined),
			message: (conversationId) => request(channelId, conversationId),
			toItems: (delivered) => [{ ...delivered }],
			orderingKey: customerOrderingKey(customerId),
			files,
		};
	},
};
