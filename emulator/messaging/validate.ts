import { join } from 'node:path';
import {
	Contract,
	type ContractError,
	type ContractRequest,
	isObject,
	objectAt,
	placeOf,
	readDocument,
	type Violation,
} from '../contract/open';
import { hasBearer } from '../http/serve';

/** The operation that a request is for, or null when the contract has none, and the errors of the request. */
interface ContractResult {
	operationId: string | null;
	errors: ContractError[];
}

/** The codes of violations whose schema gives none, by their place in the request. */
const DEFAULT_CODES: Record<string, number> = { query: 30003 };
const DEFAULT_CODE = 30012;

/** The contract of the Messaging API, `contract.yaml`. */
export const document = readDocument(join(__dirname, 'contract.yaml'));

/** ISO 8601: a date, or a date and time with or without fraction and offset. */
function isIso8601(text: string): boolean {
	return (
		/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text) &&
		!Number.isNaN(Date.parse(text))
	);
}

/** Whether a text is base64 with its padding. Decodes and encodes it, because a regular expression takes too long on 100 MB. */
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

const FORMATS = { iso8601: isIso8601, 'base64-or-url': isBase64OrUrl, 'json-object': isJsonObject };

const contract = new Contract(document, FORMATS);
const webhook = new Contract(
	{
		...document,
		paths: {
			'/v3/conversations/{conversationId}/activities': {
				...objectAt(document, 'webhooks', 'activity'),
				// A webhook has no path in OpenAPI, and so no path parameter.
				parameters: [objectAt(document, 'components', 'parameters', 'conversationId')],
			},
		},
	},
	FORMATS,
);

/**
 * Looks up an error code of the service.
 *
 * @param code 30001 to 30016
 * @returns the HTTP status and the title of the problem
 * @throws Error for a code that the contract does not have
 */
export function describeCode(code: number): { status: number; title: string } {
	const { status, title } = objectAt(document['x-error-codes'], String(code));
	if (typeof status === 'number' && typeof title === 'string') return { status, title };
	throw new Error(`The contract has no error code ${code}`);
}

function toContractError({ code: given, message, path }: Violation): ContractError {
	const code = typeof given === 'number' ? given : (DEFAULT_CODES[placeOf(path)] ?? DEFAULT_CODE);
	return { code, status: describeCode(code).status, detail: `${path} ${message}`, path };
}

function validate(against: Contract, request: ContractRequest, isSigned: boolean): ContractResult {
	const operation = against.match(request.method, request.path);
	if (!operation) return { operationId: null, errors: [] };
	const errors = against.violations(request, operation).map(toContractError);
	if (!isSigned) {
		const detail = 'The Authorization header with a bearer token is missing';
		errors.unshift({ code: null, status: 401, detail, path: '/header/authorization' });
	}
	return { operationId: operation.operationId, errors };
}

/**
 * Validates a request to the Messaging API against the contract, without a server.
 *
 * Checks the form only. Whether the token is valid, whether the conversation exists and whether the ids in the body
 * match those outside it is checked by the running emulator.
 *
 * @param request as it would be sent; its content type must be JSON, but may be left out
 * @returns the operation, and the errors in the order in which the service would answer them
 */
export const validateRequest = (request: ContractRequest): ContractResult =>
	validate(contract, request, hasBearer(request));

/**
 * Validates a delivery to the webhook against the contract. It may be signed or not, as both occur.
 *
 * @param request its path begins with `/v3/conversations`
 * @returns the operation, and the errors
 */
export const validateDelivery = (request: ContractRequest): ContractResult =>
	validate(webhook, request, true);

/**
 * Validates the body of an answer of the Messaging API against the contract.
 *
 * @returns one line for each violation; empty when there are none
 * @throws Error for an operation or a status that the contract does not have
 */
export const validateAnswer = (operationId: string, status: number, body: unknown): string[] =>
	contract.answerErrors(operationId, status, body);
