import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
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
