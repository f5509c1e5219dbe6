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
		'List the messages of an active conversation, with who sent each (fromType) and when. An AI agent counts as a representative, as the service does not tell them apart; fromType is empty where it says nothing. For a closed conversation use Conversation: Get Transcript. Do not poll with it: use the trigger for what is new.',
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
