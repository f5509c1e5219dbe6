import type { IDataObject, IHookFunctions } from 'n8n-workflow';
import { isRecord, readKey, textOf } from '../../shared/json';
import { InputError, ServiceError } from '../../shared/transport/errors';
import { Throttle } from '../../shared/transport/throttle';
import { connectionFrom, requireChannel, type Connection } from '../connection';
import { channelRequest, COLUMNS, readChannel } from '../dataverse/channel';
import { dataverseClient } from '../dataverse/client';
import { NO_RECORD } from '../dataverse/errors';
import { TABLES, updateRequest } from '../dataverse/requests';
import { isNoAnswerOfN8n, probe, triggerMark, type Probed } from './probe';
import {
	isOfSameEndpoint,
	isOfSameNode,
	isOfSameTrigger,
	isSameUrl,
	isTestUrl,
	normalizeUrl,
	productionUrlOf,
	withoutPassword,
	withoutUser,
} from './webhookUrl';

/** The key of the trigger's static data that holds its registrations. */
const MEMORY_SLOT = 'dynamics365MessagingWebhook';
/**
 * The key that holds what a test registered. n8n keeps a test's static data until the test ends, apart from that of the
 * active workflow, and tells the end of a test from a deactivation by nothing else. Source: docs/service-facts.md#n8n-test-webhooks.
 */
const TEST_SLOT = 'dynamics365MessagingTestWebhook';
/** How many are remembered. More than one is, where a record could not be given back when the credential changed. */
const MAX_REMEMBERED = 10;

/** How long a request is retried when a workflow is activated or deactivated. */
const MAX_RETRY_MS = 20_000;
/** How long one try may take then, as somebody waits in the editor. */
const TIMEOUT_MS = 30_000;

/** A channel's record. */
export interface Place {
	environmentUrl: string | null;
	channelId: string;
}

/** What the trigger registered, and what is to be put back later. */
export interface Registration extends Place {
	/** The URL of this trigger. */
	own: string;
	/** The URL that was registered before; null where none was, or where nobody knows. */
	previous: string | null;
}

/** The URL in a channel's record. */
export interface Present {
	url: string | null;
	/** The record's etag. */
	version: string | undefined;
}

/** What registering reaches outside of n8n. */
export interface Outside {
	read: (place: Place) => Promise<Present>;
	/** @param version the etag that the record must still have. */
	write: (place: Place, url: string | null, version: string | undefined) => Promise<void>;
	probe: (url: URL) => Promise<Probed>;
}

/** What registering needs to know of the trigger. */
export interface Trigger {
	/** Its production URL. */
	own: string;
	/** The node's static data, which n8n keeps from one activation to the next, and copies with its database. */
	memory: IDataObject;
	/** The ID of the n8n instance. */
	instanceId: string;
	log: { info: (message: string) => void; warn: (message: string) => void };
}

function readRegistration(value: unknown): Registration[] {
	if (!isRecord(value)) return [];
	const channelId = textOf(value.channelId);
	const own = textOf(value.own);
	if (channelId === null || own === null) return [];
	return [{ channelId, own, environmentUrl: textOf(value.environmentUrl), previous: textOf(value.previous) }];
}

/** What the trigger remembers, the newest first. Pure. */
function remembered({ memory }: Pick<Trigger, 'memory'>): Registration[] {
	return [memory[MEMORY_SLOT]].flat().flatMap(readRegistration);
}

function remember({ memory, log }: Pick<Trigger, 'memory' | 'log'>, registrations: Registration[]): void {
	for (const { channelId, own, previous } of registrations.slice(MAX_REMEMBERED)) {
		log.warn(
			`Dynamics 365 Messaging Trigger does not try any more to put back the webhook URL ${orNone(previous)} of channel ${channelId}, which may still be ${withoutPassword(own)}`,
		);
	}
	if (registrations.length === 0) delete memory[MEMORY_SLOT];
	else memory[MEMORY_SLOT] = registrations.slice(0, MAX_REMEMBERED).map((one) => ({ ...one }));
}

