import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { optionsField } from '../../../shared/action/fields/options';
import { sentItem } from '../../messagingApi/sendActivity';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';
import { bodyFields, bodyOptions, readMessageBody } from '../messageBody';

export const send: Operation = {
	operation: 'send',
	name: 'Send',
	action: 'Send a message as the customer',
	description:
		'Say something to the representative or the AI agent, on behalf of the customer, in a conversation whose ID is known',
	effect: 'send',
	fields: [conversationIdField, ...bodyFields, optionsField(bodyOptions)],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		return {
			kind: 'call',
			request: readMessageBody(parameters, channelId).request(conversationId),
			toItems: sentItem(conversationId),
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
