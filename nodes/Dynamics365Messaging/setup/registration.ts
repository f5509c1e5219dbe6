import type { IDataObject, IHookFunctions } from 'n8n-workflow';
import { isRecord, readKey, textOf } from '../../shared/json';
import { InputError, ServiceError } from '../../shared/transport/errors';
import { Throttle } from '../../shared/transport/throttle';
import { connectionFrom, type Connection } from '../connection';
import { channelRequest, COLUMNS, readChannel } from '../dataverse/channel';
import { dataverseClient } from '../dataverse/client';
import { TABLES, updateRequest } from '../dataverse/requests';
import { instanceMark, probe } from './probe';

/** Where the workflow keeps what stood in the channel's record before. */
const MEMORY_SLOT = 'dynamics365MessagingWebhook';

/** How long to retry a call at activation. */
const MAX_RETRY_MS = 20_000;

/** What was registered, and what is to be put back. */
interface Registration {
	environmentUrl: string | null;
	channelId: string;
	/** The URL of this trigger. */
	own: string;
	/** What stood there before; null where nothing did. */
	previous: string | null;
}

function registrationOf(memory: IDataObject): Registration | undefined {
	const kept = memory[MEMORY_SLOT];
	if (!isRecord(kept)) return undefined;
	const channelId = textOf(kept.channelId);
	const own = textOf(kept.own);
	if (channelId === null || own === null) return undefined;
	return { channelId, own, environmentUrl: textOf(kept.environmentUrl), previous: textOf(kept.previous) };
}

/** Whether two URLs are the same but for a slash at their end. */
function isSame(one: string | null | undefined, other: string | null): boolean {
	return (one ?? '').replace(/\/+$/, '') === (other ?? '').replace(/\/+$/, '');
}

/** What stands in the channel's record, and which version of it that is. */
interface Present {
	url: string | null;
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

/** What the trigger is told of beside its credential. */
export interface Trigger {
	/** Its production URL. */
	own: string;
	/** What n8n keeps for it from one activation to the next. */
	memory: IDataObject;
	/** The ID of the n8n that it runs in. */
	instanceId: string;
	log: { info: (message: string) => void; warn: (message: string) => void };
}

function isTaken(url: string): InputError {
	return new InputError(
		`Another active workflow has this channel: ${url}`,
		'A channel has one webhook URL. Deactivate that workflow first, or use a channel of its own for this one.',
	);
}

/** @throws InputError where the URL that is registered is that of another workflow that is active, or may be. */
async function refuseIfTaken(present: string, { own, instanceId }: Trigger): Promise<void> {
	if (!URL.canParse(present)) return;
	const [url, ownUrl] = [new URL(present), new URL(own)];
	const found = await probe(url);
	// This very trigger, by a former address of this n8n.
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

/** Writes the URL and remembers what is to be put back. What goes wrong leaves record and memory as they were. */
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
	// The one trace of it where n8n ends before it has kept what is to be put back.
	log.info(
		`Dynamics 365 Messaging Trigger replaces the webhook URL ${present.url ?? '(none)'} of channel ${channelId}`,
	);
	await writeUrl(connection, own, present.version).catch(async (error: unknown) => {
		const now = await readPresent(connection).catch(() => undefined);
		// The answer was lost, but it was written: a second try met the new version.
		if (now && isSame(now.url, own)) return;
		if (before === undefined) delete memory[MEMORY_SLOT];
		else memory[MEMORY_SLOT] = before;
		const isOvertaken = error instanceof ServiceError && error.httpCode === 412;
		throw isOvertaken && now && now.url !== null ? isTaken(now.url) : error;
	});
}

/**
 * Registers the trigger's URL in the channel's record and remembers what stood there.
 * @throws InputError where another active workflow has the channel, naming its URL; ServiceError.
 */
export async function register(connection: Connection, trigger: Trigger): Promise<void> {
	const { own, memory, log } = trigger;
	const { channelId, environmentUrl = null } = connection;
	let kept = registrationOf(memory);
	if (kept && (kept.channelId !== channelId || kept.environmentUrl !== environmentUrl)) {
		await unregister(connection, trigger);
		kept = undefined;
	}
	const present = await readPresent(connection).catch((error: unknown) => {
		// n8n activates its workflows again when it starts. A Dataverse that is down then must not keep the trigger down.
		if (!(error instanceof ServiceError) || !kept || !isSame(kept.own, own)) throw error;
		log.warn(`Dynamics 365 Messaging Trigger could not look at the channel: ${error.message}`);
		return undefined;
	});
	if (!present) return;
	if (isSame(present.url, own)) {
		// Without a memory, n8n was killed before it was kept: then nothing is known to be put back.
		memory[MEMORY_SLOT] = { channelId, environmentUrl, own, previous: kept?.previous ?? null };
		return;
	}
	const isFormer = kept !== undefined && isSame(present.url, kept.own);
	if (isFormer) return await replace(connection, trigger, present, kept?.previous ?? null);
	if (present.url !== null) await refuseIfTaken(present.url, trigger);
	await replace(connection, trigger, present, present.url);
}

/**
 * Puts back what stood in the channel's record, unless somebody has changed it since. What goes wrong is logged and
 * still remembered: thrown, it would keep n8n from deactivating the rest of the workflow.
 */
export async function unregister(
	connection: Connection,
	{ memory, log }: Pick<Trigger, 'memory' | 'log'>,
): Promise<void> {
	const registration = registrationOf(memory);
	if (!registration) return;
	const { channelId, own, previous, environmentUrl } = registration;
	const then: Connection = { ...connection, channelId, environmentUrl: environmentUrl ?? undefined };
	const putBack = async () => {
		const present = await readPresent(then);
		if (isSame(present.url, own)) await writeUrl(then, previous, present.version);
		delete memory[MEMORY_SLOT];
	};
	await putBack().catch((error: unknown) => {
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

/** Registers the trigger's URL when its workflow is activated. */
export async function registerTrigger(context: IHookFunctions): Promise<void> {
	await register(await connect(context), triggerOf(context));
}

/** Puts back what stood there when the workflow is deactivated. A test run has registered nothing. */
export async function unregisterTrigger(context: IHookFunctions): Promise<void> {
	const trigger = triggerOf(context);
	if (!registrationOf(trigger.memory)) return;
	// A credential that is gone must not keep n8n from deactivating the rest of the workflow either.
	const connection = await connect(context).catch((error: unknown) => {
		const reason = error instanceof Error ? error.message : 'unknown';
		trigger.log.warn(`Dynamics 365 Messaging Trigger could not put back the webhook URL: ${reason}`);
		return undefined;
	});
	if (connection) await unregister(connection, trigger);
}
