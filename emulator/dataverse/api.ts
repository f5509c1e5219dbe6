import type { Channels } from '../channels';
import type { Settings } from '../settings';
import type { World } from '../world';
import { DataverseError, duplicateRecord, missingRecord, otherVersion } from './errors';
import { type Expansion, type Preferences, type Query, wants, writeSkipToken } from './query';
import type { Resolved, TableRequest } from './request';
import { type Column, type Row, type Table, tableOf, tables as allTables } from './schema';
import { etagOf, type Tables } from './tables';

export interface ApiParts {
	world: World;
	settings: Settings;
	tables: Tables;
	channels: Channels;
	/** Of the service; known only after it listens. */
	origin: () => string;
}

/** An answer; one without a body has none at all. */
export interface DataverseAnswer {
	status: number;
	headers: Record<string, string>;
	body?: Record<string, unknown>;
	errorCode?: string;
}

/** A request as the API needs it, after its token was found good. */
export interface DataverseCall {
	method: string;
	/** Path and query. */
	path: string;
	/** Names in lower case. */
	headers: Record<string, string>;
	resolved: Resolved;
}

type Verb = 'Read' | 'Create' | 'Write' | 'Delete';

const FORMATTED = 'OData.Community.Display.V1.FormattedValue';
const LOGICAL_NAME = 'Microsoft.Dynamics.CRM.lookuplogicalname';
const NAVIGATION = 'Microsoft.Dynamics.CRM.associatednavigationproperty';
/** A page is never larger, whatever is asked for. */
const LARGEST_PAGE = 5_000;

/** Times as a user of the United States in UTC reads them; other formats follow the user's settings. */
function formatTime(time: string): string {
	const options = { dateStyle: 'short', timeStyle: 'short', timeZone: 'UTC' } as const;
	return new Intl.DateTimeFormat('en-US', { ...options }).format(new Date(time));
}

/** Dataverse's own behaviour behind its token check. */
export class DataverseApi {
	constructor(private readonly parts: ApiParts) {}

	/** @throws DataverseError */
	answer(call: DataverseCall): DataverseAnswer {
		const { dataverse } = this.parts.settings;
		if (!dataverse.applicationUser) {
			throw new DataverseError('0x80072560', 'The user is not a member of the organization.');
		}
		const { operationId } = call.resolved;
		const read = call.resolved.read();
		if ('args' in read) return this.answerFunction(operationId, read.args);
		return this.answerTable(call, read.request);
	}

	private get base(): string {
		return `${this.parts.origin()}/api/data/v9.2`;
	}

	private answerFunction(operationId: string | null, args: Record<string, string>): DataverseAnswer {
		const body = this.functionOf(operationId)(args);
		return { status: 200, headers: {}, body };
	}

	private functionOf(operationId: string | null) {
		switch (operationId) {
			case 'dataverse.whoAmI':
				return () => this.whoAmI();
			case 'dataverse.retrieveAccess':
				return (args: Record<string, string>) => this.access(args);
			default:
				return (args: Record<string, string>) => this.federatedSubject(args);
		}
	}

	/** What the application user may do with a channel's record, by its role. */
	private access({ Target = '' }: Record<string, string>): Record<string, unknown> {
		const id = /msdyn_occustommessagingchannels\(([0-9a-f-]{36})\)/i.exec(Target)?.[1] ?? '';
		this.parts.tables.get(tableOf('msdyn_occustommessagingchannel'), id.toLowerCase());
		const { role } = this.parts.settings.dataverse;
		const rights = {
			full: 'ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess',
			readOnly: 'ReadAccess',
			none: 'None',
		};
		return {
			'@odata.context': `${this.base}/$metadata#Microsoft.Dynamics.CRM.RetrievePrincipalAccessResponse`,
			AccessRights: rights[role],
		};
	}

	private whoAmI(): Record<string, unknown> {
		const { applicationUserId, businessUnitId, organizationId } = this.parts.world;
		return {
			'@odata.context': `${this.base}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse`,
			BusinessUnitId: businessUnitId,
			UserId: applicationUserId,
			OrganizationId: organizationId,
		};
	}

	private federatedSubject({
		ComponentName = '',
		ComponentId = '',
	}: Record<string, string>): Record<string, unknown> {
		const table = tableOf('msdyn_occustommessagingchannel');
		if (ComponentName !== table.logicalName) {
			throw new DataverseError(
				'0x80041102',
				`The entity with a name = '${ComponentName}' with namemapping = 'Logical' was not found in the MetadataCache.`,
			);
		}
		this.demand('Read', table);
		const subject = this.parts.channels.subjectOf(this.parts.tables.get(table, ComponentId.toLowerCase()));
		if (subject === undefined) {
			throw new DataverseError(
				'0x80040203',
				`The component ${ComponentName} with Id = ${ComponentId} is not associated with a managed identity.`,
			);
		}
		return {
			'@odata.context': `${this.base}/$metadata#Microsoft.Dynamics.CRM.GetComponentManagedIdentityFICResponse`,
			FICSubject: subject,
		};
	}

