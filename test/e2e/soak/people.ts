// What the plays share: customers who write in bursts and post again, representatives, a database that is away, and how what
// was said is compared with what arrived.
import type { DeliveryEntry } from '../../../emulator/log';
import type { Conversation } from '../../../emulator/messaging/conversations';
import { connect, startConversation } from '../../emulator/support';
import type { TemplateDatabase } from '../templates/database';
import type { Soak } from './soak';

/** How often a schedule looks: seldom enough for a slow machine, on which runs would pile up. */
export const LOOK_EVERY_SECONDS = 4;

/** How long somebody posts the same again. A slow machine takes minutes to start n8n after each kill. */
const PATIENCE_MS = 300_000;

/** Somebody’s words, and whether they were told the end of them. */
export interface Words {
	text: string;
	sentAt: number;
	/** Whether it is known what became of them, so that they are not posted any more. */
	isSettled: boolean;
}

/**
 * Somebody writes, alone or in a burst, sometimes the same twice at once, and posts it again until they are told the end.
 * @param mine what they wrote: it is filled.
 * @param make makes the next words.
 * @param say posts the words once, and notes what it was answered.
 */
export async function writeInBursts<W extends Words>(
	soak: Soak,
	mine: W[],
	make: (number: number, sentAt: number) => W,
	say: (words: W) => Promise<void>,
): Promise<void> {
	while (soak.isOn) {
		const burst = Array.from({ length: soak.pick([1, 1, 1, 3]) }, (_, index) =>
			make(mine.length + index, Date.now() + index),
		);
		mine.push(...burst);
		await Promise.all(
			burst.map(async (words, index) => {
				await soak.pause(index * 40, index * 40 + 5);
				const twice = soak.chance(0.2);
				await Promise.all([say(words), ...(twice ? [say(words)] : [])]);
			}),
		);
		for (const words of burst) {
			const until = Date.now() + PATIENCE_MS;
			while (!words.isSettled && Date.now() < until) {
				await soak.pause(500, 1_500);
				await say(words);
			}
		}
		await soak.pause(200, 1_500);
	}
}

/**
 * A representative who accepts, types, replies and closes, in whatever conversation it may be.
 * @param spoken what they said, by the conversation: it is filled.
 * @param how how often they end a conversation, and how often nobody is on duty for one that waits, from 0 to 1.
 */
export async function represent(
	soak: Soak,
	spoken: Map<string, string[]>,
	{ ends = 0.05, nights = 0 }: { ends?: number; nights?: number } = {},
): Promise<void> {
	const { desk } = soak.setup.emulator;
	let number = 0;
	while (soak.isOn) {
		await soak.pause(100, 400);
		const open = openConversations(soak);
		if (open.length === 0) continue;
		const one = soak.pick(open);
		const { id, state } = one;
		if (state === 'waiting' && soak.chance(nights)) desk.outOfHours(id, { holiday: soak.chance(0.3) });
		else if (state === 'waiting') desk.accept(id);
		else if (soak.chance(ends)) {
			// Three ends of one conversation, or two.
			if (soak.chance(0.5)) desk.wrapUp(id);
			desk.close(id);
		} else if (soak.chance(0.2)) desk.typing(id);
		else if (!waitsForCustomer(one)) {
			const text = `answer ${number++}`;
			spoken.set(id, [...(spoken.get(id) ?? []), text]);
			desk.reply(id, { text });
		}
	}
}

/** Whether a representative has said so much that they wait for a word of the customer. */
export function waitsForCustomer({ lines }: Conversation): boolean {
	const said = lines.filter(({ who }) => who !== 'system').slice(-5);
	return said.length === 5 && said.every(({ who }) => who === 'representative');
}

/** PostgreSQL lets nobody in now and then, for some seconds. */
export async function closeDatabase(
	soak: Soak,
	allowConnections: TemplateDatabase['allowConnections'],
): Promise<void> {
	while (soak.isOn) {
		await soak.pause(8_000, 16_000);
		if (!soak.isOn) return;
		await allowConnections(false);
		await soak.pause(500, 2_500);
		await allowConnections(true);
	}
}

export function openConversations({ setup: { emulator } }: Soak): Conversation[] {
	return emulator.desk.list().filter(({ state }) => state === 'waiting' || state === 'active');
}

/** The words of a customer as they stand in conversations, oldest first, with the state of the conversation. */
export function heardOf({ setup: { emulator } }: Soak, customerId: string) {
	return emulator.desk
		.list()
		.filter((one) => one.customerId === customerId)
		.flatMap(({ id, messages, state }) =>
			messages.map(({ text }) => ({ text, conversationId: id, isOver: state === 'closed' })),
		)
		.filter(({ text }) => text.startsWith('words'));
}

