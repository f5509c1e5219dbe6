import type { RemoveParticipantsRequest } from '../../../../emulator/communication/contract';
import { InputError } from '../../../shared/transport/errors';
import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { stringField } from '../../../shared/action/fields/text';
import { conversationPath, idempotentRequest } from '../../api/request';
import { conversationIdField, readConversationId, readIds } from '../fields';
import type { Operation } from '../operation';
import { checkParticipants } from './invalid';

export const remove: Operation = {
	operation: 'remove',
	name: 'Remove',
	action: 'Remove participants from a conversation',
	description: 'Remove participants from a conversation',
	effect: 'send',
	fields: [
		conversationIdField,
		stringField(
			'participantIds',
			'Participant IDs',
			'IDs of the participants, separated by commas. Conversation: Get shows them as id. They are not phone numbers.',
			{ required: true, placeholder: 'e.g. 8:acs:5b1f…_0000…' },
		),
	],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const participantIds = readIds(parameters, 'participantIds', 'Participant IDs');
		if (participantIds.length === 0) {
			throw new InputError('Participant IDs is empty', 'Conversation: Get gives the participants’ IDs.');
		}
		const path = conversationPath(conversationId, '/participants:remove');
		const howToVerify = 'Check the participants (Conversation: Get) before you remove them again.';
		return {
			kind: 'call',
			request: idempotentRequest<RemoveParticipantsRequest>('POST', path, { participantIds }, howToVerify),
			toItems: (answer) => {
				checkParticipants(
					answer,
					participantIds.length,
					'removed',
					'Give the participant’s own ID (8:acs:…), not the phone number. Conversation: Get shows it as id.',
				);
				return [{ conversationId, removed: participantIds.length }];
			},
			orderingKey: conversationOrderingKey(conversationId),
		};
	},
};
