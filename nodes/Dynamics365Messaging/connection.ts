import {
	readApp,
	readGuid,
	readHttpsOrigin,
	PUBLIC_AUTHORITY,
	readScope,
	readTrimmedText,
} from '../shared/entra/appCredential';
import type { TokenSource } from '../shared/entra/token';
import { InputError } from '../shared/transport/errors';
import { ORGANIZATION_TOKEN_ERRORS } from './tokenErrors';

/**
 * The regions of the service, in the order of their names: their part of the host name, and their Dataverse zone in the
 * token's scope.
 * Source: docs/service-facts.md#zones-and-geos.
 */
export const GEOS = [
	{ geo: 'as', zone: 'crm5', name: 'Asia Pacific' },
	{ geo: 'au', zone: 'crm6', name: 'Australia' },
	{ geo: 'ca', zone: 'crm3', name: 'Canada' },
	{ geo: 'eu', zone: 'crm4', name: 'Europe, Middle East, Africa' },
	{ geo: 'fr', zone: 'crm12', name: 'France' },
	{ geo: 'de', zone: 'crm16', name: 'Germany' },
	{ geo: 'in', zone: 'crm8', name: 'India' },
	{ geo: 'jp', zone: 'crm7', name: 'Japan' },
	{ geo: 'kr', zone: 'crm21', name: 'Korea' },
	{ geo: 'us', zone: 'crm', name: 'North America' },
	{ geo: 'no', zone: 'crm19', name: 'Norway' },
	{ geo: 'sg', zone: 'crm20', name: 'Singapore' },
	{ geo: 'za', zone: 'crm14', name: 'South Africa' },
	{ geo: 'br', zone: 'crm2', name: 'South America' },
	{ geo: 'se', zone: 'crm22', name: 'Sweden' },
	{ geo: 'ch', zone: 'crm17', name: 'Switzerland' },
	{ geo: 'gov', zone: 'crm9', name: 'US Government (GCC)' },
	{ geo: 'ae', zone: 'crm15', name: 'United Arab Emirates' },
	{ geo: 'uk', zone: 'crm11', name: 'United Kingdom' },
] as const;

/**
 * Microsoft's clouds: what people call them, token authority, domain of the organizations (for the token's scope), other
 * domains of environments, and domain of the service. The values that are not global are inferred, so the credential can
 * override each of them.
 * Source: docs/service-facts.md#clouds.
 */
export const CLOUDS = {
	global: {
		name: 'Global',
		authorityHost: PUBLIC_AUTHORITY,
		dataverseDomain: 'dynamics.com',
		otherDomains: [],
		serviceDomain: 'omnichannelengagementhub.com',
	},
	usGovernment: {
		name: 'US Government (GCC High)',
		authorityHost: 'https://login.microsoftonline.us',
		dataverseDomain: 'microsoftdynamics.us',
		otherDomains: ['appsplatform.us'],
		serviceDomain: 'omnichannelengagementhub.us',
	},
	china: {
		name: 'China (21Vianet)',
		authorityHost: 'https://login.partner.microsoftonline.cn',
		dataverseDomain: 'dynamics.cn',
		otherDomains: [],
		serviceDomain: 'omnichannelengagementhub.cn',
	},
} as const;

type Cloud = keyof typeof CLOUDS;

/** The credential's fields, checked and in one spelling. As a source of tokens it gives those of the Messaging API. */
export interface Connection extends TokenSource {
	organizationId: string;
	/** GUID in lower case; '' where the credential names none: see {@link requireChannel}. */
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
	const cloud = readTrimmedText(value) || 'global';
	if (isCloud(cloud)) return cloud;
	throw new InputError(
		'Cloud in the credential is not one that Microsoft has',
		'Choose the cloud from the list.',
	);
}

/**
 * Checks that an environment is in the chosen cloud, whose authority gives no tokens for another. An address of another
 * domain, such as a gateway's, says nothing. Source: docs/service-facts.md#clouds.
 * @throws InputError where it is in another cloud.
 */
function checkCloud(environmentUrl: string | undefined, cloud: Cloud): void {
	if (environmentUrl === undefined) return;
	const { hostname } = new URL(environmentUrl);
	const isIn = ({ dataverseDomain, otherDomains }: (typeof CLOUDS)[Cloud]) =>
		[dataverseDomain, ...otherDomains].some((domain) => hostname.endsWith(`.${domain}`));
	const own = Object.values(CLOUDS).find(isIn);
	if (own === undefined || own === CLOUDS[cloud]) return;
	throw new InputError(
		`Environment URL in the credential is not of the chosen Cloud: ${hostname} is in ${own.name}`,
		`Choose ${own.name} as Cloud, or correct Environment URL. An environment in GCC is in Global.`,
	);
}

/** The part of an environment's address that says its region: `crm4` in `contoso.crm4.dynamics.com`. */
const ENVIRONMENT_HOST = /\.(crm\d{0,2})\.dynamics\.com$/;

