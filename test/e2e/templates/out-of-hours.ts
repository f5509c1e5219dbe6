// Customers who write when nobody is on duty: a ticket by e-mail with what they wrote, and a word to them; also where the
// mail server is down. Where the queue is open after all, they hear their place in line. Any other event opens no ticket.
import { randomUUID } from 'node:crypto';
import { Executions } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { startHttpStub } from './httpStub';
import { startSmtpStub } from './smtpStub';
import { inProduction, makeSecret, ownCredentials } from './channel';
import type { Filling } from '../../../tools/n8n/templates';

interface Shown {
	conversationId: string;
	eventName: string;
	text: string;
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { emulator, n8n } = setup;
	const app = await startHttpStub<Shown>();
	const smtp = await startSmtpStub();
	const { availability } = emulator.settings;
	const before = { ...availability };
	try {
		const mailId = await makeCredential(n8n, 'smtp', {
			user: '',
			password: '',
			host: '127.0.0.1',
			port: smtp.port,
			secure: false,
			disableStartTls: true,
		});
		const secret = await makeSecret(setup);
		const filling: Filling = {
			credentials: {
				...ownCredentials(setup),
				'n8n-nodes-base.httpRequest': { type: 'httpHeaderAuth', id: secret.credentialId },
				'n8n-nodes-base.emailSend': { type: 'smtp', id: mailId },
			},
			set: ({ name, parameters }) => {
				if (name === 'Open a ticket') parameters.toEmail = 'cases@contoso.example';
				if (name === 'Tell the customer') parameters.url = `${app.url}/show`;
			},
		};
		return await inProduction(setup, 'out-of-hours', filling, async () => {
			const client = await connect(emulator);
			const shownOf = (id: string) =>
				app.requests.map(({ body }) => body).filter(({ conversationId }) => conversationId === id);
			const told = async (id: string) =>
				await waitFor('a word to the customer', 60_000, () => shownOf(id)[0]);
			const checks: Record<string, boolean> = {};

			// Earlier templates may have left customers who wait.
			for (const { id, state } of emulator.desk.list()) if (state !== 'closed') emulator.desk.close(id);
			Object.assign(availability, { isOpen: false, opensAt: '2027-01-04T08:00:00Z' });
			const evening = await startConversation(client, {
				customercontext: { customerid: randomUUID(), preferredname: 'Kim Berger' },
				conversationcontext: {
					email: { isDisplayable: true, value: 'kim@example.com' },
					product: { isDisplayable: true, value: 'Heat pump 7' },
				},
				startmessage: { message: 'My heat pump is cold.' },
			});
			emulator.desk.outOfHours(evening);
			const word = await told(evening);
			const ticket = smtp.mails[0];
			checks['a ticket goes where the template’s note says'] =
				smtp.mails.length === 1 && ticket?.to.join() === 'cases@contoso.example';
			checks['its subject says what it is about'] =
				ticket?.headers.subject === `Written outside our hours: conversation ${evening}`;
			checks['it holds what the customer wrote, and what is known of them'] =
				ticket?.text.includes('- Kim Berger: My heat pump is cold.') === true &&
				ticket.text.includes('- product: Heat pump 7');
			checks['and an answer to it goes to the customer'] = ticket?.headers['reply-to'] === 'kim@example.com';
			checks['the app knows who calls'] =
				app.requests[0]!.headers['x-channel-secret'] === secret.headers['x-channel-secret'];
			checks['the customer is told that it is noted'] =
				word.eventName === 'OutOfOperatingHoursDueToNonWorkingHours' &&
				/^We are closed at the moment\. We open again on \w+ at \d\d:\d\d\. We have noted/.test(word.text);

			smtp.refuses = true;
			availability.opensAt = null;
			const holiday = await startConversation(client, { startmessage: { message: 'Hello?' } });
			emulator.desk.outOfHours(holiday, { holiday: true });
			const other = await told(holiday);
			checks['on a holiday, and without a mail server, the customer is not told of a ticket'] =
				smtp.mails.length === 1 &&
				other.text === 'Today is a holiday, and nobody is here. Please write again when we are back.';

			smtp.refuses = false;
			Object.assign(availability, { isOpen: true, waitingBefore: 0, averageWaitSeconds: 240 });
			const third = await startConversation(client, { startmessage: { message: 'Still there?' } });
			emulator.desk.outOfHours(third);
			checks[
				'where the queue is open after all, the customer hears their place in line, and there is no ticket'
			] = (await told(third)).text === 'You are third in line, about 4 minutes.' && smtp.mails.length === 1;

			emulator.desk.accept(holiday);
			emulator.desk.reply(holiday, { text: 'I am here after all.' });
			emulator.desk.close(holiday);
			await emulator.idle();
			await new Executions(n8n).waitUntilIdle();
			checks['what else happens in a conversation opens no ticket'] =
				smtp.mails.length === 1 && shownOf(holiday).length === 1;
			return checks;
		});
	} finally {
		Object.assign(availability, before);
		await Promise.all([app.close(), smtp.close()]);
	}
}
