import { readChannel, channelsRequest } from '../../dataverse/channel';
import { limitFields, readLimit } from '../../../shared/action/fields';
import type { Operation } from '../types';
import { PAGE_SIZE } from './fields';

export const getMany: Operation = {
	resource: 'channel',
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many channel records',
	description: 'List the Messaging API channels of the Dynamics 365 environment',
	effect: 'read',
	fields: limitFields,
	plan: (parameters) => {
		const limit = readLimit(parameters);
		return {
			kind: 'rows',
			request: channelsRequest(Math.min(limit ?? PAGE_SIZE, PAGE_SIZE)),
			limit,
			toItem: (row) => ({ ...readChannel(row) }),
		};
	},
};
