import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A mail that was taken. */
export interface Mail {
	from: string;
	to: string[];
	/** By their names in lower case. */
	headers: Record<string, string>;
	/** Decoded. */
	text: string;
}

/** A mail server on this machine, just good enough for one that sends: no TLS, no login. */
export interface SmtpStub {
	port: number;
	mails: Mail[];
	/** Whether it takes no mails at present. */
	refuses: boolean;
	close: () => Promise<void>;
}

function decoded(body: string, encoding = ''): string {
	if (/base64/i.test(encoding)) return Buffer.from(body, 'base64').toString('utf8');
	if (!/quoted-printable/i.test(encoding)) return body;
	const bytes = body
		.replace(/=\r\n/g, '')
		.replace(/=([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
	return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encoded words of a header, e.g. `=?UTF-8?Q?…?=`. */
function plainHeader(value: string): string {
	return value
		.replace(/\?=\s+=\?/g, '?==?')
		.replace(/=\?utf-8\?(Q|B)\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
			kind.toUpperCase() === 'B'
				? decoded(word, 'base64')
				: decoded(word.replaceAll('_', ' '), 'quoted-printable'),
		);
}

function readMail(source: string, from: string, to: string[]): Mail {
	const [head = '', ...rest] = source.split('\r\n\r\n');
	const headers = Object.fromEntries(
		head
			.replace(/\r\n[ \t]+/g, ' ')
			.split('\r\n')
			.map((line): [string, string] => {
				const [name = '', ...value] = line.split(':');
				return [name.toLowerCase(), plainHeader(value.join(':').trim())];
			}),
	);
	const text = decoded(rest.join('\r\n\r\n'), headers['content-transfer-encoding']);
	return { from, to, headers, text: text.replaceAll('\r\n', '\n') };
}

const addressOf = (line: string) => /<([^>]*)>/.exec(line)?.[1] ?? '';

function serve(socket: Socket, stub: SmtpStub): void {
	let buffered = '';
	let from = '';
	let to: string[] = [];
	let inData = false;
	const say = (line: string) => socket.write(`${line}\r\n`);
	const command = (line: string) => {
		const verb = line.slice(0, 4).toUpperCase();
		if (verb === 'EHLO' || verb === 'HELO') say('250 stub');
		else if (verb === 'MAIL') {
			from = addressOf(line);
			to = [];
			say(stub.refuses ? '451 not now' : '250 ok');
		} else if (verb === 'RCPT') {
			to.push(addressOf(line));
			say('250 ok');
		} else if (verb === 'DATA') {
			inData = true;
			say('354 go on');
		} else if (verb === 'QUIT') {
			say('221 bye');
			socket.end();
		} else say('250 ok');
	};
	const step = (): boolean => {
		const end = buffered.indexOf(inData ? '\r\n.\r\n' : '\r\n');
		if (end < 0) return false;
		const part = buffered.slice(0, end);
		buffered = buffered.slice(end + (inData ? 5 : 2));
		if (inData) {
			inData = false;
			stub.mails.push(readMail(part.replace(/^\.\./gm, '.'), from, to));
			say('250 taken');
		} else command(part);
		return true;
	};
	socket.setEncoding('utf8');
	socket.on('error', () => socket.destroy());
	socket.on('data', (chunk: string) => {
		buffered += chunk;
		while (step());
	});
	say('220 stub');
}

/** Starts a mail server that keeps what it gets. */
export async function startSmtpStub(): Promise<SmtpStub> {
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
		serve(socket, stub);
	});
	const stub: SmtpStub = {
		port: 0,
		mails: [],
		refuses: false,
		close: async () =>
			await new Promise((resolve) => {
				server.close(() => resolve());
				for (const socket of sockets) socket.destroy();
			}),
	};
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(0, '127.0.0.1', resolve);
	});
	stub.port = (server.address() as AddressInfo).port;
	return stub;
}
