import { readFileSync } from 'node:fs';
import { createServer, globalAgent } from 'node:https';
import { join } from 'node:path';
import { EmbeddedFile, requestBody } from '../../../nodes/shared/transport/requestBody';
import { sendHttps } from '../../../nodes/shared/transport/https';
import { close, listen } from '../../../tools/ports';
import { waitFor } from '../../../tools/wait';

const folder = process.env.TEST_CERTIFICATE_FOLDER!;
const pem = (name: string) => readFileSync(join(folder, `${name}.pem`));

/** Answers at once, before the body is there, and goes on reading it or not. */
async function hastyServer(readsOn: boolean) {
	const server = createServer({ key: pem('key'), cert: pem('cert') }, (incoming, answer) => {
		answer.writeHead(503, { 'retry-after': '1' }).end('busy');
		if (readsOn) incoming.resume();
	});
	return { server, url: new URL(`https://localhost:${await listen(server)}/`) };
}

test.each([true, false])(
	'what is answered before its file has gone keeps no connection (the service reads on: %s)',
	async (readsOn) => {
		const { server, url } = await hastyServer(readsOn);
		try {
			const file = new EmbeddedFile(async () => Buffer.alloc(5_000_000));
			const body = await requestBody({ file });
			const answers = await Promise.all(
				Array.from({ length: 5 }, () => sendHttps({ method: 'POST', url, body })),
			);
			expect(answers.map(({ status, body: text }) => `${status} ${text}`)).toEqual(Array(5).fill('503 busy'));
			const inUse = () => Object.keys(globalAgent.sockets).filter((name) => name.includes(`:${url.port}:`));
			await waitFor('the connections to be given back', 5_000, () => inUse().length === 0);
		} finally {
			await close(server);
		}
	},
);

test.each<[string, () => AbortSignal, string]>([
	['its time limit', () => AbortSignal.timeout(100), 'there was no whole answer in time'],
	['its cancellation', () => AbortSignal.abort(), 'it was cancelled'],
])('a signal of the caller ends a request, and the error tells %s', async (_, signal, words) => {
	const server = createServer({ key: pem('key'), cert: pem('cert') }, () => undefined);
	const url = new URL(`https://localhost:${await listen(server)}/`);
	try {
		await expect(sendHttps({ method: 'GET', url, signal: signal() })).rejects.toThrow(words);
	} finally {
		await close(server);
	}
});
