import { byName } from '../../../shared/action/fields/options';
import { ALL_COLUMNS, TABLES, updateRequest } from '../../dataverse/requests';
import { InputError } from '../../../shared/transport/errors';
import { readSettings, settingsRequest } from '../../dataverse/channel';
import { collectionField } from '../fields';
import type { Operation } from '../operation';
import {
	changeableFields,
	readCleared,
	readNaming,
	readOptional,
	readRequiredChannelId,
	requiredChannelIdField,
} from './fields';

export const update: Operation = {
	operation: 'update',
	name: 'Update',
	action: 'Update a channel record',
	description:
		'Change the record of a Messaging API channel. After a change of the webhook URL, renew the federated credential in Entra.',
	effect: 'configure',
	fields: [
		requiredChannelIdField,
		collectionField('updateFields', 'Update Fields', byName(changeableFields)),
	],
	plan: (parameters, credential) => {
		const channelId = readRequiredChannelId(parameters);
		const fields = parameters.collection('updateFields');
		const changes = { ...readNaming(fields, credential), ...readOptional(fields), ...readCleared(fields) };
		if (Object.keys(changes).length === 0) {
			throw new InputError('There is nothing to update', 'Add at least one field under Update Fields.');
		}
		return {
			kind: 'call',
			service: 'dataverse',
			request: updateRequest(TABLES.channels, channelId, changes, ALL_COLUMNS),
			// Dataverse may answer 204 in spite of `return=representation`.
			whenEmpty: settingsRequest(channelId),
			toItems: (answer) => [{ ...readSettings(answer, 'uncertain') }],
		};
	},
};
