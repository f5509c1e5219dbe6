import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { type ContractRequest, isObject, type Json } from '../contract';
import { document } from './document';
import { CommunicationError } from './errors';
import { isHttpDate } from './signature';

/** What was asked for. */
export interface Resolved {
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** The conversation or channel of the path, decoded. */
	id: string | undefined;
	/** What is wrong, the error that is answered first. */
	errors: CommunicationError[];
}

export interface CommunicationContractError {
	code: string;
	status: number;
	detail: string;
}

/** One call of the contract. */
interface Operation {
	operationId: string;
	method: string;
	path: RegExp;
	/** By where they stand, with the schema that all parameters there must fit. */
	parameters: Record<'path' | 'header' | 'query', ValidateFunction>;
	/** Undefined for a call without a body. */
	body: ValidateFunction | undefined;
	/** By the status of the answer; a status without a body has no schema. */
	answers: Record<string, ValidateFunction | undefined>;
}

const objectAt = (node: unknown, ...keys: string[]): Json => {
	const value = keys.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), node);
	return isObject(value) ? value : {};
};

function makeAjv(coerceTypes: boolean): Ajv {
	const ajv = new Ajv({ allErrors: true, discriminator: true, strict: false, verbose: true, coerceTypes });
	addFormats(ajv, ['uuid', 'uri', 'date-time']);
	ajv.addFormat('http-date', isHttpDate);
	return ajv;
}
const ofBody = makeAjv(false);
/** What stands in a URL or a header is a text, whatever it means. */
const ofText = makeAjv(true);

function parametersSchema(operation: Json, place: string): Json {
	const parameters = [operation.parameters ?? []].flat().filter(isObject);
	const placed = parameters.filter((one) => one.in === place);
	const nameOf = ({ name }: Json) => (place === 'header' ? String(name).toLowerCase() : String(name));
	return {
		type: 'object',
		required: placed.filter(({ required }) => required === true).map(nameOf),
		properties: Object.fromEntries(placed.map((one) => [nameOf(one), one.schema])),
	};
}

const JSON_CONTENT = ['content', 'application/json', 'schema'];

function toOperation(path: string, method: string, operation: Json): Operation {
	const schemaOf = (node: unknown) => {
		const schema = objectAt(node, ...JSON_CONTENT);
		return Object.keys(schema).length > 0 ? ofBody.compile(schema) : undefined;
	};
	const parametersOf = (place: string) => ofText.compile(parametersSchema(operation, place));
	// No `$` or `.` and the like stand in the contract's paths.
	const pattern = path.replace(/\{\w+\}/g, '([^/]+)');
	return {
		operationId: String(operation.operationId),
		method: method.toUpperCase(),
		path: new RegExp(`^${pattern}$`),
		parameters: {
			path: parametersOf('path'),
			header: parametersOf('header'),
			query: parametersOf('query'),
		},
		body: schemaOf(operation.requestBody),
		answers: Object.fromEntries(
			Object.entries(objectAt(operation, 'responses')).map(([status, answer]) => [status, schemaOf(answer)]),
		),
	};
}

const operations: readonly Operation[] = Object.entries(objectAt(document, 'paths')).flatMap(([path, item]) =>
	Object.entries(isObject(item) ? item : {}).flatMap(([method, operation]) =>
		isObject(operation) ? [toOperation(path, method, operation)] : [],
	),
);

function decoded(text: string | undefined): string | undefined {
	try {
		return text === undefined ? undefined : decodeURIComponent(text);
	} catch {
		return undefined;
	}
}

function describe({ instancePath, keyword, message, params, schema }: ErrorObject): string {
	const said = message ?? 'is invalid';
	const more: Record<string, unknown> = {
		additionalProperties: params.additionalProperty,
		const: schema,
		enum: schema,
		discriminator: params.tagValue,
	};
	const what = keyword in more ? `: ${JSON.stringify(more[keyword])}` : '';
	return `${instancePath || '/'} ${said}${what}`;
}

/** `/request/kind` as Azure writes a target. */
const targetOf = ({ instancePath, params }: ErrorObject): string =>
	[...instancePath.split('/').slice(1), params.missingProperty ?? []].flat().map(String).join('.');

function violations(validate: ValidateFunction, value: unknown): CommunicationError[] {
	if (validate(value)) return [];
	return (validate.errors ?? []).map((error) => {
		const target = targetOf(error);
		return new CommunicationError('BadRequest', describe(error), target ? { target } : {});
	});
}

