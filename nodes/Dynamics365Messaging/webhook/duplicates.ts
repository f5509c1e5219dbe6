import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/**
 * What was delivered already. Dynamics tries a delivery again when it saw no 200 within ten seconds, and most
 * activities have no id to know them by. So a delivery is a duplicate of an earlier, equal one
 * - with an id: if that one was accepted;
 * - without: only if that one was accepted and its caller was gone before the answer: nobody says "ok" twice to a
 *   question whose first "ok" was heard, but everybody may say it twice.
 * Up to three tries, 10 s each. Source: docs/service-facts.md#webhook-delivery.
 */
interface Seen {
	/** Resolves with whether n8n took it, once n8n has answered it. */
	accepted: Promise<boolean>;
	/** Whether the caller was gone before it was answered. */
	callerDisconnected: boolean;
	/** When it came, or the caller went; epoch milliseconds. */
	at: number;
}

/** A retry follows its twin at once, so an equal text much later is another one. */
const DISCONNECTED_MS = 60_000;
const KNOWN_ID_MS = 60 * 60_000;
/** Deliveries that are remembered at the most, in this process. */
const MAX_SEEN = 20_000;
/** For how long a retry waits for what becomes of its twin; then Dynamics is asked to try once more. */
const EARLIER_TIMEOUT_MS = 8_000;

/** The deliveries by their keys, in the order of arrival, so that the oldest can be forgotten. */
const seen = new Map<string, Seen[]>();

/** What a delivery is known by. */
export interface Identity {
	key: string;
	hasId: boolean;
}

/**
 * What a delivery is known by: its id where it has one, else all that it says.
 * @param scope the trigger that got it, as two of them may get the same delivery.
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

/** Remembers a delivery, and what becomes of it through the response that n8n gives it. */
function watch({ key, hasId }: Identity, response: ServerResponse): void {
	// n8n looks the workflow up before it asks the trigger; a caller may be gone by then, and `close` with it.
	const isGone = response.closed || response.destroyed || response.socket?.destroyed === true;
	const entry: Seen = { accepted: Promise.resolve(true), callerDisconnected: isGone, at: Date.now() };
	response.once('close', () => {
		entry.callerDisconnected = !response.writableFinished;
		entry.at = Date.now();
		// Without an id, what was heard is never the twin of anything.
		if (!hasId && !entry.callerDisconnected) forget(key, entry);
	});
	const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
	entry.accepted = new Promise((resolve) => {
		// No event tells of the end of a response whose caller is gone.
		response.end = (...args: unknown[]) => {
			resolve(response.statusCode === 200);
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

async function withinTime(accepted: Promise<boolean>): Promise<boolean | undefined> {
	let timer: NodeJS.Timeout | undefined;
	const timeout = new Promise<undefined>(
		(resolve) => (timer = setTimeout(resolve, EARLIER_TIMEOUT_MS, undefined)),
	);
	return await Promise.race([accepted, timeout]).finally(() => clearTimeout(timer));
}

/**
 * Decides whether a delivery is a duplicate, and remembers it by what becomes of its response.
 * @returns `undecided` where its twin has not been answered yet: to be answered so that Dynamics tries again.
 */
export async function admit(
	identity: Identity,
	response: ServerResponse,
): Promise<'new' | 'duplicate' | 'undecided'> {
	const { key, hasId } = identity;
	for (let twin = earlierDelivery(identity); twin; twin = earlierDelivery(identity)) {
		// Without an id each retry stands for one twin, so the twin is taken before anybody else can take it.
		if (!hasId) forget(key, twin);
		const accepted = await withinTime(twin.accepted);
		if (accepted === undefined) {
			if (!hasId) remember(key, twin);
			return 'undecided';
		}
		if (accepted) {
			if (!hasId) watch(identity, response);
			return 'duplicate';
		}
		forget(key, twin);
	}
	watch(identity, response);
	return 'new';
}
