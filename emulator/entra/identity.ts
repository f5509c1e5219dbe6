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
import { type CredentialRefusal, refuseAssertion } from './assertion';
import type { Authentication } from '../log';
import type { Settings } from '../settings';
import { COMMUNICATION_RESOURCE, resourceOf, type World } from '../world';

/** The claims of a token. A claim that is undefined is left out. */
export type Claims = Record<string, unknown>;

/** An answer of the token endpoint; `errorCode` is the number of the AADSTS error. */
interface TokenAnswer {
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
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The OAuth names of AADSTS errors, where the name does not follow from the status. */
const OAUTH_ERRORS: Record<number, string> = {
	70003: 'unsupported_grant_type',
	500011: 'invalid_resource',
	700016: 'unauthorized_client',
	1002012: 'invalid_scope',
};
const nowSeconds = () => Math.floor(Date.now() / 1000);

function oauthErrorOf(status: number, errorCode: number): string {
	const known = OAUTH_ERRORS[errorCode];
	if (known !== undefined) return known;
	if (status === 401) return 'invalid_client';
	return status === 429 || status >= 500 ? 'temporarily_unavailable' : 'invalid_request';
}

/** How a token request authenticates. That an assertion takes precedence over a secret is inferred. */
export function authenticationOf(form: Record<string, string>): Authentication | undefined {
	if (form.client_assertion) return 'certificate';
	return form.client_secret ? 'secret' : undefined;
}

/** Decodes a value of `application/x-www-form-urlencoded`; one that is broken stays as it is. */
function decodeFormValue(text: string): string {
	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return text;
	}
}

/**
 * Adds the app and its secret from an `Authorization: Basic` header (`client_secret_basic`) to the fields of a token
 * request. Both are percent-encoded in it (RFC 6749, 2.3.1). A header that is no such thing is ignored; so is any where
 * the form has a secret or an assertion, which is inferred.
 *
 * @param form the fields of the form
 */
export function withBasicCredentials(
	form: Record<string, string>,
	authorization: string | undefined,
): Record<string, string> {
	const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})\s*$/i.exec(authorization ?? '')?.[1];
	if (encoded === undefined || authenticationOf(form)) return form;
	const [, id, secret] = /^([^:]*):([^]*)$/.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
	if (id === undefined || secret === undefined) return form;
	return { ...form, client_id: decodeFormValue(id), client_secret: decodeFormValue(secret) };
}

/**
 * Makes an error of Microsoft Entra ID, in the form of its v2.0 token endpoint.
 *
 * @param errorCode the number of the AADSTS error
 */
