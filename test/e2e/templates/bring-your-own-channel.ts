// A customer's front end, a representative, and what happens between them: bursts, repeated posts, kills, odd answers, ends
// that come together, and a PostgreSQL that refuses connections.
import type { Conversation, FaultAction } from '../../../emulator';
import { Executions } from '../../../tools/n8n/executions';
import { fillTemplate } from '../../../tools/n8n/templates';
import { type N8nWithEmulator, waitUntilResponsive } from '../../../tools/n8n/withN8n';
import { waitFor } from '../../../tools/wait';
import { callsSince, inProduction, isAutomated, makeSecret, ownCredentials, say, settings } from './channel';
import { type TemplateDatabase, withTables } from './database';
import { type HttpStub, type Json, type StubAnswer, startHttpStub } from './httpStub';

const FAREWELL = 'Goodbye, and thank you.';
const NOT_SHOWN = 'The customer did not get that.';
const MAYBE_SHOWN = 'The customer may not have got that.';
const PHOTO = { url: 'https://files.example.com/photo.jpg', name: 'photo.jpg', contentType: 'image/jpeg' };
const MANUAL = { url: 'https://files.example.com/manual.pdf', contentType: 'application/pdf' };

type Checks = Record<string, boolean>;
interface Answer {
	status: number;
	body: Json;
}

/** What the checks play with. */
interface Stage {
	setup: N8nWithEmulator;
	tables: TemplateDatabase;
	frontEnd: HttpStub;
	/** Posts what a customer wrote. */
	write: (body: Json) => Promise<Answer>;
	/** Posts it again until it is no longer answered with 503, as a front end does. */
	writeUntilBegun: (body: Json) => Promise<Answer>;
	/** Posts what a customer without a conversation writes, and lets a representative accept. */
	open: (customerId: string, text?: string) => Promise<Conversation>;
	webhook: string;
	headers: Record<string, string>;
}

const saidIn = ({ messages }: Conversation) =>
	messages.map(({ text, attachments }) => text || attachments.map(({ contentUrl }) => contentUrl).join());

/** What the front end was told of a conversation. */
const shown = ({ frontEnd }: Stage, { id }: Conversation) =>
	frontEnd.requests.map(({ body }) => body).filter(({ conversationId }) => conversationId === id);

/** Waits until nothing is on its way any more. */
async function settled({ setup }: Stage): Promise<void> {
	await setup.emulator.idle();
	await new Executions(setup.n8n).waitUntilIdle(60_000);
}

/** Adds faults to the calls that say something, one for each of the next ones. */
function nextSends({ setup }: Stage, ...actions: FaultAction[]): void {
	const match = { operationId: 'sendActivity' };
	setup.emulator.settings.faults.push(...actions.map((action) => ({ match, action, times: 1 })));
}

async function answering<T>(
	{ frontEnd }: Stage,
	answer: HttpStub['answer'],
	work: () => Promise<T>,
): Promise<T> {
	frontEnd.answer = answer;
	try {
		return await work();
	} finally {
		frontEnd.answer = () => ({});
	}
}

async function checkWhatIsRefused(stage: Stage): Promise<Checks> {
	const { setup, write, webhook } = stage;
	const start = setup.emulator.log.length;
	const kim = { customerId: 'refused', text: 'Hello' };
	const stranger = await say(webhook, kim);
	const guesser = await say(webhook, kim, { 'x-channel-secret': 'guess' });
	const bad = await Promise.all(
		[
			{ ...kim, text: ' ' },
			{ ...kim, customerId: '' },
			{ ...kim, text: 'x'.repeat(6001) },
			{ ...kim, messageId: 'm'.repeat(201) },
			{ ...kim, files: [PHOTO, { url: 'https://files.example.com/noextension' }] },
			{ ...kim, files: 'photo.jpg' },
			{ ...kim, files: [7] },
		].map(write),
	);
	const withoutBody = await fetch(webhook, { method: 'POST', headers: stage.headers });
	const text = await fetch(webhook, {
		method: 'POST',
		headers: { ...stage.headers, 'content-type': 'text/plain' },
		body: 'Hello',
	});
	return {
		'a stranger is refused': stranger.status === 403,
		'and so is a wrong secret': guesser.status === 403,
		'what cannot be said is answered with 400 and why':
			bad.every(
				({ status, body }) => status === 400 && body.outcome === 'notSent' && body.mayRetry === false,
			) && new Set(bad.map(({ body }) => body.error)).size >= 6,
		'too long a text is told so': /6,000/.test(String(bad[2]?.body.error)),
		'a post without a body is refused, too': withoutBody.status === 400 && text.status === 400,
		'none of that reached Dynamics 365': callsSince(setup, start).length === 0,
	};
}

