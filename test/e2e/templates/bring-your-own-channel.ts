import { Executions } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { waitFor } from '../../../tools/wait';
import { callsSince, inProduction, makeSecret, ownCredentials, say, settings } from './channel';
import { startHttpStub } from './httpStub';

const FAREWELL = 'Goodbye, and thank you.';
const NOT_SHOWN = 'The customer did not get that.';
const PHOTO = { url: 'https://files.example.com/photo.jpg', name: 'photo.jpg', contentType: 'image/jpeg' };
const MANUAL = { url: 'https://files.example.com/manual.pdf', contentType: 'application/pdf' };

/** A customer's front end, a representative, and the faults that can occur between them. */
export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { desk } = setup.emulator;
	const secret = await makeSecret(setup);
	const header = { type: 'httpHeaderAuth', id: secret.credentialId };
	const frontEnd = await startHttpStub();
	const filling = {
		credentials: {
			...ownCredentials(setup),
			'n8n-nodes-base.webhook': header,
			'n8n-nodes-base.httpRequest': header,
		},
		set: settings({ callbackUrl: `${frontEnd.url}/callback`, farewell: FAREWELL, notShown: NOT_SHOWN }),
	};
	try {
		return await inProduction(setup, 'bring-your-own-channel', filling, async ({ urlOf }) => {
			const webhook = urlOf('Customer writes');
			const kim = { customerId: 'kim-byoc', name: 'Kim Berger' };
			const write = (body: object) => say(webhook, { ...kim, ...body }, secret.headers);
			const callback = (event: string, times = 1) =>
				waitFor(`the callback ${event}`, 30_000, () => {
					const found = frontEnd.requests.filter(({ body }) => body.event === event);
					return found.length >= times ? found[times - 1] : undefined;
				});

			// Only authenticated and valid requests are accepted.
			const start = setup.emulator.log.length;
			const stranger = await say(webhook, { ...kim, text: 'Hello' });
			const guesser = await say(webhook, { ...kim, text: 'Hello' }, { 'x-channel-secret': 'guess' });
			const nothing = await write({ text: ' ' });
			const nobody = await write({ text: 'Hello', customerId: '' });
			const untouched = callsSince(setup, start).length === 0;

			// The customer writes.
			const first = await write({ text: 'My heat pump is loud.' });
			const conversationId = String(first.body.conversationId);
			const conversation = desk.get(conversationId);
			const second = await write({ text: 'Here is a photo.', files: [PHOTO, MANUAL] });
			const third = await write({ files: [PHOTO] });
			const wrong = await write({
				text: 'And this.',
				files: [{ url: 'https://files.example.com/noextension', contentType: 'image/jpeg' }, PHOTO],
			});
			const tooLong = await write({ text: 'x'.repeat(6001) });
			const said = conversation.messages.map(
				({ text, attachments }) => text || attachments.map(({ contentUrl }) => contentUrl).join(),
			);
			const fault = { match: { operationId: 'sendActivity' }, action: { status: 403 } };
			setup.emulator.settings.faults.push(fault);
			const refused = await write({ text: 'Are you there?' });
			setup.emulator.settings.faults.splice(setup.emulator.settings.faults.indexOf(fault), 1);

			// The representative answers.
			desk.accept(conversationId, { agentName: 'Ana Lopes' });
			desk.typing(conversationId);
			const typing = await callback('typing');
			const file = { name: 'manual.pdf', contentType: 'application/pdf', data: Buffer.from('%PDF-') };
			desk.reply(conversationId, { text: 'Please **clean** the fan.', files: [file] });
			const message = await callback('message');

			// The front end is down, and then redirects n8n to another URL for a moment.
			let turn = 0;
			frontEnd.answer = () =>
				++turn === 2
					? { status: 307, body: {}, location: `${frontEnd.url}/elsewhere` }
					: { status: 503, body: {} };
			desk.reply(conversationId, { text: 'Are you there?' });
			const told = await waitFor('the representative to be told', 30_000, () =>
				conversation.messages.find(({ text }) => text === NOT_SHOWN),
			);
			const tries = frontEnd.requests.filter(({ body }) => body.text === 'Are you there?');
			frontEnd.answer = () => ({ status: 200, body: {} });

			// The end, with two events: the representative ends it, and it is closed.
			const place = { channelId: conversation.channelId, conversation: { id: conversationId } };
			desk.deliver(conversationId, { type: 'event', name: 'PrimaryAgentEndConversation', ...place });
			const closed = await callback('closed');
			desk.close(conversationId);
			await setup.emulator.idle();
			await new Executions(setup.n8n).waitUntilIdle();
			const events = frontEnd.requests.map(({ body }) => body.event);
			const again = await write({ text: 'One more thing.' });

			const files = message.body.files as Array<Record<string, string>>;
			const [offered] = files;
			const isSecret = Object.entries(secret.headers).every(([name, value]) =>
				frontEnd.requests.every(({ headers }) => headers[name] === value),
			);
			return {
				'a stranger is refused': stranger.status === 403,
				'and so is a wrong secret': guesser.status === 403,
				'nothing to say is refused': nothing.status === 400 && nothing.body.error !== undefined,
				'nobody who says it is refused': nobody.status === 400,
				'none of that reached Dynamics 365': untouched,
				'the first words open a conversation': first.status === 200 && first.body.isNew === true,
				'it knows the customer': conversation.customerId === kim.customerId,
				'and their name': conversation.customer.name === kim.name,
				'the next ones go into the same': second.body.conversationId === conversationId,
				'and say that it is not new': second.body.isNew === false,
				'all files went': JSON.stringify(second.body.filesNotSent) === '[]' && second.status === 200,
				'files go without words': third.status === 200 && third.body.conversationId === conversationId,
				'a file that cannot go is told': wrong.status === 502 && notSent(wrong.body).length === 1,
				'and why': /extension/.test(notSent(wrong.body)[0]?.error ?? ''),
				'everything was said once and in order':
					said.join(' | ') ===
					[
						'My heat pump is loud.',
						'Here is a photo.',
						PHOTO.url,
						MANUAL.url,
						PHOTO.url,
						'And this.',
						PHOTO.url,
					].join(' | '),
				'too long a text is told': tooLong.status === 502 && /6,?000/.test(String(tooLong.body.error)),
				'what Dynamics 365 refuses is told': refused.status === 502 && refused.body.outcome === 'notSent',
				'the front end sees typing': typing.body.conversationId === conversationId,
				'and the message':
					message.body.text === 'Please **clean** the fan.' &&
					message.body.plainText === 'Please clean the fan.' &&
					message.body.from === 'Ana Lopes',
				'and its file': offered?.name === 'manual.pdf' && offered.contentType === 'application/pdf',
				'with an address': offered?.url?.startsWith(setup.emulator.origin) === true,
				'every callback carries the secret': isSecret,
				'a front end that is down is tried three times': tries.length === 3,
				'with the same ID': new Set(tries.map(({ body }) => body.deliveryId)).size === 1,
				'a redirect is not followed': frontEnd.requests.every(({ path }) => path === '/callback'),
				'then the representative is told': told.channelData !== undefined,
				'the farewell comes': closed.body.text === FAREWELL && closed.body.conversationId === conversationId,
				'and only once': events.filter((event) => event === 'closed').length === 1,
				'nobody sees what is not for them': events.every((event) =>
					['message', 'typing', 'closed'].includes(String(event)),
				),
				'then a new conversation opens':
					again.body.isNew === true && again.body.conversationId !== conversationId,
			};
		});
	} finally {
		await frontEnd.close();
	}
}

function notSent(body: Record<string, unknown>): Array<{ name: string | null; error: string }> {
	return (body.filesNotSent ?? []) as Array<{ name: string | null; error: string }>;
}
