// Customers on Telegram, whose API is a stub, and representatives: each word once, in order, to whom it is for, or the person
// concerned is told the truth. Also with bursts, kills of n8n, a cut connection, and a PostgreSQL that is away.
import { randomBytes, randomUUID } from 'node:crypto';
import { Database, servicesFrom } from '../../../bench/queue/services';
import { Executions } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { waitUntilResponsive } from '../../../tools/n8n/withN8n';
import type { Filling } from '../../../tools/n8n/templates';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { inProduction, isAutomated, ownCredentials } from './channel';
import { type TemplateDatabase, withTables } from './database';
import { TelegramStub, TOKEN } from './telegramStub';

const NAME = 'telegram-to-representative';
const MEGABYTE = 1024 * 1024;

/** What the checks play with. */
export interface Stage {
	setup: N8nWithEmulator;
	telegram: TelegramStub;
	tables: TemplateDatabase;
	/** The production URL of the webhook, and the secret that Telegram sends along. */
	url: string;
	secret: string;
}

type Checks = Record<string, boolean>;

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** What a customer and a representative do, and what each of them sees. */
class Scene {
	constructor(readonly stage: Stage) {}

	get desk() {
		return this.stage.setup.emulator.desk;
	}

	update(chatId: number, message: object, options?: { isEdited?: boolean }): object {
		return this.stage.telegram.update(chatId, message, options);
	}

	async post(update: object): Promise<number> {
		const { telegram, url, secret } = this.stage;
		return await telegram.post(url, secret, update);
	}

	async delivers(update: object): Promise<number[]> {
		const { telegram, url, secret } = this.stage;
		return await telegram.deliver(url, secret, update);
	}

	/** The customer sends something, and Telegram repeats it until it is taken. */
	async sends(chatId: number, message: object, options?: { isEdited?: boolean }): Promise<number[]> {
		return await this.delivers(this.update(chatId, message, options));
	}

	shown(chatId: number): string[] {
		return this.stage.telegram.shown(chatId);
	}

	conversationOf(chatId: number) {
		return this.desk.list().findLast(({ customerId }) => customerId === `telegram-${chatId}`);
	}

	/** What the customer side said in all their conversations: texts, and names of files. */
	said(chatId: number): string[] {
		return this.desk
			.list()
			.filter(({ customerId }) => customerId === `telegram-${chatId}`)
			.flatMap(({ messages }) => messages)
			.filter((message) => message.from.id === `telegram-${chatId}` && !isAutomated(message))
			.map(({ text, attachments }) =>
				[text, ...attachments.map(({ name }) => name)].filter(Boolean).join(' · '),
			);
	}

	/** The automatic notices to the representative. */
	notices(conversationId: string): string[] {
		const conversation = this.desk.list().find(({ id }) => id === conversationId);
		return (conversation?.messages ?? []).filter(isAutomated).map(({ text }) => text);
	}

	/** A conversation that a customer has begun and a representative has accepted. */
	async begins(chatId: number): Promise<string> {
		await this.sends(chatId, { text: 'Hello' });
		const { id } = await waitFor('a conversation', 30_000, () => this.conversationOf(chatId));
		this.desk.accept(id, { agentName: 'Ana Lopes' });
		return id;
	}

	/** Waits until a chat shows so many things, and Dynamics has no more to deliver. */
	async shows(chatId: number, count: number): Promise<string[]> {
		await waitFor(`chat ${chatId} to show ${count}`, 60_000, () => this.shown(chatId).length >= count);
		await this.stage.setup.emulator.idle();
		return this.shown(chatId);
	}
}

export async function check(setup: N8nWithEmulator): Promise<Checks> {
	const { emulator } = setup;
	const { contextLagMs, delivery } = structuredClone(emulator.settings);
	try {
		return await onTelegram(setup, NAME, async (stage) => {
			const scene = new Scene(stage);
			const checks: Checks = {};
			const all = [wayIn, filesAndOddThings, wayOut, buttons, choices];
			for (const part of [...all, partsAndTrouble, ends, inTrouble, killed]) {
				await part(scene, checks);
			}
			return checks;
		});
	} finally {
		Object.assign(emulator.settings, { faults: [], contextLagMs, delivery });
	}
}