function isSamePlace(one: Place, other: Place): boolean {
	return one.channelId === other.channelId && one.environmentUrl === other.environmentUrl;
}

function isSameRegistration(one: Registration, other: Registration): boolean {
	return isSamePlace(one, other) && isSameUrl(one.own, other.own);
}

function forget(trigger: Trigger, registration: Registration): void {
	remember(
		trigger,
		remembered(trigger).filter((one) => !isSameRegistration(one, registration)),
	);
}

/**
 * What stood in a record before the URL of a test, by the record and that URL. n8n gives a test nothing of the one before:
 * without this, a second test that begins before the first has ended, or after one whose end could not be written, would
 * not know what to put back. Source: docs/service-facts.md#n8n-test-webhooks.
 */
const beforeTests = new Map<string, string | null>();

function recordKey({ environmentUrl, channelId }: Place, url: string): string {
	return JSON.stringify([environmentUrl, channelId, normalizeUrl(url)]);
}

/** What stands in a record but for a test that this n8n began; the URL itself where it is none of such a test. */
function apartFromTest(place: Place, url: string | null): string | null {
	const before = url === null ? undefined : beforeTests.get(recordKey(place, url));
	return before === undefined ? url : before;
}

/**
 * What stood in a record before a trigger wrote its URL there, by the record and that URL. n8n drops what a trigger remembered
 * in an activation that failed, but the URL may be written: its answer was lost. Source: docs/service-facts.md#n8n-webhook-memory.
 */
const beforeWrites = new Map<string, string | null>();

/** What stands in a record, and what answers there. */
interface Standing {
	url: string | null;
	/** Undefined where it need not be asked. */
	found: Probed | undefined;
}

/**
 * Tells what stands in a record, but for a test that has it for a while.
 * @param own the trigger's URL, or the URL of its test: neither is asked.
 */
async function lookAt(
	place: Place,
	present: string | null,
	own: string,
	outside: Outside,
): Promise<Standing> {
	const ask = async (url: string) => {
		const asked = withoutUser(url);
		return asked && (await outside.probe(asked));
	};
	const url = apartFromTest(place, present);
	if (url === null) return { url, found: undefined };
	const isOwn = isSameUrl(url, own) || isOfSameTrigger(url, own);
	// An editor that listens answers as a trigger does, and goes on listening.
	const found = isOwn ? undefined : await ask(url);
	if (found?.kind === 'trigger' || !isTestUrl(url)) return { url, found };
	// The end of a test that could not be written: the trigger which gave way to it may be active.
	const production = productionUrlOf(url);
	if (isSameUrl(production, own)) return { url: production, found: undefined };
	const behind = await ask(production);
	return behind?.kind === 'trigger' ? { url: production, found: behind } : { url, found };
}

/** What to do with a record at activation. */
export type Decision =
	/** It has the trigger's URL already. */
	| { kind: 'keep' }
	| { kind: 'write'; previous: string | null }
	/** Another trigger has the channel which is active, or for which the editor of another n8n listens. */
	| { kind: 'taken' }
	/** Another trigger of this n8n has it, of which nobody knows whether it is active. */
	| { kind: 'unknown' };

/**
 * Whether another trigger of this n8n may be active at a URL, of which the probe told nothing. Something else on its host,
 * such as a middleware that refuses, is not below the path of n8n's webhooks.
 */
function isUnknownIn(present: string, own: string, found: Probed | undefined): boolean {
	if (isTestUrl(present) || !isNoAnswerOfN8n(found) || isOfSameNode(present, own)) return false;
	if (found?.kind === 'other') return isOfSameEndpoint(present, own);
	return withoutUser(present)?.origin === withoutUser(own)?.origin;
}

/**
 * Decides what to do with a channel's record at activation. Pure.
 * @param present the URL in the record.
 * @param kept what the trigger remembers of this record. It may be a copy, in a cloned database or workflow, so it proves
 * nothing of the trigger that is at a remembered URL.
 * @param found what answers at `present`; undefined where it need not be asked.
 */
