import { readChannel, channelRequest } from '../../dataverse/channel';
import type { Operation } from '../types';
import { channelIdField, readChannelId } from './fields';

export const get: Operation = {
	resource: 'channel',
	operation: 'get',
	name: 'Get',
	action: 'Get a channel record',
	description: 'Get the record of a Messaging API channel from Dataverse',
	effect: 'read',
	fields: [channelIdField],
	plan: (parameters, credential) => ({
		kind: 'call',
		request: channelRequest(readChannelId(parameters, credential)),
		toItems: (row) => [{ ...readChannel(row) }],
	}),
};
