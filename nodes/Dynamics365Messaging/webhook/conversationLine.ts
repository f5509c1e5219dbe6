/**
 * How long a delivery waits for those of its conversation before it, milliseconds. Dynamics gives up after ten seconds.
 * Source: docs/service-facts.md#webhook-delivery.
 */
export const MAX_WAIT_MS = 8_000;
/** How long a delivery that was told to come again keeps its place, milliseconds. */
const RESERVED_MS = 15_000;
/**
 * How long a workflow may hold up the conversation's other deliveries, milliseconds: an answer that n8n never gives must
 * not stop a conversation for good.
 */
const MAX_RUN_MS = 60 * 60_000;
/** How many deliveries of all conversations wait at the most, so that memory stays bounded. */
const MAX_PLACES = 10_000;

/** Where a delivery stands in the line of its conversation. */
export interface Place {
	/** Resolves when it is this delivery's turn. */
	turn: Promise<void>;
	/** Gives the place up, or ends the turn: the next one's turn comes. A second call does nothing. */
	leave: () => void;
	/** Keeps the place for the retry of this delivery, ahead of those behind it, for {@link RESERVED_MS}. */
	reserve: () => void;
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

function newPlace(line: string, delivery: string): Waiting {
	let takeTurn = () => {};
	const turn = new Promise<void>((resolve) => (takeTurn = resolve));
	const place: Waiting = {
		delivery,
		turn,
		takeTurn,
		isReserved: false,
		timer: undefined,
		leave: () => {
			const left = lines.get(line) ?? [];
			const index = left.indexOf(place);
			if (index < 0) return;
			clearTimeout(place.timer);
			left.splice(index, 1);
			places--;
			if (left.length === 0) lines.delete(line);
			else if (index === 0) next(line);
		},
		reserve: () => {
			place.isReserved = true;
			place.timer = setTimeout(place.leave, RESERVED_MS).unref();
		},
	};
	return place;
}

/**
 * Takes a place in the line of a conversation: behind the others, or the one that was kept for this delivery's earlier try.
 * @param line the conversation, and the trigger that received the delivery.
 * @param delivery what the tries of one delivery have in common.
 * @returns undefined where too many deliveries wait already.
 * @example
 * const place = takePlace(line, identity.key);
 * await place?.turn;
 * // … when the workflow has ended:
 * place?.leave();
 */
export function takePlace(line: string, delivery: string): Place | undefined {
	const waiting = lines.get(line) ?? [];
	const kept = waiting.findIndex((place) => place.isReserved && place.delivery === delivery);
	if (kept < 0 && places >= MAX_PLACES) return undefined;
	const place = newPlace(line, delivery);
	const [before] = kept < 0 ? [] : waiting.splice(kept, 1, place);
	clearTimeout(before?.timer);
	if (!before) {
		waiting.push(place);
		places++;
	}
	lines.set(line, waiting);
	if (waiting[0] === place) next(line);
	return place;
}
