// Customers on Telegram, who write, edit, send files and choose buttons, and representatives who answer; Telegram asks to wait
// and cuts connections.
import type { Conversation } from '../../../emulator';
import { onTelegram, type Stage } from '../templates/telegram-to-representative';
import type { TelegramCall, Trouble } from '../templates/telegramStub';
import { isAutomated } from '../templates/channel';
import { waitsForCustomer } from './people';
import { type Checks, isInOrder, type Soak } from './soak';

const CHATS = [0, 1, 2, 3, 4, 5].map((number) => 4_712_000_000 + number);
const customerOf = (chatId: number | string) => `telegram-${chatId}`;
const NOT_PASSED_ON = /did not reach us|not certain/;
const CANNOT_PASS = 'I can pass on text';
const NO_BUTTON = 'This button does not work';
const FAREWELL = 'This conversation is closed.';

/** Something that a customer said, as it is to stand in their conversation. */
interface Words {
	said: string;
	/** Those that were under way at the same time and had to be sent again have the same number: any order is right. */
	place: number;
}

/** What a customer did. */
interface Customer {
	words: Words[];
	/** How many things they sent that cannot be passed on. */
	voices: number;
	forged: number;
}

/** What a representative said: a text, and a file behind it. */
interface Answer {
	parts: string[];
}

export async function play(soak: Soak): Promise<Checks> {
	return await onTelegram(soak.setup, 'soak-telegram', async (stage) => {
		const { telegram } = stage;
		const url = soak.origin + new URL(stage.url).pathname;
		telegram.chance = (method) => trouble(soak, method);
		const customers = new Map(CHATS.map((chatId) => [chatId, { words: [], voices: 0, forged: 0 }]));
		const answers = new Map<string, Answer[]>();
		const people = CHATS.map((chatId) => async () => {
			const one = customers.get(chatId);
			if (one) await beCustomer(soak, stage, url, chatId, one);
		});
		await soak.run([...people, async () => await beRepresentative(soak, answers)]);
		return { ...checkCustomers(soak, stage, customers), ...checkAnswers(soak, stage, answers) };
	});
}

function trouble(soak: Soak, method: string): Trouble | undefined {
	if (!soak.isOn || method === 'sendChatAction') return undefined;
	if (soak.chance(0.03)) return 'cutAfter';
	if (method === 'getFile') return undefined;
	if (soak.chance(0.03)) return { delayMs: 1_500 };
	if (!soak.chance(0.05)) return undefined;
	const retryAfter = soak.pick([1, 1, 2, 30]);
	return { status: 429, description: `Too Many Requests: retry after ${retryAfter}`, retryAfter };
}

async function beCustomer(
	soak: Soak,
	{ telegram, secret }: Stage,
	url: string,
	chatId: number,
	mine: Customer,
): Promise<void> {
	let count = 0;
	const pressed = new Set<unknown>();
	/** As Telegram does: until it is taken. Now and then it comes twice, also at the same moment. */
	const deliver = async (update: object): Promise<boolean> => {
		const again = soak.chance(0.15) ? telegram.deliver(url, secret, update) : undefined;
		const tries = await telegram.deliver(url, secret, update);
		await again;
		if (soak.chance(0.05)) await telegram.deliver(url, secret, update);
		return tries.length === 1;
	};
	const text = () => {
		const said = `words ${count++} of ${customerOf(chatId)}`;
		return { said, update: telegram.update(chatId, { text: said }) };
	};
	const file = () => {
		const name = `file ${count++} of ${customerOf(chatId)}.pdf`;
		telegram.files.set(name, { path: `documents/${encodeURIComponent(name)}`, data: Buffer.from(name) });
		return { said: name, update: telegram.update(chatId, { document: { file_id: name, file_name: name } }) };
	};
	const edit = () => {
		const said = `words ${count++} of ${customerOf(chatId)}`;
		return { said: `(Edited) ${said}`, update: telegram.update(chatId, { text: said }, { isEdited: true }) };
	};
	const say = async (all: Array<{ said: string; update: object }>) => {
		const place = mine.words.length;
		const words = all.map(({ said }, index) => ({ said, place: place + index }));
		mine.words.push(...words);
		const once = await Promise.all(
			all.map(async ({ update }, index) => {
				await soak.pause(index * 40, index * 40 + 5);
				return await deliver(update);
			}),
		);
		if (!once.every(Boolean)) for (const one of words) one.place = place;
	};
	const choose = async () => {
		const button = telegram.buttons(chatId).find(({ callback_data: data }) => data && !pressed.has(data));
		if (!button) return;
		pressed.add(button.callback_data);
		mine.words.push({ said: String(button.text).replace('Option', 'choice'), place: mine.words.length });
		const times = soak.pick([1, 1, 2]);
		const updates = Array.from({ length: times }, () => telegram.choice(chatId, button.callback_data));
		await Promise.all(updates.map(deliver));
	};
	const forge = async () => {
		const others = CHATS.filter((one) => one !== chatId).flatMap((one) => telegram.buttons(one));
		if (others.length === 0) return;
		mine.forged++;
		await deliver(telegram.choice(chatId, soak.pick(others).callback_data));
	};
	const voice = async () => {
		mine.voices++;
		await deliver(telegram.update(chatId, { voice: { file_id: 'voice' } }));
	};
	while (soak.isOn) {
		const act = soak.pick([
			async () => await say([text()]),
			async () => await say([text()]),
			async () => await say([text(), text(), text()]),
			async () => await say([file(), text()]),
			async () => await say([edit()]),
			choose,
			choose,
			choose,
			forge,
			voice,
		]);
		await act();
		await soak.pause(200, 1_500);
	}
}

