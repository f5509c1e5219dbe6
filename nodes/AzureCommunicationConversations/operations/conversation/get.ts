import { conversationPath, readRequest } from '../../api/request';
import { conversationIdField, conversationItem, readConversationId } from '../fields';
import type { Operation } from '../operation';

export const get: Operation = {
	operation: 'get',
	name: 'Get',
	action: 'Get a conversation',
	description: 'Get a conversation with its topic and participants',
	effect: 'read',
	fields: [conversationIdField],
	plan: (parameters) => ({
		kind: 'call',
		request: readRequest(conversationPath(readConversationId(parameters))),
		toItems: (answer) => [conversationItem(answer)],
	}),
};
