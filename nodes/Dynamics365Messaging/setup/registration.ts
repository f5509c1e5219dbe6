import type { IDataObject, IHookFunctions } from 'n8n-workflow';
import { isRecord, readKey, textOf } from '../../shared/json';
import { InputError, ServiceError } from '../../shared/transport/errors';
import { Throttle } from '../../shared/transport/throttle';
import { connectionFrom, type Connection } from '../connection';
import { channelRequest, COLUMNS, readChannel } from '../dataverse/channel';
import { dataverseClient } from '../dataverse/client';
import { TABLES, updateRequest } from '../dataverse/requests';
import { instanceMark, probe } from './probe';
import { isSameUrl, withoutUser } from './webhookUrl';

/** The key of the trigger's static data that holds its registration. */
const MEMORY_SLOT = 'dynamics365MessagingWebhook';

/** How long a request is retried when a workflow is activated or deactivated. */
const MAX_RETRY_MS = 20_000;

/** What the trigger registered, and what is restored later. */
interface Registration {
	environmentUrl: string | null;
	channelId: string;
	/** The URL of this trigger. */
	own: string;
	/** The URL that was registered before; null where none was. */
	previous: string | null;
}

function readRegistration(memory: IDataObject): Registration | undefined {
	const kept = memory[MEMORY_SLOT];
	if (!isRecord(kept)) return undefined;
	const channelId = textOf(kept.channelId);
	const own = textOf(kept.own);
	if (channelId === null || own === null) return undefined;
	return { channelId, own, environmentUrl: textOf(kept.environmentUrl), previous: textOf(kept.previous) };
}

/** The URL in the channel's record now. */
interface Present {
	url: string | null;
	/** The record's etag. */
	version: string | undefined;
}

async function readPresent(connection: Connection): Promise<Present> {
	const dataverse = dataverseClient(connection, new Throttle(MAX_RETRY_MS));
	const { json } = await dataverse.call(channelRequest(connection.channelId));
	const url = readChannel(json).webhookUrl?.trim() ?? '';
	return { url: url === '' ? null : url, version: textOf(readKey(json, '@odata.etag')) ?? undefined };
}

async function writeUrl(connection: Connection, url: string | null, version?: string): Promise<void> {
	const changes = { msdyn_webhookurl: url };
	const request = updateRequest(TABLES.channels, connection.channelId, changes, COLUMNS, version);
	await dataverseClient(connection, new Throttle(MAX_RETRY_MS)).call(request);
}

/** What registering needs to know of the trigger. */
export interface Trigger {
	/** Its production URL. */
	own: string;
	/** The node's static data, which n8n keeps from one activation to the next. */
	memory: IDataObject;
	/** The ID of the n8n instance. */
	instanceId: string;
	log: { info: (message: string) => void; warn: (message: string) => void };
}

function isTaken(url: string): InputError {
	return new InputError(
		`Another active workflow has this channel: ${url}`,
		'A channel has one webhook URL. Deactivate that workflow first, or use a channel of its own for this one.',
	);
}

/** @throws InputError where the registered URL is that of another workflow which is active, or may be. */
async function refuseIfTaken(present: string, { own, instanceId }: Trigger): Promise<void> {
	const [url, ownUrl] = [withoutUser(present), withoutUser(own)];
	if (!url || !ownUrl) return;
	const found = await probe(url);
	// The same trigger, by a former address of this n8n.
	const isItself = url.pathname === ownUrl.pathname;
	if (found.kind === 'trigger' && !(isItself && found.mark === instanceMark(instanceId)))
		throw isTaken(present);
	if (found.kind === 'unreachable' && url.origin === ownUrl.origin && !isItself) {
		throw new InputError(
			`Another workflow of this n8n has this channel, and n8n cannot call itself to see whether it is active: ${present}`,
			'Deactivate that workflow, or clear Webhook URL with Channel: Update if it is not there any more.',
		);
	}
}

/** Writes the URL and remembers the previous one. On a failure, record and memory stay as they were. */
async function replace(
	connection: Connection,
	trigger: Trigger,
	present: Present,
	previous: string | null,
): Promise<void> {
	const { own, memory, log } = trigger;
	const { channelId, environmentUrl = null } = connection;
	const before = memory[MEMORY_SLOT];
	memory[MEMORY_SLOT] = { channelId, environmentUrl, own, previous };
	// If n8n is killed before it stores the memory, this line is the only trace of the previous URL.
	log.info(
		`Dynamics 365 Messaging Trigger replaces the webhook URL ${present.url ?? '(none)'} of channel ${channelId}`,
	);
	await writeUrl(connection, own, present.version).catch(async (error: unknown) => {
		const now = await readPresent(connection).catch(() => undefined);
		// The first answer was lost, but the URL was written, so that the retry met a newer version.
		if (now && isSameUrl(now.url, own)) return;
		if (before === undefined) delete memory[MEMORY_SLOT];
		else memory[MEMORY_SLOT] = before;
		const isOvertaken = error instanceof ServiceError && error.httpCode === 412;
		throw isOvertaken && now && now.url !== null ? isTaken(now.url) : error;
	});
}

