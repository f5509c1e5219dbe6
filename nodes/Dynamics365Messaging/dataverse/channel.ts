import { rowRequest, rowsRequest, TABLES } from './requests';
import { ServiceError, type Outcome } from '../../shared/transport/errors';
import { readKey, textOf, type Json } from '../../shared/json';
import type { ReadRequest } from '../messagingApi/request';

/** What `msdyn_occustomchannelid` of a Messaging API channel is. Source: docs/service-facts.md#channel-record. */
export const MESSAGING_API = 192350005;

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

/** The call that lists the Messaging API channels of the environment. */
export function channelsRequest(pageSize: number | undefined): ReadRequest {
	return rowsRequest(TABLES.channels, COLUMNS, {
		filter: `msdyn_occustomchannelid eq ${MESSAGING_API}`,
		orderBy: 'msdyn_name asc',
		pageSize,
	});
}

/** The call that says which application user the app is. */
export function whoAmIRequest(): ReadRequest {
	return { api: 'dataverse', method: 'GET', path: '/WhoAmI()' };
}

/** Reads its answer. Pure. */
export function readUserId(answer: Json): string {
	return textOf(readKey(answer, 'UserId')) ?? '';
}

/** The call that says what a user may do with a channel's record. Source: docs/service-facts.md#principal-access. */
export function accessRequest(userId: string, channelId: string): ReadRequest {
	return {
		api: 'dataverse',
		method: 'GET',
		path: `/systemusers(${userId})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@target)`,
		query: { '@target': `{'@odata.id':'${TABLES.channels}(${channelId})'}` },
	};
}

/** Reads its answer: `ReadAccess, WriteAccess, …`. Pure. */
export function readAccessRights(answer: Json): string[] {
	return (textOf(readKey(answer, 'AccessRights')) ?? '').split(',').map((right) => right.trim());
}
