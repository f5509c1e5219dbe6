// Customers who write when nobody is on duty: one ticket by e-mail for a conversation, to which later words go too, and a
// word to them that is true; also where the mail server, their app, reading or PostgreSQL is away, and n8n is killed.
import { randomUUID } from 'node:crypto';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { waitUntilResponsive } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { type HttpStub, startHttpStub } from './httpStub';
import { type SmtpStub, startSmtpStub } from './smtpStub';
import { inProduction, makeSecret, ownCredentials } from './channel';
import { type Filling, runQueryOf } from '../../../tools/n8n/templates';
import { type TemplateDatabase, withTables } from './database';
import { atOnce, errorsOf, triesOf } from './looks';

interface Shown {
	deliveryId: string;
	number: number;
	at: string;
	customerId: string | null;
	conversationId: string;
	eventName: string;
	kind: string;
	text: string;
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const app = await startHttpStub<Shown>();
	const smtp = await startSmtpStub();
	const { availability } = setup.emulator.settings;
	const before = { ...availability };
	try {
		return await withTables(setup, 'out-of-hours', async (tables) => {
			await runQueryOf('out-of-hours', 'Make the table', tables.database);
			await runQueryOf('out-of-hours', 'Make the table', tables.database);
			return await checkWith(setup, tables, { app, smtp });
		});
	} finally {
		Object.assign(availability, before);
		await Promise.all([app.close(), smtp.close()]);
	}
}

