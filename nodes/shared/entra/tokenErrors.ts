import { AuthError, ServerError } from '@azure/msal-node';
import { PROXY_PASSWORD, ServiceError, type Explanation } from '../transport/errors';
import { TransportError, type HttpsResponse } from '../transport/https';
import { retryAdvice } from '../transport/responseErrors';
import { explainTransportError, type Destination } from '../transport/transportErrors';

/** Where tokens come from, for errors about the way there. */
const TOKEN_AUTHORITY: Destination = {
	name: 'token authority',
	fields: 'Tenant ID and Authority Host',
	hostField: 'Authority Host',
};

/** Entra's codes, without `AADSTS`, with what a person can do about each. */
export type TokenErrorExplanations = Readonly<Record<string, Explanation>>;

/**
 * Entra's codes that a person can do something about. Source: docs/service-facts.md#entra-errors.
 */
const EXPLANATIONS: TokenErrorExplanations = {
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
	'50034': {
		message: 'The app is not known in this tenant',
		fix: 'Check Client ID and Tenant ID: the app registration may be in another tenant.',
	},
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

/**
 * Explains why the token authority gave no OAuth answer: it was not reached, asks to come again later, or something in
 * between answered. It may be asked again, as nothing was sent to the service. Pure.
 */
export function explainAuthorityFailure(cause: TransportError | HttpsResponse): ServiceError {
	if (cause instanceof TransportError) return explainTransportError(cause, TOKEN_AUTHORITY);
	const { status, body } = cause;
	const { retry, retryAfterMs } = retryAdvice(cause);
	const isPassing = status === 429 || status >= 500;
	const code = codeIn(body);
	const words =
		status === 407
			? { message: PROXY_PASSWORD.message, description: PROXY_PASSWORD.fix }
			: status === 429
				? { message: 'Entra is receiving too many token requests', description: 'Wait and try again.' }
				: isPassing
					? { message: 'Entra is not available', description: 'Try again in a while.' }
					: {
							message: 'The token authority did not answer with JSON',
							description:
								'Check Authority Host in the credential, and the proxy between n8n and the internet.',
						};
	return new ServiceError({
		...words,
		httpCode: status,
		code: code === null ? null : `AADSTS${code}`,
		correlationId: correlationIn(body),
		retry: isPassing ? retry : 'never',
		isThrottled: retryAfterMs !== undefined,
		retryAfterMs,
	});
}

/**
 * Explains why there is no token. Entra's own text is not repeated: it names tenants and apps, and changes. Pure.
 * @param error what MSAL threw.
 * @param explanations of the codes about what the token is for.
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
