import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { conversationPath, idempotentRequest } from '../../api/request';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

export const remove: Operation = {
	operation: 'delete',
	name: 'Delete',
	action: 'Delete a conversation',
	description: 'Delete a conversation with its messages. Conversation: Terminate only ends it.',
	effect: 'send',
	fields: [conversationIdField],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const howToVerify = 'Check whether it is gone (Conversation: Get) before you delete it again.';
		return {
			kind: 'call',
			request: idempotentRequest('DELETE', conversationPath(conversationId), undefined, howToVerify),
			toItems: () => [{ conversationId, deleted: true }],
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
