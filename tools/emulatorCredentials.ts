import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import type { Emulator } from '../emulator';

/** What a person would type into the credential for an emulator. */
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

/** The credential for Azure Communication Services, by how the resource is shown who calls. */
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

/** The credential for Azure Communication Services, as the Azure portal gives it: in a connection string. */
export function connectionStringCredential({ origin, world }: Emulator): ICredentialDataDecryptedObject {
	return {
		authentication: 'accessKey',
		endpoint: '',
		secretAccessKey: `endpoint=${origin}/;accesskey=${world.communicationAccessKey}`,
		apiVersion: '2025-04-01-preview',
	};
}
