import { activityRequest, sentItem } from '../activity';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../types';

export const end: Operation = {
	resource: 'conversation',
	operation: 'end',
	name: 'End',
	action: 'End a conversation',
	description: 'Close a conversation on behalf of the customer',
	fields: [conversationIdField],
	plan: (parameters, channelId) => {
		const conversationId = readConversationId(parameters);
		return {
			kind: 'call',
			request: activityRequest(channelId, conversationId, { type: 'endOfConversation' }),
			toItems: sentItem(conversationId),
		};
	},
};
