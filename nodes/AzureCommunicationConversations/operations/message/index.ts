import type { Resource } from '../operation';
import { getMany } from './getMany';
import { send } from './send';

export const message: Resource = {
	name: 'Message',
	value: 'message',
	firstOperation: 'send',
	operations: [getMany, send],
};
