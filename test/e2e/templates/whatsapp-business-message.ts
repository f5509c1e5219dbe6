// A business message as free text, then, when WhatsApp's window is closed, as the approved template: once, also where a post
// comes twice, an answer is lost or n8n is killed. What cannot be delivered is told to the team, whose answer changes nothing.
import { connectionStringCredential } from '../../../tools/emulatorCredentials';
import type { Filling } from '../../../tools/n8n/templates';
import { type N8nWithEmulator, waitUntilResponsive } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { inProduction, makeSecret, say } from './channel';
import { type TemplateDatabase, withTables } from './database';
import { type HttpStub, type Json, startHttpStub } from './httpStub';

const NODE = 'n8n-nodes-dynamics365-messaging.azureCommunicationConversations';

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const team = await startHttpStub<{ text: string }>();
	try {
		return await withTables(setup, 'whatsapp', async (tables) => await checkWith(setup, tables, team));
	} finally {
		await team.close();
	}
}

async function checkWith(
	setup: N8nWithEmulator,
	{ credentials, allowConnections }: TemplateDatabase,
	team: HttpStub<{ text: string }>,
): Promise<Record<string, boolean>> {
	const { emulator, n8n } = setup;
	const { communicationConversationId: conversationId } = emulator.world;
	const { faults } = emulator.settings;
	const id = await makeCredential(n8n, 'azureCommunicationServicesApi', connectionStringCredential(emulator));
	const secret = await makeSecret(setup);
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
	return await inProduction(setup, 'whatsapp-business-message', filling, async ({ urlOf }) => {
		const url = urlOf('When there is something to tell');
		const tell = (body: Json) => say(url, body, secret.headers);
		const conversation = emulator.communication.conversations.find((one) => one.id === conversationId)!;
		const said = () => conversation.messages.map(({ message }) => message);
		const textsOf = () => said().map((message) => (message as { content?: string }).content);
		const countOf = (text: string) => textsOf().filter((one) => one === text).length;
		const last = () => conversation.messages.at(-1)!;
		const notices = () => team.requests.map(({ body }) => body.text);
		const checks: Record<string, boolean> = {};

		emulator.communication.receive(conversationId, 'Where is it?');
		const before = said().length;
		const stranger = await say(url, { conversationId, text: 'Send money.', days: 1 });
		const odd = await Promise.all(
			[{}, { conversationId }, { text: 'x' }, []].map((body) => tell(body as Json)),
		);
		checks['a stranger says nothing in the business’s name'] =
			stranger.status === 403 && said().length === before;
		checks['what is incomplete is refused'] = odd.every(({ status }) => status === 400);
		const text = await tell({ conversationId, messageId: 'a-1', text: 'It is on its way.', days: 3 });
		checks['while the window is open, the customer gets the text'] =
			JSON.stringify(said().slice(before)) === '[{"kind":"text","content":"It is on its way."}]';
		checks['and the caller its ID'] =
			text.status === 200 && text.body.delivered === 'text' && text.body.messageId === last().id;
		const again = await tell({ conversationId, messageId: 'a-1', text: 'It is on its way.', days: 3 });
		checks['the same post twice is sent once, and gets the same answer'] =
			said().length === before + 1 && JSON.stringify(again) === JSON.stringify(text);
		const both = await Promise.all(
			[1, 2, 3].map(() => tell({ conversationId, messageId: 'a-2', text: 'At once', days: 3 })),
		);
		checks['also at the same moment'] =
			countOf('At once') === 1 && new Set(both.map(({ body }) => body.messageId)).size === 1;
		// The first is held up, and the network turns the others around.
		faults.push({
			match: { operationId: 'communication.sendMessage' },
			action: { delayMs: 3_000 },
			times: 1,
		});
		const turned = [1, 2, 3, 4].map((index) => `turned ${index}`);
		await Promise.all(
			turned.map(async (one, index) => {
				await new Promise((resolve) => setTimeout(resolve, index === 0 ? 0 : 1_000 - 100 * index));
				await tell({ conversationId, messageId: one, sentAt: index, text: one, days: 3 });
			}),
		);
		faults.length = 0;
		checks['what the network turned around arrives in the order of its sentAt'] =
			textsOf().slice(-4).join() === turned.join();
		const hostile = `'); DROP TABLE x; -- {{ $json }} $1 {"conversationId":"19:x@thread.v2"} \u{1F525}`;
		await tell({ conversationId, messageId: `a'; -- ${hostile}`, text: hostile, days: 3 });
		checks['a hostile text arrives as it is'] = countOf(hostile) === 1;

		// The answer of Azure is lost, and n8n gives up. Then the same post comes again.
		faults.push({ match: { operationId: 'communication.sendMessage' }, action: 'resetAfter', times: 1 });
		faults.push({ match: { operationId: 'communication.sendMessage' }, action: { status: 503 }, times: 50 });
		const lost = { conversationId, messageId: 'b-1', text: 'Lost and found', days: 3 };
		const uncertain = await tell(lost);
		faults.length = 0;
		const found = await tell(lost);
		checks['where the answer is lost it is uncertain, and the team hears that'] =
			uncertain.status === 502 &&
			uncertain.body.outcome === 'uncertain' &&
			uncertain.body.mayRetry === true &&
			notices().at(-1)?.startsWith('A customer may not have been told “Lost and found”') === true;
		checks['and the same post again is recognised by Azure'] =
			found.status === 200 && countOf('Lost and found') === 1 && found.body.messageId === last().id;

		// Killed while it is sent.
		faults.push({
			match: { operationId: 'communication.sendMessage' },
			action: { delayMs: 4_000 },
			times: 1,
		});
		const half = { conversationId, messageId: 'b-2', text: 'Killed', days: 3 };
		const broken = tell(half).catch(() => undefined);
		await waitFor('the message to be on its way', 30_000, () => faults[0]?.times === 0);
		await setup.restart('kill');
		await broken;
		faults.length = 0;
		await waitUntilResponsive(setup.n8n.url);
		const repeated = await waitFor('the turn of the run that died to end', 60_000, async () => {
			const answer = await tell(half);
			return answer.status === 503 ? undefined : answer;
		});
		checks['killed while it is sent, and posted again: it arrives once'] =
			repeated.status === 200 && countOf('Killed') === 1;

		await allowConnections(false);
		const later = { conversationId, messageId: 'b-3', text: 'Later', days: 3 };
		const away = await tell(later);
		await allowConnections(true);
		const back = await tell(later);
		checks['while PostgreSQL refuses, nothing is begun, and the same post succeeds later'] =
			away.status === 503 && away.body.outcome === 'notSent' && back.status === 200 && countOf('Later') === 1;

		emulator.communication.closeWindow(conversationId);
		const seen = said().length;
		const noticed = notices().length;
		const closed = { conversationId, messageId: 'c-1', text: 'It comes soon.', days: 2 };
		const template = await tell(closed);
		const templateAgain = await tell(closed);
		checks['when it is closed, the customer gets the template with its value instead'] =
			JSON.stringify(last().message) ===
			JSON.stringify({
				kind: 'template',
				template: {
					name: 'shipping_confirmation',
					language: 'en_US',
					values: [{ name: 'body1', kind: 'text', text: '2' }],
					bindings: { kind: 'whatsApp', body: [{ refValue: 'body1' }] },
				},
			});
		checks['once, and the caller gets its ID'] =
			said().length === seen + 1 &&
			template.status === 200 &&
			template.body.delivered === 'template' &&
			template.body.messageId === last().id &&
			JSON.stringify(templateAgain) === JSON.stringify(template);
		checks['and nobody is bothered'] = notices().length === noticed;

		const unfilled = { conversationId, text: 'It comes soon.', days: '' };
		const elsewhere = '19:00000000-0000-4000-8000-000000000000@thread.v2';
		const unknown = { conversationId: elsewhere, text: 'Hello?', days: 1 };
		const answers: Array<ReturnType<HttpStub['answer']>> = [
			{},
			{ body: Buffer.from('OK'), contentType: 'application/json' },
			{ body: [] },
			{ body: Buffer.from('{"broken'), contentType: 'application/json' },
			{ status: 204, body: Buffer.from('') },
			{ status: 500 },
			{ delayMs: 5_000 },
			{ isCut: true },
		];
		const told: Array<{ status: number; body: Json }> = [];
		for (const answer of answers) {
			team.answer = () => answer;
			told.push(await tell(unfilled), await tell(unknown));
		}
		const all = notices().slice(noticed);
		checks['what cannot be delivered is sent by nobody, and the team is told why'] =
			said().length === seen + 1 &&
			all.length >= told.length &&
			all[0]!.startsWith('A customer was not told “It comes soon.”') &&
			all[0]!.includes('Body {{1}} is empty') &&
			all[1]!.includes('does not know this conversation');
		checks['the caller hears that it was not sent, and that a retry does not help'] = told.every(
			({ status, body }) =>
				status === 422 &&
				body.delivered === null &&
				body.outcome === 'notSent' &&
				body.mayRetry === false &&
				String(body.error).length > 0,
		);
		checks['whatever the team’s system answers, and if it answers nothing'] = told.every(
			// The hint ends with a correlation ID.
			({ body }, index) =>
				JSON.stringify({ ...body, hint: null }) === JSON.stringify({ ...told[index % 2]!.body, hint: null }),
		);
		return checks;
	});
}
