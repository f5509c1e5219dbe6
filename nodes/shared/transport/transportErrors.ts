import { cancelled, proxyPassword, ServiceError, type Explanation, type Retry } from './errors';
import type { FailedProxy, TransportError } from './https';
import type { Verification } from './request';
import { uncertain } from './responseErrors';
import { wordsOf } from './roundTrip';

/** How errors name a service and the credential's fields that lead to it. */
export interface Destination {
	/** Within a sentence: `service`. */
	name: string;
	/** Within a sentence: `Organization ID and Geo`. */
	fields: string;
	/** The one of them with its address. */
	hostField: string;
	/** Explains why a host does not exist; undefined where the general words do. */
	unknownHost?: (host: string) => Explanation | undefined;
}

/** How to fix a certificate that is not trusted, by the code of Node.js. */
const CERTIFICATE_FIXES: Record<string, string> = {
	CERT_HAS_EXPIRED: 'Its certificate has expired: tell whoever runs it, and check the clock of this machine.',
	CERT_NOT_YET_VALID: 'Its certificate is not valid yet: check the clock of this machine.',
	ERR_TLS_CERT_ALTNAME_INVALID: 'Its certificate is for another name: check the host in the credential.',
};
for (const code of [
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'CERT_UNTRUSTED',
]) {
	CERTIFICATE_FIXES[code] =
		'If a proxy stands in between, give n8n its certificate through NODE_EXTRA_CA_CERTS.';
}

/** The codes of errors that another try does not change. */
const FINAL = new Set(['ABORT_ERR', 'NOT_HTTPS', 'ANSWER_TOO_LONG', 'UNKNOWN_ENCODING']);

/** The codes of an answer that cannot be used: something else answers than the service, or it is changed on its way. */
const UNUSABLE =
	/^(HPE_|ANSWER_TOO_LONG|BROKEN_ENCODING|UNKNOWN_ENCODING|UNEXPECTED_UPGRADE|INTERIM_ANSWERS)/;

/** Another try rarely helps with an unknown name, a certificate that is not trusted, or a proxy's refusal. */
function retryOf(code: string): Retry {
	if (FINAL.has(code)) return 'never';
	const isUsuallyLasting = code === 'ENOTFOUND' || /^PROXY_4/.test(code) || code in CERTIFICATE_FIXES;
	return isUsuallyLasting ? 'limited' : 'yes';
}

/** Explains the failure of a proxy, which is part of the set-up of n8n, not of the credential. */
function proxyExplanation(code: string, { host, variable }: FailedProxy): Explanation {
	if (code === 'PROXY_407') return proxyPassword(variable);
	if (code.startsWith('PROXY_')) {
		return {
			message: `The proxy lets no connection through (HTTP status ${code.slice(6)})`,
			fix: `Ask whoever runs the proxy (${variable} of n8n) to allow this host.`,
		};
	}
	return {
		message: `The proxy ${host} cannot be reached`,
		fix: `Check ${variable} of n8n.`,
	};
}

function explanationOf(error: TransportError, destination: Destination): Explanation {
	const { code, host, proxy, sent } = error;
	const { name, fields, hostField, unknownHost } = destination;
	if (proxy !== undefined) return proxyExplanation(code, proxy);
	const fix = CERTIFICATE_FIXES[code];
	if (fix !== undefined) {
		return { message: `The certificate of the ${name} at ${host} is not trusted`, fix };
	}
	const ofHost = code === 'ENOTFOUND' ? unknownHost?.(host) : undefined;
	if (ofHost) return ofHost;
	if (code === 'EAI_AGAIN') {
		return {
			message: `The name ${host} could not be looked up`,
			fix: 'The DNS server of this machine did not answer. Check its network.',
		};
	}
	if (UNUSABLE.test(code)) {
		return {
			message: `The answer of the ${name} at ${host} cannot be used: ${wordsOf(code) ?? code}`,
			fix: `Check ${hostField} in the credential, and the proxy between n8n and the service.`,
		};
	}
	if (code === 'ETIMEDOUT' && sent === 'maybe') {
		return {
			message: `The ${name} at ${host} did not answer in time`,
			fix: `Try again in a while; if it stays, check ${hostField} in the credential and the network of n8n.`,
		};
	}
	return {
		message: `The ${name} at ${host} cannot be reached`,
		fix: `Check ${fields} in the credential, and that n8n may call this host.`,
	};
}

/**
 * Turns a request without an answer into an error that says how to fix it, and whether the request may have arrived.
 * Pure.
 * @param verification of the request; undefined for one that only reads.
 */
export function explainTransportError(
	error: TransportError,
	destination: Destination,
	verification?: Verification,
): ServiceError {
	const { code, host, sent } = error;
	const retry = retryOf(code);
	if (sent === 'maybe' && verification) {
		const words = uncertain(`The answer of the ${destination.name} at ${host} was lost`, verification);
		return new ServiceError({ ...words, code, outcome: 'uncertain', retry });
	}
	if (code === 'ABORT_ERR') return cancelled();
	const { message, fix } = explanationOf(error, destination);
	return new ServiceError({ message, description: fix, code, retry });
}
