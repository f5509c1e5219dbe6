import { randomUUID } from 'node:crypto';
import {
	calculateJwkThumbprint,
	createLocalJWKSet,
	type CryptoKey,
	exportJWK,
	generateKeyPair,
	type JWK,
	type JWTPayload,
	jwtVerify,
	SignJWT,
} from 'jose';
import type { Settings } from './settings';
import { resourceOf, type World } from './world';

/** Claims of a token; a claim that is undefined is left out. */
export type Claims = Record<string, unknown>;

/** An answer of the token endpoint; `errorCode` is the number of the AADSTS error. */
export interface TokenAnswer {
	status: number;
	body: Record<string, unknown>;
	errorCode?: number;
}

interface SigningKey {
	kid: string;
	privateKey: CryptoKey;
	publicJwk: JWK;
}

const ERROR_PAGE = 'https://login.microsoftonline.com/error?code=';
const nowSeconds = () => Math.floor(Date.now() / 1000);

/** An error of Microsoft Entra ID, as its v2.0 token endpoint words it. */
function entraError(
	correlationId: string,
	status: number,
	error: string,
	errorCode: number,
	text: string,
): TokenAnswer {
	const timestamp = new Date()
		.toISOString()
		.replace('T', ' ')
		.replace(/\.\d+Z$/, 'Z');
	const traceId = randomUUID();
	const description = `AADSTS${errorCode}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
	return {
		status,
		errorCode,
		body: {
			error,
			error_description: description,
			error_codes: [errorCode],
			timestamp,
			trace_id: traceId,
			correlation_id: correlationId,
			error_uri: `${ERROR_PAGE}${errorCode}`,
		},
	};
}

async function makeKey(): Promise<SigningKey> {
	const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
	const jwk = await exportJWK(publicKey);
	const kid = await calculateJwkThumbprint(jwk);
	return { kid, privateKey, publicJwk: { ...jwk, kid, use: 'sig' } };
}

/** Microsoft Entra ID as far as this project meets it: one tenant, one app, client credentials. */
export class Identity {
	private readonly revoked = new Set<string>();
	private readonly issued = new Set<string>();

	private constructor(
		private readonly world: World,
		private readonly settings: Settings,
		/** Known only after the server listens. */
		private readonly origin: () => string,
		private keys: [SigningKey, ...SigningKey[]],
	) {}

	static async create(world: World, settings: Settings, origin: () => string): Promise<Identity> {
		return new Identity(world, settings, origin, [await makeKey()]);
	}

	/** New tokens are signed with a new key. The old one stays published, as Entra does it. */
	async rotateKeys(): Promise<void> {
		this.keys = [await makeKey(), this.keys[0]];
	}

	/** Every access token that was issued until now is refused from now on. */
	revokeTokens(): void {
		for (const id of this.issued) this.revoked.add(id);
		this.issued.clear();
	}

	isTenant(tenant: string): boolean {
		return [this.world.tenantId, this.world.tenantDomain].includes(tenant.toLowerCase());
	}

	/** The body of `/discovery/v2.0/keys`. */
	keySet(): { keys: JWK[] } {
		return { keys: this.keys.map(({ publicJwk }) => publicJwk) };
	}

	/** The issuer of a token: v1 tokens name another host than v2 tokens. */
	issuer(version: 1 | 2): string {
		const { tenantId } = this.world;
		return version === 1 ? `https://sts.windows.net/${tenantId}/` : `${this.origin()}/${tenantId}/v2.0`;
	}

	/** The body of `/v2.0/.well-known/openid-configuration`. */
	openIdConfiguration(tenant: string): Record<string, unknown> {
		const base = `${this.origin()}/${tenant}`;
		return {
			issuer: this.issuer(2),
			authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
			token_endpoint: `${base}/oauth2/v2.0/token`,
			jwks_uri: `${base}/discovery/v2.0/keys`,
			token_endpoint_auth_methods_supported: ['client_secret_post'],
			response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
			response_modes_supported: ['query', 'fragment', 'form_post'],
			subject_types_supported: ['pairwise'],
			id_token_signing_alg_values_supported: ['RS256'],
			scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
		};
	}

	unknownTenant(tenant: string, correlationId: string): TokenAnswer {
		return entraError(
			correlationId,
			400,
			'invalid_request',
			90002,
			`Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
		);
	}

	/**
	 * Answers a client credentials request.
	 *
	 * @param tenant from the path: the tenant's GUID or its domain
	 * @param form the fields of the form; fields that are not known are not looked at
	 * @param correlationId the client's `client-request-id`, if it sent one
	 */
	async answerTokenRequest(
		tenant: string,
		form: Record<string, string>,
		correlationId: string = randomUUID(),
	): Promise<TokenAnswer> {
		const fail = (status: number, error: string, code: number, text: string) =>
			entraError(correlationId, status, error, code, text);
		const { world } = this;
		const missing = ['grant_type', 'client_id', 'scope', 'client_secret'].find((name) => !form[name]);
		const scope = form.scope ?? '';
		const resource = scope.replace(/\/\.default$/, '');

		if (missing) {
			const text = `The request body must contain the following parameter: '${missing}'.`;
			return fail(400, 'invalid_request', 900144, text);
		}
		if (form.grant_type !== 'client_credentials') {
			const text = `The app requested an unsupported grant type '${form.grant_type}'.`;
			return fail(400, 'unsupported_grant_type', 70003, text);
		}
		if (!this.isTenant(tenant)) return this.unknownTenant(tenant, correlationId);
		if (!scope.endsWith('/.default')) {
			const text = `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
			return fail(400, 'invalid_scope', 1002012, text);
		}
		if (form.client_id?.toLowerCase() !== world.clientId) {
			const text = `Application with identifier '${form.client_id}' was not found in the directory '${world.tenantDisplayName}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`;
			return fail(400, 'unauthorized_client', 700016, text);
		}
		if (world.expiredClientSecrets.includes(form.client_secret ?? '')) {
			const text = `The provided client secret keys for app '${world.clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`;
			return fail(401, 'invalid_client', 7000222, text);
		}
		if (form.client_secret !== world.clientSecret) {
			const text = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${world.clientId}'.`;
			return fail(401, 'invalid_client', 7000215, text);
		}
		if (resource.toLowerCase() !== resourceOf(world)) {
			const text = `The resource principal named ${resource} was not found in the tenant named ${world.tenantDisplayName}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`;
			return fail(400, 'invalid_resource', 500011, text);
		}
		return { status: 200, body: await this.issueAccessToken() };
	}

	private async issueAccessToken(): Promise<Record<string, unknown>> {
		const lifetime = this.settings.tokenLifetimeSeconds;
		const id = randomUUID();
		this.issued.add(id);
		const token = await this.signToken(this.appClaims(resourceOf(this.world), 1, lifetime, id));
		return { token_type: 'Bearer', expires_in: lifetime, ext_expires_in: lifetime, access_token: token };
	}

	/** The claims of an app-only token. */
	private appClaims(audience: string, version: 1 | 2, lifetime: number, id: string): Claims {
		const { clientId, servicePrincipalId, tenantId } = this.world;
		const now = nowSeconds();
		return {
			aud: audience,
			iss: this.issuer(version),
			iat: now,
			nbf: now,
			exp: now + lifetime,
			...(version === 1 ? { appid: clientId, appidacr: '1' } : { azp: clientId, azpacr: '1' }),
			idtyp: 'app',
			oid: servicePrincipalId,
			sub: servicePrincipalId,
			tid: tenantId,
			uti: id,
			ver: `${version}.0`,
		};
	}

	/** Signs any claims with the tenant's newest key (RS256). */
	async signToken(claims: Claims, header: Record<string, unknown> = {}): Promise<string> {
		const [{ kid, privateKey }] = this.keys;
		const present = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
		return new SignJWT(present)
			.setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...header })
			.sign(privateKey);
	}

	/** The token that is sent to the webhook. What it holds is inferred; see the reference. */
	issueDeliveryToken(overrides: Claims = {}): Promise<string> {
		const audience = `api://${this.world.clientId}`;
		const claims = this.appClaims(audience, this.settings.delivery.tokenVersion, 3600, randomUUID());
		return this.signToken({ ...claims, ...overrides });
	}

	/** Why an `Authorization` header is not good enough for the Messaging API; undefined when it is. */
	async refuses(authorization: string | undefined): Promise<string | undefined> {
		const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
		if (!token) return 'The Authorization header with a bearer token is missing.';
		let claims: JWTPayload;
		try {
			const { payload } = await jwtVerify(token, createLocalJWKSet(this.keySet()), {
				algorithms: ['RS256'],
				audience: resourceOf(this.world),
				issuer: [this.issuer(1), this.issuer(2)],
			});
			claims = payload;
		} catch (error) {
			return `The access token is not valid: ${error instanceof Error ? error.message : String(error)}.`;
		}
		if (typeof claims.uti === 'string' && this.revoked.has(claims.uti)) {
			return 'The access token was revoked.';
		}
		if ((claims.appid ?? claims.azp) !== this.world.clientId) {
			return 'The access token belongs to another app.';
		}
		return undefined;
	}
}
