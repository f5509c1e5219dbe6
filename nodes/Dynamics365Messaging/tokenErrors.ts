import type { TokenErrorExplanations } from '../shared/entra/tokenErrors';

/** Entra's error codes about the organization that a token is for. Source: docs/service-facts.md#entra-errors. */
export const ORGANIZATION_TOKEN_ERRORS: TokenErrorExplanations = {
	'500011': {
		message: 'Geo (or Zone) or Organization ID is wrong',
		fix: 'Entra knows no such organization in this region. Check Geo and Organization ID in the credential. If the environment’s address is not that of the Geo, fill in Zone (crm4 in https://contoso.crm4.dynamics.com).',
	},
	'501051': {
		message: 'The app is not assigned to the organization in this tenant',
		fix: 'Ask the administrator to assign the app a role, or to switch off Assignment required under Enterprise applications.',
	},
	'650052': {
		message: 'The tenant has no service principal of the organization that the token is for',
		fix: 'Check Organization ID, Geo and Zone in the credential, and that the tenant has Dynamics 365.',
	},
	'650057': {
		message: 'The app is not meant for the organization that the token is for',
		fix: 'Check Organization ID and Zone in the credential.',
	},
	'900382': {
		message: 'The token authority is that of another cloud',
		fix: 'Check Cloud in the credential: the tenant is in another one.',
	},
	'500014': {
		message: 'The service principal of the organization is disabled in this tenant',
		fix: 'Ask the administrator of the tenant to enable it under Enterprise applications.',
	},
};
