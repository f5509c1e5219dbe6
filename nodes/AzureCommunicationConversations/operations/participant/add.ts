import type { AddParticipantsRequest } from '../../../../emulator/communication/contract';
import { InputError } from '../../../shared/transport/errors';
import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { conversationPath, idempotentRequest } from '../../api/request';
import { conversationIdField, participantsField, readConversationId, readParticipants } from '../fields';
import type { Operation } from '../operation';
import { checkParticipants } from './invalid';

export const add: Operation = {
	operation: 'add',
	name: 'Add',
	action: 'Add participants to a conversation',
	description: 'Add customers or your own people to a conversation',
	effect: 'send',
	fields: [conversationIdField, { ...participantsField, required: true }],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const participants = readParticipants(parameters);
		if (participants.length === 0) throw new InputError('There are no Participants', 'Add at least one.');
		const path = conversationPath(conversationId, '/participants:add');
		const howToVerify = 'Check the participants (Conversation: Get) before you add them again.';
		return {
			kind: 'call',
			request: idempotentRequest<AddParticipantsRequest>('POST', path, { participants }, howToVerify),
			toItems: (answer) => {
				checkParticipants(
					answer,
					participants.length,
					'added',
					'Check their IDs: a WhatsApp number has its country code, a communication user begins with 8:acs:.',
				);
				return [{ conversationId, added: participants.length }];
			},
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