/**
 * Registers the trigger's URL in the channel's record and remembers the previous one. A registration that the trigger has
 * on another channel is undone first.
 * @throws InputError with the other URL where another active workflow has the channel; ServiceError where Dataverse
 * refuses a call.
 * @example
 * await register(connection, { own: url, memory: getWorkflowStaticData('node'), instanceId: getInstanceId(), log: logger });
 */
export async function register(connection: Connection, trigger: Trigger): Promise<void> {
	const { own, memory, log } = trigger;
	const { channelId, environmentUrl = null } = connection;
	let kept = readRegistration(memory);
	if (kept && (kept.channelId !== channelId || kept.environmentUrl !== environmentUrl)) {
		await unregister(connection, trigger);
		kept = undefined;
	}
	const present = await readPresent(connection).catch((error: unknown) => {
		// n8n activates its workflows when it starts. The trigger must start even if Dataverse is down at that time.
		if (!(error instanceof ServiceError) || !kept || !isSameUrl(kept.own, own)) throw error;
		log.warn(`Dynamics 365 Messaging Trigger could not look at the channel: ${error.message}`);
		return undefined;
	});
	if (!present) return;
	if (isSameUrl(present.url, own)) {
		// Without a memory n8n was killed before it stored it, so that the previous URL is unknown.
		memory[MEMORY_SLOT] = { channelId, environmentUrl, own, previous: kept?.previous ?? null };
		return;
	}
	// The trigger's own former URL must not become the one that is restored.
	const former = kept && isSameUrl(present.url, kept.own) ? kept : undefined;
	// Memory can be a copy, in a cloned database: a remembered URL elsewhere may be that of a trigger which runs there.
	const isHere = former && withoutUser(former.own)?.origin === withoutUser(own)?.origin;
	if (present.url !== null && !isHere) await refuseIfTaken(present.url, trigger);
	await replace(connection, trigger, present, former ? former.previous : present.url);
}

/**
 * Restores the previous URL, unless somebody has changed the record since. A failure is logged and the registration stays
 * remembered: an error would keep n8n from deactivating the rest of the workflow.
 */
async function unregister(
	connection: Connection,
	{ memory, log }: Pick<Trigger, 'memory' | 'log'>,
): Promise<void> {
	const registration = readRegistration(memory);
	if (!registration) return;
	const { channelId, own, previous, environmentUrl } = registration;
	const registered: Connection = { ...connection, channelId, environmentUrl: environmentUrl ?? undefined };
	const restore = async () => {
		const present = await readPresent(registered);
		if (isSameUrl(present.url, own)) await writeUrl(registered, previous, present.version);
		delete memory[MEMORY_SLOT];
	};
	await restore().catch((error: unknown) => {
		if (!(error instanceof ServiceError) && !(error instanceof InputError)) throw error;
		log.warn(
			`Dynamics 365 Messaging Trigger could not put back the webhook URL ${previous ?? '(none)'} of channel ${channelId}, which is now ${own}: ${error.message}`,
		);
	});
}

async function connect(context: IHookFunctions): Promise<Connection> {
	return connectionFrom(await context.getCredentials('dynamics365MessagingApi'));
}

function triggerOf(context: IHookFunctions): Trigger {
	return {
		own: context.getNodeWebhookUrl('setup') ?? '',
		memory: context.getWorkflowStaticData('node'),
		instanceId: context.getInstanceId(),
		log: context.logger,
	};
}

/** Registers the trigger's URL when its workflow is activated. @throws what {@link register} throws. */
export async function registerTrigger(context: IHookFunctions): Promise<void> {
	await register(await connect(context), triggerOf(context));
}

/** Restores the previous URL when the workflow is deactivated. After a test there is nothing to restore. */
export async function unregisterTrigger(context: IHookFunctions): Promise<void> {
	const trigger = triggerOf(context);
	if (!readRegistration(trigger.memory)) return;
	// A missing credential must not keep n8n from deactivating the rest of the workflow either.
	const connection = await connect(context).catch((error: unknown) => {
		const reason = error instanceof Error ? error.message : 'unknown';
		trigger.log.warn(`Dynamics 365 Messaging Trigger could not put back the webhook URL: ${reason}`);
		return undefined;
	});
	if (connection) await unregister(connection, trigger);
}
