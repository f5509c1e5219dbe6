import { conversationLane } from '../../../shared/operations/fields';
import { conversationPath, recognisedRequest } from '../../api/request';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../types';

export const remove: Operation = {
	resource: 'conversation',
	operation: 'delete',
	name: 'Delete',
	action: 'Delete a conversation',
	description: 'Delete a conversation with its messages. Conversation: Terminate only ends it.',
	effect: 'send',
	fields: [conversationIdField],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const howToLook = 'Look whether it is gone (Conversation: Get) before you delete it again.';
		return {
			kind: 'call',
			request: recognisedRequest('DELETE', conversationPath(conversationId), undefined, howToLook),
			toItems: () => [{ conversationId, deleted: true }],
			lane: conversationLane(conversationId),
		};
	},
};
