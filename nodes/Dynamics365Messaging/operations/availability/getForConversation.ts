import { optionsField } from '../../../shared/action/fields/options';
import { isGuid, tidyId } from '../../../shared/entra/appCredential';
import { InputError } from '../../../shared/transport/errors';
import { availabilityForRequest } from '../../dataverse/availability';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';
import { askPlan, CAVEATS, rawOption } from './ask';

export const getForConversation: Operation = {
	operation: 'getForConversation',
	name: 'Get for Conversation',
	action: 'Get availability for conversation',
	description: `Ask whether somebody is there for a conversation that has started, how many wait before it, how long it takes, and when the queue opens or closes. ${CAVEATS}`,
	effect: 'read',
	fields: [conversationIdField, optionsField([rawOption])],
	plan: (parameters) => {
		const conversationId = tidyId(readConversationId(parameters));
		if (!isGuid(conversationId)) {
			throw new InputError(
				'Conversation is not a GUID',
				'Use the conversationId from Conversation: Create or from the trigger, such as 9f6c021d-1234-4abc-8df7-123456789abc.',
			);
		}
		return askPlan(parameters, 'conversation', availabilityForRequest(conversationId));
	},
};
