// Customers who talk with an AI agent, and with representatives to whom it hands over. The model is slow, fails and hangs; the
// app takes what comes, or does not.
import { randomUUID } from 'node:crypto';
import type { Filling } from '../../../tools/n8n/templates';
import { makeCredential } from '../../../tools/n8n/workflows';
import { inProduction, makeSecret, ownCredentials } from '../templates/channel';
import { withTables } from '../templates/database';
import { type Json, startHttpStub, type StubAnswer, type StubRequest } from '../templates/httpStub';
import {
	closeDatabase,
	countGoodbyes,
	countOutOfOrder,
	deliveriesOf,
	heardOf,
	represent,
	type Words,
	writeInBursts,
} from './people';
import type { Answer, Checks, Soak } from './soak';

const CUSTOMERS = 5;
/** Shorter than the template’s times, so that a kill does not hold up a customer for the rest of the soak. */
const LEASE = '20 seconds';
const MODEL_TIMEOUT_MS = 4_000;

/** What a customer wrote, and what they were told in the end. */
interface Written extends Words {
	id: string;
	/** Whether it was ever told that they were not said: then later ones may have gone before. */
	wasRefused: boolean;
	/** A conversation of theirs that was open when they wrote, and of which they knew. */
	talksIn?: string | undefined;
	/** What the app was told, each time. */
	told: Answer[];
}

interface Prompt {
	messages: Array<{ role: string; content: unknown }>;
}

interface Shown {
	deliveryId: string;
	conversationId: string;
	customerId: string;
	event: string;
	text: string;
}

/** The model: what the customer wrote decides what it says, and chance how. */
function model(soak: Soak, { path, body }: StubRequest<Prompt>): StubAnswer {
	if (!path.endsWith('/chat/completions')) return { status: 404 };
	const { messages } = body;
	const asked = messages.findLastIndex(({ role }) => role === 'user');
	const words = String(messages[asked]?.content);
	const wasCalled = messages.slice(asked).some(({ role }) => role === 'tool');
	if (soak.isOn && soak.chance(0.04)) return { status: 500, body: { error: { message: 'down' } } };
	if (soak.isOn && soak.chance(0.02)) return { delayMs: 2 * MODEL_TIMEOUT_MS };
	const delayMs = soak.chance(0.3) ? soak.pick([200, 800, 2_000]) : 0;
	const call = () => ({
		id: `call_${randomUUID()}`,
		type: 'function',
		function: {
			name: 'Hand_over_to_a_representative',
			arguments: JSON.stringify({ summary: words, reason: 'asked', conversationId: randomUUID() }),
		},
	});
	const message =
		words.includes('person') && !wasCalled
			? {
					role: 'assistant',
					content: null,
					tool_calls: soak.chance(0.1) ? [call(), call()] : [call()],
				}
			: { role: 'assistant', content: wasCalled ? 'A colleague takes over.' : `You said: ${words}` };
	const choice = { index: 0, message, finish_reason: 'tool_calls' in message ? 'tool_calls' : 'stop' };
	const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
	const whole = { id: randomUUID(), object: 'chat.completion', created: 1, model: 'stub' };
	return { delayMs, body: { ...whole, choices: [choice], usage } };
}

/** Shorter times, and the addresses of this machine. */
function filled(appUrl: string, toolId: string): NonNullable<Filling['set']> {
	return ({ type, parameters }) => {
		if (type === 'n8n-nodes-base.httpRequest') parameters.url = `${appUrl}/show`;
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
	};
}

