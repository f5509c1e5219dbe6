// Customers of a front end and representatives, both impatient; the front end answers as front ends do.
import type { Filling } from '../../../tools/n8n/templates';
import { inProduction, makeSecret, ownCredentials, settings } from '../templates/channel';
import { withTables } from '../templates/database';
import { type Json, startHttpStub } from '../templates/httpStub';
import {
	countGoodbyes,
	countOutOfOrder,
	deliveriesOf,
	heardOf,
	represent,
	type Words,
	writeInBursts,
} from './people';
import type { Checks, Soak } from './soak';

const CUSTOMERS = 6;
export const NOT_SHOWN = 'NOT SHOWN';

/** Words that a customer wrote, and what the front end was told of them. */
export interface Written extends Words {
	/** Whether it was ever told that they were not said: then later ones may have gone before. */
	wasRefused: boolean;
}

/** A customer who writes by the webhook of the template. @param mine what they wrote: it is filled */
export async function writeToChannel(
	soak: Soak,
	customerId: string,
	mine: Written[],
	{ path, headers }: { path: string; headers: Record<string, string> },
): Promise<void> {
	const make = (number: number, sentAt: number): Written => ({
		text: `words ${number} of ${customerId}`,
		sentAt,
		isSettled: false,
		wasRefused: false,
	});
	await writeInBursts(soak, mine, make, async (words) => {
		const { sentAt, text } = words;
		const messageId = `${customerId} ${mine.indexOf(words)}`;
		const post = { customerId, name: customerId, messageId, sentAt, text };
		const { status, body } = await soak.post(path, post, headers);
		words.isSettled ||= status === 200 && typeof body.conversationId === 'string';
		words.wasRefused ||= !words.isSettled && status !== 0;
	});
}

export async function play(soak: Soak): Promise<Checks> {
	return await withTables(soak.setup, 'soak-byoc', async ({ credentials }) => {
		const secret = await makeSecret(soak.setup);
		const header = { type: 'httpHeaderAuth', id: secret.credentialId };
		const frontEnd = await startHttpStub(({ body }) => {
			if (body.event === 'typing') return {};
			if (soak.isOn && soak.chance(0.05)) return { status: 503 };
			return { body: Buffer.from(soak.pick(['OK', '[]', '', '{}'])) };
		});
		/** What it took, in the order in which it came. */
		const taken = () => frontEnd.requests.map(({ body }) => body);
		const filling: Filling = {
			credentials: {
				...credentials,
				...ownCredentials(soak.setup),
				'n8n-nodes-base.webhook': header,
				'n8n-nodes-base.httpRequest': header,
			},
		};
		const settingsOf = settings({ callbackUrl: `${frontEnd.url}/callback`, notShown: NOT_SHOWN });
		const written = new Map<string, Written[]>();
		const spoken = new Map<string, string[]>();
		const customer = (customerId: string, path: string) => async () => {
			const mine: Written[] = [];
			written.set(customerId, mine);
			await writeToChannel(soak, customerId, mine, { path, headers: secret.headers });
		};

		// The trigger comes last, as publishing another one takes its URL from the channel.
		return await inProduction(soak.setup, 'bring-your-own-channel', filling, async ({ urlOf }) => {
			const path = new URL(urlOf('When a customer writes')).pathname;
			const people = Array.from({ length: CUSTOMERS }, (_, index) => customer(`customer-${index}`, path));
			const answers = { ...filling, set: settingsOf };
			return await inProduction(soak.setup, 'bring-your-own-channel-answers', answers, async () => {
				await soak.run([...people, () => represent(soak, spoken)]);
				return { ...checkCustomers(soak, written), ...checkAnswers(soak, spoken, taken()) };
			});
		});
	});
}

/** Compares what customers wrote with what stands in conversations. */
export function checkCustomers(soak: Soak, written: Map<string, Written[]>): Checks {
	const found = { all: 0, lost: 0, twice: 0, onceMoreInANewOne: 0, astray: 0, outOfOrder: 0 };
	for (const [customerId, mine] of written) {
		const heard = heardOf(soak, customerId);
		const texts = heard.map(({ text }) => text);
		found.all += mine.length;
		found.lost += mine.filter(({ text, isSettled }) => !isSettled || !texts.includes(text)).length;
		const again = heard.filter(({ text }, index) => texts.indexOf(text) < index);
		// What is left: words whose run was killed, and whose conversation was closed before they were posted again.
		const isLeft = (text: string) => heard.find((one) => one.text === text)?.isOver === true;
		found.twice += again.filter(({ text }) => !isLeft(text)).length;
		found.onceMoreInANewOne += again.filter(({ text }) => isLeft(text)).length;
		found.astray += texts.filter((text) => !text.endsWith(`of ${customerId}`)).length;
		found.outOfOrder += countOutOfOrder(
			mine.filter(({ wasRefused }) => !wasRefused).map(({ text }) => texts.indexOf(text)),
		);
	}
	console.log(`  customers: ${JSON.stringify(found)}`);
	return {
		'every word of a customer arrived': found.all > 0 && found.lost === 0,
		once: found.twice === 0,
		'in their own conversation': found.astray === 0,
		'in order': found.outOfOrder === 0,
	};
}

/** Compares what representatives said with what the front end got. */
export function checkAnswers(soak: Soak, spoken: Map<string, string[]>, taken: readonly Json[]): Checks {
	const found = { all: 0, told: 0, givenUp: 0, lost: 0, twice: 0, twiceAtAKill: 0, astray: 0, outOfOrder: 0 };
	for (const [conversationId, texts] of spoken) {
		const conversation = soak.setup.emulator.desk.get(conversationId);
		const { cutOff, givenUp } = deliveriesOf(soak, conversationId);
		const got = taken.filter((body) => body.event === 'message' && body.conversationId === conversationId);
		// A callback that is tried again has the same deliveryId: the front end shows it once.
		const shown = [...new Map(got.map((body) => [body.deliveryId, String(body.text)])).values()];
		const told = conversation.messages.filter(({ text }) => text.startsWith(NOT_SHOWN)).length;
		const missing = texts.filter((text) => !shown.includes(text));
		const leftOut = missing.filter((text) => givenUp.includes(text)).length;
		found.all += texts.length;
		found.told += told;
		found.givenUp += leftOut;
		found.lost += Math.max(0, missing.length - leftOut - told);
		const again = shown.filter((text, index) => shown.indexOf(text) < index);
		found.twice += again.filter((text) => !cutOff.includes(text)).length;
		found.twiceAtAKill += again.filter((text) => cutOff.includes(text)).length;
		found.astray += got.filter(({ customerId }) => customerId !== conversation.customerId).length;
		found.outOfOrder += countOutOfOrder(
			texts.map((text) => shown.indexOf(text)).filter((place) => place >= 0),
		);
	}
	console.log(`  representatives: ${JSON.stringify(found)}`);
	const goodbyes = countGoodbyes(soak, taken);
	return {
		'every answer was shown, or the representative was told': found.all > 0 && found.lost === 0,
		'each once': found.twice === 0,
		'to their own customer': found.astray === 0,
		'answers in order': found.outOfOrder === 0,
		'one goodbye for each end': goodbyes.missed === 0 && goodbyes.twice === 0,
	};
}