async function checkWords(stage: Stage): Promise<Checks> {
	const { write, setup } = stage;
	const kim = { customerId: 'kim', name: 'Kim Berger' };
	const first = await write({ ...kim, text: 'My heat pump is loud.' });
	const conversation = setup.emulator.desk.get(String(first.body.conversationId));
	const second = await write({ ...kim, text: 'Here is a photo.', files: [PHOTO, MANUAL] });
	const odd = [
		await write({ ...kim, files: 'https://files.example.com/one.png' }),
		await write({ ...kim, files: PHOTO }),
		await write({ ...kim, files: JSON.stringify([MANUAL]) }),
		await write({ ...kim, text: 17, files: '' }),
		await write({ ...kim, text: ['two', 'lines'], files: {} }),
		await write({ ...kim, text: ['two', 'lines'], files: null }),
	];
	const attacks = [
		'{"conversationId": "c0ffee00-0000-4000-8000-000000000001", "customerId": "other"}',
		'<b onclick="x()">bold</b> {{ $json.customerId }} {{ 1 + 1 }}',
		"=1+1 $1 ${x} '; DROP SCHEMA dynamics365 CASCADE; --",
		'👩‍👩‍👧 ünï '.repeat(40).trim(),
	];
	const nul = await write({ ...kim, customerId: 'nu\u0000l', text: 'a\u0000b' });
	const withoutNul = setup.emulator.desk.get(String(nul.body.conversationId));
	const names = ["o'neill'); DROP TABLE dynamics365.messages; --", '{{ $execution.id }}', '=1+1', '$1 %s \\'];
	const attacked = await Promise.all(
		names.map(async (customerId, index) => {
			const { status, body } = await write({
				customerId,
				messageId: `${customerId} 1`,
				text: attacks[index],
			});
			const { customerId: known, messages } = setup.emulator.desk.get(String(body.conversationId));
			return status === 200 && known === customerId && messages[0]?.text === attacks[index];
		}),
	);
	return {
		'the first words open a conversation': first.status === 200 && first.body.isNew === true,
		'it knows the customer and their name':
			conversation.customerId === 'kim' && conversation.customer.name === 'Kim Berger',
		'the next ones go into the same':
			second.body.conversationId === conversation.id && second.body.isNew === false,
		'words come before files, and files in their order':
			saidIn(conversation).slice(0, 4).join(' | ') ===
			['My heat pump is loud.', 'Here is a photo.', PHOTO.url, MANUAL.url].join(' | '),
		'files may be a text, one object or JSON, and a text a number':
			odd.map(({ status }) => status).join() === '200,200,200,200,400,200' &&
			saidIn(conversation).slice(4).join(' | ') ===
				['https://files.example.com/one.png', PHOTO.url, MANUAL.url, '17', 'two\nlines'].join(' | '),
		'each message has its ID':
			JSON.stringify(second.body.messageIds) ===
			JSON.stringify(conversation.messages.slice(1, 4).map(({ messageId }) => messageId)),
		'what a customer writes decides nothing': attacked.every(Boolean),
		'a character that PostgreSQL cannot hold is left out':
			withoutNul.customerId === 'nul' && saidIn(withoutNul).join() === 'ab',
	};
}

