import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../../emulator';
import { readCertificate, type PastedCertificate } from '../../../nodes/shared/entra/certificate';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { getToken } from '../../../nodes/shared/entra/token';
import { credentialFor, entries, testEmulator } from '../../support/emulator';

let pasted: PastedCertificate;
const PASSPHRASE = 'correct horse ';

beforeAll(async () => {
	const { cert, key } = await makeCertificate();
	pasted = { certificate: cert, privateKey: key, passphrase: '' };
});

const encrypted = (type: 'pkcs1' | 'pkcs8') =>
	createPrivateKey(pasted.privateKey)
		.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
		.toString();
const thrownBy = (given: Partial<PastedCertificate>, now?: number) => {
	try {
		readCertificate({ ...pasted, ...given }, now);
	} catch (error) {
		return error as Error;
	}
	return undefined;
};

test('gives the thumbprint and the key without its passphrase', () => {
	const read = readCertificate(pasted);
	expect(read.thumbprintSha256).toBe(
		new X509Certificate(pasted.certificate).fingerprint256.replaceAll(':', ''),
	);
	expect(read.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
	for (const type of ['pkcs1', 'pkcs8'] as const) {
		expect(readCertificate({ ...pasted, privateKey: encrypted(type), passphrase: PASSPHRASE })).toEqual(read);
	}
});

// A field of one line makes spaces of line breaks, and some tools write \n.
test.each<[string, (pem: string) => string]>([
	['with spaces for line breaks', (pem) => pem.replaceAll('\n', ' ')],
	['with \\n for line breaks', (pem) => pem.replaceAll('\n', '\\n')],
	['without any line break', (pem) => pem.replaceAll('\n', '')],
	['with Windows’ line breaks', (pem) => pem.replaceAll('\n', '\r\n')],
	['in one file', () => `${pasted.privateKey}${pasted.certificate}`],
	['with text around it', (pem) => `Bag Attributes\n  name: x\n${pem}\nmore`],
])('reads what was pasted %s', (_, paste) => {
	const given = { ...pasted, certificate: paste(pasted.certificate), privateKey: paste(pasted.privateKey) };
	expect(readCertificate(given)).toEqual(readCertificate(pasted));
});

test('reads an encrypted key of either kind whose line breaks were lost', () => {
	for (const type of ['pkcs1', 'pkcs8'] as const) {
		const privateKey = encrypted(type).replaceAll('\n', ' ');
		expect(readCertificate({ ...pasted, privateKey, passphrase: PASSPHRASE })).toEqual(
			readCertificate(pasted),
		);
	}
});

/** Runs OpenSSL with its old ciphers, on what it gets. */
const openssl = (input: string, ...given: string[]) =>
	execFileSync('openssl', [...given, '-provider', 'legacy', '-provider', 'default'], {
		input,
		stdio: ['pipe', 'pipe', 'ignore'],
	}).toString();
const pkcs8 = (...cipher: string[]) =>
	openssl(pasted.privateKey, 'pkcs8', '-topk8', ...cipher, '-passout', 'pass:hunter2');
const traditional = (cipher: string) =>
	openssl(pasted.privateKey, 'rsa', '-traditional', cipher, '-passout', 'pass:hunter2');

test.each<[string, () => string]>([
	['RC2', () => pkcs8('-v1', 'PBE-SHA1-RC2-40')],
	['RC4', () => pkcs8('-v1', 'PBE-SHA1-RC4-128')],
	['DES', () => pkcs8('-v1', 'PBE-MD5-DES')],
	['DES', () => pkcs8('-v2', 'des')],
	['RC2', () => pkcs8('-v2', 'rc2')],
	['DES-CBC', () => traditional('-des')],
	['RC2-CBC', () => traditional('-rc2')],
])('says that %s is an old cipher, and not that the passphrase is wrong', (cipher, make) => {
	const key = make();
	for (const privateKey of [key, key.replaceAll('\n', ' ')]) {
		for (const passphrase of ['hunter2', 'wrong']) {
			expect(thrownBy({ privateKey, passphrase })).toMatchObject({
				message: `Private Key in the credential is encrypted with an old cipher (${cipher}), which Node.js no longer reads`,
				description: expect.stringContaining('openssl pkcs8 -topk8 -v2 aes256'),
			});
		}
	}
});

test.each<[string, () => string]>([
	['PBE-SHA1-3DES', () => pkcs8('-v1', 'PBE-SHA1-3DES')],
	['triple DES', () => pkcs8('-v2', 'des3')],
	['AES', () => pkcs8('-v2', 'aes256')],
	['triple DES in the older form', () => traditional('-des3')],
	['AES in the older form', () => traditional('-aes128')],
])('reads a key that is encrypted with %s, and tells a wrong passphrase', (_, make) => {
	const privateKey = make();
	expect(readCertificate({ ...pasted, privateKey, passphrase: 'hunter2' })).toEqual(readCertificate(pasted));
	// One wrong passphrase of 256 leaves something that looks decrypted.
	for (let index = 0; index < 300; index++) {
		const error = thrownBy({ privateKey, passphrase: `wrong ${index}` });
		expect(error?.message).toBe('Passphrase in the credential is wrong');
	}
});

test('finds the certificate of the key in a chain, wherever it stands', async () => {
	const others = await Promise.all([makeCertificate(), makeCertificate()]);
	const [root = '', issuer = ''] = others.map(({ cert }) => cert);
	const own = pasted.certificate;
	const ec = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
	for (const chain of [
		[own, issuer, root],
		[issuer, own, root],
		[root, issuer, own],
		['Bag Attributes\n  friendlyName: root\n', root, 'subject=CN = x\n', pasted.privateKey, own],
		[ec, root, own],
	]) {
		for (const certificate of [
			chain.join(''),
			chain.join('').replaceAll('\n', '\r\n'),
			chain.join('').replaceAll('\n', ' '),
		]) {
			expect(readCertificate({ ...pasted, certificate })).toEqual(readCertificate(pasted));
		}
	}
	expect(thrownBy({ certificate: root + issuer })?.message).toContain('do not belong together');
});

test('of two certificates of one key, takes the one that has not expired', () => {
	const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
	const file = join(folder, 'key.pem');
	writeFileSync(file, pasted.privateKey);
	const lasting = (days: string) =>
		openssl('', 'req', '-new', '-x509', '-subj', '/CN=x', '-key', file, '-days', days);
	const [short, long] = [lasting('1'), lasting('365')];
	rmSync(folder, { recursive: true });
	const soon = Date.now() + 30 * 86_400_000;
	for (const certificate of [short + long, long + short]) {
		expect(readCertificate({ ...pasted, certificate }, soon).thumbprintSha256).toBe(
			new X509Certificate(long).fingerprint256.replaceAll(':', ''),
		);
	}
	expect(thrownBy({ certificate: short }, soon)?.message).toContain('has expired');
});

test('names the field that is wrong, and never what it holds', async () => {
	const other = await makeCertificate();
	const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
		type: 'pkcs8',
		format: 'pem',
	});
	const cases: Array<[Partial<PastedCertificate>, string, number?]> = [
		[{ certificate: 'MIIC…' }, 'Certificate in the credential is not a certificate'],
		[{ certificate: pasted.privateKey }, 'Certificate in the credential is a private key'],
		[{ certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }, 'is not a certificate'],
		[{ privateKey: 'hunter2' }, 'Private Key in the credential is not a private key'],
		[{ privateKey: pasted.certificate }, 'Private Key in the credential is not a private key'],
		[{ privateKey: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----' }, 'cannot be read'],
		[{ privateKey: ec.toString() }, 'is not an RSA key'],
		[{ privateKey: encrypted('pkcs8') }, 'Passphrase is missing'],
		[{ privateKey: encrypted('pkcs8'), passphrase: 'hunter2' }, 'Passphrase in the credential is wrong'],
		[{ privateKey: encrypted('pkcs1'), passphrase: 'hunter2' }, 'Passphrase in the credential is wrong'],
		[{ privateKey: other.key }, 'do not belong together'],
		[{}, 'has expired', Date.parse('2200-01-01')],
	];
	for (const [given, message, now] of cases) {
		const error = thrownBy(given, now);
		expect(error?.message).toContain(message);
		expect(JSON.stringify(error) + error!.stack).not.toMatch(/hunter2|MII[A-Za-z0-9+/]{20}/);
	}
});

test('gets a token at the authority that knows the certificate, and no secret is sent', async () => {
	const emulator = await testEmulator();
	emulator.world.certificates.push(pasted.certificate);
	const credential = {
		...credentialFor(emulator),
		...pasted,
		authentication: 'certificate',
		clientSecret: '',
	};
	await expect(getToken(connectionFrom(credential))).resolves.toMatch(/^eyJ/);
	expect(entries(emulator, 'token')).toMatchObject([{ status: 200, authentication: 'certificate' }]);

	const { cert, key } = await makeCertificate();
	const unknown = connectionFrom({ ...credential, certificate: cert, privateKey: key });
	await expect(getToken(unknown)).rejects.toMatchObject({
		code: 'AADSTS700027',
		message: 'The certificate is not one of the app registration',
	});
	const broken = connectionFrom({ ...credential, privateKey: key });
	await expect(getToken(broken)).rejects.toThrow('do not belong together');
	await emulator.close();
});
