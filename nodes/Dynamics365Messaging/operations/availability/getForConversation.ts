import { optionsField } from '../../../shared/action/fields/options';
import { availabilityForRequest } from '../../dataverse/availability';
import { conversationIdField, readRecordId } from '../fields';
import type { Operation } from '../operation';
import { askPlan, CAVEATS, rawOption } from './ask';

export const getForConversation: Operation = {
	operation: 'getForConversation',
	name: 'Get for Conversation',
	action: 'Get availability for conversation',
	description: `Ask whether somebody is there for a conversation that has started, how many wait before it, how long it takes, and when the queue opens or closes. ${CAVEATS}`,
	effect: 'read',
	fields: [conversationIdField, optionsField([rawOption])],
	plan: (parameters) => askPlan(parameters, 'conversation', availabilityForRequest(readRecordId(parameters))),
};
