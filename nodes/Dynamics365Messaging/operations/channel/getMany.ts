import { limitFields, readLimit } from '../../../shared/action/fields/limit';
import { channelList, readSettings } from '../../dataverse/channel';
import type { Operation } from '../operation';

export const getMany: Operation = {
	operation: 'getMany',
	name: 'Get Many',
	action: 'Get many channel records',
	description: 'List the Messaging API channels of the Dynamics 365 environment',
	effect: 'read',
	fields: limitFields,
	plan: (parameters) => ({
		kind: 'list',
		service: 'dataverse',
		list: channelList(readLimit(parameters)),
		toItem: (row) => ({ ...readSettings(row) }),
	}),
};