/** How many places of a list are smaller than one before them. */
export function countOutOfOrder(places: readonly number[]): number {
	return places.filter((place, index) => place < Math.max(-1, ...places.slice(0, index))).length;
}

/** How the deliveries of a text to n8n ended: whether one was taken, whether one was cut off at a kill. */
export function deliveriesOf({ setup: { emulator } }: Soak, conversationId: string) {
	const all = emulator.log.flatMap((entry) =>
		entry.kind === 'delivery' && entry.conversationId === conversationId ? [entry] : [],
	);
	const textOf = ({ activity }: (typeof all)[number]) => (activity as { text?: string }).text;
	const eventOf = ({ activity }: (typeof all)[number]) => (activity as { name?: string }).name ?? '';
	return {
		/** What was delivered, and how each try was answered: for whoever looks into it. */
		tries: all.map((one) => [eventOf(one) || textOf(one), ...one.tries.map(({ status }) => status ?? 'cut')]),
		/** Dynamics 365 tried it as often as it does, in vain. */
		givenUp: all.filter(({ outcome }) => outcome !== 'accepted').map(textOf),
		/** The names of the system events. */
		events: all.map(eventOf).filter((name) => name !== ''),
		/** Whether one of them was tried in vain. */
		isEventGivenUp: all.some((one) => one.outcome !== 'accepted' && eventOf(one) !== ''),
		/** It came more than once, as a try before was not answered 200. */
		triedAgain: all.filter(({ tries }) => tries.length > 1).map(textOf),
		/** n8n was killed between the end of a run and the answer, so that a delivery without an ID comes again. */
		cutOff: all
			.filter(({ tries }) => tries.some(({ status }) => status === undefined || status === 502))
			.map(textOf),
	};
}

/**
 * How many goodbyes were shown for the conversations that are over, and for how many there were none or several.
 * `unheardOf`: n8n was killed as it opened the conversation, and nothing of it ever reached the customer, who has nothing to part
 * from. There is at most one for each kill.
 * @param taken what the app or front end got: the same deliveryId twice is one goodbye.
 */
export function countGoodbyes(
	soak: Soak,
	taken: ReadonlyArray<{ event?: unknown; conversationId?: unknown; deliveryId?: unknown }>,
) {
	const goodbyes = { shown: 0, missed: 0, twice: 0, givenUp: 0, unheardOf: 0 };
	for (const { id, state } of soak.setup.emulator.desk.list()) {
		if (state !== 'closed') continue;
		const all = taken.filter(({ conversationId }) => conversationId === id);
		const mine = all.filter(({ event }) => event === 'closed');
		const count = new Set(mine.map(({ deliveryId }) => deliveryId)).size;
		if (count > 0) goodbyes.shown++;
		if (count > 1) goodbyes.twice++;
		if (count > 0) continue;
		const { isEventGivenUp, tries } = deliveriesOf(soak, id);
		const isUnheardOf = all.length === 0 && goodbyes.unheardOf < soak.kills;
		goodbyes[isEventGivenUp ? 'givenUp' : isUnheardOf ? 'unheardOf' : 'missed']++;
		if (!isEventGivenUp) console.log(`  no goodbye in ${id}: ${JSON.stringify(tries)}`);
	}
	console.log(`  goodbyes: ${JSON.stringify(goodbyes)}`);
	return goodbyes;
}

/** Customers who write in Dynamics 365 itself, past the templates, as far as the faults of the soak let them. */
export async function connectCustomers({ setup: { emulator } }: Soak) {
	const client = await connect(emulator);
	const { channelId } = emulator.world;
	return {
		/** Opens a conversation, with the context variable `customerId`. @returns its ID, or undefined where it did not come back */
		open: async (customerId: string, text: string): Promise<string | undefined> => {
			const context = { customerId: { isDisplayable: false, value: customerId } };
			const body = {
				customercontext: { customerid: customerId, preferredname: customerId },
				conversationcontext: context,
				startmessage: { message: text },
			};
			const id = await startConversation(client, body).catch(() => 'undefined');
			return id === 'undefined' ? undefined : id;
		},
		/** Says something; the conversation knows whether it arrived. */
		write: async (conversationId: string, text: string): Promise<void> => {
			const conversation = { id: conversationId };
			const body = { type: 'message', channelId, conversation, from: { name: 'Kim Berger' }, text };
			await client('POST', `/conversation/${conversationId}`, { body }).catch(() => undefined);
		},
	};
}

/** Delivers a system event to n8n that the emulator does not send by itself, or sends it once more. */
export function deliverEvent(
	{ setup: { emulator } }: Soak,
	conversationId: string,
	name: string,
): DeliveryEntry {
	return emulator.desk.deliver(conversationId, {
		type: 'message',
		name,
		text: `EventName: **_${name}_**`,
		channelId: emulator.world.channelId,
		conversation: { id: conversationId },
	});
}
