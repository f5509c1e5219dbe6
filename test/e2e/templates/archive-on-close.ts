import { Executions, type Execution } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import type { Filling } from '../../../tools/n8n/templates';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { inProduction, ownCredentials } from './channel';
import type { Json } from './httpStub';

const LAST = 'Archive the conversation';

/** Two conversations that close, one of them more than once, and what n8n's tables then hold. */
export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { desk } = setup.emulator;
	const executions = new Executions(setup.n8n);
	const { transcripts } = setup.emulator.settings;
	// Nobody waits for minutes here: the first look does not wait, and the second comes after two seconds.
	const filling: Filling = {
		credentials: ownCredentials(setup),
		set: ({ name, parameters }) => {
			if (name === 'Read the transcript') {
				parameters.options = { ...(parameters.options as Json), waitForTranscript: 0 };
			}
			if (name === 'Wait for it') Object.assign(parameters, { amount: 2, unit: 'seconds' });
		},
	};
	const customer = await connect(setup.emulator);
	const open = (customerid: string, conversationcontext: Json) =>
		startConversation(customer, { customercontext: { customerid }, conversationcontext });
	const write = async (conversationId: string, text: string) => {
		const { channelId } = setup.emulator.world;
		const from = { name: 'Kim Berger' };
		const body = { type: 'message', channelId, conversation: { id: conversationId }, from, text };
		const { status } = await customer('POST', `/conversation/${conversationId}`, { body });
		if (status !== 200) throw new Error(`The customer’s words were answered with ${status}`);
	};
	return await inProduction(setup, 'archive-on-close', filling, async ({ id }) => {
		const ofThis = async () => (await executions.all()).filter(({ workflowId }) => workflowId === id);
		const did = (node: string) => (execution: Execution) =>
			execution.runs.some((run) => run.node === node && run.items.length > 0);
		const archived = (times: number) =>
			waitFor(`${times} conversations to be archived`, 60_000, async () =>
				(await ofThis()).filter(did(LAST)).length >= times ? true : undefined,
			);
		const rest = async () => {
			await setup.emulator.idle();
			await executions.waitUntilIdle();
		};

		// A conversation with four messages, a file and words between representatives.
		transcripts.delayMs = 0;
		const one = await open('kim-archive', {});
		await write(one, 'My heat pump …');
		desk.accept(one, { agentName: 'Ana Lopes' });
		desk.reply(one, { text: 'Hello, this is Ana.' });
		await write(one, 'It is very loud.');
		desk.privateNote(one, 'A difficult one');
		desk.linkCase(one, 'Loud pump');
		const file = { name: 'manual.pdf', contentType: 'application/pdf', data: Buffer.from('%PDF-') };
		desk.reply(one, { text: 'Page 3 says how to clean it.', files: [file] });
		await rest();
		const early = (await ofThis()).filter(did(LAST)).length;
		desk.close(one);
		await archived(1);
		await rest();
		const before = { ...(await tablesOf(setup)) };
		const read = (await ofThis()).filter(did('The transcript')).length;

		// The end is delivered again in both possible ways: as the same event, and as another event with the same meaning.
		const { channelId, messages } = desk.get(one);
		const place = { channelId, conversation: { id: one } };
		for (const name of ['ConversationClosed', 'PrimaryAgentEndConversation']) {
			desk.deliver(one, { type: 'message', name, text: `EventName: **_${name}_**`, ...place });
		}
		await rest();
		const ended = await waitFor('the repeated ends', 30_000, async () => {
			const found = (await ofThis()).filter(({ runs }) =>
				runs.some(({ node }) => node === 'Archived before?'),
			);
			return found.length >= 3 ? found : undefined;
		});
		const after = await tablesOf(setup);
		const readAgain = (await ofThis()).filter(did('The transcript')).length;

		// Another conversation, without messages, whose transcript is there at the second try only.
		transcripts.delayMs = 8_000;
		const two = await open('lee-archive', {});
		desk.close(two);
		await archived(2);
		await rest();
		const all = await tablesOf(setup);
		const secondTries = (await ofThis()).filter(did('Read it again')).length;
		transcripts.delayMs = 0;
		const failedBefore = (await ofThis()).filter(({ status }) => status !== 'success').length;

		// A conversation whose record cannot be read at first, and not its transcript either.
		const { faults } = setup.emulator.settings;
		const three = await open('pat-archive', {});
		await write(three, 'Hello?');
		const match = { operationId: 'dataverse.getConversation' };
		// Of the record, and of the transcript, which asks for the record first.
		faults.push({ match, action: { status: 403 }, times: 2 });
		desk.close(three);
		const failed = await executions.waitFor(
			'one that fails',
			({ workflowId, status }) => workflowId === id && status === 'error',
		);
		const unread = (await tablesOf(setup)).conversations.length;
		await setup.n8n.rest('POST', `/executions/${failed.id}/retry`, { loadWorkflow: false });
		await archived(3);
		await rest();
		faults.length = 0;
		const retried = await tablesOf(setup);

		const rows = before.messages.filter(({ conversationId }) => conversationId === one);
		const [summary] = before.conversations;
		const silent = all.conversations.find(({ conversationId }) => conversationId === two);
		const texts = messages.map(({ text }) => text);
		const [first, last] = [messages[0]!, messages.at(-1)!].map(({ timestamp }) => Date.parse(timestamp));
		return {
			'nothing is archived before the end': early === 0,
			'there is one row per message': rows.length === messages.length && messages.length === 4,
			'with the words of all':
				JSON.stringify(rows.map(({ text }) => text).sort()) === JSON.stringify([...texts].sort()),
			'and who said them, and when': messages.every(({ messageId, from, timestamp }) =>
				rows.some(
					(row) =>
						row.messageId === messageId &&
						row.fromName === from.name &&
						Date.parse(String(row.sentAt)) === Date.parse(timestamp),
				),
			),
			'and the file':
				rows.filter(({ attachments }) => String(attachments).includes('manual.pdf')).length === 1,
			'there is one row of the conversation':
				before.conversations.length === 1 && summary?.conversationId === one,
			'with its record': (JSON.parse(String(summary?.record)) as Json).caseName === 'Loud pump',
			'and nothing that was private': !JSON.stringify(before).includes('A difficult one'),
			'and how many messages': summary?.messages === 4,
			'and the first and the last time':
				Date.parse(String(summary?.firstAt)) === first && Date.parse(String(summary?.lastAt)) === last,
			'and its length': summary?.lengthSeconds === Math.round((last! - first!) / 1000),
			'and how it closed': summary?.closedBy === 'ConversationClosed',
			'its end came three times': ended.length === 3 && ended.every(({ status }) => status === 'success'),
			'but was read once': read === 1 && readAgain === 1,
			'and archived once': JSON.stringify(after) === JSON.stringify(before),
			'a conversation without words is archived': silent?.messages === 0 && silent.lengthSeconds === 0,
			'by the second try': secondTries === 1,
			'with no message': all.messages.length === before.messages.length,
			'no execution failed': failedBefore === 0,
			'what cannot be read is not archived': unread === 2,
			'until it is tried again':
				retried.conversations.length === 3 &&
				retried.messages.filter(({ conversationId }) => conversationId === three).length === 1,
			'without its record it is archived all the same':
				retried.conversations.find(({ conversationId }) => conversationId === three)?.record === '',
		};
	});
}

/** The rows of both tables, as n8n keeps them. */
async function tablesOf({ n8n }: N8nWithEmulator): Promise<{ messages: Json[]; conversations: Json[] }> {
	const { id: project } = await n8n.rest<{ id: string }>('GET', '/projects/personal');
	const { data: tables } = await n8n.rest<{ data: Array<{ id: string; name: string }> }>(
		'GET',
		`/projects/${project}/data-tables`,
	);
	const rowsOf = async (name: string) => {
		const found = tables.filter((table) => table.name === name);
		if (found.length !== 1) throw new Error(`There are ${found.length} tables ${name}`);
		const { data } = await n8n.rest<{ data: Json[] }>(
			'GET',
			`/projects/${project}/data-tables/${found[0]!.id}/rows?take=100`,
		);
		return data;
	};
	return {
		messages: await rowsOf('Dynamics 365 messages'),
		conversations: await rowsOf('Dynamics 365 conversations'),
	};
}
