import { X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type ProtectedHeaderParameters } from 'jose';

/** Why an assertion or a secret is refused: the number of the AADSTS error, and its text. */
export interface CredentialRefusal {
	code: number;
	text: string;
}

/** What a valid assertion must match. */
interface AssertionExpectations {
	/** Those of the app, PEM. */
	certificates: string[];
	clientId: string;
	/** The URL of the token endpoint, in each accepted form. */
	audiences: string[];
}

const MORE =
	'Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .';
/** Microsoft's own default. Some tolerance is needed: MSAL rounds to whole seconds, so that `nbf` may be half a second ahead. */
const CLOCK_SKEW_SECONDS = 300;
const MALFORMED: CredentialRefusal = { code: 50027, text: 'JWT token is invalid or malformed.' };

const toBase64Url = (fingerprint: string) =>
	Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url');

/** Finds the certificate that a header names by its SHA-256 thumbprint or, in the older form, its SHA-1 thumbprint. */
function findCertificate(pems: string[], header: ProtectedHeaderParameters): X509Certificate | undefined {
	const certificates = pems.map((pem) => new X509Certificate(pem));
	const sha256 = header['x5t#S256'];
	return certificates.find(({ fingerprint, fingerprint256 }) =>
		sha256 === undefined ? toBase64Url(fingerprint) === header.x5t : toBase64Url(fingerprint256) === sha256,
	);
}

/** The time of a claim as Entra writes it; a missing claim counts as 0. */
const timeOf = (seconds: unknown) => new Date(typeof seconds === 'number' ? seconds * 1000 : 0).toISOString();

function refusalOf(error: errors.JOSEError, assertion: string): CredentialRefusal {
	if (error instanceof errors.JWSSignatureVerificationFailed) {
		const text =
			'Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.]';
		return { code: 700027, text };
	}
	if (error instanceof errors.JOSEAlgNotAllowed) {
		return { code: 700027, text: 'Invalid JWT token. Unsupported asymmetric signing algorithm.' };
	}
	if (!(error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed)) {
		return MALFORMED;
	}
	if (error.claim === 'aud') {
		return { code: 700023, text: `Client assertion audience claim does not match Realm issuer. ${MORE}` };
	}
	const { exp, nbf } = decodeJwt(assertion);
	const range = `Current time: ${new Date().toISOString()}, assertion valid from ${timeOf(nbf)}, expiry time of assertion ${timeOf(exp)}.`;
	return { code: 700024, text: `Client assertion is not within its valid time range. ${range} ${MORE}` };
}

function readHeader(assertion: string): ProtectedHeaderParameters | undefined {
	try {
		return decodeProtectedHeader(assertion);
	} catch {
		return undefined;
	}
}

/**
 * Checks the assertion with which an app proves that it has the key of a certificate, as Microsoft Entra ID does.
 * The order of the checks is not documented.
 *
 * @returns why the assertion is refused; undefined when it is valid
 * @throws the error of a registered certificate that cannot be read
 */
export async function refuseAssertion(
	assertion: string,
	{ audiences, certificates, clientId }: AssertionExpectations,
): Promise<CredentialRefusal | undefined> {
	const header = readHeader(assertion);
	if (!header) return MALFORMED;
	const certificate = findCertificate(certificates, header);
	if (!certificate) {
		const text = `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '${clientId}'.]`;
		return { code: 700027, text };
	}
	if (Date.parse(certificate.validTo) < Date.now()) {
		const text = `The certificate used to sign the client assertion is expired. [Reason - The key used is expired., Found key 'Start=${certificate.validFrom}, End=${certificate.validTo}'.]`;
		return { code: 700027, text };
	}
	try {
		const { payload } = await jwtVerify(assertion, certificate.publicKey, {
			algorithms: ['PS256', 'RS256'],
			audience: audiences,
			requiredClaims: ['exp'],
			clockTolerance: CLOCK_SKEW_SECONDS,
		});
		const isApp = [payload.iss, payload.sub].every((claim) => String(claim).toLowerCase() === clientId);
		if (isApp) return undefined;
		const text = `Client assertion application identifier doesn't match 'client_id' parameter. ${MORE}`;
		return { code: 700021, text };
	} catch (error) {
		if (error instanceof errors.JOSEError) return refusalOf(error, assertion);
		throw error;
	}
}