/**
 * Sets the template up as its page says, with a Telegram that is a stub, and passes what there is to `use`.
 * @param name a part of the database's name.
 */
export async function onTelegram<T>(
	setup: N8nWithEmulator,
	name: string,
	use: (stage: Stage) => Promise<T>,
): Promise<T> {
	const telegram = await new TelegramStub().start();
	try {
		return await withTables(setup, name, async (tables) => {
			const secret = randomUUID();
			const header = { name: 'X-Telegram-Bot-Api-Secret-Token', value: secret };
			const [telegramId, headerId] = [
				await makeCredential(setup.n8n, 'telegramApi', { accessToken: TOKEN, baseUrl: telegram.url }),
				await makeCredential(setup.n8n, 'httpHeaderAuth', header),
			];
			const credentials = {
				...ownCredentials(setup),
				...tables.credentials,
				'n8n-nodes-base.telegram': { type: 'telegramApi', id: telegramId },
				'n8n-nodes-base.webhook': { type: 'httpHeaderAuth', id: headerId },
			};
			return await inProduction(setup, NAME, { credentials }, async ({ urlOf }) => {
				const url = urlOf('When a customer writes on Telegram');
				return await inProduction(setup, `${NAME}-words`, { credentials }, async ({ id }) => {
					const filling: Filling = {
						credentials,
						set: ({ name: node, parameters }) => {
							if (node === 'Show the words') parameters.workflowId = { __rl: true, mode: 'id', value: id };
						},
					};
					// Last, as its trigger registers itself, and the other templates would take that away.
					return await inProduction(
						setup,
						`${NAME}-answers`,
						filling,
						async () => await use({ setup, telegram, tables, url, secret }),
					);
				});
			});
		});
	} finally {
		await telegram.close();
	}
}

async function wayIn(scene: Scene, checks: Checks): Promise<void> {
	const { stage } = scene;
	const kim = 4_711_000_001;
	const stranger = await stage.telegram.post(stage.url, 'wrong', scene.update(kim, { text: 'Hi' }));
	checks['who does not know the secret is refused'] = stranger === 403;
	const greeted = [await scene.sends(kim, { text: '/start' }), await scene.sends(kim, { text: '/help' })];
	checks['/start and /help are answered with a greeting, and open no conversation'] =
		same(greeted, [[200], [200]]) &&
		scene.shown(kim).length === 2 &&
		scene.shown(kim).every((text) => text.startsWith('Hello!')) &&
		scene.conversationOf(kim) === undefined;
	await scene.sends(kim, { text: '/start My heat pump is loud.' });
	checks['words behind /start are passed on'] =
		same(scene.said(kim), ['My heat pump is loud.']) && scene.shown(kim).length === 2;
	checks['the representative sees whose they are'] =
		scene.conversationOf(kim)?.customer.name === 'Kim Berger';

	const twice = scene.update(kim, { text: 'Only once' });
	const statuses = await Promise.all([scene.post(twice), scene.post(twice)]);
	const later = await scene.post(twice);
	checks['the same update at the same moment and later is said once, and each time answered 200'] =
		same([...statuses, later], [200, 200, 200]) &&
		scene.said(kim).filter((text) => text === 'Only once').length === 1;
	await scene.sends(kim, { text: 'ok' });
	await scene.sends(kim, { text: 'ok' });
	checks['the same words in two updates are said twice'] =
		scene.said(kim).filter((text) => text === 'ok').length === 2;

	const lee = 4_711_000_002;
	const burst = ['one', 'two', 'three', 'four', 'five'].map((text) => scene.update(lee, { text }));
	const answers = await Promise.all(
		burst.map(async (update, index) => {
			await new Promise((resolve) => setTimeout(resolve, index * 20));
			return await scene.post(update);
		}),
	);
	checks['five updates 20 ms apart come in order'] =
		answers.every((status) => status === 200) &&
		same(scene.said(lee), ['one', 'two', 'three', 'four', 'five']);

	await scene.sends(kim, { text: 'It is very loud' }, { isEdited: true });
	checks['an edited message is passed on as such'] = scene.said(kim).at(-1) === '(Edited) It is very loud';
	const attack =
		'{"conversationId":"c0ffee00-0000-4000-8000-000000000001"} {{ $json }} ={{ 1 + 1 }} <b>\'; DROP --';
	await scene.sends(kim, { text: attack });
	checks['a text that looks like JSON, an expression or SQL is only a text'] =
		scene.said(kim).at(-1) === attack;
}

