import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../transport/errors';
import type { ParameterReader } from '../parameters';

/** Makes the field for a conversation, by its ID or from a list. @param placeholder an ID of the service. */
export function conversationLocator(description: string, placeholder: string): INodeProperties {
	return {
		displayName: 'Conversation',
		name: 'conversationId',
		type: 'resourceLocator',
		default: { mode: 'id', value: '' },
		required: true,
		description,
		modes: [
			{ displayName: 'By ID', name: 'id', type: 'string', placeholder },
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				typeOptions: { searchListMethod: 'searchConversations', searchable: true },
			},
		],
	};
}

/** These change the path of a URL. */
const NOT_IDS = new Set(['', '.', '..']);

/**
 * Reads the ID of a conversation.
 * @param fix says where to get an ID. Whole sentences.
 * @param isReserved whether a text has another meaning in the path than that of an ID.
 * @throws InputError where it is empty, or would change the path of the URL.
 */
export function readConversationLocator(
	parameters: ParameterReader,
	fix: string,
	isReserved: (id: string) => boolean = () => false,
): string {
	const id = parameters.locator('conversationId', 'Conversation');
	if (NOT_IDS.has(id) || isReserved(id)) {
		throw new InputError(id === '' ? 'Conversation is empty' : 'Conversation is not an ID', fix);
	}
	return id;
}

/** Makes the ordering key of a conversation, so that its messages are sent in the order of the items. */
export function conversationOrderingKey(conversationId: string): string {
	return `conversation ${conversationId.toLowerCase()}`;
}
