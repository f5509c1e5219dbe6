import { randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import { connectionFrom } from '../../../nodes/Dynamics365Messaging/connection';
import { keysFor, KeysUnavailable } from '../../../nodes/Dynamics365Messaging/webhook/keys';
import type { Emulator } from '../../../emulator';
import { close, listen } from '../../../tools/ports';
import { credentialFor, testEmulator } from '../../support/emulator';

let emulator: Emulator;
beforeAll(async () => void (emulator = await testEmulator()));
afterAll(async () => await emulator.close());

/** Asks for the key `k` at an authority that gives one answer to all. */
async function keysOf(answer: string) {
	const server = createServer(emulator.certificate, (_, response) => response.end(answer));
	const authorityHost = `https://localhost:${await listen(server)}`;
	// A tenant of its own, as the system may give the port of the server before it, whose failure is remembered.
	const tenantId = randomUUID();
	const found = keysFor(connectionFrom({ ...credentialFor(emulator), authorityHost, tenantId }), 'k');
	return await found.finally(async () => await close(server));
}

const KEY = '{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"}';

test.each([
	['{}', 'The answer has no list of keys'],
	['[]', 'The answer has no list of keys'],
	['{"keys":null}', 'The answer has no list of keys'],
	[`{"keys":${KEY}}`, 'The answer has no list of keys'],
	['{"keys":[]}', 'the answer holds no keys'],
	['{"keys":[1,{}]}', 'the answer holds no keys'],
	['', 'the answer is no JSON'],
	['<html>', 'the answer is no JSON'],
])('the answer %s is no set of keys, and says why', async (answer, why) => {
	const refused = keysOf(answer);
	await expect(refused).rejects.toBeInstanceOf(KeysUnavailable);
	await expect(refused).rejects.toThrow(why);
});

test('keys behind a byte order mark are read', async () => {
	expect((await keysOf(`\uFEFF{"keys":[${KEY}]}`)).keyIds).toEqual(new Set(['k']));
});
