import type { Connection } from './connection';
import { explainAnswer, ServiceError } from './errors';
import { sendHttps, TransportError, type HttpsResponse } from './https';
import { parseJson, type Json } from './json';
import { urlOf, type ApiRequest } from './request';
import { getToken, noteAccepted, renewToken } from './token';

/** The headers of every call. Source: shared reference, "Host, headers, token". */
export function authorizationHeaders(connection: Connection, token: string): Record<string, string> {
	return {
		authorization: `Bearer ${token}`,
		'channel-id': connection.channelId,
		'organization-id': connection.organizationId,
	};
}

async function send(
	connection: Connection,
	request: ApiRequest,
	token: string,
	signal?: AbortSignal,
): Promise<HttpsResponse> {
	return await sendHttps({
		method: request.method,
		url: urlOf(connection.origin, request),
		headers: {
			accept: 'application/json',
			...(request.body && { 'content-type': 'application/json' }),
			...authorizationHeaders(connection, token),
		},
		body: request.body && JSON.stringify(request.body),
		signal,
	});
}

/** What Node.js says of a certificate that it does not trust, and what to do about it. */
const CERTIFICATE_FIXES: Record<string, string> = {
	CERT_HAS_EXPIRED: 'Its certificate has expired: tell whoever runs it, and check the clock of this machine.',
	CERT_NOT_YET_VALID: 'Its certificate is not valid yet: check the clock of this machine.',
	ERR_TLS_CERT_ALTNAME_INVALID: 'Its certificate is for another name: check the host in the credential.',
};
const UNKNOWN_ISSUER = new Set([
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'CERT_UNTRUSTED',
]);

function certificateFix(code: string): string | undefined {
	if (UNKNOWN_ISSUER.has(code)) {
		return 'If a proxy stands in between, give n8n its certificate through NODE_EXTRA_CA_CERTS.';
	}
	return CERTIFICATE_FIXES[code];
}

/**
 * Explains an exchange that ended without an answer; says plainly when a message may have arrived all the same.
 * @param request what was sent to the service; undefined where it was the token request.
 */
export function explainTransport({ code, host, sent }: TransportError, request?: ApiRequest): ServiceError {
	if (sent === 'maybe' && request?.method === 'POST') {
		return new ServiceError({
			message: `The answer of the service at ${host} was lost: what was sent may have arrived`,
			description:
				'So it was not sent again. Look in the conversation (Message: Get Many) before you repeat it.',
			code,
		});
	}
	if (code === 'ABORT_ERR') {
		return new ServiceError({
			message: 'The execution was cancelled before this was sent',
			description: 'Run the workflow again to send it.',
			code,
		});
	}
	const isAuthority = request === undefined;
	const who = isAuthority ? 'token authority' : 'service';
	const fix = certificateFix(code);
	if (fix !== undefined) {
		return new ServiceError({
			message: `The certificate of the ${who} at ${host} is not trusted`,
			description: fix,
			code,
		});
	}
	const fields = isAuthority ? 'Tenant ID and Authority Host' : 'Organization ID, Geo and Base URL';
	return new ServiceError({
		message: `The ${who} at ${host} cannot be reached`,
		description: `Check ${fields} in the credential, and that n8n may call this host.`,
		code,
	});
}

/** Runs an exchange and turns a transport's failure into words. */
async function explained<T>(request: ApiRequest | undefined, exchange: () => Promise<T>): Promise<T> {
	try {
		return await exchange();
	} catch (error) {
		throw error instanceof TransportError ? explainTransport(error, request) : error;
	}
}

/**
 * Makes one call. A 401 is met with one fresh token and one more try; nothing else is tried again.
 * @returns the answer's JSON; null where the body is empty.
 * @throws ServiceError for every answer but 2xx, and for none.
 */
export async function callService(
	connection: Connection,
	request: ApiRequest,
	signal?: AbortSignal,
): Promise<Json> {
	let token = await explained(undefined, async () => await getToken(connection));
	let response = await explained(request, async () => await send(connection, request, token, signal));
	if (response.status === 401) {
		const fresh = await explained(undefined, async () => await renewToken(connection, token));
		if (fresh !== null) {
			token = fresh;
			response = await explained(request, async () => await send(connection, request, fresh, signal));
		}
	}
	if (response.status !== 401) noteAccepted(connection, token);
	if (response.status < 200 || response.status > 299) throw explainAnswer(response);
	if (response.body.trim() === '') return null;
	const json = parseJson(response.body);
	if (json === undefined) {
		throw new ServiceError({
			message: 'The answer of the service is not readable',
			description: `It arrived, with HTTP status ${response.status}, but the answer is no JSON. Check Base URL in the credential, and the proxy between n8n and the service.`,
			httpCode: response.status,
		});
	}
	return json;
}
