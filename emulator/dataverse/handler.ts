import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { FAULT_DETAIL, isPause, isStatus, parseBody, sendFault, singleHeaders, spoilTokens } from '../http';
import type { Identity } from '../identity';
import { type DataverseEntry, type Log, shortened } from '../log';
import { type StatusFault, takeFault } from '../settings';
import { type ApiParts, type DataverseAnswer, DataverseApi, type DataverseCall } from './api';
import { DataverseError } from './errors';
import { resolve } from './request';

export interface DataverseParts extends ApiParts {
	log: Log;
	identity: Identity;
	/** Numbers from 0 to 1, for faults with a probability. */
	random: () => number;
}

/** The service protection limits, in Microsoft's words. */
const LIMITS: Record<string, string> = {
	'0x80072321':
		'Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.',
	'0x80072322': 'Number of requests exceeded the limit of 6000 over time window of 300 seconds.',
	'0x80072326': 'Number of concurrent requests exceeded the limit of 52.',
};
/** The code of a fault that has none of Dataverse's own, by its status. */
const FAULT_CODES: Record<number, string> = { 429: '0x80072322', 500: '0x80040216' };
/** Dataverse's codes begin here; those of the Messaging API and of Entra are below. */
const LOWEST_CODE = 0x8000_0000;

/** A token that is missing or not good. No body; the header is what public reports show. */
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

/** The Dataverse Web API: faults and log around {@link DataverseApi}. */
export function dataverseHandler(parts: DataverseParts) {
	const api = new DataverseApi(parts);
	return async (request: Request, response: Response): Promise<void> => {
		const serviceRequestId = randomUUID();
		response.setHeader('x-ms-service-request-id', serviceRequestId);
		const headers = singleHeaders(request.headers);
		const body = parseBody(request.body);
		const { method, originalUrl: path } = request;
		const resolved = resolve({
			method,
			path,
			// A body without a content type is wrong too, which the contract alone does not say.
			headers: { ...(body !== undefined && { 'content-type': '' }), ...headers },
			body,
		});
		const { operationId } = resolved;
		const hasToken = /^Bearer \S+$/i.test(headers.authorization ?? '');
		const fault = takeFault(parts.settings.faults, { operationId, hasToken }, parts.random);
		const record = ({ errorCode, status }: Pick<DataverseAnswer, 'errorCode' | 'status'>) =>
			parts.log.add<DataverseEntry>({
				kind: 'dataverse',
				method,
				path,
				operationId,
				status,
				errorCode,
				serviceRequestId,
				fault,
				body: shortened(body),
			});
		const cut = () => {
			record({ status: 0 });
			request.socket.destroy();
		};

		if (fault === 'resetBefore') return cut();
		if (isStatus(fault)) {
			const answer = faultAnswer(parts, fault);
			record(answer);
			return sendFault(response, fault, () => sendAnswer(response, answer));
		}
		if (isPause(fault)) await sleep(fault.delayMs);
		await spoilTokens(parts.identity, fault);
		const answer = await decide(parts, api, { method, path, headers, resolved });
		if (fault === 'resetAfter') return cut();
		record(answer);
		sendAnswer(response, answer);
	};
}
