import type { PastedCertificate } from './certificate';
import { InputError } from '../transport/errors';
import { tidy } from '../text';

/** The token authority of Microsoft's public cloud. */
export const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com';

/** How the app authenticates itself. */
type ClientAuthentication =
	{ kind: 'clientSecret'; clientSecret: string } | ({ kind: 'certificate' } & PastedCertificate);

/** An app registration, and the token authority that issues its tokens. */
export interface AppCredential {
	/** GUID in lower case, or a verified domain. */
	tenantId: string;
	clientId: string;
	authentication: ClientAuthentication;
	/** The token authority's origin, e.g. `https://login.microsoftonline.com`. */
	authorityHost: string;
}

/** Dashed and in lower case, as we send it. */
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DASHLESS_GUID = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** Whether a text is a GUID, dashed and in lower case. */
export function isGuid(text: string): boolean {
	return GUID.test(text);
}

/**
 * Normalises a pasted ID: without white space and braces, in lower case, a GUID with its dashes. '' for no text; braces
 * with nothing in them stay, as they are no empty field. n8n's editor closes the braces of an expression by itself, so that
 * whoever types them, too, has two behind the ID.
 */
export function tidyId(value: unknown): string {
	const id = readTrimmedText(value)
		.replace(/^\{\s*(\S.*?)\s*\}$/, '$1')
		.replace(/^([^{}]*[^\s{}])\s*\}\}$/, '$1')
		.toLowerCase();
	return id.replace(DASHLESS_GUID, '$1-$2-$3-$4-$5');
}

/** Reads a text of a credential, without the white space around it and without what nobody sees. '' for no text. */
export function readTrimmedText(value: unknown): string {
	return typeof value === 'string' ? tidy(value) : '';
}

/**
 * Reads a GUID.
 * @param field its name in errors.
 * @returns the GUID, dashed and in lower case.
 * @throws InputError where it is empty or no GUID.
 */
export function readGuid(value: unknown, field: string): string {
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

function readTenantId(value: unknown): string {
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
 * Reads an https origin.
 * @param field its name in errors.
 * @returns the origin in one spelling, without a slash at its end.
 * @throws InputError where it is no https URL, or has more than scheme, host and port.
 */
export function readHttpsOrigin(value: string, field: string): string {
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
	if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
		throw new InputError(
			`${field} in the credential must be an origin only`,
			`Leave out what comes after the host: ${url.origin}`,
		);
	}
	return url.origin;
}

function readAuthentication(data: Record<string, unknown>): ClientAuthentication {
	const kind = readTrimmedText(data.authentication) || 'clientSecret';
	if (kind === 'certificate') {
		const pasted = {
			certificate: readTrimmedText(data.certificate),
			privateKey: readTrimmedText(data.privateKey),
		};
		const missing = pasted.certificate === '' ? 'Certificate' : pasted.privateKey === '' ? 'Private Key' : '';
		if (missing !== '') {
			throw new InputError(`${missing} is missing in the credential`, 'Paste it in PEM.');
		}
		// A passphrase may begin or end with a space.
		const passphrase = typeof data.passphrase === 'string' ? data.passphrase : '';
		return { kind: 'certificate', ...pasted, passphrase };
	}
	if (kind !== 'clientSecret') {
		throw new InputError('Authentication in the credential is unknown', 'Choose it from the list.');
	}
	const clientSecret = readTrimmedText(data.clientSecret);
	if (clientSecret === '') {
		throw new InputError(
			'Client Secret is missing in the credential',
			'Create one under Certificates & secrets of the app registration, and paste its value (not its ID).',
		);
	}
	return { kind: 'clientSecret', clientSecret };
}

/**
 * Reads the app of a credential: tenantId, clientId, authentication with its fields, authorityHost.
 * @param data the credential's fields as n8n decrypts them.
 * @param authorityHost the token authority where the credential names none.
 * @throws InputError with the name of the field that is wrong.
 */
export function readApp(data: Record<string, unknown>, authorityHost: string): AppCredential {
	const ownAuthority = readTrimmedText(data.authorityHost);
	return {
		tenantId: readTenantId(data.tenantId),
		clientId: readGuid(data.clientId, 'Client ID'),
		authentication: readAuthentication(data),
		authorityHost: ownAuthority === '' ? authorityHost : readHttpsOrigin(ownAuthority, 'Authority Host'),
	};
}

/**
 * Reads the scope of a token.
 * @param standard the scope where the credential names none.
 * @throws InputError where it is not a single scope that ends with `/.default`.
 */
export function readScope(value: unknown, standard: string): string {
	const scope = readTrimmedText(value) || standard;
	if (!scope.endsWith('/.default') || /\s/.test(scope)) {
		throw new InputError(
			'Scope in the credential must be one scope that ends with /.default',
			`For example ${standard}`,
		);
	}
	return scope;
}
