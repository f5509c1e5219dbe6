// Every kind of business message, and every kind of a template's value, through a real n8n into Azure Communication
// Services; then what the workflow's caller gets when WhatsApp's window is closed.
import { join } from 'node:path';
import { connectionStringCredential } from '../../tools/emulatorCredentials';
import { withN8n } from '../../tools/n8n/withN8n';
import { makeCredential, readWorkflow } from '../../tools/n8n/workflows';
import { report, runMain } from '../../tools/report';

const FILE = join(__dirname, '../../demo/workflows/business-messages.json');
const KINDS = ['text', 'image', 'video', 'document', 'audio', ...Array.from({ length: 5 }, () => 'template')];

runMain(
	async () =>
		await withN8n(async ({ emulator, n8n, publish }) => {
			const { communicationConversationId: conversationId, communicationChannelId: channelId } =
				emulator.world;
			const id = await makeCredential(n8n, 'azureCommunicationServicesApi', {
				...connectionStringCredential(emulator),
				channelId,
			});
			await publish('businessMessages', readWorkflow(FILE, { DEMO_COMMUNICATION_CREDENTIAL_ID: id }));
			const start = async () =>
				await fetch(`${n8n.url}/webhook/business-messages`, {
					method: 'POST',
					headers: { 'content-type': 'application/json' },
					body: JSON.stringify({ conversationId }),
				});
			const said = () =>
				emulator.communication.conversations[0]!.messages.slice(1).map(({ message }) => message.kind);

			const checks: Record<string, boolean> = {};
			const answer = await start();
			const last = (await answer.json()) as { messageId?: string; preview?: string };
			checks['the workflow ends well, with the last message’s ID'] =
				answer.status === 200 && /^\d{13}$/.test(last.messageId ?? '');
			checks['and with what the customer reads of its template'] =
				last.preview?.startsWith('Ihr Paket ist unterwegs. Es kommt in 3 Werktagen an.') === true;
			checks['every kind arrived once, in the workflow’s order'] = said().join() === KINDS.join();
			const values = new Set(
				JSON.stringify(emulator.communication.conversations[0]!.messages).match(/"kind":"\w+"/g),
			);
			checks['and a value of every kind'] = ['location', 'quickAction', 'image', 'video', 'document'].every(
				(kind) => values.has(`"kind":"${kind}"`),
			);
			emulator.communication.closeWindow(conversationId);
			checks['a closed window ends the workflow with an error'] = (await start()).status === 500;
			checks['and nothing more was said'] = said().length === KINDS.length;
			return report('business messages', checks);
		}),
);
