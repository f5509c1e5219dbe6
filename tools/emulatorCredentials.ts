import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import type { Emulator } from '../emulator';

/** Makes the data of a credential for the Messaging API of an emulator. @returns the values of the fields, as a person would type them */
export function credentialFor({ origin, world }: Emulator): ICredentialDataDecryptedObject {
	return {
		tenantId: world.tenantId,
		clientId: world.clientId,
		clientSecret: world.clientSecret,
		organizationId: world.organizationId,
		geo: world.geo,
		channelId: world.channelId,
		zone: world.zone,
		baseUrl: origin,
		authorityHost: origin,
		scope: '',
		environmentUrl: origin,
	};
}

/**
 * Makes the data of a credential for Azure Communication Services of an emulator.
 * @param authentication the way of authentication that is chosen in the credential.
 * @returns the values of the fields.
 */
export function communicationCredential(
	{ origin, world }: Emulator,
	authentication: 'clientSecret' | 'accessKey' | 'userToken' = 'clientSecret',
): ICredentialDataDecryptedObject {
	const common = { authentication, endpoint: origin, apiVersion: '2025-04-01-preview' };
	if (authentication === 'accessKey') return { ...common, secretAccessKey: world.communicationAccessKey };
	if (authentication === 'userToken') return { ...common, userToken: world.communicationUserToken };
	const { tenantId, clientId, clientSecret } = world;
	return { ...common, tenantId, clientId, clientSecret, authorityHost: origin, scope: '' };
}

/** Makes the same, but with a connection string in place of endpoint and key, as people copy it from the Azure portal. @returns the values of the fields */
export function connectionStringCredential({ origin, world }: Emulator): ICredentialDataDecryptedObject {
	return {
		authentication: 'accessKey',
		endpoint: '',
		secretAccessKey: `endpoint=${origin}/;accesskey=${world.communicationAccessKey}`,
		apiVersion: '2025-04-01-preview',
	};
}
