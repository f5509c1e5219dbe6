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

/** Makes a field that n8n hides as it is typed, shown for one way of authentication. */
function secretField(
	authentication: string,
	field: Omit<INodeProperties, 'type' | 'default'>,
): INodeProperties {
	return {
		type: 'string',
		typeOptions: { password: true },
		required: true,
		default: '',
		displayOptions: { show: { authentication: [authentication] } },
		...field,
	};
}

/** The fields for an app's secret or certificate, shown by the value of Authentication. */
export const appSecretFields: INodeProperties[] = [
	secretField('clientSecret', {
		displayName: 'Client Secret',
		name: 'clientSecret',
		description: 'Value (not ID) of a client secret of the app registration',
	}),
	secretField('certificate', {
		displayName: 'Certificate',
		name: 'certificate',
		placeholder: '-----BEGIN CERTIFICATE-----',
		description:
			'The certificate that is uploaded to the app registration, in PEM. Lost line breaks do not matter.',
	}),
	secretField('certificate', {
		displayName: 'Private Key',
		name: 'privateKey',
		placeholder: '-----BEGIN PRIVATE KEY-----',
		description: 'The private key of the certificate, RSA, in PEM',
	}),
	secretField('certificate', {
		displayName: 'Passphrase',
		name: 'passphrase',
		description: 'Passphrase of the private key, if it is encrypted',
		required: false,
	}),
];
