import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { listen } from '../../../tools/ports';

/** A mail that was taken. */
export interface Mail {
	from: string;
	to: string[];
	/** By their names in lower case. */
	headers: Record<string, string>;
	/** Decoded. */
	text: string;
}

/** A mail server on this machine, without TLS and without a login. */
export interface SmtpStub {
	port: number;
	mails: Mail[];
	/** Whether it takes no mails at present. */
	refuses: boolean;
	/** Whether it keeps what it gets and never says so. */
	isSilent: boolean;
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
	const body = decoded(rest.join('\r\n\r\n'), headers['content-transfer-encoding']);
	return { from, to, headers, text: body.replaceAll('\r\n', '\n') };
}

/** Starts a mail server that keeps what it gets. */
export async function startSmtpStub(): Promise<SmtpStub> {
	const server = new SMTPServer({
		disabledCommands: ['AUTH', 'STARTTLS'],
		disableReverseLookup: true,
		closeTimeout: 1,
		onMailFrom: (_, __, callback) =>
			callback(stub.refuses ? Object.assign(new Error('not now'), { responseCode: 451 }) : null),
		onData: (stream, { envelope }, callback) => {
			text(stream).then((source) => {
				const from = envelope.mailFrom ? envelope.mailFrom.address : '';
				const to = envelope.rcptTo.map(({ address }) => address);
				stub.mails.push(readMail(source, from, to));
				if (!stub.isSilent) callback();
			}, callback);
		},
	});
	const stub: SmtpStub = {
		port: await listen(server.server),
		mails: [],
		refuses: false,
		isSilent: false,
		close: async () => await new Promise((resolve) => server.close(resolve)),
	};
	return stub;
}
