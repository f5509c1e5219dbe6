import { sentItem } from '../../messagingApi/sendActivity';
import { conversationOrderingKey, optionsField } from '../../../shared/action/fields';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../types';
import { contentFields, contentOptions, readContent } from './messageBody';

export const send: Operation = {
	resource: 'message',
	operation: 'send',
	name: 'Send',
	action: 'Send a message as the customer',
	description:
		'Say something to the representative or the AI agent, on behalf of the customer, in a conversation whose ID is known',
	effect: 'send',
	fields: [conversationIdField, ...contentFields, optionsField(contentOptions)],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		const { request, files } = readContent(parameters);
		return {
			kind: 'call',
			request: request(channelId, conversationId),
			toItems: sentItem(conversationId),
			orderingKey: conversationOrderingKey(conversationId),
			files,
		};
	},
};
