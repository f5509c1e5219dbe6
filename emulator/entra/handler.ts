import { randomUUID } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import { type Failure, FAULT_DETAIL, serve, type ServeParts } from '../http/serve';
import type { TokenEntry } from '../log';
import type { StatusFault } from '../settings';
import { authenticationOf, entraError, type Identity, withBasicCredentials } from './identity';

/** The lowest AADSTS number; the codes of other services are lower. */
const LOWEST_ENTRA_CODE = 50_000;

/** An answer in the form of Entra or of another service. */
interface Answer {
	status: number;
	errorCode?: number;
	body: unknown;
}

interface EntraParts extends ServeParts {
	identity: Identity;
}

function sendEntra(response: Response, { body, status }: Answer): void {
	response.setHeader('Cache-Control', 'no-store');
	response.status(status).json(body);
}

/** `InvalidRequestParameter`: the number of the AADSTS error for a request that cannot be read. */
const UNREADABLE = 90_100;

/** Answers a token request that cannot be read in the form of Entra. That it has this number is inferred. */
export function entraFailure(response: Response, { detail, status }: Failure): void {
	sendEntra(response, entraError(randomUUID(), status, UNREADABLE, `${detail}.`));
}

function tokenHandler(
	parts: EntraParts,
	otherFault: (fault: StatusFault) => Answer,
	sendOther: (response: Response, answer: Answer) => void,
) {
	return serve<number, Answer, { tenant: string }>(parts, ({ headers, raw }, response, { tenant }) => {
		// Of a field that comes twice, the last one counts.
		const fields: Record<string, string> = Object.fromEntries(new URLSearchParams(raw.toString('utf8')));
		const form = withBasicCredentials(fields, headers.authorization);
		const correlationId = headers['client-request-id'] ?? randomUUID();
		let isEntra = true;
		return {
			target: { operationId: 'token', hasToken: true },
			decide: () => parts.identity.answerTokenRequest(tenant, form, correlationId),
			onFault: (fault) => {
				const { code = 0, status } = fault;
				isEntra = code >= LOWEST_ENTRA_CODE;
				return isEntra ? entraError(correlationId, status, code, FAULT_DETAIL) : otherFault(fault);
			},
			record: (logged) =>
				parts.log.add<TokenEntry>({
					kind: 'token',
					status: logged.status,
					errorCode: logged.errorCode,
					tenant,
					clientId: form.client_id,
					scope: form.scope,
					authentication: authenticationOf(form),
				}),
			send: (answer) => (isEntra ? sendEntra : sendOther)(response, answer),
		};
	});
}

/**
 * Microsoft Entra ID: the token endpoint, and the published configuration and keys of a tenant.
 *
 * @param otherFault makes the answer for an injected status without an AADSTS number
 * @param sendOther sends the answer of `otherFault`
 */
export function entraRouter(
	parts: EntraParts,
	otherFault: (fault: StatusFault) => Answer,
	sendOther: (response: Response, answer: Answer) => void,
): Router {
	const { identity } = parts;
	const ofTenant =
		(body: (tenant: string) => unknown) =>
		({ params: { tenant } }: Request<{ tenant: string }>, response: Response) => {
			if (identity.isTenant(tenant)) response.json(body(tenant));
			else sendEntra(response, identity.unknownTenant(tenant, randomUUID()));
		};
	const router = Router();
	router.post('/:tenant/oauth2/v2.0/token', tokenHandler(parts, otherFault, sendOther));
	router.get(
		'/:tenant/.well-known/openid-configuration',
		ofTenant((tenant) => identity.openIdConfiguration(tenant, 1)),
	);
	router.get(
		'/:tenant/v2.0/.well-known/openid-configuration',
		ofTenant((tenant) => identity.openIdConfiguration(tenant, 2)),
	);
	for (const path of ['/:tenant/discovery/keys', '/:tenant/discovery/v2.0/keys'] as const) {
		router.get(
			path,
			ofTenant(() => identity.keySet()),
		);
	}
	return router;
}
