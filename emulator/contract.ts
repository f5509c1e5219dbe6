import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import addFormats from 'ajv-formats';
import { type Document, OpenAPIRouter, OpenAPIValidator } from 'openapi-backend';
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

/** `operationId` is null when the contract knows no such method and path. */
export interface ContractResult {
	operationId: string | null;
	errors: ContractError[];
}

export type Json = Record<string, unknown>;
type AjvError = NonNullable<ReturnType<OpenAPIValidator['validateRequest']>['errors']>[number];

/** The code of a violated constraint that has none of its own, by the place of the violation. */
const DEFAULT_CODES = { requestBody: 30012, query: 30003 };
/** Which error is answered when there are several: the service looks at the headers first. */
const PLACES = ['header', 'path', 'query', 'requestBody'];

export const isObject = (value: unknown): value is Json =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

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
 * Reads a contract, with its references resolved.
 *
 * @throws Error when the file is not an object, or refers to what is not there
 */
export function loadDocument(file: string): Json {
	const source: unknown = parse(readFileSync(file, 'utf8'));
	const inlined = isObject(source) ? inlineReferences(source, source) : undefined;
	if (!isObject(inlined)) throw new Error(`${file} is not an object`);
	return inlined;
}

/** The contract of the Messaging API, `messaging/contract.yaml`. */
export const document: Readonly<Json> = loadDocument(join(__dirname, 'messaging', 'contract.yaml'));

/** ISO 8601: a date, or a date and time with or without fraction and offset. */
function isIso8601(text: string): boolean {
	return (
		/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text) &&
		!Number.isNaN(Date.parse(text))
	);
}

/** Base64 with its padding. Compares lengths, because a regular expression takes too long on 100 MB. */
function isBase64(text: string): boolean {
	return text.length > 0 && text.length % 4 === 0 && Buffer.from(text, 'base64').toString('base64') === text;
}

