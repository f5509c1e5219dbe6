import type { Resource } from '../operation';
import { create } from './create';
import { remove } from './delete';
import { get } from './get';
import { getMany } from './getMany';
import { terminate } from './terminate';

export const conversation: Resource = {
	name: 'Conversation',
	value: 'conversation',
	firstOperation: 'create',
	operations: [create, remove, get, getMany, terminate],
};
