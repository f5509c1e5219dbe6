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

/** `operationId` is null when the contract knows no such method and path. */
export interface ContractResult {
	operationId: string | null;
	errors: ContractError[];
}

/** The code of a violated constraint that has none of its own, by the place of the violation. */
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

const FORMATS = { iso8601: isIso8601, 'base64-or-url': isBase64OrUrl, 'json-object': isJsonObject };

const contract = new Contract(document, FORMATS);
const webhook = new Contract(
	{
		...document,
		paths: {
			'/v3/conversations/{conversationId}/activities': {
				...objectAt(document, 'webhooks', 'activity'),
				// A webhook has no path in OpenAPI, and so no parameter of one.
				parameters: [objectAt(document, 'components', 'parameters', 'conversationId')],
			},
		},
	},
	FORMATS,
);

/**
 * What the service says with a body code.
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
 * Holds a request to the Messaging API against the contract, without a server.
 *
 * Looks at the form only: whether the token is good, whether the conversation exists and whether the ids in the body
 * match those outside it is the emulator's work.
 *
 * @param request as it would be sent. A content type that is given must be JSON; one that is not given is not missed.
 * @returns the operation and what is wrong, the error that the service would answer first
 */
export const validateRequest = (request: ContractRequest): ContractResult =>
	validate(contract, request, hasBearer(request));

/**
 * Holds a delivery to the webhook against the contract. Signed or not is not looked at, as both occur.
 *
 * @param request `path` begins at `/v3/conversations`
 */
export const validateDelivery = (request: ContractRequest): ContractResult =>
	validate(webhook, request, true);

/**
 * Holds the body of an answer against the contract.
 *
 * @returns what is wrong, one line each; empty when nothing is
 * @throws Error for an operation or a status that the contract does not have
 */
export const validateAnswer = (operationId: string, status: number, body: unknown): string[] =>
	contract.answerErrors(operationId, status, body);
