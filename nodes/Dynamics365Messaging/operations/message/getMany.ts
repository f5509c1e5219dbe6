import type { IDataObject } from 'n8n-workflow';
import { readKey, type Json } from '../../../shared/json';
import { conversationPath } from '../../messagingApi/request';
import { readLimit } from '../../../shared/action/fields';
import { conversationIdField, listFields, messageIdOf, readConversationId, readListQuery } from '../fields';
import type { Operation } from '../types';

/** 1 to 100. Source: docs/service-facts.md#list-messages. */
const MAX_PAGE_SIZE = 100;

function messageItem(conversationId: string, entry: Json): IDataObject {
	const read = (key: string) => readKey(entry, key) ?? null;
	return {
		conversationId,
		messageId: messageIdOf(entry),
		type: read('type'),
		text: read('text'),
		timestamp: read('timestamp'),
		from: read('from'),
		attachments: read('attachments') ?? [],
		channelData: read('channelData'),
	};
}

export const getMany: Operation = {
	resource: 'message',
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many messages of a conversation',
	description:
		'List the messages of a conversation with sender, time and message ID; custom events are not among them. Not for polling: the trigger tells what is new.',
	effect: 'read',
	fields: [conversationIdField, ...listFields],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		return {
			kind: 'list',
			list: {
				request: {
					method: 'GET',
					path: conversationPath(conversationId, '/messages'),
					query: readListQuery(parameters),
				},
				entriesKey: 'messages',
				limit: readLimit(parameters),
				maxPageSize: MAX_PAGE_SIZE,
			},
			toItem: (entry) => messageItem(conversationId, entry),
		};
	},
};
