import { deleteRequest, TABLES } from '../../dataverse/requests';
import type { Operation } from '../operation';
import { readRequiredChannelId, requiredChannelIdField } from './fields';

export const remove: Operation = {
	operation: 'delete',
	name: 'Delete',
	action: 'Delete a channel record',
	description: 'Delete the record of a Messaging API channel. It then accepts no more conversations.',
	effect: 'configure',
	fields: [requiredChannelIdField],
	plan: (parameters) => {
		const channelId = readRequiredChannelId(parameters);
		const howToVerify = 'Check whether it is gone (Channel: Get) before you delete it again.';
		return {
			kind: 'call',
			service: 'dataverse',
			request: deleteRequest(TABLES.channels, channelId, howToVerify),
			toItems: () => [{ channelId, deleted: true }],
		};
	},
};
