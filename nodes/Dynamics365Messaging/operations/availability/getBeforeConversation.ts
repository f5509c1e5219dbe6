import type { INodeProperties } from 'n8n-workflow';
import { optionsField } from '../../../shared/action/fields/options';
import type { ParameterReader } from '../../../shared/action/parameters';
import { isGuid, tidyId } from '../../../shared/entra/appCredential';
import { InputError } from '../../../shared/transport/errors';
import { availabilityBeforeRequest } from '../../dataverse/availability';
import { contextVariableFields, readContextVariables, variableTypeField } from '../contextVariables';
import { readJsonObject, workstreamLocator } from '../fields';
import type { Operation } from '../operation';
import { askPlan, CAVEATS, rawOption } from './ask';

const workstreamField = workstreamLocator('The workstream in which the conversation would start', {
	required: true,
});

const engagementContext: INodeProperties = {
	displayName: 'Engagement Context (JSON)',
	name: 'engagementContext',
	type: 'json',
	default: '{}',
	placeholder: 'e.g. { "msdyn_browser": "Edge" }',
	description:
		'JSON object of facts about the visit that routing rules use, such as { "msdyn_browser": "Edge" }',
};

/** @throws InputError where it is empty or no GUID */
function readWorkstreamId(parameters: ParameterReader): string {
	const id = tidyId(parameters.locator(workstreamField.name, workstreamField.displayName));
	if (isGuid(id)) return id;
	throw new InputError(
		id === '' ? 'Workstream is empty' : 'Workstream is not a GUID',
		'Choose it from the list, or give its ID, such as 5d7b1c10-6c2e-4a4e-9a60-0f3b2f6f8a11.',
	);
}

export const getBeforeConversation: Operation = {
	operation: 'getBeforeConversation',
	name: 'Get Before Conversation',
	action: 'Get availability before conversation',
	description: `Before you start a conversation, ask whether somebody is available, the position in the queue, the waiting time, and when the queue opens or closes. ${CAVEATS}`,
	effect: 'read',
	fields: [
		workstreamField,
		...contextVariableFields([variableTypeField]),
		optionsField([engagementContext, rawOption]),
	],
	plan: (parameters) => {
		const { name, displayName } = engagementContext;
		const options = parameters.collection('options');
		const engagement = readJsonObject(options, name, displayName, '{ "msdyn_browser": "Edge" }');
		const request = availabilityBeforeRequest(readWorkstreamId(parameters), {
			variables: readContextVariables(parameters),
			engagement: Object.keys(engagement).length === 0 ? undefined : engagement,
		});
		return askPlan(parameters, 'workstream', request);
	},
};