export function entraError(
	correlationId: string,
	status: number,
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
			error: oauthErrorOf(status, errorCode),
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

/** The part of Microsoft Entra ID that this project needs: one tenant, one app, and client credentials. */
export class Identity {
	private readonly revoked = new Set<string>();
	private readonly issued = new Set<string>();
	/** The `Authorization` headers whose token was accepted. */
	private readonly accepted = new Set<string>();
	private retiring: Promise<void> | undefined;
	/** The ids of keys whose access tokens are refused. */
	private readonly retired = new Set<string>();

	private constructor(
		private readonly world: World,
		private readonly settings: Settings,
		/** The origin of the service, which is known only after it listens. */
		private readonly origin: () => string,
		private keys: [SigningKey, ...SigningKey[]],
	) {}

	static async create(world: World, settings: Settings, origin: () => string): Promise<Identity> {
		return new Identity(world, settings, origin, [await makeKey()]);
	}

	/** Makes a new key for new tokens. The previous key stays published, as in Entra. */
	async rotateKeys(): Promise<void> {
		this.keys = [await makeKey(), this.keys[0]];
	}

	/**
	 * Rotates the keys, and makes the services refuse access tokens of older keys. The previous key stays published, so
	 * that webhooks can still verify deliveries that were signed with it. Calls at the same time rotate them once, as the
	 * second of two would retire a key whose tokens nobody has used yet.
	 */
	async retireKeys(): Promise<void> {
		this.retiring ??= this.retireOlder().finally(() => (this.retiring = undefined));
		await this.retiring;
	}

	private async retireOlder(): Promise<void> {
		await this.rotateKeys();
		const [, ...older] = this.keys;
		for (const { kid } of older) this.retired.add(kid);
		this.accepted.clear();
	}

	/** Revokes every access token issued so far. */
	revokeTokens(): void {
		for (const id of this.issued) this.revoked.add(id);
		this.issued.clear();
		this.accepted.clear();
	}

	/** Whether the token of an `Authorization` header was accepted before, and has not been revoked since, nor its key retired. */
	hasAccepted(authorization: string | undefined): boolean {
		return authorization !== undefined && this.accepted.has(authorization);
	}

	isTenant(tenant: string): boolean {
		return [this.world.tenantId, this.world.tenantDomain].includes(tenant.toLowerCase());
	}

	/** The body of `/discovery/keys` and of `/discovery/v2.0/keys`. */
	keySet(): { keys: JWK[] } {
		return { keys: this.keys.map(({ publicJwk }) => publicJwk) };
	}

	/** The keys whose access tokens the services accept. */
	private acceptedKeys(): { keys: JWK[] } {
		const accepted = this.keys.filter(({ kid }) => !this.retired.has(kid));
		return { keys: accepted.map(({ publicJwk }) => publicJwk) };
	}

	/** The issuer of a token. v1 and v2 tokens name different hosts. */
	issuer(version: 1 | 2): string {
		const { tenantId } = this.world;
		return version === 1 ? `https://sts.windows.net/${tenantId}/` : `${this.origin()}/${tenantId}/v2.0`;
	}

	/**
	 * The published configuration of a tenant: the body of `/.well-known/openid-configuration` (version 1) or
	 * `/v2.0/.well-known/openid-configuration` (version 2). The emulator has no authorization endpoint, and of the token
	 * endpoints that of version 2 only.
	 */
	openIdConfiguration(tenant: string, version: 1 | 2): Record<string, unknown> {
		const base = `${this.origin()}/${tenant}`;
		const inPath = version === 1 ? '' : '/v2.0';
		return {
			issuer: this.issuer(version),
			authorization_endpoint: `${base}/oauth2${inPath}/authorize`,
			token_endpoint: `${base}/oauth2${inPath}/token`,
			jwks_uri: `${base}/discovery${inPath}/keys`,
			token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
			response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
			response_modes_supported: ['query', 'fragment', 'form_post'],
			subject_types_supported: ['pairwise'],
			id_token_signing_alg_values_supported: ['RS256'],
			scopes_supported: version === 1 ? ['openid'] : ['openid', 'profile', 'email', 'offline_access'],
		};
	}

	unknownTenant(tenant: string, correlationId: string): TokenAnswer {
		return entraError(
			correlationId,
			400,
			90002,
			`Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
		);
	}

	/**
	 * Answers a client credentials request.
	 *
	 * @param tenant from the path: the tenant's GUID or its domain
	 * @param form the fields of the form; unknown fields are ignored
	 * @param correlationId the client's `client-request-id`, or a new one
	 */
	async answerTokenRequest(
		tenant: string,
		form: Record<string, string>,
		correlationId: string,
	): Promise<TokenAnswer> {
		const fail = (status: number, code: number, text: string) =>
			entraError(correlationId, status, code, text);
		const { world } = this;
		const authentication = authenticationOf(form);
		const missing = ['grant_type', 'client_id', 'scope'].find((name) => !form[name]);
		const scope = form.scope ?? '';
		const resource = scope.replace(/\/\.default$/, '');

		if (missing) {
			const text = `The request body must contain the following parameter: '${missing}'.`;
			return fail(400, 900144, text);
		}
		if (form.grant_type !== 'client_credentials') {
			const text = `The app requested an unsupported grant type '${form.grant_type}'.`;
			return fail(400, 70003, text);
		}
		if (!authentication) {
			const text = `'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.`;
			return fail(401, 7000216, text);
		}
		if (authentication === 'certificate' && form.client_assertion_type !== ASSERTION_TYPE) {
			// Inferred, as the answer to another type is not documented.
			const text = `The request body must contain the following parameter: 'client_assertion_type'.`;
			return fail(400, 900144, text);
		}
		if (!this.isTenant(tenant)) return this.unknownTenant(tenant, correlationId);
		if (!scope.endsWith('/.default')) {
			const text = `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
			return fail(400, 1002012, text);
		}
		if (form.client_id?.toLowerCase() !== world.clientId) {
			const text = `Application with identifier '${form.client_id}' was not found in the directory '${world.tenantDisplayName}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`;
			return fail(400, 700016, text);
		}
		const refusal =
			authentication === 'secret'
				? this.secretRefusal(form.client_secret)
				: await this.assertionRefusal(tenant, form.client_assertion ?? '');
		if (refusal) return fail(refusal.code === 50027 ? 400 : 401, refusal.code, refusal.text);
		const audience = this.audienceOf(resource);
		if (audience === undefined) {
			const text = `The resource principal named ${resource} was not found in the tenant named ${world.tenantDisplayName}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`;
			return fail(400, 500011, text);
		}
		return { status: 200, body: await this.issueAccessToken(authentication, audience) };
	}

	/**
	 * The audience of a token for a resource: the Messaging API, Dataverse or Azure Communication Services; undefined for
	 * an unknown resource. The resource may end with a slash, as in `…azure.com//.default`.
	 */
	private audienceOf(resource: string): string | undefined {
		const asked = resource.toLowerCase().replace(/\/$/, '');
		const known = [resourceOf(this.world), this.origin(), COMMUNICATION_RESOURCE];
		return known.find((resource) => resource === asked);
	}

	private secretRefusal(secret: string | undefined): CredentialRefusal | undefined {
		const { clientId, clientSecret, expiredClientSecrets } = this.world;
		if (expiredClientSecrets.includes(secret ?? '')) {
			const text = `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`;
			return { code: 7000222, text };
		}
		if (secret !== clientSecret) {
			const text = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`;
			return { code: 7000215, text };
		}
		return undefined;
	}

	private assertionRefusal(tenant: string, assertion: string): Promise<CredentialRefusal | undefined> {
		const { certificates, clientId, tenantDomain, tenantId } = this.world;
		// The tenant in the path may be written in another case.
		const audiences = [tenant, tenantId, tenantDomain].map(
			(name) => `${this.origin()}/${name}/oauth2/v2.0/token`,
		);
		return refuseAssertion(assertion, { audiences, certificates, clientId });
	}

	private async issueAccessToken(
		authentication: Authentication,
		audience: string,
	): Promise<Record<string, unknown>> {
		const lifetime = this.settings.tokenLifetimeSeconds;
		const id = randomUUID();
		this.issued.add(id);
		const claims = this.appClaims(audience, 1, lifetime, id);
		const token = await this.signToken({ ...claims, appidacr: authentication === 'secret' ? '1' : '2' });
		const refresh = this.settings.tokenRefreshSeconds;
		return {
			token_type: 'Bearer',
			expires_in: lifetime,
			ext_expires_in: lifetime,
			...(refresh !== null && { refresh_in: refresh }),
			access_token: token,
		};
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

	/** Issues a token for a delivery to the webhook. Its claims are inferred. Source: docs/service-facts.md#webhook-token. */
	issueDeliveryToken(overrides: Claims = {}): Promise<string> {
		const audience = `api://${this.world.clientId}`;
		const claims = this.appClaims(audience, this.settings.delivery.tokenVersion, 3600, randomUUID());
		return this.signToken({ ...claims, ...overrides });
	}

	/** Checks an `Authorization` header. @returns why it is refused; undefined when its token is valid for the audience */
	async refuses(authorization: string | undefined, audience: string): Promise<string | undefined> {
		const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
		if (!token) return 'The Authorization header with a bearer token is missing.';
		let claims: JWTPayload;
		try {
			const { payload } = await jwtVerify(token, createLocalJWKSet(this.acceptedKeys()), {
				algorithms: ['RS256'],
				audience,
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
		if (authorization !== undefined) this.accepted.add(authorization);
		return undefined;
	}
}