async function filesAndOddThings(scene: Scene, checks: Checks): Promise<void> {
	const { files } = scene.stage.telegram;
	const sue = 4_711_000_003;
	files.set('pdf', { path: 'documents/file_12.pdf', data: randomBytes(500) });
	files.set('picture', { path: 'photos/file_7.jpg', data: randomBytes(500) });
	files.set('large', { path: 'documents/file_13.pdf', data: randomBytes(6 * MEGABYTE) });
	await scene.sends(sue, {
		document: { file_id: 'pdf', file_name: 'Grüße 1.pdf', mime_type: 'application/pdf' },
	});
	checks['a file keeps its own name'] = same(scene.said(sue), ['Grüße 1.pdf']);
	const { attachments = [] } = scene.conversationOf(sue)?.messages.at(-1) ?? {};
	checks['Dynamics gets no URL of Telegram, which has the token in it'] =
		attachments.length === 1 && !JSON.stringify(scene.desk.list()).includes(TOKEN);
	const album = [1, 2, 3].map((number) =>
		scene.update(sue, {
			media_group_id: '77',
			photo: [{ file_id: 'none' }, { file_id: 'picture' }],
			...(number === 1 && { caption: 'All three' }),
		}),
	);
	await Promise.all(
		[...album, scene.update(sue, { text: 'see the second' })].map((update) => scene.post(update)),
	);
	checks['an album and the words behind it come in order'] = same(scene.said(sue).slice(1), [
		'All three · file_7.jpg',
		'file_7.jpg',
		'file_7.jpg',
		'see the second',
	]);
	await scene.sends(sue, { document: { file_id: 'large', file_name: 'plan.pdf' } });
	await scene.sends(sue, { document: { file_id: 'unknown', file_name: 'film.pdf' } });
	checks['a file that is too large is told as such, without “try again”'] =
		scene.said(sue).length === 5 &&
		scene.shown(sue).length === 2 &&
		scene.shown(sue).every((text) => text.includes('too large') && !text.includes('some minutes'));
	await scene.sends(sue, { voice: { file_id: 'voice' } });
	checks['what cannot be passed on is told'] = scene.shown(sue).at(-1)?.startsWith('I can pass on') === true;

	const quiet = [scene.shown(sue).length, scene.desk.list().length];
	const ignored = [
		await scene.post(scene.update(sue, { pinned_message: { message_id: 1 } })),
		await scene.post(scene.update(sue, { location: { latitude: 1, longitude: 1 } }, { isEdited: true })),
		await scene.post(scene.update(sue, { chat: { id: -100, type: 'group' }, text: 'Hello group' })),
		await scene.post(scene.update(sue, { chat: { id: -100, type: 'group' }, new_chat_members: [{ id: 1 }] })),
		await scene.post({ update_id: 1, poll: {} }),
		await scene.post({}),
	];
	checks['groups, service messages and what is no message are left alone'] =
		ignored.every((status) => status === 200) &&
		same([scene.shown(sue).length, scene.desk.list().length], quiet);
}

