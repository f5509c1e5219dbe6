// A system that tells customers something on WhatsApp, whose windows open and close meanwhile; Azure and the team's system fail.
import type { CommunicationConversation } from '../../../emulator';
import { connectionStringCredential } from '../../../tools/emulatorCredentials';
import type { Filling } from '../../../tools/n8n/templates';
import { makeCredential } from '../../../tools/n8n/workflows';
import { inProduction, makeSecret } from '../templates/channel';
import { withTables } from '../templates/database';
import { startHttpStub } from '../templates/httpStub';
import { type Answer, type Checks, isInOrder, type Soak } from './soak';

const NODE = 'n8n-nodes-dynamics365-messaging.azureCommunicationConversations';
const CUSTOMERS = 5;

/** What a customer is to be told. */
interface Notice {
	text: string;
	/** The value of the template, by which it is known, too; empty where the template cannot be filled. */
	days: string;
	isSaid: boolean;
	/** The caller was told that it was not sent, and that another try does not help. */
	isGivenUp: boolean;
	/** Whether a try of it failed: then later ones may have gone before. */
	wasRefused: boolean;
	sentAt: number;
}

export async function play(soak: Soak): Promise<Checks> {
	return await withTables(soak.setup, 'soak-whatsapp', async ({ credentials }) => {
		const { emulator, n8n } = soak.setup;
		const secret = await makeSecret(soak.setup);
		const account = connectionStringCredential(emulator);
		const id = await makeCredential(n8n, 'azureCommunicationServicesApi', account);
		const team = await startHttpStub<{ text: string }>(() =>
			soak.pick([{}, { status: 500 }, { body: [] }, { isCut: true }, { body: Buffer.from('OK') }]),
		);
		const filling: Filling = {
			credentials: {
				...credentials,
				[NODE]: { type: 'azureCommunicationServicesApi', id },
				'n8n-nodes-base.webhook': { type: 'httpHeaderAuth', id: secret.credentialId },
			},
			set: ({ name, parameters }) => {
				if (name === 'Tell your team') parameters.url = `${team.url}/notices`;
			},
		};
		const { communication } = emulator;
		communication.addConversations(CUSTOMERS);
		const conversations = communication.conversations.slice(-CUSTOMERS);
		for (const one of conversations) communication.receive(one.id, 'Hello');
		const match = { operationId: 'communication.sendMessage' };
		emulator.settings.faults.push(
			{ match, action: 'resetAfter', probability: 0.04 },
			{ match, action: 'resetBefore', probability: 0.03 },
			{ match, action: { status: 503 }, probability: 0.05 },
			{ match, action: { status: 429, retryAfter: 1 }, probability: 0.03 },
			{ match, action: { delayMs: 700 }, probability: 0.1 },
		);
		const windows = async () => {
			while (soak.isOn) {
				await soak.pause(300, 1_500);
				const one = soak.pick(conversations);
				if (soak.chance(0.5)) communication.closeWindow(one.id);
				else communication.receive(one.id, 'Hello again');
			}
		};
		return await inProduction(soak.setup, 'whatsapp-business-message', filling, async ({ urlOf }) => {
			const path = new URL(urlOf('When there is something to tell')).pathname;
			const post = async (body: object) => await soak.post(path, body, secret.headers);
			const notices = new Map<CommunicationConversation, Notice[]>(conversations.map((one) => [one, []]));
			const systems = [...notices].map(
				([conversation, mine]) =>
					async () =>
						await tellCustomer(soak, conversation.id, mine, post),
			);
			await soak.run([...systems, windows]);
			await team.close();
			return check(
				notices,
				team.requests.map(({ body }) => body.text),
			);
		});
	});
}

