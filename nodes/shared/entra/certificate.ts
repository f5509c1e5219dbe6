import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readKey } from '../json';
import { InputError } from '../transport/errors';

/** A certificate and its key as a person pastes them, in PEM. */
export interface PastedCertificate {
	/** One, or a chain in any order. */
	certificate: string;
	privateKey: string;
	/** '' where the key is not encrypted. */
	passphrase: string;
}

/** A certificate as MSAL accepts it. */
interface ClientCertificate {
	/** SHA-256 of the certificate, hex without colons. */
	thumbprintSha256: string;
	/** PKCS #8 in PEM, without a passphrase. */
	privateKey: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
/** The two header lines of an encrypted key in its older form. */
const LEGACY = /^\s*(Proc-Type:\s*\S+)\s+(DEK-Info:\s*\S+)\s+([\s\S]*)$/;

/**
 * Finds the blocks of a kind in a PEM text and restores their line breaks: a one-line field replaces them with spaces,
 * and some tools write \n. It is written by hand, as Node.js and OpenSSL refuse a PEM without line breaks.
 */
function blocksOf(pasted: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): string[] {
	const text = pasted.replace(/\\r|\r/g, '').replaceAll('\\n', '\n');
	return [...text.matchAll(BLOCK)].flatMap(([, label = '', body = '']) => {
		if (!label.endsWith(kind)) return [];
		const [, procType, dekInfo, encrypted] = LEGACY.exec(body) ?? [];
		const headers = procType && dekInfo ? [procType, dekInfo, ''] : [];
		const lines = (encrypted ?? body).replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
		return [[`-----BEGIN ${label}-----`, ...headers, ...lines, `-----END ${label}-----`, ''].join('\n')];
	});
}

/** Returns undefined where OpenSSL throws, as its messages help nobody. */
function attempt<T>(read: () => T, onError?: (error: unknown) => void): T | undefined {
	try {
		return read();
	} catch (error) {
		onError?.(error);
		return undefined;
	}
}

/** The certificates of a text, at least one: a chain has those of the authorities, too, in any order. */
function readCertificates(pasted: string): X509Certificate[] {
	const certificates = blocksOf(pasted, 'CERTIFICATE').flatMap(
		(pem) => attempt(() => new X509Certificate(pem)) ?? [],
	);
	if (certificates.length > 0) return certificates;
	if (blocksOf(pasted, 'PRIVATE KEY').length > 0) {
		throw new InputError(
			'Certificate in the credential is a private key',
			'Certificate and Private Key may be swapped: paste each into its own field.',
		);
	}
	throw new InputError(
		'Certificate in the credential is not a certificate in PEM',
		'Paste the whole text, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.',
	);
}

const isExpired = ({ validTo }: X509Certificate, now: number) => Date.parse(validTo) < now;

/** The certificate of a key; one that has not expired where a key has several. */
function certificateOf(key: KeyObject, chain: X509Certificate[], now: number): X509Certificate | undefined {
	const own = chain.filter((one) => attempt(() => one.checkPrivateKey(key)) === true);
	return own.find((one) => !isExpired(one, now)) ?? own[0];
}

/**
 * Ciphers of encrypted keys that OpenSSL 3, and so Node.js from 18 on, no longer has, by their object identifiers in hex
 * (RFC 8018, appendix C; RFC 7292, appendix C; DES in CBC is 1.3.14.3.2.7).
 */
const OLD_CIPHERS: ReadonlyArray<readonly [name: string, identifier: RegExp]> = [
	['DES', /06052b0e030207|06092a864886f70d0105(?:01|03|0a)/],
	['RC2', /06082a864886f70d0302|06092a864886f70d0105(?:04|06|0b)|060a2a864886f70d010c010[56]/],
	['RC4', /060a2a864886f70d010c010[12]/],
];

/** Names the cipher of an encrypted key that OpenSSL does not know. */
function cipherOf(pem: string): string {
	const named = /DEK-Info:\s*([\w-]+)/.exec(pem)?.[1];
	if (named !== undefined) return named;
	const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64').toString('hex');
	return OLD_CIPHERS.find(([, identifier]) => identifier.test(der.slice(0, 400)))?.[0] ?? 'unknown';
}

/** Says why an encrypted key cannot be read. What a wrong passphrase makes of it may be `unsupported` to the decoder, too. */
function whyNotDecrypted(pem: string, error: unknown): InputError {
	if (readKey(error, 'code') === 'ERR_OSSL_EVP_UNSUPPORTED') {
		return new InputError(
			`Private Key in the credential is encrypted with an old cipher (${cipherOf(pem)}), which Node.js no longer reads`,
			'Encrypt it anew and paste what comes out: openssl pkcs8 -topk8 -v2 aes256 -in old.pem -out new.pem -provider legacy -provider default.',
		);
	}
	return new InputError(
		'Passphrase in the credential is wrong',
		'Enter the passphrase that the private key was made with.',
	);
}

function readKeyObject(pasted: string, passphrase: string): KeyObject {
	const [pem] = blocksOf(pasted, 'PRIVATE KEY');
	if (pem === undefined) {
		throw new InputError(
			'Private Key in the credential is not a private key in PEM',
			'Paste the whole text, from -----BEGIN PRIVATE KEY----- (or ENCRYPTED PRIVATE KEY) to its END line.',
		);
	}
	const isEncrypted = /ENCRYPTED/.test(pem);
	if (isEncrypted && passphrase === '') {
		throw new InputError(
			'Passphrase is missing in the credential',
			'The private key is encrypted: enter the passphrase that it was made with.',
		);
	}
	const options = { key: pem, format: 'pem' as const, ...(isEncrypted && { passphrase }) };
	let failure: unknown;
	const key = attempt(
		() => createPrivateKey(options),
		(error) => (failure = error),
	);
	if (key) return key;
	if (isEncrypted) throw whyNotDecrypted(pem, failure);
	throw new InputError(
		'Private Key in the credential cannot be read',
		'Paste the whole text of the key, in PEM.',
	);
}

/**
 * Checks a pasted certificate with its key, and converts both for MSAL.
 * @param now epoch milliseconds.
 * @throws InputError with the name of the wrong field, and without its value.
 */
export function readCertificate(
	{ certificate, privateKey, passphrase }: PastedCertificate,
	now: number = Date.now(),
): ClientCertificate {
	const chain = readCertificates(certificate);
	const key = readKeyObject(privateKey, passphrase);
	if (key.asymmetricKeyType !== 'rsa') {
		throw new InputError('Private Key in the credential is not an RSA key', 'Entra takes RSA keys only.');
	}
	const x509 = certificateOf(key, chain, now);
	if (!x509) {
		throw new InputError(
			'Certificate and Private Key in the credential do not belong together',
			'Paste the key that the certificate was made with.',
		);
	}
	if (isExpired(x509, now)) {
		throw new InputError(
			`Certificate in the credential has expired (${x509.validTo})`,
			'Make a new one, upload it under Certificates & secrets of the app registration, and paste it with its key.',
		);
	}
	return {
		thumbprintSha256: x509.fingerprint256.replaceAll(':', ''),
		privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
	};
}
