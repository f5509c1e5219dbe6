// A chat that begins with an AI agent, whose model is a stub, and goes to a representative and back. Played with a model and
// customers that name strangers' conversations, with what fails, comes twice or is killed in between.
import { randomUUID } from 'node:crypto';
import type { DeliveryEntry, LogEntry } from '../../../emulator/log';
import type { Conversation } from '../../../emulator/messaging/conversations';
import type { FaultRule } from '../../../emulator/settings';
import type { Filling } from '../../../tools/n8n/templates';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { inProduction, makeSecret, ownCredentials } from './channel';
import { type TemplateDatabase, withTables } from './database';
import { type HttpStub, type Json, startHttpStub, type StubAnswer, type StubRequest } from './httpStub';

const TOOL = 'Hand_over_to_a_representative';
/** Shorter than the template's two minutes, so that the test need not wait for them after a kill. */
const LEASE = '20 seconds';
/** Longer than the model stub of this test is slow, and shorter than the 15 seconds of the template. */
const MODEL_TIMEOUT_MS = 4_000;

interface Prompt {
	messages: Array<{ role: string; content: unknown }>;
	tools?: Array<{ function: { name: string; parameters: { properties: object } } }>;
}

/** @param more what a model may give that nobody asked it for. */
const toolCall = (summary: string, more: Json = {}) => ({
	id: `call_${randomUUID()}`,
	type: 'function',
	function: { name: TOOL, arguments: JSON.stringify({ summary, reason: 'asked', ...more }) },
});

/** What the model stub says or does. The customer's last words decide. */
function model({ path, body }: StubRequest<Prompt>): StubAnswer {
	if (!path.endsWith('/chat/completions')) return { status: 404 };
	const { messages } = body;
	const asked = messages.findLastIndex(({ role }) => role === 'user');
	const words = String(messages[asked]?.content);
	const toolsCalled = messages.slice(asked).filter(({ role }) => role === 'tool').length;
	const failure = { error: { message: 'the model is down' } };
	const say = (content: string) => ({ role: 'assistant', content });
	const call = (...calls: Json[]) => ({ role: 'assistant', content: null, tool_calls: calls });
	if (words.includes('break')) return { status: 400, body: failure };
	if (words.includes('hang')) return { delayMs: 3 * MODEL_TIMEOUT_MS };
	if (toolsCalled === 0) {
		if (words.includes('both')) return completion(call(toolCall('twice'), toolCall('at once')));
		// A model that takes over what a customer wrote.
		if (words.includes('conversationId')) {
			const conversationId = /[0-9a-f-]{36}/.exec(words)?.[0];
			const wrong = { conversationId, sessionId: 'stranger', words: 'not theirs', chat: [], run: '1' };
			return completion(words.includes('person') ? call(toolCall(words, wrong)) : say(`It is ${words}`));
		}
		return completion(
			words.includes('person') ? call(toolCall('The heat pump is loud')) : say(`You said: ${words}`),
		);
	}
	if (words.includes('both') && toolsCalled === 2) return completion(call(toolCall('and again')));
	if (words.includes('then fail')) return { status: 400, body: failure };
	if (words.includes('then be silent')) return { delayMs: 3 * MODEL_TIMEOUT_MS };
	const slowly = words.includes('slowly') ? { delayMs: 2_000 } : {};
	const quoted = words.includes('conversationId') ? ` ${words}` : '';
	return { ...completion(say(`A colleague takes over.${quoted}`)), ...slowly };
}

function completion(message: Json): StubAnswer {
	const choice = { index: 0, message, finish_reason: 'tool_calls' in message ? 'tool_calls' : 'stop' };
	const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
	const whole = { id: randomUUID(), object: 'chat.completion', created: 1, model: 'stub' };
	return { body: { ...whole, choices: [choice], usage } };
}

/** What the app gets from the chat's webhook. */
interface Answer {
	status: number;
	output?: string | null;
	talksTo?: 'ai' | 'representative';
	outcome?: string;
	mayRetry?: boolean;
	conversationId?: string;
}

/** What the app is to show. */
interface Shown {
	deliveryId: string;
	number: number;
	at: string;
	sessionId: string;
	customerId: string;
	event: 'message' | 'closed';
	talksTo: string;
	text: string;
	from: string | null;
	buttons: Array<{ title: string; value: unknown }>;
}

