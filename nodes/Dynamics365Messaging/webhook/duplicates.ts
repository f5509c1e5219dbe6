import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { isPlaceKept, MAX_TRIES, MAX_WAIT_MS, takePlace } from './conversationLine';

/**
 * A delivery that was seen. Dynamics repeats a delivery that got no 200 within ten seconds, up to three tries in all, and
 * most activities have no ID. So a delivery is a duplicate of an earlier, equal one
 * - with an ID: if the earlier one was accepted. What has a message's ID, such as its update, its deletion, or a reaction to
 *   it, is one only as long as nothing else came with that ID: "better", "best" and "better" are three updates;
 * - without an ID: only if the earlier one was accepted and its caller disconnected before the answer. A customer may
 *   well get "ok" twice, but Dynamics has no reason to repeat a delivery whose answer it received.
 *
 * Source: docs/service-facts.md#webhook-delivery.
 */
interface Seen {
	/** Resolves once n8n has answered the delivery: whether it answered 200. */
	accepted: Promise<boolean>;
	/** Whether the caller disconnected before the answer. */
	callerDisconnected: boolean;
	/** Whether the caller got its answer. */
	isHeard: boolean;
	/** As its {@link Identity} has it. */
	subject: string | undefined;
	/**
	 * When the delivery came, or when its connection was closed, milliseconds of `performance.now()`: a clock that is set
	 * must neither make another message a duplicate nor make a retry another message.
	 */
	at: number;
	/** How many retries wait for its answer. */
	waiting: number;
	/** How often Dynamics has tried it, as far as is known here. */
	tries: number;
}

/** Dynamics repeats a delivery at once, so an equal text that comes much later is another message. */
const DISCONNECTED_MS = 60_000;
const KNOWN_ID_MS = 60 * 60_000;
/** How many deliveries of one trigger are remembered at the most, so that none makes another forget. */
const MAX_SEEN = 20_000;
/** How many of all triggers. */
const MAX_SEEN_IN_ALL = 100_000;
/** After its three tries of ten seconds each, Dynamics has given a delivery up. */
const GIVEN_UP_MS = 30_000;

/** The deliveries of a trigger. */
interface Memory {
	/** By key, in the order of arrival, so that the oldest can be forgotten. */
	seen: Map<string, Seen[]>;
	/** The key of the last delivery that is about something which may change again, by what it is about. */
	latest: Map<string, string>;
	/** How many deliveries are in it. */
	count: number;
}

/** By trigger. */
const memories = new Map<string, Memory>();

/** What equal deliveries have in common. */
export interface Identity {
	/** The trigger that received them. */
	scope: string;
	key: string;
	hasId: boolean;
	/** What it is about, where that may change to and fro; undefined where there is but one delivery of an ID. */
	subject?: string;
}

function hashOf(parts: unknown[], body: string): string {
	// JSON has no line break outside of a text, so that no two deliveries look alike.
	return createHash('sha256')
		.update(`${JSON.stringify(parts)}\n${body}`)
		.digest('base64');
}

/**
 * Identifies a delivery: a message by its ID where it has one; what else has an ID, by that and its whole body; the others by
 * their whole body. Pure.
 * @param scope the trigger that received it, as two triggers may receive the same delivery.
 * @param type the activity's: what is about a message, such as its update or an event, may have the message's ID, and there
 * may be several.
 */
export function identify(
	scope: string,
	conversationId: string,
	{ id, type }: { id: string | null; type: string | null },
	body: string,
): Identity {
	const conversation = conversationId.toLowerCase();
	if (id === null) return { scope, key: hashOf([conversation, 'body'], body), hasId: false };
	if (type?.toLowerCase() === 'message')
		return { scope, key: hashOf([conversation, 'message', id], ''), hasId: true };
	const key = hashOf([conversation, 'id', id], body);
	return { scope, key, hasId: true, subject: hashOf([conversation, 'subject', id], '') };
}

/** How many deliveries are remembered now. */
export function rememberedCount(): number {
	return [...memories.values()].reduce((sum, { count }) => sum + count, 0);
}

/**
 * Whether the caller has disconnected already: n8n loads the workflow before it calls the trigger, so the event `close`
 * may be past.
 */
export function isGone(response: ServerResponse): boolean {
	return response.closed || response.destroyed || response.socket?.destroyed === true;
}

/**
 * Remembers a delivery, and follows the response that n8n gives it.
 * @param onAnswer is called once, when n8n answers it, also where its caller has disconnected.
 * @param tries how often Dynamics has tried it.
 */
