// Customers who write when nobody is on duty, and write more, while the mail server, the app and Dynamics 365 fail. Each
// conversation is one ticket with all that was written, and each customer hears what is so.
import type { Database } from '../../../bench/queue/services';
import { type Filling, runQueryOf } from '../../../tools/n8n/templates';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { inProduction, makeSecret, ownCredentials } from '../templates/channel';
import { withTables } from '../templates/database';
import { startHttpStub } from '../templates/httpStub';
import { atOnce } from '../templates/looks';
import { type Mail, startSmtpStub } from '../templates/smtpStub';
import { closeDatabase, connectCustomers, countOutOfOrder, deliveriesOf, LOOK_EVERY_SECONDS } from './people';
import type { Checks, Soak } from './soak';

const CUSTOMERS = 4;

/** What the app took. */
export interface Told {
	deliveryId: string;
	customerId: string | null;
	conversationId: string;
	kind: string;
	/** How many mails of the conversation the mail server had taken by then. */
	mails: number;
}

/** A ticket as its row has it. */
interface Ticket {
	conversation_id: string;
	state: string;
	told: string | null;
	telling: string | null;
}

/** Writes at night, then more; some conversations stay open, some are taken over or closed. */
function nightOwl(soak: Soak, customers: Awaited<ReturnType<typeof connectCustomers>>, customerId: string) {
	const { desk } = soak.setup.emulator;
	return async () => {
		for (let number = 0; soak.isOn; number++) {
			let count = 0;
			const words = () => `words ${count++} of ${customerId} ${number}.`;
			const id = await customers.open(`${customerId} ${number}`, words());
			if (id === undefined) continue;
			for (let events = soak.pick([1, 1, 3]); events > 0; events--) {
				desk.outOfHours(id, { holiday: soak.chance(0.3) });
			}
			for (let more = soak.pick([0, 1, 3]); more > 0; more--) {
				await soak.pause(0, 4_000);
				await customers.write(id, words());
			}
			await soak.pause(2_000, 6_000);
			if (soak.chance(0.3)) desk.accept(id);
			if (soak.chance(0.5)) desk.close(id);
		}
	};
}

export async function play(soak: Soak): Promise<Checks> {
	const { setup } = soak;
	const { emulator } = setup;
	const smtp = await startSmtpStub();
	const mailsOf = (id: string) => smtp.mails.filter(({ headers }) => headers.subject?.includes(id));
	const told: Told[] = [];
	const app = await startHttpStub<Omit<Told, 'mails'>>(({ body }) => {
		if (soak.isOn && soak.chance(0.1)) return { status: 503 };
		if (soak.isOn && soak.chance(0.03)) return { isCut: true };
		told.push({ ...body, mails: mailsOf(body.conversationId).length });
		return { body: Buffer.from(soak.pick(['OK', '[]', '', '{}'])), contentType: 'application/json' };
	});
	try {
		return await withTables(setup, 'soak-hours', async ({ credentials, database, allowConnections }) => {
			await runQueryOf('out-of-hours', 'Make the table', database);
			const secret = await makeSecret(setup);
			const mailId = await makeCredential(setup.n8n, 'smtp', {
				user: '',
				password: '',
				host: '127.0.0.1',
				port: smtp.port,
				secure: false,
				disableStartTls: true,
			});
			const filling: Filling = {
				credentials: {
					...ownCredentials(setup),
					...credentials,
					'n8n-nodes-base.httpRequest': { type: 'httpHeaderAuth', id: secret.credentialId },
					'n8n-nodes-base.emailSend': { type: 'smtp', id: mailId },
				},
				set: (node) => {
					atOnce(
						{
							"'5 minutes'": "'15 seconds'",
							"'30 seconds'": "'2 seconds'",
							"'3 seconds'": "'1 second'",
						},
						LOOK_EVERY_SECONDS,
					)(node);
					if (node.name === 'Tell the customer') node.parameters.url = `${app.url}/show`;
				},
			};
			const moody = async () => {
				while (soak.isOn) {
					smtp.refuses = soak.chance(0.3);
					emulator.settings.availability.isOpen = soak.chance(0.1);
					await soak.pause(2_000, 5_000);
				}
				smtp.refuses = false;
				emulator.settings.availability.isOpen = false;
			};
			emulator.settings.faults.push(
				{ match: { operationId: 'listMessages' }, action: { status: 403 }, probability: 0.08 },
				{ match: { operationId: 'listMessages' }, action: 'resetBefore', probability: 0.04 },
			);
			const customers = await connectCustomers(soak);
			return await inProduction(setup, 'out-of-hours', filling, async () => {
				await soak.run(
					[
						...Array.from({ length: CUSTOMERS }, (_, index) =>
							nightOwl(soak, customers, `customer-${index}`),
						),
						moody,
						() => closeDatabase(soak, allowConnections),
					],
					{ isScheduled: true },
				);
				return await checkTickets(soak, database, mailsOf, told);
			});
		});
	} finally {
		await Promise.all([app.close(), smtp.close()]);
	}
}

type MailsOf = (conversationId: string) => Mail[];