async function wayOut(scene: Scene, checks: Checks): Promise<void> {
	const { telegram, setup } = scene.stage;
	const ada = 4_711_000_004;
	setup.emulator.settings.contextLagMs = 3_000;
	const id = await scene.begins(ada);
	scene.desk.typing(id);
	scene.desk.reply(id, { text: '**Set** it to *level 3*, if the noise is < 40 & > 30 dB. {{ 1 }}' });
	checks['the customer sees the answer, without Markdown, once'] = same(await scene.shows(ada, 1), [
		'Set it to level 3, if the noise is &lt; 40 &amp; &gt; 30 dB. {{ 1 }}',
	]);
	checks['and saw before that somebody types'] = telegram.calls.some(
		({ method, chatId }) => method === 'sendChatAction' && chatId === String(ada),
	);
	const files = [
		{ name: 'levels.png', contentType: 'image/png', data: randomBytes(100) },
		{ name: 'Handbuch für alle.pdf', contentType: 'application/pdf', data: randomBytes(100) },
		{ name: 'poster.png', contentType: 'image/png', data: Buffer.alloc(11 * MEGABYTE, 1) },
		{ name: 'strange.jpg', contentType: 'image/jpeg', data: randomBytes(100) },
	];
	scene.desk.reply(id, { text: 'Here they are.', files: files.slice(0, 3) });
	scene.desk.reply(id, { text: 'See page 3 of it' });
	checks['text and files come in order, with their names'] = same((await scene.shows(ada, 6)).slice(1), [
		'Here they are.',
		...files.slice(0, 3).map(({ name }) => name),
		'See page 3 of it',
	]);
	telegram.trouble(
		ada,
		{ status: 400, description: 'Bad Request: PHOTO_INVALID_DIMENSIONS' },
		{ method: 'sendPhoto' },
	);
	scene.desk.reply(id, { files: files.slice(3) });
	await scene.shows(ada, 7);
	const methodOf = (name: string) =>
		telegram.calls.findLast(({ fileName, isShown }) => isShown && fileName === name)?.method;
	checks['pictures are shown as pictures; large ones and ones that Telegram refuses as documents'] = same(
		files.map(({ name }) => methodOf(name)),
		['sendPhoto', 'sendDocument', 'sendDocument', 'sendDocument'],
	);

	const other = 4_711_000_005;
	const otherId = await scene.begins(other);
	for (const number of [1, 2, 3]) {
		scene.desk.reply(id, { text: `for Ada ${number}` });
		scene.desk.reply(otherId, { text: `for Lee ${number}` });
	}
	await scene.shows(ada, 10);
	checks['words go to the customer’s own chat, in order'] =
		same((await scene.shows(ada, 10)).slice(7), ['for Ada 1', 'for Ada 2', 'for Ada 3']) &&
		same(await scene.shows(other, 3), ['for Lee 1', 'for Lee 2', 'for Lee 3']);

	await scene.stage.tables.database.rows('DELETE FROM dynamics365.conversations WHERE conversation_id = $1', [
		otherId,
	]);
	scene.desk.reply(otherId, { text: 'still there' });
	checks['a conversation that the table does not know is found by its context'] =
		(await scene.shows(other, 4)).at(-1) === 'still there';

	const nobodys = await startConversation(await connect(setup.emulator), { startmessage: { message: 'Hi' } });
	scene.desk.accept(nobodys);
	scene.desk.reply(nobodys, { text: 'Who are you?' });
	await setup.emulator.idle();
	checks['words for somebody who is not on Telegram are told to the representative, once'] =
		scene.notices(nobodys).length === 1 && scene.notices(nobodys)[0]!.includes('was not begun on Telegram');
}

async function buttons(scene: Scene, checks: Checks): Promise<void> {
	const { telegram, setup } = scene.stage;
	const una = 4_711_000_041;
	const id = await scene.begins(una);
	const labels = () => telegram.buttons(una).map(({ text }) => text);
	const manual = {
		type: 'openUrl',
		title: 'The manual',
		value: 'https://example.com/manual?page=3',
	} as const;
	scene.desk.reply(id, { text: 'Which **pump**?', buttons: ['Small', 'Large', manual] });
	await scene.shows(una, 1);
	checks['buttons come as an inline keyboard below the words, links as links'] =
		same(scene.shown(una), ['Which pump?']) &&
		same(labels(), ['Small', 'Large', 'The manual']) &&
		same(
			telegram.buttons(una).map(({ url, callback_data: data }) => [url, typeof data]),
			[
				[undefined, 'string'],
				[undefined, 'string'],
				[manual.value, 'undefined'],
			],
		);
	const dozen = Array.from({ length: 12 }, (_, index) => `Choice ${index + 1}`);
	scene.desk.reply(id, { text: 'One of many', buttons: dozen });
	checks['more than eight come in another message'] =
		same((await scene.shows(una, 3)).slice(1), ['One of many', 'Please choose:']) &&
		same(labels().slice(3), dozen);
	const odd = [
		{ type: 'openUrl', title: 'Call us', value: 'tel:+4930123456' },
		{ type: 'openUrl', title: 'Inside', value: 'http://intranet/page' },
	] as const;
	scene.desk.reply(id, { text: 'Or else', buttons: [...odd, 'Later'] });
	checks['a link that Telegram does not take is written below the words'] =
		same((await scene.shows(una, 4)).slice(3), [
			'Or else\n\n- Call us: tel:+4930123456\n- Inside: http://intranet/page',
		]) && same(labels().slice(15), ['Later']);
	telegram.trouble(una, { status: 400, description: 'Bad Request: BUTTON_URL_INVALID' });
	scene.desk.reply(id, { text: 'Look', buttons: [manual, 'No'] });
	checks['buttons that Telegram refuses all the same come as words'] =
		same((await scene.shows(una, 5)).slice(4), [`Look\n\n- The manual: ${manual.value}\n- No`]) &&
		labels().length === 16;
	const hero = 'application/vnd.microsoft.card.hero';
	const card = (title: string, button: string) => ({
		contentType: hero,
		content: { title, buttons: [{ type: 'imBack', title: button, value: button }] },
	});
	scene.desk.reply(id, { card: card('Your order', 'Where is it?') });
	scene.desk.reply(id, { text: 'And this', card: card('Another order', 'And this one?') });
	checks['the words and the buttons of cards are shown, also below a text'] =
		same((await scene.shows(una, 7)).slice(5), ['Your order', 'And this\n\nAnother order']) &&
		same(labels().slice(16), ['Where is it?', 'And this one?']);
	checks['and nobody is told of any trouble'] = scene.notices(id).length === 0;
	await setup.emulator.idle();
}

