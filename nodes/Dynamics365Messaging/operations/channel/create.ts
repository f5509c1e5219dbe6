import { ALL_COLUMNS, insertRequest, TABLES } from '../../dataverse/requests';
import { InputError } from '../../../shared/transport/errors';
import { MESSAGING_API, readSettings } from '../../dataverse/channel';
import { collectionField } from '../fields';
import type { Operation } from '../operation';
import {
	nameField,
	optionalFields,
	ownerFields,
	readNaming,
	readOptional,
	readOwner,
	webhookUrlField,
} from './fields';

const ENTER_ID =
	'Next: enter the channelId of this item as Channel ID in the credential, and add the channel to a workstream (in the admin center, or with the field Workstream of Channel: Update).';
const GOES_ON =
	'The credential still uses its old channel. To use the new one, enter its channelId as Channel ID in the credential.';

export const create: Operation = {
	operation: 'create',
	name: 'Create',
	action: 'Create a channel record',
	description:
		'Create a Messaging API channel in Dataverse. Replaces the script that administrators would paste into the browser.',
	effect: 'configure',
	fields: [
		{ ...nameField, required: true },
		webhookUrlField,
		...ownerFields,
		collectionField('additionalFields', 'Additional Fields', optionalFields),
	],
	plan: (parameters, credential) => {
		const { appId, tenantId } = readOwner(parameters, credential);
		const row = {
			...readNaming(parameters, credential),
			...readOptional(parameters.collection('additionalFields')),
			msdyn_occustomchannelid: MESSAGING_API,
			msdyn_appid: appId,
			msdyn_tenantid: tenantId,
		};
		if (!('msdyn_name' in row)) throw new InputError('Name is empty', 'Give the channel a name.');
		const howToVerify = 'Check whether it is there (Channel: Get Many) before you create it again.';
		return {
			kind: 'call',
			service: 'dataverse',
			request: insertRequest(TABLES.channels, row, ALL_COLUMNS, howToVerify),
			toItems: (answer) => [{ ...readSettings(answer, 'uncertain') }],
			hint: credential.channelId === '' ? ENTER_ID : GOES_ON,
		};
	},
};
