import { limitFields, readLimit } from '../../../shared/action/fields/limit';
import { optionsField } from '../../../shared/action/fields/options';
import { stringField } from '../../../shared/action/fields/text';
import { conversationsRequest, listRequest } from '../../api/request';
import { channelIdField, conversationItem, readChannelId } from '../fields';
import type { Operation } from '../operation';

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many conversations',
	description: 'List the conversations of the resource, or those of a channel or a participant',
	effect: 'read',
	fields: [
		...limitFields,
		optionsField([
			channelIdField('Only conversations of this channel (WhatsApp account)'),
			stringField('participantId', 'Participant ID', 'Only conversations that this participant is in'),
		]),
	],
	plan: (parameters) => {
		const options = parameters.collection('options');
		const channelId = options.id('channelId', 'Channel ID');
		const participantId = options.id('participantId', 'Participant ID');
		return {
			kind: 'list',
			list: listRequest(
				conversationsRequest({
					...(channelId !== '' && { channelId: readChannelId(channelId, 'Channel ID') }),
					...(participantId !== '' && { participantId }),
				}),
				readLimit(parameters),
			),
			toItem: conversationItem,
		};
	},
};