function isBase64OrUrl(text: string): boolean {
	if (/^https?:\/\//i.test(text)) return URL.canParse(text);
	const dataUri = /^data:[^,]{0,512};base64,/i.exec(text.slice(0, 600));
	return isBase64(dataUri ? text.slice(dataUri[0].length) : text);
}

function isJsonObject(text: string): boolean {
	try {
		return isObject(JSON.parse(text));
	} catch {
		return false;
	}
}

/** The service's error codes, from `x-error-codes`. */
const ERROR_CODES = isObject(document['x-error-codes']) ? document['x-error-codes'] : {};

/**
 * What the service says with a body code.
 *
 * @param code 30001 to 30016
 * @returns the HTTP status and the title of the problem
 * @throws Error for a code that the contract does not have
 */
export function describeCode(code: number): { status: number; title: string } {
	const entry = ERROR_CODES[code];
	if (!isObject(entry) || typeof entry.status !== 'number' || typeof entry.title !== 'string') {
		throw new Error(`The contract has no error code ${code}`);
	}
	return { status: entry.status, title: entry.title };
}

/** The code that a schema gives for a violated keyword, if it gives one. */
function codeOf(schema: unknown, keyword: string): number | undefined {
	const code = isObject(schema) ? schema['x-error-code'] : undefined;
	if (typeof code === 'number') return code;
	const ofKeyword = isObject(code) ? code[keyword] : undefined;
	return typeof ofKeyword === 'number' ? ofKeyword : undefined;
}

/** A property that is missing is answered with that property's code: `channelId` with 30002. */
function codeOfViolation({ keyword, params, parentSchema }: AjvError): number | undefined {
	const own = codeOf(parentSchema, keyword);
	if (own !== undefined || keyword !== 'required' || !isObject(parentSchema)) return own;
	const { properties } = parentSchema;
	return isObject(properties) ? codeOf(properties[String(params.missingProperty)], 'type') : undefined;
}

function describeViolation({ keyword, params, message, schema }: AjvError): string {
	const said = message ?? 'is invalid';
	if (keyword === 'additionalProperties') return `${said}: ${String(params.additionalProperty)}`;
	if (keyword === 'const') return `${said} ${JSON.stringify(schema)}`;
	return said;
}

const placeOf = (path: string): string => path.split('/')[1] ?? '';

function toContractError(error: AjvError): ContractError {
	const missing = error.keyword === 'required' ? `/${String(error.params.missingProperty)}` : '';
	const path = error.instancePath + missing || '/requestBody';
	const fallback = placeOf(path) === 'query' ? DEFAULT_CODES.query : DEFAULT_CODES.requestBody;
	const code = codeOfViolation(error) ?? fallback;
	return { code, status: describeCode(code).status, detail: `${path} ${describeViolation(error)}`, path };
}

class Contract {
	readonly router: OpenAPIRouter;
	readonly validator: OpenAPIValidator;

	constructor(paths: unknown) {
		// The only place where the shape of the file is taken on trust.
		const definition = { ...document, paths } as unknown as Document;
		this.router = new OpenAPIRouter({ definition });
		this.validator = new OpenAPIValidator({
			definition,
			router: this.router,
			// `unicode: false` counts UTF-16 code units; ajv calls it deprecated, hence no logger.
			ajvOpts: { allErrors: true, verbose: true, discriminator: true, unicode: false, logger: false },
			customizeAjv: (ajv) => {
				addFormats(ajv, ['uri']);
				ajv.addFormat('iso8601', isIso8601);
				ajv.addFormat('base64-or-url', { type: 'string', validate: isBase64OrUrl });
				ajv.addFormat('json-object', { type: 'string', validate: isJsonObject });
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

	validate(request: ContractRequest, isSigned: boolean): ContractResult {
		const operation = this.router.matchOperation(request);
		if (!operation?.operationId) return { operationId: null, errors: [] };
		const headers = Object.fromEntries(
			Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
		);
		const errors: ContractError[] = [];
		if (!isSigned && !/^Bearer \S+$/i.test(headers.authorization ?? '')) {
			const detail = 'The Authorization header with a bearer token is missing';
			errors.push({ code: null, status: 401, detail, path: '/header/authorization' });
		}
		const violations = (this.validator.validateRequest({ ...request, headers }, operation).errors ?? [])
			// A failed `if` only says that its `then` or `else` failed, which have their own errors.
			.filter(({ keyword }) => keyword !== 'if')
			.map(toContractError)
			.sort((a, b) => PLACES.indexOf(placeOf(a.path)) - PLACES.indexOf(placeOf(b.path)));
		errors.push(...violations);
		const contentType = headers['content-type'];
		if (
			operation.requestBody &&
			contentType !== undefined &&
			!/^application\/json\s*(;|$)/i.test(contentType)
		) {
			const detail = `The content type must be application/json, not ${contentType || 'missing'}`;
			errors.push({ code: 30012, status: 400, detail, path: '/header/content-type' });
		}
		return { operationId: operation.operationId, errors };
	}
}

const WEBHOOK_PATH = '/v3/conversations/{conversationId}/activities';

const objectAt = (node: unknown, ...keys: string[]): Json => {
	const value = keys.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), node);
	return isObject(value) ? value : {};
};
const conversationId = objectAt(document, 'components', 'parameters', 'conversationId');

const service = new Contract(document.paths);
const webhook = new Contract({
	// A webhook has no path in OpenAPI, and so no parameter of one.
	[WEBHOOK_PATH]: { ...objectAt(document, 'webhooks', 'activity'), parameters: [conversationId] },
});

/**
 * Holds a request to the Messaging API against the contract, without a server.
 *
 * Looks at the form only: whether the token is good, whether the conversation exists and whether the ids in the body
 * match those outside it is the emulator's work.
 *
 * @param request as it would be sent. A content type that is given must be JSON; one that is not given is not missed.
 * @returns the operation and what is wrong, the error that the service would answer first
 */
export function validateRequest(request: ContractRequest): ContractResult {
	return service.validate(request, false);
}

/**
 * Holds a delivery to the webhook against the contract. Signed or not is not looked at, as both occur.
 *
 * @param request `path` begins at `/v3/conversations`
 */
export function validateDelivery(request: ContractRequest): ContractResult {
	return webhook.validate(request, true);
}

/**
 * Holds the body of a successful answer against the contract.
 *
 * @returns what is wrong, one line each; empty when nothing is
 * @throws Error for an operation that the contract does not have
 */
export function validateAnswer(operationId: string, status: number, body: unknown): string[] {
	const { errors } = service.validator.validateResponse(body, operationId, status);
	return (errors ?? []).map((error) => `${error.instancePath} ${describeViolation(error)}`);
}
