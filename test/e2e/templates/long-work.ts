// Work that takes longer than Dynamics waits: each message once and in order, also over a kill in mid-work and one while an
// answer is on its way, a delivery that comes twice, and a PostgreSQL that refuses connections.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { servicesFrom, Database } from '../../../bench/queue/services';
import { makeLongWorkTables, withLease } from '../../../tools/n8n/longWork';
import type { Filling } from '../../../tools/n8n/templates';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { close, listen } from '../../../tools/ports';
import { post } from '../../../tools/post';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { callsSince, inProduction, ownCredentials } from './channel';

/** Shorter than the template's five minutes, so that the test need not wait for them. */
const LEASE_SECONDS = 20;
const WORK_MS = 300;

interface Row {
	id: string;
	conversation_id: string;
	state: string;
	said: string;
	answer: string | null;
}

/** Stands for an AI agent: keeps in which order it was asked, and answers some time later. */
async function startAgent() {
	const asked: string[] = [];
	const agent = { asked, workMs: WORK_MS };
	const server = createServer((request, response) => {
		void text(request).then((body) => {
			const { said } = JSON.parse(body) as { said: string };
			asked.push(said);
			setTimeout(() => {
				response.writeHead(200, { 'content-type': 'application/json' });
				response.end(JSON.stringify({ text: `answer to ${said}` }));
			}, agent.workMs);
		});
	});
	const url = `http://127.0.0.1:${await listen(server)}`;
	return { agent, url, close: async () => await close(server) };
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { postgres } = servicesFrom(process.env);
	const database = await Database.create(postgres, `e2e_long_work_${process.pid}`);
	// Nobody can close a database from within.
	const admin = await Database.create(postgres, `${database.name}_admin`);
	const agent = await startAgent();
	try {
		// Twice, as the template says that it may be.
		await makeLongWorkTables(database);
		await makeLongWorkTables(database);
		return await checkWith(setup, { database, admin }, agent);
	} finally {
		await agent.close();
		await database.drop();
		await admin.drop();
	}
}

