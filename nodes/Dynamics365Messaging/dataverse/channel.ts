import { readKey, textOf, type Json } from '../../shared/json';
import { ServiceError, type Outcome } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import type { ReadRequest } from '../../shared/transport/request';
import { rowRequest, rowsRequest, TABLES } from './requests';

/** What `msdyn_occustomchannelid` of a Messaging API channel is. Source: docs/service-facts.md#channel-record. */
export const MESSAGING_API = 192350005 as const;

/** The columns that are read. Look-ups come as `_…_value`. */
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

/** A channel's record, by readable names. */
export interface Channel {
	channelId: string;
	name: string | null;
	/** Whether it is one of the Messaging API, and not of another custom channel. */
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
 * Reads a row. Pure.
 * @param outcome of the call that gave it: `uncertain` where it wrote.
 * @throws ServiceError where it is no row, which must not be taken for an empty one.
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

/** The call that reads one channel. */
export function channelRequest(channelId: string): ReadRequest {
	return rowRequest(TABLES.channels, channelId, COLUMNS);
}

/** Rows that a page of a list has at the most; more would be one answer of many megabytes. */
const PAGE_SIZE = 250;

/**
 * The list of the environment's Messaging API channels.
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

/** The call that says which application user the app is. */
export function whoAmIRequest(): ReadRequest {
	return { method: 'GET', path: '/WhoAmI()' };
}

/** The ID of the user that the answer to {@link whoAmIRequest} names; '' where it names none. Pure. */
export function readUserId(answer: Json): string {
	return textOf(readKey(answer, 'UserId')) ?? '';
}

/** The call that says what a user may do with a channel's record. Source: docs/service-facts.md#principal-access. */
export function accessRequest(userId: string, channelId: string): ReadRequest {
	return {
		method: 'GET',
		path: `/systemusers(${userId})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@target)`,
		query: { '@target': `{'@odata.id':'${TABLES.channels}(${channelId})'}` },
	};
}

/** The rights that the answer to {@link accessRequest} names, such as `WriteAccess`; none where it names none. Pure. */
export function readAccessRights(answer: Json): string[] {
	return (textOf(readKey(answer, 'AccessRights')) ?? '').split(',').map((right) => right.trim());
}
