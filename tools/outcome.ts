// What became of deliveries: which were accepted, which were lost, said twice or out of order.
import type { DeliveryEntry, Emulator } from '../emulator';

/** A delivery that was made; `entry` changes while it is tried. */
export interface Delivery {
	number: number;
	conversationId: string;
	entry: DeliveryEntry;
	/** The repeated delivery with the same id, as Dynamics makes it when the answer was lost. */
	repeat?: DeliveryEntry;
}

/** The outcome of deliveries. Lists hold the deliveries' numbers. */
export interface Outcome {
	numbers: number[];
	/** Answered 200, at one of the tries. */
	accepted: number[];
	/** Never answered 200, in any of their tries. */
	givenUp: number[];
	/** How often a try had another answer than 200, by its status or the error of the connection. */
	otherAnswers: Record<string, number>;
	/** The time of each answer 200, milliseconds. */
	answersMs: number[];
	/** Answered 200, and never arrived. */
	lost: number[];
	/** Arrived more than once. */
	twice: number[];
	conversations: number;
	/** The numbers that arrived in each conversation in which a message arrived before an earlier one. */
	outOfOrder: number[][];
	/** From the first delivery to the last arrival, seconds. */
	seconds: number;
}

/** The activity that Dynamics delivers for a message of a representative; without an id, as most have none. Pure. */
export function activityOf(number: number, conversationId: string): Record<string, unknown> {
	return {
		type: 'message',
		channelId: 'MessagingApi',
		from: { id: 'representative', name: 'Representative' },
		conversation: { id: conversationId },
		text: `delivery ${number}`,
	};
}

/** The number in the text of such a message; undefined for any other. Pure. */
export function numberIn(text: unknown): number | undefined {
	const digits = typeof text === 'string' ? /^delivery (\d+)$/.exec(text)?.[1] : undefined;
	return digits === undefined ? undefined : Number(digits);
}

/** Whether a list never goes back. Pure. */
export function isAscending(numbers: number[]): boolean {
	return numbers.every((number, index) => index === 0 || (numbers[index - 1] ?? 0) <= number);
}

/** Whether a delivery had no answer yet at a time. @param time epoch milliseconds */
export function isUnderWayAt(time: number, { entry, repeat }: Delivery): boolean {
	// The emulator learns of a broken connection some time after the kill.
	const slackMs = 50;
	return [entry, repeat].some((one) =>
		one?.tries.some(({ at, ms }) => Date.parse(at) <= time && time <= Date.parse(at) + ms + slackMs),
	);
}

/** What arrived at the service since an entry of its log. */
export interface Arrivals {
	/** The numbers of the deliveries by their conversation, in the order of arrival. */
	byConversation: Map<string, number[]>;
	/** When the last of it did; epoch milliseconds. */
	lastAt: number;
}

/** Reads from the service's log what arrived. @param since the number of entries that the log had before */
export function arrivals({ log }: Pick<Emulator, 'log'>, since = 0): Arrivals {
	const byConversation = new Map<string, number[]>();
	let lastAt = 0;
	for (const entry of log.slice(since)) {
		if (entry.kind !== 'request' || entry.messageId === undefined || entry.conversationId === undefined)
			continue;
		const number = numberIn((entry.body as { text?: unknown } | undefined)?.text);
		if (number === undefined) continue;
		byConversation.set(entry.conversationId, [...(byConversation.get(entry.conversationId) ?? []), number]);
		lastAt = Date.parse(entry.at);
	}
	return { byConversation, lastAt };
}

function countsOf(values: string[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
	return counts;
}

/**
 * Evaluates deliveries by their answers and by the messages that arrived. Pure.
 * @param arrived the numbers that arrived in each conversation, in the order of their arrival.
 * @param seconds from the first delivery to the last arrival.
 */
export function evaluate(deliveries: Delivery[], arrived: Map<string, number[]>, seconds: number): Outcome {
	const times = new Map<number, number>();
	for (const number of [...arrived.values()].flat()) times.set(number, (times.get(number) ?? 0) + 1);
	const isAccepted = ({ entry, repeat }: Delivery) =>
		[entry, repeat].some((one) => one?.outcome === 'accepted');
	const tries = deliveries.flatMap(({ entry, repeat }) => [...entry.tries, ...(repeat?.tries ?? [])]);
	const numbers = deliveries.map(({ number }) => number);
	const accepted = deliveries.filter(isAccepted).map(({ number }) => number);
	return {
		numbers,
		accepted,
		givenUp: deliveries.filter((delivery) => !isAccepted(delivery)).map(({ number }) => number),
		otherAnswers: countsOf(
			tries.filter(({ status }) => status !== 200).map(({ status, error }) => String(status ?? error)),
		),
		answersMs: tries.filter(({ status }) => status === 200).map(({ ms }) => ms),
		lost: accepted.filter((number) => !times.has(number)),
		twice: numbers.filter((number) => (times.get(number) ?? 0) > 1),
		conversations: new Set(deliveries.map(({ conversationId }) => conversationId)).size,
		// A message that arrives twice is counted elsewhere.
		outOfOrder: [...arrived.values()].filter((some) => !isAscending([...new Set(some)])),
		seconds,
	};
}
