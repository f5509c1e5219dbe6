import { limitFields, readLimit } from '../../../shared/action/fields/limit';
import { listRequest, templatesRequest } from '../../api/request';
import { channelIdField, readChannelId } from '../fields';
import type { Operation } from '../operation';
import { templateItem } from '../templateItem';

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many message templates',
	description: 'List the message templates of a channel with their languages, status and content',
	effect: 'read',
	fields: [channelIdField('The channel (WhatsApp account) whose templates are listed.'), ...limitFields],
	plan: (parameters, connection) => ({
		kind: 'list',
		list: listRequest(
			templatesRequest(readChannelId(parameters.id('channelId', 'Channel ID'), 'Channel ID', connection)),
			readLimit(parameters),
		),
		toItem: templateItem,
	}),
};
