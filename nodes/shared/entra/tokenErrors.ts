import { AuthError, ServerError } from '@azure/msal-node';
import type { IncomingHttpHeaders } from 'node:http';
import { PROXY_PASSWORD, ServiceError, type Explanation } from '../transport/errors';
import { retryAfterMs } from '../transport/throttle';

/** The services that tokens are for. */
export type Api = 'messaging' | 'dataverse' | 'communication';

/** The token authority answered, but not now: it may be asked again. */
export class TokenRefusal extends ServiceError {
	/** Milliseconds; undefined where the authority does not say. */
	readonly retryAfter: number | undefined;
	/** Whether it is worth asking again. */
	readonly passing: boolean;

	constructor(
		details: ConstructorParameters<typeof ServiceError>[0],
		again: { retryAfter: number | undefined; passing: boolean },
	) {
		super(details);
		this.retryAfter = again.retryAfter;
		this.passing = again.passing;
	}
}

/**
 * Entra's codes that a person can do something about. Source: docs/service-facts.md#entra-errors.
 */
const EXPLANATIONS: Record<string, Explanation> = {
	'7000216': {
		message: 'The app sent neither a client secret nor a certificate',
		fix: 'Check Authentication in the credential, and fill in what it asks for.',
	},
	'7000218': {
		message: 'The app sent neither a client secret nor a certificate',
		fix: 'Check Authentication in the credential, and fill in what it asks for.',
	},
	'700027': {
		message: 'The certificate is not one of the app registration',
		fix: 'Upload the certificate under Certificates & secrets of the app registration, or paste the one that is there with its key. If it is there, check the clock of this machine.',
	},
	'700024': {
		message: 'The clock of this machine is wrong: what it signed is not valid at this time',
		fix: 'Set the clock of the machine that n8n runs on (NTP).',
	},
	'700023': {
		message: 'The certificate was used for another token authority',
		fix: 'Check Tenant ID and Authority Host in the credential.',
	},
	'7000215': {
		message: 'The client secret is wrong',
		fix: 'Paste the value of the secret (not its ID) from Certificates & secrets of the app registration.',
	},
	'7000222': {
		message: 'The client secret has expired',
		fix: 'Create a new secret under Certificates & secrets of the app registration and paste its value.',
	},
	'700016': {
		message: 'The app is not known in this tenant',
		fix: 'Check Client ID and Tenant ID: the app registration may be in another tenant.',
	},
	'90002': {
		message: 'The tenant does not exist',
		fix: 'Check Tenant ID, and Authority Host if the tenant is in a sovereign cloud.',
	},
	'900023': {
		message: 'The tenant does not exist',
		fix: 'Check Tenant ID, and Authority Host if the tenant is in a sovereign cloud.',
	},
	'500011': {
		message: 'Geo (or Zone) or Organization ID is wrong',
		fix: 'Entra knows no such organization in this region. Check Geo and Organization ID in the credential. If the environment’s address is not that of the Geo, fill in Zone (crm4 in https://contoso.crm4.dynamics.com).',
	},
	'50034': {
		message: 'The app is not known in this tenant',
		fix: 'Check Client ID and Tenant ID: the app registration may be in another tenant.',
	},
	'7000229': {
		message: 'The app has no service principal in this tenant',
		fix: 'Ask the administrator of the tenant to add the app under Enterprise applications (admin consent).',
	},
	'501051': {
		message: 'The app is not assigned to the organization in this tenant',
		fix: 'Ask the administrator to assign the app a role, or to switch off Assignment required under Enterprise applications.',
	},
	'65001': {
		message: 'Nobody has consented to the app in this tenant',
		fix: 'Ask the administrator of the tenant for admin consent to the app.',
	},
	'650052': {
		message: 'The tenant has no service principal of the organization that the token is for',
		fix: 'Check Organization ID, Geo and Zone in the credential, and that the tenant has Dynamics 365.',
	},
	'650057': {
		message: 'The app is not meant for the organization that the token is for',
		fix: 'Check Organization ID and Zone in the credential.',
	},
	'900144': {
		message: 'A field of the credential is missing',
		fix: 'Check Client ID, and Client Secret or Certificate, in the credential.',
	},
	'900382': {
		message: 'The token authority is that of another cloud',
		fix: 'Check Cloud in the credential: the tenant is in another one.',
	},
	'500014': {
		message: 'The service principal of the organization is disabled in this tenant',
		fix: 'Ask the administrator of the tenant to enable it under Enterprise applications.',
	},
	'7000112': {
		message: 'The app is disabled in this tenant',
		fix: 'Enable it under Enterprise applications, or use another app registration.',
	},
	'53003': {
		message: 'A Conditional Access policy blocks the app',
		fix: 'Ask the administrator of the tenant to allow this workload identity from the address of n8n.',
	},
	'1002012': {
		message: 'The scope is not one for an app',
		fix: 'Leave Scope empty, or give one that ends with /.default.',
	},
	'70011': {
		message: 'The scope is not valid',
		fix: 'Leave Scope empty, or give one that ends with /.default.',
	},
};

