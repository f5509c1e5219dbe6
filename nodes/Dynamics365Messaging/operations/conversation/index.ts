import type { Resource } from '../operation';
import { create } from './create';
import { end } from './end';
import { getContext } from './getContext';
import { getMany } from './getMany';
import { sendOrStart } from './sendOrStart';

export const conversation: Resource = {
	name: 'Conversation',
	value: 'conversation',
	firstOperation: 'create',
	operations: [create, end, getContext, getMany, sendOrStart],
};