export function decide(
	present: string | null,
	{ own, instanceId }: Pick<Trigger, 'own' | 'instanceId'>,
	kept: Registration[],
	found: Probed | undefined,
): Decision {
	if (present === null) return { kind: 'write', previous: null };
	if (isSameUrl(present, own)) return { kind: 'keep' };
	const former = kept.find((one) => isSameUrl(one.own, present)) ?? kept[0];
	const insteadOfOwn: Decision = { kind: 'write', previous: former?.previous ?? null };
	// A trigger says what it takes its own URL to be. One that names this URL is this one, at another address.
	const isOwn = found?.kind === 'trigger' && found.mark === triggerMark(instanceId, own);
	if (found?.kind === 'trigger' && !isOwn) return { kind: 'taken' };
	if (isUnknownIn(present, own, found)) return { kind: 'unknown' };
	// Its other addresses, such as that of its test, must not become what is put back, also where its memory was lost. A test
	// URL is nobody's.
	const isNobodys = isTestUrl(present) || isOfSameNode(present, own);
	if (isOwn || isNobodys || kept.some((one) => isSameUrl(one.own, present))) return insteadOfOwn;
	return { kind: 'write', previous: present };
}

/** What is wrong where the environment has no record for the credential's channel. */
const NO_CHANNEL = {
	message: 'No channel has the credential’s Channel ID',
	description: 'Run Channel: Get Many to see the channels of the environment, and correct the credential.',
};

function takenError(url: string): InputError {
	if (isTestUrl(url)) {
		return new InputError(
			`An editor of another n8n listens for a test event of this channel: ${withoutPassword(url)}`,
			'Publish again, or listen again, when that has ended: after its first event, or two minutes.',
		);
	}
	return new InputError(
		`Another active workflow has this channel: ${withoutPassword(url)}`,
		'A channel has one webhook URL. Unpublish (deactivate) the workflow that has this URL first, use a channel of its own for this one, or put both behind one trigger with the router template.',
	);
}

/** Whether Dataverse says that there is no such record, and not something else in its place. */
function isGone(error: ServiceError | InputError): boolean {
	return error instanceof ServiceError && error.httpCode === 404 && error.code === NO_RECORD;
}

/** The error of a credential that does not say where the channel's record is. */
function noEnvironment(): InputError {
	return new InputError(
		'Enter Environment URL in the credential, or switch Register Webhook off in the trigger',
		'The channel’s record, in which the webhook URL stands, is in that environment.',
	);
}

function unknownError(url: string): InputError {
	return new InputError(
		`Another workflow of this n8n has this channel, and n8n cannot call itself to see whether it is active: ${withoutPassword(url)}`,
		'Unpublish (deactivate) that workflow, or clear Webhook URL with Channel: Update if it is not there any more.',
	);
}

/** The error of a former address of the trigger, of which nobody knows whether another one runs there. */
function unknownElsewhereError(url: string): InputError {
	return new InputError(
		`nothing tells whether a trigger is active at ${withoutPassword(url)}. If none is, change the channel with Channel: Update`,
		'Clear Webhook URL there, or set it to what it was before.',
	);
}

const orNone = (url: string | null) => (url === null ? '(none)' : withoutPassword(url));

/** Whether a write came after somebody else's: the record has another version than the one that was read. */
function isOvertaken(error: unknown): error is ServiceError {
	return error instanceof ServiceError && error.httpCode === 412;
}

const isUncertain = (error: unknown): error is ServiceError =>
	error instanceof ServiceError && error.outcome === 'uncertain';

/**
 * Makes the error of a write that did not bring what it should, after a look at the record: a look that showed another URL
 * makes it certain. Where there was none, it says what stood in the record before.
 */
function afterLook(error: unknown, before: string | null, now: Present | undefined): unknown {
	if (!isUncertain(error) && !isOvertaken(error)) return error;
	if (now) return error.with({ outcome: 'notSent' });
	return error.with({
		outcome: 'uncertain',
		description: `Nobody knows whether the channel has this webhook URL now. Before, it had ${orNone(before)}. Try again, or look at the channel (Channel: Get).`,
	});
}

