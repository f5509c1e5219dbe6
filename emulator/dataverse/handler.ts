import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import type { Identity } from '../entra/identity';
import { type Failure, FAULT_DETAIL, hasBearer, requestFields, serve, type ServeParts } from '../http/serve';
import type { DataverseEntry } from '../log';
import type { StatusFault } from '../settings';
import { type ApiParts, type DataverseAnswer, DataverseApi, type DataverseCall } from './api';
import { DataverseError } from './errors';
import { resolve } from './validate';

export type DataverseParts = ServeParts & ApiParts & { identity: Identity };

/** The service protection limits, in Microsoft's words. */
const LIMITS: Record<string, string> = {
	'0x80072321':
		'Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.',
	'0x80072322': 'Number of requests exceeded the limit of 6000 over time window of 300 seconds.',
	'0x80072326': 'Number of concurrent requests exceeded the limit of 52.',
};
/** The codes of faults that do not name one, by their status. */
const FAULT_CODES: Record<number, string> = { 429: '0x80072322', 500: '0x80040216' };
/** The lowest code of Dataverse; those of the Messaging API and of Entra are lower. */
const LOWEST_CODE = 0x8000_0000;

/** The answer when the token is missing or not valid. It has no body; the header is that of public reports. */
function unauthorized({ origin, world }: DataverseParts): DataverseAnswer {
	const authority = `${origin()}/${world.tenantId}/oauth2/authorize`;
	return {
		status: 401,
		headers: { 'WWW-Authenticate': `Bearer authorization_uri=${authority}, resource_id=${origin()}/` },
	};
}

const errorAnswer = (status: number, code: string, message: string): DataverseAnswer => ({
	status,
	headers: {},
	body: { error: { code, message } },
	errorCode: code,
});

function faultAnswer(parts: DataverseParts, { code = 0, status }: StatusFault): DataverseAnswer {
	if (status === 401) return unauthorized(parts);
	const hex = code >= LOWEST_CODE ? `0x${code.toString(16)}` : (FAULT_CODES[status] ?? '');
	return errorAnswer(status, hex, LIMITS[hex] ?? FAULT_DETAIL);
}

async function decide(
	parts: DataverseParts,
	api: DataverseApi,
	call: DataverseCall,
): Promise<DataverseAnswer> {
	if (await parts.identity.refuses(call.headers.authorization, parts.origin())) return unauthorized(parts);
	try {
		return api.answer(call);
	} catch (error) {
		if (error instanceof DataverseError) return errorAnswer(error.status, error.code, error.message);
		throw error;
	}
}

function sendAnswer(response: Response, { body, headers, status }: DataverseAnswer): void {
	response.status(status).set(headers);
	if (status !== 401) response.setHeader('OData-Version', '4.0');
	if (body === undefined) response.end();
	else
		response.setHeader('Content-Type', 'application/json; odata.metadata=minimal').end(JSON.stringify(body));
}

/** Answers a request that cannot be read in the form of Dataverse. That it comes without a code is inferred. */
export function dataverseFailure(response: Response, { detail, status }: Failure): void {
	response.setHeader('x-ms-service-request-id', randomUUID());
	sendAnswer(response, errorAnswer(status, FAULT_CODES[status] ?? '', detail));
}

/** The request handler of the Dataverse Web API: faults and log around {@link DataverseApi}. */
export function dataverseHandler(parts: DataverseParts) {
	const api = new DataverseApi(parts);
	return serve<string, DataverseAnswer>(parts, (request, response) => {
		const serviceRequestId = randomUUID();
		response.setHeader('x-ms-service-request-id', serviceRequestId);
		const { headers, method, path } = request;
		const resolved = resolve(request);
		const { operationId } = resolved;
		return {
			target: { operationId, hasToken: hasBearer(request) },
			decide: () => decide(parts, api, { method, path, headers, resolved }),
			onFault: (fault) => faultAnswer(parts, fault),
			record: (logged) =>
				parts.log.add<DataverseEntry>({
					kind: 'dataverse',
					...requestFields(request, logged),
					operationId,
					serviceRequestId,
				}),
			send: (answer) => sendAnswer(response, answer),
		};
	});
}
