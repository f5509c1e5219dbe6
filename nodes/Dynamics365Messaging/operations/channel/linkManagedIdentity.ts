import { rememberSubject } from '../../setup/memory';
import { linkManagedIdentity as link } from '../../dataverse/managedIdentity';
import type { Operation } from '../operation';
import { channelIdField, ownerFields, readChannelId, readOwner } from './fields';

export const linkManagedIdentity: Operation = {
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
			run: async ({ client, connection, n8n }) => {
				const linked = await link(client('dataverse'), connection, { channelId, ...owner });
				rememberSubject(n8n.memory, channelId, linked.subject);
				return { items: [{ json: { ...linked } }] };
			},
		};
	},
};