export async function play(soak: Soak): Promise<Checks> {
	const { setup } = soak;
	const openAi = await startHttpStub<Prompt>((request) => model(soak, request));
	/** What the app took, in the order in which it came. */
	const taken: Shown[] = [];
	const app = await startHttpStub<Shown>(({ body }) => {
		if (soak.isOn && soak.chance(0.03)) return { status: soak.pick([503, 410]) };
		if (soak.isOn && soak.chance(0.02)) return { isCut: true };
		taken.push(body);
		// Longer than the template waits.
		const delayMs = soak.isOn && soak.chance(0.02) ? 4_000 : 0;
		return { delayMs, body: Buffer.from(soak.pick(['OK', '[]', '', '{}'])), contentType: 'application/json' };
	});
	return await withTables(setup, 'soak-ai', async ({ credentials, allowConnections }) => {
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
				...credentials,
				'n8n-nodes-base.webhook': header,
				'n8n-nodes-base.httpRequest': header,
				'@n8n/n8n-nodes-langchain.lmChatOpenAi': { type: 'openAiApi', id: modelId },
			},
			set: filled(app.url, toolId),
		});
		const written = new Map<string, Written[]>();
		const spoken = new Map<string, string[]>();
		const customer = (customerId: string, path: string) => async () => {
			const mine: Written[] = [];
			written.set(customerId, mine);
			const make = (number: number, sentAt: number): Written => ({
				id: `${customerId} ${number}`,
				text: `words ${number} of ${customerId}${soak.chance(0.2) ? ': a person, please' : ''}`,
				sentAt,
				isSettled: false,
				wasRefused: false,
				told: [],
			});
			await writeInBursts(soak, mine, make, async (words) => {
				words.talksIn = knownConversation(soak, customerId, mine);
				const answer = await soak.post(
					path,
					{ sessionId: customerId, messageId: words.id, sentAt: words.sentAt, text: words.text },
					secret.headers,
				);
				const isSettled = answer.status === 422 || (answer.status === 200 && 'talksTo' in answer.body);
				words.wasRefused ||= !isSettled && !words.isSettled && answer.status !== 0;
				words.isSettled ||= isSettled;
				if (isSettled) words.told.push(answer);
			});
		};
		return await inProduction(setup, 'ai-agent-hands-over-tool', filling(), async ({ id }) =>
			inProduction(setup, 'ai-agent-hands-over', filling(id), async ({ urlOf }) => {
				const path = new URL(urlOf('When a customer writes')).pathname;
				// The trigger comes last, as publishing another one takes its URL from the channel.
				return await inProduction(setup, 'ai-agent-hands-over-answers', filling(), async () => {
					await soak.run([
						...Array.from({ length: CUSTOMERS }, (_, index) => customer(`customer-${index}`, path)),
						() => represent(soak, spoken, { ends: 0.08 }),
						() => closeDatabase(soak, allowConnections),
					]);
					return { ...checkCustomers(soak, written), ...checkAnswers(soak, spoken, taken) };
				});
			}),
		);
	}).finally(async () => {
		await Promise.all([openAi.close(), app.close()]);
	});
}

/** The open conversation of which a customer was told that it has their words. */
function knownConversation(soak: Soak, customerId: string, mine: readonly Written[]): string | undefined {
	const said = mine.filter(({ told }) => told.some(({ body }) => isSaid(body))).map(({ text }) => text);
	return heardOf(soak, customerId).findLast(({ text, isOver }) => !isOver && said.includes(text))
		?.conversationId;
}

const isSaid = ({ talksTo, outcome }: Json) => talksTo === 'representative' && outcome === undefined;
const isByAi = ({ talksTo, outcome }: Json) => talksTo === 'ai' && outcome === undefined;

