// Customers of a front end and representatives, both impatient; the front end answers as front ends do.
import type { Filling } from '../../../tools/n8n/templates';
import { inProduction, makeSecret, ownCredentials, settings } from '../templates/channel';
import { withTables } from '../templates/database';
import { startHttpStub } from '../templates/httpStub';
import { type Answer, type Checks, Soak } from './soak';

const CUSTOMERS = 6;
const NOT_SHOWN = 'NOT SHOWN';

/** Words that a customer wrote, and what the front end was told of them. */
interface Words {
	text: string;
	sentAt: number;
	isSaid: boolean;
	/** Whether it was ever told that they were not said: then later ones may have gone before. */
	wasRefused: boolean;
}

export async function play(soak: Soak): Promise<Checks> {
	return await withTables(soak.setup, 'soak-byoc', async ({ credentials }) => {
		const { emulator } = soak.setup;
		const secret = await makeSecret(soak.setup);
		const header = { type: 'httpHeaderAuth', id: secret.credentialId };
		const frontEnd = await startHttpStub(({ body }) => {
			if (body.event === 'typing') return {};
			if (soak.isOn && soak.chance(0.05)) return { status: 503 };
			return { body: Buffer.from(soak.pick(['OK', '[]', '', '{}'])) };
		});
		/** What it took, in the order in which it came. */
		const taken = () =>
			frontEnd.requests.filter(({ body }) => body.event === 'message').map(({ body }) => body);
		const filling: Filling = {
			credentials: {
				...credentials,
				...ownCredentials(soak.setup),
				'n8n-nodes-base.webhook': header,
				'n8n-nodes-base.httpRequest': header,
			},
		};
		const settingsOf = settings({ callbackUrl: `${frontEnd.url}/callback`, notShown: NOT_SHOWN });
		const words = new Map<string, Words[]>();

		const customer = (customerId: string, path: string) => async () => {
			const mine: Words[] = [];
			words.set(customerId, mine);
			const say = async (number: number): Promise<Answer> =>
				await soak.post(
					path,
					{
						customerId,
						name: customerId,
						messageId: `${customerId} ${number}`,
						sentAt: mine[number]?.sentAt,
						text: mine[number]?.text,
					},
					secret.headers,
				);
			const told = (number: number, { status, body }: Answer) => {
				const one = mine[number];
				if (!one) return;
				one.isSaid ||= status === 200 && typeof body.conversationId === 'string';
				one.wasRefused ||= !one.isSaid && status !== 0;
			};
			while (soak.isOn) {
				const from = mine.length;
				const burst = soak.pick([1, 1, 1, 3]);
				for (let index = 0; index < burst; index++)
					mine.push({
						text: `words ${from + index} of ${customerId}`,
						sentAt: Date.now() + index,
						isSaid: false,
						wasRefused: false,
					});
				const numbers = mine.map((_, index) => index).slice(from);
				const first = numbers.map(async (number, index) => {
					await soak.pause(index * 40, index * 40 + 5);
					const twice = soak.chance(0.2);
					const answers = await Promise.all([say(number), ...(twice ? [say(number)] : [])]);
					for (const answer of answers) told(number, answer);
				});
				await Promise.all(first);
				for (const number of numbers) {
					for (let tries = 0; tries < 60 && !mine[number]?.isSaid; tries++) {
						await soak.pause(500, 1_500);
						told(number, await say(number));
					}
				}
				await soak.pause(200, 1_500);
			}
		};

		const spoken = new Map<string, string[]>();
		const representative = async () => {
			let number = 0;
			while (soak.isOn) {
				await soak.pause(100, 400);
				const open = emulator.desk.list().filter(({ state }) => state === 'waiting' || state === 'active');
				if (open.length === 0) continue;
				const { id, state } = soak.pick(open);
				if (state === 'waiting') emulator.desk.accept(id);
				else if (soak.chance(0.05)) {
					emulator.desk.wrapUp(id);
					emulator.desk.close(id);
				} else if (soak.chance(0.2)) emulator.desk.typing(id);
				else {
					const text = `answer ${number++}`;
					spoken.set(id, [...(spoken.get(id) ?? []), text]);
					emulator.desk.reply(id, { text });
				}
			}
		};

		// The trigger comes last, as publishing another one takes its URL from the channel.
		return await inProduction(soak.setup, 'bring-your-own-channel', filling, async ({ urlOf }) => {
			const path = new URL(urlOf('When a customer writes')).pathname;
			const people = Array.from({ length: CUSTOMERS }, (_, index) => customer(`customer-${index}`, path));
			const answers = { ...filling, set: settingsOf };
			return await inProduction(soak.setup, 'bring-your-own-channel-answers', answers, async () => {
				await soak.run([...people, representative]);
				return { ...checkCustomers(soak, words), ...checkAnswers(soak, spoken, taken()) };
			});
		});
	});
}