async function choices(scene: Scene, checks: Checks): Promise<void> {
	const { telegram, setup } = scene.stage;
	const [uma, eli] = [4_711_000_042, 4_711_000_043];
	const [umaId, eliId] = [await scene.begins(uma), await scene.begins(eli)];
	const long = `My answer is long: ${'ä'.repeat(500)} {{ 1 }} '); --`;
	const button = { type: 'imBack', title: 'A long one', value: long } as const;
	scene.desk.reply(umaId, { text: 'Yes?', buttons: ['Yes', 'No', button] });
	await scene.shows(uma, 1);
	const [yes, no, other] = telegram.buttons(uma).map(({ callback_data: data }) => data);
	const answered = (update: object) =>
		telegram.queries.get((update as { callback_query: { id: string } }).callback_query.id);

	const pressed = telegram.choice(uma, yes);
	const statuses = await Promise.all([scene.post(pressed), scene.post(pressed)]);
	const again = [await scene.post(pressed), await scene.post(pressed)];
	checks['a choice is said to the representative as text, and the same one twice is said once'] =
		same([...statuses, ...again], [200, 200, 200, 200]) && same(scene.said(uma), ['Hello', 'Yes']);
	checks['Telegram is told that it was taken, so that the button comes to rest'] =
		answered(pressed)?.includes('Sent: Yes') === true;
	const twice = [telegram.choice(uma, no), telegram.choice(uma, no)];
	await Promise.all(twice.map((update) => scene.post(update)));
	checks['a button that is pressed twice is said once, and the customer sees that'] =
		same(scene.said(uma), ['Hello', 'Yes', 'No']) &&
		same(twice.map((update) => answered(update)?.join()).toSorted(), [
			'Sent: No',
			'You have chosen this already.',
		]);
	await scene.delivers(telegram.choice(uma, other));
	checks['a button says its value, however long it is'] = scene.said(uma).at(-1) === long;

	const forged = [
		yes,
		'1:0',
		'999999999999:0',
		`${String(no).split(':')[0]}:7`,
		'Yes',
		'',
		undefined,
		{ a: 1 },
	];
	const made = forged.map((data) => telegram.choice(eli, data));
	const taken = [];
	for (const update of made) taken.push(await scene.delivers(update));
	checks['data that somebody makes up, also of another chat, says nothing to anybody'] =
		taken.every((tries) => same(tries, [200])) &&
		same(scene.said(eli), ['Hello']) &&
		scene.said(uma).length === 4;
	checks['and they are told that this button does not work'] =
		same(
			scene.shown(eli),
			forged.map(() => 'This button does not work any more. Please write it to us.'),
		) && made.every((update) => answered(update)?.length === 1);
	const group = { ...(telegram.choice(uma, yes) as { callback_query: object }) };
	group.callback_query = { ...group.callback_query, message: { chat: { id: -100, type: 'group' } } };
	checks['choices in groups are left alone'] =
		(await scene.post(group)) === 200 && scene.said(uma).length === 4;

	scene.desk.reply(eliId, { text: 'And you?', buttons: ['Fine', 'Bad'] });
	await scene.shows(eli, forged.length + 1);
	const [fine, bad] = telegram.buttons(eli).map(({ callback_data: data }) => data);
	const match = { operationId: 'sendActivity', conversationId: eliId };
	setup.emulator.settings.faults = [{ match, action: 'resetAfter', times: 1 }];
	const tries = await scene.delivers(telegram.choice(eli, fine));
	checks['a choice whose arrival is uncertain comes again from Telegram, and is said once'] =
		same(tries, [503, 200]) && same(scene.said(eli), ['Hello', 'Fine']);
	setup.emulator.settings.faults = [{ match, action: { status: 400 }, times: 1 }];
	await scene.delivers(telegram.choice(eli, bad));
	const told = scene.shown(eli).at(-1);
	await scene.delivers(telegram.choice(eli, bad));
	setup.emulator.settings.faults = [];
	checks['where a choice is not passed on the customer is told so, and may choose it again'] =
		told?.startsWith('Sorry, this did not reach us') === true &&
		same(scene.said(eli), ['Hello', 'Fine', 'Bad']);
	scene.desk.close(eliId);
	await scene.shows(eli, forged.length + 3);
}

