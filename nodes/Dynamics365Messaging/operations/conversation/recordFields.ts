import type { INodeProperties } from 'n8n-workflow';
import { conversationLocator } from '../../../shared/action/fields/locator';

/** The conversation, closed or active, whose record or transcript is read. */
export const recordedConversationField: INodeProperties = conversationLocator(
	'The conversation, by its ID (a GUID), which the trigger and the other operations give as conversationId. The list has the active ones only; a closed one is named by its ID.',
	'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
);
