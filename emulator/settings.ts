/** How activities are delivered to the webhook. */
export interface DeliverySettings {
	/** Tries per activity. Documented: 3. */
	tries: number;
	/** Longest wait for an answer, milliseconds. Documented: 10 s. */
	timeoutMs: number;
	/** Pause between two tries, milliseconds. Not documented. */
	retryDelayMs: number;
	/** Whether a managed identity is set up, i.e. whether a bearer token is sent. */
	signed: boolean;
	/** Version of the token that is sent; follows the app's manifest. */
	tokenVersion: 1 | 2;
	/** `documented`: as in the samples. `pascal`: every activity in PascalCase. */
	casing: 'documented' | 'pascal';
	/** The samples have system events as messages, the table has them as events. */
	systemEventsAs: 'message' | 'event';
}

export type FaultAction =
	/** Answers with this status; `retryAfter` in seconds; `code` is a body code such as 30015. */
	| { status: number; retryAfter?: number; code?: number }
	/** Cuts the connection before the request is processed. */
	| 'resetBefore'
	/** Processes the request, then cuts the connection in place of an answer. */
	| 'resetAfter'
	/** Processes the request after a pause. */
	| { delayMs: number };

/** What goes wrong, and when. The first rule that matches a request is applied. */
export interface FaultRule {
	/** An operation of the contract, or `token` for the token endpoint. A field left out matches everything. */
	match?: { operationId?: string; conversationId?: string };
	action: FaultAction;
	/** How often the rule still applies; counted down in place. Left out: always. */
	times?: number;
	/** From 0 to 1, default 1. The dice are the same in every run. */
	probability?: number;
}

/** What can be changed while the emulator runs; it takes effect with the next request or delivery. */
export interface Settings {
	/** How long `/context` stays empty after the start of a conversation, milliseconds. */
	contextLagMs: number;
	delivery: DeliverySettings;
	faults: FaultRule[];
	/** The key of the body code in a problem; not documented. */
	errorCodeKey: string;
	/** False: the channel has no workstream, which is answered with 30014. */
	linkedToWorkstream: boolean;
	/** False: the channel is not authorised for the organisation, which is answered with 401. */
	channelAuthorized: boolean;
	/** How long access tokens are good, seconds. */
	tokenLifetimeSeconds: number;
}

export const DEFAULT_DELIVERY: Readonly<DeliverySettings> = {
	tries: 3,
	timeoutMs: 10_000,
	retryDelayMs: 1_000,
	signed: true,
	tokenVersion: 1,
	casing: 'documented',
	systemEventsAs: 'message',
};
export const DEFAULT_CONTEXT_LAG_MS = 500;

/** Dice that fall the same way in every run (mulberry32), so that a test with a probability is repeatable. */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/**
 * The fault for a request, if there is one. Counts the rule's `times` down.
 *
 * @param request the operation and, where there is one, the conversation
 * @param random gives numbers from 0 to 1
 */
export function takeFault(
	rules: FaultRule[],
	request: { operationId: string | null; conversationId?: string },
	random: () => number,
): FaultAction | undefined {
	const rule = rules.find(
		({ match = {}, times = 1, probability = 1 }) =>
			times > 0 &&
			(match.operationId === undefined || match.operationId === request.operationId) &&
			(match.conversationId === undefined || match.conversationId === request.conversationId) &&
			(probability >= 1 || random() < probability),
	);
	if (rule?.times !== undefined) rule.times -= 1;
	return rule?.action;
}
