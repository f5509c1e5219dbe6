import type { INodeProperties } from 'n8n-workflow';

/** The field for the tenant of the app. */
export const tenantField: INodeProperties = {
	displayName: 'Tenant ID',
	name: 'tenantId',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. b5122edb-5678-4def-99e2-abcdef123456',
	description: 'Directory (tenant) ID of the app registration in Microsoft Entra, or a verified domain',
};

/** The field for the app. @param role ends the sentence of its description, after `which`. */
export function clientField(role: string): INodeProperties {
	return {
		displayName: 'Client ID',
		name: 'clientId',
		type: 'string',
		required: true,
		default: '',
		placeholder: 'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
		description: `Application (client) ID of the app registration, which ${role}`,
	};
}

/** The fields for an app's secret or certificate, shown by the value of Authentication. */
export const appSecretFields: INodeProperties[] = [
	{
		displayName: 'Client Secret',
		name: 'clientSecret',
		type: 'string',
		typeOptions: { password: true },
		required: true,
		default: '',
		displayOptions: { show: { authentication: ['clientSecret'] } },
		description: 'Value (not ID) of a client secret of the app registration',
	},
	{
		displayName: 'Certificate',
		name: 'certificate',
		type: 'string',
		typeOptions: { password: true },
		required: true,
		default: '',
		placeholder: '-----BEGIN CERTIFICATE-----',
		displayOptions: { show: { authentication: ['certificate'] } },
		description:
			'The certificate that is uploaded to the app registration, in PEM. Lost line breaks do not matter.',
	},
	{
		displayName: 'Private Key',
		name: 'privateKey',
		type: 'string',
		typeOptions: { password: true },
		required: true,
		default: '',
		placeholder: '-----BEGIN PRIVATE KEY-----',
		displayOptions: { show: { authentication: ['certificate'] } },
		description: 'The private key of the certificate, RSA, in PEM',
	},
	{
		displayName: 'Passphrase',
		name: 'passphrase',
		type: 'string',
		typeOptions: { password: true },
		default: '',
		displayOptions: { show: { authentication: ['certificate'] } },
		description: 'Passphrase of the private key, if it is encrypted',
	},
];
