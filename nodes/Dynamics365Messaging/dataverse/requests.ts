import type { ChannelRow, ManagedIdentityRow } from '../../../emulator/dataverse/contract';
import type { ReadRequest, SendRequest } from '../../shared/transport/request';

/** The tables that are used, by the names of their sets. Source: docs/service-facts.md#dataverse-tables. */
export const TABLES = {
	channels: 'msdyn_occustommessagingchannels',
	managedIdentities: 'managedidentities',
	workstreams: 'msdyn_liveworkstreams',
} as const;

type Table = (typeof TABLES)[keyof typeof TABLES];

/** What may be written into a row of each table. */
interface Rows {
	[TABLES.channels]: ChannelRow;
	[TABLES.managedIdentities]: ManagedIdentityRow;
}

const ODATA = { 'odata-version': '4.0', 'odata-maxversion': '4.0' };
/** An answer holds what was written. */
const REPRESENTATION = 'return=representation';

/** One row, with the columns that are named. */
export function rowRequest(table: Table, id: string, columns: readonly string[]): ReadRequest {
	return {
		method: 'GET',
		path: `/${table}(${id})`,
		query: { $select: columns.join(',') },
		headers: ODATA,
	};
}

/** The rows that a filter lets through, in pages. */
export function rowsRequest(
	table: Table,
	columns: readonly string[],
	options: { filter?: string; orderBy?: string; pageSize?: number } = {},
): ReadRequest {
	const { filter, orderBy, pageSize } = options;
	return {
		method: 'GET',
		path: `/${table}`,
		query: {
			$select: columns.join(','),
			...(filter !== undefined && { $filter: filter }),
			...(orderBy !== undefined && { $orderby: orderBy }),
		},
		headers: { ...ODATA, ...(pageSize !== undefined && { prefer: `odata.maxpagesize=${pageSize}` }) },
	};
}

/** A new row; the answer holds it. */
export function insertRequest<Written extends keyof Rows>(
	table: Written,
	row: Rows[Written],
	columns: readonly string[],
	howToVerify: string,
): SendRequest<Rows[Written]> {
	return {
		method: 'POST',
		path: `/${table}`,
		query: { $select: columns.join(',') },
		body: row,
		headers: { ...ODATA, prefer: REPRESENTATION },
		isIdempotent: false,
		howToVerify,
	};
}

/**
 * Changes to a row that exists: without `If-Match` a wrong id would make a new one. The answer holds the row.
 * @param version the row's etag, where it must not have been changed since; by default any version will do.
 */
export function updateRequest<Written extends keyof Rows>(
	table: Written,
	id: string,
	changes: Rows[Written],
	columns: readonly string[],
	version = '*',
): SendRequest<Rows[Written]> {
	return {
		method: 'PATCH',
		path: `/${table}(${id})`,
		query: { $select: columns.join(',') },
		body: changes,
		headers: { ...ODATA, 'if-match': version, prefer: REPRESENTATION },
		isIdempotent: true,
		howToVerify: 'Look at the channel (Channel: Get); writing the same twice does no harm.',
	};
}

/** Removes a row. */
export function deleteRequest(table: Table, id: string, howToVerify: string): SendRequest {
	return {
		method: 'DELETE',
		path: `/${table}(${id})`,
		headers: ODATA,
		isIdempotent: false,
		howToVerify,
	};
}

/** The federated subject of a channel's managed identity. */
export function federatedSubjectRequest(channelId: string): ReadRequest {
	return {
		method: 'GET',
		path: `/GetComponentManagedIdentityFIC(ComponentName='msdyn_occustommessagingchannel',ComponentId=${channelId})`,
		headers: ODATA,
	};
}