async function checkWith(
	setup: N8nWithEmulator,
	{ database, admin }: { database: Database; admin: Database },
	{ agent, url: agentUrl }: Awaited<ReturnType<typeof startAgent>>,
): Promise<Record<string, boolean>> {
	const { emulator } = setup;
	const { postgres } = servicesFrom(process.env);
	const postgresId = await makeCredential(setup.n8n, 'postgres', { ...postgres, database: database.name });
	const filling: Filling = {
		credentials: {
			...ownCredentials(setup),
			'n8n-nodes-base.postgres': { type: 'postgres', id: postgresId },
		},
		set: (node) => {
			withLease(LEASE_SECONDS)(node);
			if (node.name !== 'Your own work') return;
			Object.assign(node, { type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2 });
			node.parameters = {
				method: 'POST',
				url: agentUrl,
				sendBody: true,
				specifyBody: 'json',
				jsonBody: '={{ { said: $json.item.text } }}',
				options: {},
			};
		},
	};
	return await inProduction(setup, 'long-work', filling, async ({ urlOf }) => {
		const base = urlOf('From Dynamics 365');
		const token = await emulator.issueDeliveryToken();
		const customer = await connect(emulator);
		const conversations = await Promise.all([1, 2, 3].map(() => startConversation(customer, {})));
		const deliver = async (conversation: string, said: string, id?: string) => {
			const activity = { type: 'message', text: said, conversation: { id: conversation }, ...(id && { id }) };
			const url = new URL(`${base}/v3/conversations/${conversation}/activities`);
			return await post(url, token, JSON.stringify(activity));
		};
		const rows = () =>
			database.rows<Row>(
				`SELECT id, conversation_id, state, item->>'text' AS said, answer FROM dynamics365.deliveries ORDER BY id`,
			);
		const ended = (count: number) =>
			waitFor(`${count} messages to be worked on`, 120_000, async () => {
				const all = await rows();
				const open = all.some(({ state }) => ['waiting', 'working', 'saying'].includes(state));
				return all.length === count && !open;
			});
		/** What the customer side said since, by conversation. */
		const saidSince = (seq: number, conversation: string) =>
			callsSince(setup, seq)
				.filter(({ messageId, conversationId }) => messageId && conversationId === conversation)
				.map(({ body }) => (body as { text?: string }).text);
		const now = () => emulator.log.length;
		const checks: Record<string, boolean> = {};

		// A burst: those of a conversation come one after the other, the conversations side by side.
		const start = now();
		const burst = Array.from({ length: 20 }, (_, index) => ({
			conversation: conversations[index % 3]!,
			said: `message ${index}`,
		}));
		const answers = await Promise.all(
			conversations.map(async (conversation) => {
				const statuses: Array<number | undefined> = [];
				for (const one of burst.filter((each) => each.conversation === conversation)) {
					statuses.push(await deliver(conversation, one.said));
				}
				return statuses;
			}),
		);
		checks['every delivery of the burst is answered 200'] = answers.flat().every((status) => status === 200);
		await ended(20);
		const inOrder = conversations.map((conversation) =>
			burst.filter((one) => one.conversation === conversation).map(({ said }) => `answer to ${said}`),
		);
		checks['each is answered once, those of a conversation in their order'] =
			JSON.stringify(conversations.map((id) => saidSince(start, id))) === JSON.stringify(inOrder);

		const [first, second, third] = conversations as [string, string, string];
		const id = randomUUID();
		const same = [await deliver(first, 'the same', id), await deliver(first, 'the same', id)];
		const [one] = await database.rows<{ count: string }>(
			`SELECT count(*) FROM dynamics365.deliveries WHERE delivery_key = 'activity ${id}'`,
		);
		checks['the same delivery twice is one row'] =
			same.every((status) => status === 200) && one?.count === '1';
		const equal = [await deliver(first, 'ok'), await deliver(first, 'ok')];
		await ended(23);
		checks['the same words said twice are two'] =
			equal.every((status) => status === 200) &&
			saidSince(start, first).filter((said) => said === 'answer to ok').length === 2;

		// Killed in mid-work, and at the same time while an answer is on its way and its arrival is not yet known.
		const killed = now();
		agent.workMs = 15_000;
		await deliver(second, 'slow');
		await deliver(second, 'after slow');
		await waitFor('the agent to think', 30_000, () => agent.asked.includes('slow'));
		agent.workMs = WORK_MS;
		emulator.settings.faults.push({
			match: { operationId: 'sendActivity', conversationId: third },
			action: { delayMs: 8_000 },
			times: 1,
		});
		await deliver(third, 'half said');
		await deliver(third, 'after half said');
		await waitFor('an answer to be on its way', 30_000, async () =>
			(await rows()).some(({ said, state }) => said === 'half said' && state === 'saying'),
		);
		await new Promise((resolve) => setTimeout(resolve, 1000));
		await setup.restart();
		await ended(27);
		const after = await rows();
		checks['killed in mid-work: everything is done after the restart, in order'] =
			JSON.stringify(saidSince(killed, second)) ===
			JSON.stringify(['answer to slow', 'answer to after slow']);
		checks['what may have been said is not said twice'] =
			saidSince(killed, third).filter((said) => said === 'answer to half said').length <= 1;
		checks['but shown'] =
			JSON.stringify(
				after.filter(({ state }) => state === 'uncertain').map(({ said, answer }) => [said, answer]),
			) === JSON.stringify([['half said', 'answer to half said']]);
		checks['and the conversation goes on'] = saidSince(killed, third).at(-1) === 'answer to after half said';

		// PostgreSQL refuses connections for a while.
		await allowConnections(admin, database.name, false);
		const refused = await deliver(first, 'while away');
		await allowConnections(admin, database.name, true);
		const retried = await deliver(first, 'while away');
		await ended(28);
		checks['while PostgreSQL refuses connections a delivery is answered 500'] = refused === 500;
		checks['and its retry succeeds'] =
			retried === 200 &&
			saidSince(killed, first).filter((said) => said === 'answer to while away').length === 1;
		return checks;
	});
}

/** Lets nobody into a database, and ends the connections that there are; or lets everybody in again. */
async function allowConnections(admin: Database, name: string, isAllowed: boolean): Promise<void> {
	await admin.rows(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS ${isAllowed}`);
	if (isAllowed) return;
	await admin.rows('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
}
