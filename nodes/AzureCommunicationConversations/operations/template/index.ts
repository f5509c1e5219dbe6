import type { Resource } from '../operation';
import { getMany } from './getMany';

export const template: Resource = {
	name: 'Template',
	value: 'template',
	firstOperation: 'getMany',
	operations: [getMany],
};
