import type { IDataObject } from 'n8n-workflow';
import { nonEmptyText, readKey, textOf, type Json } from '../../../shared/json';
import type { ReadRequest } from '../../../shared/transport/request';
import { limitFields, readLimit } from '../../../shared/action/fields/limit';
import { listRequest, readRequest, templatesPath } from '../../api/request';
import { readChannelId } from '../fields';
import type { Operation } from '../operation';

/** The list of a channel's templates. */
export function templatesRequest(channelId: string): ReadRequest {
	return readRequest(templatesPath(channelId));
}

/** A template as an item; `content` is WhatsApp's own description of it. */
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
		{
			displayName: 'Channel ID',
			name: 'channelId',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f',
			description: 'The channel (WhatsApp account), as the Azure portal shows it under Channels',
		},
		...limitFields,
	],
	plan: (parameters) => ({
		kind: 'list',
		list: listRequest(
			templatesRequest(readChannelId(parameters.text('channelId', 'Channel ID'), 'Channel ID')),
			readLimit(parameters),
		),
		toItem: templateItem,
	}),
};
