import type { IDataObject } from 'n8n-workflow';
import { nonEmptyText, readKey, textOf, type Json } from '../../../shared/json';
import { limitFields, readLimit } from '../../../shared/action/fields/limit';
import { listRequest, templatesRequest } from '../../api/request';
import { channelIdField, readChannelId } from '../fields';
import type { Operation } from '../operation';

/** Makes the item of a template; its `content` is that of WhatsApp. */
export function templateItem(
	entry: Json,
): IDataObject & { name: string; language: string; status: string | null } {
	return {
		name: textOf(readKey(entry, 'name')) ?? '',
		language: textOf(readKey(entry, 'language')) ?? '',
		status: nonEmptyText(readKey(entry, 'status')),
		kind: nonEmptyText(readKey(entry, 'kind')),
		content: readKey(entry, 'content') ?? null,
	};
}

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many message templates',
	description: 'List the message templates of a channel with their languages, status and content',
	effect: 'read',
	fields: [
		channelIdField('The channel (WhatsApp account), as the Azure portal shows it under Channels', {
			required: true,
		}),
		...limitFields,
	],
	plan: (parameters) => ({
		kind: 'list',
		list: listRequest(
			templatesRequest(readChannelId(parameters.id('channelId', 'Channel ID'), 'Channel ID')),
			readLimit(parameters),
		),
		toItem: templateItem,
	}),
};
