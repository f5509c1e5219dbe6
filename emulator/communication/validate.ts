import { Contract, type ContractRequest, lowerCaseKeys, placeOf, type Violation } from '../contract/open';
import { CommunicationError, document } from './errors';
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
	// `/requestBody/request/kind` as Azure writes a target.
	const target = path.split('/').slice(2).join('.');
	const place = keyword === 'required' ? path.slice(0, path.lastIndexOf('/')) : path;
	const detail = `${place.replace(/^\/\w+/, '') || '/'} ${message}`;
	return new CommunicationError('BadRequest', detail, target ? { target } : {});
}

/** The version is looked at before all else; a query that is not known is not looked at. */
function errorsOf(request: ContractRequest, operation: NonNullable<ReturnType<Contract['match']>>, url: URL) {
	const violations = contract
		.violations(request, operation)
		.filter(({ keyword, path }) => !(keyword === 'additionalProperties' && placeOf(path) === 'query'));
	const isVersion = ({ path }: Violation) => path === '/query/api-version';
	return [...violations.filter(isVersion), ...violations.filter((one) => !isVersion(one))].map((one) =>
		toError(one, url),
	);
}

/**
 * Finds the call that a method and a raw path are, and what is wrong with the rest of the request.
 *
 * @param request a content type that is given must be JSON; one that is not given is not missed
 */
export function resolve(request: ContractRequest): Resolved {
	const url = new URL(request.path, 'https://localhost');
	for (const [name, value] of Object.entries(request.query ?? {})) {
		for (const one of [value].flat()) url.searchParams.append(name, one);
	}
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
 * Holds the body of an answer of Azure Communication Services against the contract.
 *
 * @returns what is wrong, one line each; empty when nothing is
 * @throws Error for an operation or a status that the contract does not have
 */
export const validateCommunicationAnswer = (operationId: string, status: number, body: unknown): string[] =>
	contract.answerErrors(operationId, status, body);
