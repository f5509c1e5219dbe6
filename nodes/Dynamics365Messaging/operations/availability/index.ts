import type { Resource } from '../operation';
import { getBeforeConversation } from './getBeforeConversation';
import { getForConversation } from './getForConversation';

export const availability: Resource = {
	name: 'Availability',
	value: 'availability',
	firstOperation: 'getForConversation',
	operations: [getBeforeConversation, getForConversation],
};
