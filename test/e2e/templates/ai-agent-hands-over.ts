// A chat that begins with an AI agent, whose model is a stub, and goes to a representative and back.
import { randomUUID } from 'node:crypto';
import { Executions } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { startHttpStub, type StubAnswer, type StubRequest } from './httpStub';
import { inProduction, makeSecret, ownCredentials } from './channel';
import type { Filling } from '../../../tools/n8n/templates';

const TOOL = 'Hand_over_to_a_representative';

interface Prompt {
	messages: Array<{ role: string; content: unknown }>;
	tools?: Array<{ function: { name: string; parameters: { properties: object } } }>;
}

/** A stub of a model. It hands over customers who ask for a person, and answers all others. */
function model({ path, body }: StubRequest<Prompt>): StubAnswer {
	if (!path.endsWith('/chat/completions')) return { status: 404 };
	const { messages } = body;
	const { role, content } = messages.at(-1)!;
	if (String(content).includes('break'))
		return { status: 400, body: { error: { message: 'the model is down' } } };
	const call = {
		id: 'call_1',
		type: 'function',
		function: {
			name: TOOL,
			arguments: JSON.stringify({ summary: 'The heat pump is loud', reason: 'asked' }),
		},
	};
	const message =
		role === 'tool'
			? { role: 'assistant', content: 'A colleague takes over.' }
			: String(content).includes('person')
				? { role: 'assistant', content: null, tool_calls: [call] }
				: { role: 'assistant', content: `You said: ${String(content)}` };
	const choice = { index: 0, message, finish_reason: 'tool_calls' in message ? 'tool_calls' : 'stop' };
	const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
	return {
		body: {
			id: randomUUID(),
			object: 'chat.completion',
			created: 1,
			model: 'stub',
			choices: [choice],
			usage,
		},
	};
}

interface Answer {
	output: string | null;
	talksTo: 'ai' | 'representative';
}

interface Shown {
	sessionId: string;
	talksTo: string;
	text: string;
	from?: string;
}