/** The record's URL was changed between the look at it and the write, and is not this trigger's now. */
function overtakenError(now: string | null): InputError {
	return new InputError(
		`The webhook URL of the channel was changed at the same moment. It is now ${orNone(now)}`,
		'Another workflow was published for this channel, or another editor listens for a test event of it. Publish again, or listen again, when that has ended.',
	);
}

/** How often a URL is written where only other columns of the record change meanwhile, such as its name. */
const WRITES = 3;

/** Writes a URL in place of the one that was read. @throws what the write throws, where another URL stands there now. */
async function writeOver(
	outside: Outside,
	place: Place,
	url: string | null,
	present: Present,
	left = WRITES,
): Promise<void> {
	await outside.write(place, url, present.version).catch(async (error: unknown) => {
		if (!isOvertaken(error) || left === 1) throw error;
		const now = await outside.read(place).catch(() => undefined);
		if (now?.url !== present.url) throw error;
		await writeOver(outside, place, url, now, left - 1);
	});
}

/**
 * Writes the trigger's URL into the record.
 * @param before what is told to have stood there where nobody knows what stands there now.
 * @throws ServiceError where that is so, or Dataverse refuses it; InputError where somebody else has written another URL.
 */
async function writeOwn(
	outside: Outside,
	registration: Registration,
	present: Present,
	before: string | null,
): Promise<void> {
	const { own } = registration;
	await writeOver(outside, registration, own, present).catch(async (error: unknown) => {
		const now = await outside.read(registration).catch(() => undefined);
		// The first answer was lost, but the URL was written, so that the retry met a newer version.
		if (now && isSameUrl(now.url, own)) return;
		throw now && isOvertaken(error) ? overtakenError(now.url) : afterLook(error, before, now);
	});
}

/** Writes the URL and remembers the previous one. What was surely not written is not remembered. */
async function replace(
	outside: Outside,
	trigger: Trigger,
	present: Present,
	registration: Registration,
): Promise<void> {
	const { own, log } = trigger;
	const others = remembered(trigger).filter((one) => !isSameRegistration(one, registration));
	const before = remembered(trigger);
	// What it registered there by another address stays remembered until the new one surely stands there.
	remember(trigger, [registration, ...others]);
	// If n8n is killed before it stores the memory, this line is the only trace of the previous URL.
	log.info(
		`Dynamics 365 Messaging Trigger replaces the webhook URL ${orNone(present.url)} of channel ${registration.channelId} by ${withoutPassword(own)}`,
	);
	const key = recordKey(registration, own);
	await writeOwn(outside, registration, present, present.url).catch((error: unknown) => {
		if (isUncertain(error)) beforeWrites.set(key, registration.previous);
		else remember(trigger, before);
		throw error;
	});
	beforeWrites.set(key, registration.previous);
	remember(trigger, [registration, ...others.filter((one) => !isSamePlace(one, registration))]);
}

/**
 * Registers the trigger's URL in a channel's record and remembers the previous one. What the trigger has in other
 * channels' records is given back first.
 * @throws InputError with the other URL where another active trigger has the channel; ServiceError where Dataverse
 * refuses a call.
 * @example
 * await register({ environmentUrl, channelId }, outsideOf(connection), { own, memory, instanceId, log: logger });
 */
