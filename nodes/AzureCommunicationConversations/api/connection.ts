import {
	readApp,
	readHttpsOrigin,
	PUBLIC_AUTHORITY,
	readScope,
	readTrimmedText,
	isGuid,
	tidyId,
} from '../../shared/entra/appCredential';
import { InputError } from '../../shared/transport/errors';
import type { TokenSource } from '../../shared/entra/token';
import type { TokenErrorExplanations } from '../../shared/entra/tokenErrors';

/**
 * A later preview, 2025-09-01-preview, has the same paths, bodies and answers.
 * Source: docs/service-facts.md#acs-api-versions.
 */
export const DEFAULT_API_VERSION = '2025-04-01-preview';
/** Source: docs/service-facts.md#acs-authentication. */
export const DEFAULT_SCOPE = 'https://communication.azure.com/.default';

/** The name of the credential's field for the resource. */
export const ENDPOINT = 'Endpoint';

/** How requests to the resource are authenticated. */
export type Authentication =
	| { kind: 'entra'; source: TokenSource }
	/** The key is base64. */
	| { kind: 'accessKey'; key: string }
	| { kind: 'userToken'; token: string };

/** The fields of the credential, checked and in one spelling. */
export interface Connection {
	/** The resource's origin, e.g. `https://my-resource.communication.azure.com`; credentials go to it and nowhere else. */
	origin: string;
	apiVersion: string;
	authentication: Authentication;
	/** The WhatsApp channel that is used where the node names none. */
	channelId?: string;
}

/** What the ways of authentication have in common. */
type Signed = Pick<Connection, 'origin' | 'authentication'>;

/** A date, for a preview with its suffix. Source: docs/service-facts.md#acs-api-versions. */
const API_VERSION = /^\d{4}-\d{2}-\d{2}(-preview)?$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Reads the endpoint, also without `https://`. */
function readEndpoint(value: string): string {
	if (value === '') {
		throw new InputError(
			'Endpoint is missing in the credential',
			'Enter the endpoint of the resource, such as https://my-resource.communication.azure.com (Azure portal, Keys).',
		);
	}
	if (readConnectionString(value)) {
		throw new InputError(
			'Endpoint in the credential is a connection string',
			'Choose Access Key under Authentication and paste it there.',
		);
	}
	const url = /^[a-z0-9-]+(\.[a-z0-9-]+)+\/?$/i.test(value) ? `https://${value}` : value;
	return readHttpsOrigin(URL.canParse(url) ? new URL(url).origin : url, ENDPOINT);
}

/** Reads `endpoint=https://…/;accesskey=…` in either order; undefined where it is no connection string. */
function readConnectionString(value: string): { endpoint: string; accessKey: string } | undefined {
	if (!/(^|;)\s*(endpoint|accesskey)\s*=/i.test(value)) return undefined;
	const part = (name: string) =>
		new RegExp(`(?:^|;)\\s*${name}\\s*=([^;]*)`, 'i').exec(value)?.[1]?.trim() ?? '';
	return { endpoint: part('endpoint'), accessKey: part('accesskey') };
}

function readAccessKey(value: string): string {
	if (value === '') {
		throw new InputError(
			'Access Key is missing in the credential',
			'Paste a key of the resource, or its whole connection string (Azure portal, Keys).',
		);
	}
	if (!BASE64.test(value)) {
		throw new InputError(
			'Access Key in the credential is not a key',
			'Paste the Key, or the whole Connection string that begins with endpoint=, as the Azure portal shows it under Keys.',
		);
	}
	return value;
}

function readKeyFields(data: Record<string, unknown>): Signed {
	const pasted = readTrimmedText(data.secretAccessKey);
	const endpoint = readTrimmedText(data.endpoint);
	const parts = readConnectionString(pasted);
	const key = readAccessKey(parts ? parts.accessKey : pasted);
	const origin = readEndpoint(parts?.endpoint || endpoint);
	if (parts?.endpoint && endpoint !== '' && readEndpoint(endpoint) !== origin) {
		throw new InputError(
			'Endpoint in the credential is not that of the connection string',
			'Empty Endpoint, or paste the connection string of the same resource.',
		);
	}
	return { origin, authentication: { kind: 'accessKey', key } };
}

function readTokenFields(data: Record<string, unknown>): Signed {
	const token = readTrimmedText(data.userToken).replace(/^Bearer\s+/i, '');
	if (token === '' || /[^\x21-\x7e]/.test(token)) {
		throw new InputError(
			token === ''
				? 'User Access Token is missing in the credential'
				: 'User Access Token in the credential is not a token',
			'Paste the token of a communication user, with the scope chat or messages, as Azure gives it.',
		);
	}
	return {
		origin: readEndpoint(readTrimmedText(data.endpoint)),
		authentication: { kind: 'userToken', token },
	};
}

/**
 * Explanations of Entra's codes that are about the scope of the token.
 * Source: docs/service-facts.md#entra-errors.
 */
const TOKEN_ERRORS: TokenErrorExplanations = {
	'900382': {
		message: 'The token authority is that of another cloud',
		fix: 'Check Authority Host and Scope in the credential: the tenant is in another cloud.',
	},
	...Object.fromEntries(
		['500011', '650052', '650057', '500014', '501051'].map((code) => [
			code,
			{
				message: 'The app cannot get a token for Azure Communication Services in this tenant',
				fix: 'Check Tenant ID and Scope: it must be the tenant of the subscription that has the resource.',
			},
		]),
	),
};

function readApiVersion(value: unknown): string {
	const version = readTrimmedText(value) || DEFAULT_API_VERSION;
	if (!API_VERSION.test(version)) {
		throw new InputError('API Version in the credential is not one', `It looks like ${DEFAULT_API_VERSION}.`);
	}
	return version;
}

/** Reads the channel of the credential; undefined where it has none. */
function readChannel(value: unknown): Pick<Connection, 'channelId'> {
	const channelId = tidyId(value);
	if (channelId === '') return {};
	if (isGuid(channelId)) return { channelId };
	throw new InputError(
		'Channel ID in the credential is not a channel’s ID',
		'Copy it from the Azure portal: the resource, Channels. It looks like 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f.',
	);
}

/**
 * Reads the stored credential and checks its fields. Pure.
 * @param data the credential's fields as n8n decrypts them.
 * @throws InputError with the name of the field that is wrong.
 */
export function connectionFrom(data: Record<string, unknown>): Connection {
	const common = { apiVersion: readApiVersion(data.apiVersion), ...readChannel(data.channelId) };
	if (data.authentication === 'accessKey') return { ...readKeyFields(data), ...common };
	if (data.authentication === 'userToken') return { ...readTokenFields(data), ...common };
	const origin = readEndpoint(readTrimmedText(data.endpoint));
	const source: TokenSource = {
		...readApp(data, PUBLIC_AUTHORITY),
		tokenErrors: TOKEN_ERRORS,
		scope: readScope(data.scope, DEFAULT_SCOPE),
		origin,
	};
	return { origin, ...common, authentication: { kind: 'entra', source } };
}
