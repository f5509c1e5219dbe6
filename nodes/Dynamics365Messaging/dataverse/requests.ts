import type { ChannelRow, ManagedIdentityRow } from '../../../emulator/dataverse/contract';
import type { QueryRequest, ReadRequest, SendRequest } from '../../shared/transport/request';

/** The tables by the names of their entity sets. Source: docs/service-facts.md#dataverse-tables. */
export const TABLES = {
	channels: 'msdyn_occustommessagingchannels',
	managedIdentities: 'managedidentities',
	workstreams: 'msdyn_liveworkstreams',
	languages: 'msdyn_oclanguages',
	surveys: 'msfp_surveies',
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

/** What a column is called that holds the label of another one. Source: docs/service-facts.md#conversation-record. */
export const LABEL = '@OData.Community.Display.V1.FormattedValue';
/** The preference for the labels of choices and the names of look-ups. Source: docs/service-facts.md#conversation-record. */
export const WITH_LABELS = `odata.include-annotations="${LABEL.slice(1)}"`;

/** All columns that the table has, with their labels: to name one that an environment lacks would be an error. */
export const ALL_COLUMNS = 'all';
/** Which columns of a row are wanted. */
type Columns = readonly string[] | typeof ALL_COLUMNS;

/** The query option for the wanted columns. */
function selected(columns: Columns): Record<string, string> {
	return columns === ALL_COLUMNS ? {} : { $select: columns.join(',') };
}

/** The header with the preferences, among them that for the labels of all columns. */
function preferring(columns: Columns, preference = ''): Record<string, string> {
	const preferences = [preference, columns === ALL_COLUMNS ? WITH_LABELS : ''].filter((one) => one !== '');
	return preferences.length === 0 ? {} : { prefer: preferences.join(',') };
}

/** The request that reads one row. @param prefer what else the answer is to have. */
export function rowRequest(table: Table, id: string, columns: Columns, prefer?: string): ReadRequest {
	return {
		method: 'GET',
		path: `/${table}(${id})`,
		query: selected(columns),
		headers: { ...ODATA, ...preferring(columns, prefer) },
	};
}

/** The request that reads the rows that match an OData filter, in pages. `prefer` is for those that come in one page. */
export function rowsRequest(
	table: Table,
	columns: Columns,
	options: { filter?: string; orderBy?: string; pageSize?: number; prefer?: string } = {},
): ReadRequest {
	const { filter, orderBy, pageSize, prefer } = options;
	return {
		method: 'GET',
		path: `/${table}`,
		query: {
			...selected(columns),
			...(filter !== undefined && { $filter: filter }),
			...(orderBy !== undefined && { $orderby: orderBy }),
		},
		headers: {
			...ODATA,
			...preferring(columns, pageSize === undefined ? prefer : `odata.maxpagesize=${pageSize}`),
		},
	};
}

/**
 * The request that inserts a row; the answer holds it.
 * @param howToVerify how to find out whether the row is there, where the answer was lost. A whole sentence.
 */
export function insertRequest<Written extends keyof Rows>(
	table: Written,
	row: Rows[Written],
	columns: Columns,
	howToVerify: string,
): SendRequest<Rows[Written]> {
	return {
		method: 'POST',
		path: `/${table}`,
		query: selected(columns),
		body: row,
		headers: { ...ODATA, ...preferring(columns, REPRESENTATION) },
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
	columns: Columns,
	version = '*',
): SendRequest<Rows[Written]> {
	return {
		method: 'PATCH',
		path: `/${table}(${id})`,
		query: selected(columns),
		body: changes,
		headers: { ...ODATA, 'if-match': version, ...preferring(columns, REPRESENTATION) },
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
