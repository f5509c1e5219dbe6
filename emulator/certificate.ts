import { generate } from 'selfsigned';

/** A TLS certificate with its private key, both PEM. */
export interface Certificate {
	key: string;
	cert: string;
}

const LIFETIME_DAYS = 825;
/** A clock that runs a little behind (containers, virtual machines) must not refuse a certificate made just now. */
const BACKDATE_HOURS = 24;
const HOUR_MS = 3_600_000;

/**
 * Makes a self-signed certificate for this machine (`localhost`, `127.0.0.1`, `::1`).
 *
 * It is its own certificate authority, so the same PEM serves the TLS server and, through
 * `NODE_EXTRA_CA_CERTS` or the `ca` option of `node:https`, makes clients trust it.
 *
 * @returns the private key and the certificate, PEM; a new pair on every call
 */
export async function makeCertificate(): Promise<Certificate> {
	const notBefore = new Date(Date.now() - BACKDATE_HOURS * HOUR_MS);
	const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
		algorithm: 'sha256',
		keyType: 'rsa',
		keySize: 2048,
		notBeforeDate: notBefore,
		notAfterDate: new Date(notBefore.getTime() + LIFETIME_DAYS * 24 * HOUR_MS),
		extensions: [
			{ name: 'basicConstraints', cA: true, critical: true },
			{ name: 'keyUsage', keyCertSign: true, digitalSignature: true, keyEncipherment: true, critical: true },
			{ name: 'extKeyUsage', serverAuth: true },
			{
				name: 'subjectAltName',
				altNames: [
					{ type: 2, value: 'localhost' },
					{ type: 7, ip: '127.0.0.1' },
					{ type: 7, ip: '::1' },
				],
			},
		],
	});
	return { key: pems.private, cert: pems.cert };
}
