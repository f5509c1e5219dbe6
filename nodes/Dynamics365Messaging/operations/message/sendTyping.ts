import { InputError } from '../../../shared/transport/errors';
import { activityRequest, sentItem } from '../../messagingApi/sendActivity';
import { conversationOrderingKey, limitHint, readTrimmed } from '../../../shared/action/fields';
import { conversationIdField, readConversationId, SENDER_NAME } from '../fields';
import type { Operation } from '../types';

export const sendTyping: Operation = {
	resource: 'message',
	operation: 'sendTyping',
	name: 'Send Typing',
	action: 'Show that the customer is typing',
	description: 'Show the representative that the customer is typing',
	effect: 'send',
	fields: [
		conversationIdField,
		{
			displayName: SENDER_NAME.label,
			name: SENDER_NAME.name,
			type: 'string',
			default: 'Customer',
			required: true,
			placeholder: 'e.g. Nathan Smith',
			description: `Name of the customer who types, as the representative sees it. ${limitHint(SENDER_NAME)}.`,
		},
	],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		const name = readTrimmed(parameters, SENDER_NAME);
		if (name === '') throw new InputError('Sender Name is empty', 'Give the name of the person who types.');
		return {
			kind: 'call',
			request: activityRequest(channelId, conversationId, {
				type: 'typing',
				from: { name },
			}),
			toItems: sentItem(conversationId),
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
