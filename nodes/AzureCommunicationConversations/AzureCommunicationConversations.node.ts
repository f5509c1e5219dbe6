import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';
import { testConnection } from './methods/credentialTest';
import { searchConversations, searchTemplates } from './methods/listSearch';
import { getPlaceholders } from './methods/resourceMapping';
import { actionNode } from './operations';
import { retirementNotice } from './api/retirement';

export class AzureCommunicationConversations implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Azure Communication Conversations',
		name: 'azureCommunicationConversations',
		icon: {
			light: 'file:azureCommunicationConversations.svg',
			dark: 'file:azureCommunicationConversations.dark.svg',
		},
		group: ['output'],
		version: 1,
		subtitle: '={{ $parameter["resource"] + ": " + $parameter["operation"] }}',
		description:
			'Send messages and WhatsApp templates with Azure Communication Services. For existing customers only: Microsoft ends the service on 30 September 2028.',
		defaults: { name: 'Azure Communication Conversations' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{
				name: 'azureCommunicationServicesApi',
				required: true,
				testedBy: 'azureCommunicationServicesApiTest',
			},
		],
		properties: [retirementNotice('retirementNotice'), ...actionNode.properties],
	};

	methods = {
		credentialTest: { azureCommunicationServicesApiTest: testConnection },
		listSearch: { searchConversations, searchTemplates },
		resourceMapping: { getPlaceholders },
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await actionNode.execute(this);
	}
}