/** What a customer wrote in a conversation, as Dynamics 365 has it. */
function wordsOf({ setup: { emulator } }: Soak, conversationId: string): string[] {
	const { messages } = emulator.desk.get(conversationId);
	return messages.map(({ text }) => text).filter((text) => text.startsWith('words'));
}

/** The words that mails hold. */
function writtenIn(mails: readonly Mail[]): string[] {
	const lines = mails.flatMap(({ text }) => text.split('\n'));
	return lines
		.filter((line) => /^- .*: words /.test(line))
		.map((line) => line.replace(/^- .*: (?=words )/, ''));
}

/**
 * Waits until each customer whose ticket is open has heard what is so, and compares what customers wrote out of hours with the
 * tickets, and what they were told with what was so.
 */
export async function checkTickets(
	soak: Soak,
	database: Database,
	mailsOf: MailsOf,
	told: readonly Told[],
): Promise<Checks> {
	const readTickets = () => database.rows<Ticket>('SELECT * FROM dynamics365.tickets');
	const isSettled = ({ conversation_id: id, state, told: heard, telling }: Ticket) =>
		state === 'closed' ||
		(telling === null &&
			['noted', 'added'].includes(heard ?? '') &&
			wordsOf(soak, id).every((text) => writtenIn(mailsOf(id)).includes(text)));
	await waitFor('the tickets to be complete', 90_000, async () =>
		(await readTickets()).every(isSettled),
	).catch((error: unknown) => console.log(`  ${String(error)}`));
	const rows = await readTickets();
	const found = {
		conversations: 0,
		open: 0,
		inLine: 0,
		words: 0,
		/** What is left: Dynamics 365 tried each of its events in vain. */
		neverHeardOf: 0,
		/** What is left: a mail whose run died came again, and says so. */
		copies: 0,
		lost: 0,
		twice: 0,
		astray: 0,
		outOfOrder: 0,
		ticketsTwice: 0,
		toldTwice: 0,
		untrue: 0,
		toldNothing: 0,
	};
	for (const { id, customerId } of soak.setup.emulator.desk.list()) {
		const row = rows.find(({ conversation_id: of }) => of === id);
		found.conversations++;
		if (!row) {
			const wasSent = deliveriesOf(soak, id).events.some((event) => event.startsWith('OutOfOperatingHours'));
			if (!wasSent) continue;
			if (deliveriesOf(soak, id).isEventGivenUp) found.neverHeardOf++;
			else {
				found.toldNothing++;
				console.log(`  told nothing: ${id}`);
			}
			continue;
		}
		const all = mailsOf(id);
		const isCopy = ({ text }: Mail) => text.includes('Then this is a copy');
		const mails = all.filter((mail) => !isCopy(mail));
		found.copies += all.length - mails.length;
		const words = wordsOf(soak, id);
		const written = writtenIn(mails);
		found.words += words.length;
		found.astray += writtenIn(all).filter((text) => !words.includes(text)).length;
		found.twice += written.filter((text, index) => written.indexOf(text) < index).length;
		found.outOfOrder += countOutOfOrder(
			words.map((text) => written.indexOf(text)).filter((place) => place >= 0),
		);
		if (mails.filter(({ text }) => text.startsWith('A customer wrote')).length > 1) {
			found.ticketsTwice++;
			console.log(`  two tickets: ${id} ${JSON.stringify(all)}`);
		}
		const heard = [
			...new Map(
				told.filter(({ conversationId }) => conversationId === id).map((one) => [one.deliveryId, one]),
			).values(),
		];
		const kinds = heard.map(({ kind }) => kind);
		// “Noted” may come again after “not noted yet”.
		if (kinds.some((kind, index) => kind === 'noted' && kinds[index - 1] === 'noted')) {
			found.toldTwice++;
			console.log(`  told twice: ${id} ${kinds.join()}`);
		}
		const needed: Record<string, number> = { noted: 1, opened: 1, added: 2 };
		const untrue = heard.filter(
			(one) =>
				one.mails < (needed[one.kind] ?? 0) || (one.customerId !== null && one.customerId !== customerId),
		);
		if (untrue.length > 0) console.log(`  untrue: ${id} ${JSON.stringify(heard)}`);
		found.untrue += untrue.length;
		if (kinds.at(-1) === 'inLine') found.inLine++;
		// Whoever has joined or closed it sees what was written.
		if (row.state !== 'open') continue;
		found.open++;
		const lost = words.filter((text) => !writtenIn(all).includes(text));
		if (lost.length > 0) console.log(`  lost: ${id} ${lost.join()} ${JSON.stringify(row)}`);
		found.lost += lost.length;
		if (!kinds.includes('noted') && !kinds.includes('added')) found.toldNothing++;
	}
	console.log(`  tickets: ${JSON.stringify(found)}`);
	return {
		'every word is in the ticket': found.words > 0 && found.lost === 0,
		'once and in order': found.twice === 0 && found.outOfOrder === 0,
		'in that of their own conversation': found.astray === 0,
		'a conversation is one ticket': found.ticketsTwice === 0,
		'each customer is told': found.toldNothing === 0,
		'what is so, once': found.untrue === 0 && found.toldTwice === 0,
	};
}
