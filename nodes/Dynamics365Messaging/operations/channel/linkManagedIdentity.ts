import { rememberSubject } from '../../setup/memory';
import { linkManagedIdentity as link } from '../../dataverse/managedIdentity';
import type { Operation } from '../types';
import { channelIdField, ownerFields, readChannelId, readOwner } from './fields';

export const linkManagedIdentity: Operation = {
	resource: 'channel',
	operation: 'linkManagedIdentity',
	name: 'Link Managed Identity',
	action: 'Link channel with managed identity',
	description:
		'Make Dynamics 365 prove to the trigger who it is: bind a managed identity to the channel and get issuer, subject and audience to enter in Entra. To be repeated after each change of the webhook URL.',
	effect: 'configure',
	fields: [channelIdField, ...ownerFields],
	plan: (parameters, credential) => {
		const channelId = readChannelId(parameters, credential);
		const owner = readOwner(parameters, credential);
		return {
			kind: 'steps',
			run: async (run, { memory }) => {
				const linked = await link(run, { channelId, ...owner });
				rememberSubject(memory, channelId, linked.subject);
				return [{ ...linked }];
			},
		};
	},
};
