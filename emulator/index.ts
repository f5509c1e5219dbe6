import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Attachments } from './messaging/attachments';
import { type Certificate, makeCertificate } from './certificate';
import { Channels, type Entra } from './dataverse/channels';
import { DEFAULT_TEMPLATES } from './communication/templates';
import { type Communication, Threads } from './communication/threads';
import { Conversations } from './messaging/conversations';
import { Tables } from './dataverse/tables';
import { Deliveries } from './messaging/deliveries';
import { Desk } from './desk/representatives';
import { createDeskServer } from './desk/server';
import { type Claims, Identity } from './entra/identity';
import { Log, type LogEntry } from './log';
import { createService } from './app';
import {
	DEFAULT_COMMUNICATION,
	DEFAULT_CONTEXT_LAG_MS,
	DEFAULT_DATAVERSE,
	DEFAULT_DELIVERY,
	DEFAULT_MAX_ATTACHMENT_BYTES,
	type DeliverySettings,
	seededRandom,
	type Settings,
} from './settings';
import { DEFAULT_WORLD, type World } from './world';

export type { Activity } from './messaging/activities';
export type { AttachedFile } from './messaging/attachments';
export { type Certificate, makeCertificate } from './certificate';
export type { Entra } from './dataverse/channels';
export type { Communication, CommunicationConversation, CommunicationMessage } from './communication/threads';
export type { Conversation, Line, Message } from './messaging/conversations';
export { Desk, DeskError } from './desk/representatives';
export type * from './log';
export type {
	CommunicationListSettings,
	CommunicationSettings,
	DataverseSettings,
	DeliverySettings,
	FaultAction,
	FaultRule,
	ListSettings,
	Settings,
	StatusFault,
} from './settings';
export { COMMUNICATION_RESOURCE, DEFAULT_WORLD, resourceOf, type World } from './world';

export interface EmulatorOptions {
	/** TLS port of the service; 0 takes any that is free. Default 8443. */
	port?: number;
	/** Plain http port of the desk, on 127.0.0.1; 0 takes any that is free. Default 8444. */
	deskPort?: number;
	/** PEM; made at the start when left out. */
	certificate?: Certificate;
	world?: Partial<World>;
	/** How long `/context` stays empty after the start of a conversation, milliseconds. Default 500. */
	contextLagMs?: number;
	delivery?: Partial<DeliverySettings>;
	/** Seed of the dice for faults with a probability. Default 1. */
	seed?: number;
}

export interface Emulator {
	/** `https://localhost:PORT`: token authority, base URL of the API, Dataverse environment, endpoint of Azure Communication Services and host of the attachments. */
	origin: string;
	/** `http://127.0.0.1:PORT`: the agent desk. */
	deskOrigin: string;
	certificate: Certificate;
	world: World;
	/** Everything that happened; entries of deliveries change while they are tried. */
	log: readonly LogEntry[];
	/** What representatives do; the desk's HTTP API does the same. */
	desk: Desk;
	/** The conversations of Azure Communication Services. */
	communication: Communication;
	/** Takes effect with the next request or delivery. */
	settings: Settings;
	/** What Entra knows of the channel's managed identity; what is added or removed counts from the next delivery on. */
	entra: Entra;
	/** Sets the URL in the record of the world's channel; null delivers nothing. @throws Error when the record is gone */
	setWebhookUrl(url: string | null): void;
	/** The URL that stands in the channel record. */
	webhookUrl(): string | null;
	/** Adds to the world's channel that many open conversations without customers' ids, for long lists; the log says nothing of them. */
	addConversations(count: number): void;
	/** Calls back for every entry that is new or has changed. @returns a function that ends it */
	onLog(listener: (entry: LogEntry) => void): () => void;
	/** A token as it is sent to the webhook; an override that is undefined leaves the claim out. */
	issueDeliveryToken(overrides?: Claims): Promise<string>;
	/** Any claims, signed with the tenant's newest key. */
	signToken(claims: Claims, header?: Record<string, unknown>): Promise<string>;
	/** Every access token that was issued until now is answered with 401 from now on. */
	revokeTokens(): void;
	/** Signs with a new key from now on; the last one stays published. */
	rotateKeys(): Promise<void>;
	/** Resolves when no delivery is under way or queued. */
	idle(): Promise<void>;
	/** Gives up deliveries and closes both ports. */
	close(): Promise<void>;
}

/** This machine only: the emulator's secrets are public. */
const HOST = '127.0.0.1';

/** @throws the listen error, e.g. with code EADDRINUSE and the port, when the port is taken */
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
 * Starts the Dynamics 365 Contact Center Messaging API on this machine, with its token authority and an agent desk.
 *
 * @returns the running emulator; call its `close()` at the end
 * @throws the listen error (code EADDRINUSE) when a port is taken
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
	const certificate = options.certificate ?? (await makeCertificate());
	const given: World = { ...DEFAULT_WORLD, ...options.world };
	// Copied, because these lists may be added to, and the default is every emulator's.
	const world: World = {
		...given,
		certificates: [...given.certificates],
		expiredClientSecrets: [...given.expiredClientSecrets],
	};
	const settings: Settings = {
		contextLagMs: options.contextLagMs ?? DEFAULT_CONTEXT_LAG_MS,
		delivery: { ...DEFAULT_DELIVERY, ...options.delivery },
		faults: [],
		errorCodeKey: 'errorCode',
		linkedToWorkstream: true,
		channelAuthorized: true,
		tokenLifetimeSeconds: 3600,
		maxAttachmentBytes: DEFAULT_MAX_ATTACHMENT_BYTES,
		lists: {},
		dataverse: { ...DEFAULT_DATAVERSE },
		communication: { ...DEFAULT_COMMUNICATION, lists: {} },
		federationFollows: true,
		clockSkewMs: 0,
	};
	let origin = '';
	const log = new Log();
	const identity = await Identity.create(world, settings, () => origin);
	const entra: Entra = { federatedSubjects: new Set() };
	const tables = new Tables();
	const channels = new Channels(tables, world, settings, entra);
	channels.seed();
	const threads = new Threads(world);
	threads.seed();
	const conversations = new Conversations(log);
	const attachments = new Attachments(() => origin);
	const deliveries = new Deliveries(log, settings, identity, (conversationId) =>
		channels.find(conversations.find(conversationId)?.channelId ?? world.channelId),
	);
	const desk = new Desk({ settings, log, channels, conversations, deliveries, attachments });

	const random = seededRandom(options.seed ?? 1);
	const service = createService({
		world,
		settings,
		log,
		identity,
		channels,
		tables,
		threads,
		templates: DEFAULT_TEMPLATES,
		conversations,
		deliveries,
		attachments,
		origin: () => origin,
		random,
	});
	const server = https.createServer(certificate, service);
	const deskServer = http.createServer(
		createDeskServer({
			world,
			settings,
			log,
			identity,
			desk,
			channels,
			attachments,
			origin: () => origin,
		}),
	);
	origin = `https://localhost:${await listen(server, options.port ?? 8443)}`;
	let deskPort: number;
	try {
		deskPort = await listen(deskServer, options.deskPort ?? 8444);
	} catch (error) {
		await closeServer(server);
		throw error;
	}

	return {
		origin,
		deskOrigin: `http://${HOST}:${deskPort}`,
		certificate,
		world,
		log: log.entries,
		desk,
		communication: threads,
		settings,
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
