import type { IDataObject } from 'n8n-workflow';
import { nonEmptyText, readKey, textOf, type Json } from '../../../shared/json';
import { limitFields, readLimit } from '../../../shared/action/fields/limit';
import { optionsField } from '../../../shared/action/fields/options';
import { stringField } from '../../../shared/action/fields/text';
import { conversationPath, listRequest, readRequest } from '../../api/request';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

/** Makes the item of a message. */
function messageItem(conversationId: string, entry: Json): IDataObject {
	const message = readKey(entry, 'message');
	return {
		conversationId,
		messageId: textOf(readKey(entry, 'id')) ?? textOf(readKey(entry, 'messageId')),
		sequenceId: readKey(entry, 'sequenceId') ?? null,
		kind: nonEmptyText(readKey(message, 'kind')),
		text: textOf(readKey(message, 'content')) ?? textOf(readKey(message, 'caption')),
		mediaUri: nonEmptyText(readKey(message, 'mediaUri')),
		senderDisplayName: nonEmptyText(readKey(entry, 'senderDisplayName')),
		senderId: nonEmptyText(readKey(entry, 'senderCommunicationIdentifier')),
		createdOn: nonEmptyText(readKey(entry, 'createdOn')),
		message: message ?? null,
	};
}

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many messages of a conversation',
	description: 'List the messages of a conversation with sender, time and message ID',
	effect: 'read',
	fields: [
		conversationIdField,
		...limitFields,
		optionsField([
			stringField('participantId', 'Participant ID', 'List only the messages of this participant'),
		]),
	],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const participantId = parameters.collection('options').id('participantId', 'Participant ID');
		return {
			kind: 'list',
			list: listRequest(
				readRequest(
					conversationPath(conversationId, '/messages'),
					participantId === '' ? {} : { participantId },
				),
				readLimit(parameters),
			),
			toItem: (entry) => messageItem(conversationId, entry),
		};
	},
};
