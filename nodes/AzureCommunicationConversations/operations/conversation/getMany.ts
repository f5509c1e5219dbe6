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
			channelIdField('List only the conversations of this channel (WhatsApp account).'),
			stringField(
				'participantId',
				'Participant ID',
				'List only the conversations that this participant is in',
			),
		]),
	],
	plan: (parameters, connection) => {
		const options = parameters.collection('options');
		// Without the option, the conversations of all channels are listed.
		const isOfChannel = options.raw('channelId') !== undefined;
		const channelId = options.id('channelId', 'Channel ID') || connection.channelId;
		const participantId = options.id('participantId', 'Participant ID');
		return {
			kind: 'list',
			list: listRequest(
				conversationsRequest({
					...(isOfChannel && channelId && { channelId: readChannelId(channelId, 'Channel ID', connection) }),
					...(participantId !== '' && { participantId }),
				}),
				readLimit(parameters),
			),
			toItem: conversationItem,
		};
	},
};