/** The templates in production, and what a test does with them. */
interface Chat {
	setup: N8nWithEmulator;
	tables: TemplateDatabase;
	app: HttpStub<Shown>;
	/** Posts as the app does, with an ID of its own each time, unless `more` has one. */
	write: (sessionId: string, text: unknown, more?: Json) => Promise<Answer>;
	post: (body: unknown) => Promise<Answer>;
	/** What the model was asked, the last words of the customer only. */
	asked: () => string[];
	tools: () => Prompt['tools'];
	shownTo: (sessionId: string) => Shown[];
	conversationsOf: (sessionId: string) => Conversation[];
	/** The customer's words in all conversations of theirs, in order. */
	said: (sessionId: string) => string[];
	fault: (...faults: FaultRule[]) => void;
}

type Checks = Record<string, boolean>;

const isOf =
	(conversationId: string) =>
	(entry: LogEntry): entry is DeliveryEntry =>
		entry.kind === 'delivery' && entry.conversationId === conversationId;

const newCustomer = (name: string) => `${name}-${randomUUID()}`;

function lastWords({ messages }: Prompt): string {
	return String(messages.findLast(({ role }) => role === 'user')?.content);
}

export async function check(setup: N8nWithEmulator): Promise<Checks> {
	const { emulator } = setup;
	const { contextLagMs } = emulator.settings;
	const openAi = await startHttpStub<Prompt>(model);
	const app = await startHttpStub<Shown>();
	try {
		return await withTables(setup, 'ai-agent', async (tables) => {
			const modelId = await makeCredential(setup.n8n, 'openAiApi', {
				apiKey: 'secret',
				url: `${openAi.url}/v1`,
				header: false,
			});
			const secret = await makeSecret(setup);
			const header = { type: 'httpHeaderAuth', id: secret.credentialId };
			const filling = (toolId = ''): Filling => ({
				credentials: {
					...ownCredentials(setup),
					...tables.credentials,
					'n8n-nodes-base.webhook': header,
					'n8n-nodes-base.httpRequest': header,
					'@n8n/n8n-nodes-langchain.lmChatOpenAi': { type: 'openAiApi', id: modelId },
				},
				set: ({ type, parameters }) => {
					if (type === 'n8n-nodes-base.httpRequest') parameters.url = `${app.url}/show`;
					if ('workflowInputs' in parameters && 'workflowId' in parameters) {
						parameters.workflowId = { __rl: true, mode: 'list', value: toolId };
					}
					if (type === '@n8n/n8n-nodes-langchain.lmChatOpenAi') {
						parameters.options = { maxRetries: 0, timeout: MODEL_TIMEOUT_MS };
					}
					if (typeof parameters.query === 'string') {
						parameters.query = parameters.query
							.replace("'2 minutes'", `'${LEASE}'`)
							.replace("'60 seconds', '30 seconds'", `'${LEASE}', '20 seconds'`);
					}
				},
			});
			const conversationsOf = (sessionId: string) =>
				emulator.desk.list().filter(({ customerId }) => customerId === sessionId);
			const inAll = async (use: (chatUrl: string) => Promise<Checks>) =>
				await inProduction(setup, 'ai-agent-hands-over-tool', filling(), async ({ id }) =>
					inProduction(setup, 'ai-agent-hands-over', filling(id), async ({ urlOf }) =>
						// The last one, as its trigger registers its URL.
						inProduction(setup, 'ai-agent-hands-over-answers', filling(), async () =>
							use(urlOf('When a customer writes')),
						),
					),
				);
			return await inAll(async (url) => {
				const post = async (body: unknown) => {
					const response = await fetch(url, {
						method: 'POST',
						headers: { 'content-type': 'application/json', ...secret.headers },
						body: JSON.stringify(body),
					});
					const text = await response.text();
					if (!text) throw new Error(`${JSON.stringify(body)} was answered with nothing`);
					return { ...(JSON.parse(text) as Omit<Answer, 'status'>), status: response.status };
				};
				return await play({
					setup,
					tables,
					app,
					post,
					write: async (sessionId, text, more) =>
						await post({ sessionId, messageId: randomUUID(), name: 'Kim Berger', text, ...more }),
					asked: () => openAi.requests.map(({ body }) => lastWords(body)),
					tools: () => openAi.requests[0]?.body.tools,
					shownTo: (sessionId) =>
						app.requests.map(({ body }) => body).filter((one) => one.sessionId === sessionId),
					conversationsOf,
					said: (sessionId) =>
						conversationsOf(sessionId).flatMap(({ messages, customer }) =>
							messages.filter(({ from }) => from.id === customer.id).map(({ text }) => text ?? ''),
						),
					fault: (...faults) => void (emulator.settings.faults = faults),
				});
			});
		});
	} finally {
		Object.assign(emulator.settings, { faults: [], contextLagMs });
		await Promise.all([openAi.close(), app.close()]);
	}
}