async function tellCustomer(
	soak: Soak,
	conversationId: string,
	mine: Notice[],
	post: (body: object) => Promise<Answer>,
): Promise<void> {
	const say = async (one: Notice) => {
		const { text, days, sentAt } = one;
		const { status, body } = await post({ conversationId, messageId: text, sentAt, text, days });
		one.isSaid ||= status === 200 && typeof body.messageId === 'string';
		one.isGivenUp ||= body.delivered === null && body.mayRetry === false;
		one.wasRefused ||= !one.isSaid && status !== 0;
	};
	while (soak.isOn) {
		const from = mine.length;
		const burst = soak.pick([1, 1, 1, 3]);
		for (let number = from; number < from + burst; number++) {
			const days = soak.chance(0.08) ? '' : String(number);
			const text = `notice ${number} to ${conversationId}`;
			mine.push({
				text,
				days,
				isSaid: false,
				isGivenUp: false,
				wasRefused: false,
				sentAt: Date.now() + number,
			});
		}
		const news = mine.slice(from);
		const first = news.map(async (one, index) => {
			await soak.pause(index * 40, index * 40 + 5);
			await Promise.all(soak.chance(0.2) ? [say(one), say(one)] : [say(one)]);
		});
		await Promise.all(first);
		for (const one of news) {
			for (let tries = 0; tries < 60 && !one.isSaid && !one.isGivenUp; tries++) {
				await soak.pause(500, 1_500);
				await say(one);
			}
		}
		if (soak.chance(0.1)) await say(soak.pick(mine));
		await soak.pause(200, 1_500);
	}
}

/** What the customer was told: the text, or the value of the template. */
type Told = { text: string } | { days: string };

function toldIn({ messages }: CommunicationConversation): Told[] {
	return messages.flatMap(({ message }): Told[] => {
		const { content, template } = message as {
			content?: string;
			template?: { values?: Array<{ text?: string }> };
		};
		if (template) return [{ days: template.values?.[0]?.text ?? '' }];
		return content?.startsWith('notice') ? [{ text: content }] : [];
	});
}

function check(notices: Map<CommunicationConversation, Notice[]>, team: string[]): Checks {
	const found = {
		all: 0,
		asTemplate: 0,
		givenUp: 0,
		lost: 0,
		notToldToTheTeam: 0,
		twice: 0,
		asTextAndAsTemplate: 0,
		astray: 0,
		outOfOrder: 0,
	};
	for (const [conversation, mine] of notices) {
		const told = toldIn(conversation);
		const indexOf = (one: Told) =>
			mine.findIndex(({ text, days }) => ('text' in one ? one.text === text : one.days === days));
		const numbers = told.map(indexOf);
		found.all += mine.length;
		found.asTemplate += told.filter((one) => 'days' in one).length;
		found.astray += numbers.filter((number) => number === -1).length;
		for (const [number, one] of mine.entries()) {
			const times = told.filter((_, index) => numbers[index] === number);
			found.givenUp += one.isGivenUp ? 1 : 0;
			found.lost += one.isSaid ? Number(times.length === 0) : Number(!one.isGivenUp);
			found.notToldToTheTeam += one.isGivenUp && !team.some((text) => text.includes(`“${one.text}”`)) ? 1 : 0;
			const texts = times.filter((other) => 'text' in other).length;
			const templates = times.length - texts;
			found.twice += Math.max(0, texts - 1) + Math.max(0, templates - 1);
			// What is left: the template was sent, nobody knew it, and the window opened before the next try.
			found.asTextAndAsTemplate += texts > 0 && templates > 0 ? 1 : 0;
			found.twice += texts > 0 && templates > 0 && !one.wasRefused ? 1 : 0;
		}
		const inOrder = numbers.filter((number, index) => numbers.indexOf(number) === index);
		found.outOfOrder += isInOrder(inOrder.filter((number) => mine[number]?.wasRefused === false)) ? 0 : 1;
	}
	console.log(`  notices: ${JSON.stringify(found)}`);
	return {
		'every notice was sent, or the caller was told': found.all > 0 && found.lost === 0,
		'and then the team, too': found.notToldToTheTeam === 0,
		once: found.twice === 0,
		'hardly one as text and as template': found.asTextAndAsTemplate <= 2,
		'to their own customer': found.astray === 0,
		'in order': found.outOfOrder === 0,
	};
}