/** The words of a customer as they stand in conversations, oldest first, with the state of the conversation. */
function heardOf({ setup: { emulator } }: Soak, customerId: string) {
	return emulator.desk
		.list()
		.filter((one) => one.customerId === customerId)
		.flatMap(({ messages, state }) => messages.map(({ text }) => ({ text, isOver: state === 'closed' })))
		.filter(({ text }) => text.startsWith('words'));
}

function checkCustomers(soak: Soak, words: Map<string, Words[]>): Checks {
	const found = { all: 0, lost: 0, twice: 0, onceMoreInANewOne: 0, astray: 0, outOfOrder: 0 };
	for (const [customerId, mine] of words) {
		const heard = heardOf(soak, customerId);
		const texts = heard.map(({ text }) => text);
		found.all += mine.length;
		found.lost += mine.filter(({ text, isSaid }) => !isSaid || !texts.includes(text)).length;
		const again = heard.filter(({ text }, index) => texts.indexOf(text) < index);
		// What is left: words whose run was killed, and whose conversation was closed before they were posted again.
		const isLeft = (text: string) => heard.find((one) => one.text === text)?.isOver === true;
		found.twice += again.filter(({ text }) => !isLeft(text)).length;
		found.onceMoreInANewOne += again.filter(({ text }) => isLeft(text)).length;
		found.astray += texts.filter((text) => !text.endsWith(customerId)).length;
		const places = mine.filter(({ wasRefused }) => !wasRefused).map(({ text }) => texts.indexOf(text));
		found.outOfOrder += places.filter(
			(place, index) => place < Math.max(-1, ...places.slice(0, index)),
		).length;
	}
	console.log(`  customers: ${JSON.stringify(found)}`);
	return {
		'every word of a customer arrived': found.all > 0 && found.lost === 0,
		once: found.twice === 0,
		'in their own conversation': found.astray === 0,
		'in order': found.outOfOrder === 0,
	};
}

function checkAnswers(
	{ setup: { emulator } }: Soak,
	spoken: Map<string, string[]>,
	taken: Array<Record<string, unknown>>,
): Checks {
	const found = { all: 0, told: 0, lost: 0, twice: 0, twiceAtAKill: 0, astray: 0, outOfOrder: 0 };
	// What is left: n8n was killed between the end of a run and the answer to Dynamics, so that a delivery without an ID came again.
	const wasCutOff = new Set(
		emulator.log
			.filter((entry) => entry.kind === 'delivery')
			.filter(({ tries }) => tries.some(({ status }) => status === undefined || status === 502))
			.map(({ activity }) => (activity as { text?: string }).text),
	);
	for (const [conversationId, texts] of spoken) {
		const conversation = emulator.desk.get(conversationId);
		const got = taken.filter((body) => body.conversationId === conversationId);
		// A callback that is tried again has the same deliveryId: the front end shows it once.
		const shown = [...new Map(got.map((body) => [body.deliveryId, String(body.text)])).values()];
		const told = conversation.messages.filter(({ text }) => text.startsWith(NOT_SHOWN)).length;
		found.all += texts.length;
		found.told += told;
		found.lost += Math.max(0, texts.filter((text) => !shown.includes(text)).length - told);
		const again = shown.filter((text, index) => shown.indexOf(text) < index);
		found.twice += again.filter((text) => !wasCutOff.has(text)).length;
		found.twiceAtAKill += again.filter((text) => wasCutOff.has(text)).length;
		found.astray += got.filter(({ customerId }) => customerId !== conversation.customerId).length;
		const places = texts.map((text) => shown.indexOf(text)).filter((place) => place >= 0);
		found.outOfOrder += places.filter(
			(place, index) => place < Math.max(-1, ...places.slice(0, index)),
		).length;
	}
	console.log(`  representatives: ${JSON.stringify(found)}`);
	return {
		'every answer was shown, or the representative was told': found.all > 0 && found.lost === 0,
		'each once': found.twice === 0,
		'to their own customer': found.astray === 0,
		'answers in order': found.outOfOrder === 0,
	};
}
