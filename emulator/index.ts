import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Attachments } from './messaging/attachments';
import { type Certificate, makeCertificate } from './certificate';
import { Channels, type Entra } from './dataverse/channels';
import { ConversationRecords } from './dataverse/conversationRecords';
import { DEFAULT_TEMPLATES } from './communication/templates';
import { type Communication, Threads } from './communication/threads';
import { Conversations } from './messaging/conversations';
import { Tables } from './dataverse/tables';
import { Deliveries } from './messaging/deliveries';
import { Desk } from './desk/representatives';
import { createDeskServer, type DeskHints } from './desk/server';
import { type Claims, Identity } from './entra/identity';
import { Log, type LogEntry } from './log';
import { createService } from './app';
import { originOf } from './http/paths';
import { defaultSettings, type DeliverySettings, seededRandom, type Settings } from './settings';
import { DEFAULT_WORLD, type World } from './world';

export type { Activity } from './messaging/activities';
export { type Certificate, makeCertificate } from './certificate';
export type { Communication, CommunicationConversation } from './communication/threads';
export type { Conversation, Line } from './messaging/conversations';
export { DeskError } from './desk/representatives';
export type * from './log';
export type { FaultAction, FaultRule, Settings, StatusFault } from './settings';
export { COMMUNICATION_RESOURCE, DEFAULT_WORLD, resourceOf } from './world';

/** What can be chosen when the emulator starts. */
export interface EmulatorOptions {
	/** TLS port of the service; 0 takes any that is free. Default 8443. */
	port?: number;
	/** Plain http port of the desk, on 127.0.0.1; 0 takes any that is free. Default 8444. */
	deskPort?: number;
	/** Key and certificate, both PEM. Default: a new pair for this machine. */
	certificate?: Certificate;
	/** Ids, names and secrets that replace those of `DEFAULT_WORLD`. */
	world?: Partial<World>;
	/** How long `/context` stays empty after the start of a conversation, milliseconds. Default 500. */
	contextLagMs?: number;
	/** Settings of deliveries that replace the documented ones. */
	delivery?: Partial<DeliverySettings>;
	/** Seed of the random numbers for faults with a probability. Default 1. */
	seed?: number;
}

/** A running emulator. */
export interface Emulator {
	/** `https://localhost:PORT`, or without the port where it is 443: token authority, base URL of the API, Dataverse environment, endpoint of Azure Communication Services and host of the attachments. */
	origin: string;
	/** `http://127.0.0.1:PORT`, or without the port where it is 80: the agent desk. */
	deskOrigin: string;
	certificate: Certificate;
	world: World;
	/** Everything that happened, oldest first. The entry of a delivery changes with each try. */
	log: readonly LogEntry[];
	/** The actions of representatives. The desk's HTTP API calls the same ones. */
	desk: Desk;
	/** The conversations of Azure Communication Services. */
	communication: Communication;
	/** A change takes effect with the next request or delivery. */
	settings: Settings;
	/** What the desk shows besides: where the customer's messages can be posted to, and where the certificate is. */
	hints: DeskHints;
	/** The federated credentials that Entra has for the channel's managed identity. A change takes effect with the next delivery. */
	entra: Entra;
	/** Sets the webhook URL in the channel's record; null stops deliveries. @throws Error when the record was deleted */
	setWebhookUrl(url: string | null): void;
	/** The webhook URL in the channel's record; null when there is none. */
	webhookUrl(): string | null;
	/** Adds that many open conversations without a customer id to the channel, to make lists long. They are not logged. */
	addConversations(count: number): void;
	/** Calls `listener` for every entry that is new or has changed. @returns a function that ends the subscription */
	onLog(listener: (entry: LogEntry) => void): () => void;
	/** Issues a token as it is sent to the webhook. `overrides` replaces claims; one that is undefined is left out. */
	issueDeliveryToken(overrides?: Claims): Promise<string>;
	/** Signs any claims with the tenant's newest key. */
	signToken(claims: Claims, header?: Record<string, unknown>): Promise<string>;
	/** Revokes every access token issued so far: each is answered with 401. */
	revokeTokens(): void;
	/** Signs new tokens with a new key. The previous key stays published. */
	rotateKeys(): Promise<void>;
	/** Resolves when no delivery is running or queued. */
	idle(): Promise<void>;
	/** Aborts deliveries and closes both ports. */
	close(): Promise<void>;
}

