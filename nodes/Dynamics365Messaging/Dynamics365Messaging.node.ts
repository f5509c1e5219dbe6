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
		usableAsTool: true,
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