export async function register(place: Place, outside: Outside, trigger: Trigger): Promise<void> {
	const { own, log } = trigger;
	const elsewhere = remembered(trigger).filter((one) => !isSamePlace(one, place));
	for (const registration of elsewhere) await giveBack(registration, outside, trigger);
	const kept = remembered(trigger).filter((one) => isSamePlace(one, place));
	const present = await outside.read(place).catch((error: unknown) => {
		// n8n activates its workflows when it starts. The trigger must start even if Dataverse is down at that time.
		if (!(error instanceof ServiceError) || !kept.some((one) => isSameUrl(one.own, own))) throw error;
		log.warn(`Dynamics 365 Messaging Trigger could not look at the channel: ${error.message}`);
		return undefined;
	});
	if (!present) return;
	const { url: standing, found } = await lookAt(place, present.url, own, outside);
	const decision = decide(standing, trigger, kept, found);
	switch (decision.kind) {
		case 'taken':
			throw takenError(standing ?? '');
		case 'unknown':
			throw unknownError(standing ?? '');
		case 'keep': {
			// Without a memory n8n was killed before it stored it, so that the previous URL is unknown.
			const same = kept.find((one) => isSameUrl(one.own, own)) ?? kept[0];
			const others = remembered(trigger).filter((one) => !isSamePlace(one, place));
			const previous = (same ? same.previous : beforeWrites.get(recordKey(place, own))) ?? null;
			const registration = { ...place, own, previous };
			// A test has the record for a while.
			if (!isSameUrl(present.url, own)) return await replace(outside, trigger, present, registration);
			remember(trigger, [registration, ...others]);
			return;
		}
		case 'write':
			return await replace(outside, trigger, present, { ...place, own, previous: decision.previous });
	}
}

/**
 * Registers the URL at which the editor listens for a test event, in place of what stands in the record. Another active
 * trigger keeps its channel; the production URL of this one gives way until the test ends.
 * @throws what {@link register} throws.
 */
export async function registerTest(place: Place, outside: Outside, trigger: Trigger): Promise<void> {
	const { own, memory, instanceId, log } = trigger;
	const present = await outside.read(place);
	const { url: standing, found } = await lookAt(place, present.url, own, outside);
	const isOwn =
		standing !== null &&
		(isOfSameTrigger(standing, own) ||
			(found?.kind === 'trigger' && found.mark === triggerMark(instanceId, productionUrlOf(own))));
	if (found?.kind === 'trigger' && !isOwn) throw takenError(standing ?? '');
	if (standing !== null && !isOwn && isUnknownIn(standing, productionUrlOf(own), found))
		throw unknownError(standing);
	// What is left of a test that nobody knows of is nobody's.
	const isNobodys = standing !== null && (isTestUrl(standing) || isSameUrl(standing, own));
	const previous = isNobodys ? null : standing;
	memory[TEST_SLOT] = { ...place, own, previous };
	beforeTests.set(recordKey(place, own), previous);
	if (isSameUrl(present.url, own)) return;
	// If n8n is killed during the test, this line is the only trace of the previous URL.
	log.info(
		`Dynamics 365 Messaging Trigger replaces the webhook URL ${orNone(present.url)} of channel ${place.channelId} by ${withoutPassword(own)} until the test ends, which puts back ${orNone(previous)}`,
	);
	await writeOwn(outside, { ...place, own, previous }, present, previous);
}

/** Ends a test: puts back what stood in the record before, unless somebody has changed it since. Never throws what a service answers. */
export async function unregisterTest(outside: Outside, trigger: Trigger): Promise<void> {
	const [registration] = readRegistration(trigger.memory[TEST_SLOT]);
	delete trigger.memory[TEST_SLOT];
	if (!registration) return;
	const isOver = await giveBack(registration, outside, trigger, 'test');
	if (isOver) beforeTests.delete(recordKey(registration, registration.own));
}

/** Says that a record is not given back as somebody has changed it, where nothing else says what stood there before. */
function tellLeft({ channelId, own, previous }: Registration, now: string | null, log: Trigger['log']): void {
	if (isSameUrl(now, previous) || isOfSameTrigger(now ?? '', own)) return;
	log.warn(
		`Dynamics 365 Messaging Trigger leaves channel ${channelId} as it is: somebody has changed its webhook URL from ${withoutPassword(own)} to ${orNone(now)}. Before, it was ${orNone(previous)}`,
	);
}

/** What is to be given back: what activation registered, a guess that it did so, or what a test registered. */
type Kind = 'registered' | 'guessed' | 'test';

