import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { conversationPath, idempotentRequest } from '../../api/request';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

export const terminate: Operation = {
	operation: 'terminate',
	name: 'Terminate',
	action: 'Terminate a conversation',
	description: 'End a conversation. Its messages stay, and nothing more can be sent.',
	effect: 'send',
	fields: [conversationIdField],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const path = conversationPath(conversationId, ':terminate');
		const howToVerify = 'Check the conversation (Conversation: Get) before you terminate it again.';
		return {
			kind: 'call',
			request: idempotentRequest('POST', path, undefined, howToVerify),
			toItems: () => [{ conversationId, terminated: true }],
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