	private answerTable(call: DataverseCall, request: TableRequest): DataverseAnswer {
		const { id, table } = request;
		switch (call.method) {
			case 'GET':
				this.demand('Read', table);
				return id === undefined ? this.list(call, request) : this.retrieve(call, request, id);
			case 'POST':
				this.demand('Create', table);
				return this.written(request, this.parts.tables.create(table, request.changes), true);
			case 'PATCH':
				return this.upsert(call, request, id ?? '');
			default:
				this.demand('Delete', table);
				return this.remove(call, table, id ?? '');
		}
	}

	private list({ path }: DataverseCall, { table, query, preferences }: TableRequest): DataverseAnswer {
		const { maxPageSize } = this.parts.settings.dataverse;
		const asked = preferences.maxPageSize;
		const size = Math.min(asked ?? maxPageSize, maxPageSize, LARGEST_PAGE);
		const found = this.parts.tables.all(table).filter(query.filter).sort(query.compare);
		// Documented: with a page size of its own, a request's $top is not looked at.
		const rows = asked === undefined ? found.slice(0, query.top) : found;
		const start = this.startOf(table, rows, query, size);
		const page = rows.slice(start, start + size);
		const last = page.at(-1);
		const isMore = start + size < rows.length && last !== undefined;
		return {
			status: 200,
			headers: this.applied(preferences, asked === undefined ? [] : [`odata.maxpagesize=${asked}`]),
			body: {
				'@odata.context': `${this.base}/$metadata#${table.entitySet}${this.contextOf(query)}`,
				...(query.isCounted && { '@odata.count': Math.min(found.length, LARGEST_PAGE) }),
				value: page.map((row) => this.shown(table, row, query, preferences)),
				...(isMore && { '@odata.nextLink': this.nextLink(path, table, query, last) }),
			},
		};
	}

	/** After the last row of the page before; where that is gone by now, as many rows in as there were. */
	private startOf(table: Table, rows: Row[], { skipToken }: Query, size: number): number {
		if (!skipToken) return 0;
		const index = rows.findIndex((row) => row[table.idColumn] === skipToken.last);
		return index < 0 ? (skipToken.page - 1) * size : index + 1;
	}

	private nextLink(path: string, { idColumn }: Table, { skipToken }: Query, last: Row): string {
		const url = new URL(path, this.parts.origin());
		const token = writeSkipToken(
			{ page: (skipToken?.page ?? 1) + 1, last: String(last[idColumn]) },
			idColumn,
		);
		const kept = [...url.searchParams].filter(([name]) => name !== '$skiptoken');
		const options = [...kept, ['$skiptoken', token]].map(
			([name, value = '']) => `${name}=${encodeURIComponent(value)}`,
		);
		return `${url.origin}${url.pathname}?${options.join('&')}`;
	}

	private retrieve(
		{ headers }: DataverseCall,
		{ table, query, preferences }: TableRequest,
		id: string,
	): DataverseAnswer {
		const row = this.parts.tables.get(table, id);
		const etag = etagOf(row);
		// Documented: never with what may have changed elsewhere.
		const isPlain = query.expand.length === 0 && preferences.annotations === undefined;
		if (headers['if-none-match'] === etag && isPlain) return { status: 304, headers: { ETag: etag } };
		return {
			status: 200,
			headers: { ...this.applied(preferences), ETag: etag },
			body: this.entity(table, row, query, preferences),
		};
	}

	private upsert({ headers }: DataverseCall, request: TableRequest, id: string): DataverseAnswer {
		const { changes, table } = request;
		const { tables } = this.parts;
		const before = tables.find(table, id);
		this.demand(before || headers['if-match'] !== undefined ? 'Write' : 'Create', table);
		if (before && headers['if-none-match'] === '*') throw duplicateRecord();
		this.checkVersion(table, id, headers['if-match']);
		const row = before
			? tables.update(table, id, changes)
			: tables.create(table, { ...changes, [table.idColumn]: id });
		return this.written(request, row, !before);
	}

	private remove({ headers }: DataverseCall, table: Table, id: string): DataverseAnswer {
		this.checkVersion(table, id, headers['if-match'] ?? '*');
		this.parts.tables.remove(table, id);
		return { status: 204, headers: {} };
	}

	private checkVersion(table: Table, id: string, ifMatch: string | undefined): void {
		if (ifMatch === undefined) return;
		const row = this.parts.tables.find(table, id);
		if (!row) throw missingRecord(table, id);
		if (ifMatch !== '*' && ifMatch !== etagOf(row)) throw otherVersion();
	}