/** Makes the table that the template's note asks for. @returns its ID */
async function makeTable({ n8n }: N8nWithEmulator): Promise<string> {
	const project = await n8n.rest<{ id: string }>('GET', '/projects/personal');
	const { id } = await n8n.rest<{ id: string }>('POST', `/projects/${project.id}/data-tables`, {
		name: `who-talks-${randomUUID().slice(0, 8)}`,
		columns: ['sessionId', 'conversationId'].map((name) => ({ name, type: 'string' })),
	});
	return id;
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { emulator } = setup;
	const { desk } = emulator;
	const { contextLagMs } = emulator.settings;
	const openAi = await startHttpStub(model);
	const app = await startHttpStub<Shown>();
	try {
		const modelId = await makeCredential(setup.n8n, 'openAiApi', {
			apiKey: 'secret',
			url: `${openAi.url}/v1`,
			header: false,
		});
		const tableId = await makeTable(setup);
		const secret = await makeSecret(setup);
		const header = { type: 'httpHeaderAuth', id: secret.credentialId };
		const filling: Filling = {
			credentials: {
				...ownCredentials(setup),
				'n8n-nodes-base.webhook': header,
				'n8n-nodes-base.httpRequest': header,
				'@n8n/n8n-nodes-langchain.lmChatOpenAi': { type: 'openAiApi', id: modelId },
			},
			set: ({ type, parameters }) => {
				if (type === 'n8n-nodes-base.dataTable')
					parameters.dataTableId = { __rl: true, mode: 'list', value: tableId };
				if (type === 'n8n-nodes-base.httpRequest') parameters.url = `${app.url}/show`;
			},
		};
		return await inProduction(setup, 'ai-agent-hands-over', filling, async ({ urlOf }) => {
			const url = urlOf('Customer writes');
			const write = async (sessionId: string, text: string) => {
				const response = await fetch(url, {
					method: 'POST',
					headers: { 'content-type': 'application/json', ...secret.headers },
					body: JSON.stringify({ sessionId, name: 'Kim Berger', text }),
				});
				const said = await response.text();
				if (!said) throw new Error(`“${text}” was answered with ${response.status} and nothing`);
				return { status: response.status, ...(JSON.parse(said) as Answer) };
			};
			const prompts = () => openAi.requests.map(({ body }) => body);
			const shown = (sessionId: string) =>
				app.requests.map(({ body }) => body).filter((one) => one.sessionId === sessionId);
			const conversationOf = (sessionId: string) =>
				desk.list().findLast(({ customerId }) => customerId === sessionId);
			const checks: Record<string, boolean> = {};

			const kim = `kim-${randomUUID()}`;
			const first = await write(kim, 'My heat pump is loud.');
			checks['first the AI agent answers'] =
				first.output === 'You said: My heat pump is loud.' &&
				first.talksTo === 'ai' &&
				conversationOf(kim) === undefined;
			// The workflow keeps the representative's messages back until the context is available.
			emulator.settings.contextLagMs = 3_000;
			const handedOver = await write(kim, 'I want to talk to a person.');
			checks['it hands over by its tool, and says so'] =
				handedOver.output === 'A colleague takes over.' && handedOver.talksTo === 'representative';
			const tool = prompts()[0]!.tools?.[0]?.function;
			checks['the model is asked for summary and reason, and for nothing else'] =
				tool?.name === TOOL && Object.keys(tool.parameters.properties).sort().join() === 'reason,summary';
			const conversation = await waitFor('a conversation', 1_000, () => conversationOf(kim));
			const context = Object.fromEntries(conversation.context.map(({ name, value }) => [name, value]));
			checks['the representative gets summary, reason and the whole chat'] =
				context.summary === 'The heat pump is loud' &&
				context.reason === 'asked' &&
				context.transcript ===
					'Customer: My heat pump is loud.\nAssistant: You said: My heat pump is loud.\nCustomer: I want to talk to a person.';

			desk.accept(conversation.id, { agentName: 'Ana Lopes' });
			desk.reply(conversation.id, { text: '**Hello**, this is Ana.' });
			await waitFor('the representative’s words', 60_000, () => shown(kim).length === 1);
			checks['the representative’s words come in the same chat'] =
				shown(kim)[0]!.text === 'Hello, this is Ana.' && shown(kim)[0]!.talksTo === 'representative';
			await new Executions(setup.n8n).waitUntilIdle();
			await setup.restart();
			const asked = prompts().length;
			const passedOn = await write(kim, 'Is it dangerous?');
			checks['after a restart of n8n, the customer still talks to the representative, not to the model'] =
				passedOn.talksTo === 'representative' &&
				passedOn.output === null &&
				conversation.messages.at(-1)!.text === 'Is it dangerous?' &&
				prompts().length === asked;

			desk.close(conversation.id);
			await waitFor('the end', 60_000, () => shown(kim).length === 2);
			checks['at the end, the chat says that the AI agent is back'] = shown(kim)[1]!.talksTo === 'ai';
			const back = await write(kim, 'Thank you.');
			checks['and it answers again'] = back.output === 'You said: Thank you.' && back.talksTo === 'ai';

			const jo = `jo-${randomUUID()}`;
			await write(jo, 'A person, please.');
			const lost = await waitFor('a conversation', 1_000, () => conversationOf(jo));
			emulator.setWebhookUrl(null);
			desk.close(lost.id);
			await emulator.idle();
			const healed = await write(jo, 'Still there?');
			checks['also where n8n never heard of the end'] =
				healed.output === 'You said: Still there?' && healed.talksTo === 'ai';

			const mia = `mia-${randomUUID()}`;
			const down = await write(mia, 'Please break.');
			checks['a representative gets who writes while the model is down'] =
				down.status === 200 &&
				down.talksTo === 'representative' &&
				conversationOf(mia)?.messages[0]?.text === 'Please break.';
			emulator.settings.faults = [{ match: { operationId: 'createConversation' }, action: { status: 400 } }];
			const nobody = await write(`ned-${randomUUID()}`, 'Please break.');
			checks['and where Dynamics is down, too, the app is told'] = nobody.status === 503;
			const failing = await write(`pia-${randomUUID()}`, 'A person, please.');
			checks['where only the tool fails, the customer stays with the AI agent'] = failing.talksTo === 'ai';
			return checks;
		});
	} finally {
		Object.assign(emulator.settings, { faults: [], contextLagMs });
		await Promise.all([openAi.close(), app.close()]);
	}
}