async function partsAndTrouble(scene: Scene, checks: Checks): Promise<void> {
	const { telegram, setup } = scene.stage;
	const joe = 4_711_000_006;
	const id = await scene.begins(joe);
	const family = '👨‍👩‍👧‍👦';
	const long = family.repeat(500) + ' and '.repeat(100);
	scene.desk.reply(id, { text: long });
	const parts = await scene.shows(joe, 2);
	checks['a long text comes whole, in parts of at most 4,096 characters'] =
		parts.join('') === long.trim() && parts.every(({ length }) => length <= 4_096);
	checks['and is cut between characters that are whole'] = parts.every((part) =>
		/^(👨‍👩‍👧‍👦)*( ?and ?)*$/u.test(part.replaceAll('  ', ' ')),
	);
	const lines = `${'a'.repeat(3_000)}\n${'b'.repeat(3_000)}`;
	scene.desk.reply(id, { text: lines });
	checks['and rather at the end of a line'] = same(
		(await scene.shows(joe, parts.length + 2)).slice(parts.length).map(({ length }) => length),
		[3_001, 3_000],
	);

	const before = scene.shown(joe).length;
	const tooMany = (retryAfter: number) => ({
		status: 429,
		description: `Too Many Requests: retry after ${retryAfter}`,
		retryAfter,
	});
	telegram.trouble(joe, tooMany(2));
	scene.desk.reply(id, { text: 'after a pause' });
	scene.desk.reply(id, { text: 'and after that' });
	const paused = (await scene.shows(joe, before + 2)).slice(before);
	const tries = telegram.calls.filter(({ text }) => text === 'after a pause');
	checks['a 429 of Telegram is waited for, and the order is kept'] =
		same(paused, ['after a pause', 'and after that']) &&
		tries.length === 2 &&
		tries[1]!.at - tries[0]!.at >= 1_900 &&
		scene.notices(id).length === 0;
	telegram.trouble(joe, tooMany(60));
	scene.desk.reply(id, { text: 'too soon' });
	await setup.emulator.idle();
	checks['a longer 429 is told to the representative, with the time'] =
		scene.notices(id).length === 1 && /was not shown .* 60 seconds/.test(scene.notices(id)[0]!);

	telegram.trouble(joe, 'cutAfter', { method: 'sendPhoto' });
	const picture = { name: 'one.png', contentType: 'image/png', data: randomBytes(50) };
	const manual = { name: 'two.pdf', contentType: 'application/pdf', data: randomBytes(50) };
	scene.desk.reply(id, { text: 'Two files', files: [picture, manual] });
	await setup.emulator.idle();
	checks['a cut connection is “may not have been shown”, and stops the parts behind it'] =
		same(scene.shown(joe).slice(-2), ['Two files', 'one.png']) &&
		scene.notices(id).length === 2 &&
		scene.notices(id)[1]!.includes('Part 2 of 3 (one.png) of your last message may not have been shown') &&
		scene.notices(id)[1]!.includes('What comes after it was not shown.');

	const gone = 4_711_000_007;
	const goneId = await scene.begins(gone);
	telegram.trouble(
		gone,
		{ status: 403, description: 'Forbidden: bot was blocked by the user' },
		{ times: 99 },
	);
	scene.desk.reply(goneId, { text: 'Are you there?', files: [manual] });
	await setup.emulator.idle();
	checks['the representative is told where Telegram refuses, and why; parts behind it are not tried'] =
		same(scene.shown(gone), []) &&
		scene.notices(goneId).length === 1 &&
		scene.notices(goneId)[0]!.includes('Part 1 of 2 of your last message was not shown') &&
		scene.notices(goneId)[0]!.includes('bot was blocked by the user') &&
		!telegram.calls.some(({ chatId, method }) => chatId === String(gone) && method === 'sendDocument');
	const told = await scene.sends(gone, { voice: { file_id: 'voice' } });
	checks['what cannot be told to the customer keeps nothing from Telegram for long'] =
		told.at(-1) === 200 && told.length <= 2;

	const { faults } = setup.emulator.settings;
	const deaf = 4_711_000_008;
	const deafId = await scene.begins(deaf);
	telegram.trouble(
		deaf,
		{ status: 403, description: 'Forbidden: bot was blocked by the user' },
		{ times: 99 },
	);
	faults.push({
		match: { operationId: 'sendActivity', conversationId: deafId },
		action: { status: 404 },
		times: 1,
	});
	scene.desk.reply(deafId, { text: 'Hello?' });
	await setup.emulator.idle();
	checks['where the representative cannot be told, Dynamics sends it again, and then they are told once'] =
		scene.notices(deafId).length === 1 && scene.notices(deafId)[0]!.includes('was not shown');
}