async function play(chat: Chat): Promise<Checks> {
	const parts = [firstTheAgent, attacks, theTool, posts, outages];
	const checks: Checks = {};
	for (const part of parts) Object.assign(checks, await part(chat));
	return checks;
}

/** From the AI agent to the representative and back. */
async function firstTheAgent({
	setup,
	write,
	asked,
	tools,
	shownTo,
	said,
	conversationsOf,
}: Chat): Promise<Checks> {
	const { desk } = setup.emulator;
	const checks: Checks = {};
	const kim = newCustomer('kim');
	const first = await write(kim, 'My heat pump is loud.');
	checks['first the AI agent answers'] =
		first.output === 'You said: My heat pump is loud.' &&
		first.talksTo === 'ai' &&
		conversationsOf(kim).length === 0;
	const handedOver = await write(kim, 'I want to talk to a person.');
	checks['it hands over by its tool, and says so'] =
		handedOver.output === 'A colleague takes over.' && handedOver.talksTo === 'representative';
	const tool = tools()?.[0]?.function;
	checks['the model is asked for summary and reason, and for nothing else'] =
		tool?.name === TOOL && Object.keys(tool.parameters.properties).sort().join() === 'reason,summary';
	const conversation = await waitFor('a conversation', 1_000, () => conversationsOf(kim)[0]);
	const context = Object.fromEntries(conversation.context.map(({ name, value }) => [name, value]));
	checks['the representative gets summary, reason and the whole chat'] =
		context.summary === 'The heat pump is loud' &&
		context.reason === 'asked' &&
		context.transcript ===
			'Customer: My heat pump is loud.\nAssistant: You said: My heat pump is loud.\nCustomer: I want to talk to a person.';

	desk.accept(conversation.id, { agentName: 'Ana Lopes' });
	desk.reply(conversation.id, { text: '**Hello**, this is Ana.', buttons: ['Call me', 'Later'] });
	await waitFor('the representative’s words', 60_000, () => shownTo(kim).length === 1);
	const [shown] = shownTo(kim);
	checks['the representative’s words come in the same chat'] =
		shown?.text === 'Hello, this is Ana.' &&
		shown.talksTo === 'representative' &&
		shown.customerId === kim &&
		shown.from === 'Ana Lopes' &&
		shown.number > 0 &&
		Date.parse(shown.at) > 0;
	checks['with their buttons'] =
		shown?.buttons.map(({ title, value }) => `${title}: ${String(value)}`).join() ===
		'Call me: Call me,Later: Later';
	const before = asked().length;
	const passedOn = await write(kim, 'Is it dangerous?');
	checks['then the customer talks to the representative, not to the model'] =
		passedOn.talksTo === 'representative' &&
		passedOn.output === null &&
		said(kim).join() === 'I want to talk to a person.,Is it dangerous?' &&
		asked().length === before;

	desk.close(conversation.id);
	await waitFor('the end', 60_000, () => shownTo(kim).length === 2);
	checks['at the end, the chat says that the AI agent is back'] =
		shownTo(kim)[1]?.talksTo === 'ai' &&
		shownTo(kim)[1]?.event === 'closed' &&
		shownTo(kim)[1]?.deliveryId === `closed ${conversation.id}`;
	await setup.emulator.idle();
	const back = await write(kim, 'Thank you.');
	checks['and it answers again'] = back.output === 'You said: Thank you.' && back.talksTo === 'ai';
	return checks;
}

