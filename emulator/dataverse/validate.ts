import {
	Contract,
	type ContractRequest,
	lowerCaseKeys,
	placeOf,
	urlOf,
	type Violation,
} from '../contract/open';
import { hasBearer } from '../http/serve';
import { isContextItems, isJsonObject } from './availability';
import { badAction, badKey, badPayload, badQuery, DataverseError, notEmulated } from './errors';
import { parsePrefer, parseQuery, type Preferences, type Query } from './query';
import { document, edmTypeOf, type Table, tableOf, type Value } from './schema';
import type { Changes } from './tables';

/** A valid request on a table. */
export interface TableRequest {
	table: Table;
	/** Of the row, in lower case; undefined for the whole set. */
	id: string | undefined;
	query: Query;
	changes: Changes;
	preferences: Preferences;
}

/** A valid call of a function, with what its path and query say, or of an action, with its body. */
export interface FunctionRequest {
	args: Record<string, string>;
	body: unknown;
}

/** The operation that a request is for, and how to read the request. */
export interface Resolved {
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** Reads the rest of the request. @throws DataverseError when it is not valid */
	read: () => { request: TableRequest } | FunctionRequest;
}

const contract = new Contract(document, { 'context-items': isContextItems, 'json-object': isJsonObject });

/** The error for a property that cannot be written. */
function refuseProperty(table: Table, key: string): DataverseError {
	const column = table.columns.get(key);
	if (column?.lookup) {
		return badQuery(
			'CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.',
		);
	}
	if (column || key.startsWith('@')) return notEmulated(`Writing ${key}`);
	const navigation = /^(.+)@odata\.bind$/.exec(key)?.[1];
	return badPayload(
		table,
		navigation === undefined
			? `Microsoft.Crm.CrmException: Invalid property '${key}' was found in entity 'Microsoft.Dynamics.CRM.${table.logicalName}'. ---> Microsoft.OData.ODataException: Does not support untyped value in non-open type.`
			: `Microsoft.OData.ODataException: An undeclared property '${navigation}' which only has property annotations in the payload but no property value was found in the payload. In OData, only declared navigation properties and declared named streams can be represented as properties without values.`,
	);
}

/** The error for a body that breaks the contract. */
function refuseBody(
	table: Table,
	{ code, keyword, message, path, schema, value }: Violation,
): DataverseError {
	const [, , column] = path.split('/');
	if (keyword === 'additionalProperties') return refuseProperty(table, String(value));
	if (keyword === 'pattern') return notEmulated(`The reference ${String(value)}`);
	if (keyword === 'maxLength' && typeof code === 'string') {
		return new DataverseError(
			code,
			`A validation error occurred. The length of the '${column}' attribute of the '${table.logicalName}' entity exceeded the maximum allowed length of '${String(schema.maxLength)}'.`,
		);
	}
	if (keyword === 'enum' && typeof code === 'string') {
		const options = [schema.enum].flat().filter((option) => typeof option === 'number');
		return new DataverseError(
			code,
			`A validation error occurred. The value ${String(value)} of '${column}' on record of type '${table.logicalName}' is outside the valid range. Accepted Values: ${options.join(',')}`,
		);
	}
	if (keyword === 'contentType') {
		// That another media type is refused is documented; the error is inferred.
		return badPayload(
			table,
			`Microsoft.OData.ODataContentTypeException: A supported MIME type could not be found that matches the content type '${String(value)}'.`,
		);
	}
	if (column === undefined || keyword === 'required') {
		return badPayload(table, `Microsoft.OData.ODataException: The body ${message}.`);
	}
	// Dataverse reads a string of digits as a number.
	if (typeof value === 'string' && /^-?\d+$/.test(value)) return notEmulated(`The number ${value} as a text`);
	return badPayload(
		table,
		`Microsoft.OData.ODataException: Cannot convert the literal '${String(value)}' to the expected type '${edmTypeOf(schema)}'.`,
	);
}

