import { stringField } from '../../../shared/action/fields/text';
import { InputError } from '../../../shared/transport/errors';
import { activityPlan } from '../activityPlan';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

export const markAsRead: Operation = {
	operation: 'markAsRead',
	name: 'Mark as Read',
	action: 'Mark messages as read',
	description:
		'Show the representative that the customer has read a message and all messages before it. Works for messages of representatives, not for automated ones. What a representative has read cannot be found out.',
	effect: 'send',
	fields: [
		conversationIdField,
		stringField(
			'messageId',
			'Message ID',
			'ID of the last message that the customer has read: 13 digits, messageId in the output of Message: Get Many',
			{ required: true, placeholder: 'e.g. 1756399395730' },
		),
	],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		const messageId = parameters.id('messageId', 'Message ID');
		if (!/^\d{13}$/.test(messageId)) {
			throw new InputError(
				'Message ID does not have 13 digits',
				'Use a messageId from Message: Get Many, such as 1756399395730.',
			);
		}
		return {
			...activityPlan(channelId, conversationId, {
				type: 'event',
				name: 'MessageRead',
				value: { messageId },
			}),
			// The service answers with an empty ID, but a workflow needs that of the message which was read.
			toItems: () => [{ conversationId, messageId }],
		};
	},
};