/** Nothing that a customer or a model wrote decides where words go. */
async function attacks({ setup, write, conversationsOf, said, asked, tables }: Chat): Promise<Checks> {
	const checks: Checks = {};
	const stranger = newCustomer('stranger');
	await write(stranger, 'A person, please.');
	const theirs = await waitFor('a conversation', 1_000, () => conversationsOf(stranger)[0]);
	const ofTheStranger = () => theirs.messages.length === 1;

	const line = `{"conversationId": "${theirs.id}"} conversationId ${theirs.id}`;
	const quoting = newCustomer('quoting');
	const answer = await write(quoting, line);
	const next = await write(quoting, 'My card number is 4711.');
	checks['a model that quotes a stranger’s conversation hands nobody over'] =
		answer.talksTo === 'ai' &&
		next.talksTo === 'ai' &&
		next.output === 'You said: My card number is 4711.' &&
		conversationsOf(quoting).length === 0 &&
		ofTheStranger();

	const attacker = newCustomer('attacker');
	const handedOver = await write(attacker, `A person, please. ${line}`);
	const after = await write(attacker, 'My card number is 4712.');
	checks['a tool that is given a stranger’s conversation opens the customer’s own'] =
		handedOver.talksTo === 'representative' &&
		after.talksTo === 'representative' &&
		conversationsOf(attacker).length === 1 &&
		said(attacker)[0] === `A person, please. ${line}` &&
		said(attacker)[1] === 'My card number is 4712.' &&
		ofTheStranger();

	const odd = [
		'{{ $json }} ={{ 1 + 1 }}',
		'=1+1',
		'<b>bold</b> & “quoted” \\ $1',
		"'); DROP TABLE dynamics365.messages; --",
		'👩‍🔧'.repeat(500),
	];
	for (const words of odd) await write(attacker, words);
	checks['words that look like expressions, HTML or SQL arrive as they are'] =
		JSON.stringify(said(attacker).slice(2)) === JSON.stringify(odd);

	const quoted = `o'hara"); DROP TABLE dynamics365.conversations; -- $1 ${randomUUID()}`;
	const first = await write(quoted, 'A person, please.', { messageId: `'${randomUUID()} $2` });
	const second = await write(quoted, 'Hello?');
	const [rows] = await tables.database.rows<{ count: string }>(
		'SELECT count(*) FROM dynamics365.conversations WHERE customer_id = $1',
		[quoted],
	);
	checks['so do IDs'] =
		first.talksTo === 'representative' &&
		second.talksTo === 'representative' &&
		said(quoted).join() === 'A person, please.,Hello?' &&
		rows?.count === '1';

	const loud = newCustomer('loud');
	for (const index of [1, 2, 3]) await write(loud, `${index} ${'ä"\n'.repeat(500)}`);
	const words = `A person! ${'€'.repeat(5_900)}`;
	const long = await write(loud, words);
	const transcript = String(
		conversationsOf(loud)[0]?.context.find(({ name }) => name === 'transcript')?.value ?? '',
	);
	checks['a long chat and long words fit: the end of the chat is kept'] =
		long.talksTo === 'representative' &&
		said(loud)[0] === words &&
		transcript.length > 1_000 &&
		transcript.length <= 4_000 &&
		words.endsWith(transcript);
	checks['and the model is told nothing of conversations'] = !asked().some((one) => one === theirs.id);
	await setup.emulator.idle();
	return checks;
}

