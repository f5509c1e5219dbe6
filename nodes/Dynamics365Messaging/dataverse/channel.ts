import { readKey, textOf, type Json } from '../../shared/json';
import { ServiceError, type Outcome } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import type { ReadRequest } from '../../shared/transport/request';
import { ALL_COLUMNS, LABEL, rowRequest, rowsRequest, TABLES } from './requests';

/** The value of `msdyn_occustomchannelid` of a Messaging API channel. Source: docs/service-facts.md#channel-record. */
export const MESSAGING_API = 192350005 as const;

/** The columns that the set-up needs. Lookup columns are named `_…_value`. */
export const COLUMNS = [
	'msdyn_occustommessagingchannelid',
	'msdyn_name',
	'msdyn_occustomchannelid',
	'msdyn_appid',
	'msdyn_tenantid',
	'msdyn_webhookurl',
	'msdyn_enablefileattachmentsforagents',
	'msdyn_enablefileattachmentsforcustomers',
	'_managedidentityid_value',
	'_msdyn_liveworkstreamid_value',
] as const;

/** A channel's record, as far as the set-up needs it. IDs are in lower case. */
export interface Channel {
	channelId: string;
	name: string | null;
	/** Whether it is a Messaging API channel, and not another custom channel. */
	isMessagingApi: boolean;
	appId: string | null;
	tenantId: string | null;
	webhookUrl: string | null;
	attachmentsForAgents: boolean;
	attachmentsForCustomers: boolean;
	managedIdentityId: string | null;
	workstreamId: string | null;
}

/** How a survey is sent, and its numbers. Source: docs/service-facts.md#channel-survey. */
export const SURVEY_MODES = { inConversation: 192350000, link: 192350001 } as const;

/** A record that another one refers to. */
export interface Reference {
	/** A GUID in lower case. */
	id: string | null;
	name: string | null;
}

/** The survey that follows a conversation. The ID and the name are those of the survey in Customer Voice. */
export interface ChannelSurvey extends Reference {
	enabled: boolean;
	/** A key of {@link SURVEY_MODES}; the number of a mode that has none there. */
	mode: string | null;
	/** What stands before the link. */
	text: string | null;
}

/** A channel's record with what Dynamics 365 does in its conversations. */
export interface ChannelSettings extends Channel {
	/** Whether messages are translated. */
	translation: boolean;
	language: Reference;
	survey: ChannelSurvey;
	/** The survey after the conversations of AI agents. */
	aiAgentSurvey: ChannelSurvey;
}

function idOf(value: unknown): string | null {
	return textOf(value)?.toLowerCase() ?? null;
}

/**
 * Reads a channel's row. Pure.
 * @param outcome of the error: `uncertain` where the call that gave the row wrote something.
 * @throws ServiceError where the answer is not a row, so that it does not pass for an empty one.
 */
export function readChannel(row: Json, outcome: Outcome = 'notSent'): Channel {
	const channelId = idOf(readKey(row, 'msdyn_occustommessagingchannelid'));
	if (channelId === null) {
		throw new ServiceError({
			message: 'Dataverse did not answer with a channel record',
			description:
				'Check Environment URL in the credential. Before you repeat a change, look at the channel (Channel: Get Many).',
			outcome,
		});
	}
	return {
		channelId,
		name: textOf(readKey(row, 'msdyn_name')),
		isMessagingApi: Number(readKey(row, 'msdyn_occustomchannelid')) === MESSAGING_API,
		appId: idOf(readKey(row, 'msdyn_appid')),
		tenantId: idOf(readKey(row, 'msdyn_tenantid')),
		webhookUrl: textOf(readKey(row, 'msdyn_webhookurl')),
		attachmentsForAgents: readKey(row, 'msdyn_enablefileattachmentsforagents') === true,
		attachmentsForCustomers: readKey(row, 'msdyn_enablefileattachmentsforcustomers') === true,
		managedIdentityId: idOf(readKey(row, '_managedidentityid_value')),
		workstreamId: idOf(readKey(row, '_msdyn_liveworkstreamid_value')),
	};
}

