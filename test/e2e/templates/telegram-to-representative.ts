// A conversation between a customer on Telegram, whose API is a stub, and a representative.
import { randomBytes } from 'node:crypto';
import { Executions } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { startHttpStub, type StubAnswer, type StubRequest } from './httpStub';
import { inProduction, ownCredentials } from './channel';

const TOKEN = '123456:secret';
const PICTURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** What Telegram's API answers; a chat whose ID begins with 666 has blocked the bot. */
function telegram({ path, body }: StubRequest): StubAnswer {
	if (path === `/file/bot${TOKEN}/photos/file_7.jpg`) return { body: PICTURE };
	const method = path.replace(`/bot${TOKEN}/`, '');
	const chatId = String(body.chat_id ?? '');
	if (chatId.startsWith('666')) {
		const description = 'Forbidden: bot was blocked by the user';
		return { status: 403, body: { ok: false, error_code: 403, description } };
	}
	if (method === 'getFile') return { body: { ok: true, result: { file_path: 'photos/file_7.jpg' } } };
	if (method === 'getWebhookInfo') return { body: { ok: true, result: { url: '' } } };
	return { body: { ok: true, result: method?.startsWith('send') ? { message_id: 1 } : true } };
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { emulator, n8n } = setup;
	const { desk } = emulator;
	const { contextLagMs } = emulator.settings;
	const api = await startHttpStub(telegram);
	try {
		const id = await makeCredential(n8n, 'telegramApi', { accessToken: TOKEN, baseUrl: api.url });
		const telegramApi = { type: 'telegramApi', id };
		const credentials = {
			...ownCredentials(setup),
			'n8n-nodes-base.telegram': telegramApi,
			'n8n-nodes-base.telegramTrigger': telegramApi,
		};
		return await inProduction(
			setup,
			'telegram-to-representative',
			{ credentials },
			async ({ id: workflowId }) => {
				const calls = (method: string) =>
					api.requests.filter(({ path }) => path === `/bot${TOKEN}/${method}`);
				const texts = (chatId: number) =>
					calls('sendMessage')
						.map(({ body }) => body as { chat_id: string; text: string })
						.filter(({ chat_id }) => String(chat_id) === String(chatId))
						.map(({ text }) => text);
				const webhook = await waitFor('Telegram to know the webhook', 30_000, () =>
					calls('setWebhook').at(-1),
				);
				const { url, secret_token } = webhook.body as { url: string; secret_token: string };
				const writes = async (chatId: number, message: object, secret = secret_token) => {
					const sender = { first_name: 'Kim', last_name: 'Berger' };
					const response = await fetch(url, {
						method: 'POST',
						headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret },
						body: JSON.stringify({
							update_id: 1,
							message: { chat: { id: chatId }, from: sender, ...message },
						}),
					});
					return response.status;
				};
				const conversationOf = (chatId: number) =>
					desk.list().findLast(({ customerId }) => customerId === `telegram-${chatId}`);
				const executions = new Executions(n8n);
				const checks: Record<string, boolean> = {};

				const kim = 4_711_000_001;
				checks['somebody who is not Telegram is refused'] =
					(await writes(kim, { text: 'Hi' }, 'wrong')) === 403;
				await writes(kim, { text: '/start' });
				await waitFor('the greeting', 30_000, () => texts(kim).length === 1);
				checks['the bot is started with a greeting, and no conversation'] =
					texts(kim)[0]!.startsWith('Hello!') && conversationOf(kim) === undefined;
				await writes(kim, { text: 'My heat pump is loud.' });
				const conversation = await waitFor('a conversation', 30_000, () => conversationOf(kim));
				const { id } = conversation;
				desk.accept(id, { agentName: 'Ana Lopes' });
				await waitFor('the words', 30_000, () => conversation.messages.length === 1);
				checks['the representative reads the words, and whose they are'] =
					conversation.messages[0]!.text === 'My heat pump is loud.' &&
					conversation.customer.name === 'Kim Berger';

				desk.typing(id);
				await waitFor('typing', 30_000, () => calls('sendChatAction').length === 1);
				desk.reply(id, { text: '**Set** it to *level 3*, if the noise is < 40 & > 30 dB.' });
				await waitFor('the answer', 30_000, () => texts(kim).length === 2);
				checks['the customer sees the answer, without Markdown'] =
					texts(kim)[1] === 'Set it to level 3, if the noise is &lt; 40 &amp; &gt; 30 dB.';
				checks['and saw before that somebody types'] = JSON.stringify(
					calls('sendChatAction')[0]!.body,
				).includes('"typing"');

				const files = [
					{ name: 'levels.png', contentType: 'image/png', data: PICTURE },
					{ name: 'manual.pdf', contentType: 'application/pdf', data: randomBytes(50) },
				];
				desk.reply(id, { text: 'Here it is.', files });
				await waitFor(
					'the files',
					60_000,
					() => calls('sendPhoto').length + calls('sendDocument').length === 2,
				);
				checks['a picture comes as a picture, another file as a document, beside the text'] =
					String(calls('sendPhoto')[0]!.body.text).includes('levels.png') &&
					String(calls('sendDocument')[0]!.body.text).includes('manual.pdf') &&
					texts(kim).at(-1) === 'Here it is.';
				desk.reply(id, { text: 'x'.repeat(4_900) });
				await waitFor('the long text', 60_000, () => texts(kim).length === 5);
				checks['a long text comes in parts'] = texts(kim).slice(3).join('') === 'x'.repeat(4_900);

				await writes(kim, { photo: [{ file_id: 'small' }], caption: 'This one?' });
				await waitFor('the picture', 30_000, () => conversation.messages.at(-1)!.text === 'This one?');
				checks['the customer’s picture reaches the representative'] =
					conversation.messages.at(-1)!.attachments[0]?.name === 'file_7.jpg';
				await writes(kim, { voice: { file_id: 'voice' } });
				await waitFor('an answer to the voice', 30_000, () => texts(kim).length === 6);
				checks['what cannot be passed on is told to the customer'] =
					texts(kim)[5]!.startsWith('I can pass on');

				desk.close(id);
				// The context of a closed conversation cannot be read, so nobody knows whose farewell it is.
				await executions.waitFor(
					'the end of the conversation',
					({ runs }) =>
						runs[0]?.items[0]?.conversationId === id && runs[0].items[0].conversationEnded === true,
					60_000,
				);
				checks['after the close the farewell is left out'] = texts(kim).length === 6;
				await writes(kim, { text: 'One more thing' });
				const next = await waitFor('the next conversation', 30_000, () => {
					const newest = conversationOf(kim);
					return newest && newest.id !== id && newest;
				});
				checks['and what is written after it opens another conversation'] = next.state === 'waiting';

				// The context is looked for again until it is there.
				emulator.settings.contextLagMs = 3_000;
				const blocked = 666_000_001;
				await writes(blocked, { text: 'Hello' });
				const gone = await waitFor('a conversation', 30_000, () => conversationOf(blocked));
				desk.accept(gone.id);
				desk.reply(gone.id, { text: 'Are you there?' });
				const notice = await waitFor('a word to the representative', 60_000, () =>
					gone.messages.find(({ text }) => text.startsWith('(Automatic)')),
				);
				checks['the representative is told where Telegram refuses, and why'] =
					notice.channelData !== undefined && /forbidden|blocked/i.test(notice.text);

				const tooBig = 4_711_000_002;
				emulator.settings.faults = [
					{ match: { operationId: 'createConversation' }, action: { status: 400 } },
				];
				await writes(tooBig, { text: 'Hello' });
				await waitFor('an answer', 30_000, () => texts(tooBig).length === 1);
				emulator.settings.faults = [];
				checks['and the customer, where Dynamics refuses'] = texts(tooBig)[0]!.startsWith('Sorry');

				const nobodys = await startConversation(await connect(emulator), { startmessage: { message: 'Hi' } });
				desk.accept(nobodys);
				desk.reply(nobodys, { text: 'Who are you?' });
				const lost = await executions.waitFor(
					'a message for nobody',
					(one) => one.workflowId === workflowId && one.status === 'error',
					60_000,
				);
				checks['a message of a conversation that is not Telegram’s fails where one can see it'] =
					lost.runs.at(-1)?.error?.includes(`${nobodys} has no telegramChatId`) === true;
				await executions.waitUntilIdle();
				const failed = (await executions.all()).filter(
					(one) => one.workflowId === workflowId && one.status !== 'success',
				);
				checks['no other execution has failed'] = failed.length === 1;
				return checks;
			},
		);
	} finally {
		Object.assign(emulator.settings, { faults: [], contextLagMs });
		await api.close();
	}
}
