import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import {
	type Document,
	OpenAPIRouter,
	OpenAPIValidator,
	type Operation as OpenAPIOperation,
} from 'openapi-backend';
import { parse } from 'yaml';

/** A request as a client would send it; `body` is the parsed JSON, or the JSON as a string. */
export interface ContractRequest {
	method: string;
	/** Path only, e.g. `/api/v1.0/consumer/conversation/create`; a query may also stand here, after `?`. */
	path: string;
	query?: Record<string, string | string[]>;
	headers: Record<string, string>;
	body?: unknown;
}

/** One way in which a request breaks the contract. */
export interface ContractError {
	/** The service's body code, e.g. 30011; null where it has none (a missing token). */
	code: number | null;
	/** The HTTP status that the service answers with. */
	status: number;
	detail: string;
	/** Where, as a JSON pointer that begins with `/header`, `/path`, `/query` or `/requestBody`. */
	path: string;
}

/** A constraint of a contract that a request or an answer breaks. */
export interface Violation {
	/** The JSON Schema keyword, or `contentType`. */
	keyword: string;
	/** Where, as a JSON pointer that begins with the place, e.g. `/requestBody/text`; with a missing property's name. */
	path: string;
	message: string;
	/** What the schema's `x-error-code` says of the keyword. */
	code: number | string | undefined;
	/** What stands there. */
	value: unknown;
	schema: Json;
}

/** A call of a contract. */
export interface Operation {
	operationId: string;
	/** Of the path, decoded. */
	params: Record<string, string>;
	/** As the contract has it, with its path item's extensions. */
	definition: Json;
}

export type Json = Record<string, unknown>;
type AjvError = NonNullable<ReturnType<OpenAPIValidator['validateRequest']>['errors']>[number];

/** Which violation comes first when there are several: services look at the headers first. */
const PLACES = ['header', 'path', 'query', 'requestBody'];

export const isObject = (value: unknown): value is Json =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object at some keys; an empty one where there is none. */
export function objectAt(node: unknown, ...keys: string[]): Json {
	const value = keys.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), node);
	return isObject(value) ? value : {};
}

/** Names in lower case. */
export const lowerCaseKeys = (headers: Record<string, string>): Record<string, string> =>
	Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

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
 * Reads an OpenAPI document, with its references resolved.
 *
 * @throws Error when the file is not an object, or refers to what is not there
 */
export function readDocument(file: string): Readonly<Json> {
	const source: unknown = parse(readFileSync(file, 'utf8'));
	const inlined = isObject(source) ? inlineReferences(source, source) : undefined;
	if (!isObject(inlined)) throw new Error(`${file} is not an object`);
	return inlined;
}

/** The code that a schema gives for a violated keyword, if it gives one. */
function codeOf(schema: unknown, keyword: string): number | string | undefined {
	const code = isObject(schema) ? schema['x-error-code'] : undefined;
	const ofKeyword = isObject(code) ? code[keyword] : code;
	return typeof ofKeyword === 'number' || typeof ofKeyword === 'string' ? ofKeyword : undefined;
}

/** A property that is missing is answered with that property's code: `channelId` with 30002. */
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

/** The first name of a JSON pointer: header, path, query or requestBody. */
export const placeOf = (path: string): string => path.split('/')[1] ?? '';

/** openapi-backend's router takes brackets in a path for those of a regular expression. */
const routable = (path: string): string => path.replaceAll('(', '%28').replaceAll(')', '%29');

/** Formats beyond JSON Schema's own, by their names. */
export type Formats = Record<string, (text: string) => boolean>;

/** An OpenAPI document, as what requests and answers are held against. */
export class Contract {
	private readonly router: OpenAPIRouter;
	private readonly validator: OpenAPIValidator;

	/** @param document as {@link readDocument} gives it */
	constructor(document: Readonly<Json>, formats: Formats = {}) {
		const paths = Object.entries(objectAt(document, 'paths')).map(
			([path, item]) => [routable(path), item] as const,
		);
		// The only place where the shape of the file is taken on trust.
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

	/** The call that a method and a path are; undefined when the contract has no such call. */
	match(method: string, path: string): Operation | undefined {
		const request = { method, path: routable(path), headers: {} };
		const found = this.router.matchOperation(request);
		if (!found?.operationId) return undefined;
		try {
			const parsed: unknown = this.router.parseRequest(request, found);
			const texts = Object.entries(objectAt(parsed, 'params')).map(
				([name, value]) => [name, String(value)] as const,
			);
			const definition = { ...found, ...this.extensionsOf(found) };
			return { operationId: found.operationId, params: Object.fromEntries(texts), definition };
		} catch {
			// The path is no good percent-encoding.
			return undefined;
		}
	}

	/** A call of the path, whatever its method. */
	matchPath(path: string): Operation | undefined {
		for (const method of ['get', 'post', 'patch', 'delete']) {
			const operation = this.match(method, path);
			if (operation) return operation;
		}
		return undefined;
	}

	/**
	 * What is wrong with a request, in the order of the places.
	 *
	 * @param request a content type that is given must be JSON; one that is not given is not missed
	 */
	violations(request: ContractRequest, { definition, operationId }: Operation): Violation[] {
		const headers = lowerCaseKeys(request.headers);
		const { pathname, search } = new URL(request.path, 'https://localhost');
		const query: Record<string, string | string[]> = { ...request.query };
		for (const [name, value] of new URLSearchParams(search)) {
			query[name] = name in query ? [query[name] ?? [], value].flat() : value;
		}
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
			const message = `must be application/json, not ${contentType || 'missing'}`;
			const path = '/requestBody/content-type';
			violations.unshift({
				keyword: 'contentType',
				path,
				message,
				code: undefined,
				value: contentType,
				schema: {},
			});
		}
		return violations.sort((a, b) => PLACES.indexOf(placeOf(a.path)) - PLACES.indexOf(placeOf(b.path)));
	}

	/**
	 * Holds the body of an answer against the contract.
	 *
	 * @returns what is wrong, one line each; empty when nothing is
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

	/** What the path item of a call says beside its calls, e.g. `x-table`. */
	private extensionsOf({ path }: OpenAPIOperation): Json {
		const item = objectAt(this.router.definition.paths, path);
		return Object.fromEntries(Object.entries(item).filter(([key]) => key.startsWith('x-')));
	}
}

const isJsonType = (contentType: string): boolean => /^application\/json\s*(;|$)/i.test(contentType);
