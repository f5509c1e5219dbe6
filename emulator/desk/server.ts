import { dirname, join } from 'node:path';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import multer from 'multer';
import { objectAt } from '../contract/open';
import type { DeliveredCard } from '../messaging/activities';
import type { Attachments } from '../messaging/attachments';
import type { Conversation } from '../messaging/conversations';
import { setAvailability, shownAvailability } from './availability';
import {
	Customer,
	type CustomerMessage,
	readCustomerMessage,
	readCustomerWebhook,
	type Written,
} from './customer';
import { Faults, readRule, SERVICE_CALLS } from './faults';
import type { Channels } from '../dataverse/channels';
import { type Desk, DeskError } from './representatives';
import type { Identity } from '../entra/identity';
import type { BreakAction, DeskEntry, Log, LogEntry } from '../log';
import type { Certificate } from '../certificate';
import type { Settings } from '../settings';
import type { World } from '../world';

/** What whoever starts the emulator knows, and the desk shows. It can be set at any time. */
export interface DeskHints {
	/** The webhook of a workflow that takes the customer's messages. */
	customerWebhookUrl: string | null;
	/** Where the certificate was written for n8n to trust. */
	certificateFile: string | null;
}

interface DeskServerParts {
	world: World;
	settings: Settings;
	log: Log;
	identity: Identity;
	desk: Desk;
	channels: Channels;
	attachments: Attachments;
	certificate: Certificate;
	hints: DeskHints;
	/** Of the service; known only after it listens. */
	origin: () => string;
}

/** The reader of Markdown, as browsers load it. */
const MARKED = join(dirname(require.resolve('marked')), 'marked.esm.js');

/** The largest file that an organisation can allow. */
const FILE_LIMIT_BYTES = 128 * 1024 * 1024;

/**
 * Refuses what another web page sends through the user's browser: a foreign Origin, or a Host that is not this machine
 * (a name that an attacker points at 127.0.0.1).
 */
function refuseCrossSite(request: Request, response: Response, next: NextFunction): void {
	const { host = '', origin } = request.headers;
	const isOwnHost = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host);
	const isOwnOrigin = origin === undefined || origin === `http://${host}`;
	const site = request.get('sec-fetch-site');
	const isOwnSite = site === undefined || site === 'same-origin' || site === 'none';
	if (isOwnHost && isOwnOrigin && isOwnSite) next();
	else response.status(403).json({ error: 'The desk answers its own page only.' });
}

/** A field of a JSON body or a form; undefined when it is no text. */
function textField(body: unknown, name: string): string | undefined {
	const value = objectAt(body)[name];
	return typeof value === 'string' ? value : undefined;
}

/** The texts of a reply's buttons: a list of a JSON body, or the lines of a form's field. */
function buttonsOf(body: unknown): string[] {
	const { buttons } = objectAt(body);
	const list: unknown[] = Array.isArray(buttons) ? buttons : (textField(body, 'buttons') ?? '').split('\n');
	return list
		.filter((text) => typeof text === 'string')
		.map((text) => text.trim())
		.filter((text) => text !== '');
}

/** A reply's card, in a JSON body. @throws DeskError for what is no attachment with a card */
function cardOf(body: unknown): DeliveredCard | undefined {
	const { card } = objectAt(body);
	if (card === undefined) return undefined;
	const { contentType, content } = objectAt(card);
	if (typeof contentType !== 'string' || typeof content !== 'object' || content === null) {
		throw new DeskError(400, 'A card has a contentType and a content.');
	}
	return { contentType, content };
}

/** The files of a multipart form. Browsers send their names in UTF-8, which multer reads as Latin-1. */
function uploadedFiles(request: Request): { name: string; contentType: string; data: Buffer }[] {
	const files = Array.isArray(request.files) ? request.files : [];
	return files.map(({ originalname, mimetype, buffer }) => ({
		name: Buffer.from(originalname, 'latin1').toString('utf8'),
		contentType: mimetype,
		data: buffer,
	}));
}

