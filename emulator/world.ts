/** The one tenant, app registration, organisation and channel that the emulator knows. */
export interface World {
	tenantId: string;
	/** The tenant's verified domain; the token endpoint takes it in place of the GUID. */
	tenantDomain: string;
	tenantDisplayName: string;
	clientId: string;
	clientSecret: string;
	/** Expired secrets, which are answered with AADSTS7000222. */
	expiredClientSecrets: string[];
	/** PEM. An assertion signed with the key of one of them replaces the secret. Read at each request. */
	certificates: string[];
	/** The app's object id in the tenant: `oid` of app-only tokens. */
	servicePrincipalId: string;
	organizationId: string;
	channelId: string;
	/** Name of the channel record. */
	channelName: string;
	/** The workstream that the channel is linked to at the start. */
	workstreamId: string;
	workstreamName: string;
	/** The languages that a channel can have. */
	languages: { id: string; name: string; localeCode: string; localeId: number }[];
	/** The surveys of Customer Voice. */
	surveys: { id: string; name: string }[];
	/** The queue that conversations of the workstream wait in. */
	queueId: string;
	/** The managed identity that the channel is bound to at the start. */
	managedIdentityId: string;
	/** The app's user in Dataverse: `UserId` of WhoAmI. */
	applicationUserId: string;
	businessUnitId: string;
	/** The Power Platform environment; a part of federated subjects. */
	environmentId: string;
	/** Dataverse zone, e.g. `crm4`: the token's audience ends in `-c.{zone}.dynamics.com`. */
	zone: string;
	/** Messaging API region that goes with the zone, e.g. `eu`. */
	geo: string;
	/** What the n8n credential calls that region in its list. */
	geoName: string;
	/** Access key of the Azure Communication Services resource, base64. */
	communicationAccessKey: string;
	/** A communication user access token, as a person would paste it. */
	communicationUserToken: string;
	/** The user of that token: `8:acs:`, the resource, `_`, the user. */
	communicationUserId: string;
	/** The WhatsApp channel of the resource, in lower case. */
	communicationChannelId: string;
	/** The conversation that exists from the start; its customer has just written. */
	communicationConversationId: string;
}

const COMMUNICATION_USER_ID =
	'8:acs:5b1f7a90-2c3e-4d68-9a47-e0b6c8d13f25_00000021-7d4e-9a1b-8c3f-5e60d2b7a984';
/** 1 January 2100, in seconds: a token that was pasted somewhere stays good, however often the emulator starts. */
const USER_TOKEN_EXPIRY = 4_102_444_800;

/**
 * Makes the access token of a communication user. It has the form of Microsoft's, whose SDK decodes it to read when it
 * expires (`exp`), but its signature is made up: the emulator takes this one token only. Its claims are those that public
 * samples show.
 *
 * @param userId `8:acs:`, the resource, `_`, the user
 */
function userTokenOf(userId: string): string {
	const skypeid = userId.replace(/^8:/, '');
	const claims = {
		skypeid,
		scp: 1792,
		csi: String(Date.UTC(2026, 0, 1) / 1000),
		exp: USER_TOKEN_EXPIRY,
		acsScope: 'chat,voip',
		resourceId: skypeid.slice('acs:'.length, skypeid.indexOf('_')),
		iat: Date.UTC(2026, 0, 1) / 1000,
	};
	const parts = [{ alg: 'RS256', kid: 'emulator', typ: 'JWT' }, claims].map((part) => JSON.stringify(part));
	return [...parts, 'no signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');
}

/** The default world. It is made up; nothing here exists at Microsoft. */
export const DEFAULT_WORLD: Readonly<World> = {
	tenantId: 'b7c1f0d4-52e9-4a36-9d18-6e0f3a87c245',
	tenantDomain: 'contoso.onmicrosoft.com',
	tenantDisplayName: 'Contoso',
	clientId: '4e9a2c76-8d1b-47f5-a3c0-91b5d6e8f027',
	clientSecret: 'emulator-secret',
	expiredClientSecrets: ['expired-secret'],
	certificates: [],
	servicePrincipalId: 'd2f86a13-0b7e-4c59-8e41-7a9c35b0e6d8',
	organizationId: '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60',
	channelId: '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391',
	channelName: 'Contoso Messenger',
	workstreamId: '1f8d3c60-a24b-4e97-b5d1-70c9e6a8f432',
	workstreamName: 'Contoso Messaging',
	languages: [
		{
			id: '0b6d4f82-5e17-4c39-a8d0-92f7e3b15c46',
			name: 'English - United States',
			localeCode: 'en-us',
			localeId: 1033,
		},
		{
			id: '84c1e96a-f2d7-4b05-8e3c-6a0d57b9f123',
			name: 'German - Germany',
			localeCode: 'de-de',
			localeId: 1031,
		},
	],
	surveys: [
		{ id: 'd37a58e4-16bc-4f90-9a27-c8e15b04f6d2', name: 'How did we do?' },
		{ id: '5f02b9c7-a8e3-4d61-b7f4-1e9c36d0a852', name: 'How did the AI agent do?' },
	],
	queueId: 'c07e1d5b-48f6-4a92-9b3d-5e8a60f7d214',
	managedIdentityId: 'c5b90e17-3d62-4f8a-a1e4-28f7d03b96c5',
	applicationUserId: '7e41d0a8-69fc-4b25-83d7-e90b5c2f1a64',
	businessUnitId: 'a83f6e29-c1d5-4702-9be8-463d0f7a15c9',
	environmentId: '2d9c70f5-8e3a-4b16-bc47-f1a5e0839d72',
	zone: 'crm4',
	geo: 'eu',
	geoName: 'Europe, Middle East, Africa',
	communicationAccessKey: 'ZW11bGF0b3ItY29tbXVuaWNhdGlvbi1hY2Nlc3Mta2V5',
	communicationUserToken: userTokenOf(COMMUNICATION_USER_ID),
	communicationUserId: COMMUNICATION_USER_ID,
	communicationChannelId: 'e41a6c37-90bd-4f52-a8d6-3b7f15c9e280',
	communicationConversationId: '19:8c2d5e71-b3f4-4a09-96e8-d17a04c6f3b5@thread.v2',
};

/** The resource that an access token for Azure Communication Services is for, whatever the endpoint. */
export const COMMUNICATION_RESOURCE = 'https://communication.azure.com';

/** The resource that an access token for the Messaging API is for: the organisation's GUID without its dashes. */
export function resourceOf({ organizationId, zone }: World): string {
	return `https://${organizationId.replaceAll('-', '')}-c.${zone}.dynamics.com`;
}