/** Only this machine may connect, because the emulator's secrets are public. */
const HOST = '127.0.0.1';

/** Starts listening. @returns the port @throws the listen error, e.g. with code EADDRINUSE and the port, when the port is taken */
function listen(server: http.Server | https.Server, port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, HOST, () => {
			server.off('error', reject);
			// With a port, the address of a server is never a string or null.
			resolve((server.address() as AddressInfo).port);
		});
	});
}

function closeServer(server: http.Server | https.Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
		server.closeAllConnections();
	});
}

/**
 * Starts the emulated services on this machine: the Dynamics 365 Contact Center Messaging API, Microsoft Entra ID,
 * Dataverse, Azure Communication Services, and an agent desk.
 *
 * @param options every option has a default
 * @returns the running emulator; call its `close()` at the end
 * @throws the listen error (code EADDRINUSE) when a port is taken
 *
 * @example
 * const emulator = await startEmulator({ port: 0, deskPort: 0 });
 * emulator.setWebhookUrl('http://127.0.0.1:5678/webhook/…');
 * emulator.settings.faults.push({ match: { operationId: 'sendActivity' }, action: { status: 429, retryAfter: 2 }, times: 1 });
 * // … send requests to emulator.origin, trusting emulator.certificate.cert …
 * await emulator.close();
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
	const certificate = options.certificate ?? (await makeCertificate());
	// Copied, because these lists may be added to, and the default is every emulator's.
	const world: World = structuredClone({ ...DEFAULT_WORLD, ...options.world });
	const settings = defaultSettings();
	if (options.contextLagMs !== undefined) settings.contextLagMs = options.contextLagMs;
	Object.assign(settings.delivery, options.delivery);
	let url = '';
	const origin = () => url;
	const log = new Log();
	const identity = await Identity.create(world, settings, origin);
	const entra: Entra = { federatedSubjects: new Set() };
	const tables = new Tables();
	const channels = new Channels(tables, world, settings, entra);
	channels.seed();
	const threads = new Threads(world);
	threads.seed();
	const conversations = new Conversations(log);
	const attachments = new Attachments(origin);
	const conversationRecords = new ConversationRecords({
		tables,
		channels,
		conversations,
		attachments,
		settings,
		world,
	});
	const deliveries = new Deliveries(log, settings, identity, (conversationId) =>
		channels.find(conversations.find(conversationId)?.channelId ?? world.channelId),
	);
	const parts = {
		world,
		settings,
		log,
		identity,
		channels,
		tables,
		threads,
		templates: DEFAULT_TEMPLATES,
		conversations,
		conversationRecords,
		deliveries,
		attachments,
		origin,
		random: seededRandom(options.seed ?? 1),
	};
	const desk = new Desk(parts);
	const hints: DeskHints = { customerWebhookUrl: null, certificateFile: null };
	const server = https.createServer(certificate, createService(parts));
	const deskServer = http.createServer(createDeskServer({ ...parts, certificate, desk, hints }));
	url = originOf('https', 'localhost', await listen(server, options.port ?? 8443));
	let deskPort: number;
	try {
		deskPort = await listen(deskServer, options.deskPort ?? 8444);
	} catch (error) {
		await closeServer(server);
		throw error;
	}

	return {
		origin: url,
		deskOrigin: originOf('http', HOST, deskPort),
		certificate,
		world,
		log: log.entries,
		desk,
		communication: threads,
		settings,
		hints,
		entra,
		webhookUrl: () => channels.find(world.channelId)?.webhookUrl ?? null,
		setWebhookUrl: (url) => {
			if (!channels.setWebhookUrl(url)) throw new Error('The channel record was deleted.');
		},
		addConversations: (count) => conversations.createMany(world.channelId, count),
		onLog: (listener) => log.subscribe(listener),
		issueDeliveryToken: (overrides) => identity.issueDeliveryToken(overrides),
		signToken: (claims, header) => identity.signToken(claims, header),
		revokeTokens: () => identity.revokeTokens(),
		rotateKeys: () => identity.rotateKeys(),
		idle: () => deliveries.idle(),
		close: async () => {
			await Promise.all([deliveries.stop(), closeServer(server), closeServer(deskServer)]);
		},
	};
}
