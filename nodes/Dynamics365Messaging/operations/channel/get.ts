import { readSettings, settingsRequest } from '../../dataverse/channel';
import type { Operation } from '../operation';
import { channelIdField, readChannelId } from './fields';

export const get: Operation = {
	operation: 'get',
	name: 'Get',
	action: 'Get a channel record',
	description: 'Get the record of a Messaging API channel from Dataverse',
	effect: 'read',
	fields: [channelIdField],
	plan: (parameters, credential) => ({
		kind: 'call',
		service: 'dataverse',
		request: settingsRequest(readChannelId(parameters, credential)),
		toItems: (row) => [{ ...readSettings(row) }],
	}),
};
