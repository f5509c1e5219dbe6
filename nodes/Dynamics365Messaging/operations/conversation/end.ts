import { activityPlan } from '../activityPlan';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

export const end: Operation = {
	operation: 'end',
	name: 'End',
	action: 'End a conversation',
	description:
		'Close a conversation on behalf of the customer. It cannot be reopened: start a new one to say more.',
	effect: 'send',
	fields: [conversationIdField],
	plan: (parameters, { channelId }) =>
		activityPlan(channelId, readConversationId(parameters), { type: 'endOfConversation' }),
};
