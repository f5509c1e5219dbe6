import type { ChannelRow, ManagedIdentityRow } from '../../../emulator/dataverse/contract';
import type { QueryRequest, ReadRequest, SendRequest } from '../../shared/transport/request';

/** The tables by the names of their entity sets. Source: docs/service-facts.md#dataverse-tables. */
export const TABLES = {
	channels: 'msdyn_occustommessagingchannels',
	managedIdentities: 'managedidentities',
	workstreams: 'msdyn_liveworkstreams',
	conversations: 'msdyn_ocliveworkitems',
	transcripts: 'msdyn_transcripts',
	notes: 'annotations',
} as const;

type Table = (typeof TABLES)[keyof typeof TABLES];

/** The columns that can be written, by table. */
interface Rows {
	[TABLES.channels]: ChannelRow;
	[TABLES.managedIdentities]: ManagedIdentityRow;
}

const ODATA = { 'odata-version': '4.0', 'odata-maxversion': '4.0' };
/** Has Dataverse answer with the written row. */
const REPRESENTATION = 'return=representation';

/** The preference for the labels of choices and the names of look-ups. Source: docs/service-facts.md#conversation-record. */
export const WITH_LABELS = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"';

/** The request that reads the named columns of one row. @param prefer what else the answer is to have. */
export function rowRequest(
	table: Table,
	id: string,
	columns: readonly string[],
	prefer?: string,
): ReadRequest {
	return {
		method: 'GET',
		path: `/${table}(${id})`,
		query: { $select: columns.join(',') },
		headers: { ...ODATA, ...(prefer !== undefined && { prefer }) },
	};
}

/** The request that reads the rows that match an OData filter, in pages. */
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

/**
 * The request that inserts a row; the answer holds it.
 * @param howToVerify how to find out whether the row is there, where the answer was lost. A whole sentence.
 */
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
 * The request that changes an existing row; the answer holds it. Without `If-Match` a wrong ID would insert a new row.
 * @param version the etag of the row, so that a newer version is not overwritten; by default any version is changed.
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

/** The request that deletes a row. @param howToVerify as for {@link insertRequest}. */
export function deleteRequest(table: Table, id: string, howToVerify: string): SendRequest {
	return {
		method: 'DELETE',
		path: `/${table}(${id})`,
		headers: ODATA,
		isIdempotent: false,
		howToVerify,
	};
}

/** The request that calls an action without an effect. */
export function queryRequest<Body extends object>(action: string, body: Body): QueryRequest<Body> {
	return { method: 'POST', onlyReads: true, path: `/${action}`, body, headers: ODATA };
}

/** The request that reads the federated subject of a channel's managed identity. */
export function federatedSubjectRequest(channelId: string): ReadRequest {
	return {
		method: 'GET',
		path: `/GetComponentManagedIdentityFIC(ComponentName='msdyn_occustommessagingchannel',ComponentId=${channelId})`,
		headers: ODATA,
	};
}
