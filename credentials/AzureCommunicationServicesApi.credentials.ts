import type { ICredentialType, INodeProperties } from 'n8n-workflow';
import { DEFAULT_API_VERSION, DEFAULT_SCOPE } from '../nodes/AzureCommunicationConversations/api/connection';
import { retirementNotice } from '../nodes/AzureCommunicationConversations/api/retirement';
import { appSecretFields, clientField, tenantField } from '../nodes/shared/entra/credentialFields';

const forEntra = { displayOptions: { show: { authentication: ['clientSecret', 'certificate'] } } };

export class AzureCommunicationServicesApi implements ICredentialType {
	name = 'azureCommunicationServicesApi';

	displayName = 'Azure Communication Services API';

	icon = {
		light: 'file:../nodes/AzureCommunicationConversations/azureCommunicationConversations.svg',
		dark: 'file:../nodes/AzureCommunicationConversations/azureCommunicationConversations.dark.svg',
	} as const;

	documentationUrl =
		'https://github.com/n8n-nodes-dynamics365-messaging/n8n-nodes-dynamics365-messaging/blob/main/docs/setup-azure-communication.md';

	properties: INodeProperties[] = [
		retirementNotice('retirementNotice'),
		{
			displayName: 'Authentication',
			name: 'authentication',
			type: 'options',
			options: [
				{ name: 'Access Key', value: 'accessKey' },
				{ name: 'Entra App with Certificate', value: 'certificate' },
				{ name: 'Entra App with Client Secret', value: 'clientSecret' },
				{ name: 'User Access Token', value: 'userToken' },
			],
			default: 'clientSecret',
			description: 'How n8n signs in to the resource. An Entra app can use every operation of the node.',
		},
		{
			displayName: 'Endpoint',
			name: 'endpoint',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://my-resource.communication.azure.com',
			description:
				'Endpoint of the resource (Azure portal, Keys). Leave it empty only if you paste a connection string as the access key.',
		},
		{
			displayName:
				'Microsoft’s documents contradict each other on whether an access key may be used for conversations. If the resource refuses the key, use an Entra app.',
			name: 'accessKeyNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { authentication: ['accessKey'] } },
		},
		{
			displayName: 'Access Key or Connection String',
			name: 'secretAccessKey',
			type: 'string',
			typeOptions: { password: true },
			required: true,
			default: '',
			displayOptions: { show: { authentication: ['accessKey'] } },
			placeholder: 'e.g. endpoint=https://my-resource.communication.azure.com/;accesskey=…',
			description: 'A key of the resource, or its whole connection string (Azure portal, Keys)',
		},
		{
			displayName: 'User Access Token',
			name: 'userToken',
			type: 'string',
			typeOptions: { password: true },
			required: true,
			default: '',
			displayOptions: { show: { authentication: ['userToken'] } },
			description: 'Token of a communication user who is in the conversation. It expires within 24 hours.',
		},
		{ ...tenantField, ...forEntra },
		{ ...clientField('needs a role on the resource (Access control)'), ...forEntra },
		...appSecretFields,
		{
			displayName: 'Channel ID',
			name: 'channelId',
			type: 'string',
			default: '',
			placeholder: 'e.g. 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f',
			description:
				'Your WhatsApp channel (Azure portal: the resource, Channels). The node uses it wherever its own Channel ID is empty.',
		},
		{
			displayName: 'Leave the fields below as they are, unless Microsoft tells you otherwise.',
			name: 'advancedNotice',
			type: 'notice',
			default: '',
		},
		{
			displayName: 'API Version',
			name: 'apiVersion',
			type: 'string',
			default: DEFAULT_API_VERSION,
			placeholder: 'e.g. 2025-09-01-preview',
			description: 'Version of the service’s API',
		},
		{
			displayName: 'Authority Host',
			name: 'authorityHost',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://login.microsoftonline.us',
			...forEntra,
			description: 'Where tokens come from. Change it only for a national cloud.',
		},
		{
			displayName: 'Scope',
			name: 'scope',
			type: 'string',
			default: DEFAULT_SCOPE,
			...forEntra,
			description:
				'Scope of the token, with /.default at its end. Some of Microsoft’s tools write https://communication.azure.com//.default.',
		},
	];
}