	private written({ table, query, preferences }: TableRequest, row: Row, isNew: boolean): DataverseAnswer {
		const url = `${this.base}/${table.entitySet}(${String(row[table.idColumn])})`;
		const headers = { 'OData-EntityId': url, ...(isNew && { Location: url }) };
		if (!preferences.isRepresentation) return { status: 204, headers };
		return {
			status: isNew ? 201 : 200,
			headers: { ...headers, ...this.applied(preferences, ['return=representation']) },
			body: this.entity(table, row, query, preferences),
		};
	}

	private applied({ annotations }: Preferences, others: string[] = []): Record<string, string> {
		const all = [
			...others,
			...(annotations === undefined ? [] : [`odata.include-annotations="${annotations}"`]),
		];
		return all.length > 0 ? { 'Preference-Applied': all.join(',') } : {};
	}

	private contextOf({ expand, select }: Pick<Query, 'expand' | 'select'>): string {
		const names = [
			...(select ?? []).map(({ name }) => name),
			...expand.map(({ column: { lookup }, select: inner, table: target }) => {
				const columns = (inner ?? [...target.columns.values()]).map(({ name }) => name);
				return `${lookup?.navigation}(${columns.join(',')})`;
			}),
		];
		return names.length > 0 ? `(${names.join(',')})` : '';
	}

	private entity(table: Table, row: Row, query: Query, preferences: Preferences): Record<string, unknown> {
		const context = `${this.base}/$metadata#${table.entitySet}${this.contextOf(query)}/$entity`;
		return { '@odata.context': context, ...this.shown(table, row, query, preferences) };
	}

	/** A row with its annotations; its id is always among its columns. */
	private shown(
		table: Table,
		row: Row,
		{ expand, select }: Pick<Query, 'expand' | 'select'>,
		preferences: Preferences,
	): Record<string, unknown> {
		const asked = select ?? [...table.columns.values()];
		const id = table.columns.get(table.idColumn);
		const columns = id && !asked.includes(id) ? [...asked, id] : asked;
		return Object.fromEntries([
			['@odata.etag', etagOf(row)],
			...columns.flatMap((column) => this.property(column, row, preferences)),
			...expand.map((expansion) => this.expanded(expansion, row, preferences)),
		]);
	}

	private property(column: Column, row: Row, preferences: Preferences): [string, unknown][] {
		const value = row[column.name] ?? null;
		const { lookup } = column;
		const annotations: [string, string | undefined][] =
			value === null
				? []
				: [
						[FORMATTED, this.formatted(column, value)],
						[NAVIGATION, lookup?.navigation],
						[LOGICAL_NAME, lookup?.table],
					];
		return [
			...annotations
				.filter(([term, text]) => text !== undefined && wants(preferences, term))
				.map(([term, text]): [string, unknown] => [`${column.name}@${term}`, text]),
			[column.name, value],
		];
	}

	private formatted({ labels, lookup, type }: Column, value: string | number | boolean): string | undefined {
		const target = lookup && allTables.get(lookup.table);
		if (target) return String(this.parts.tables.find(target, String(value))?.[target.nameColumn] ?? '');
		if (type === 'Edm.DateTimeOffset') return formatTime(String(value));
		if (type === 'Edm.Int32' || type === 'Edm.Int64')
			return labels[String(value)] ?? value.toLocaleString('en-US');
		return labels[String(value)];
	}

	private expanded(
		{ column, select, table }: Expansion,
		row: Row,
		preferences: Preferences,
	): [string, unknown] {
		const related = this.parts.tables.find(table, String(row[column.name]));
		const shown = related && this.shown(table, related, { select, expand: [] }, preferences);
		return [column.lookup?.navigation ?? '', shown ?? null];
	}

	/** @throws DataverseError when the role does not allow it; the texts are those that public reports show */
	private demand(verb: Verb, { displayName, logicalName, schemaName }: Table): void {
		const { role } = this.parts.settings.dataverse;
		const { applicationUserId: user } = this.parts.world;
		const privilege = `prv${verb}${schemaName}`;
		if (role === 'none') {
			throw new DataverseError(
				'0x80042f09',
				`RetrievePrivilegeForUser: The user with id ${user} has not been assigned any roles. They need a role with the ${privilege} privilege.`,
			);
		}
		if (role === 'readOnly' && verb !== 'Read') {
			throw new DataverseError(
				'0x80040220',
				`Principal user (Id=${user}, type=8, roleCount=1, privilegeCount=12, accessMode='4 Non-interactive'), is missing ${privilege} privilege on OTC=10000 for entity '${logicalName}' (LocalizedName='${displayName}'). context.Caller=${user}`,
			);
		}
	}
}
