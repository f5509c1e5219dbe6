import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../transport/errors';
import type { ParameterReader } from '../parameters';

/**
 * The field of a conversation: by its ID, or from a list of them.
 * @param placeholder an ID as the service gives it.
 */
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

/** What would lead to another path than the conversation's. */
const NO_IDS = new Set(['', '.', '..']);

/**
 * Reads the ID of a conversation.
 * @param fix where to get one. A whole sentence.
 * @param isReserved whether a text means something else than a conversation in the path.
 * @throws InputError where it is empty, or would change the path of the URL that it is put into.
 */
export function readConversationId(
	parameters: ParameterReader,
	fix: string,
	isReserved: (id: string) => boolean = () => false,
): string {
	const id = parameters.locator('conversationId', 'Conversation').trim();
	if (NO_IDS.has(id) || isReserved(id) || !id.isWellFormed()) {
		throw new InputError(id === '' ? 'Conversation is empty' : 'Conversation is not an ID', fix);
	}
	return id;
}

/** The key that keeps what goes into one conversation in order. */
export function conversationOrderingKey(conversationId: string): string {
	return `conversation ${conversationId.toLowerCase()}`;
}