function watch(
	identity: Identity,
	response: ServerResponse,
	onAnswer?: (entry: Seen) => void,
	tries = 1,
): void {
	const entry: Seen = {
		accepted: Promise.resolve(true),
		callerDisconnected: isGone(response),
		isHeard: false,
		subject: identity.subject,
		at: performance.now(),
		waiting: 0,
		tries,
	};
	response.once('close', () => {
		entry.callerDisconnected = !response.writableFinished;
		entry.at = performance.now();
		if (!entry.callerDisconnected) noteHeard(identity, entry);
	});
	const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
	entry.accepted = new Promise((resolve) => {
		let isAnswered = false;
		// No event reports the end of a response whose caller has disconnected.
		response.end = (...args: unknown[]) => {
			if (!isAnswered) {
				isAnswered = true;
				resolve(response.statusCode === 200);
				onAnswer?.(entry);
			}
			return end(...args);
		};
	});
	remember(identity, entry);
}

/** Notes that the caller got the answer to a delivery, so that what cannot be its retry any more is none. */
function noteHeard(identity: Identity, entry: Seen): void {
	entry.isHeard = true;
	// Without an ID, only a delivery whose answer was lost can be repeated.
	if (!identity.hasId || isOutdated(identity)) forget(identity, entry);
}

/** Whether something else came that is about the same. */
function isOutdated({ scope, key, subject }: Identity): boolean {
	const latest = subject && memories.get(scope)?.latest.get(subject);
	return latest !== undefined && latest !== key;
}

/**
 * Notes what a delivery is about. What came before it and is heard is forgotten: when it comes again, it is no retry.
 */
function supersede({ scope, key, subject }: Identity, { seen, latest }: Memory): void {
	if (subject === undefined) return;
	const before = latest.get(subject);
	latest.set(subject, key);
	if (before === undefined || before === key) return;
	for (const entry of (seen.get(before) ?? []).filter(({ isHeard }) => isHeard))
		forget({ scope, key: before }, entry);
}

function remember(identity: Identity, entry: Seen): void {
	const { scope, key } = identity;
	const memory = memories.get(scope) ?? { seen: new Map<string, Seen[]>(), latest: new Map(), count: 0 };
	memories.set(scope, memory);
	memory.seen.set(key, [...(memory.seen.get(key) ?? []), entry]);
	memory.count++;
	supersede(identity, memory);
	for (const one of memories) forgetOld(...one);
	if (memory.count > MAX_SEEN) forgetOldest(scope, memory);
	if (rememberedCount() <= MAX_SEEN_IN_ALL) return;
	const [largest] = [...memories].sort(([, one], [, other]) => other.count - one.count);
	if (largest) forgetOldest(...largest);
}

/** Forgets what is older than any repetition, also of triggers to which nothing comes any more. */
function forgetOld(scope: string, { seen }: Memory): void {
	for (const [key, entries] of seen) {
		const old = entries.filter(({ at }) => performance.now() - at >= KNOWN_ID_MS);
		if (old.length === 0) return;
		for (const entry of old) forget({ scope, key }, entry);
	}
}

function forgetOldest(scope: string, { seen }: Memory): void {
	const [oldest] = seen;
	if (!oldest) return;
	const [key, [entry]] = oldest;
	if (entry) forget({ scope, key }, entry);
}

function forget({ scope, key }: Pick<Identity, 'scope' | 'key'>, entry: Seen): void {
	const memory = memories.get(scope);
	if (!memory) return;
	const entries = memory.seen.get(key) ?? [];
	const left = entries.filter((other) => other !== entry);
	memory.count -= entries.length - left.length;
	if (left.length > 0) memory.seen.set(key, left);
	else {
		memory.seen.delete(key);
		if (entry.subject !== undefined && memory.latest.get(entry.subject) === key)
			memory.latest.delete(entry.subject);
	}
	if (memory.count === 0) memories.delete(scope);
}

/** The earlier delivery that this one may repeat. */
function earlierDelivery({ scope, key, hasId }: Identity): Seen | undefined {
	const now = performance.now();
	return memories
		.get(scope)
		?.seen.get(key)
		?.find(({ callerDisconnected, at }) =>
			hasId ? now - at < KNOWN_ID_MS : callerDisconnected && now - at < DISCONNECTED_MS,
		);
}

/** Waits for something; undefined where it does not come in time, or where the caller has disconnected before. */
type Wait = <T>(promise: Promise<T>) => Promise<T | undefined>;

/**
 * How long a delivery waits here, for everything together, before Dynamics is asked to try once more. Measured with a
 * clock that nobody sets.
 */
function waitingTime(response: ServerResponse): Wait {
	const end = performance.now() + MAX_WAIT_MS;
	let disconnected: Promise<undefined> | undefined;
	return async (promise) => {
		// Most deliveries wait for nothing.
		disconnected ??= new Promise((resolve) => {
			if (isGone(response)) resolve(undefined);
			else response.once('close', () => resolve(undefined));
		});
		let timer: NodeJS.Timeout | undefined;
		const timeout = new Promise<undefined>((resolve) => {
			timer = setTimeout(resolve, Math.max(0, end - performance.now()), undefined);
		});
		return await Promise.race([promise, disconnected, timeout]).finally(() => clearTimeout(timer));
	};
}

