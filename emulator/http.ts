import type { IncomingHttpHeaders } from 'node:http';
import type { Response } from 'express';
import type { Identity } from './identity';
import type { FaultAction, StatusFault } from './settings';

/** Header names as Node.js gives them; of those that may come more than once, the first. */
export function singleHeaders(headers: IncomingHttpHeaders): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name, (Array.isArray(value) ? value[0] : value) ?? '']),
	);
}

/** The body as JSON, or as it came when it is no JSON, for the contract to refuse. */
export function parseBody(raw: unknown): unknown {
	if (!Buffer.isBuffer(raw) || raw.length === 0) return undefined;
	const text = raw.toString('utf8');
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

export const isPause = (fault: FaultAction | undefined): fault is { delayMs: number } =>
	typeof fault === 'object' && 'delayMs' in fault;
export const isStatus = (fault: FaultAction | undefined): fault is StatusFault =>
	typeof fault === 'object' && 'status' in fault;

/** Spoils the tokens before the request is looked at, which then takes its normal course. */
export async function spoilTokens(identity: Identity, fault: FaultAction | undefined): Promise<void> {
	if (fault === 'revokeTokens') identity.revokeTokens();
	if (fault === 'rotateKeys') await identity.retireKeys();
}

/** What an injected error says where nothing better is known. */
export const FAULT_DETAIL = 'A fault was injected.';

/** @param sendError sends the answer where the fault has no body of its own */
export function sendFault(
	response: Response,
	{ body, contentType, retryAfter, status }: StatusFault,
	sendError: () => void,
): void {
	if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
	if (body === undefined) {
		sendError();
		return;
	}
	if (contentType !== undefined) response.setHeader('Content-Type', contentType);
	response.status(status).end(body);
}
