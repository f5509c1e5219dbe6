import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importJWK, SignJWT, type JWK } from 'jose';
import { connectionFrom, type Connection } from '../../../nodes/Dynamics365Messaging/connection';
import { verifyCaller } from '../../../nodes/Dynamics365Messaging/webhook/verify';
import { listen } from '../../../tools/ports';

const TENANT = 'b5122edb-5678-4def-99e2-abcdef123456';
const CLIENT = '9f6c021d-1234-4abc-8df7-123456789abc';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateJwk = pair.privateKey.export({ format: 'jwk' }) as JWK;

let server: Server;
let connection: Connection;

/** An authority that, as Entra's, does not say for which algorithm its keys are, and has several with one ID. */
beforeAll(async () => {
	const pem = (name: string) => readFileSync(join(process.env.TEST_CERTIFICATE_FOLDER!, name), 'utf8');
	const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const keys = [other, pair, pair].map(({ publicKey }) => ({
		...publicKey.export({ format: 'jwk' }),
		kid: 'k1',
		use: 'sig',
	}));
	server = createServer({ key: pem('key.pem'), cert: pem('cert.pem') }, (_, response) => {
		response.end(JSON.stringify({ keys }));
	});
	const port = await listen(server);
	connection = connectionFrom({
		tenantId: TENANT,
		clientId: CLIENT,
		clientSecret: 'x',
		organizationId: TENANT,
		channelId: TENANT,
		geo: 'eu',
		authorityHost: `https://localhost:${port}`,
	});
});
afterAll(() => void server.close());

async function sign(alg: string): Promise<string> {
	const now = Math.floor(Date.now() / 1000);
	const claims = {
		iss: `https://sts.windows.net/${TENANT}/`,
		aud: CLIENT,
		appid: CLIENT,
		tid: TENANT,
		iat: now,
		nbf: now,
		exp: now + 60,
	};
	return await new SignJWT(claims)
		.setProtectedHeader({ alg, kid: 'k1' })
		.sign(await importJWK(privateJwk, alg));
}

test('RS256 is believed', async () => {
	await expect(verifyCaller(`Bearer ${await sign('RS256')}`, connection)).resolves.toBeUndefined();
});

test.each(['RS384', 'RS512', 'PS256'])('%s by the right key is not', async (alg) => {
	await expect(verifyCaller(`Bearer ${await sign(alg)}`, connection)).rejects.toThrow('not believed');
});
