import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { InputError } from '../transport/errors';

/** A certificate and its key as a person pastes them, in PEM. */
export interface PastedCertificate {
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
 * Finds the first block of a kind in a PEM text and restores its line breaks: a one-line field replaces them with
 * spaces, and some tools write \n. It is written by hand, as Node.js and OpenSSL refuse a PEM without line breaks.
 */
function tidyPem(pasted: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): string | undefined {
	const text = pasted.replace(/\\r|\r/g, '').replaceAll('\\n', '\n');
	const [, label = '', body = ''] = [...text.matchAll(BLOCK)].find(([, one]) => one?.endsWith(kind)) ?? [];
	if (label === '') return undefined;
	const [, procType, dekInfo, encrypted] = LEGACY.exec(body) ?? [];
	const headers = procType && dekInfo ? [procType, dekInfo, ''] : [];
	const lines = (encrypted ?? body).replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
	return [`-----BEGIN ${label}-----`, ...headers, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** Returns undefined where OpenSSL throws, as its messages help nobody. */
function attempt<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}

function readX509(pasted: string): X509Certificate {
	const pem = tidyPem(pasted, 'CERTIFICATE');
	const x509 = pem === undefined ? undefined : attempt(() => new X509Certificate(pem));
	if (x509) return x509;
	if (tidyPem(pasted, 'PRIVATE KEY') !== undefined) {
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

function readKeyObject(pasted: string, passphrase: string): KeyObject {
	const pem = tidyPem(pasted, 'PRIVATE KEY');
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
	const key = attempt(() => createPrivateKey(options));
	if (key) return key;
	throw new InputError(
		isEncrypted ? 'Passphrase in the credential is wrong' : 'Private Key in the credential cannot be read',
		isEncrypted
			? 'Enter the passphrase that the private key was made with.'
			: 'Paste the whole text of the key, in PEM.',
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
	const x509 = readX509(certificate);
	const key = readKeyObject(privateKey, passphrase);
	if (key.asymmetricKeyType !== 'rsa') {
		throw new InputError('Private Key in the credential is not an RSA key', 'Entra takes RSA keys only.');
	}
	if (!x509.checkPrivateKey(key)) {
		throw new InputError(
			'Certificate and Private Key in the credential do not belong together',
			'Paste the key that the certificate was made with.',
		);
	}
	if (Date.parse(x509.validTo) < now) {
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