/** Puts the previous URL back, unless somebody has changed the record since. */
async function putBack(
	registration: Registration,
	outside: Outside,
	{ own, instanceId, log }: Trigger,
	kind: Kind,
): Promise<void> {
	const present = await outside.read(registration);
	// A deactivation ends a test that has the record: at its end, it would put back a URL where nothing is any more.
	const standing = apartFromTest(registration, present.url) ?? '';
	const isMine =
		isSameUrl(present.url, registration.own) ||
		(kind !== 'test' && isOfSameTrigger(standing, registration.own));
	if (!isMine) {
		if (kind !== 'guessed') tellLeft(registration, present.url, log);
		return;
	}
	// Memory can be a copy: what was registered by another address may be the URL of a trigger which runs there.
	const url = isSameUrl(registration.own, own) ? undefined : withoutUser(registration.own);
	const found = url && (await outside.probe(url));
	if (found?.kind === 'trigger' && found.mark !== triggerMark(instanceId, own)) {
		log.warn(
			`Dynamics 365 Messaging Trigger leaves channel ${registration.channelId} as it is: the active trigger of another workflow or n8n has it, at ${withoutPassword(registration.own)}`,
		);
		return;
	}
	// It may run elsewhere: n8n is down for a moment, or cannot be reached from here.
	if (isNoAnswerOfN8n(found)) throw unknownElsewhereError(registration.own);
	log.info(
		`Dynamics 365 Messaging Trigger puts back the webhook URL ${orNone(registration.previous)} of channel ${registration.channelId}, which is now ${orNone(present.url)}`,
	);
	await writeOver(outside, registration, registration.previous, present).catch(async (error: unknown) => {
		const now = await outside.read(registration).catch(() => undefined);
		if (!now || isSameUrl(now.url, present.url)) throw error;
	});
}

/**
 * Gives a record back. A failure is logged and the registration stays remembered: an error would keep n8n from
 * deactivating the rest of the workflow.
 * @returns whether nothing is left to do.
 */
async function giveBack(
	registration: Registration,
	outside: Outside,
	trigger: Trigger,
	kind: Kind = 'registered',
): Promise<boolean> {
	const { channelId, own, previous } = registration;
	const say = (why: string) =>
		trigger.log.warn(
			`Dynamics 365 Messaging Trigger could not put back the webhook URL ${orNone(previous)} of channel ${channelId}, which is now ${withoutPassword(own)}: ${why}`,
		);
	return await putBack(registration, outside, trigger, kind).then(
		() => {
			forget(trigger, registration);
			beforeWrites.delete(recordKey(registration, own));
			return true;
		},
		(error: unknown) => {
			if (!(error instanceof ServiceError) && !(error instanceof InputError)) throw error;
			if (isGone(error)) {
				forget(trigger, registration);
				say('The channel is not there any more, so it is not tried again');
				return true;
			}
			say(error.message);
			return false;
		},
	);
}

/**
 * Gives back all records that the trigger has. Does not throw what a service answers.
 * @param place the record of the credential, which is looked at even if nothing is remembered of it: n8n forgets what it
 * was told when it is killed, and after an activation that failed. Undefined where the trigger does not register.
 */
export async function unregister(
	place: Place | undefined,
	outside: Outside,
	trigger: Trigger,
): Promise<void> {
	const { own } = trigger;
	const known = remembered(trigger);
	for (const registration of known) await giveBack(registration, outside, trigger);
	if (!place || known.some((one) => isSamePlace(one, place) && isSameUrl(one.own, own))) return;
	const before = beforeWrites.get(recordKey(place, own));
	const registration: Registration = { ...place, own, previous: before ?? null };
	const isOver = await giveBack(
		registration,
		outside,
		trigger,
		before === undefined ? 'guessed' : 'registered',
	);
	if (!isOver && before !== undefined) remember(trigger, [registration, ...remembered(trigger)]);
}

