import type { IDataObject } from 'n8n-workflow';
import { brokenAtCredential, checkSetup as check, type NamedResult } from '../../setup/check';
import { rememberedSubject } from '../../setup/memory';
import { reportOf } from '../../setup/report';
import { optionsField } from '../../../shared/action/fields/options';
import { stringField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { LOOK_TIMEOUT_MS } from '../../../shared/transport/throttle';
import type { Operation } from '../operation';
import { booleanField } from '../fields';
import { channelIdField, readChannelId } from './fields';

const INCLUDE_SKIPPED = { name: 'includeSkipped', label: 'Include Skipped Checks' };

/** The items of the results, after the option Include Skipped Checks. */
function itemsOf(results: NamedResult[], options: ParameterReader): IDataObject[] {
	const includeSkipped = options.flag(INCLUDE_SKIPPED.name, INCLUDE_SKIPPED.label);
	return reportOf(results, includeSkipped).map((row) => ({ ...row }));
}

export const checkSetup: Operation = {
	operation: 'checkSetup',
	name: 'Check Setup',
	action: 'Check the setup of a channel',
	description:
		'Check the whole setup, from the token to the webhook, and say what is wrong and how to fix it. Changes nothing.',
	effect: 'read',
	maxTryMs: LOOK_TIMEOUT_MS,
	fields: [
		channelIdField,
		optionsField([
			stringField(
				'federatedSubject',
				'Federated Subject',
				'The subject that you entered in Entra. Leave it empty to use the one that Link Managed Identity gave last in a production run of this workflow. n8n does not remember manual runs.',
			),
			booleanField(
				INCLUDE_SKIPPED.name,
				INCLUDE_SKIPPED.label,
				'Whether to also list the checks that could not be made, such as those behind one that failed',
			),
		]),
	],
	brokenCredential: (error, parameters) =>
		itemsOf(brokenAtCredential(error), parameters.collection('options')),
	plan: (parameters, credential) => {
		const channelId = readChannelId(parameters, credential);
		const options = parameters.collection('options');
		const given = options.name('federatedSubject', 'Federated Subject');
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
				return { items: itemsOf(results, options).map((json) => ({ json })) };
			},
		};
	},
};