function checkCustomers(soak: Soak, written: Map<string, Written[]>): Checks {
	const { desk } = soak.setup.emulator;
	const found = {
		all: 0,
		said: 0,
		byAi: 0,
		notSent: 0,
		unsettled: 0,
		lost: 0,
		twice: 0,
		onceMoreInANewOne: 0,
		saidWithoutSayingSo: 0,
		wrongAnswer: 0,
		toTheAiAlone: 0,
		twoAnswers: 0,
		astray: 0,
		outOfOrder: 0,
	};
	const show = (what: string, words: Written) => console.log(`  ${what}: ${JSON.stringify(words)}`);
	for (const [customerId, mine] of written) {
		const heard = heardOf(soak, customerId);
		const texts = heard.map(({ text }) => text);
		found.all += mine.length;
		found.astray += texts.filter((text) => !text.includes(`of ${customerId}`)).length;
		for (const words of mine) {
			const count = texts.filter((text) => text === words.text).length;
			const [first] = words.told;
			if (!first) {
				found.unsettled++;
				show('unsettled', words);
				continue;
			}
			const { body } = first;
			if (words.told.some((other) => JSON.stringify(other.body) !== JSON.stringify(body))) {
				found.twoAnswers++;
				show('two answers', words);
			}
			if (isSaid(body)) {
				found.said++;
				if (count === 0) {
					found.lost++;
					show('lost', words);
				}
			} else {
				found[isByAi(body) ? 'byAi' : 'notSent']++;
				if (count > 0) {
					found.saidWithoutSayingSo++;
					show('said without saying so', words);
				}
			}
			if (count > 1) {
				// What is left: words whose run was killed, and whose conversation was closed before they were posted again.
				const isLeft = heard.find(({ text }) => text === words.text)?.isOver === true;
				found[isLeft ? 'onceMoreInANewOne' : 'twice'] += count - 1;
				if (!isLeft) show('twice', words);
			}
			if (isByAi(body)) {
				const answers = [`You said: ${words.text}`, 'A colleague takes over.'];
				if (!answers.includes(String(body.output)) && !/^Sorry/.test(String(body.output))) {
					found.wrongAnswer++;
					show('wrong answer', words);
				}
				if (words.talksIn && desk.get(words.talksIn).state !== 'closed') {
					found.toTheAiAlone++;
					show('to the AI alone', words);
				}
			}
		}
		const outOfOrder = countOutOfOrder(
			mine
				.filter(({ wasRefused, told }) => !wasRefused && told.some(({ body }) => isSaid(body)))
				.map(({ text }) => texts.indexOf(text)),
		);
		found.outOfOrder += outOfOrder;
		if (outOfOrder > 0) console.log(`  out of order: ${JSON.stringify({ mine, heard })}`);
	}
	console.log(`  customers: ${JSON.stringify(found)}`);
	return {
		'every word of a customer arrived, or they were told': found.said > 0 && found.lost === 0,
		'each is told what is so': found.saidWithoutSayingSo === 0 && found.wrongAnswer === 0,
		'and the same each time': found.twoAnswers === 0,
		'in the end': found.unsettled === 0,
		once: found.twice === 0,
		'to the representative, where one is there': found.toTheAiAlone === 0,
		'in their own conversation': found.astray === 0,
		'in order': found.outOfOrder === 0,
	};
}

function checkAnswers(soak: Soak, spoken: Map<string, string[]>, taken: readonly Shown[]): Checks {
	const { desk } = soak.setup.emulator;
	const found = {
		all: 0,
		told: 0,
		givenUp: 0,
		lost: 0,
		untrue: 0,
		twice: 0,
		twiceAtAKill: 0,
		astray: 0,
		outOfOrder: 0,
	};
	for (const { id, customerId, messages } of desk.list()) {
		const texts = spoken.get(id) ?? [];
		const { givenUp, cutOff } = deliveriesOf(soak, id);
		const got = taken.filter(({ conversationId }) => conversationId === id);
		// A post that is tried again has the same deliveryId: the app shows it once.
		const byId = [...new Map([...got].reverse().map((one) => [one.deliveryId, one])).values()].reverse();
		const shown = byId.filter(({ event }) => event === 'message').map(({ text }) => text);
		const toldOf = (text: string, how: string) =>
			messages.some((one) => one.text === `This message ${how} to the customer: ${text}`);
		found.all += texts.length;
		for (const text of texts) {
			const wasTold = toldOf(text, 'was not shown');
			const isUncertain = toldOf(text, 'may not have been shown');
			if (wasTold || isUncertain) found.told++;
			if (wasTold && shown.includes(text)) found.untrue++;
			if (shown.includes(text) || wasTold || isUncertain) continue;
			if (givenUp.includes(text)) found.givenUp++;
			else {
				found.lost++;
				console.log(`  lost: ${text} in ${id}`);
			}
		}
		const again = shown.filter((text, index) => shown.indexOf(text) < index);
		found.twice += again.filter((text) => !cutOff.includes(text)).length;
		found.twiceAtAKill += again.filter((text) => cutOff.includes(text)).length;
		found.astray += got.filter((one) => one.customerId !== customerId).length;
		found.outOfOrder += countOutOfOrder(
			texts.map((text) => shown.indexOf(text)).filter((place) => place >= 0),
		);
	}
	console.log(`  representatives: ${JSON.stringify(found)}`);
	const goodbyes = countGoodbyes(soak, taken);
	return {
		'every answer was shown, or the representative was told': found.all > 0 && found.lost === 0,
		'the representative is told what is so': found.untrue === 0,
		'each answer once': found.twice === 0,
		'to their own customer': found.astray === 0,
		'answers in order': found.outOfOrder === 0,
		'one goodbye for each end': goodbyes.missed === 0 && goodbyes.twice === 0,
	};
}