function outsideOf(connection: Connection): Outside {
	const at = ({ channelId, environmentUrl }: Place): Connection => ({
		...connection,
		channelId,
		environmentUrl: environmentUrl ?? undefined,
	});
	const dataverse = (place: Place) =>
		dataverseClient(at(place), new Throttle(MAX_RETRY_MS, undefined, TIMEOUT_MS));
	return {
		probe,
		async read(place) {
			const { json } = await dataverse(place)
				.call(channelRequest(place.channelId))
				.catch((error: unknown) => {
					throw error instanceof ServiceError && error.httpCode === 404 ? error.with(NO_CHANNEL) : error;
				});
			const url = readChannel(json).webhookUrl?.trim() ?? '';
			return { url: url === '' ? null : url, version: textOf(readKey(json, '@odata.etag')) ?? undefined };
		},
		async write(place, url, version) {
			const changes = { msdyn_webhookurl: url };
			await dataverse(place).call(updateRequest(TABLES.channels, place.channelId, changes, COLUMNS, version));
		},
	};
}

async function connect(context: IHookFunctions): Promise<Connection> {
	return requireChannel(connectionFrom(await context.getCredentials('dynamics365MessagingApi')));
}

function placeOf({ channelId, environmentUrl }: Connection): Place {
	return { channelId, environmentUrl: environmentUrl ?? null };
}

function triggerOf(context: IHookFunctions): Trigger {
	return {
		own: context.getNodeWebhookUrl('setup') ?? '',
		memory: context.getWorkflowStaticData('node'),
		instanceId: context.getInstanceId(),
		log: context.logger,
	};
}

/**
 * The URLs of triggers whose last activation was refused before anything was written. n8n deactivates them at once, while the
 * person still waits: there is nothing to be given back, and to look would take as long again.
 */
const refused = new Set<string>();

/** Notes that an activation was refused before anything was written into a channel's record. */
export function noteRefusal(context: IHookFunctions): void {
	refused.add(normalizeUrl(triggerOf(context).own));
}

/**
 * Registers the trigger's URL when its workflow is activated, or when the editor begins to listen for a test event.
 * @throws InputError without an Environment URL; what {@link register} throws.
 */
export async function registerTrigger(context: IHookFunctions): Promise<void> {
	refused.delete(normalizeUrl(triggerOf(context).own));
	let isNothingWritten = true;
	try {
		const connection = await connect(context);
		if (connection.environmentUrl === undefined) throw noEnvironment();
		const outside = outsideOf(connection);
		const write: Outside['write'] = async (...change) => {
			isNothingWritten = false;
			await outside.write(...change);
		};
		const into = context.getMode() === 'manual' ? registerTest : register;
		await into(placeOf(connection), { ...outside, write }, triggerOf(context));
		isNothingWritten = false;
	} finally {
		if (isNothingWritten) noteRefusal(context);
	}
}

/**
 * Gives the channel's record back when the workflow is deactivated, or the editor stops listening.
 * @param registers whether Register Webhook is on; also where it is off, the URL may still be registered.
 */
export async function unregisterTrigger(context: IHookFunctions, registers: boolean): Promise<void> {
	const trigger = triggerOf(context);
	// The path of a test's URL can be another one: N8N_ENDPOINT_WEBHOOK_TEST.
	const isTest = TEST_SLOT in trigger.memory || isTestUrl(trigger.own);
	const isRemembered = isTest ? TEST_SLOT in trigger.memory : remembered(trigger).length > 0;
	const wasRefused = refused.delete(normalizeUrl(trigger.own));
	if (wasRefused && !isRemembered) return;
	if (!isRemembered && (isTest || !registers)) return;
	// A missing credential must not keep n8n from deactivating the rest of the workflow either.
	const connection = await connect(context).catch((error: unknown) => {
		const reason = error instanceof Error ? error.message : 'unknown';
		trigger.log.warn(
			`Dynamics 365 Messaging Trigger could not put back the webhook URL of its channel, which may still be ${withoutPassword(trigger.own)}: ${reason}`,
		);
		return undefined;
	});
	if (!connection) return;
	if (isTest) return await unregisterTest(outsideOf(connection), trigger);
	await unregister(registers ? placeOf(connection) : undefined, outsideOf(connection), trigger);
}
