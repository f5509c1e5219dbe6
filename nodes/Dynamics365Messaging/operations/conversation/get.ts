import { conversationRequest, conversationUrl, readConversation } from '../../dataverse/conversation';
import { readRecordId } from '../fields';
import type { Operation } from '../operation';
import { recordedConversationField } from './recordFields';

export const get: Operation = {
	operation: 'get',
	name: 'Get',
	action: 'Get a conversation record',
	description:
		'Get the Dataverse record of a conversation, active or closed: status, times, customer, representative, queue, linked case, sentiment and a link to it. Without its messages.',
	effect: 'read',
	fields: [recordedConversationField],
	plan: (parameters, { environmentUrl }) => {
		const conversationId = readRecordId(parameters);
		return {
			kind: 'call',
			service: 'dataverse',
			request: conversationRequest(conversationId),
			toItems: (row) => [
				{
					...readConversation(row),
					url: environmentUrl === undefined ? null : conversationUrl(environmentUrl, conversationId),
				},
			],
		};
	},
};
