import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import {
	type Document,
	OpenAPIRouter,
	OpenAPIValidator,
	type Operation as OpenAPIOperation,
} from 'openapi-backend';
import { parse } from 'yaml';
import { readablePath } from '../http/paths';

/** A request as a client would send it; `body` is the parsed JSON, or the JSON as a string. */
export interface ContractRequest {
	method: string;
	/** The path, e.g. `/api/v1.0/consumer/conversation/create`, with or without a query after `?`. */
	path: string;
	query?: Record<string, string | string[]>;
	headers: Record<string, string>;
	body?: unknown;
}

/** One way in which a request breaks the contract. */
export interface ContractError {
	/** The service's error code, e.g. 30011; null where it has none (a missing token). */
	code: number | null;
	/** The HTTP status that the service answers with. */
	status: number;
	detail: string;
	/** Where, as a JSON pointer that begins with `/header`, `/path`, `/query` or `/requestBody`. */
	path: string;
}

/** A constraint of a contract that a request breaks. */
export interface Violation {
	/** The JSON Schema keyword, or `contentType`. */
	keyword: string;
	/** Where, as a JSON pointer that begins with the place, e.g. `/requestBody/text`; with a missing property's name. */
	path: string;
	message: string;
	/** The schema's `x-error-code` for the keyword. */
	code: number | string | undefined;
	/** The value that breaks the constraint; the name of a property that is not allowed. */
	value: unknown;
	schema: Json;
}

/** The operation of a contract that a request is for. */
export interface Operation {
	operationId: string;
	/** The parameters of the path, decoded; one with a broken percent-encoding as it was written. */
	params: Record<string, string>;
	/** The operation object of the document, with the extensions of its path item. */
	definition: Json;
}

export type Json = Record<string, unknown>;
type AjvError = NonNullable<ReturnType<OpenAPIValidator['validateRequest']>['errors']>[number];

/**
 * The HTTP status that a contract's `x-error-codes` gives for a code.
 *
 * @throws Error for a code that the contract does not have
 */
export function statusOfCode(document: Readonly<Json>, code: string): number {
	const { status } = objectAt(document, 'x-error-codes', code);
	if (typeof status !== 'number') throw new Error(`The contract has no error code ${code}`);
	return status;
}

/** The order in which services check the places of a request, and so the order of the violations. */
const PLACES = ['header', 'path', 'query', 'requestBody'];

export const isObject = (value: unknown): value is Json =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns the object below `node` at a path of keys; an empty object where there is none. */
export function objectAt(node: unknown, ...keys: string[]): Json {
	const value = keys.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), node);
	return isObject(value) ? value : {};
}

/** Copies headers with their names in lower case. */
export const lowerCaseKeys = (headers: Record<string, string>): Record<string, string> =>
	Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** The whole URL of a request, with the query of its path and that which came beside it. The origin is made up. */
export function urlOf({ path, query = {} }: ContractRequest): URL {
	const url = new URL(path, 'https://localhost');
	for (const [name, value] of Object.entries(query)) {
		for (const one of [value].flat()) url.searchParams.append(name, one);
	}
	return url;
}

/**
 * Replaces every `$ref` by a copy of what it points to (the document has no cycles).
 * Copies, because openapi-backend turns an object that occurs twice into a `$ref` of its own, behind which
 * `x-error-code` could not be found.
 */
function inlineReferences(node: unknown, root: Json): unknown {
	if (Array.isArray(node)) return node.map((item) => inlineReferences(item, root));
	if (!isObject(node)) return node;
	if (typeof node.$ref === 'string') {
		const target = node.$ref
			.slice(2)
			.split('/')
			.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), root);
		if (target === undefined) throw new Error(`The contract refers to ${node.$ref}, which is not there`);
		return inlineReferences(target, root);
	}
	const entries = Object.entries(node).map(([key, value]) => [key, inlineReferences(value, root)] as const);
	// ajv takes a discriminator's values from the `const` of each schema, and refuses a mapping.
	const isDiscriminator = typeof node.propertyName === 'string' && isObject(node.mapping);
	return Object.fromEntries(entries.filter(([key]) => !(isDiscriminator && key === 'mapping')));
}

