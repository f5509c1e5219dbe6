import type { INodeProperties } from 'n8n-workflow';
import { conversationLocator } from '../../../shared/action/fields/locator';

/** The conversation, closed or active, whose record or transcript is read. */
export const recordedConversationField: INodeProperties = conversationLocator(
	'The conversation. Give its ID: conversationId in the output of the trigger and the other operations. The list shows active conversations only.',
	'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
);
