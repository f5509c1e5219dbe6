import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { InputError } from '../../../shared/transport/errors';
import { activityRequest } from '../../messagingApi/sendActivity';

import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

export const markAsRead: Operation = {
	operation: 'markAsRead',
	name: 'Mark as Read',
	action: 'Mark messages as read',
	description: 'Show the representative that the customer has read a message and all before it',
	effect: 'send',
	fields: [
		conversationIdField,
		{
			displayName: 'Message ID',
			name: 'messageId',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. 1756399395730',
			description:
				'ID of the last message that was read: 13 digits, the messageId that Message: Get Many gives',
		},
	],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		const messageId = parameters.text('messageId', 'Message ID').trim();
		if (!/^\d{13}$/.test(messageId)) {
			throw new InputError(
				'Message ID is not 13 digits, as the ID of a message is',
				'It has 13 digits, such as 1756399395730; Message: Get Many gives it.',
			);
		}
		return {
			kind: 'call',
			request: activityRequest(channelId, conversationId, {
				type: 'event',
				name: 'MessageRead',
				value: { messageId },
			}),
			// The service answers with an empty id; the one that was read is what a workflow needs.
			toItems: () => [{ conversationId, messageId }],
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