/**
 * Reads an OpenAPI document and resolves its references.
 *
 * @param file the path of a YAML file
 * @returns the document; every `$ref` is replaced by a copy of its target
 * @throws Error when the file does not hold an object, or when a reference has no target
 *
 * @example
 * const contract = new Contract(readDocument('emulator/messaging/contract.yaml'));
 * const operation = contract.match('GET', '/api/v1.0/consumer/conversations');
 * const violations = operation && contract.violations(request, operation);
 */
export function readDocument(file: string): Readonly<Json> {
	const source: unknown = parse(readFileSync(file, 'utf8'));
	const inlined = isObject(source) ? inlineReferences(source, source) : undefined;
	if (!isObject(inlined)) throw new Error(`${file} is not an object`);
	return inlined;
}

/** Reads the code that a schema gives for a violated keyword; undefined when it gives none. */
function codeOf(schema: unknown, keyword: string): number | string | undefined {
	const code = isObject(schema) ? schema['x-error-code'] : undefined;
	const ofKeyword = isObject(code) ? code[keyword] : code;
	return typeof ofKeyword === 'number' || typeof ofKeyword === 'string' ? ofKeyword : undefined;
}

/** The code of a violation. A missing property has that property's own code: `channelId` has 30002. */
function codeOfViolation({ keyword, params, parentSchema }: AjvError): number | string | undefined {
	const own = codeOf(parentSchema, keyword);
	if (own !== undefined || keyword !== 'required') return own;
	return codeOf(objectAt(parentSchema, 'properties')[String(params.missingProperty)], 'type');
}

function describeError({ keyword, message, params, schema }: AjvError): string {
	const more: Record<string, unknown> = {
		additionalProperties: params.additionalProperty,
		const: schema,
		enum: schema,
		discriminator: params.tagValue,
	};
	return `${message ?? 'is invalid'}${keyword in more ? `: ${JSON.stringify(more[keyword])}` : ''}`;
}

function toViolation(error: AjvError): Violation {
	const { instancePath, keyword, params, parentSchema } = error;
	const data: unknown = error.data;
	const missing = keyword === 'required' ? `/${String(params.missingProperty)}` : '';
	return {
		keyword,
		path: instancePath + missing,
		message: describeError(error),
		code: codeOfViolation(error),
		value: keyword === 'additionalProperties' ? params.additionalProperty : data,
		schema: isObject(parentSchema) ? parentSchema : {},
	};
}

/** Returns the first name of a JSON pointer: header, path, query or requestBody. */
export const placeOf = (path: string): string => path.split('/')[1] ?? '';

/**
 * Makes a path that openapi-backend's router can read: it reads brackets as those of a regular expression, and throws at
 * a broken percent-encoding.
 */
const routable = (path: string): string => readablePath(path).replaceAll('(', '%28').replaceAll(')', '%29');

/** Checks of the string formats that JSON Schema does not define, by their names. */
type Formats = Record<string, (text: string) => boolean>;

/**
 * An OpenAPI document that requests and answers are validated against.
 *
 * @example
 * const contract = new Contract(readDocument(file));
 * const operation = contract.match('DELETE', '/messages/conversations/19:abc');
 * contract.answerErrors('communication.deleteConversation', 204, undefined); // []
 */
export class Contract {
	private readonly router: OpenAPIRouter;
	private readonly validator: OpenAPIValidator;

	/** @param document as {@link readDocument} returns it @param formats checks of its own string formats */
	constructor(document: Readonly<Json>, formats: Formats = {}) {
		const paths = Object.entries(objectAt(document, 'paths')).map(
			([path, item]) => [routable(path), item] as const,
		);
		// The shape of the file is not checked here; a test holds the documents to the OpenAPI standard.
		const definition = { ...document, paths: Object.fromEntries(paths) } as unknown as Document;
		this.router = new OpenAPIRouter({ definition, ignoreTrailingSlashes: false });
		this.validator = new OpenAPIValidator({
			definition,
			router: this.router,
			lazyCompileValidators: true,
			// `unicode: false` counts UTF-16 code units; ajv calls it deprecated, hence no logger.
			ajvOpts: { allErrors: true, verbose: true, discriminator: true, unicode: false, logger: false },
			customizeAjv: (ajv) => {
				addFormats(ajv, ['uri', 'uuid', 'date-time', 'int64']);
				for (const [name, validate] of Object.entries(formats))
					ajv.addFormat(name, { type: 'string', validate });
				ajv.addKeyword({
					keyword: 'x-max-utf8-bytes',
					type: 'string',
					schemaType: 'number',
					validate: (limit: number, text: string) => Buffer.byteLength(text, 'utf8') <= limit,
					error: { message: ({ schema }) => `must not be longer than ${String(schema)} bytes of UTF-8` },
				});
				return ajv;
			},
		});
	}