async function beRepresentative(soak: Soak, answers: Map<string, Answer[]>): Promise<void> {
	const { desk } = soak.setup.emulator;
	let count = 0;
	while (soak.isOn) {
		await soak.pause(100, 400);
		const open = desk.list().filter(({ state }) => state === 'waiting' || state === 'active');
		if (open.length === 0) continue;
		const one = soak.pick(open);
		const { id, state, customerId } = one;
		if (state === 'waiting') desk.accept(id);
		else if (soak.chance(0.04)) {
			desk.wrapUp(id);
			desk.close(id);
		} else if (soak.chance(0.15)) desk.typing(id);
		else if (!waitsForCustomer(one)) {
			const number = count++;
			const said = `answer ${number} to ${customerId}`;
			const paper = `paper ${number} to ${customerId}.pdf`;
			const hasFile = soak.chance(0.2);
			const files = [{ name: paper, contentType: 'application/pdf', data: Buffer.from(said) }];
			const buttons = Array.from({ length: soak.pick([0, 0, 1, 2, 3]) }, (_, index) => ({
				type: 'imBack' as const,
				title: `Option ${number}.${index} of ${customerId}`,
				value: `choice ${number}.${index} of ${customerId}`,
			}));
			answers.set(id, [...(answers.get(id) ?? []), { parts: hasFile ? [said, paper] : [said] }]);
			desk.reply(id, { text: said, buttons, files: hasFile ? files : [] });
		}
	}
}

const show = (value: unknown): string => JSON.stringify(value);

const shownIn = ({ telegram }: Stage, chatId: number): string[] =>
	telegram.shown(chatId).map((text) => text.split('\n')[0] ?? '');

function checkCustomers(soak: Soak, stage: Stage, customers: Map<number, Customer>): Checks {
	const found = {
		all: 0,
		lost: 0,
		told: 0,
		twice: 0,
		onceMoreInANewOne: 0,
		astray: 0,
		outOfOrder: 0,
		notToldAtAKill: 0,
	};
	for (const [chatId, { words, voices, forged }] of customers) {
		const customerId = customerOf(chatId);
		const heard = soak.setup.emulator.desk
			.list()
			.filter((one) => one.customerId === customerId)
			.flatMap(({ messages, state }) =>
				messages.map((message) => ({ ...message, isOver: state === 'closed' })),
			)
			.filter((message) => message.from.id === customerId && !isAutomated(message))
			.map(({ text, attachments, isOver }) => ({ said: text || (attachments[0]?.name ?? ''), isOver }));
		const texts = heard.map(({ said }) => said);
		const shown = shownIn(stage, chatId);
		const told = shown.filter((text) => NOT_PASSED_ON.test(text)).length;
		found.all += words.length;
		found.told += told;
		found.lost += Math.max(0, words.filter(({ said }) => !texts.includes(said)).length - told);
		// An answer that was shown twice at a kill has its buttons twice: the same choice may be made twice.
		const countIn = (all: readonly string[], said: string) => all.filter((one) => one === said).length;
		const written = words.map(({ said }) => said);
		const again = heard.filter(
			({ said }, index) => countIn(texts.slice(0, index), said) >= Math.max(1, countIn(written, said)),
		);
		// What is left: words whose run was killed, and whose conversation was closed before Telegram sent them again.
		const isLeft = (said: string) => heard.find((one) => one.said === said)?.isOver === true;
		found.twice += again.filter(({ said }) => !isLeft(said)).length;
		found.onceMoreInANewOne += again.filter(({ said }) => isLeft(said)).length;
		found.astray += texts.filter((said) => !said.replace('.pdf', '').endsWith(` of ${customerId}`)).length;
		const places = texts.map((said) => words.find((one) => one.said === said)?.place ?? 0);
		const first = places.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
		if (!isInOrder(first)) {
			found.outOfOrder++;
			console.log(`  out of order: ${customerId} wrote ${show(words)}, and heard was ${show(texts)}`);
		}
		// What is left: a word to the customer is noted before it is sent, and not repeated if n8n is killed then.
		const declined = shown.filter(
			(text) => text.startsWith(CANNOT_PASS) || text.startsWith(NO_BUTTON),
		).length;
		found.notToldAtAKill += Math.max(0, voices + forged - declined);
	}
	console.log(`  customers: ${JSON.stringify(found)}`);
	return {
		'every word of a customer arrived, or they were told': found.all > 0 && found.lost === 0,
		once: found.twice === 0,
		'in their own conversation': found.astray === 0,
		'in order': found.outOfOrder === 0,
		'what cannot be passed on was told': found.notToldAtAKill <= soak.kills,
	};
}

