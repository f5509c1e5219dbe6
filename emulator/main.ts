import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
	type Certificate,
	type Emulator,
	type LogEntry,
	makeCertificate,
	resourceOf,
	startEmulator,
} from './index';

const USAGE = `Usage: npm run emulator -- [--port 8443] [--desk-port 8444] [--webhook-url URL] [--cert-dir DIR]

  --port         TLS port of the service
  --desk-port    port of the agent desk
  --webhook-url  where activities are delivered to: the trigger node's production URL; can be set in the desk too
  --cert-dir     where the certificate is kept, so that n8n can trust it`;

/** Something to tell the user in place of a stack trace. */
class UserError extends Error {}

interface Settings {
	port: number;
	deskPort: number;
	webhookUrl: string | null;
	certDir: string;
}

function readPort(text: string, name: string): number {
	const port = Number(text);
	if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
	throw new UserError(`--${name} must be a port from 0 to 65535, not ${text}.`);
}

/** @returns undefined when help was asked for */
function readArguments(args: string[]): Settings | undefined {
	try {
		const { values } = parseArgs({
			args,
			options: {
				port: { type: 'string', default: '8443' },
				'desk-port': { type: 'string', default: '8444' },
				'webhook-url': { type: 'string' },
				'cert-dir': { type: 'string', default: join(tmpdir(), 'dynamics365-messaging-emulator') },
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
			certDir: resolve(values['cert-dir']),
		};
	} catch (error) {
		if (error instanceof UserError || !(error instanceof TypeError)) throw error;
		throw new UserError(`${error.message}\n\n${USAGE}`);
	}
}

const certificateFile = (directory: string) => join(directory, 'certificate.pem');

/** The certificate of the last run, so that an n8n which trusts it goes on doing so; a new one if it is too old. */
async function keptCertificate(directory: string): Promise<Certificate> {
	const certFile = certificateFile(directory);
	const keyFile = join(directory, 'key.pem');
	if (existsSync(certFile) && existsSync(keyFile)) {
		const kept = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
		if (Date.parse(new X509Certificate(kept.cert).validTo) > Date.now()) return kept;
	}
	const made = await makeCertificate();
	mkdirSync(directory, { recursive: true, mode: 0o700 });
	writeFileSync(keyFile, made.key, { mode: 0o600 });
	writeFileSync(certFile, made.cert);
	return made;
}

function banner({ deskOrigin, origin, world }: Emulator, { certDir, webhookUrl }: Settings): string {
	return `
Dynamics 365 Contact Center Messaging API, emulated on this machine

  Agent desk            ${deskOrigin}
  Service               ${origin}
  Webhook URL           ${webhookUrl ?? 'none yet: set it in the agent desk'}

In the n8n credential
  Tenant ID             ${world.tenantId}
  Client ID             ${world.clientId}
  Client Secret         ${world.clientSecret}
  Organization ID       ${world.organizationId}
  Region                ${world.geo} (zone ${world.zone})
  Channel ID            ${world.channelId}
  Base URL              ${origin}
  Authority Host        ${origin}
  Scope                 ${resourceOf(world)}/.default

Start n8n so that it trusts the emulator's certificate
  NODE_EXTRA_CA_CERTS=${certificateFile(certDir)} n8n start

Ctrl-C stops the emulator.
`;
}

/** One line for an entry of the log. */
function describeEntry(entry: LogEntry): string {
	const time = entry.at.slice(11, 19);
	switch (entry.kind) {
		case 'token':
			return `${time} token     ${entry.status}${entry.errorCode ? ` AADSTS${entry.errorCode}` : ''}`;
		case 'request': {
			const status = entry.status === 0 ? 'connection cut' : entry.status;
			return `${time} request   ${status}${entry.errorCode ? ` ${entry.errorCode}` : ''} ${entry.method} ${entry.path}`;
		}
		case 'delivery': {
			const { activity } = entry;
			const type: unknown =
				typeof activity === 'object' && activity !== null
					? (Reflect.get(activity, 'name') ??
						Reflect.get(activity, 'Name') ??
						Reflect.get(activity, 'type') ??
						Reflect.get(activity, 'Type'))
					: undefined;
			const tries = entry.tries.map(({ status, error }) => status ?? error).join(', ');
			return `${time} delivery  ${entry.outcome} ${String(type)}${tries ? ` (${tries})` : ''}`;
		}
		case 'desk':
			return `${time} desk      ${entry.action}${entry.detail ? ` ${entry.detail}` : ''}`;
		case 'state':
			return `${time} state     ${entry.from ?? 'new'} → ${entry.to} ${entry.conversationId}`;
	}
}

async function start(settings: Settings): Promise<Emulator> {
	const certificate = await keptCertificate(settings.certDir);
	try {
		return await startEmulator({ port: settings.port, deskPort: settings.deskPort, certificate });
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && 'port' in error)) throw error;
		if (error.code === 'EADDRINUSE') {
			throw new UserError(
				`Port ${String(error.port)} is taken. Stop what uses it, or choose another with --port or --desk-port.`,
			);
		}
		if (error.code === 'EACCES') {
			throw new UserError(`Port ${String(error.port)} may not be used; choose one above 1023.`);
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
	console.log(banner(emulator, settings));
	emulator.onLog((entry) => {
		// A delivery tells of itself again with every try; one line at its end is enough.
		if (entry.kind !== 'delivery' || entry.outcome !== 'pending') console.log(describeEntry(entry));
	});
	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.once(signal, () => void emulator.close().then(() => process.exit(0)));
	}
}

main().catch((error: unknown) => {
	console.error(error instanceof UserError ? error.message : error);
	process.exitCode = 1;
});
