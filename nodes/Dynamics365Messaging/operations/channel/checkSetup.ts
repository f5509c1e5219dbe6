import { brokenAtCredential, checkSetup as check } from '../../setup/check';
import { rememberedSubject } from '../../setup/memory';
import { optionsField } from '../../../shared/action/fields/options';
import { stringField } from '../../../shared/action/fields/text';
import { LOOK_TIMEOUT_MS } from '../../../shared/transport/throttle';
import type { Operation } from '../operation';
import { channelIdField, readChannelId } from './fields';

export const checkSetup: Operation = {
	operation: 'checkSetup',
	name: 'Check Setup',
	action: 'Check the setup of a channel',
	description:
		'Walk the whole chain from token to webhook and say of each link whether it is in order, and how to mend it. Changes nothing.',
	effect: 'read',
	maxTryMs: LOOK_TIMEOUT_MS,
	fields: [
		channelIdField,
		optionsField([
			stringField(
				'federatedSubject',
				'Federated Subject',
				'The subject that was entered in Entra. Left empty, it is the one that Link Managed Identity gave last in a production run of this workflow; n8n does not remember runs by hand.',
			),
		]),
	],
	brokenCredential: (error) => brokenAtCredential(error).map((item) => ({ ...item })),
	plan: (parameters, credential) => {
		const channelId = readChannelId(parameters, credential);
		const given = parameters.collection('options').name('federatedSubject', 'Federated Subject');
		return {
			kind: 'steps',
			run: async ({ client, connection, n8n }) => {
				const checked = { ...connection, channelId };
				const results = await check({
					connection: checked,
					client: (service) => client(service, checked),
					linked: given === '' ? rememberedSubject(n8n.memory, channelId) : given,
					instanceId: n8n.instanceId,
				});
				return { items: results.map((result) => ({ json: { ...result } })) };
			},
		};
	},
};