/** What the deliveries said whose answer was cut off: they came again, most of them without an ID. */
function cutOff({ setup: { emulator } }: Soak): Set<unknown> {
	const deliveries = emulator.log.filter((entry) => entry.kind === 'delivery');
	const isCut = ({ status }: { status?: number }) => status === undefined || status === 502;
	return new Set(
		deliveries
			.filter(({ tries }) => tries.some(isCut))
			.map(({ activity }) => (activity as { text?: string }).text),
	);
}

function checkAnswers(soak: Soak, stage: Stage, answers: Map<string, Answer[]>): Checks {
	const { desk } = soak.setup.emulator;
	const found = {
		all: 0,
		told: 0,
		lost: 0,
		closedBeforeItWasTold: 0,
		twice: 0,
		twiceAtAKill: 0,
		astray: 0,
		outOfOrder: 0,
		farewells: 0,
		farewellsTwice: 0,
	};
	const wasCutOff = cutOff(soak);
	for (const [conversationId, all] of answers) {
		const conversation = desk.get(conversationId);
		const chatId = Number(conversation.customerId?.split('-')[1]);
		const parts = all.flatMap((answer) => answer.parts);
		const shown = shownIn(stage, chatId).filter((text) => parts.includes(text));
		const told = conversation.messages.filter(({ text }) => text.startsWith('(Automatic)')).length;
		const missing = all.filter((answer) => answer.parts.some((part) => !shown.includes(part))).length;
		found.all += all.length;
		found.told += told;
		const silent = Math.max(0, missing - told);
		if (isOver(conversation)) found.closedBeforeItWasTold += silent;
		else found.lost += silent;
		if (silent > 0) {
			const unseen = parts.filter((part) => !shown.includes(part));
			console.log(`  not shown and not told in ${conversationId}, ${conversation.state}: ${show(unseen)}`);
		}
		const again = shown.filter((text, index) => shown.indexOf(text) < index);
		const textOf = (part: string) => all.find((answer) => answer.parts.includes(part))?.parts[0];
		found.twice += again.filter((part) => !wasCutOff.has(textOf(part))).length;
		found.twiceAtAKill += again.filter((part) => wasCutOff.has(textOf(part))).length;
		const places = [...new Set(shown)].map((part) => parts.indexOf(part));
		found.outOfOrder += isInOrder(places) ? 0 : 1;
	}
	for (const { chatId, text, fileName, isShown } of stage.telegram.calls) {
		if (isShown && isAstray({ chatId, text, fileName })) found.astray++;
	}
	for (const chatId of CHATS) {
		const farewells = shownIn(stage, chatId).filter((text) => text.startsWith(FAREWELL)).length;
		const own = desk.list().filter(({ customerId }) => customerId === customerOf(chatId));
		found.farewells += farewells;
		found.farewellsTwice += Math.max(0, farewells - own.filter(isOver).length);
	}
	console.log(`  representatives: ${JSON.stringify(found)}`);
	return {
		'every answer was shown, or the representative was told': found.all > 0 && found.lost === 0,
		'hardly one was lost as the conversation was closed': found.closedBeforeItWasTold <= soak.kills,
		'each once': found.twice === 0,
		'to their own customer': found.astray === 0,
		'answers in order': found.outOfOrder === 0,
		'one farewell for each conversation': found.farewells > 0 && found.farewellsTwice <= soak.kills,
	};
}

const isOver = ({ state }: Conversation): boolean => state === 'closed';

function isAstray({ chatId, text, fileName }: Pick<TelegramCall, 'chatId' | 'text' | 'fileName'>): boolean {
	const [line = ''] = (text || fileName.replace('.pdf', '')).split('\n');
	return /^(answer|paper) \d/.test(line) && !line.endsWith(` to ${customerOf(chatId)}`);
}
