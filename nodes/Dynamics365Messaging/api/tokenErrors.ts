import { AuthError, ServerError } from '@azure/msal-node';
import { ServiceError } from './errors';

/** Entra's codes that a person can do something about. Source: shared reference, "What people get wrong". */
const EXPLANATIONS: Record<string, { message: string; fix: string }> = {
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
		fix: 'Check Tenant ID, and Authority Host if the organization is in a sovereign cloud.',
	},
	'900023': {
		message: 'The tenant does not exist',
		fix: 'Check Tenant ID, and Authority Host if the organization is in a sovereign cloud.',
	},
	'500011': {
		message:
			'The zone or the organization ID is wrong: Entra does not know the organization that the token is for',
		fix: 'Check Organization ID, Geo and Zone (crm4 in https://contoso.crm4.dynamics.com) in the credential.',
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

function codeOf(error: ServerError | AuthError): string | null {
	const numbered = error instanceof ServerError ? error.errorNo : undefined;
	return numbered ?? /AADSTS(\d+)/.exec(error.message)?.[1] ?? null;
}

/** Entra's correlation id, which is in the text of its answer; MSAL's own one is not known to Microsoft's support. */
function correlationOf(error: Error): string | null {
	return /Correlation ID:\s*([0-9a-f-]{36})/i.exec(error.message)?.[1] ?? null;
}

/**
 * Explains why there is no token. Entra's own text is not repeated: it names tenants and apps, and changes.
 * @param error what MSAL threw.
 */
export function explainTokenFailure(error: unknown): ServiceError {
	if (!(error instanceof AuthError)) {
		return new ServiceError({
			message: 'No token could be fetched',
			description: 'Check the credential; its Test says more.',
		});
	}
	const code = codeOf(error);
	const explanation = code === null ? undefined : EXPLANATIONS[code];
	return new ServiceError({
		message: explanation?.message ?? 'Entra did not issue a token',
		description:
			explanation?.fix ??
			`Look up ${code === null ? error.errorCode : `AADSTS${code}`} and check the credential.`,
		code: code === null ? error.errorCode : `AADSTS${code}`,
		correlationId: correlationOf(error),
		httpCode: error instanceof ServerError ? (error.status ?? null) : null,
	});
}
