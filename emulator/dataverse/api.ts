import type { Settings } from '../settings';
import type { World } from '../world';
import { Availability, AVAILABILITY_ROLE, type AvailabilityParts } from './availability';
import type { Channels } from './channels';
import { type ConversationRecords, labelOf } from './conversationRecords';
import { DataverseError, missingRecord, otherVersion } from './errors';
import { type Query, writeSkipToken } from './query';
import { type Row, type Table, tableOf, tables, type Value } from './schema';
import { etagOf, type Tables } from './tables';
import type { FunctionRequest, Resolved, TableRequest } from './validate';

export interface ApiParts extends AvailabilityParts {
	world: World;
	settings: Settings;
	tables: Tables;
	channels: Channels;
	conversationRecords: ConversationRecords;
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

/** A request whose token is valid. */
export interface DataverseCall {
	method: string;
	/** Path and query. */
	path: string;
	/** Names in lower case. */
	headers: Record<string, string>;
	resolved: Resolved;
}

/** What a function or an action returns: the name of its complex type, and that type's values. */
interface FunctionAnswer {
	type: string;
	values: Record<string, Value>;
}

type Verb = 'Read' | 'Create' | 'Write' | 'Delete';

/** A page is never larger, whatever the request asks for. */
const LARGEST_PAGE = 5_000;
const CHANNELS = tableOf('msdyn_occustommessagingchannel');

const contextOf = ({ select = [] }: Query): string =>
	select.length > 0 ? `(${select.map(({ name }) => name).join(',')})` : '';

/** The label of a column: the one that its row has, or the name of the row that a look-up refers to. */
function labelIn(row: Row, column: string, table: Table, rows: Tables): Value | undefined {
	const target = tables.get(table.columns.get(column)?.lookup?.table ?? '');
	if (!target?.nameColumn) return row[labelOf(column)];
	return rows.find(target, String(row[column]))?.[target.nameColumn];
}

/** A row with its version, and labels where the request wants them; its id is always among its columns. */
function shown(row: Row, { preferences, query, table }: TableRequest, rows: Tables): Record<string, unknown> {
	const { select } = query;
	const names = select ? [...select.map(({ name }) => name), table.idColumn] : [...table.columns.keys()];
	const labels = names
		.map((name): [string, unknown] => [labelOf(name), labelIn(row, name, table, rows)])
		.filter(([, label]) => preferences.hasLabels && label);
	return {
		'@odata.etag': etagOf(row),
		...Object.fromEntries(names.map((name) => [name, row[name] ?? null])),
		...Object.fromEntries(labels),
	};
}

/** The behaviour of Dataverse behind its token check. */
export class DataverseApi {
	private readonly availability: Availability;

	constructor(private readonly parts: ApiParts) {
		this.availability = new Availability(parts);
	}

	/** @throws DataverseError */
	answer(call: DataverseCall): DataverseAnswer {
		const { dataverse } = this.parts.settings;
		if (!dataverse.applicationUser) {
			throw new DataverseError('0x80072560', 'The user is not a member of the organization.');
		}
		const read = call.resolved.read();
		if ('request' in read) return this.answerTable(call, read.request);
		if (call.resolved.operationId === 'dataverse.listRoles') return this.roles(read.args);
		const { type, values } = this.answerFunction(call.resolved.operationId, read);
		const context = `${this.base}/$metadata#Microsoft.Dynamics.CRM.${type}`;
		return { status: 200, headers: {}, body: { '@odata.context': context, ...values } };
	}

	private get base(): string {
		return `${this.parts.origin()}/api/data/v9.2`;
	}

	private answerFunction(operationId: string | null, { args, body }: FunctionRequest): FunctionAnswer {
		switch (operationId) {
			case 'dataverse.whoAmI':
				return this.whoAmI();
			case 'dataverse.retrieveAccess':
				return this.access(args);
			case 'dataverse.availabilityBeforeConversation':
				return {
					type: 'CCaaS_GetRepresentativeAvailabilityBeforeConversationResponse',
					values: this.availability.before(body),
				};
			case 'dataverse.availabilityForConversation':
				return {
					type: 'CCaaS_GetRepresentativeAvailabilityForConversationResponse',
					values: this.availability.inConversation(body),
				};
			default:
				return this.federatedSubject(args);
		}
	}

	/** The application user's own roles. That asking for one's own needs no more than a role is inferred. */
	private roles({ UserId = '', $select = 'name' }: Record<string, string>): DataverseAnswer {
		const { role, omnichannelAdministrator } = this.parts.settings.dataverse;
		if (UserId.toLowerCase() !== this.parts.world.applicationUserId) {
			throw new DataverseError('0x80040217', `Entity 'systemuser' With Id = ${UserId} Does Not Exist`);
		}
		const names = [
			...(role === 'none' ? [] : [role === 'full' ? 'System Administrator' : 'Basic User']),
			...(omnichannelAdministrator ? [AVAILABILITY_ROLE] : []),
		];
		const context = `${this.base}/$metadata#roles(${$select})`;
		return {
			status: 200,
			headers: {},
			body: { '@odata.context': context, value: names.map((name) => ({ name })) },
		};
	}

