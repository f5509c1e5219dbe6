// Messages whose answers take their time, in several conversations, while the work fails, is slow, and n8n dies over it. Each
// is answered once and in order, or set aside for a person.
import { withLease } from '../../../tools/n8n/longWork';
import { type Filling, runQueryOf } from '../../../tools/n8n/templates';
import { waitFor } from '../../../tools/wait';
import { inProduction, ownCredentials } from '../templates/channel';
import { withTables } from '../templates/database';
import { startHttpStub } from '../templates/httpStub';
import { atOnce } from '../templates/looks';
import { closeDatabase, connectCustomers, countOutOfOrder, deliveriesOf, LOOK_EVERY_SECONDS } from './people';
import type { Checks, Soak } from './soak';

const CONVERSATIONS = 4;
const LEASE_SECONDS = 15;

interface Row {
	conversation_id: string;
	state: string;
	answer: string | null;
	said: string;
	tries: number;
}

export async function play(soak: Soak): Promise<Checks> {
	const { setup } = soak;
	const { emulator } = setup;
	const agent = await startHttpStub(({ body }) => {
		if (soak.isOn && soak.chance(0.03)) return { status: 500 };
		return { delayMs: soak.pick([0, 100, 500, 2_000]), body: { text: `answer to ${String(body.said)}` } };
	});
	try {
		return await withTables(setup, 'soak-long-work', async ({ credentials, database, allowConnections }) => {
			await runQueryOf('long-work', 'Create the tables', database);
			const filling: Filling = {
				credentials: { ...ownCredentials(setup), ...credentials },
				set: (node) => {
					atOnce({}, LOOK_EVERY_SECONDS)(node);
					withLease(LEASE_SECONDS)(node);
					if (node.name !== 'Your own work') return;
					Object.assign(node, { type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2 });
					node.parameters = {
						method: 'POST',
						url: agent.url,
						sendBody: true,
						specifyBody: 'json',
						jsonBody: '={{ { said: $json.item.text } }}',
						options: {},
					};
				},
			};
			const customers = await connectCustomers(soak);
			return await inProduction(setup, 'long-work', filling, async ({ urlOf }) => {
				emulator.setWebhookUrl(`${soak.origin}${new URL(urlOf('From Dynamics 365')).pathname}`);
				const open = async (index: number) =>
					await waitFor(`conversation ${index}`, 30_000, () => customers.open(`customer-${index}`, 'Hello'));
				const conversations = await Promise.all(
					Array.from({ length: CONVERSATIONS }, (_, index) => open(index)),
				);
				for (const id of conversations) emulator.desk.accept(id);
				const spoken = new Map<string, string[]>(conversations.map((id) => [id, []]));
				const speak = async () => {
					for (let number = 0; soak.isOn;) {
						await soak.pause(200, 1_500);
						const id = soak.pick(conversations);
						for (let burst = soak.pick([1, 1, 4]); burst > 0; burst--) {
							const text = `question ${number++}`;
							spoken.get(id)?.push(text);
							emulator.desk.reply(id, { text });
						}
					}
				};
				await soak.run([speak, () => closeDatabase(soak, allowConnections)], { isScheduled: true });
				const rows = () =>
					database.rows<Row>(
						`SELECT conversation_id, state, answer, tries, item->>'text' AS said FROM dynamics365.deliveries ORDER BY id`,
					);
				await waitFor('every message to be worked on', 120_000, async () =>
					(await rows()).every(({ state }) => ['done', 'uncertain', 'failed'].includes(state)),
				).catch((error: unknown) => console.log(`  ${String(error)}`));
				return checkAnswers(soak, spoken, await rows());
			});
		});
	} finally {
		await agent.close();
	}
}

function checkAnswers(soak: Soak, spoken: Map<string, string[]>, rows: readonly Row[]): Checks {
	const found = {
		all: 0,
		answered: 0,
		setAside: 0,
		open: rows.filter(({ state }) => !['done', 'uncertain', 'failed'].includes(state)).length,
		/** What is left: Dynamics 365 tried it in vain. */
		givenUp: 0,
		lost: 0,
		twice: 0,
		/** What is left: n8n was killed before it told Dynamics 365, or PostgreSQL before it told n8n. */
		twiceAfterATryThatFailed: 0,
		untrue: 0,
		astray: 0,
		outOfOrder: 0,
	};
	for (const [id, texts] of spoken) {
		const said = soak.setup.emulator.desk
			.get(id)
			.messages.map(({ text }) => text)
			.filter((text) => text.startsWith('answer to question'));
		const { givenUp, triedAgain } = deliveriesOf(soak, id);
		found.all += texts.length;
		found.astray += said.filter((text) => !texts.includes(text.replace('answer to ', ''))).length;
		for (const text of texts) {
			const mine = rows.filter((row) => row.conversation_id === id && row.said === text);
			const count = said.filter((answer) => answer === `answer to ${text}`).length;
			const wasSetAside = mine.some(({ state }) => ['uncertain', 'failed'].includes(state));
			if (mine.length === 0) {
				if (givenUp.includes(text)) found.givenUp++;
				else {
					found.lost++;
					console.log(`  no row: ${text} in ${id}`);
				}
				continue;
			}
			if (wasSetAside) found.setAside++;
			if (count > 0) found.answered++;
			else if (!wasSetAside) {
				found.lost++;
				console.log(`  lost: ${text} ${JSON.stringify(mine)}`);
			}
			if (count > 0 && mine.every(({ state }) => state === 'failed')) {
				found.untrue++;
				console.log(`  said, but failed: ${text} ${JSON.stringify(mine)}`);
			}
			if (count > 1) found[triedAgain.includes(text) ? 'twiceAfterATryThatFailed' : 'twice'] += count - 1;
		}
		found.outOfOrder += countOutOfOrder(
			texts.map((text) => said.indexOf(`answer to ${text}`)).filter((place) => place >= 0),
		);
	}
	console.log(`  answers: ${JSON.stringify(found)}`);
	return {
		'every message is answered, or a person is told':
			found.answered > 0 && found.lost === 0 && found.open === 0,
		once: found.twice === 0,
		'in its own conversation': found.astray === 0,
		'in order': found.outOfOrder === 0,
		'and the person is told what is so': found.untrue === 0,
	};
}