/** What a delivery is: to be run, a repetition of an accepted one, or not known yet. */
type Admission = 'new' | 'duplicate' | 'undecided';

/** Lets the answer to a retry count as that to the delivery which it repeats. */
function hearFor(identity: Identity, earlier: Seen, response: ServerResponse): void {
	response.once('close', () => {
		if (response.writableFinished) noteHeard(identity, earlier);
	});
}

/**
 * Waits for the answer to the earlier delivery that this one may repeat, until one was accepted or there is no other.
 * A duplicate is remembered, as its answer may be lost too.
 * @param onNew is called where there is no other, before anything else can run: two equal deliveries that have waited for
 * the same answer must not both be new.
 */
async function followEarlier<New>(
	identity: Identity,
	response: ServerResponse,
	wait: Wait,
	onNew: () => New,
): Promise<New | Exclude<Admission, 'new'>> {
	const { hasId } = identity;
	for (let earlier = earlierDelivery(identity); earlier; earlier = earlierDelivery(identity)) {
		// Without an ID each retry repeats one delivery, so no other retry may find the same one.
		if (!hasId) forget(identity, earlier);
		earlier.tries++;
		earlier.waiting++;
		const accepted = await wait(earlier.accepted);
		earlier.waiting--;
		if (accepted === undefined) {
			if (!hasId) remember(identity, earlier);
			return 'undecided';
		}
		if (accepted) {
			if (hasId) hearFor(identity, earlier, response);
			else watch(identity, response);
			return 'duplicate';
		}
		forget(identity, earlier);
	}
	return onNew();
}

/**
 * Decides whether a delivery is a duplicate, and remembers it together with the answer that it gets.
 * @param response the response that n8n will give this delivery.
 * @returns `undecided` where the earlier delivery has no answer yet: answer this one so that Dynamics tries again.
 * @example
 * const identity = identify(scope, conversationId, { id: activityId, type: 'message' }, JSON.stringify(activity));
 * const isNew = (await admit(identity, response)) === 'new';
 */
export async function admit(identity: Identity, response: ServerResponse): Promise<Admission> {
	return await followEarlier(identity, response, waitingTime(response), () => {
		watch(identity, response);
		return 'new';
	});
}

/**
 * As {@link admit}, for a trigger that answers when its workflow has ended: the deliveries of a conversation run one after
 * the other, in the order of arrival, and a retry gets the answer of the delivery that it repeats. One that has waited for
 * eight seconds, or whose caller has disconnected while it waited, is `undecided`. It keeps its place ahead of those
 * behind it for its retry, as does one whose workflow did not succeed.
 * @param line names the conversation and the trigger, whose deliveries must not overtake each other.
 * @param onGivenUp is called with the HTTP status and the seconds since the first try, where a workflow ended too late for
 * every try of Dynamics.
 * Source: docs/service-facts.md#webhook-delivery.
 */
export async function admitInOrder(
	line: string,
	identity: Identity,
	response: ServerResponse,
	onGivenUp: (status: number, seconds: number) => void,
): Promise<Admission> {
	const { scope, key, hasId } = identity;
	const wait = waitingTime(response);
	const enter = () => takePlace(scope, line, key);
	// Without an ID, a delivery that was told to come again may equal one that runs: it is its own retry first.
	const isOwnRetry = !hasId && isPlaceKept(line, key);
	const place = isOwnRetry ? enter() : await followEarlier(identity, response, wait, enter);
	if (typeof place === 'string') return place;
	if (!place) return 'undecided';
	if (!(await wait(place.turn))) {
		place.reserve();
		return 'undecided';
	}
	const report = ({ callerDisconnected, waiting, tries }: Seen) => {
		const age = performance.now() - place.since;
		const isGivenUp = tries >= MAX_TRIES || age > GIVEN_UP_MS;
		// What failed comes again, and nothing of its conversation may overtake it. Its next try may be waiting already.
		const comesAgain = response.statusCode !== 200 && (waiting > 0 || !isGivenUp);
		if (comesAgain) place.reserve(tries - waiting);
		else place.leave();
		if (callerDisconnected && waiting === 0 && isGivenUp)
			onGivenUp(response.statusCode, Math.round(age / 1000));
	};
	const start = (): Admission => {
		watch(identity, response, report, place.tries);
		return 'new';
	};
	// Another try of the same activity may have had its turn meanwhile.
	const admission = hasId ? await followEarlier(identity, response, wait, start) : start();
	if (admission !== 'new') place.leave();
	return admission;
}