async function checkWith(
	setup: N8nWithEmulator,
	{ database, credentials, allowConnections }: TemplateDatabase,
	{ app, smtp }: { app: HttpStub<Shown>; smtp: SmtpStub },
): Promise<Record<string, boolean>> {
	const { emulator, n8n } = setup;
	const { availability, faults } = emulator.settings;
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
			...credentials,
			'n8n-nodes-base.httpRequest': { type: 'httpHeaderAuth', id: secret.credentialId },
			'n8n-nodes-base.emailSend': { type: 'smtp', id: mailId },
		},
		set: (node) => {
			atOnce({ "'5 minutes'": "'8 seconds'", "'30 seconds'": "'1 second'", "'3 seconds'": "'1 second'" })(
				node,
			);
			if (node.name === 'Write to the ticket') node.parameters.toEmail = 'cases@contoso.example';
			if (node.name === 'Tell the customer') node.parameters.url = `${app.url}/show`;
		},
	};
	return await inProduction(setup, 'out-of-hours', filling, async ({ id: workflowId }) => {
		const client = await connect(emulator);
		const start = async (message: string, context: Record<string, string> = {}) => {
			const values = Object.entries(context).map(([name, value]) => [name, { isDisplayable: true, value }]);
			return await startConversation(client, {
				customercontext: { customerid: randomUUID(), preferredname: 'Kim Berger' },
				conversationcontext: Object.fromEntries(values) as object,
				startmessage: { message },
			});
		};
		const write = async (conversationId: string, text: string) => {
			const { channelId } = emulator.world;
			const conversation = { id: conversationId };
			const body = { type: 'message', channelId, conversation, from: { name: 'Kim Berger' }, text };
			const { status } = await client('POST', `/conversation/${conversationId}`, { body });
			if (status !== 200) throw new Error(`The customer’s words were answered with ${status}`);
		};
		const shownOf = (id: string) =>
			app.requests.map(({ body }) => body).filter(({ conversationId }) => conversationId === id);
		const kindsOf = (id: string) => shownOf(id).map(({ kind }) => kind);
		const told = async (id: string, kind: string) =>
			await waitFor(`the word “${kind}” to the customer`, 60_000, () =>
				shownOf(id).find((shown) => shown.kind === kind),
			);
		const mailsOf = (id: string) => smtp.mails.filter(({ text }) => text.includes(id));
		const rowOf = async (id: string) =>
			(
				await database.rows<{ state: string; told: string | null; telling: string | null; mails: number }>(
					'SELECT * FROM dynamics365.tickets WHERE conversation_id = $1',
					[id],
				)
			)[0];
		/** Until somebody has looked again, and has said what there was to say. */
		const anotherLook = async (id: string) => {
			const dueAt = async () =>
				(
					await database.rows<{ due_at: Date; run: string | null }>(
						'SELECT due_at, run FROM dynamics365.tickets WHERE conversation_id = $1',
						[id],
					)
				)[0]!;
			const { due_at: first } = await dueAt();
			await waitFor('another look', 60_000, async () => {
				const { due_at: at, run } = await dueAt();
				return at.getTime() > first.getTime() + 500 && run === null;
			});
		};
		const checks: Record<string, boolean> = {};

		// Earlier templates may have left customers who wait.
		for (const { id, state } of emulator.desk.list()) if (state !== 'closed') emulator.desk.close(id);
		Object.assign(availability, { isOpen: false, opensAt: '2027-01-04T08:00:00Z' });
		const hostile = `It's cold {{ $json }} $1'); -- <b>{"conversationId":"x"}</b> \u{1F525}`;
		const evening = await start(hostile, { email: 'kim@example.com', product: 'Heat pump 7' });
		// Three events at once.
		for (let index = 0; index < 3; index++) emulator.desk.outOfHours(evening);
		const word = await told(evening, 'noted');
		const ticket = mailsOf(evening)[0];
		checks['a ticket goes where the template’s note says'] = ticket?.to.join() === 'cases@contoso.example';
		checks['its subject says what it is about'] =
			ticket?.headers.subject === `Written outside our hours: conversation ${evening}`;
		checks['it holds what the customer wrote, and what is known of them'] =
			ticket?.text.includes(`- Kim Berger: ${hostile}`) === true &&
			ticket.text.includes('- product: Heat pump 7');
		checks['and an answer to it goes to the customer'] = ticket?.headers['reply-to'] === 'kim@example.com';
		checks['the app knows who calls'] =
			app.requests[0]!.headers['x-channel-secret'] === secret.headers['x-channel-secret'];
		checks['the customer is told that it is noted'] =
			word.eventName === 'OutOfOperatingHoursDueToNonWorkingHours' &&
			/^We are closed at the moment\. We open again on \w+ at \d\d:\d\d\. We have noted/.test(word.text);
		checks['with a number, a time and an ID'] =
			word.number > 0 && !Number.isNaN(Date.parse(word.at)) && word.deliveryId.includes(String(word.number));

		// Words that come later, in a burst.
		const burst = [1, 2, 3, 4, 5].map((number) => `later ${number}`);
		for (const text of burst) await write(evening, text);
		const added = await waitFor('the later words in the ticket', 60_000, () => {
			const all = mailsOf(evening).slice(1);
			return all.some(({ text }) => text.includes('later 5')) && all;
		});
		const later = [
			...added
				.map(({ text }) => text)
				.join('\n')
				.matchAll(/: (later \d)/g),
		].map(([, text]) => text);
		checks['words that come later go to the same ticket, once and in order'] =
			JSON.stringify(later) === JSON.stringify(burst) &&
			added.every(
				({ headers, text }) => headers.subject === ticket?.headers.subject && !text.includes(hostile),
			);
		const second = await told(evening, 'added');
		checks['and the customer hears so, with a number that is greater'] = second.number > word.number;
		await anotherLook(evening);
		checks['three events at once are one ticket and one word'] =
			mailsOf(evening).length === 1 + added.length &&
			kindsOf(evening).filter((kind) => kind === 'noted').length === 1;

		// Somebody joins.
		emulator.desk.accept(evening);
		await emulator.idle();
		const joined = await rowOf(evening);
		const mailsBefore = mailsOf(evening).length;
		emulator.desk.reply(evening, { text: 'I am here after all.' });
		await write(evening, 'Good morning');

		// On a holiday, and without a mail server.
		smtp.refuses = true;
		availability.opensAt = null;
		const holiday = await start('Hello?', { email: 'a@example.com, b@example.com' });
		emulator.desk.outOfHours(holiday, { holiday: true });
		const notNoted = await told(holiday, 'notNoted');
		checks['on a holiday, and without a mail server, the customer hears that it is not noted yet'] =
			mailsOf(holiday).length === 0 &&
			/^Today is a holiday, and nobody is here\. What you wrote could not be noted yet/.test(notNoted.text);
		await anotherLook(holiday);
		checks['once'] = kindsOf(holiday).length === 1;
		smtp.refuses = false;
		await told(holiday, 'noted');
		checks['when the mail server is back, the ticket is opened, and the customer hears so'] =
			mailsOf(holiday).length === 1 && mailsOf(holiday)[0]!.text.includes('Hello?');
		checks['two addresses are no address to answer to'] = !mailsOf(holiday)[0]!.headers['reply-to'];

		// What they wrote cannot be read at first.
		const unread = await start('Can you read me?');
		// Not of the other tickets, at which the workflow looks meanwhile.
		const match = { operationId: 'listMessages', conversationId: unread };
		faults.push({ match, action: { status: 403 }, times: 1 });
		emulator.desk.outOfHours(unread);
		const opened = await told(unread, 'opened');
		checks['where reading fails, the ticket and the customer are told no more than what is so'] =
			mailsOf(unread)[0]!.text.includes('could not be read yet') && !/noted/.test(opened.text);
		await told(unread, 'noted');
		checks['and the words follow'] =
			mailsOf(unread).length === 2 && mailsOf(unread)[1]!.text.includes('Can you read me?');
		faults.length = 0;

		// The app is down, then gives odd answers.
		app.answer = () => ({ status: 500, body: { error: 'down' } });
		const deaf = await start('Is the app there?');
		emulator.desk.outOfHours(deaf);
		await waitFor('two words to an app that is down', 60_000, () => shownOf(deaf).length >= 2);
		app.answer = () => ({ body: Buffer.from('OK'), contentType: 'application/json' });
		await waitFor('the word to be heard', 60_000, async () => (await rowOf(deaf))?.told === 'noted');
		const heard = shownOf(deaf).length;
		app.answer = () => ({ body: [] });
		await write(deaf, 'And now?');
		await waitFor('the second word to be heard', 60_000, async () => (await rowOf(deaf))?.told === 'added');
		await anotherLook(deaf);
		app.answer = () => ({});
		checks['an app that is down is told again, with the same ID'] =
			new Set(
				shownOf(deaf)
					.slice(0, heard)
					.map(({ deliveryId }) => deliveryId),
			).size === 1;
		checks['an app that answers OK, or an empty list, has heard it'] = shownOf(deaf).length === heard + 1;
		checks['and the ticket is opened once'] = mailsOf(deaf).length === 2;
		checks['what is written after somebody has joined goes to no ticket'] =
			joined?.state === 'closed' && mailsOf(evening).length === mailsBefore;

		// The queue is open after all.
		for (const id of [holiday, unread, deaf]) emulator.desk.close(id);
		await emulator.idle();
		Object.assign(availability, { isOpen: true, waitingBefore: 0, averageWaitSeconds: 240 });
		const waiting = await start('Still there?');
		emulator.desk.outOfHours(waiting);
		checks[
			'where the queue is open after all, the customer hears their place in line, and there is no ticket'
		] =
			/^You are \w+ in line, about 4 minutes\.$/.test((await told(waiting, 'inLine')).text) &&
			mailsOf(waiting).length === 0;
		await waitFor('nobody to look any more', 30_000, async () => (await rowOf(waiting))?.state === 'closed');
		emulator.desk.close(waiting);
		await emulator.idle();
		checks['every event is answered 200, and no execution failed'] =
			[evening, holiday, unread, deaf, waiting].every((id) =>
				triesOf(setup, id).every((status) => status === 200),
			) && (await errorsOf(setup, workflowId)) === 0;

		// Killed while a mail is on its way: the mail server has it, and n8n does not know.
		Object.assign(availability, { isOpen: false });
		smtp.isSilent = true;
		const killed = await start('Do not lose me');
		emulator.desk.outOfHours(killed);
		await waitFor('a mail on its way', 60_000, () => mailsOf(killed).length === 1);
		await setup.restart('kill');
		smtp.isSilent = false;
		await waitUntilResponsive(setup.n8n.url);
		await told(killed, 'noted');
		await anotherLook(killed);
		checks['killed while a mail is on its way: it comes again, and says that it may be a copy'] =
			mailsOf(killed).length === 2 &&
			mailsOf(killed)[1]!.text.includes('Then this is a copy') &&
			kindsOf(killed).length === 1;

		// PostgreSQL refuses connections when the event comes.
		await allowConnections(false);
		const away = await start('While PostgreSQL is away');
		emulator.desk.outOfHours(away);
		await waitFor('a delivery that is refused', 30_000, () =>
			triesOf(setup, away).some((status) => status !== 200),
		);
		await allowConnections(true);
		await told(away, 'noted');
		checks['while PostgreSQL refuses, Dynamics gets no 200, and tries again'] = mailsOf(away).length === 1;
		for (const id of [killed, away]) emulator.desk.close(id);
		return checks;
	});
}
