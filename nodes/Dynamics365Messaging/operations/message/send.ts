import { optionsField } from '../../../shared/action/fields/options';
import { activityPlan } from '../activityPlan';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';
import { bodyFields, bodyOptions, readMessageBody } from '../messageBody';

export const send: Operation = {
	operation: 'send',
	name: 'Send',
	action: 'Send a message as the customer',
	description:
		'Send a message to the representative or the AI agent on behalf of the customer, in a conversation whose ID you know',
	effect: 'send',
	fields: [conversationIdField, ...bodyFields, optionsField(bodyOptions)],
	plan: (parameters, { channelId }) =>
		activityPlan(channelId, readConversationId(parameters), readMessageBody(parameters)),
};
