import { rememberSubject } from '../../setup/memory';
import { linkManagedIdentity as link } from '../../dataverse/managedIdentity';
import type { Operation } from '../operation';
import { channelIdField, ownerFields, readChannelId, readOwner } from './fields';

export const linkManagedIdentity: Operation = {
	operation: 'linkManagedIdentity',
	name: 'Link Managed Identity',
	action: 'Link channel with managed identity',
	description:
		'Bind a managed identity to the channel, so that Dynamics 365 signs its calls to the trigger. Gives the issuer, subject and audience to enter in Entra. Repeat it after each change of the webhook URL.',
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
				return { items: [{ json: { ...linked } }], hint: linked.nextStep };
			},
		};
	},
};