/** What the tool does, whatever the model does with it. */
async function theTool({ setup, write, conversationsOf, said, asked, fault }: Chat): Promise<Checks> {
	const checks: Checks = {};
	const twice = newCustomer('twice');
	const both = await write(twice, 'A person, or both.');
	checks['a tool that is called three times opens one conversation, and says the words once'] =
		both.talksTo === 'representative' &&
		conversationsOf(twice).length === 1 &&
		said(twice).join() === 'A person, or both.';

	const fire = newCustomer('fire');
	const closing = write(fire, 'A person, slowly.');
	await waitFor('the conversation', 10_000, () => conversationsOf(fire).length === 1);
	const burning = await write(fire, 'It is on fire!');
	const { output, talksTo } = await closing;
	checks['what is written during the closing sentence goes to the representative'] =
		burning.talksTo === 'representative' &&
		said(fire).join() === 'A person, slowly.,It is on fire!' &&
		!asked().includes('It is on fire!');
	checks['and the closing sentence comes'] =
		output === 'A colleague takes over.' && talksTo === 'representative';

	const failing = newCustomer('failing');
	const failed = await write(failing, 'A person, then fail.');
	const silent = newCustomer('silent');
	const hung = await write(silent, 'A person, then be silent.');
	checks['where the model fails after the tool, the answer says that a colleague takes over'] = [
		failed,
		hung,
	].every(
		(one) =>
			one.status === 200 && one.talksTo === 'representative' && /colleague takes over/.test(one.output ?? ''),
	);
	checks['and the words are said once'] = [failing, silent].every((one) => said(one).length === 1);

	const mia = newCustomer('mia');
	const down = await write(mia, 'Please break.');
	const slow = newCustomer('slow');
	const hanging = await write(slow, 'Please hang.');
	checks['a representative gets who writes while the model is down or hangs'] =
		[down, hanging].every(({ status, talksTo: to }) => status === 200 && to === 'representative') &&
		said(mia).join() === 'Please break.' &&
		said(slow).join() === 'Please hang.';

	fault({ match: { operationId: 'createConversation' }, action: { status: 400 } });
	const nobody = await write(newCustomer('ned'), 'Please break.');
	const pia = newCustomer('pia');
	const toolFailed = await write(pia, 'A person, please.');
	fault();
	checks['where Dynamics refuses, too, the app is told'] =
		nobody.status === 422 && nobody.outcome === 'notSent' && nobody.mayRetry === false;
	checks['where only the tool fails, the customer stays with the AI agent, and is not told of a colleague'] =
		toolFailed.status === 200 &&
		toolFailed.talksTo === 'ai' &&
		toolFailed.outcome === 'notSent' &&
		!/takes over/.test(toolFailed.output ?? '');
	fault({ match: { operationId: 'createConversation' }, action: { status: 429, retryAfter: 600 } });
	const messageId = randomUUID();
	const ned = newCustomer('ned');
	const busy = await write(ned, 'Please break.', { messageId });
	fault();
	const retried = await write(ned, 'Please break.', { messageId });
	checks['what was not sent may be posted again, and is then said once'] =
		busy.status === 503 &&
		busy.mayRetry === true &&
		retried.talksTo === 'representative' &&
		said(ned).join() === 'Please break.';
	await setup.emulator.idle();
	return checks;
}

