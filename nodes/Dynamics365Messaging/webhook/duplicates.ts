import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { MAX_WAIT_MS, takePlace } from './conversationLine';

/**
 * A delivery that was seen. Dynamics repeats a delivery that got no 200 within ten seconds, up to three tries in all, and
 * most activities have no ID. So a delivery is a duplicate of an earlier, equal one
 * - with an ID: if the earlier one was accepted;
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
	/** When the delivery came, or when its connection was closed; epoch milliseconds. */
	at: number;
	/** Whether n8n has answered it. */
	isAnswered: boolean;
	/** How many retries wait for its answer. */
	waiting: number;
}

/** Dynamics repeats a delivery at once, so an equal text that comes much later is another message. */
const DISCONNECTED_MS = 60_000;
const KNOWN_ID_MS = 60 * 60_000;
/** How many keys this process remembers at the most. */
const MAX_SEEN = 20_000;
/** How long a retry waits for the answer to the earlier delivery. After that, Dynamics is asked to try once more. */
const EARLIER_TIMEOUT_MS = MAX_WAIT_MS;
/** After its three tries of ten seconds each, Dynamics has given a delivery up. */
const GIVEN_UP_MS = 30_000;

/** The deliveries by key, in the order of arrival, so that the oldest can be forgotten. */
const seen = new Map<string, Seen[]>();

/** What equal deliveries have in common. */
export interface Identity {
	key: string;
	hasId: boolean;
}

/**
 * Identifies a delivery by its activity's ID where it has one, else by its whole body. Pure.
 * @param scope the trigger that received it, as two triggers may receive the same delivery.
 */
export function identify(
	scope: string,
	conversationId: string,
	activityId: string | null,
	body: string,
): Identity {
	const what = activityId === null ? ['body', body] : ['id', activityId];
	const parts = JSON.stringify([scope, conversationId.toLowerCase(), ...what]);
	return { key: createHash('sha256').update(parts).digest('base64'), hasId: activityId !== null };
}

/** How many deliveries are remembered now. */
export function rememberedCount(): number {
	return [...seen.values()].reduce((count, entries) => count + entries.length, 0);
}

/**
 * Remembers a delivery, and follows the response that n8n gives it.
 * @param onAnswer is called when n8n answers it, also where its caller has disconnected.
 */
function watch({ key, hasId }: Identity, response: ServerResponse, onAnswer?: (entry: Seen) => void): void {
	// n8n loads the workflow before it calls the trigger. A caller may have disconnected by then, and `close` is past.
	const isGone = response.closed || response.destroyed || response.socket?.destroyed === true;
	const entry: Seen = {
		accepted: Promise.resolve(true),
		callerDisconnected: isGone,
		at: Date.now(),
		isAnswered: false,
		waiting: 0,
	};
	response.once('close', () => {
		entry.callerDisconnected = !response.writableFinished;
		entry.at = Date.now();
		// Without an ID, only a delivery whose answer was lost can be repeated.
		if (!hasId && !entry.callerDisconnected) forget(key, entry);
	});
	const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
	entry.accepted = new Promise((resolve) => {
		// No event reports the end of a response whose caller has disconnected.
		response.end = (...args: unknown[]) => {
			entry.isAnswered = true;
			resolve(response.statusCode === 200);
			onAnswer?.(entry);
			return end(...args);
		};
	});
	remember(key, entry);
}

function remember(key: string, entry: Seen): void {
	seen.set(key, [...(seen.get(key) ?? []), entry]);
	const oldest = seen.size > MAX_SEEN ? seen.keys().next().value : undefined;
	if (oldest !== undefined) seen.delete(oldest);
}

function forget(key: string, entry: Seen): void {
	const left = (seen.get(key) ?? []).filter((other) => other !== entry);
	if (left.length === 0) seen.delete(key);
	else seen.set(key, left);
}

/** The earlier delivery that this one may repeat. */
function earlierDelivery({ key, hasId }: Identity): Seen | undefined {
	const now = Date.now();
	return seen
		.get(key)
		?.find(({ callerDisconnected, at }) =>
			hasId ? now - at < KNOWN_ID_MS : callerDisconnected && now - at < DISCONNECTED_MS,
		);
}

