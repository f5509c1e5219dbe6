import { readLimit } from '../../../shared/action/fields/limit';
import { readListedMessage } from '../../activity/listedMessage';
import { messageList } from '../../messagingApi/pages';
import { conversationIdField, listFields, readConversationId, readListQuery } from '../fields';
import type { Operation } from '../operation';

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many messages of a conversation',
	description:
		'List the messages of an active conversation with sender, time and message ID; custom events are not among them. Of a closed one use Conversation: Get Transcript. Not for polling: the trigger tells what is new.',
	effect: 'read',
	fields: [conversationIdField, ...listFields],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		return {
			kind: 'list',
			list: messageList(conversationId, readLimit(parameters), readListQuery(parameters)),
			toItem: (entry) => ({ ...readListedMessage(entry, conversationId) }),
		};
	},
};
