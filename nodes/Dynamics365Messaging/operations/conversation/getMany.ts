import type { IDataObject } from 'n8n-workflow';
import { readLimit } from '../../../shared/action/fields/limit';
import { readKey, textOf } from '../../../shared/json';
import { conversationList } from '../../messagingApi/pages';
import { listFields, readListQuery } from '../fields';
import type { Operation } from '../operation';

/** Makes the item of an entry of the list of conversations; `timestamp` is its start. Pure. */
export function conversationItem(
	entry: unknown,
): IDataObject & { conversationId: string; timestamp: string | null } {
	return {
		conversationId: textOf(readKey(entry, 'conversationId')) ?? '',
		timestamp: textOf(readKey(entry, 'timestamp')),
	};
}

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many active conversations',
	description:
		'List the IDs and times of the channel’s active conversations, without closed ones. Do not poll with it: use the trigger for what is new.',
	effect: 'read',
	fields: listFields,
	plan: (parameters) => ({
		kind: 'list',
		list: conversationList(readLimit(parameters), readListQuery(parameters)),
		toItem: conversationItem,
	}),
};
