import { optionsField } from '../../../shared/action/fields/options';
import { availabilityForRequest } from '../../dataverse/availability';
import { conversationIdField, readRecordId } from '../fields';
import type { Operation } from '../operation';
import { askPlan, CAVEATS, rawOption } from './ask';

export const getForConversation: Operation = {
	operation: 'getForConversation',
	name: 'Get for Conversation',
	action: 'Get availability for conversation',
	description: `For a conversation that has started, ask whether somebody is available, its position in the queue, the waiting time, and when the queue opens or closes. ${CAVEATS}`,
	effect: 'read',
	fields: [conversationIdField, optionsField([rawOption])],
	plan: (parameters) => askPlan(parameters, 'conversation', availabilityForRequest(readRecordId(parameters))),
};