async function ends(scene: Scene, checks: Checks): Promise<void> {
	const chats = [4_711_000_011, 4_711_000_012, 4_711_000_013];
	const ids = await Promise.all(chats.map((chat) => scene.begins(chat)));
	for (const id of ids) scene.desk.close(id);
	await Promise.all(chats.map((chat) => scene.shows(chat, 1)));
	checks['three conversations that end together have one farewell each'] = chats.every(
		(chat) =>
			scene.shown(chat).length === 1 && scene.shown(chat)[0]!.startsWith('This conversation is closed.'),
	);
	await scene.sends(chats[0]!, { text: 'One more thing' });
	checks['what is written after it opens another conversation'] =
		scene.conversationOf(chats[0]!)?.id !== ids[0] && scene.said(chats[0]!).at(-1) === 'One more thing';
}

async function inTrouble(scene: Scene, checks: Checks): Promise<void> {
	const { settings } = scene.stage.setup.emulator;
	const max = 4_711_000_021;
	settings.faults = [{ match: { operationId: 'createConversation' }, action: { status: 400 }, times: 1 }];
	const refused = scene.update(max, { text: 'Hello' });
	const statuses = [await scene.post(refused), await scene.post(refused)];
	checks['what Dynamics refuses is told to the customer, once, and no more tried'] =
		same(statuses, [200, 200]) &&
		scene.shown(max).length === 1 &&
		scene.shown(max)[0]!.includes('does not help') &&
		scene.said(max).length === 0;

	const id = await scene.begins(max);
	const match = { operationId: 'sendActivity', conversationId: id };
	for (const action of ['resetAfter', 'resetBefore'] as const) {
		settings.faults = [{ match, action, times: 1 }];
		const tries = await scene.sends(max, { text: `Did you hear ${action}?` });
		checks[`where it is uncertain (${action}), Telegram repeats it, and it is said once`] =
			same(tries, [503, 200]) &&
			scene.said(max).filter((text) => text === `Did you hear ${action}?`).length === 1;
	}
	settings.faults = [];
	await scene.sends(max, { text: 'ok' });
	settings.faults = [{ match, action: 'resetBefore', times: 1 }];
	await scene.sends(max, { text: 'ok' });
	checks['the same words of an earlier message are not taken for those in doubt'] =
		scene.said(max).filter((text) => text === 'ok').length === 2;
	settings.faults = [
		{ match, action: 'resetBefore', times: 1 },
		{ match: { operationId: 'listMessages' }, action: { status: 400 }, times: 1 },
	];
	await scene.sends(max, { text: 'Lost?', date: Math.floor(Date.now() / 1000) - 3_600 });
	settings.faults = [];
	checks['where it cannot be looked up either, the customer hears that it is not certain'] =
		scene.shown(max).at(-1)?.startsWith('It is not certain') === true;

	const { postgres } = servicesFrom(process.env);
	const { database } = scene.stage.tables;
	const admin = await Database.create(postgres, `${database.name}_admin`);
	try {
		await allowConnections(admin, database.name, false);
		const update = scene.update(max, { text: 'While the database is away' });
		const away = await scene.post(update);
		await allowConnections(admin, database.name, true);
		const back = await scene.delivers(update);
		checks['while PostgreSQL is away Telegram is asked to repeat it, and then it is said once'] =
			away === 503 &&
			back.at(-1) === 200 &&
			scene.said(max).filter((text) => text === 'While the database is away').length === 1;
		await allowConnections(admin, database.name, false);
		scene.desk.reply(id, { text: 'Said while it is away' });
		await new Promise((resolve) => setTimeout(resolve, 500));
		await allowConnections(admin, database.name, true);
		await waitFor('the reply', 30_000, () => scene.shown(max).includes('Said while it is away'));
		checks['and what a representative says meanwhile is shown once'] =
			scene.shown(max).filter((text) => text === 'Said while it is away').length === 1;
	} finally {
		await admin.drop();
	}
}

