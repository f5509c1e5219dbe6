import {
	NodeConnectionTypes,
	NodeOperationError,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';
import { testConnection } from './methods/credentialTest';
import { searchConversations } from './methods/listSearch';
import { runItems } from './operations/execute';
import { findOperation, properties } from './operations/registry';

export class Dynamics365Messaging implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dynamics 365 Messaging',
		name: 'dynamics365Messaging',
		icon: { light: 'file:dynamics365Messaging.svg', dark: 'file:dynamics365Messaging.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: '={{ $parameter["resource"] + ": " + $parameter["operation"] }}',
		description:
			'Talk to representatives and AI agents of Dynamics 365 Contact Center through your own channel',
		defaults: { name: 'Dynamics 365 Messaging' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{ name: 'dynamics365MessagingApi', required: true, testedBy: 'dynamics365MessagingApiTest' },
		],
		properties,
	};

	methods = {
		credentialTest: { dynamics365MessagingApiTest: testConnection },
		listSearch: { searchConversations },
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const resource = this.getNodeParameter('resource', 0);
		const name = this.getNodeParameter('operation', 0);
		const operation = findOperation(resource, name);
		if (!operation) {
			throw new NodeOperationError(this.getNode(), `There is no operation ${name} for ${resource}`, {
				description: 'Choose Resource and Operation again: the node may be from another version.',
			});
		}
		return [await runItems(this, operation)];
	}
}
