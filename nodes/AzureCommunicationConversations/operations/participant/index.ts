import type { Resource } from '../operation';
import { add } from './add';
import { remove } from './remove';

export const participant: Resource = {
	name: 'Participant',
	value: 'participant',
	firstOperation: 'add',
	operations: [add, remove],
};
