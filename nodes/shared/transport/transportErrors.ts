import { cancelled, PROXY_PASSWORD, ServiceError, type Retry } from './errors';
import type { TransportError } from './https';
import type { Verification } from './request';
import { uncertain } from './responseErrors';

/** What errors call the way to a service. */
export interface Destination {
	/** What it is, within a sentence: `service`. */
	name: string;
	/** The credential's fields that lead to it. */
	fields: string;
	/** The one of them that holds its address. */
	hostField: string;
	/** The words for a host that does not exist, where more can be said of it. */
	unknownHost?: (host: string) => Words | undefined;
}

interface Words {
	message: string;
	description: string;
}

/** What Node.js says of a certificate that it does not trust, and what to do about it. */
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

/** What would only go the same way again. */
const FINAL = new Set(['ABORT_ERR', 'NOT_HTTPS', 'ANSWER_TOO_LONG']);

/** A name that is not known, a certificate that is not trusted and a proxy's refusal hardly ever heal while one waits. */
function retryOf(code: string): Retry {
	if (FINAL.has(code)) return 'never';
	const isLasting = code === 'ENOTFOUND' || /^PROXY_4/.test(code) || code in CERTIFICATE_FIXES;
	return isLasting ? 'limited' : 'yes';
}

/** The words for a proxy that failed: it is the set-up of n8n, not the credential. */
function proxyFailed(code: string, proxy: string): Words {
	if (code === 'PROXY_407') {
		return { message: PROXY_PASSWORD.message, description: PROXY_PASSWORD.fix };
	}
	if (code.startsWith('PROXY_')) {
		return {
			message: `The proxy lets no connection through (HTTP status ${code.slice(6)})`,
			description: 'Ask whoever runs the proxy (HTTPS_PROXY of n8n) to allow this host.',
		};
	}
	return {
		message: `The proxy ${proxy} cannot be reached`,
		description: 'Check HTTPS_PROXY of n8n.',
	};
}

function wordsFor({ code, host, proxy }: TransportError, { name, fields, unknownHost }: Destination): Words {
	if (proxy !== undefined) return proxyFailed(code, proxy);
	const fix = CERTIFICATE_FIXES[code];
	if (fix !== undefined) {
		return { message: `The certificate of the ${name} at ${host} is not trusted`, description: fix };
	}
	const told = code === 'ENOTFOUND' ? unknownHost?.(host) : undefined;
	if (told) return told;
	if (code === 'EAI_AGAIN') {
		return {
			message: `The name ${host} could not be looked up`,
			description: 'The DNS server of this machine did not answer: check its network.',
		};
	}
	return {
		message: `The ${name} at ${host} cannot be reached`,
		description: `Check ${fields} in the credential, and that n8n may call this host.`,
	};
}

/**
 * Explains an exchange that ended without an answer; says plainly when a message may have arrived all the same. Pure.
 * @param verification how to find out whether what was sent arrived; undefined where nothing was sent that could.
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
	return new ServiceError({ ...wordsFor(error, destination), code, retry });
}