/** Entra's codes about what the token is for, where that is not the organization. */
const BY_API: Partial<Record<Api, Record<string, Explanation>>> = {
	dataverse: {
		'500011': {
			message: 'Environment URL is not one that Entra knows in this tenant',
			fix: 'Copy the address of the environment out of the browser, such as https://contoso.crm4.dynamics.com, and check Tenant ID.',
		},
	},
	communication: {
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
	},
};

/** Entra's own code in the text of its answer. */
function codeIn(text: string): string | null {
	return /AADSTS(\d+)/.exec(text)?.[1] ?? null;
}

function codeOf(error: ServerError | AuthError): string | null {
	const numbered = error instanceof ServerError ? error.errorNo : undefined;
	// MSAL's types say a text, but it hands on the number of Entra's answer.
	return numbered === undefined ? codeIn(error.message) : String(numbered);
}

/** Entra's correlation id, which is in the text of its answer; MSAL's own one is not known to Microsoft's support. */
function correlationIn(text: string): string | null {
	return /Correlation ID:\s*([0-9a-f-]{36})/i.exec(text)?.[1] ?? null;
}

/** Explains an answer of the token authority that is no OAuth answer, or that asks to come again later. */
export function explainTokenRefusal(response: {
	status: number;
	headers: IncomingHttpHeaders;
	body: string;
}): TokenRefusal {
	const { status, headers, body } = response;
	const passing = status === 429 || status >= 500;
	const code = codeIn(body);
	const words =
		status === 407
			? { message: PROXY_PASSWORD.message, description: PROXY_PASSWORD.fix }
			: status === 429
				? { message: 'Entra is receiving too many token requests', description: 'Wait and try again.' }
				: passing
					? { message: 'Entra is not available', description: 'Try again in a while.' }
					: {
							message: 'The token authority did not answer with JSON',
							description:
								'Check Authority Host in the credential, and the proxy between n8n and the internet.',
						};
	return new TokenRefusal(
		{
			...words,
			httpCode: status,
			code: code === null ? null : `AADSTS${code}`,
			correlationId: correlationIn(body),
		},
		{ retryAfter: retryAfterMs(headers['retry-after'], headers.date), passing },
	);
}

/**
 * Explains why there is no token. Entra's own text is not repeated: it names tenants and apps, and changes.
 * @param error what MSAL threw.
 * @param api which service the token was for.
 */
export function explainTokenFailure(error: unknown, api: Api): ServiceError {
	if (!(error instanceof AuthError)) {
		return new ServiceError({
			message: 'No token could be fetched',
			description: 'Check the credential; its Test says more.',
		});
	}
	const code = codeOf(error);
	const explanation = code === null ? undefined : (BY_API[api]?.[code] ?? EXPLANATIONS[code]);
	return new ServiceError({
		message: explanation?.message ?? 'Entra did not issue a token',
		description:
			explanation?.fix ??
			`Look up ${code === null ? error.errorCode : `AADSTS${code}`} and check the credential.`,
		code: code === null ? error.errorCode : `AADSTS${code}`,
		correlationId: correlationIn(error.message),
		httpCode: error instanceof ServerError ? (error.status ?? null) : null,
	});
}
