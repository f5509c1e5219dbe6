import type { IDataObject } from 'n8n-workflow';
import { readLimit } from '../../../shared/action/fields/limit';
import { isRecord, readKey, type Json } from '../../../shared/json';
import { messageContentOf } from '../../activity/message';
import { messageList } from '../../messagingApi/pages';
import { messageIdOf } from '../../messagingApi/sendActivity';
import { conversationIdField, listFields, readConversationId, readListQuery } from '../fields';
import type { Operation } from '../operation';

function messageItem(conversationId: string, entry: Json): IDataObject {
	const read = (key: string) => readKey(entry, key) ?? null;
	const { text, plainText, attachments, buttons, cards } = messageContentOf(isRecord(entry) ? entry : {});
	return {
		conversationId,
		messageId: messageIdOf(entry),
		type: read('type'),
		text,
		plainText,
		timestamp: read('timestamp'),
		from: read('from'),
		attachments,
		buttons,
		cards,
		channelData: read('channelData'),
	};
}

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
			toItem: (entry) => messageItem(conversationId, entry),
		};
	},
};
