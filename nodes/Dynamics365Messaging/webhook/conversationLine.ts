/**
 * How long a delivery waits for those of its conversation before it, milliseconds. Dynamics gives up after ten seconds.
 * Source: docs/service-facts.md#webhook-delivery.
 */
export const MAX_WAIT_MS = 8_000;
/** How long a delivery that was told to come again keeps its place, milliseconds. */
const RESERVED_MS = 15_000;
/**
 * How long a workflow may hold up the conversation's other deliveries, milliseconds: an answer that n8n never gives must
 * not stop a conversation for longer. Dynamics has given the delivery up by then. A run of more than a minute may be
 * overtaken.
 */
const MAX_RUN_MS = 60_000;
/** How often Dynamics tries a delivery. Source: docs/service-facts.md#webhook-delivery. */
export const MAX_TRIES = 3;
/**
 * How many deliveries of all triggers wait at the most, so that memory stays bounded. A trigger takes no more places than it
 * leaves free, which are 10,000 where it is alone, so that what floods one does not turn away another's deliveries.
 */
const MAX_PLACES = 20_000;

/** Where a delivery stands in the line of its conversation. */
export interface Place {
	/** Resolves, with true, when it is this delivery's turn. */
	turn: Promise<true>;
	/** Which try of the delivery this is, as far as its earlier tries had a place too: 1 is the first. */
	tries: number;
	/** When the first try took the place, milliseconds of `performance.now()`. */
	since: number;
	/** Gives the place up, or ends the turn: the next one's turn comes. A second call does nothing. */
	leave: () => void;
	/**
	 * Keeps the place for the retry of this delivery, ahead of those behind it, for {@link RESERVED_MS}. After its last
	 * try nobody comes for it, so the place is given up at once.
	 * @param tries how many of its tries are over, where that is known better than by the places that they had.
	 */
	reserve: (tries?: number) => void;
}

interface Waiting extends Place {
	delivery: string;
	isReserved: boolean;
	takeTurn: () => void;
	timer: NodeJS.Timeout | undefined;
}

/** The deliveries of each conversation, in the order of arrival; the first one may have its turn. */
const lines = new Map<string, Waiting[]>();
/** The places in all lines. */
let places = 0;
/** Those of each trigger. */
const placesOf = new Map<string, number>();

function count(trigger: string, change: 1 | -1): void {
	places += change;
	const own = (placesOf.get(trigger) ?? 0) + change;
	if (own === 0) placesOf.delete(trigger);
	else placesOf.set(trigger, own);
}

function isFull(trigger: string): boolean {
	return (placesOf.get(trigger) ?? 0) >= MAX_PLACES - places;
}

/** How many deliveries have a place now. */
export function placeCount(): number {
	return places;
}

/** Lets the first one of a line have its turn, unless it is reserved: then the line waits for its retry. */
function next(line: string): void {
	const [first] = lines.get(line) ?? [];
	if (!first || first.isReserved) return;
	clearTimeout(first.timer);
	first.timer = setTimeout(first.leave, MAX_RUN_MS).unref();
	first.takeTurn();
}

function newPlace(trigger: string, line: string, delivery: string, before: Waiting | undefined): Waiting {
	let takeTurn = () => {};
	const turn = new Promise<true>((resolve) => (takeTurn = () => resolve(true)));
	const place: Waiting = {
		delivery,
		turn,
		takeTurn,
		tries: (before?.tries ?? 0) + 1,
		since: before?.since ?? performance.now(),
		isReserved: false,
		timer: undefined,
		leave: () => {
			const left = lines.get(line) ?? [];
			const index = left.indexOf(place);
			if (index < 0) return;
			clearTimeout(place.timer);
			left.splice(index, 1);
			count(trigger, -1);
			if (left.length === 0) lines.delete(line);
			else if (index === 0) next(line);
		},
		reserve: (tries = place.tries) => {
			place.tries = tries;
			if (tries >= MAX_TRIES) return place.leave();
			clearTimeout(place.timer);
			place.isReserved = true;
			place.timer = setTimeout(place.leave, RESERVED_MS).unref();
		},
	};
	return place;
}

/** Where the place stands that is kept for a delivery's retry; -1 where none is. */
function keptIndex(waiting: Waiting[], delivery: string): number {
	return waiting.findIndex((place) => place.isReserved && place.delivery === delivery);
}

/**
 * Whether a place is kept for a delivery that was told to come again.
 * @param line the conversation, and the trigger that received the delivery.
 * @param delivery what the tries of one delivery have in common.
 */
export function isPlaceKept(line: string, delivery: string): boolean {
	return keptIndex(lines.get(line) ?? [], delivery) >= 0;
}

/**
 * Takes a place in the line of a conversation: behind the others, or the one that was kept for this delivery's earlier try.
 * @param trigger the trigger that received the delivery.
 * @param line the conversation, and that trigger.
 * @param delivery what the tries of one delivery have in common.
 * @returns undefined where too many deliveries wait already.
 * @example
 * const place = takePlace(identity.scope, line, identity.key);
 * await place?.turn;
 * // … when the workflow has ended:
 * place?.leave();
 */
export function takePlace(trigger: string, line: string, delivery: string): Place | undefined {
	const waiting = lines.get(line) ?? [];
	const kept = keptIndex(waiting, delivery);
	if (kept < 0 && isFull(trigger)) return undefined;
	const before = waiting[kept];
	const place = newPlace(trigger, line, delivery, before);
	if (before) {
		clearTimeout(before.timer);
		waiting[kept] = place;
	} else {
		waiting.push(place);
		count(trigger, 1);
	}
	lines.set(line, waiting);
	if (waiting[0] === place) next(line);
	return place;
}
