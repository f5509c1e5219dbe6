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
					{ customerId, name: customerId, messageId: `${customerId} ${number}`, text: mine[number]?.text },
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
					mine.push({ text: `words ${from + index} of ${customerId}`, isSaid: false, wasRefused: false });
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

		return await inProduction(
			soak.setup,
			'bring-your-own-channel-answers',
			{ ...filling, set: settingsOf },
			() =>
				inProduction(soak.setup, 'bring-your-own-channel', filling, async ({ urlOf }) => {
					const path = new URL(urlOf('When a customer writes')).pathname;
					const people = Array.from({ length: CUSTOMERS }, (_, index) => customer(`customer-${index}`, path));
					await soak.run([...people, representative]);
					return { ...checkCustomers(soak, words), ...checkAnswers(soak, spoken, taken()) };
				}),
		);
	});
}

function checkCustomers({ setup: { emulator } }: Soak, words: Map<string, Words[]>): Checks {
	const conversations = emulator.desk.list();
	const heardOf = (customerId: string) =>
		conversations
			.filter((one) => one.customerId === customerId)
			.flatMap(({ messages }) => messages.map(({ text }) => text).filter((text) => text.startsWith('words')));
	let lost = 0;
	let twice = 0;
	let astray = 0;
	let outOfOrder = 0;
	let all = 0;
	for (const [customerId, mine] of words) {
		const heard = heardOf(customerId);
		all += mine.length;
		lost += mine.filter(({ text, isSaid }) => !isSaid || !heard.includes(text)).length;
		twice += heard.length - new Set(heard).size;
		astray += heard.filter((text) => !text.endsWith(customerId)).length;
		const orderly = mine.filter(({ wasRefused }) => !wasRefused).map(({ text }) => heard.indexOf(text));
		outOfOrder += orderly.filter((place, index) => place < Math.max(...orderly.slice(0, index))).length;
	}
	console.log(
		`  customers: ${all} words; lost ${lost}, twice ${twice}, astray ${astray}, out of order ${outOfOrder}`,
	);
	return {
		'every word of a customer arrived': all > 0 && lost === 0,
		once: twice === 0,
		'in their own conversation': astray === 0,
		'in order': outOfOrder === 0,
	};
}

function checkAnswers(
	{ setup: { emulator } }: Soak,
	spoken: Map<string, string[]>,
	taken: Array<Record<string, unknown>>,
): Checks {
	let lost = 0;
	let twice = 0;
	let astray = 0;
	let outOfOrder = 0;
	let told = 0;
	for (const [conversationId, texts] of spoken) {
		const conversation = emulator.desk.get(conversationId);
		const got = taken.filter((body) => body.conversationId === conversationId);
		// A callback that is tried again has the same deliveryId: the front end shows it once.
		const shown = [...new Map(got.map((body) => [body.deliveryId, body])).values()];
		const notices = conversation.messages.filter(({ text }) => text.startsWith(NOT_SHOWN)).length;
		told += notices;
		const missing = texts.filter((text) => !shown.some((body) => body.text === text)).length;
		lost += Math.max(0, missing - notices);
		twice += shown.length - new Set(shown.map(({ text }) => text)).size;
		astray += got.filter(({ customerId }) => customerId !== conversation.customerId).length;
		const places = shown.map(({ text }) => texts.indexOf(String(text)));
		outOfOrder += places.filter((place, index) => place < Math.max(-1, ...places.slice(0, index))).length;
	}
	const all = [...spoken.values()].flat().length;
	console.log(
		`  representatives: ${all} answers, ${told} told as not shown; lost ${lost}, twice ${twice}, astray ${astray}, out of order ${outOfOrder}`,
	);
	return {
		'every answer was shown, or the representative was told': all > 0 && lost === 0,
		'each once': twice === 0,
		'to their own customer': astray === 0,
		'answers in order': outOfOrder === 0,
	};
}
