import type {
	ICredentialDataDecryptedObject,
	ICredentialType,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';
import { authorizationHeaders } from '../nodes/Dynamics365Messaging/messagingApi/client';
import { CLOUDS, connectionFrom, GEOS } from '../nodes/Dynamics365Messaging/connection';
import { getToken } from '../nodes/shared/entra/token';
import { appSecretFields, clientField, tenantField } from '../nodes/shared/entra/credentialFields';

export class Dynamics365MessagingApi implements ICredentialType {
	name = 'dynamics365MessagingApi';

	displayName = 'Dynamics 365 Messaging API';

	icon = {
		light: 'file:../nodes/Dynamics365Messaging/dynamics365Messaging.svg',
		dark: 'file:../nodes/Dynamics365Messaging/dynamics365Messaging.dark.svg',
	} as const;

	documentationUrl =
		'https://github.com/n8n-nodes-dynamics365-messaging/n8n-nodes-dynamics365-messaging/blob/main/docs/setup.md';

	properties: INodeProperties[] = [
		tenantField,
		clientField('the channel record names too'),
		{
			displayName: 'Authentication',
			name: 'authentication',
			type: 'options',
			options: [
				{ name: 'Client Secret', value: 'clientSecret' },
				{ name: 'Certificate', value: 'certificate' },
			],
			default: 'clientSecret',
			description: 'How the app proves who it is',
		},
		...appSecretFields,
		{
			displayName: 'Organization ID',
			name: 'organizationId',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. 7c2d9f80-4b1e-4f6a-9f3d-0a1b2c3d4e5f',
			description: 'Organization ID of the Dynamics 365 environment, from the Power Platform admin center',
		},
		{
			displayName: 'Cloud',
			name: 'cloud',
			type: 'options',
			options: [
				{ name: `${CLOUDS.china.name}, Not Offered by Microsoft Today`, value: 'china' },
				{ name: CLOUDS.global.name, value: 'global' },
				{ name: `${CLOUDS.usGovernment.name}, Not Offered by Microsoft Today`, value: 'usGovernment' },
			],
			default: 'global',
			description:
				'Microsoft cloud of the tenant, which chooses the token authority and the domains. GCC is Global with the Geo US Government; for DoD, fill in Base URL and Scope.',
		},
		{
			displayName: 'Geo',
			name: 'geo',
			type: 'options',
			options: [
				{ name: 'From the Environment URL', value: '' },
				...GEOS.map(({ geo, name }) => ({ name: `${name} (${geo})`, value: geo })),
			],
			default: '',
			description:
				'Region of the Dynamics 365 environment. Its address tells it: crm4 in https://contoso.crm4.dynamics.com is Europe. Choose it where there is no Environment URL.',
		},
		{
			displayName: 'Channel ID',
			name: 'channelId',
			type: 'string',
			default: '',
			placeholder: 'e.g. 3e8a1c52-90ab-4cde-8f01-23456789abcd',
			description:
				'ID of the Messaging API channel record (msdyn_occustommessagingchannel). Channel: Get Many lists the IDs of the channels that are there.',
		},
		{
			displayName:
				'Without a Channel ID, Test only asks for a token. Next, in a workflow: <b>Channel: Create</b> makes a channel, <b>Channel: Get Many</b> lists those that are there. Enter the channelId that they give here.',
			name: 'channelNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { channelId: [''] } },
		},
		{
			displayName: 'Environment URL',
			name: 'environmentUrl',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://contoso.crm4.dynamics.com',
			description:
				'Address of the Dynamics 365 environment, as the browser shows it. It tells the region, and what reads or writes records needs it, such as the Channel operations and the trigger’s Register Webhook. The app must be an application user there.',
		},
		{
			displayName:
				'Leave Zone, Base URL, Authority Host and Scope empty, unless you use the emulator, a gateway of your own, a DoD environment, or an environment whose zone does not go with its geo.',
			name: 'advancedNotice',
			type: 'notice',
			default: '',
		},
		{
			displayName: 'Zone',
			name: 'zone',
			type: 'string',
			default: '',
			placeholder: 'e.g. crm4',
			description: 'Zone of the environment’s address, if it is not the one that goes with the geo',
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://m-….eu.omnichannelengagementhub.com',
			description: 'Origin of the Messaging API, without a path. The token is sent to it and to no other.',
		},
		{
			displayName: 'Authority Host',
			name: 'authorityHost',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://login.microsoftonline.us',
			description: 'Origin of the token authority. The client secret is sent to it and to no other.',
		},
		{
			displayName: 'Scope',
			name: 'scope',
			type: 'string',
			default: '',
			placeholder: 'e.g. https://…-c.crm4.dynamics.com/.default',
			description: 'Whole scope of the token, with /.default at its end',
		},
	];

	/**
	 * Signs a request of n8n's HTTP Request node with this credential. The package's own nodes do not come by here.
	 * That node gives its options in n8n's older form, with `uri`, so both forms are read, and both are told not to
	 * follow redirects, which would carry the token along.
	 * @throws Error when the request goes anywhere but to the credential's own origin, or does not check its certificate.
	 */
	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		requestOptions: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const connection = connectionFrom(credentials);
		const { uri, rejectUnauthorized } = requestOptions as { uri?: string; rejectUnauthorized?: boolean };
		const target = requestOptions.url || uri;
		if (!target) throw new Error('The request has no URL.');
		const url = new URL(target, requestOptions.baseURL);
		if (url.origin !== connection.origin) {
			throw new Error(
				`This credential is for ${connection.origin} only; its token is not sent to ${url.origin}.`,
			);
		}
		if (rejectUnauthorized === false || requestOptions.skipSslCertificateValidation) {
			throw new Error(
				'This credential’s token is sent only where the certificate is checked. Turn off Ignore SSL Issues.',
			);
		}
		const signed = authorizationHeaders(connection, await getToken(connection));
		const others = Object.entries(requestOptions.headers ?? {}).filter(
			([name]) => !(name.toLowerCase() in signed),
		);
		return {
			...requestOptions,
			headers: { ...Object.fromEntries(others), ...signed },
			disableFollowRedirect: true,
			...{ followRedirect: false, followAllRedirects: false, maxRedirects: 0 },
			sendCredentialsOnCrossOriginRedirect: false,
		};
	}
}