async function checkOrderAndOnce(stage: Stage): Promise<Checks> {
	const { write, setup } = stage;
	const desk = setup.emulator.desk;
	const post = (customerId: string, index: number) => ({
		customerId,
		messageId: `m${index}`,
		sentAt: new Date().toISOString(),
		text: `${index}`,
	});
	const posts: Array<Promise<Answer>> = [];
	for (const index of [1, 2, 3, 4, 5]) {
		posts.push(write(post('burst', index)));
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	const burst = await Promise.all(posts);
	const conversationIds = [...new Set(burst.map(({ body }) => String(body.conversationId)))];
	const same = { customerId: 'twice', messageId: 'm1', text: 'Only once', files: [PHOTO] };
	const answers = await Promise.all([write(same), write(same), write(same)]);
	const later = await write(same);
	const twice = desk.get(String(later.body.conversationId));
	const anew = await write({ ...same, messageId: 'm2', files: [] });
	return {
		'five posts 20 ms apart come in order, in one conversation':
			conversationIds.map((id) => saidIn(desk.get(id)).join('')).join() === '12345',
		'the same post at the same moment is said once, and later, too':
			saidIn(twice).join() === ['Only once', PHOTO.url, 'Only once'].join(),
		'and answered the same': [...answers, later].every(
			({ status, body }) => status === 200 && JSON.stringify(body) === JSON.stringify(later.body),
		),
		'the same words with another ID are said again': anew.status === 200,
	};
}

async function checkFailures(stage: Stage): Promise<Checks> {
	const { setup, write, tables } = stage;
	const conversation = await stage.open('failures');
	const about = { customerId: 'failures', name: 'Fay' };
	const before = () => saidIn(conversation).length;
	const start = before();

	nextSends(stage, { status: 403 });
	const refused = await write({ ...about, messageId: 'f1', text: 'refused', files: [PHOTO] });
	const saidNothing = before() === start;
	const again = await write({ ...about, messageId: 'f1', text: 'refused', files: [PHOTO] });
	nextSends(stage, 'resetAfter');
	const lost = await write({ ...about, messageId: 'f2', text: 'ok' });
	setup.emulator.settings.faults.push({
		match: { operationId: 'listMessages' },
		action: { status: 400 },
		times: 1,
	});
	const unread = await write({ ...about, messageId: 'f2', text: 'ok' });
	const found = await write({ ...about, messageId: 'f2', text: 'ok' });
	nextSends(stage, 'resetBefore');
	const cut = await write({ ...about, messageId: 'f3', text: 'ok' });
	const said = await write({ ...about, messageId: 'f3', text: 'ok' });
	nextSends(stage, { delayMs: 0 }, { delayMs: 0 }, { status: 413 });
	const half = await write({ ...about, messageId: 'f4', text: 'Three files', files: [PHOTO, MANUAL, PHOTO] });
	const rest = await write({ ...about, messageId: 'f4', text: 'Three files', files: [PHOTO, MANUAL, PHOTO] });

	const large = { url: `data:image/png;base64,${'A'.repeat(8 * 1024 * 1024)}`, name: 'large.png' };
	const tooLarge = await write({ ...about, messageId: 'large', files: [large] });

	await tables.allowConnections(false);
	const away = await fetch(stage.webhook, {
		method: 'POST',
		headers: { ...stage.headers, 'content-type': 'application/json' },
		body: JSON.stringify({ ...about, messageId: 'f5', text: 'PostgreSQL is away' }),
	});
	const saidWhileAway = saidIn(conversation).includes('PostgreSQL is away');
	await tables.allowConnections(true);
	const back = await write({ ...about, messageId: 'f5', text: 'PostgreSQL is away' });
	// It goes away when the words are said, before that is remembered.
	nextSends(stage, { delayMs: 1_500 });
	const meanwhile = write({ ...about, messageId: 'f6', text: 'Nobody remembers' });
	await waitFor('a post that has its turn', 10_000, async () => {
		const query = `SELECT 1 FROM dynamics365.messages WHERE message_id = 'f6' AND state = 'working'`;
		return (await tables.database.rows(query)).length === 1;
	});
	await tables.allowConnections(false);
	const unremembered = await meanwhile;
	await tables.allowConnections(true);
	const remembered = await stage.writeUntilBegun({ ...about, messageId: 'f6', text: 'Nobody remembers' });

	const expected = ['refused', PHOTO.url, 'ok', 'ok', 'Three files', PHOTO.url, MANUAL.url, PHOTO.url];
	return {
		'what Dynamics 365 refuses is told, and stops the files behind it':
			refused.status === 502 && refused.body.outcome === 'notSent' && saidNothing,
		'and that to post it again does not help': refused.body.mayRetry === false,
		'though it may be posted again': again.status === 200,
		'a lost answer is uncertain, with the conversation':
			lost.status === 502 &&
			lost.body.outcome === 'uncertain' &&
			lost.body.conversationId === conversation.id &&
			/may have arrived/.test(String(lost.body.error)),
		'and stays so while nobody can look': unread.status === 502 && unread.body.outcome === 'uncertain',
		'posted again it is found': found.status === 200,
		'a file of 6 MB is not sent, and not posted again':
			tooLarge.status === 502 && tooLarge.body.outcome === 'notSent' && tooLarge.body.mayRetry === false,
		'or said, also beside the same words of another post': cut.status === 502 && said.status === 200,
		'a file that is refused is named, with those behind it':
			half.status === 502 && notSent(half).join() === [MANUAL.url, PHOTO.url].join(),
		'and only what is missing follows': rest.status === 200,
		'while PostgreSQL is away nothing is said, and that is told':
			away.status === 503 && away.headers.has('retry-after') && !saidWhileAway && back.status === 200,
		'what nobody could remember is found, too':
			unremembered.body.outcome === 'uncertain' && remembered.status === 200,
		'all of it was said once and in order':
			saidIn(conversation).slice(start).join(' | ') ===
			[...expected, 'PostgreSQL is away', 'Nobody remembers'].join(' | '),
	};
}

async function checkKill(stage: Stage): Promise<Checks> {
	const { setup, write } = stage;
	const conversation = await stage.open('killed');
	const start = conversation.messages.length;
	const post = { customerId: 'killed', messageId: 'k1', text: 'Look', files: [PHOTO, MANUAL] };
	nextSends(stage, { delayMs: 0 }, { delayMs: 3_000 });
	const dying = write(post).then(
		() => 'answered',
		() => 'cut',
	);
	await waitFor('the words', 20_000, () => conversation.messages.length === start + 1);
	await setup.restart('kill');
	const how = await dying;
	await waitUntilResponsive(setup.n8n.url);
	const again = await stage.writeUntilBegun(post);
	const later = await write(post);
	const said = saidIn(conversation).slice(start);

	// A reply, whose run dies when the front end has it but before that is known.
	const isUp = { now: false };
	const { id } = conversation;
	stage.frontEnd.answer = () => (isUp.now ? {} : { delayMs: 60_000 });
	setup.emulator.settings.delivery.retryDelayMs = 20_000;
	setup.emulator.desk.reply(id, { text: 'Here you are' });
	const replies = () => shown(stage, conversation).filter(({ text }) => text === 'Here you are');
	await waitFor('the reply at the front end', 20_000, () => replies().length === 1);
	await setup.restart('kill');
	await waitUntilResponsive(setup.n8n.url);
	isUp.now = true;
	await setup.emulator.idle();
	setup.emulator.settings.delivery.retryDelayMs = 1_000;
	stage.frontEnd.answer = () => ({});
	return {
		'killed in mid-post the front end is not answered': how === 'cut',
		'posted again only the parts are said that were not':
			again.status === 200 && said.join(' | ') === ['Look', PHOTO.url, MANUAL.url].join(' | '),
		'and later the answer is the same': JSON.stringify(later) === JSON.stringify(again),
		'killed in mid-reply it comes again': replies().length >= 2,
		'with the same ID and number':
			new Set(replies().map(({ deliveryId, number }) => `${String(deliveryId)} ${String(number)}`)).size ===
			1,
	};
}

async function checkReplies(stage: Stage): Promise<Checks> {
	const { setup, tables } = stage;
	const { desk } = setup.emulator;
	const conversation = await stage.open('replies');
	const { id } = conversation;
	desk.typing(id);
	const file = { name: 'manual.pdf', contentType: 'application/pdf', data: Buffer.from('%PDF-') };
	desk.reply(id, { text: 'Please **clean** the fan.', files: [file] });
	const attack = '{{ $json.customerId }} {"customerId":"other"} ="x" \u0000 👩‍👩‍👧';
	desk.reply(id, { text: attack });
	await settled(stage);
	const [typing, message, odd] = shown(stage, conversation);
	const [offered] = (message?.files ?? []) as Json[];

	const hero = {
		contentType: 'application/vnd.microsoft.card.hero',
		content: { title: 'Heat pump', buttons: [{ type: 'imBack', title: 'This one', value: 'pump 3' }] },
	};
	const manual = { type: 'openUrl', title: 'The manual', value: 'https://example.com/manual' } as const;
	desk.reply(id, { text: 'Which one?', buttons: ['None', manual], card: hero });
	await settled(stage);
	const rich = shown(stage, conversation).at(-1);
	const choose = (title: string, value: string | null, type: string, url: string | null) => ({
		title,
		value,
		type,
		url,
	});
	const buttons = [
		choose('None', 'None', 'imBack', null),
		choose('The manual', null, 'openUrl', manual.value),
		choose('This one', 'pump 3', 'imBack', null),
	];

	// Answers that are all 2xx count as taken.
	const taken: StubAnswer[] = [
		{ body: Buffer.from('OK'), contentType: 'application/json' },
		{ body: Buffer.from('[]'), contentType: 'application/json' },
		{ body: Buffer.from('{"half":'), contentType: 'application/json' },
		{ status: 202, body: Buffer.from('<html></html>'), contentType: 'text/html' },
		{ status: 204, body: Buffer.alloc(0) },
	];
	for (const [index, answer] of taken.entries()) {
		await answering(
			stage,
			() => answer,
			async () => {
				desk.reply(id, { text: `odd ${index}` });
				await settled(stage);
			},
		);
	}
	const odds = shown(stage, conversation).filter(({ text }) => String(text).startsWith('odd'));
	const toldThen = conversation.messages.some(({ text }) => [NOT_SHOWN, MAYBE_SHOWN].includes(text));

	const told: Record<string, string[]> = {};
	const failing = async (text: string, answer: HttpStub['answer']) => {
		const start = conversation.messages.length;
		await answering(stage, answer, async () => {
			desk.reply(id, { text });
			await settled(stage);
		});
		told[text] = conversation.messages.slice(start).map((one) => one.text);
	};
	await failing('down', () => ({ status: 503 }));
	const tries = shown(stage, conversation).filter(({ text }) => text === 'down');
	const automated = conversation.messages.slice(-1).some(isAutomated);
	await failing('moved', () => ({ status: 307, location: `${stage.frontEnd.url}/elsewhere` }));
	await failing('cut', () => ({ isCut: true }));
	await failing('slow', () => ({ delayMs: 15_000 }));
	let turn = 0;
	await failing('late, then down', () => (++turn === 1 ? { delayMs: 15_000 } : { status: 503 }));
	turn = 0;
	await failing('down, then up', () => (++turn === 1 ? { status: 503 } : {}));

	await tables.allowConnections(false);
	const delivery = desk.deliver(id, {
		type: 'message',
		text: 'PostgreSQL is away',
		channelId: conversation.channelId,
		conversation: { id },
	});
	await waitFor('a first try that failed', 20_000, () => delivery.tries.length >= 1);
	await tables.allowConnections(true);
	await settled(stage);
	const away = shown(stage, conversation).filter(({ text }) => text === 'PostgreSQL is away');
	const numbers = [...new Set(shown(stage, conversation).map(({ number }) => Number(number)))];
	return {
		'the front end sees typing and the message, in their order':
			typing?.event === 'typing' &&
			message?.event === 'message' &&
			message.text === 'Please **clean** the fan.' &&
			message.plainText === 'Please clean the fan.' &&
			odd?.text === attack,
		'and its file': offered?.name === 'manual.pdf' && String(offered.url).startsWith(setup.emulator.origin),
		'buttons and cards are handed on':
			JSON.stringify(rich?.buttons) === JSON.stringify(buttons) &&
			JSON.stringify(rich?.cards) ===
				JSON.stringify([{ contentType: hero.contentType, name: null, content: hero.content }]) &&
			JSON.stringify([message?.buttons, message?.cards]) === '[[],[]]',
		'all carry the customer, the time and a number that grows':
			shown(stage, conversation).every(
				({ customerId, at }) => customerId === 'replies' && !Number.isNaN(Date.parse(String(at))),
			) && numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
		'any 2xx counts as taken, whatever it says': odds.length === taken.length && !toldThen,
		'a front end that is down is tried twice': tries.length === 2,
		'with the same ID': new Set(tries.map(({ deliveryId }) => deliveryId)).size === 1,
		'then the representative is told, once and as automated':
			told.down?.slice(1).join() === NOT_SHOWN && automated,
		'a redirect is not followed':
			stage.frontEnd.requests.every(({ path }) => path === '/callback') &&
			told.moved?.slice(1).join() === NOT_SHOWN,
		'where it may have been shown, that is told': ['cut', 'slow', 'late, then down'].every(
			(text) => told[text]?.slice(1).join() === MAYBE_SHOWN,
		),
		'a second try that succeeds is not told': told['down, then up']?.length === 1,
		'while PostgreSQL is away Dynamics 365 tries again': delivery.outcome === 'accepted' && away.length === 1,
	};
}

async function checkEnds(stage: Stage): Promise<Checks> {
	const { setup } = stage;
	const { desk } = setup.emulator;
	const { delivery } = setup.emulator.settings;
	const names = ['end 1', 'end 2', 'end 3', 'end 4', 'end 5'];
	const conversations = await Promise.all(names.map(async (name) => await stage.open(name)));
	const end = ({ id, channelId }: Conversation, name: string) =>
		desk.deliver(id, { type: 'event', name, channelId, conversation: { id } });
	delivery.oneAtATime = false;
	for (const name of ['PrimaryAgentEndConversation', 'ConversationClose', 'ConversationClosed']) {
		for (const conversation of conversations) end(conversation, name);
	}
	await settled(stage);
	delivery.oneAtATime = true;
	const goodbyes = conversations.map((conversation) => shown(stage, conversation).filter(isGoodbye));

	const down = await stage.open('end down');
	await answering(
		stage,
		() => ({ status: 503 }),
		async () => {
			end(down, 'PrimaryAgentEndConversation');
			await settled(stage);
		},
	);
	const missed = shown(stage, down).filter(isGoodbye).length;
	desk.close(down.id);
	await settled(stage);
	const afterwards = shown(stage, down).filter(isGoodbye).length - missed;
	const anew = await stage.write({ customerId: 'end down', text: 'One more thing.' });

	// A conversation that the other workflow does not know, and one that only Dynamics 365 does.
	const stranger = desk.get((await stage.open('unknown')).id);
	await stage.tables.database.rows('DELETE FROM dynamics365.conversations WHERE conversation_id = $1', [
		stranger.id,
	]);
	desk.reply(stranger.id, { text: 'Known to Dynamics 365' });
	await settled(stage);
	const asked = shown(stage, stranger).at(-1);
	stranger.context = [];
	const before = stranger.messages.length;
	desk.reply(stranger.id, { text: 'Known to nobody' });
	await settled(stage);
	return {
		'three ends at once are one farewell, in each of five conversations': goodbyes.every(
			([goodbye, ...others]) => goodbye?.text === FAREWELL && others.length === 0,
		),
		'a farewell that a front end missed at the first end comes at the next': missed >= 2 && afterwards === 1,
		'then a new conversation opens': anew.body.isNew === true && anew.body.conversationId !== down.id,
		'whose conversation it is, Dynamics 365 is asked where PostgreSQL does not know':
			asked?.text === 'Known to Dynamics 365' && asked.customerId === 'unknown',
		'a message for nobody is told to the representative':
			stranger.messages
				.slice(before)
				.map(({ text }) => text)
				.join() === ['Known to nobody', NOT_SHOWN].join(),
		'nobody sees what is not for them': stage.frontEnd.requests.every(({ body }) =>
			['message', 'typing', 'closed'].includes(String(body.event)),
		),
		'every callback carries the secret': Object.entries(stage.headers).every(([name, value]) =>
			stage.frontEnd.requests.every(({ headers }) => headers[name] === value),
		),
	};
}

const isGoodbye = ({ event }: Json) => event === 'closed';

function notSent({ body }: Answer): string[] {
	return ((body.filesNotSent ?? []) as Array<{ url: string }>).map(({ url }) => url);
}

/** Published without a Header Auth credential, it lets nobody in. */
async function checkOpenDoor(setup: N8nWithEmulator, tables: TemplateDatabase): Promise<Checks> {
	const credentials = { ...ownCredentials(setup), ...tables.credentials };
	const { workflow, pathOf } = fillTemplate('bring-your-own-channel', { credentials });
	const start = setup.emulator.log.length;
	const published = await setup.publish('without-header', workflow).then(
		() => true,
		() => false,
	);
	const answer = await say(`${setup.n8n.url}/webhook/${pathOf('When a customer writes')}`, {
		customerId: 'stranger',
		text: 'Hello',
	});
	if (published) await setup.n8n.rest('POST', '/workflows/without-header/deactivate', {});
	return {
		'without Header Auth chosen nobody is let in':
			[403, 404, 500].includes(answer.status) && callsSince(setup, start).length === 0,
	};
}

/** Plays both workflows of the template together. */
export async function check(setup: N8nWithEmulator): Promise<Checks> {
	return await withTables(setup, 'bring-your-own-channel', async (tables) => {
		const door = await checkOpenDoor(setup, tables);
		const secret = await makeSecret(setup);
		const frontEnd = await startHttpStub();
		const header = { type: 'httpHeaderAuth', id: secret.credentialId };
		const credentials = {
			...ownCredentials(setup),
			...tables.credentials,
			'n8n-nodes-base.webhook': header,
			'n8n-nodes-base.httpRequest': header,
		};
		const callbackUrl = `${frontEnd.url}/callback`;
		const set = settings({ callbackUrl, farewell: FAREWELL, notShown: NOT_SHOWN, maybeShown: MAYBE_SHOWN });
		try {
			return await inProduction(
				setup,
				'bring-your-own-channel',
				{ credentials },
				async ({ urlOf }) =>
					await inProduction(setup, 'bring-your-own-channel-answers', { credentials, set }, async () => {
						const webhook = urlOf('When a customer writes');
						const write = async (body: Json) => await say(webhook, body, secret.headers);
						const writeUntilBegun = async (body: Json) =>
							await waitFor('a post that is begun', 90_000, async () => {
								const answer = await write(body);
								return answer.status !== 503 && answer;
							});
						const open = async (customerId: string, text = 'Hello') => {
							const { body } = await write({ customerId, name: customerId, text });
							const conversation = setup.emulator.desk.get(String(body.conversationId));
							setup.emulator.desk.accept(conversation.id, { agentName: 'Ana Lopes' });
							return conversation;
						};
						const { headers } = secret;
						const stage = { setup, tables, frontEnd, write, writeUntilBegun, open, webhook, headers };
						const checks: Checks = { ...door };
						for (const part of [
							checkWhatIsRefused,
							checkWords,
							checkOrderAndOnce,
							checkReplies,
							checkEnds,
							checkFailures,
							checkKill,
						]) {
							Object.assign(checks, await part(stage));
						}
						return checks;
					}),
			);
		} finally {
			await frontEnd.close();
		}
	});
}