/** The error for the body of an action that breaks the contract; its code is inferred. */
function refuseArgument({ keyword, message, path, value }: Violation): DataverseError {
	const [, , name] = path.split('/');
	if (keyword === 'additionalProperties') {
		return badAction(`The parameter '${String(value)}' in the request payload is not a valid parameter.`);
	}
	return badAction(name === undefined ? `The body ${message}.` : `The parameter '${name}' ${message}.`);
}

function refuse(violation: Violation, table: Table | undefined): DataverseError {
	const { keyword, path, value } = violation;
	const place = placeOf(path);
	if (place === 'requestBody') return table ? refuseBody(table, violation) : refuseArgument(violation);
	if (place === 'query' && keyword === 'additionalProperties') {
		return notEmulated(`The query option ${String(value)}`);
	}
	// Dataverse also takes alternate keys, which have a name: `(name=value)`.
	return String(value).includes('=') ? notEmulated(`The key ${String(value)}`) : badKey();
}

/** The changes that a body asks for. Look-ups are written as navigation properties, and stored in their columns. */
function changesOf(table: Table, body: unknown): Changes {
	const values = body as Record<string, Value>;
	return Object.fromEntries(
		Object.entries(values).map(([key, value]): [string, Value] => {
			const column = [...table.columns.values()].find(
				({ lookup }) => `${lookup?.navigation}@odata.bind` === key,
			);
			if (column) return [column.name, value && (/\((.*)\)/.exec(String(value))?.[1] ?? '').toLowerCase()];
			return [
				key,
				table.columns.get(key)?.type === 'Edm.Guid' && value ? String(value).toLowerCase() : value,
			];
		}),
	);
}

/** Finds the operation of a request, and how to read the request. */
export function resolve(request: ContractRequest): Resolved {
	const url = urlOf(request);
	const operation = contract.match(request.method, url.pathname);
	if (!operation) {
		return {
			operationId: null,
			read: () => {
				throw notEmulated(`${request.method} ${url.pathname}`);
			},
		};
	}
	const { definition, operationId, params } = operation;
	const name = definition['x-table'];
	const table = typeof name === 'string' ? tableOf(name) : undefined;
	return {
		operationId,
		read: () => {
			const [violation] = contract.violations(request, operation);
			if (violation) throw refuse(violation, table);
			if (!table) {
				const args = { ...params, ...Object.fromEntries(url.searchParams) };
				return { args, body: definition.requestBody ? jsonOf(request.body) : undefined };
			}
			const headers = lowerCaseKeys(request.headers);
			if (headers['if-none-match'] !== undefined) throw notEmulated('If-None-Match');
			return {
				request: {
					table,
					id: params.id?.toLowerCase(),
					query: parseQuery(table, url.searchParams),
					changes: definition.requestBody ? changesOf(table, jsonOf(request.body)) : {},
					preferences: parsePrefer(headers.prefer),
				},
			};
		},
	};
}

const jsonOf = (body: unknown): unknown => (typeof body === 'string' ? JSON.parse(body) : body);

/**
 * Validates a request to Dataverse against the contract, without a server.
 *
 * Checks the form only. Whether the token is valid, whether the app has the privilege and whether the records exist is
 * checked by the running emulator.
 *
 * @param request as it would be sent; its content type must be JSON, but may be left out
 * @returns the operation, and at most one error, because Dataverse answers with the first
 */
export function validateDataverseRequest(request: ContractRequest): {
	operationId: string | null;
	errors: { code: string; status: number; detail: string }[];
} {
	const { operationId, read } = resolve(request);
	if (!hasBearer(request)) {
		const detail = 'The Authorization header with a bearer token is missing';
		return { operationId, errors: [{ code: '', status: 401, detail }] };
	}
	try {
		read();
		return { operationId, errors: [] };
	} catch (error) {
		if (!(error instanceof DataverseError)) throw error;
		return { operationId, errors: [{ code: error.code, status: error.status, detail: error.message }] };
	}
}

/**
 * Validates the body of an answer of Dataverse against the contract.
 *
 * @returns one line for each violation; empty when there are none
 * @throws Error for an operation or a status that the contract does not have
 */
export const validateDataverseAnswer = (operationId: string, status: number, body: unknown): string[] =>
	contract.answerErrors(operationId, status, body);
