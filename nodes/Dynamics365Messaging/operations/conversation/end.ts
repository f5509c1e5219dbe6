import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { activityRequest, sentItem } from '../../messagingApi/sendActivity';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

export const end: Operation = {
	operation: 'end',
	name: 'End',
	action: 'End a conversation',
	description:
		'Close a conversation on behalf of the customer. Nothing can be sent into it any more; a new one has to be created.',
	effect: 'send',
	fields: [conversationIdField],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		return {
			kind: 'call',
			request: activityRequest(channelId, conversationId, { type: 'endOfConversation' }),
			toItems: sentItem(conversationId),
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