	/** The rights of the application user on a channel's record, by its role. */
	private access({ '@target': target = '' }: Record<string, string>): FunctionAnswer {
		this.parts.tables.get(CHANNELS, /[0-9a-f-]{36}/.exec(target)?.[0] ?? '');
		const rights = {
			full: 'ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess',
			readOnly: 'ReadAccess',
			none: 'None',
		};
		const values = { AccessRights: rights[this.parts.settings.dataverse.role] };
		return { type: 'RetrievePrincipalAccessResponse', values };
	}

	private whoAmI(): FunctionAnswer {
		const { applicationUserId: UserId, businessUnitId, organizationId } = this.parts.world;
		const values = { BusinessUnitId: businessUnitId, UserId, OrganizationId: organizationId };
		return { type: 'WhoAmIResponse', values };
	}

	private federatedSubject({ ComponentName = '', ComponentId = '' }: Record<string, string>): FunctionAnswer {
		const name = ComponentName.slice(1, -1);
		if (name !== CHANNELS.logicalName) {
			throw new DataverseError(
				'0x80041102',
				`The entity with a name = '${name}' with namemapping = 'Logical' was not found in the MetadataCache.`,
			);
		}
		this.demand('Read', CHANNELS);
		const subject = this.parts.channels.subjectOf(this.parts.tables.get(CHANNELS, ComponentId.toLowerCase()));
		if (subject === undefined) {
			throw new DataverseError(
				'0x80040203',
				`The component ${name} with Id = ${ComponentId} is not associated with a managed identity.`,
			);
		}
		return { type: 'GetComponentManagedIdentityFICResponse', values: { FICSubject: subject } };
	}

	private answerTable(call: DataverseCall, request: TableRequest): DataverseAnswer {
		const { id, table } = request;
		this.parts.conversationRecords.refresh(table, id);
		switch (call.method) {
			case 'GET':
				this.demand('Read', table);
				return id === undefined ? this.list(call, request) : this.retrieve(request, id);
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

	private list({ path }: DataverseCall, request: TableRequest): DataverseAnswer {
		const { preferences, query, table } = request;
		const { maxPageSize } = this.parts.settings.dataverse;
		const asked = preferences.maxPageSize;
		const size = Math.min(asked ?? maxPageSize, maxPageSize, LARGEST_PAGE);
		const rows = this.parts.tables.all(table).filter(query.filter).sort(query.compare);
		const start = this.startOf(table, rows, query, size);
		const page = rows.slice(start, start + size);
		const last = page.at(-1);
		const isMore = start + size < rows.length && last !== undefined;
		return {
			status: 200,
			headers: asked === undefined ? {} : { 'Preference-Applied': `odata.maxpagesize=${asked}` },
			body: {
				'@odata.context': `${this.base}/$metadata#${table.entitySet}${contextOf(query)}`,
				value: page.map((row) => shown(row, request, this.parts.tables)),
				...(isMore && { '@odata.nextLink': this.nextLink(path, table, query, last) }),
			},
		};
	}

	/** The index of a page's first row: after the last row of the previous page or, if that was deleted, by the page number. */
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

	private retrieve(request: TableRequest, id: string): DataverseAnswer {
		const row = this.parts.tables.get(request.table, id);
		return { status: 200, headers: { ETag: etagOf(row) }, body: this.entity(row, request) };
	}

	private upsert({ headers }: DataverseCall, request: TableRequest, id: string): DataverseAnswer {
		const { changes, table } = request;
		const { tables } = this.parts;
		const before = tables.find(table, id);
		this.demand(before || headers['if-match'] !== undefined ? 'Write' : 'Create', table);
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

	private written(request: TableRequest, row: Row, isNew: boolean): DataverseAnswer {
		const { preferences, table } = request;
		const url = `${this.base}/${table.entitySet}(${String(row[table.idColumn])})`;
		const headers = { 'OData-EntityId': url, ...(isNew && { Location: url }) };
		if (!preferences.isRepresentation) return { status: 204, headers };
		return {
			status: isNew ? 201 : 200,
			headers: { ...headers, 'Preference-Applied': 'return=representation' },
			body: this.entity(row, request),
		};
	}

	private entity(row: Row, request: TableRequest): Record<string, unknown> {
		const { query, table } = request;
		const context = `${this.base}/$metadata#${table.entitySet}${contextOf(query)}/$entity`;
		return { '@odata.context': context, ...shown(row, request, this.parts.tables) };
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
