import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';
import { testConnection } from './methods/credentialTest';
import {
	searchChannels,
	searchConversations,
	searchLanguages,
	searchSurveys,
	searchWorkstreams,
} from './methods/listSearch';
import { actionNode } from './operations';

/** What n8n shows of the node as a tool of an AI agent. Source: docs/service-facts.md#n8n-tools. */
const tool = {
	description:
		'Speak for the customer to a representative or an AI agent of Dynamics 365 Contact Center, and read their conversation',
	properties: actionNode.toolProperties,
};

export class Dynamics365Messaging implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dynamics 365 Messaging',
		name: 'dynamics365Messaging',
		icon: { light: 'file:dynamics365Messaging.svg', dark: 'file:dynamics365Messaging.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: '={{ $parameter["resource"] + ": " + $parameter["operation"] }}',
		description:
			'Speak for customers of your own channel to representatives and AI agents of Dynamics 365 Contact Center, and read their conversations',
		defaults: { name: 'Dynamics 365 Messaging' },
		usableAsTool: { replacements: tool },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{ name: 'dynamics365MessagingApi', required: true, testedBy: 'dynamics365MessagingApiTest' },
		],
		properties: actionNode.properties,
	};

	methods = {
		credentialTest: { dynamics365MessagingApiTest: testConnection },
		listSearch: {
			searchChannels,
			searchConversations,
			searchLanguages,
			searchSurveys,
			searchWorkstreams,
		},
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await actionNode.execute(this);
	}
}