	/** Finds the operation of a method and a raw path; undefined when the contract has none. */
	match(method: string, path: string): Operation | undefined {
		const request = { method, path: routable(path), headers: {} };
		const found = this.router.matchOperation(request);
		if (!found?.operationId) return undefined;
		const parsed: unknown = this.router.parseRequest(request, found);
		const texts = Object.entries(objectAt(parsed, 'params')).map(
			([name, value]) => [name, String(value)] as const,
		);
		const definition = { ...found, ...this.extensionsOf(found) };
		return { operationId: found.operationId, params: Object.fromEntries(texts), definition };
	}

	/** Finds an operation of a raw path with any method; undefined when the contract has none. */
	matchPath(path: string): Operation | undefined {
		for (const method of ['get', 'post', 'patch', 'delete']) {
			const operation = this.match(method, path);
			if (operation) return operation;
		}
		return undefined;
	}

	/**
	 * Finds what is wrong with a request.
	 *
	 * @param request its content type must be JSON, but may be left out
	 * @param operation as {@link match} returns it for the request
	 * @returns the violations: first those of headers, then of path, query and body; empty when there are none
	 */
	violations(request: ContractRequest, { definition, operationId }: Operation): Violation[] {
		const headers = lowerCaseKeys(request.headers);
		const { pathname, searchParams } = urlOf(request);
		const query = Object.fromEntries(
			[...searchParams.keys()].map((name) => {
				const [first = '', ...more] = searchParams.getAll(name);
				return [name, more.length > 0 ? [first, ...more] : first];
			}),
		);
		const { errors } = this.validator.validateRequest(
			{ ...request, path: routable(pathname), query, headers },
			operationId,
		);
		const violations = (errors ?? [])
			// A failed `if` only says that its `then` or `else` failed, and broken JSON is no body: both have their own errors.
			.filter(({ keyword }) => keyword !== 'if' && keyword !== 'parse')
			.map(toViolation);
		const contentType = headers['content-type'];
		if (definition.requestBody && contentType !== undefined && !isJsonType(contentType)) {
			violations.unshift({
				keyword: 'contentType',
				path: '/requestBody/content-type',
				message: `must be application/json, not ${contentType || 'missing'}`,
				code: undefined,
				value: contentType,
				schema: {},
			});
		}
		return violations.sort((a, b) => PLACES.indexOf(placeOf(a.path)) - PLACES.indexOf(placeOf(b.path)));
	}

	/**
	 * Validates the body of an answer.
	 *
	 * @param body parsed; undefined when there is none
	 * @returns one line for each violation; empty when there are none
	 * @throws Error for an operation or a status that the contract does not have
	 */
	answerErrors(operationId: string, status: number, body: unknown): string[] {
		const answers = objectAt(this.router.getOperation(operationId), 'responses');
		const answer = answers[status] ?? (status >= 400 ? answers.default : undefined);
		if (!answer) throw new Error(`The contract has no answer ${status} of ${operationId}`);
		if (!isObject(objectAt(answer).content)) return body === undefined ? [] : ['/ must not be there'];
		const { errors } = this.validator.validateResponse(body, operationId, status);
		return (errors ?? []).map((error) => `${error.instancePath || '/'} ${describeError(error)}`);
	}

	/** The extensions of an operation's path item, e.g. `x-table`. */
	private extensionsOf({ path }: OpenAPIOperation): Json {
		const item = objectAt(this.router.definition.paths, path);
		return Object.fromEntries(Object.entries(item).filter(([key]) => key.startsWith('x-')));
	}
}

const isJsonType = (contentType: string): boolean => /^application\/json\s*(;|$)/i.test(contentType);
