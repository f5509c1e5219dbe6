import { MICROSOFT } from '../../shared/entra/microsoft';
import { nonEmptyText, parseJson, readKey } from '../../shared/json';
import type { Explanation, ServiceError } from '../../shared/transport/errors';
import type { HttpsResponse } from '../../shared/transport/https';
import type { Verification } from '../../shared/transport/request';
import { explainResponse } from '../../shared/transport/responseErrors';

const GIVE_ROLE =
	'Give the application user a security role with rights on Custom Messaging Channels and Managed Identities, and to read Conversations, Transcripts, Notes, Languages and Customer Voice Surveys where you use these, in the Power Platform admin center.';

/** Dataverse's code where a record is not there. Source: docs/service-facts.md#dataverse-errors. */
export const NO_RECORD = '0x80040217';

/** Dataverse's codes that a user can do something about. */
const BY_CODE: Record<string, Explanation> = {
	[NO_RECORD]: {
		message: 'Dataverse has no such record',
		fix: 'Check the ID of the channel or the conversation, and the IDs that the channel refers to (workstream, survey, language). Check that Environment URL in the credential is the right environment.',
	},
	'0x80040220': { message: 'The app’s role in Dataverse does not allow this', fix: GIVE_ROLE },
	'0x80042f09': { message: 'The app has no role in Dataverse', fix: GIVE_ROLE },
	'0x80072560': {
		message: 'The app is not a user of this Dataverse environment',
		fix: 'Add the app as an application user with a security role: Power Platform admin center, the environment, Settings, Users + permissions, Application users.',
	},
	'0x80048d19': {
		message: 'Dataverse could not read the request',
		fix: 'The environment may not have the columns of a Messaging API channel yet: check that Contact Center is installed and up to date.',
	},
	'0x80044331': { message: 'A text is too long for Dataverse', fix: 'Shorten it.' },
	'0x8006088a': {
		message: 'Dataverse does not know what was asked for',
		fix: 'The environment may not have the tables of Contact Center: check Environment URL, and that it is installed.',
	},
};
const LIMITED: Explanation = {
	message: 'Dataverse is receiving too many requests',
	fix: 'Wait and try again, or send fewer at a time.',
};
for (const code of ['0x80072322', '0x80072321', '0x80072326']) BY_CODE[code] = LIMITED;

const BY_STATUS: Record<number, Explanation> = {
	401: {
		message: 'Dataverse did not accept the token',
		fix: 'Check Environment URL and Tenant ID in the credential, and that the app is an application user of the environment.',
	},
	400: { message: 'Dataverse did not accept the request', fix: 'Check the fields of this node.' },
	403: {
		message: 'Dataverse refuses this to the app',
		fix: 'The app is not an application user of the environment, or its security role does not allow this: Power Platform admin center, the environment, Settings, Users + permissions, Application users.',
	},
	404: {
		message: 'Dataverse does not know this record or table',
		fix: 'Check the ID of the channel or the conversation, and Environment URL in the credential.',
	},
	412: {
		message: 'Somebody else changed or deleted the record',
		fix: 'Look at it and try again.',
	},
	413: { message: 'What was sent is too large for Dataverse', fix: 'Shorten it.' },
	429: LIMITED,
};

/**
 * Turns an error answer of Dataverse into an error that says how to fix it. Pure.
 * Source: docs/service-facts.md#dataverse-errors.
 * @param verification of the request; undefined for one that only reads.
 */
export function explainDataverseError(response: HttpsResponse, verification?: Verification): ServiceError {
	const code =
		nonEmptyText(readKey(readKey(parseJson(response.body), 'error'), 'code'))?.toLowerCase() ?? null;
	const explanation = (code === null ? undefined : BY_CODE[code]) ?? BY_STATUS[response.status];
	const source = { ...MICROSOFT, name: 'Dataverse', code, explanation, fields: 'Environment URL' };
	return explainResponse(response, source, verification);
}
