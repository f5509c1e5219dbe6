import { InputError } from '../../../shared/transport/errors';
import type { StartMessage } from '../../messagingApi/startConversation';
import { activityRequest } from '../../messagingApi/sendActivity';
import { limitHint, optionsField } from '../../../shared/action/fields';
import { TEXT } from '../message/messageBody';
import type { ParameterReader } from '../../../shared/action/parameters';
import type { Operation } from '../types';
import {
	CUSTOMER_ID,
	customerFields,
	customerOrderingKey,
	startOptions,
	readCustomerId,
	readConversationStart,
} from './startFields';

/** Source: docs/service-facts.md#create-body. */
const START_MESSAGE_MAX_BYTES = 27 * 1024;

function readStartMessage(options: ParameterReader): StartMessage | undefined {
	const message = options.text('startMessage', 'Start Message');
	const bytes = Buffer.byteLength(message, 'utf8');
	if (bytes > START_MESSAGE_MAX_BYTES) {
		throw new InputError(
			`Start Message is longer than ${START_MESSAGE_MAX_BYTES / 1024} KB`,
			`It has ${bytes.toLocaleString('en-US')} bytes. Shorten it, or send it as messages.`,
		);
	}
	if (message === '') return undefined;
	const displayname = options.text('startMessageDisplayName', 'Display Name');
	return displayname === '' ? { message } : { message, displayname };
}

export const create: Operation = {
	resource: 'conversation',
	operation: 'create',
	name: 'Create',
	action: 'Create a conversation for a customer',
	description: 'Open a conversation for a customer, or get the active one of the same customer ID',
	effect: 'send',
	fields: [
		{
			displayName: CUSTOMER_ID.label,
			name: CUSTOMER_ID.name,
			type: 'string',
			default: '',
			placeholder: 'e.g. jdoe123',
			description: `Your own ID of the customer, the same each time. If this customer has an active conversation, that one is returned instead of a new one. ${limitHint(CUSTOMER_ID)}.`,
		},
		...customerFields,
		optionsField([
			startOptions.createPath,
			startOptions.requestId,
			startOptions.skipAiAgent,
			{
				displayName: 'Start Message',
				name: 'startMessage',
				type: 'string',
				typeOptions: { rows: 2 },
				default: '',
				description: `First words of the customer, at most ${START_MESSAGE_MAX_BYTES / 1024} KB. They reach only the representative, not the AI agent, and are lost if the conversation is active already (isNew is false then): Conversation: Send or Start delivers words in any case.`,
			},
			startOptions.displayName,
		]),
	],
	plan: (parameters, { channelId }) => {
		const options = parameters.collection('options');
		const customerId = readCustomerId(parameters);
		const startMessage = readStartMessage(options);
		const text = startMessage?.message ?? '';
		// As a message it would reach the AI agent too, which a start message does not.
		const canBeMessage = text !== '' && options.flag('skipAiAgent') && text.length <= TEXT.maxLength;
		return {
			kind: 'open',
			opening: readConversationStart(parameters, startMessage),
			instead: canBeMessage
				? (conversationId) => {
						const name = startMessage?.displayname;
						const from = name === undefined ? undefined : { name };
						return activityRequest(channelId, conversationId, { type: 'message', text, from });
					}
				: undefined,
			toItems: ({ conversationId, isNew, messageId }) => [{ conversationId, isNew, messageId }],
			orderingKey: customerId === '' ? undefined : customerOrderingKey(customerId),
		};
	},
};
