import {
	Contract,
	type ContractRequest,
	lowerCaseKeys,
	placeOf,
	urlOf,
	type Violation,
} from '../contract/open';
import { CommunicationError, document } from './errors';
import { isHttpDate } from './signature';

/** The operation that a request is for, and its errors. */
export interface Resolved {
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** The conversation or channel of the path, decoded. */
	id: string | undefined;
	/** In the order in which the service would answer them. */
	errors: CommunicationError[];
}

const contract = new Contract(document, { 'http-date': isHttpDate });

function toError({ keyword, message, path }: Violation, url: URL): CommunicationError {
	if (path === '/query/api-version') {
		const version = url.searchParams.get('api-version');
		if (version === null) {
			const text = 'An API version is required, but was not specified.';
			return new CommunicationError('ApiVersionUnspecified', text);
		}
		const text = `The HTTP resource that matches the request URI '${url.pathname}' does not support the API version '${version}'.`;
		return new CommunicationError('UnsupportedApiVersion', text);
	}
	if (keyword === 'contentType') {
		return new CommunicationError('UnsupportedMediaType', `The content type ${message}.`);
	}
	// `/requestBody/request/kind` in Azure's notation for a target: `request.kind`.
	const target = path.split('/').slice(2).join('.');
	const place = keyword === 'required' ? path.slice(0, path.lastIndexOf('/')) : path;
	const detail = `${place.replace(/^\/\w+/, '') || '/'} ${message}`;
	return new CommunicationError('BadRequest', detail, target ? { target } : {});
}

/** The errors of a request. The API version comes first, and unknown query parameters are ignored. */
function errorsOf(request: ContractRequest, operation: NonNullable<ReturnType<Contract['match']>>, url: URL) {
	const violations = contract
		.violations(request, operation)
		.filter(({ keyword, path }) => !(keyword === 'additionalProperties' && placeOf(path) === 'query'));
	const rank = ({ path }: Violation) => (path === '/query/api-version' ? 0 : 1);
	return violations.sort((one, other) => rank(one) - rank(other)).map((one) => toError(one, url));
}

/**
 * Finds the operation of a request, and validates the request.
 *
 * @param request its content type must be JSON, but may be left out
 */
export function resolve(request: ContractRequest): Resolved {
	const url = urlOf(request);
	const found = contract.match(request.method, url.pathname);
	const operation = found ?? contract.matchPath(url.pathname);
	const [id] = Object.values(operation?.params ?? {});
	if (found) return { operationId: found.operationId, id, errors: errorsOf(request, found, url) };
	const error = operation
		? new CommunicationError('MethodNotAllowed', `The path does not support ${request.method}.`)
		: new CommunicationError('NotFound', `There is no such path: ${url.pathname}`);
	return { operationId: null, id, errors: [error] };
}

/**
 * Validates a request to Azure Communication Services against the contract, without a server.
 *
 * Checks the form only. Whether the token or the signature is valid, whether the conversation exists and whether
 * WhatsApp would take the message is checked by the running emulator.
 *
 * @param request as it would be sent; its content type must be JSON, but may be left out
 * @returns the operation, and the errors in the order in which the service would answer them
 */
export function validateCommunicationRequest(request: ContractRequest): {
	operationId: string | null;
	errors: { code: string; status: number; detail: string }[];
} {
	const { errors, operationId } = resolve(request);
	const isSigned = /^(Bearer|HMAC-SHA256) \S/i.test(lowerCaseKeys(request.headers).authorization ?? '');
	const all = isSigned
		? errors
		: [new CommunicationError('Unauthorized', 'The Authorization header is missing'), ...errors];
	return {
		operationId,
		errors: all.map(({ code, message, status }) => ({ code, status, detail: message })),
	};
}

/**
 * Validates the body of an answer of Azure Communication Services against the contract.
 *
 * @returns one line for each violation; empty when there are none
 * @throws Error for an operation or a status that the contract does not have
 */
export const validateCommunicationAnswer = (operationId: string, status: number, body: unknown): string[] =>
	contract.answerErrors(operationId, status, body);
