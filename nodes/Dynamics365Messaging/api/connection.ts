import { InputError } from './errors';

/**
 * The regions of the service: the part of the host name, and the Dataverse zone that goes with it in the token's scope.
 * Source: shared reference, "Zone ↔ geo".
 */
export const GEOS = [
	{ geo: 'ae', zone: 'crm15', name: 'United Arab Emirates' },
	{ geo: 'as', zone: 'crm5', name: 'Asia Pacific' },
	{ geo: 'au', zone: 'crm6', name: 'Australia' },
	{ geo: 'br', zone: 'crm2', name: 'South America' },
	{ geo: 'ca', zone: 'crm3', name: 'Canada' },
	{ geo: 'ch', zone: 'crm17', name: 'Switzerland' },
	{ geo: 'de', zone: 'crm16', name: 'Germany' },
	{ geo: 'eu', zone: 'crm4', name: 'Europe, Middle East, Africa' },
	{ geo: 'fr', zone: 'crm12', name: 'France' },
	{ geo: 'gov', zone: 'crm9', name: 'US Government (GCC)' },
	{ geo: 'in', zone: 'crm8', name: 'India' },
	{ geo: 'jp', zone: 'crm7', name: 'Japan' },
	{ geo: 'kr', zone: 'crm21', name: 'Korea' },
	{ geo: 'no', zone: 'crm19', name: 'Norway' },
	{ geo: 'se', zone: 'crm22', name: 'Sweden' },
	{ geo: 'sg', zone: 'crm20', name: 'Singapore' },
	{ geo: 'uk', zone: 'crm11', name: 'United Kingdom' },
	{ geo: 'us', zone: 'crm', name: 'North America' },
	{ geo: 'za', zone: 'crm14', name: 'South Africa' },
] as const;

export const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com';

/** Where to send what, and as whom: everything that the credential says, checked and in one spelling. */
export interface Connection {
	/** GUID in lower case, or a verified domain. */
	tenantId: string;
	clientId: string;
	clientSecret: string;
	organizationId: string;
	channelId: string;
	/** The service's origin, e.g. `https://m-….eu.omnichannelengagementhub.com`; tokens go to it and nowhere else. */
	origin: string;
	/** The token authority's origin, e.g. `https://login.microsoftonline.com`. */
	authorityHost: string;
	/** The token's whole scope, with `/.default`. */
	scope: string;
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DASHLESS_GUID = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const ZONE = /^crm\d{0,2}$/;

/** Whether a text is a GUID in the one spelling that we send: dashed and in lower case. */
export function isGuid(text: string): boolean {
	return GUID.test(text);
}

/** Undoes what happens to ids on their way through a clipboard: white space, braces, capitals, missing dashes. */
function tidyId(value: unknown): string {
	const id = text(value)
		.replace(/^\{\s*(.*?)\s*\}$/, '$1')
		.toLowerCase();
	return id.replace(DASHLESS_GUID, '$1-$2-$3-$4-$5');
}

function text(value: unknown): string {
	return typeof value === 'string' ? value.trim() : '';
}

function guid(value: unknown, field: string): string {
	const id = tidyId(value);
	if (id === '') throw new InputError(`${field} is missing in the credential`, `Enter the ${field}, a GUID.`);
	if (!isGuid(id)) {
		throw new InputError(
			`${field} in the credential is not a GUID`,
			'A GUID looks like 9f6c021d-1234-4abc-8df7-123456789abc.',
		);
	}
	return id;
}

function tenant(value: unknown): string {
	const id = tidyId(value);
	if (!isGuid(id) && !DOMAIN.test(id)) {
		throw new InputError(
			id === ''
				? 'Tenant ID is missing in the credential'
				: 'Tenant ID in the credential is neither a GUID nor a domain',
			'Enter the directory (tenant) ID from the app registration, or a verified domain such as contoso.onmicrosoft.com.',
		);
	}
	return id;
}

/**
 * Reads an https origin that a person typed.
 * @throws InputError when it is no https URL, or holds more than scheme, host and port.
 */
function httpsOrigin(value: string, field: string): string {
	if (!URL.canParse(value)) {
		throw new InputError(`${field} in the credential is not a URL`, 'It looks like https://host.example.com');
	}
	const url = new URL(value);
	if (url.protocol !== 'https:') {
		throw new InputError(
			`${field} in the credential must start with https://`,
			'Secrets and tokens are sent over TLS only.',
		);
	}
	if (
		url.pathname !== '/' ||
		url.search !== '' ||
		url.hash !== '' ||
		url.username !== '' ||
		url.password !== ''
	) {
		throw new InputError(
			`${field} in the credential must be an origin only`,
			`Leave out what comes after the host: ${url.origin}`,
		);
	}
	return url.origin;
}

function zoneOf(value: unknown, geo: string): string {
	const zone = text(value).toLowerCase();
	if (zone === '') return GEOS.find((entry) => entry.geo === geo)?.zone ?? '';
	if (!ZONE.test(zone)) {
		throw new InputError(
			'Zone in the credential is not a Dataverse zone',
			'It looks like crm4: the part before .dynamics.com in the address of the environment.',
		);
	}
	return zone;
}

/** The host of a region. GCC has a domain of its own. Source: shared reference, "Host, headers, token". */
function hostOf(organizationId: string, geo: string): string {
	const domain = geo === 'gov' ? 'omnichannelengagementhub.us' : 'omnichannelengagementhub.com';
	return `https://m-${organizationId}.${geo}.${domain}`;
}

function scopeOf(value: unknown, organizationId: string, zone: string): string {
	const scope = text(value);
	if (scope === '') return `https://${organizationId.replaceAll('-', '')}-c.${zone}.dynamics.com/.default`;
	if (!scope.endsWith('/.default') || /\s/.test(scope)) {
		throw new InputError(
			'Scope in the credential must be one scope that ends with /.default',
			'For example https://…-c.crm4.dynamics.com/.default',
		);
	}
	return scope;
}

/**
 * Turns the stored credential into a connection. Pure: nothing is looked up.
 * @param data the credential's fields as n8n decrypts them.
 * @throws InputError naming the field that does not hold what it should.
 */
export function connectionFrom(data: Record<string, unknown>): Connection {
	const tenantId = tenant(data.tenantId);
	const clientId = guid(data.clientId, 'Client ID');
	const clientSecret = text(data.clientSecret);
	if (clientSecret === '') {
		throw new InputError(
			'Client Secret is missing in the credential',
			'Create one under Certificates & secrets of the app registration, and paste its value (not its ID).',
		);
	}
	const organizationId = guid(data.organizationId, 'Organization ID');
	const channelId = guid(data.channelId, 'Channel ID');
	const geo = text(data.geo).toLowerCase();
	if (!GEOS.some((entry) => entry.geo === geo)) {
		throw new InputError(
			'Geo in the credential is not one that the service has',
			'Choose the region from the list.',
		);
	}
	const baseUrl = text(data.baseUrl);
	const authorityHost = text(data.authorityHost);
	return {
		tenantId,
		clientId,
		clientSecret,
		organizationId,
		channelId,
		origin: baseUrl === '' ? hostOf(organizationId, geo) : httpsOrigin(baseUrl, 'Base URL'),
		authorityHost: authorityHost === '' ? PUBLIC_AUTHORITY : httpsOrigin(authorityHost, 'Authority Host'),
		scope: scopeOf(data.scope, organizationId, zoneOf(data.zone, geo)),
	};
}
