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

/**
 * Makes the field for a record that has a name and a GUID, from a list that is searched by name or by its ID.
 * @param searchListMethod which fills the list.
 * @param placeholder a GUID.
 */
export function recordLocator(
	field: Pick<INodeProperties, 'displayName' | 'name' | 'description' | 'required'>,
	searchListMethod: string,
	placeholder: string,
): INodeProperties {
	return {
		...field,
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				typeOptions: { searchListMethod, searchable: true },
			},
			{ displayName: 'By ID', name: 'id', type: 'string', placeholder },
		],
	};
}

/** These change the path of a URL. */
const NOT_IDS = new Set(['', '.', '..']);

/**
 * Reads an ID as it is written in a URL, percent-encoded as a whole or in part. What does not decode to an ID is taken as
 * it is typed, as it may be one of a form that is not known. Pure.
 * @param isId whether a text has the form of an ID, in which there is no percent sign.
 */
export function decodedId(text: string, isId: (id: string) => boolean): string {
	try {
		const decoded = decodeURIComponent(text);
		return isId(decoded) ? decoded : text;
	} catch {
		return text;
	}
}

/**
 * Reads the ID of a conversation, also as it is written in a URL: see {@link decodedId}.
 * @param isId whether a text has the form of such an ID.
 * @param fix says where to get an ID. Whole sentences.
 * @throws InputError where it is empty, or would change the path of the URL.
 */
export function readConversationLocator(
	parameters: ParameterReader,
	isId: (id: string) => boolean,
	fix: string,
): string {
	const id = decodedId(parameters.locator('conversationId', 'Conversation'), isId);
	if (NOT_IDS.has(id)) {
		throw new InputError(id === '' ? 'Conversation is empty' : 'Conversation is not an ID', fix);
	}
	return id;
}

/** Makes the ordering key of a conversation, so that its messages are sent in the order of the items. */
export function conversationOrderingKey(conversationId: string): string {
	return `conversation ${conversationId.toLowerCase()}`;
}
