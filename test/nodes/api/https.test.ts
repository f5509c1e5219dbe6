import { readFileSync } from 'node:fs';
import { createServer, globalAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EmbeddedFile, jsonBody } from '../../../nodes/shared/api/body';
import { sendHttps } from '../../../nodes/shared/api/https';
import { waitFor } from '../../../tools/wait';

const folder = process.env.TEST_CERTIFICATE_FOLDER!;
const pem = (name: string) => readFileSync(join(folder, `${name}.pem`));

/** Answers at once, before the body is there, and goes on reading it or not. */
async function hastyServer(readsOn: boolean) {
	const server = createServer({ key: pem('key'), cert: pem('cert') }, (incoming, answer) => {
		answer.writeHead(503, { 'retry-after': '1' }).end('busy');
		if (readsOn) incoming.resume();
	}).listen(0, '127.0.0.1');
	await new Promise((resolve) => server.once('listening', resolve));
	return { server, url: new URL(`https://localhost:${(server.address() as AddressInfo).port}/`) };
}

test.each([true, false])(
	'what is answered before its file has gone keeps no connection (the service reads on: %s)',
	async (readsOn) => {
		const { server, url } = await hastyServer(readsOn);
		try {
			const body = jsonBody({ file: new EmbeddedFile(Buffer.alloc(5_000_000)) });
			const answers = await Promise.all(
				Array.from({ length: 5 }, () => sendHttps({ method: 'POST', url, body })),
			);
			expect(answers.map(({ status, body: text }) => `${status} ${text}`)).toEqual(Array(5).fill('503 busy'));
			const inUse = () => Object.keys(globalAgent.sockets).filter((name) => name.includes(`:${url.port}:`));
			await waitFor('the connections to be given back', 5_000, () => inUse().length === 0);
		} finally {
			server.closeAllConnections();
			server.close();
		}
	},
);
