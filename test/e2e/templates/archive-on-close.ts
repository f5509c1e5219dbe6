// Conversations that end: several times, all at once, before their transcript is there, while n8n is killed, and while
// PostgreSQL or Dataverse refuses. Each is archived once and complete.
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { type Filling, runQueryOf } from '../../../tools/n8n/templates';
import { waitUntilResponsive } from '../../../tools/n8n/withN8n';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { inProduction, ownCredentials } from './channel';
import { type TemplateDatabase, withTables } from './database';
import type { Json } from './httpStub';
import { atOnce, errorsOf, triesOf } from './looks';

interface Summary {
	conversation_id: string;
	state: string;
	closed_by: string;
	record: Json | null;
	messages: number | null;
	first_at: Date | null;
	last_at: Date | null;
	length_seconds: number | null;
	ends: number;
	problem: string | null;
}

interface Row {
	message_id: string;
	sent_at: Date;
	from_name: string;
	text: string;
	attachments: Json[];
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	return await withTables(setup, 'archive-on-close', async (tables) => {
		// Twice, as the page says that it may be.
		await runQueryOf('archive-on-close', 'Make the tables', tables.database);
		await runQueryOf('archive-on-close', 'Make the tables', tables.database);
		const { transcripts } = setup.emulator.settings;
		const before = { ...transcripts };
		try {
			return await checkWith(setup, tables);
		} finally {
			Object.assign(transcripts, before);
		}
	});
}