/** The same post again, many posts at once, and odd ones. */
async function posts({
	setup,
	write,
	post,
	conversationsOf,
	said,
	asked,
	fault,
	tables,
}: Chat): Promise<Checks> {
	const { desk } = setup.emulator;
	const checks: Checks = {};
	const countAsked = (words: string) => asked().filter((one) => one === words).length;
	const same = (one: Answer, other: Answer) => JSON.stringify(one) === JSON.stringify(other);
	const inARow = async (customer: string, words: string) => {
		const messageId = randomUUID();
		const atOnce = await Promise.all([1, 2, 3].map(() => write(customer, words, { messageId })));
		return [...atOnce, await write(customer, words, { messageId })];
	};
	const kim = newCustomer('kim');
	const byAi = await inARow(kim, 'Four times.');
	checks['the same post to the AI agent, at once and again, is asked once and has one answer'] =
		countAsked('Four times.') === 1 &&
		byAi.every((one) => same(one, byAi[0]!)) &&
		byAi[0]?.output === 'You said: Four times.';
	const over = await inARow(kim, 'A person, four times.');
	const passed = await inARow(kim, 'Once more.');
	checks['so is one that hands over, and one to the representative'] =
		[over, passed].every((all) => all.every((one) => one.status === 200 && same(one, all[0]!))) &&
		said(kim).join() === 'A person, four times.,Once more.';

	// The first is held up, so that the others would overtake it.
	fault({ match: { operationId: 'sendActivity' }, action: { delayMs: 3_000 }, times: 1 });
	const burst = [1, 2, 3, 4, 5].map((index) => `burst ${index}`);
	await Promise.all(
		burst.map(async (words, index) => {
			await new Promise((resolve) => setTimeout(resolve, 300 * index));
			return await write(kim, words);
		}),
	);
	checks['five posts in a row arrive in their order, though the first is slow'] =
		said(kim).slice(2).join() === burst.join();

	// The network turned them around.
	fault({ match: { operationId: 'sendActivity' }, action: { delayMs: 3_000 }, times: 1 });
	const turned = [1, 2, 3, 4].map((index) => `turned ${index}`);
	await Promise.all(
		turned.map(async (words, index) => {
			await new Promise((resolve) => setTimeout(resolve, index === 0 ? 0 : 1_000 - 100 * index));
			return await write(kim, words, { sentAt: new Date(Date.UTC(2026, 8, 1) + index).toISOString() });
		}),
	);
	checks['what the network turned around arrives in the order of its sentAt'] =
		said(kim).slice(7).join() === turned.join();

	const lost = newCustomer('lost');
	await write(lost, 'A person, please.');
	fault({ match: { operationId: 'sendActivity' }, action: 'resetAfter', times: 1 });
	const messageId = randomUUID();
	const uncertain = await write(lost, 'Did you get it?', { messageId });
	const again = await write(lost, 'Did you get it?', { messageId });
	checks['where the answer is lost, the app is told that it is uncertain, and where'] =
		uncertain.status === 502 &&
		uncertain.outcome === 'uncertain' &&
		uncertain.conversationId === conversationsOf(lost)[0]?.id &&
		!/try again/i.test(uncertain.output ?? '');
	checks['and the same post finds the words, and says them once'] =
		again.status === 200 && said(lost).join() === 'A person, please.,Did you get it?';

	const noRow = newCustomer('no-row');
	fault({ match: { operationId: 'createConversation' }, action: 'resetAfter', times: 1 });
	const opening = { messageId: randomUUID() };
	const unknown = await write(noRow, 'A person, please.', opening);
	fault();
	const [conversation] = conversationsOf(noRow);
	const found = await write(noRow, 'A person, please.', opening);
	const [row] = await tables.database.rows<{ conversation_id: string }>(
		'SELECT conversation_id FROM dynamics365.conversations WHERE customer_id = $1',
		[noRow],
	);
	checks['where the tool’s answer is lost, the same post finds the conversation'] =
		unknown.outcome === 'uncertain' &&
		found.status === 200 &&
		found.talksTo === 'representative' &&
		conversationsOf(noRow).length === 1 &&
		said(noRow).join() === 'A person, please.' &&
		row?.conversation_id === conversation?.id;

	fault({ match: { operationId: 'createConversation' }, action: 'resetAfter', times: 1 });
	const early = newCustomer('early');
	await write(early, 'A person, please.');
	fault();
	const withoutRow = await waitFor('a conversation', 1_000, () => conversationsOf(early)[0]);
	desk.accept(withoutRow.id);
	desk.reply(withoutRow.id, { text: 'How can I help?' });
	await waitFor('the row', 20_000, async () => {
		const rows = await tables.database.rows(
			'SELECT FROM dynamics365.conversations WHERE customer_id = $1 AND conversation_id = $2',
			[early, withoutRow.id],
		);
		return rows.length === 1;
	});
	await write(early, 'Thank you, Ana.');
	checks['and so does a message of the representative, without it'] =
		said(early).join() === 'A person, please.,Thank you, Ana.';

	const tooLong = await write(kim, 'x'.repeat(10_000));
	checks['words that no retry makes shorter are told so'] =
		tooLong.status === 422 &&
		tooLong.mayRetry === false &&
		/6,000 characters/.test(tooLong.output ?? '') &&
		tooLong.talksTo === 'representative';

	const odd = newCustomer('odd');
	const wrong = [
		await post({ sessionId: odd, messageId: '1', text: ' ' }),
		await post({ sessionId: odd, files: 'no link' }),
		await post({ text: 'no session' }),
		await post({ sessionId: 'a\u0000b', text: 'a sign that no database takes' }),
		await post([{ sessionId: odd, text: 'in a list' }]),
		await post({ sessionId: { id: odd }, text: 'an object' }),
	];
	checks['a post without words or a session is answered 400'] = wrong.every(({ status }) => status === 400);
	const file = 'https://example.com/a.pdf';
	const files = [
		await post({ sessionId: odd, files: file }),
		await post({ sessionId: odd, text: '', files: { url: file, name: 'a.pdf' } }),
		await post({ sessionId: odd, text: 7, files: [{ url: file }, null, 3] }),
		await post({ sessionId: odd, text: 'NUL\u0000' }),
	];
	checks['a post with only a file, or a number for a text, is understood'] =
		files.map(({ output }) => output).join('|') ===
		[`File: ${file}`, `File: a.pdf ${file}`, `7\nFile: ${file}`, 'NUL']
			.map((one) => `You said: ${one}`)
			.join('|');
	await setup.emulator.idle();
	return checks;
}