/** Reads a look-up and the name of what it refers to. @param name of the look-up, without what its column adds to it. */
function referenceOf(row: Json, name: string): Reference {
	const column = `_${name}_value`;
	return { id: idOf(readKey(row, column)), name: textOf(readKey(row, `${column}${LABEL}`)) };
}

/** Reads a mode into its name. One that is not known yet is not to be lost. */
function modeOf(value: Json | undefined): string | null {
	const known = Object.entries(SURVEY_MODES).find(([, mode]) => mode === value);
	return known ? known[0] : textOf(value);
}

/**
 * Reads a channel's row with all that {@link settingsRequest} asks for. What the environment lacks is off, or null. Pure.
 * Source: docs/service-facts.md#channel-language and docs/service-facts.md#channel-survey.
 * @param outcome as for {@link readChannel}.
 * @throws ServiceError as {@link readChannel} does.
 */
export function readSettings(row: Json, outcome: Outcome = 'notSent'): ChannelSettings {
	return {
		...readChannel(row, outcome),
		translation: readKey(row, 'msdyn_enablerealtimelanguagetranslation') === true,
		language: referenceOf(row, 'msdyn_ocwidgetlanguage'),
		survey: {
			enabled: readKey(row, 'msdyn_postconversationsurveyenable') === true,
			mode: modeOf(readKey(row, 'msdyn_postconversationsurveymode')),
			text: textOf(readKey(row, 'msdyn_postconversationsurveymessagetext')),
			...referenceOf(row, 'msdyn_postconversationsurvey'),
		},
		aiAgentSurvey: {
			enabled: readKey(row, 'msdyn_postconversationsurveybotsurvey') === true,
			mode: modeOf(readKey(row, 'msdyn_postconversationsurveybotsurveymode')),
			text: textOf(readKey(row, 'msdyn_postconversationsurveybotsurveymessagetext')),
			...referenceOf(row, 'msdyn_postconversationsurveyseparatebotsurvey'),
		},
	};
}

/** The request that reads of one channel what {@link readChannel} reads. */
export function channelRequest(channelId: string): ReadRequest {
	return rowRequest(TABLES.channels, channelId, COLUMNS);
}

/** The request that reads of one channel what {@link readSettings} reads. */
export function settingsRequest(channelId: string): ReadRequest {
	return rowRequest(TABLES.channels, channelId, ALL_COLUMNS);
}

/** Rows of a page. Dataverse's own page size would make an answer of many megabytes. */
const PAGE_SIZE = 250;

/**
 * The list of the environment's Messaging API channels, by name.
 * @param limit how many at the most; undefined for all.
 */
export function channelList(limit: number | undefined): ListRequest {
	const request = rowsRequest(TABLES.channels, ALL_COLUMNS, {
		filter: `msdyn_occustomchannelid eq ${MESSAGING_API}`,
		orderBy: 'msdyn_name asc',
		pageSize: Math.min(limit ?? PAGE_SIZE, PAGE_SIZE),
	});
	return { request, entriesKey: 'value', limit };
}

/** The request that asks which application user the app is. */
export function whoAmIRequest(): ReadRequest {
	return { method: 'GET', path: '/WhoAmI()' };
}

/**
 * Reads the answer to {@link whoAmIRequest}. Pure.
 * @returns the ID of the application user, a GUID; '' where the answer has none.
 */
export function readUserId(answer: Json): string {
	return textOf(readKey(answer, 'UserId')) ?? '';
}

/** The request that asks for a user's rights on a channel's record. Source: docs/service-facts.md#principal-access. */
export function accessRequest(userId: string, channelId: string): ReadRequest {
	return {
		method: 'GET',
		path: `/systemusers(${userId})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@target)`,
		query: { '@target': `{'@odata.id':'${TABLES.channels}(${channelId})'}` },
	};
}

/**
 * Reads the answer to {@link accessRequest}. Pure.
 * @returns the rights by Dataverse's names, such as `ReadAccess` and `WriteAccess`; no known right where it has none.
 */
export function readAccessRights(answer: Json): string[] {
	return (textOf(readKey(answer, 'AccessRights')) ?? '').split(',').map((right) => right.trim());
}