/** Reads the chosen region; '' where none is chosen. @throws InputError where the service has no such region. */
function readGeo(value: unknown): string {
	const geo = readTrimmedText(value).toLowerCase();
	if (geo === '' || GEOS.some((entry) => entry.geo === geo)) return geo;
	throw new InputError(
		'Geo in the credential is not one that the service has',
		'Choose the region from the list.',
	);
}

/**
 * Tells the region by the environment's address. Source: docs/service-facts.md#zones-and-geos.
 * @throws InputError with the names of the fields, where it does not tell it.
 */
function geoOf(environmentUrl: string | undefined): string {
	if (environmentUrl === undefined) {
		throw new InputError(
			'Environment URL and Geo are both empty in the credential',
			'Enter Environment URL, such as https://contoso.crm4.dynamics.com, which tells the region, or choose Geo.',
		);
	}
	const { hostname } = new URL(environmentUrl);
	const [, zone] = ENVIRONMENT_HOST.exec(hostname) ?? [];
	const found = GEOS.find((entry) => entry.zone === zone);
	if (found) return found.geo;
	throw new InputError(
		`Environment URL in the credential does not tell the region: ${hostname}`,
		'Choose Geo in the credential, the region of the environment.',
	);
}

/** Reads the zone; '' where it is that of the geo. @throws InputError where it is none. */
function readZone(value: unknown): string {
	const zone = readTrimmedText(value).toLowerCase();
	if (zone !== '' && !ZONE.test(zone)) {
		throw new InputError(
			'Zone in the credential is not a Dataverse zone',
			'It looks like crm4: the part before .dynamics.com in the address of the environment.',
		);
	}
	return zone;
}

/** The zone that goes with a region. Each sovereign cloud has one zone. */
function zoneOf(geo: () => string, cloud: Cloud): string {
	if (cloud !== 'global') return 'crm';
	const name = geo();
	return GEOS.find((entry) => entry.geo === name)?.zone ?? '';
}

/** The host of a region. GCC has a domain of its own. Source: docs/service-facts.md#hosts-and-headers. */
function originOf(organizationId: string, geo: string, cloud: Cloud): string {
	const { serviceDomain } = CLOUDS[geo === 'gov' ? 'usGovernment' : cloud];
	return `https://m-${organizationId}.${geo}.${serviceDomain}`;
}

function baseUrlOf(value: unknown): string | undefined {
	const url = readTrimmedText(value);
	if (url === '') return undefined;
	const origin = readHttpsOrigin(url, 'Base URL');
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
	const url = readTrimmedText(value);
	if (url === '') return undefined;
	return readHttpsOrigin(URL.canParse(url) ? new URL(url).origin : url, 'Environment URL');
}

/**
 * The scope of the Messaging API's token. Source: docs/service-facts.md#token-scope.
 * @param zone gives the zone, where the credential has no scope.
 */
function scopeOf(value: unknown, organizationId: string, zone: () => string, cloud: Cloud): string {
	const own = readTrimmedText(value) === '' ? zone() : 'crm4';
	const standard = `https://${organizationId.replaceAll('-', '')}-c.${own}.${CLOUDS[cloud].dataverseDomain}/.default`;
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
 * Reads the stored credential and checks its fields. Pure. The fields that Geo is needed for can be given themselves.
 * @param data the credential's fields as n8n decrypts them.
 * @returns the connection, with GUIDs in lower case and URLs as origins.
 * @throws InputError with the name of the field that is wrong.
 */
export function connectionFrom(data: Record<string, unknown>): Connection {
	const cloud = cloudOf(data.cloud);
	const app = readApp(data, CLOUDS[cloud].authorityHost);
	const organizationId = readGuid(data.organizationId, 'Organization ID');
	const channelId = readTrimmedText(data.channelId) === '' ? '' : readGuid(data.channelId, 'Channel ID');
	const environmentUrl = environmentUrlOf(data.environmentUrl);
	// Whoever names the authority has chosen the cloud by it.
	if (app.authorityHost === CLOUDS[cloud].authorityHost) checkCloud(environmentUrl, cloud);
	const [chosenGeo, chosenZone] = [readGeo(data.geo), readZone(data.zone)];
	const geo = () => chosenGeo || geoOf(environmentUrl);
	const zone = () => chosenZone || zoneOf(geo, cloud);
	const origin = baseUrlOf(data.baseUrl) ?? originOf(organizationId, geo(), cloud);
	return {
		...app,
		tokenErrors: ORGANIZATION_TOKEN_ERRORS,
		organizationId,
		channelId,
		origin,
		scope: scopeOf(data.scope, organizationId, zone, cloud),
		environmentUrl,
	};
}

/**
 * Makes sure that a credential names a channel, without which the Messaging API takes no call. Pure.
 * @returns the connection.
 * @throws InputError where Channel ID is empty.
 */
export function requireChannel(connection: Connection): Connection {
	if (connection.channelId !== '') return connection;
	throw new InputError(
		'Channel ID is missing in the credential',
		'Channel: Create gives the ID of a new channel (channelId), Channel: Get Many that of each channel that is there.',
	);
}
