// A business message as free text, then, when WhatsApp's window is closed, as the approved template; and what cannot be
// delivered either way, which the team is told.
import { connectionStringCredential } from '../../../tools/emulatorCredentials';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { startHttpStub } from './httpStub';
import { inProduction, makeSecret } from './channel';
import type { Filling } from '../../../tools/n8n/templates';

const NODE = 'n8n-nodes-dynamics365-messaging.azureCommunicationConversations';

interface Answer {
	delivered: 'text' | 'template' | null;
	messageId?: string;
	error?: string;
	outcome?: string;
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { emulator, n8n } = setup;
	const { communicationConversationId: conversationId } = emulator.world;
	const id = await makeCredential(n8n, 'azureCommunicationServicesApi', connectionStringCredential(emulator));
	const team = await startHttpStub<{ text: string }>();
	try {
		const secret = await makeSecret(setup);
		const filling: Filling = {
			credentials: {
				[NODE]: { type: 'azureCommunicationServicesApi', id },
				'n8n-nodes-base.webhook': { type: 'httpHeaderAuth', id: secret.credentialId },
			},
			set: ({ name, parameters }) => {
				if (name === 'Tell your team') parameters.url = `${team.url}/notices`;
			},
		};
		return await inProduction(setup, 'whatsapp-business-message', filling, async ({ urlOf }) => {
			const url = urlOf('Something to tell a customer');
			const tell = async (body: object, headers = secret.headers) => {
				const response = await fetch(url, {
					method: 'POST',
					headers: { 'content-type': 'application/json', ...headers },
					body: JSON.stringify(body),
				});
				const said = await response.text();
				return { status: response.status, answer: (said.startsWith('{') ? JSON.parse(said) : {}) as Answer };
			};
			const conversation = emulator.communication.conversations.find(({ id }) => id === conversationId)!;
			const said = () => conversation.messages.map(({ message }) => message);
			const last = () => conversation.messages.at(-1)!;
			const notices = () => team.requests.map(({ body }) => body.text);
			const checks: Record<string, boolean> = {};

			emulator.communication.receive(conversationId, 'Where is it?');
			const before = said().length;
			const stranger = await tell({ conversationId, text: 'Send money.', days: 1 }, {});
			checks['a stranger says nothing in the business’s name'] =
				stranger.status === 403 && said().length === before;
			const text = await tell({ conversationId, text: 'It is on its way.', days: 3 });
			checks['while the window is open, the customer gets the text'] =
				JSON.stringify(said().slice(before)) === '[{"kind":"text","content":"It is on its way."}]';
			checks['and the caller its ID'] =
				text.status === 200 && text.answer.delivered === 'text' && text.answer.messageId === last().id;

			emulator.communication.closeWindow(conversationId);
			const template = await tell({ conversationId, text: 'It comes soon.', days: 2 });
			checks['when it is closed, the customer gets the template with its value instead'] =
				said().length === before + 2 &&
				JSON.stringify(last().message) ===
					JSON.stringify({
						kind: 'template',
						template: {
							name: 'shipping_confirmation',
							language: 'en_US',
							values: [{ name: 'days', kind: 'text', text: '2' }],
							bindings: { kind: 'whatsApp', body: [{ refValue: 'days' }] },
						},
					});
			checks['and the caller its ID, too'] =
				template.status === 200 &&
				template.answer.delivered === 'template' &&
				template.answer.messageId === last().id;
			checks['and nobody is bothered'] = team.requests.length === 0;

			const unfilled = await tell({ conversationId, text: 'It comes soon.', days: '' });
			checks['a template that cannot be filled is sent by nobody, and the team is told why'] =
				said().length === before + 2 &&
				unfilled.status === 502 &&
				unfilled.answer.delivered === null &&
				notices().length === 1 &&
				notices()[0]!.includes('“It comes soon.”') &&
				notices()[0]!.includes('has no Text');

			const elsewhere = '19:00000000-0000-4000-8000-000000000000@thread.v2';
			const unknown = await tell({ conversationId: elsewhere, text: 'Hello?', days: 1 });
			checks['any other error goes to the team at once, without a template'] =
				said().length === before + 2 &&
				unknown.status === 502 &&
				unknown.answer.outcome === 'notSent' &&
				notices().length === 2 &&
				notices()[1]!.includes('does not know this conversation');
			return checks;
		});
	} finally {
		await team.close();
	}
}
