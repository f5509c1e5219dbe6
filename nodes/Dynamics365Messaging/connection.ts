import {
	readApp,
	readGuid,
	httpsOrigin,
	PUBLIC_AUTHORITY,
	readScope,
	trimmedText,
} from '../shared/entra/appCredential';
import type { TokenSource } from '../shared/entra/token';
import { InputError } from '../shared/transport/errors';
import { ORGANIZATION_TOKEN_ERRORS } from './tokenErrors';

/**
 * The regions of the service: their part of the host name, and their Dataverse zone in the token's scope.
 * Source: docs/service-facts.md#zones-and-geos.
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

/**
 * Microsoft's clouds: token authority, domain of the organizations (for the token's scope) and domain of the service. The
 * values that are not global are inferred, so the credential can override each of them.
 * Source: docs/service-facts.md#clouds.
 */
export const CLOUDS = {
	global: {
		authorityHost: PUBLIC_AUTHORITY,
		dataverseDomain: 'dynamics.com',
		serviceDomain: 'omnichannelengagementhub.com',
	},
	usGovernment: {
		authorityHost: 'https://login.microsoftonline.us',
		dataverseDomain: 'microsoftdynamics.us',
		serviceDomain: 'omnichannelengagementhub.us',
	},
	china: {
		authorityHost: 'https://login.partner.microsoftonline.cn',
		dataverseDomain: 'dynamics.cn',
		serviceDomain: 'omnichannelengagementhub.cn',
	},
} as const;

type Cloud = keyof typeof CLOUDS;

/** The credential's fields, checked and in one spelling. As a source of tokens it gives those of the Messaging API. */
export interface Connection extends TokenSource {
	organizationId: string;
	/** GUID in lower case; '' where the credential names none and none is needed. */
	channelId: string;
	/** The service's origin, e.g. `https://m-….eu.omnichannelengagementhub.com`; its tokens go to no other host. */
	origin: string;
	/** The Dataverse environment's origin, e.g. `https://contoso.crm4.dynamics.com`; undefined where it is empty. */
	environmentUrl: string | undefined;
}

const ZONE = /^crm\d{0,2}$/;

function isCloud(name: string): name is Cloud {
	return Object.hasOwn(CLOUDS, name);
}

function cloudOf(value: unknown): Cloud {
	const cloud = trimmedText(value) || 'global';
	if (isCloud(cloud)) return cloud;
	throw new InputError(
		'Cloud in the credential is not one that Microsoft has',
		'Choose the cloud from the list.',
	);
}

function zoneOf(value: unknown, geo: string, cloud: Cloud): string {
	const zone = trimmedText(value).toLowerCase();
	// Each sovereign cloud has one zone.
	if (zone === '') return cloud === 'global' ? (GEOS.find((entry) => entry.geo === geo)?.zone ?? '') : 'crm';
	if (!ZONE.test(zone)) {
		throw new InputError(
			'Zone in the credential is not a Dataverse zone',
			'It looks like crm4: the part before .dynamics.com in the address of the environment.',
		);
	}
	return zone;
}

/** The host of a region. GCC has a domain of its own. Source: docs/service-facts.md#hosts-and-headers. */
function originOf(organizationId: string, geo: string, cloud: Cloud): string {
	const { serviceDomain } = CLOUDS[geo === 'gov' ? 'usGovernment' : cloud];
	return `https://m-${organizationId}.${geo}.${serviceDomain}`;
}

function baseUrlOf(value: unknown): string | undefined {
	const url = trimmedText(value);
	if (url === '') return undefined;
	const origin = httpsOrigin(url, 'Base URL');
	if (/^https:\/\/m-[0-9a-f]{32}\./.test(origin)) {
		throw new InputError(
			'Base URL in the credential has the organization ID without its dashes',
			'The host has it with dashes (only the scope has none). Leave Base URL empty: it is made from Organization ID and Geo.',
		);
	}
	return origin;
}

/** The environment's origin. People copy its address from the browser, so what follows the host is ignored. */
function environmentUrlOf(value: unknown): string | undefined {
	const url = trimmedText(value);
	if (url === '') return undefined;
	return httpsOrigin(URL.canParse(url) ? new URL(url).origin : url, 'Environment URL');
}

/** The scope of the Messaging API's token. Source: docs/service-facts.md#token-scope. */
function scopeOf(value: unknown, organizationId: string, zone: string, cloud: Cloud): string {
	const standard = `https://${organizationId.replaceAll('-', '')}-c.${zone}.${CLOUDS[cloud].dataverseDomain}/.default`;
	const scope = readScope(value, standard);
	if (/^https:\/\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-c\./i.test(scope)) {
		throw new InputError(
			'Scope in the credential has the organization ID with dashes',
			'The scope has it without dashes (only the host has them). Leave Scope empty: it is made from Organization ID and Geo.',
		);
	}
	return scope;
}

/**
 * Reads the stored credential and checks its fields. Pure.
 * @param data the credential's fields as n8n decrypts them.
 * @param needs whether Channel ID is required. Operations on channel records work without one.
 * @returns the connection, with GUIDs in lower case and URLs as origins.
 * @throws InputError with the name of the field that is wrong.
 */
export function connectionFrom(
	data: Record<string, unknown>,
	needs: { channel: boolean } = { channel: true },
): Connection {
	const cloud = cloudOf(data.cloud);
	const app = readApp(data, CLOUDS[cloud].authorityHost);
	const organizationId = readGuid(data.organizationId, 'Organization ID');
	const hasChannel = needs.channel || trimmedText(data.channelId) !== '';
	const channelId = hasChannel ? readGuid(data.channelId, 'Channel ID') : '';
	const geo = trimmedText(data.geo).toLowerCase();
	if (!GEOS.some((entry) => entry.geo === geo)) {
		throw new InputError(
			'Geo in the credential is not one that the service has',
			'Choose the region from the list.',
		);
	}
	return {
		...app,
		tokenErrors: ORGANIZATION_TOKEN_ERRORS,
		organizationId,
		channelId,
		origin: baseUrlOf(data.baseUrl) ?? originOf(organizationId, geo, cloud),
		scope: scopeOf(data.scope, organizationId, zoneOf(data.zone, geo, cloud), cloud),
		environmentUrl: environmentUrlOf(data.environmentUrl),
	};
}
