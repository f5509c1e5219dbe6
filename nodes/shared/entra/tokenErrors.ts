import { AuthError, InteractionRequiredAuthError, ServerError } from '@azure/msal-node';
import { proxyPassword, ServiceError, type Explanation } from '../transport/errors';
import { TransportError, type HttpsResponse } from '../transport/https';
import { retryAdvice } from '../transport/responseErrors';
import { explainTransportError, type Destination } from '../transport/transportErrors';

/** How errors name the token authority and the credential's fields that lead to it. */
const TOKEN_AUTHORITY: Destination = {
	name: 'token authority',
	fields: 'Tenant ID and Authority Host',
	hostField: 'Authority Host',
};

/** Explanations by Entra's code, without `AADSTS`. */
export type TokenErrorExplanations = Readonly<Record<string, Explanation>>;

const NO_SECRET: Explanation = {
	message: 'The app sent neither a client secret nor a certificate',
	fix: 'Check Authentication in the credential, and fill in what it asks for.',
};
const NO_TENANT: Explanation = {
	message: 'The tenant does not exist',
	fix: 'Check Tenant ID, and Authority Host if the tenant is in a sovereign cloud.',
};
const NO_APP: Explanation = {
	message: 'The app is not known in this tenant',
	fix: 'Check Client ID and Tenant ID: the app registration may be in another tenant.',
};

/** The codes that a person can do something about. Source: docs/service-facts.md#entra-errors. */
const EXPLANATIONS: TokenErrorExplanations = {
	'7000216': NO_SECRET,
	'7000218': NO_SECRET,
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
	'700016': NO_APP,
	'90002': NO_TENANT,
	'900023': NO_TENANT,
	'50034': NO_APP,
	'7000229': {
		message: 'The app has no service principal in this tenant',
		fix: 'Ask the administrator of the tenant to add the app under Enterprise applications (admin consent).',
	},
	'65001': {
		message: 'Nobody has consented to the app in this tenant',
		fix: 'Ask the administrator of the tenant for admin consent to the app.',
	},
	'900144': {
		message: 'A field of the credential is missing',
		fix: 'Check Client ID, and Client Secret or Certificate, in the credential.',
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

/** Finds Entra's code in the text of its answer. */
function codeIn(text: string): string | null {
	return /AADSTS(\d+)/.exec(text)?.[1] ?? null;
}

function codeOf(error: ServerError | AuthError): string | null {
	const numbered = error instanceof ServerError ? error.errorNo : undefined;
	// Its type is a text, but MSAL passes the number of Entra's answer on.
	return numbered === undefined ? codeIn(error.message) : String(numbered);
}

/** The errors of OAuth by which an authority refuses an app (RFC 6749, 5.2). A proxy's JSON has others. */
const REFUSALS = new Set([
	'invalid_request',
	'invalid_client',
	'invalid_grant',
	'unauthorized_client',
	'unsupported_grant_type',
	'invalid_scope',
	'invalid_resource',
	'access_denied',
]);
/** Entra's codes for what ends by itself, which may come with an error of a refusal. */
const TEMPORARY = new Set(['90033', '90020', '50196']);

/**
 * Whether what MSAL throws is a refusal: an OAuth error that does not end by itself. JSON of something else, e.g. of a
 * proxy, is none. Pure.
 */
export function isRefusal(error: unknown): boolean {
	if (error instanceof InteractionRequiredAuthError) return true;
	if (!(error instanceof ServerError)) return false;
	return REFUSALS.has(error.errorCode) && !TEMPORARY.has(codeOf(error) ?? '');
}

/** Finds Entra's correlation ID in the text of its answer. Microsoft's support does not know MSAL's own one. */
function correlationIn(text: string): string | null {
	return /Correlation ID:\s*([0-9a-f-]{36})/i.exec(text)?.[1] ?? null;
}

function authorityExplanation({ status, proxyVariable }: HttpsResponse): Explanation {
	if (status === 407) return proxyPassword(proxyVariable);
	if (status === 429) {
		return { message: 'Entra is receiving too many token requests', fix: 'Wait and try again.' };
	}
	if (status >= 500) return { message: 'Entra is not available', fix: 'Try again in a while.' };
	return {
		message: 'The token authority did not answer with JSON',
		fix: 'Check Authority Host in the credential, and the proxy between n8n and the internet.',
	};
}

/**
 * Turns an answer of the token authority that is no OAuth answer, or none at all, into an error that says how to fix it.
 * Pure.
 */
export function explainAuthorityFailure(cause: TransportError | HttpsResponse): ServiceError {
	if (cause instanceof TransportError) return explainTransportError(cause, TOKEN_AUTHORITY);
	const { status, body } = cause;
	const { retry, retryAfterMs } = retryAdvice(cause);
	const isTemporary = status === 429 || status >= 500;
	const code = codeIn(body);
	const { message, fix } = authorityExplanation(cause);
	return new ServiceError({
		message,
		description: fix,
		httpCode: status,
		code: code === null ? null : `AADSTS${code}`,
		correlationId: correlationIn(body),
		retry: isTemporary ? retry : 'never',
		isThrottled: retryAfterMs !== undefined,
		retryAfterMs,
	});
}

/**
 * Turns what MSAL throws into an error that says how to fix it. Entra's own text is left out, as it names tenants and
 * apps. Pure.
 * @param explanations of the codes that are about the scope of the token.
 */
export function explainTokenFailure(error: unknown, explanations: TokenErrorExplanations): ServiceError {
	if (!(error instanceof AuthError)) {
		return new ServiceError({
			message: 'No token could be fetched',
			description: 'Check the credential; its Test says more.',
		});
	}
	const code = codeOf(error);
	const explanation = code === null ? undefined : (explanations[code] ?? EXPLANATIONS[code]);
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
