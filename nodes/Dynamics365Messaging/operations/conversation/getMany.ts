import type { IDataObject } from 'n8n-workflow';
import { readKey, textOf } from '../../../shared/json';
import type { PagedRequest } from '../../messagingApi/pages';
import { readLimit } from '../../../shared/action/fields';
import { listFields, readListQuery } from '../fields';
import type { Operation } from '../types';

/** 1 to 250. Source: docs/service-facts.md#list-conversations. */
const MAX_PAGE_SIZE = 250;

/** The list of the channel's active conversations. */
export function conversationList(
	limit: number | undefined,
	query: Record<string, string> = {},
): PagedRequest {
	return {
		request: { method: 'GET', path: '/conversations', query },
		entriesKey: 'conversations',
		limit,
		maxPageSize: MAX_PAGE_SIZE,
	};
}

/** An entry of that list as an item. */
export function conversationItem(
	entry: unknown,
): IDataObject & { conversationId: string; timestamp: string | null } {
	return {
		conversationId: textOf(readKey(entry, 'conversationId')) ?? '',
		timestamp: textOf(readKey(entry, 'timestamp')),
	};
}

export const getMany: Operation = {
	resource: 'conversation',
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many active conversations',
	description:
		'List the IDs and times of the channel’s active conversations; closed ones are not among them. Not for polling: the trigger tells what is new.',
	effect: 'read',
	fields: listFields,
	plan: (parameters) => ({
		kind: 'list',
		list: conversationList(readLimit(parameters), readListQuery(parameters)),
		toItem: conversationItem,
	}),
};