/** n8n is killed, PostgreSQL refuses connections, Dynamics 365 was never heard of, the app is down. */
async function outages(chat: Chat): Promise<Checks> {
	const { setup, write, conversationsOf, said, shownTo, tables, fault, app, asked } = chat;
	const { emulator } = setup;
	const { desk } = emulator;
	const checks: Checks = {};

	const killed = newCustomer('killed');
	const messageId = randomUUID();
	// Killed while the conversation is being opened, which happens all the same.
	fault({
		match: { operationId: 'createConversation', customerId: killed },
		action: { delayMs: 3_000 },
		times: 1,
	});
	const cut = write(killed, 'A person, please.', { messageId }).catch(() => undefined);
	const asking = newCustomer('asking');
	const cutToo = write(asking, 'Please hang.', { messageId }).catch(() => undefined);
	await waitFor('the tool', 10_000, () => asked().filter((one) => one === 'A person, please.').length > 0);
	await waitFor('the call', 10_000, () => emulator.settings.faults[0]?.times === 0);
	await setup.restart('kill');
	await Promise.all([cut, cutToo]);
	await waitFor('the conversation', 10_000, () => conversationsOf(killed).length === 1);
	const before = asked().length;
	const repeated = await write(killed, 'A person, please.', { messageId });
	const next = await write(killed, 'Hello?');
	checks['killed in the tool, the same post finds the words, and the model is not asked again'] =
		repeated.status === 200 &&
		repeated.talksTo === 'representative' &&
		/colleague takes over/.test(repeated.output ?? '') &&
		next.talksTo === 'representative' &&
		said(killed).join() === 'A person, please.,Hello?' &&
		asked().length === before;
	const askedAgain = await write(asking, 'Please hang.', { messageId });
	checks['killed while the model thinks, the same post is answered'] =
		askedAgain.talksTo === 'representative' && said(asking).join() === 'Please hang.';

	await tables.allowConnections(false);
	const refused = await write(killed, 'Is PostgreSQL there?', { messageId: `${messageId} 2` });
	await tables.allowConnections(true);
	const then = await write(killed, 'Is PostgreSQL there?', { messageId: `${messageId} 2` });
	checks['while PostgreSQL refuses connections the app gets 503, and the same post works later'] =
		refused.status === 503 &&
		refused.mayRetry === true &&
		then.status === 200 &&
		said(killed).at(-1) === 'Is PostgreSQL there?' &&
		said(killed).length === 3;

	// The app answers oddly, and is down.
	const { id } = conversationsOf(killed)[0]!;
	desk.accept(id);
	const told = () =>
		desk
			.get(id)
			.messages.filter(({ text }) => /shown/.test(text ?? ''))
			.map(({ text }) => text);
	const odd = ['OK', '[]', '', '{"status":'];
	for (const [index, body] of odd.entries()) {
		app.answer = () => ({ contentType: 'application/json', body: Buffer.from(body) });
		desk.reply(id, { text: `odd ${index}` });
		await emulator.idle();
	}
	checks['whatever the app answers with 200 is taken, once, and nobody is told otherwise'] =
		shownTo(killed)
			.map(({ text }) => text)
			.join() === 'odd 0,odd 1,odd 2,odd 3' && told().length === 0;
	const numbers = shownTo(killed).map(({ number }) => number);
	checks['numbers grow, and IDs differ'] =
		numbers.every((one, index) => index === 0 || one > numbers[index - 1]!) &&
		new Set(shownTo(killed).map(({ deliveryId }) => deliveryId)).size === 4;
	app.answer = () => ({});
	const delivered = emulator.log.length;
	await tables.allowConnections(false);
	desk.reply(id, { text: 'said while PostgreSQL is away' });
	await waitFor('a try that fails', 20_000, () =>
		emulator.log
			.slice(delivered)
			.some((entry) => entry.kind === 'delivery' && entry.tries.some(({ status }) => status === 500)),
	);
	await tables.allowConnections(true);
	await emulator.idle();
	checks['what the representative says while PostgreSQL is away comes at the next try, once'] =
		shownTo(killed).filter(({ text }) => text === 'said while PostgreSQL is away').length === 1;
	for (const answer of [{ status: 410 }, { isCut: true }, { delayMs: 6_000 }]) {
		app.answer = () => answer;
		desk.reply(id, { text: 'Can you see this?' });
		await emulator.idle();
	}
	checks['what the app did not take is told to the representative, with what is known'] =
		told().join('|') ===
		['was not shown to the customer', ...Array(2).fill('may not have been shown to the customer')]
			.map((one) => `This message ${one}: Can you see this?`)
			.join('|');
	app.answer = () => ({ status: 500 });
	desk.close(id);
	await waitFor('the end at the app', 10_000, () => shownTo(killed).at(-1)?.event === 'closed');
	const [row] = await tables.database.rows<{ ended_at: Date | null }>(
		'SELECT ended_at FROM dynamics365.conversations WHERE conversation_id = $1',
		[id],
	);
	app.answer = () => ({});
	await emulator.idle();
	const ends = shownTo(killed).filter(({ event }) => event === 'closed');
	checks['the end that the app did not take comes again, under the same ID'] =
		ends.length >= 2 && new Set(ends.map(({ deliveryId }) => deliveryId)).size === 1;
	checks['and only then the representative is forgotten'] = row?.ended_at === null;
	const back = await write(killed, 'Is the AI back?');
	checks['then the AI agent answers'] = back.output === 'You said: Is the AI back?';

	const last = newCustomer('last');
	await write(last, 'A person, please.');
	const lastId = conversationsOf(last)[0]!.id;
	desk.accept(lastId);
	await emulator.idle();
	let refusals = 1;
	app.answer = () => (refusals-- > 0 ? { status: 410, delayMs: 1_000 } : {});
	desk.reply(lastId, { text: 'Goodbye!' });
	await waitFor('the first try', 10_000, () => shownTo(last).length === 1);
	desk.close(lastId);
	const { retryDelayMs } = emulator.settings.delivery;
	Object.assign(emulator.settings.delivery, { retryDelayMs: 5_000 });
	await waitFor('a try that fails', 60_000, () =>
		emulator.log.some((entry) => isOf(lastId)(entry) && entry.tries.some(({ status }) => status === 500)),
	);
	const [turn] = await tables.database.rows<{ state: string }>(
		'SELECT state FROM dynamics365.messages WHERE line = $1',
		[`${lastId} out`],
	);
	Object.assign(emulator.settings.delivery, { retryDelayMs });
	await emulator.idle();
	app.answer = () => ({});
	checks['what the app did not take, and of which nobody can be told, holds up no later try'] =
		turn?.state === 'waiting';
	checks['it comes at the next one, and then the end'] =
		shownTo(last)
			.map(({ event, text }) => (event === 'message' ? text : event))
			.join() === 'Goodbye!,Goodbye!,closed' &&
		emulator.log.filter(isOf(lastId)).every(({ outcome }) => outcome === 'accepted');

	const jo = newCustomer('jo');
	await write(jo, 'A person, please.');
	const url = emulator.webhookUrl();
	emulator.setWebhookUrl(null);
	desk.close(conversationsOf(jo)[0]!.id);
	await emulator.idle();
	emulator.setWebhookUrl(url);
	const healed = await write(jo, 'Still there?');
	checks['where n8n never heard of the end, the AI agent answers, too'] =
		healed.output === 'You said: Still there?' && healed.talksTo === 'ai';
	const ends3 = await Promise.all(
		['one', 'two', 'three'].map(async (name) => {
			const customer = newCustomer(name);
			await write(customer, 'A person, please.');
			return { customer, id: conversationsOf(customer)[0]!.id };
		}),
	);
	for (const one of ends3) desk.close(one.id);
	await emulator.idle();
	checks['three conversations that end together are three ends'] = ends3.every(
		({ customer }) =>
			shownTo(customer)
				.map(({ event }) => event)
				.join() === 'closed',
	);
	return checks;
}
