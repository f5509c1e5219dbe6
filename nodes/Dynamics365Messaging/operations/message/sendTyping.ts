import { activityRequest, sentItem } from '../activity';
import {
	conversationIdField,
	limitHint,
	readConversationId,
	readText,
	SENDER_NAME,
	unlessEmpty,
} from '../fields';
import type { Operation } from '../types';

export const sendTyping: Operation = {
	resource: 'message',
	operation: 'sendTyping',
	name: 'Send Typing',
	action: 'Send a typing indicator',
	description: 'Show the representative that the customer is typing',
	fields: [
		conversationIdField,
		{
			displayName: SENDER_NAME.label,
			name: SENDER_NAME.name,
			type: 'string',
			default: '',
			placeholder: 'e.g. Nathan Smith',
			description: `Name of the person who types. ${limitHint(SENDER_NAME)}.`,
		},
	],
	plan: (parameters, channelId) => {
		const conversationId = readConversationId(parameters);
		return {
			kind: 'call',
			request: activityRequest(channelId, conversationId, {
				type: 'typing',
				from: unlessEmpty({ name: readText(parameters, SENDER_NAME) }),
			}),
			toItems: sentItem(conversationId),
		};
	},
};
