import { readKey, textOf, type Json } from '../../shared/json';
import { ServiceError, type Outcome } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import type { ReadRequest } from '../../shared/transport/request';
import { rowRequest, rowsRequest, TABLES } from './requests';

/** The value of `msdyn_occustomchannelid` of a Messaging API channel. Source: docs/service-facts.md#channel-record. */
export const MESSAGING_API = 192350005 as const;

/** The columns that are read. Lookup columns are named `_…_value`. */
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

/** A channel's record. IDs are in lower case. */
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
				'Check Environment URL in the credential. Look at the channel (Channel: Get Many) before you repeat what writes.',
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

/** The request that reads one channel. */
export function channelRequest(channelId: string): ReadRequest {
	return rowRequest(TABLES.channels, channelId, COLUMNS);
}

/** Rows of a page. Dataverse's own page size would make an answer of many megabytes. */
const PAGE_SIZE = 250;

/**
 * The list of the environment's Messaging API channels, by name.
 * @param limit how many at the most; undefined for all.
 */
export function channelList(limit: number | undefined): ListRequest {
	const request = rowsRequest(TABLES.channels, COLUMNS, {
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