/** Reads the webhook URL from a body; null or an empty text stops deliveries. @throws DeskError for any other value */
function readWebhookUrl(body: unknown): string | null {
	const url = objectAt(body).webhookUrl;
	if (url === null || url === '') return null;
	if (typeof url === 'string' && /^https?:\/\//i.test(url) && URL.canParse(url)) return url;
	throw new DeskError(400, 'webhookUrl must be an http or https URL, or null.');
}

/** Streams the log as server-sent events, oldest entry first. An entry that changes is sent again. */
function streamLog(log: Log, since: number, response: Response): void {
	response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
	const send = (entry: LogEntry) => {
		if (entry.seq > since) response.write(`data: ${JSON.stringify(entry)}\n\n`);
	};
	response.write('event: start\ndata: {}\n\n');
	log.entries.forEach(send);
	response.on('close', log.subscribe(send));
}

/** The values to type into the credentials of n8n, and the channel's name. Zone and scope are derived from them. */
function describeWorld({ world, hints, origin }: DeskServerParts): object {
	return {
		tenantId: world.tenantId,
		clientId: world.clientId,
		clientSecret: world.clientSecret,
		organizationId: world.organizationId,
		geo: `${world.geoName} (${world.geo})`,
		channelId: world.channelId,
		channelName: world.channelName,
		environmentUrl: origin(),
		baseUrl: origin(),
		authorityHost: origin(),
		communication: {
			endpoint: origin(),
			accessKey: world.communicationAccessKey,
			userToken: world.communicationUserToken,
			channelId: world.communicationChannelId,
			conversationId: world.communicationConversationId,
		},
		...hints,
	};
}

/** Adds the routes by which a person writes as the customer. Each answers with the conversation, where it is known. */
function serveCustomer(app: Express, parts: DeskServerParts): void {
	const customer = new Customer(parts);
	const way = (name: string, write: (message: CustomerMessage, body: unknown) => Promise<Written>) =>
		app.post(`/api/customer/${name}`, async ({ body }: Request, response) => {
			response.json(await write(readCustomerMessage(body, parts.desk), body));
		});
	way('direct', async (message) => await customer.writeDirectly(message));
	way(
		'webhook',
		async (message, body) => await customer.writeThroughWebhook(message, readCustomerWebhook(body)),
	);
}

/** Adds the routes with which a person breaks something: fault rules, Entra's tokens and keys, and the signing of deliveries. */
function serveBreakage(app: Express, { identity, log, settings }: DeskServerParts): void {
	const faults = new Faults(settings);
	const did = (action: BreakAction, detail?: string) => log.add<DeskEntry>({ kind: 'desk', action, detail });

	const rules = () => ({ rules: faults.list(), services: SERVICE_CALLS });
	app.get('/api/faults', (_request, response) => void response.json(rules()));
	app.post('/api/faults', (request, response) => {
		const rule = readRule(request.body);
		faults.add(rule);
		did('addFault', JSON.stringify(rule));
		response.json(rules());
	});
	app.delete('/api/faults', (_request, response) => {
		faults.clear();
		did('clearFaults', 'all');
		response.json(rules());
	});
	app.delete('/api/faults/:id', ({ params: { id } }, response) => {
		faults.remove(Number(id));
		did('clearFaults', id);
		response.json(rules());
	});

	app.post('/api/tokens/revoke', (_request, response) => {
		identity.revokeTokens();
		did('revokeTokens');
		response.json({});
	});
	app.post('/api/keys/rotate', async (_request, response) => {
		await identity.rotateKeys();
		did('rotateKeys');
		response.json({});
	});

	const delivery = () => {
		const { retryDelayMs, signed, tries } = settings.delivery;
		return { retryDelayMs, signed, tries };
	};
	app.get('/api/delivery', (_request, response) => void response.json(delivery()));
	app.put('/api/delivery', (request, response) => {
		const { signed } = objectAt(request.body);
		if (typeof signed !== 'boolean') throw new DeskError(400, 'signed must be true or false.');
		settings.delivery.signed = signed;
		did('signDeliveries', signed ? 'yes' : 'no');
		response.json(delivery());
	});
}

/** The agent desk: its page, and an HTTP API that does what {@link Desk} does. */
export function createDeskServer(parts: DeskServerParts): Express {
	const { attachments, channels, desk, log } = parts;
	const app = express();
	app.disable('x-powered-by');
	app.use(refuseCrossSite);
	app.use((_request, response, next) => {
		response.setHeader(
			'Content-Security-Policy',
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		);
		response.setHeader('X-Content-Type-Options', 'nosniff');
		next();
	});
	app.use(express.json({ limit: '1mb' }));

	const sinceOf = (request: Request) => Number(request.query.since ?? 0) || 0;
	app.get('/api/world', (_request, response) => void response.json(describeWorld(parts)));
	app.get('/api/log', (request, response) => {
		response.json(log.entries.filter(({ seq }) => seq > sinceOf(request)));
	});
	app.get('/api/events', (request, response) => streamLog(log, sinceOf(request), response));

	const channel = () => ({ webhookUrl: channels.own()?.webhookUrl ?? null });
	app.get('/api/channel', (_request, response) => void response.json(channel()));
	app.put('/api/channel', (request, response) => {
		const url = readWebhookUrl(request.body);
		if (!channels.setWebhookUrl(url)) throw new DeskError(409, 'The channel record was deleted.');
		log.add<DeskEntry>({ kind: 'desk', action: 'webhookUrl', detail: url ?? 'none' });
		response.json(channel());
	});

	const { availability } = parts.settings;
	app.get('/api/availability', (_request, response) => void response.json(shownAvailability(availability)));
	app.put('/api/availability', (request, response) => {
		setAvailability(availability, request.body);
		log.add<DeskEntry>({ kind: 'desk', action: 'availability', detail: JSON.stringify(request.body) });
		response.json(shownAvailability(availability));
	});

	serveBreakage(app, parts);
	serveCustomer(app, parts);

	/** A conversation with the name of its channel, which may be another than the one whose webhook the page shows. */
	const shown = (conversation: Conversation) => {
		const { name = '' } = channels.find(conversation.channelId) ?? {};
		const isOwn = conversation.channelId === parts.world.channelId;
		return { ...conversation, channel: { name, isOwn } };
	};
	app.get('/api/conversations', (_request, response) => void response.json(desk.list().map(shown)));
	app.get(
		'/api/conversations/:id',
		({ params: { id } }, response) => void response.json(shown(desk.get(id))),
	);

	/** Adds a route for an action of a representative. It answers with the conversation as it is afterwards. */
	const action = (name: string, run: (id: string, body: unknown, request: Request) => object | void) =>
		app.post(`/api/conversations/:id/${name}`, (request, response) => {
			const { id } = request.params;
			const result = run(id, request.body, request) ?? {};
			response.json({ ...result, conversation: shown(desk.get(id)) });
		});
	app.post(
		'/api/conversations/:id/reply',
		multer({ storage: multer.memoryStorage(), limits: { fileSize: FILE_LIMIT_BYTES } }).any(),
	);
	action('accept', (id, body) => desk.accept(id, { agentName: textField(body, 'agentName') }));
	action('typing', (id) => desk.typing(id));
	action('reply', (id, body, request) =>
		desk.reply(id, {
			text: textField(body, 'text'),
			isPlain: textField(body, 'textFormat') === 'plain',
			files: uploadedFiles(request),
			buttons: buttonsOf(body),
			card: cardOf(body),
		}),
	);
	action('private-note', (id, body) => desk.privateNote(id, textField(body, 'text') ?? ''));
	action('link-case', (id, body) => desk.linkCase(id, textField(body, 'title') ?? ''));
	action('transfer', (id, body) =>
		desk.transfer(id, {
			to: textField(body, 'to') === 'agent' ? 'agent' : 'queue',
			agentName: textField(body, 'agentName'),
		}),
	);
	action('custom-event', (id, body) =>
		desk.customEvent(id, { name: textField(body, 'name') ?? '', value: objectAt(body).value }),
	);
	action('out-of-hours', (id) => desk.outOfHours(id));
	action('wrap-up', (id) => desk.wrapUp(id));
	action('close', (id) => desk.close(id));

	app.post(
		'/api/conversations/:id/deliver',
		({ params: { id }, body }: Request<{ id: string }>, response) => {
			const activity: unknown = body;
			if (typeof activity !== 'object' || activity === null) {
				throw new DeskError(400, 'An activity is a JSON object.');
			}
			response.json(desk.deliver(id, { ...activity }));
		},
	);

	// The page loads pictures from here, because its browser may not trust the emulator's certificate.
	app.get('/attachments/:id/:name', ({ params: { id } }, response) => {
		const file = attachments.find(id);
		if (!file) throw new DeskError(404, 'There is no such file.');
		response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
		response.setHeader('Content-Type', file.contentType).end(file.data);
	});
	// What n8n is to trust: the certificate without its key.
	app.get('/certificate.pem', (_request, response) => {
		response.attachment('certificate.pem').type('application/x-pem-file').send(parts.certificate.cert);
	});
	app.get('/marked.js', (_request, response) => response.sendFile(MARKED));
	app.use(express.static(join(__dirname, 'page')));

	// Express knows an error handler by its four parameters.
	app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
		const { status } = objectAt(error);
		const message = error instanceof Error ? error.message : String(error);
		const isMulter = error instanceof multer.MulterError;
		response.status(typeof status === 'number' ? status : isMulter ? 400 : 500).json({ error: message });
	});
	return app;
}
