import addFormats from 'ajv-formats';
import { type Document, OpenAPIValidator } from 'openapi-backend';
import type { ContractRequest } from '../contract';
import { type Changes, readChanges } from './body';
import { badKey, DataverseError, unknownSegment } from './errors';
import { parsePrefer, parseQuery, type Preferences, type Query } from './query';
import { document, findOperation, GUID, kindsOf, type Operation, type Table } from './schema';

/** A request on a table, of which the contract has made sure. */
export interface TableRequest {
	table: Table;
	/** Of the row, in lower case; undefined for the whole set. */
	id: string | undefined;
	query: Query;
	changes: Changes;
	preferences: Preferences;
}

/** What was asked for. */
export interface Resolved {
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** Reads the rest of the request. @throws DataverseError when it is wrong */
	read: () => { request: TableRequest } | { args: Record<string, string> };
}

export interface DataverseContractError {
	code: string;
	status: number;
	detail: string;
}

interface Address {
	name: string;
	/** What stands in the brackets; undefined when there are none. */
	inner: string | undefined;
}

/** `set`, `set(key)`, `Function(…)`, or a function that is bound to a user. */
const PATH =
	/^\/api\/data\/v9\.2\/(?:systemusers\(([^)]*)\)\/Microsoft\.Dynamics\.CRM\.)?(\w+)(?:\((.*)\))?$/;

function parsePath(pathname: string): Address | undefined {
	let path: string;
	try {
		path = decodeURIComponent(pathname);
	} catch {
		return undefined;
	}
	const [, userId, name, inner] = PATH.exec(path) ?? [];
	if (name === undefined) return undefined;
	// What a function is bound to is one more argument.
	return { name, inner: userId === undefined ? inner : `UserId=${userId},${inner ?? ''}` };
}

/** `name=value,…`; a value is a text in quotes, an alias such as `@p1`, or bare. */
function parseArguments(inner: string, params: URLSearchParams): Record<string, string> {
	const valueOf = (given: string): string => {
		const value = given.startsWith('@') ? params.get(given) : given;
		if (value === null) throw badKey();
		return /^'(.*)'$/s.exec(value)?.[1]?.replaceAll("''", "'") ?? value;
	};
	const parts = inner.match(/(?:'(?:[^']|'')*'|[^,'])+/g) ?? [];
	return Object.fromEntries(
		parts.map((part) => {
			const [, name, value] = /^\s*(\w+)\s*=\s*(.+?)\s*$/s.exec(part) ?? [];
			if (name === undefined || value === undefined) throw badKey();
			return [name, valueOf(value)];
		}),
	);
}

/** @throws DataverseError 0x80060888 for an argument that is missing or, where there must be one, no GUID */
function checkArguments(given: Record<string, string>, { args }: Operation): void {
	for (const { isGuid, name } of args) {
		const value = given[name];
		if (value === undefined || (isGuid && !GUID.test(value))) throw badKey();
	}
}

/** A bare GUID, or the primary key by its name. */
function parseKey({ idColumn }: Table, inner: string): string {
	const key = inner.replace(new RegExp(`^${idColumn}=`), '').trim();
	if (!GUID.test(key)) throw badKey();
	return key.toLowerCase();
}

/** What Dataverse says to a call that it does not have. */
function refusal(method: string, pathname: string, address: Address | undefined): DataverseError {
	const noSuchUri = () =>
		new DataverseError('', `No HTTP resource was found that matches the request URI '${pathname}'.`, 404);
	if (!address) return noSuchUri();
	const kinds = kindsOf(address.name);
	if (kinds.length === 0) return unknownSegment(address.name);
	if (kinds.includes('function')) return noSuchUri();
	return new DataverseError('', `The requested resource does not support http method '${method}'.`, 405);
}

/** Finds the call that a method and a path are, and how to read what comes with them. */
export function resolve({ body, headers, method, path, query }: ContractRequest): Resolved {
	const url = new URL(path, 'https://localhost');
	for (const [name, value] of Object.entries(query ?? {})) {
		for (const one of [value].flat()) url.searchParams.append(name, one);
	}
	const address = parsePath(url.pathname);
	const isRow = address?.inner !== undefined && address.inner !== '';
	const operation: Operation | undefined =
		address &&
		(findOperation(method, isRow ? 'row' : 'set', address.name) ??
			findOperation(method, 'function', address.name));
	if (!operation) {
		return {
			operationId: null,
			read: () => {
				throw refusal(method, url.pathname, address);
			},
		};
	}
	const { operationId, options, table } = operation;
	const lower = Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
	);
	const inner = address?.inner ?? '';
	return {
		operationId,
		read: () => {
			if (!table) {
				const args = parseArguments(inner, url.searchParams);
				checkArguments(args, operation);
				return { args };
			}
			const request: TableRequest = {
				table,
				id: isRow ? parseKey(table, inner) : undefined,
				query: parseQuery(table, options, url.searchParams),
				changes:
					method === 'POST' || method === 'PATCH' ? readChanges(table, body, lower['content-type']) : {},
				preferences: parsePrefer(lower.prefer),
			};
			return { request };
		},
	};
}

function safeJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

/**
 * Holds a request to Dataverse against the contract, without a server.
 *
 * Looks at the form only: whether the token is good, whether the app may do it and whether the records exist is the
 * emulator's work.
 *
 * @param request as it would be sent. A content type that is given must be JSON; one that is not given is not missed.
 * @returns the operation and what is wrong: the error that Dataverse would answer, as it answers one only
 */
export function validateDataverseRequest(request: ContractRequest): {
	operationId: string | null;
	errors: DataverseContractError[];
} {
	const parsed = typeof request.body === 'string' ? safeJson(request.body) : request.body;
	const { operationId, read } = resolve({ ...request, body: parsed });
	const isSigned = Object.entries(request.headers).some(
		([name, value]) => name.toLowerCase() === 'authorization' && /^Bearer \S+$/i.test(value),
	);
	if (!isSigned) {
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

const answers = new OpenAPIValidator({
	// The only place where the shape of the file is taken on trust.
	definition: document as unknown as Document,
	ajvOpts: { allErrors: true, logger: false },
	customizeAjv: (ajv) => {
		addFormats(ajv, ['uuid', 'date-time', 'int64']);
		return ajv;
	},
});

/**
 * Holds the body of a successful answer of Dataverse against the contract.
 *
 * @returns what is wrong, one line each; empty when nothing is
 * @throws Error for an operation that the contract does not have
 */
export function validateDataverseAnswer(operationId: string, status: number, body: unknown): string[] {
	const { errors } = answers.validateResponse(body, operationId, status);
	return (errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? 'is invalid'}`);
}
