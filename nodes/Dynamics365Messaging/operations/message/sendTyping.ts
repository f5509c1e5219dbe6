import { readName, textField } from '../../../shared/action/fields/text';
import { InputError } from '../../../shared/transport/errors';
import { activityPlan } from '../activityPlan';
import { conversationIdField, readConversationId, SENDER_NAME } from '../fields';
import type { Operation } from '../operation';

export const sendTyping: Operation = {
	operation: 'sendTyping',
	name: 'Send Typing',
	action: 'Show that the customer is typing',
	description: 'Show the representative that the customer is typing',
	effect: 'send',
	fields: [
		conversationIdField,
		textField(SENDER_NAME, {
			default: 'Customer',
			required: true,
			placeholder: 'e.g. Nathan Smith',
			description: 'Name of the customer who is typing, as the representative sees it.',
		}),
	],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		const name = readName(parameters, SENDER_NAME);
		if (name === '') throw new InputError('Sender Name is empty', 'Give the name of the person who types.');
		return activityPlan(channelId, conversationId, { type: 'typing', from: { name } });
	},
};