function versionErrors(url: URL, { errors }: ValidateFunction): CommunicationError[] {
	const isWrong = (errors ?? []).some(
		({ instancePath, params }) => instancePath === '/api-version' || params.missingProperty === 'api-version',
	);
	const version = url.searchParams.get('api-version');
	if (version === null) {
		const text = 'An API version is required, but was not specified.';
		return [new CommunicationError('ApiVersionUnspecified', text)];
	}
	if (!isWrong) return [];
	const text = `The HTTP resource that matches the request URI '${url.pathname}' does not support the API version '${version}'.`;
	return [new CommunicationError('UnsupportedApiVersion', text)];
}

/** Of a parameter that comes twice, the last counts. */
const parametersOf = (url: URL): Record<string, string> => Object.fromEntries(url.searchParams);

/**
 * Finds the call that a method and a raw path are, and what is wrong with the rest of the request.
 *
 * @param headers names in lower case. A content type that is given must be JSON; one that is not given is not missed.
 * @param body parsed, or as it came when it is no JSON
 */
export function resolve({ body, headers, method, path }: ContractRequest): Resolved {
	const url = new URL(path, 'https://localhost');
	const matching = operations.flatMap((operation) => {
		const match = operation.path.exec(url.pathname);
		return match ? [{ operation, raw: match[1] }] : [];
	});
	const found = matching.find(({ operation }) => operation.method === method);
	const id = decoded((found ?? matching[0])?.raw);
	if (!found || (found.raw !== undefined && id === undefined)) {
		const error =
			matching.length > 0 && !found
				? new CommunicationError('MethodNotAllowed', `The path does not support ${method}.`)
				: new CommunicationError('NotFound', `There is no such path: ${url.pathname}`);
		return { operationId: null, id, errors: [error] };
	}
	const { operation } = found;
	const { parameters } = operation;
	const query = violations(parameters.query, parametersOf(url));
	const errors = [
		...versionErrors(url, parameters.query),
		...violations(parameters.header, { ...headers }),
		...violations(parameters.path, { channelId: id }),
		...query.filter(({ more }) => more.target !== 'api-version'),
	];
	const contentType = headers['content-type'];
	if (operation.body && contentType !== undefined && !/^application\/json\s*(;|$)/i.test(contentType)) {
		const text = `The content type must be application/json, not ${contentType || 'missing'}.`;
		errors.push(new CommunicationError('UnsupportedMediaType', text));
	}
	if (operation.body) errors.push(...violations(operation.body, body));
	return { operationId: operation.operationId, id, errors };
}

function safeJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

/**
 * Holds a request to Azure Communication Services against the contract, without a server.
 *
 * Looks at the form only: whether token or signature are good, whether the conversation exists and whether WhatsApp
 * would take the message is the emulator's work.
 *
 * @param request as it would be sent. A content type that is given must be JSON; one that is not given is not missed.
 * @returns the operation and what is wrong, the error that would be answered first
 */
export function validateCommunicationRequest(request: ContractRequest): {
	operationId: string | null;
	errors: CommunicationContractError[];
} {
	const headers = Object.fromEntries(
		Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
	);
	const url = new URL(request.path, 'https://localhost');
	for (const [name, value] of Object.entries(request.query ?? {})) {
		for (const one of [value].flat()) url.searchParams.append(name, one);
	}
	const body = typeof request.body === 'string' ? safeJson(request.body) : request.body;
	const { errors, operationId } = resolve({ ...request, headers, path: url.pathname + url.search, body });
	const isSigned = /^(Bearer|HMAC-SHA256) \S/i.test(headers.authorization ?? '');
	const all = isSigned
		? errors
		: [new CommunicationError('Unauthorized', 'The Authorization header is missing'), ...errors];
	return {
		operationId,
		errors: all.map(({ code, message, status }) => ({ code, status, detail: message })),
	};
}

/**
 * Holds the body of an answer of Azure Communication Services against the contract.
 *
 * @returns what is wrong, one line each; empty when nothing is
 * @throws Error for an operation or a status that the contract does not have
 */
export function validateCommunicationAnswer(operationId: string, status: number, body: unknown): string[] {
	const answers = operations.find((operation) => operation.operationId === operationId)?.answers ?? {};
	const key = status >= 400 ? 'default' : String(status);
	if (!(key in answers)) throw new Error(`The contract has no answer ${status} of ${operationId}`);
	const validate = answers[key];
	if (!validate) return body === undefined ? [] : ['/ must not be there'];
	return violations(validate, body).map(({ message }) => message);
}
