import { limitFields, readLimit } from '../../../shared/action/fields/limit';
import { optionsField } from '../../../shared/action/fields/options';
import type { ReadRequest } from '../../../shared/transport/request';
import { conversationsPath, listRequest, readRequest } from '../../api/request';
import { conversationItem, readChannelId } from '../fields';
import type { Operation } from '../operation';

/** The list of the resource's conversations. */
export function conversationsRequest(query: Record<string, string> = {}): ReadRequest {
	return readRequest(conversationsPath(), query);
}

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many conversations',
	description: 'List the conversations of the resource, or those of a channel or a participant',
	effect: 'read',
	fields: [
		...limitFields,
		optionsField([
			{
				displayName: 'Channel ID',
				name: 'channelId',
				type: 'string',
				default: '',
				placeholder: 'e.g. 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f',
				description: 'Only conversations of this channel (WhatsApp account)',
			},
			{
				displayName: 'Participant ID',
				name: 'participantId',
				type: 'string',
				default: '',
				description: 'Only conversations that this participant is in',
			},
		]),
	],
	plan: (parameters) => {
		const options = parameters.collection('options');
		const channelId = options.text('channelId', 'Channel ID').trim();
		const participantId = options.text('participantId', 'Participant ID').trim();
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