async function checkWith(
	setup: N8nWithEmulator,
	{ database, credentials, allowConnections }: TemplateDatabase,
): Promise<Record<string, boolean>> {
	const { desk } = setup.emulator;
	const { faults, transcripts } = setup.emulator.settings;
	const filling: Filling = {
		credentials: { ...ownCredentials(setup), ...credentials },
		set: (node) => {
			atOnce({ "'5 minutes'": "'6 seconds'", "'30 seconds'": "'1 second'" })(node);
			if (node.name !== 'Read the transcript') return;
			node.parameters.options = { ...(node.parameters.options as Json), waitForTranscript: 0 };
		},
	};
	const customer = await connect(setup.emulator);
	const open = (customerid: string) => startConversation(customer, { customercontext: { customerid } });
	const write = async (conversationId: string, text: string) => {
		const { channelId } = setup.emulator.world;
		const body = {
			type: 'message',
			channelId,
			conversation: { id: conversationId },
			from: { name: 'Kim Berger' },
			text,
		};
		const { status } = await customer('POST', `/conversation/${conversationId}`, { body });
		if (status !== 200) throw new Error(`The customer’s words were answered with ${status}`);
	};
	const end = (conversationId: string, name: string) =>
		desk.deliver(conversationId, {
			type: 'message',
			name,
			text: `EventName: **_${name}_**`,
			channelId: setup.emulator.world.channelId,
			conversation: { id: conversationId },
		});
	const summaryOf = async (id: string) =>
		(
			await database.rows<Summary>(
				'SELECT * FROM dynamics365.archived_conversations WHERE conversation_id = $1',
				[id],
			)
		)[0];
	const messagesOf = async (id: string) =>
		await database.rows<Row>(
			'SELECT * FROM dynamics365.archived_messages WHERE conversation_id = $1 ORDER BY position',
			[id],
		);
	const archived = (id: string) =>
		waitFor(`conversation ${id} to be archived`, 60_000, async () => {
			const summary = await summaryOf(id);
			return summary?.state === 'archived' ? summary : undefined;
		});
	const textsOf = async (id: string) => (await messagesOf(id)).map(({ text }) => text);

	return await inProduction(setup, 'archive-on-close', filling, async ({ id: workflowId }) => {
		const checks: Record<string, boolean> = {};

		// A conversation with four messages, a file and words between representatives. Its end comes three times at once.
		transcripts.delayMs = 0;
		const one = await open('kim-archive');
		const hostile = `It's {{ $json }} $1 '); DROP TABLE x; -- \u{1F525} <b>{"conversationId":"x"}</b>`;
		await write(one, hostile);
		desk.accept(one, { agentName: 'Ana Lopes' });
		desk.reply(one, { text: 'Hello, this is Ana.' });
		await write(one, 'It is very loud.');
		desk.privateNote(one, 'A difficult one');
		desk.linkCase(one, 'Loud pump');
		const file = { name: 'manual.pdf', contentType: 'application/pdf', data: Buffer.from('%PDF-') };
		desk.reply(one, { text: 'Page 3 says how to clean it.', files: [file] });
		await setup.emulator.idle();
		checks['nothing is put down before the end'] = (await summaryOf(one)) === undefined;
		end(one, 'PrimaryAgentEndConversation');
		desk.close(one);
		end(one, 'ConversationClosed');
		await setup.emulator.idle();
		const summary = await waitFor('three ends', 30_000, async () => {
			const found = await summaryOf(one);
			return found?.ends === 3 && found.state === 'archived' ? found : undefined;
		});
		const rows = await messagesOf(one);
		const { messages } = desk.get(one);
		checks['three ends at once are one archive, with one row per message'] =
			rows.length === messages.length && rows.length === 4 && summary.messages === 4;
		checks['with the words of all, in their order'] =
			JSON.stringify(rows.map(({ text }) => text)) === JSON.stringify(messages.map(({ text }) => text));
		checks['and who said them, and when'] = messages.every(({ messageId, from, timestamp }) =>
			rows.some(
				(row) =>
					row.message_id === messageId &&
					row.from_name === from.name &&
					row.sent_at.getTime() === Date.parse(timestamp),
			),
		);
		checks['and the file'] =
			rows.filter(({ attachments }) => JSON.stringify(attachments).includes('manual.pdf')).length === 1;
		checks['with the record, and nothing that was private'] =
			summary.record?.caseName === 'Loud pump' && !JSON.stringify(rows).includes('A difficult one');
		const [first, last] = [messages[0]!, messages.at(-1)!].map(({ timestamp }) => Date.parse(timestamp));
		checks['and the first and the last time, and its length'] =
			summary.first_at?.getTime() === first &&
			summary.last_at?.getTime() === last &&
			summary.length_seconds === Math.round((last! - first!) / 1000);
		checks['and how it closed'] = summary.closed_by === 'ConversationClosed';

		// Words between two ends: the first end comes when there is no transcript yet.
		const two = await open('lee-archive');
		await write(two, 'Before the first end');
		end(two, 'PrimaryAgentEndConversation');
		const early = await waitFor('a look that finds no transcript', 30_000, async () => {
			const found = await summaryOf(two);
			return found?.problem ? found : undefined;
		});
		await write(two, 'Between two ends');
		desk.close(two);
		await archived(two);
		checks['unreadable at the first end: the row is open and says why'] =
			early.state === 'open' && /not there/.test(early.problem ?? '');
		checks['words between two ends are archived'] =
			JSON.stringify(await textsOf(two)) === JSON.stringify(['Before the first end', 'Between two ends']);

		// Five at once, whose transcripts come late, one of them without words.
		transcripts.delayMs = 6_000;
		const many = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => open(`${name}-archive`)));
		for (const id of many.slice(1)) await write(id, `words of ${id}`);
		for (const id of many) desk.close(id);
		const late = await Promise.all(many.map(archived));
		transcripts.delayMs = 0;
		checks['five that end at once are five archives'] = (await Promise.all(many.map(textsOf))).every(
			(texts, index) => (index === 0 ? texts.length === 0 : texts.join() === `words of ${many[index]!}`),
		);
		checks['a conversation without words is archived'] =
			late[0]!.messages === 0 && late[0]!.length_seconds === 0;

		// Dataverse refuses for a while.
		const three = await open('pat-archive');
		await write(three, 'Hello?');
		faults.push({
			match: { operationId: 'dataverse.getConversation' },
			action: { status: 403 },
			times: 4,
		});
		desk.close(three);
		const refused = await waitFor('a look that is refused', 30_000, async () => {
			const found = await summaryOf(three);
			return found?.problem ? found : undefined;
		});
		await archived(three);
		faults.length = 0;
		checks['what cannot be read is not archived, but later'] =
			refused.state === 'open' && JSON.stringify(await textsOf(three)) === JSON.stringify(['Hello?']);

		// A second end after it was archived: the archive is brought up to date, and stays one.
		end(three, 'SupervisorForceClosedConversation');
		await waitFor('the second end', 30_000, async () => (await summaryOf(three))?.ends === 2);
		await archived(three);
		checks['an end after the archive is read again, and doubles nothing'] =
			(await messagesOf(three)).length === 1;
		checks['until here no execution failed'] = (await errorsOf(setup, workflowId)) === 0;

		// n8n is killed while it reads.
		const four = await open('sam-archive');
		await write(four, 'Do not lose me');
		faults.push({
			match: { operationId: 'dataverse.getConversation' },
			action: { delayMs: 20_000 },
			times: 1,
		});
		desk.close(four);
		await waitFor('the record to be read', 30_000, () => faults[0]?.times === 0);
		await setup.restart('kill');
		await waitUntilResponsive(setup.n8n.url);
		const open4 = await summaryOf(four);
		await archived(four);
		faults.length = 0;
		checks['killed while it reads: nothing is lost, nothing is doubled'] =
			open4 !== undefined && JSON.stringify(await textsOf(four)) === JSON.stringify(['Do not lose me']);

		// PostgreSQL refuses connections when the end comes.
		const five = await open('max-archive');
		await write(five, 'While PostgreSQL is away');
		await allowConnections(false);
		desk.close(five);
		await waitFor('a delivery that is refused', 30_000, () =>
			triesOf(setup, five).some((status) => status !== 200),
		);
		await allowConnections(true);
		await archived(five);
		checks['while PostgreSQL refuses, Dynamics gets no 200, and tries again'] =
			JSON.stringify(await textsOf(five)) === JSON.stringify(['While PostgreSQL is away']);
		return checks;
	});
}
