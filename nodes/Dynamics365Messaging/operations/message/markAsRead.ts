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
		'Show the representative that the customer has read a message and all before it. Only what a representative wrote counts, automated messages do not, and there is no way to learn what a representative has read.',
	effect: 'send',
	fields: [
		conversationIdField,
		stringField(
			'messageId',
			'Message ID',
			'ID of the last message that was read: 13 digits, the messageId that Message: Get Many gives',
			{ required: true, placeholder: 'e.g. 1756399395730' },
		),
	],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		const messageId = parameters.id('messageId', 'Message ID');
		if (!/^\d{13}$/.test(messageId)) {
			throw new InputError(
				'Message ID is not 13 digits, as the ID of a message is',
				'It has 13 digits, such as 1756399395730; Message: Get Many gives it.',
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
