// Conversations that end: once, twice and three times, with words between two ends, while their transcripts come late and
// Dataverse refuses. Each is archived once, with all that was said.
import type { Database } from '../../../bench/queue/services';
import { runQueryOf, type Filling } from '../../../tools/n8n/templates';
import { waitFor } from '../../../tools/wait';
import { inProduction, ownCredentials } from '../templates/channel';
import { withTables } from '../templates/database';
import type { Json } from '../templates/httpStub';
import { atOnce } from '../templates/looks';
import { closeDatabase, connectCustomers, deliverEvent, deliveriesOf, LOOK_EVERY_SECONDS } from './people';
import type { Checks, Soak } from './soak';

const CUSTOMERS = 5;

interface Summary {
	conversation_id: string;
	state: string;
	messages: number | null;
	problem: string | null;
}

interface Row {
	conversation_id: string;
	text: string;
}

/** Talks, and ends it in one of the ways in which conversations end. */
function talker(soak: Soak, customers: Awaited<ReturnType<typeof connectCustomers>>, customerId: string) {
	const { desk } = soak.setup.emulator;
	return async () => {
		for (let number = 0; soak.isOn; number++) {
			let count = 0;
			const words = () => `words ${count++} of ${customerId} ${number}`;
			const id = await customers.open(`${customerId} ${number}`, words());
			if (id === undefined) continue;
			if (soak.chance(0.8)) desk.accept(id);
			const isAccepted = desk.get(id).state === 'active';
			for (let turns = soak.pick([0, 1, 3, 6]); turns > 0; turns--) {
				await customers.write(id, words());
				if (isAccepted) desk.reply(id, { text: soak.pick(['ok', `answer ${words()}`]) });
				await soak.pause(0, 300);
			}
			if (soak.chance(0.4)) {
				// An end before the end, and words between the two.
				deliverEvent(soak, id, 'PrimaryAgentEndConversation');
				await soak.pause(0, 2_000);
				await customers.write(id, words());
			}
			if (isAccepted && soak.chance(0.3)) desk.wrapUp(id);
			desk.close(id);
			if (soak.chance(0.3)) deliverEvent(soak, id, 'ConversationClosed');
			// More would end than n8n takes on a slow machine, and Dynamics 365 would give most of the ends up.
			await soak.pause(1_500, 4_000);
		}
	};
}

export async function play(soak: Soak): Promise<Checks> {
	const { setup } = soak;
	return await withTables(setup, 'soak-archive', async ({ credentials, database, allowConnections }) => {
		await runQueryOf('archive-on-close', 'Make the tables', database);
		const { transcripts } = setup.emulator.settings;
		const filling: Filling = {
			credentials: { ...ownCredentials(setup), ...credentials },
			set: (node) => {
				atOnce({ "'5 minutes'": "'20 seconds'", "'30 seconds'": "'1 second'" }, LOOK_EVERY_SECONDS)(node);
				if (node.name !== 'Read the transcript') return;
				node.parameters.options = { ...(node.parameters.options as Json), waitForTranscript: 1 };
			},
		};
		const moody = async () => {
			while (soak.isOn) {
				transcripts.delayMs = soak.pick([0, 500, 3_000, 8_000]);
				await soak.pause(3_000, 6_000);
			}
			transcripts.delayMs = 0;
		};
		setup.emulator.settings.faults.push(
			{ match: { operationId: 'dataverse.getConversation' }, action: { status: 403 }, probability: 0.1 },
			{ match: { operationId: 'dataverse.getConversation' }, action: { delayMs: 3_000 }, probability: 0.1 },
			{ match: { operationId: 'dataverse.getConversation' }, action: 'resetBefore', probability: 0.05 },
		);
		const customers = await connectCustomers(soak);
		return await inProduction(setup, 'archive-on-close', filling, async () => {
			await soak.run(
				[
					...Array.from({ length: CUSTOMERS }, (_, index) => talker(soak, customers, `customer-${index}`)),
					moody,
					() => closeDatabase(soak, allowConnections),
				],
				{ isScheduled: true },
			);
			return await checkArchives(soak, database);
		});
	});
}

/** Waits until everything is archived, and compares what was said with it. */
export async function checkArchives(soak: Soak, database: Database): Promise<Checks> {
	const readSummaries = () => database.rows<Summary>('SELECT * FROM dynamics365.archived_conversations');
	await waitFor('everything to be archived', 180_000, async () =>
		(await readSummaries()).every(({ state }) => state === 'archived'),
	).catch((error: unknown) => console.log(`  ${String(error)}`));
	const summaries = await readSummaries();
	const rows = await database.rows<Row>(
		'SELECT conversation_id, text FROM dynamics365.archived_messages ORDER BY position',
	);
	const found = {
		conversations: 0,
		archived: 0,
		messages: 0,
		/** What is left: Dynamics 365 tried each of its ends in vain, so that nobody here has heard of it. */
		neverHeardOf: 0,
		notArchived: 0,
		wrongCount: 0,
		different: 0,
	};
	for (const { id, messages, state } of soak.setup.emulator.desk.list()) {
		if (state !== 'closed') continue;
		found.conversations++;
		const summary = summaries.find(({ conversation_id: of }) => of === id);
		if (!summary && deliveriesOf(soak, id).isEventGivenUp) {
			found.neverHeardOf++;
			continue;
		}
		if (summary?.state !== 'archived') {
			found.notArchived++;
			console.log(`  not archived: ${id} ${JSON.stringify(summary)}`);
			continue;
		}
		found.archived++;
		found.messages += messages.length;
		const archived = rows.filter(({ conversation_id: of }) => of === id).map(({ text }) => text);
		if (summary.messages !== archived.length) found.wrongCount++;
		if (JSON.stringify(archived) === JSON.stringify(messages.map(({ text }) => text))) continue;
		found.different++;
		console.log(`  different: ${JSON.stringify({ id, archived, said: messages.map(({ text }) => text) })}`);
	}
	console.log(`  archives: ${JSON.stringify(found)}`);
	return {
		'every conversation that ended is archived': found.archived > 0 && found.notArchived === 0,
		'with every word of it, once and in order': found.messages > 0 && found.different === 0,
		'and their number': found.wrongCount === 0,
	};
}