async function killed(scene: Scene, checks: Checks): Promise<void> {
	const { setup, telegram } = scene.stage;
	const { settings } = setup.emulator;
	const again = async () => {
		await setup.restart('kill');
		await waitUntilResponsive(setup.n8n.url);
	};
	const [eve, bob, dan] = [4_711_000_031, 4_711_000_032, 4_711_000_033];
	const [eveId, bobId, danId] = [await scene.begins(eve), await scene.begins(bob), await scene.begins(dan)];
	// As behind the proxy of deploy/, which holds deliveries while n8n starts.
	Object.assign(settings.delivery, { tries: 60, retryDelayMs: 2_000 });
	settings.faults = [
		{ match: { operationId: 'sendActivity', conversationId: eveId }, action: { delayMs: 6_000 }, times: 1 },
	];
	const post = scene.delivers(scene.update(eve, { text: 'Said in the moment of the kill' }));
	telegram.trouble(bob, { status: 429, description: 'Too Many Requests: retry after 5', retryAfter: 5 });
	telegram.trouble(dan, { delayMs: 6_000 });
	scene.desk.reply(bobId, { text: 'Shown after the kill' });
	scene.desk.reply(danId, { text: 'Shown in the moment of the kill' });
	await waitFor('all three to be on their way', 30_000, () =>
		[bob, dan].every((chat) => telegram.calls.some(({ chatId }) => chatId === String(chat))),
	);
	await new Promise((resolve) => setTimeout(resolve, 1_000));
	await again();
	const statuses = await post;
	await setup.emulator.idle();
	checks['killed in mid-post: Telegram repeats it, and it is said once'] =
		statuses.length > 1 && scene.said(eve).filter((text) => text.startsWith('Said in')).length === 1;
	checks['killed while it waits for Telegram: it is shown afterwards, once'] =
		same(scene.shown(bob), ['Shown after the kill']) && scene.notices(bobId).length === 0;
	checks['killed while it is being shown: not shown twice, and the representative is told'] =
		same(scene.shown(dan), ['Shown in the moment of the kill']) &&
		scene.notices(danId).length === 1 &&
		scene.notices(danId)[0]!.includes('may not have been shown');

	const executions = new Executions(setup.n8n);
	await executions.waitUntilIdle();
	const marks = await scene.stage.tables.database.rows<{ state: string }>(
		`SELECT DISTINCT state FROM dynamics365.messages WHERE number IS NOT NULL`,
	);
	checks['nothing that was begun is left open in the tables'] = same(marks, [{ state: 'done' }]);
}

/** Lets nobody into a database, and ends the connections that there are; or lets everybody in again. */
async function allowConnections(admin: Database, name: string, isAllowed: boolean): Promise<void> {
	await admin.rows(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS ${isAllowed}`);
	if (isAllowed) return;
	await admin.rows('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
}