/** Waits for something; undefined where it does not come in time. @param ms milliseconds. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
	let timer: NodeJS.Timeout | undefined;
	const timeout = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, ms, undefined)));
	return await Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

/**
 * Decides whether a delivery is a duplicate, and remembers it together with the answer that it gets.
 * @param response the response that n8n will give this delivery.
 * @returns `undecided` where the earlier delivery has no answer yet: answer this one so that Dynamics tries again.
 * @example
 * const identity = identify(scope, conversationId, activityId, JSON.stringify(activity));
 * const isNew = (await admit(identity, response)) === 'new';
 */
export async function admit(
	identity: Identity,
	response: ServerResponse,
): Promise<'new' | 'duplicate' | 'undecided'> {
	const { key, hasId } = identity;
	for (let earlier = earlierDelivery(identity); earlier; earlier = earlierDelivery(identity)) {
		// Without an ID each retry repeats one delivery, so no other retry may find the same one.
		if (!hasId) forget(key, earlier);
		const accepted = await within(EARLIER_TIMEOUT_MS, earlier.accepted);
		if (accepted === undefined) {
			if (!hasId) remember(key, earlier);
			return 'undecided';
		}
		if (accepted) {
			if (!hasId) watch(identity, response);
			return 'duplicate';
		}
		forget(key, earlier);
	}
	watch(identity, response);
	return 'new';
}

/** The earlier delivery that this one may repeat, also one whose workflow is still running. */
function earlierOrRunning(identity: Identity): Seen | undefined {
	return seen.get(identity.key)?.find(({ isAnswered }) => !isAnswered) ?? earlierDelivery(identity);
}

/** Whether a delivery repeats an earlier one that was accepted. */
function isRepeated({ hasId }: Identity, { callerDisconnected }: Seen): boolean {
	return hasId || callerDisconnected;
}

/**
 * As {@link admit}, for a trigger that answers when its workflow has ended: the deliveries of a conversation run one after
 * the other, in the order of arrival, and a retry gets the answer of the delivery that it repeats. One that has waited for
 * eight seconds is `undecided`, and keeps its place ahead of those behind it for its retry.
 * @param line names the conversation and the trigger, whose deliveries must not overtake each other.
 * @param onGivenUp is called with the HTTP status and the seconds that passed, where a workflow ended too late for every
 * try of Dynamics.
 * Source: docs/service-facts.md#webhook-delivery.
 */
export async function admitInOrder(
	line: string,
	identity: Identity,
	response: ServerResponse,
	onGivenUp: (status: number, seconds: number) => void,
): Promise<'new' | 'duplicate' | 'undecided'> {
	const startedAt = Date.now();
	const left = () => Math.max(0, startedAt + MAX_WAIT_MS - Date.now());
	const place = takePlace(line, identity.key);
	if (!place) return 'undecided';
	for (let earlier = earlierOrRunning(identity); earlier; earlier = earlierOrRunning(identity)) {
		earlier.waiting++;
		const accepted = await within(left(), earlier.accepted);
		earlier.waiting--;
		if (accepted === undefined) {
			place.reserve();
			return 'undecided';
		}
		if (accepted && isRepeated(identity, earlier)) {
			place.leave();
			if (!identity.hasId) {
				forget(identity.key, earlier);
				watch(identity, response);
			}
			return 'duplicate';
		}
		forget(identity.key, earlier);
	}
	const isTurn = await within(
		left(),
		place.turn.then(() => true),
	);
	if (!isTurn) {
		place.reserve();
		return 'undecided';
	}
	watch(identity, response, (entry) => {
		place.leave();
		const age = Date.now() - startedAt;
		const isLost = entry.callerDisconnected && entry.waiting === 0;
		if (isLost && age > GIVEN_UP_MS) onGivenUp(response.statusCode, Math.round(age / 1000));
	});
	return 'new';
}
