import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { objectAt } from './contract/open';
import { type Emulator, type LogEntry, startEmulator } from './index';

const USAGE = `Usage: npm run emulator -- [--port 8443] [--desk-port 8444] [--webhook-url URL] [--cert-dir DIR]

  --port         https port of the service
  --desk-port    port of the agent desk
  --webhook-url  URL that gets the deliveries: the trigger node's production URL; can also be set at the desk
  --cert-dir     folder for certificate.pem, which n8n must trust; default: a private temporary folder`;

/** An error whose message is shown to the user instead of a stack trace. */
class UserError extends Error {}

interface Settings {
	port: number;
	deskPort: number;
	webhookUrl: string | null;
	certDir: string | undefined;
}

function readPort(text: string, name: string): number {
	const port = Number(text);
	if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
	throw new UserError(`--${name} must be a port from 0 to 65535, not ${text}.`);
}

/** Reads the command line. @returns undefined for `--help` @throws UserError for a wrong option */
function readArguments(args: string[]): Settings | undefined {
	try {
		const { values } = parseArgs({
			args,
			options: {
				port: { type: 'string', default: '8443' },
				'desk-port': { type: 'string', default: '8444' },
				'webhook-url': { type: 'string' },
				'cert-dir': { type: 'string' },
				help: { type: 'boolean', short: 'h', default: false },
			},
		});
		if (values.help) return undefined;
		const webhookUrl = values['webhook-url'] ?? null;
		if (webhookUrl !== null && !(URL.canParse(webhookUrl) && /^https?:/i.test(webhookUrl))) {
			throw new UserError(`--webhook-url must be an http or https URL, not ${webhookUrl}.`);
		}
		return {
			port: readPort(values.port, 'port'),
			deskPort: readPort(values['desk-port'], 'desk-port'),
			webhookUrl,
			certDir: values['cert-dir'] === undefined ? undefined : resolve(values['cert-dir']),
		};
	} catch (error) {
		if (error instanceof UserError || !(error instanceof TypeError)) throw error;
		throw new UserError(`${error.message}\n\n${USAGE}`);
	}
}

/**
 * Writes the certificate, without its key, for n8n to trust.
 *
 * @param directory undefined for a private temporary folder, which is removed at the end
 * @returns the path of the file
 */
function writeCertificate({ certificate }: Emulator, directory: string | undefined): string {
	let folder = directory;
	if (folder !== undefined) {
		mkdirSync(folder, { recursive: true });
	} else {
		// Only this user may write there, and nobody can guess the name: whoever writes the file decides what n8n trusts.
		const temporary = mkdtempSync(join(tmpdir(), 'dynamics365-messaging-emulator-'));
		process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
		folder = temporary;
	}
	const file = join(folder, 'certificate.pem');
	writeFileSync(file, certificate.cert);
	return file;
}

function banner(
	{ deskOrigin, origin, world }: Emulator,
	webhookUrl: string | null,
	certFile: string,
): string {
	return `
Dynamics 365 Contact Center Messaging API, emulated on this machine

  Agent desk            ${deskOrigin}
  Service               ${origin}
  Webhook URL           ${webhookUrl ?? 'none yet: publish a workflow with the trigger, or set it at the agent desk'}

In the n8n credential
  Tenant ID             ${world.tenantId}
  Client ID             ${world.clientId}
  Client Secret         ${world.clientSecret}
  Organization ID       ${world.organizationId}
  Geo                   ${world.geoName} (${world.geo})
  Channel ID            ${world.channelId}
  Environment URL       ${origin}
  Base URL              ${origin}
  Authority Host        ${origin}
  Zone and Scope stay empty.

For Azure Communication Services: the same Tenant ID, Client ID and Client Secret, and
  Endpoint              ${origin}
  Access Key            ${world.communicationAccessKey}
  User Access Token     ${world.communicationUserToken}
  Channel ID            ${world.communicationChannelId}
  Conversation ID       ${world.communicationConversationId}

Start or restart n8n with this certificate. It is new at each start of the emulator, and n8n reads it only when it starts
  NODE_EXTRA_CA_CERTS=${certFile} n8n start

Ctrl-C stops the emulator.
`;
}

/** Describes an entry of the log in one line. */
function describeEntry(entry: LogEntry): string {
	const time = entry.at.slice(11, 19);
	switch (entry.kind) {
		case 'token':
			return `${time} token     ${entry.status}${entry.errorCode ? ` AADSTS${entry.errorCode}` : ''}`;
		case 'request':
		case 'dataverse':
		case 'communication': {
			const service = { request: 'request  ', dataverse: 'dataverse', communication: 'acs      ' }[
				entry.kind
			];
			const status = entry.status === 0 ? 'connection cut' : entry.status;
			const repeated = entry.kind === 'communication' && entry.repeated ? ' (repeated)' : '';
			return `${time} ${service} ${status}${entry.errorCode ? ` ${entry.errorCode}` : ''} ${entry.method} ${entry.path}${repeated}`;
		}
		case 'delivery': {
			const { name, Name, type, Type } = objectAt(entry.activity);
			const tries = entry.tries.map(({ status, error }) => status ?? error).join(', ');
			const why = entry.outcome === 'accepted' ? undefined : entry.tries.at(-1)?.explanation;
			return `${time} delivery  ${entry.outcome} ${String(name ?? Name ?? type ?? Type)}${tries ? ` (${tries})` : ''}${why ? `: ${why}` : ''}`;
		}
		case 'desk':
			return `${time} desk      ${entry.action}${entry.detail ? ` ${entry.detail}` : ''}`;
		case 'state':
			return `${time} state     ${entry.from ?? 'new'} → ${entry.to} ${entry.conversationId}`;
	}
}

async function start(settings: Settings): Promise<Emulator> {
	try {
		return await startEmulator({ port: settings.port, deskPort: settings.deskPort });
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && 'port' in error)) throw error;
		if (error.code === 'EADDRINUSE') {
			throw new UserError(
				`Port ${String(error.port)} is in use. Stop the program that uses it, or choose another port with --port or --desk-port.`,
			);
		}
		if (error.code === 'EACCES') {
			throw new UserError(`Port ${String(error.port)} needs special rights. Choose a port above 1023.`);
		}
		throw error;
	}
}

async function main(): Promise<void> {
	const settings = readArguments(process.argv.slice(2));
	if (!settings) {
		console.log(USAGE);
		return;
	}
	const emulator = await start(settings);
	emulator.setWebhookUrl(settings.webhookUrl);
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
		process.once(signal, () => void emulator.close().then(() => process.exit(0)));
	}
	let certFile: string;
	try {
		certFile = writeCertificate(emulator, settings.certDir);
	} catch (error) {
		await emulator.close();
		const reason = error instanceof Error ? error.message : String(error);
		throw new UserError(`The certificate cannot be written: ${reason}`);
	}
	emulator.hints.certificateFile = certFile;
	console.log(banner(emulator, settings.webhookUrl, certFile));
	emulator.onLog((entry) => {
		// The entry of a delivery changes with every try; one line at its end is enough.
		if (entry.kind !== 'delivery' || entry.outcome !== 'pending') console.log(describeEntry(entry));
	});
}

main().catch((error: unknown) => {
	console.error(error instanceof UserError ? error.message : error);
	process.exitCode = 1;
});
