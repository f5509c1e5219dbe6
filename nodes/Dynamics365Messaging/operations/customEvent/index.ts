import type { Resource } from '../operation';
import { send } from './send';

export const customEvent: Resource = {
	name: 'Custom Event',
	value: 'customEvent',
	firstOperation: 'send',
	operations: [send],
};
