/** The one tenant, app registration, organisation and channel that the emulator knows. */
export interface World {
	tenantId: string;
	/** The tenant's verified domain; the token endpoint takes it in place of the GUID. */
	tenantDomain: string;
	tenantDisplayName: string;
	clientId: string;
	clientSecret: string;
	/** Secrets that were good once: answered AADSTS7000222, as an expired one is. */
	expiredClientSecrets: string[];
	/** The app's object id in the tenant: `oid` of app-only tokens. */
	servicePrincipalId: string;
	organizationId: string;
	channelId: string;
	/** Name of the channel record. */
	channelName: string;
	/** Dataverse zone, e.g. `crm4`: the token's audience ends in `-c.{zone}.dynamics.com`. */
	zone: string;
	/** Messaging API region that goes with the zone, e.g. `eu`. */
	geo: string;
	/** What the n8n credential calls that region in its list. */
	geoName: string;
}

/** What the emulator is when nobody says otherwise. Made up; nothing here exists at Microsoft. */
export const DEFAULT_WORLD: Readonly<World> = {
	tenantId: 'b7c1f0d4-52e9-4a36-9d18-6e0f3a87c245',
	tenantDomain: 'contoso.onmicrosoft.com',
	tenantDisplayName: 'Contoso',
	clientId: '4e9a2c76-8d1b-47f5-a3c0-91b5d6e8f027',
	clientSecret: 'emulator-secret',
	expiredClientSecrets: ['expired-secret'],
	servicePrincipalId: 'd2f86a13-0b7e-4c59-8e41-7a9c35b0e6d8',
	organizationId: '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60',
	channelId: '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391',
	channelName: 'Contoso Messenger',
	zone: 'crm4',
	geo: 'eu',
	geoName: 'Europe, Middle East, Africa',
};

/** The resource that an access token for the Messaging API is for: the organisation's GUID without its dashes. */
export function resourceOf({ organizationId, zone }: World): string {
	return `https://${organizationId.replaceAll('-', '')}-c.${zone}.dynamics.com`;
}
