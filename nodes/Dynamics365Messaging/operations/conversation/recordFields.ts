import type { INodeProperties } from 'n8n-workflow';
import { conversationLocator } from '../../../shared/action/fields/locator';
import type { ParameterReader } from '../../../shared/action/parameters';
import { isGuid, tidyId } from '../../../shared/entra/appCredential';
import { InputError } from '../../../shared/transport/errors';
import { readConversationId } from '../fields';

/** The conversation, closed or active, whose record or transcript is read. */
export const recordedConversationField: INodeProperties = conversationLocator(
	'The conversation, by its ID (a GUID), which the trigger and the other operations give as conversationId. The list has the active ones only; a closed one is named by its ID.',
	'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
);

/**
 * Reads the ID of a conversation's record, in lower case. In Dataverse it becomes part of paths and filters.
 * @throws InputError where it is empty, or is no GUID.
 */
export function readRecordId(parameters: ParameterReader): string {
	const id = tidyId(readConversationId(parameters));
	if (isGuid(id)) return id;
	throw new InputError(
		'Conversation is not a GUID',
		'Use the conversationId from the trigger, such as 9f6c021d-1234-4abc-8df7-123456789abc.',
	);
}
