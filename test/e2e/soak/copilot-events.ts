// A business system that posts events, and AI agents that ask for things, while the booking system is slow and odd. Each event
// goes out once and in order, nothing is booked twice, and each is told what became of it.
import { randomUUID } from 'node:crypto';
import { type Filling, runQueryOf } from '../../../tools/n8n/templates';
import { waitFor } from '../../../tools/wait';
import { inProduction, makeSecret, ownCredentials, settings } from '../templates/channel';
import { toldTo } from '../templates/copilot-events';
import { withTables } from '../templates/database';
import { type HttpStub, type Json, startHttpStub } from '../templates/httpStub';
import { atOnce } from '../templates/looks';
import {
	closeDatabase,
	connectCustomers,
	countOutOfOrder,
	type Words,
	writeInBursts,
	LOOK_EVERY_SECONDS,
} from './people';
import type { Answer, Checks, Soak } from './soak';

const CONVERSATIONS = 4;
const BOOKING_TIMEOUT_MS = 2_000;

/** An event that the business system posts, and what it was told in the end. */
interface Posted extends Words {
	id: string;
	conversationId: string;
	wasRefused: boolean;
	told: Answer[];
}

/** An event that an AI agent sent. */
interface Asked {
	conversationId: string;
	name: string;
	subject: string;
}

export async function play(soak: Soak): Promise<Checks> {
	const { setup } = soak;
	/** The subjects that the booking system has booked. */
	const booked: string[] = [];
	const business = await startHttpStub(({ path, query, body }) => {
		if (path === '/orders') {
			return soak.chance(0.1) ? { status: 500 } : { body: { orderNumber: query.get('orderNumber') } };
		}
		const refuses = soak.chance(0.05);
		if (refuses) return { status: 422, body: { message: 'No such service' } };
		booked.push(String(body.subject));
		const how = soak.pick(['well', 'well', 'well', 'well', 'odd', 'slow', 'fails', 'cuts']);
		if (how === 'slow') return { delayMs: soak.pick([500, 2 * BOOKING_TIMEOUT_MS]), status: 201 };
		if (how === 'fails') return { status: 500 };
		if (how === 'cuts') return { isCut: true };
		if (how === 'odd') return { body: Buffer.from(soak.pick(['OK', '[]', '', '007', '{"broken'])) };
		return { status: 201, body: { at: 'Mon 9:00', subject: body.subject } };
	});
	try {
		return await withTables(setup, 'soak-copilot', async ({ credentials, database, allowConnections }) => {
			await runQueryOf('copilot-events-answers', 'Make the table', database);
			const secret = await makeSecret(setup);
			const filling: Filling = {
				credentials: {
					...ownCredentials(setup),
					...credentials,
					'n8n-nodes-base.webhook': { type: 'httpHeaderAuth', id: secret.credentialId },
				},
				set: (node) => {
					atOnce({ "'2 minutes'": "'12 seconds'", "'5 seconds'": "'1 second'" }, LOOK_EVERY_SECONDS)(node);
					if (node.name === 'Settings') {
						settings({ orderSystem: `${business.url}/orders`, calendar: `${business.url}/appointments` })?.(
							node,
						);
					}
					if (node.name === 'Wait for its turn') {
						node.parameters.query = String(node.parameters.query).replace("'40 seconds'", "'20 seconds'");
					}
					if (['Look up the order', 'Book the appointment'].includes(node.name)) {
						node.parameters.options = { ...(node.parameters.options as Json), timeout: BOOKING_TIMEOUT_MS };
					}
				},
			};
			const customers = await connectCustomers(soak);
			const open = async (index: number) =>
				await waitFor(`conversation ${index}`, 30_000, () => customers.open(`customer-${index}`, 'Hello'));
			return await inProduction(setup, 'copilot-events', filling, async ({ urlOf }) => {
				const path = new URL(urlOf('When something happened')).pathname;
				return await inProduction(setup, 'copilot-events-answers', filling, async () => {
					const conversations = await Promise.all(
						Array.from({ length: CONVERSATIONS }, (_, index) => open(index)),
					);
					const posted: Posted[][] = [];
					const asked: Asked[] = [];
					await soak.run(
						[
							...conversations.map((id) => {
								const mine: Posted[] = [];
								posted.push(mine);
								return () => post(soak, id, mine, path, secret.headers);
							}),
							() => ask(soak, conversations, asked),
							() => closeDatabase(soak, allowConnections),
						],
						{ isScheduled: true },
					);
					const byState = 'SELECT FROM dynamics365.agent_events WHERE state = $1';
					await waitFor(
						'every event to be answered',
						// A run that was killed while the calendar was asked is given up after two minutes.
						180_000,
						async () => (await database.rows(byState, ['open'])).length === 0,
					).catch((error: unknown) => console.log(`  ${String(error)}`));
					return {
						...checkPosts(soak, posted.flat()),
						...checkAnswers(soak, asked, business, booked),
					};
				});
			});
		});
	} finally {
		await business.close();
	}
}

/** The business system posts events of one conversation. */
async function post(
	soak: Soak,
	conversationId: string,
	mine: Posted[],
	path: string,
	headers: Record<string, string>,
): Promise<void> {
	const make = (number: number, sentAt: number): Posted => ({
		id: randomUUID(),
		conversationId,
		text: `Event ${number}`,
		sentAt,
		isSettled: false,
		wasRefused: false,
		told: [],
	});
	await writeInBursts(soak, mine, make, async (event) => {
		const body = {
			conversationId,
			messageId: event.id,
			sentAt: event.sentAt,
			event: event.text,
			value: { text: '007' },
		};
		const answer = await soak.post(path, body, headers);
		const isSettled =
			answer.status !== 0 && 'mayRetry' in answer.body
				? answer.body.mayRetry === false
				: answer.body.sent === true;
		event.wasRefused ||= !isSettled && !event.isSettled && answer.status !== 0;
		event.isSettled ||= isSettled;
		if (isSettled) event.told.push(answer);
	});
}

/** The AI agents ask, sometimes for the same twice, and sometimes an event is delivered twice. */
async function ask(soak: Soak, conversations: readonly string[], asked: Asked[]): Promise<void> {
	const { desk } = soak.setup.emulator;
	while (soak.isOn) {
		await soak.pause(200, 1_500);
		for (let burst = soak.pick([1, 1, 1, 3]); burst > 0; burst--) {
			const conversationId = soak.pick(conversations);
			const name = soak.pick([
				'AppointmentRequested',
				'AppointmentRequested',
				'OrderStatusRequested',
				'SomethingElse',
			]);
			const subject = `subject ${asked.length}`;
			asked.push({ conversationId, name, subject });
			desk.customEvent(conversationId, { name, value: { subject, orderNumber: '007' } });
		}
	}
}

function checkPosts(soak: Soak, posted: readonly Posted[]): Checks {
	const found = {
		all: 0,
		sent: 0,
		uncertain: 0,
		unsettled: 0,
		lost: 0,
		twice: 0,
		untrue: 0,
		twoAnswers: 0,
		outOfOrder: 0,
	};
	for (const conversationId of new Set(posted.map((one) => one.conversationId))) {
		const mine = posted.filter((one) => one.conversationId === conversationId);
		const names = toldTo(soak.setup, conversationId).map(({ name }) => name);
		for (const event of mine) {
			const count = names.filter((name) => name === event.text).length;
			const [first] = event.told;
			found.all++;
			if (count > 1) found.twice += count - 1;
			if (!first) {
				found.unsettled++;
				continue;
			}
			const { sent, outcome } = first.body;
			if (event.told.some(({ body }) => body.sent !== sent)) found.twoAnswers++;
			if (sent === true) {
				found.sent++;
				if (count === 0) found.lost++;
			} else if (outcome === 'uncertain') found.uncertain++;
			else if (count > 0) found.untrue++;
		}
		const inOrder = mine.filter(
			({ wasRefused, told }) => !wasRefused && told.some(({ body }) => body.sent === true),
		);
		found.outOfOrder += countOutOfOrder(inOrder.map(({ text }) => names.indexOf(text)));
	}
	console.log(`  posts: ${JSON.stringify(found)}`);
	return {
		'every event that was posted went out, or the system was told':
			found.sent > 0 && found.lost + found.unsettled === 0,
		'once and in order': found.twice === 0 && found.outOfOrder === 0,
		'the system is told what is so, and the same each time': found.untrue === 0 && found.twoAnswers === 0,
	};
}

function checkAnswers(
	soak: Soak,
	asked: readonly Asked[],
	business: HttpStub,
	booked: readonly string[],
): Checks {
	const deliveries = soak.setup.emulator.log.flatMap((entry) => (entry.kind === 'delivery' ? [entry] : []));
	const found = {
		all: asked.length,
		/** What is left: Dynamics 365 tried it in vain. */
		givenUp: 0,
		unanswered: 0,
		/** What is left: an answer whose arrival nobody knew was told again. */
		toldAgain: 0,
		contradicted: 0,
		bookedTwice: booked.filter((subject, index) => booked.indexOf(subject) < index).length,
		untrue: 0,
		astray: 0,
		outOfOrder: 0,
	};
	for (const conversationId of new Set(asked.map((one) => one.conversationId))) {
		const mine = asked.filter((one) => one.conversationId === conversationId);
		const told = toldTo(soak.setup, conversationId).filter(({ value }) => value.inReplyTo !== undefined);
		const bookings = business.requests
			.filter(({ path }) => path === '/appointments')
			.map(({ body }) => String(body.subject));
		for (const { name, subject } of mine) {
			const delivery = deliveries.find(({ activity }) => JSON.stringify(activity).includes(`${subject}\\"`));
			const { Id: eventId } = (delivery?.activity ?? {}) as { Id?: string };
			const answers = told.filter(({ value }) => value.inReplyTo === eventId);
			const [first] = answers;
			if (!first) {
				if (delivery?.outcome === 'accepted') {
					found.unanswered++;
					console.log(`  unanswered: ${subject} ${name} in ${conversationId}`);
				} else found.givenUp++;
				continue;
			}
			found.toldAgain += answers.length - 1;
			if (answers.some((other) => JSON.stringify(other) !== JSON.stringify(first))) found.contradicted++;
			if (first.value.event !== name) found.astray++;
			const isUntrue =
				(first.name === 'AppointmentBooked' && !booked.includes(subject)) ||
				(first.name === 'EventFailed' && name === 'AppointmentRequested' && booked.includes(subject));
			if (isUntrue) {
				found.untrue++;
				console.log(`  untrue: ${subject} ${JSON.stringify(first)}`);
			}
		}
		found.outOfOrder += countOutOfOrder(
			mine.map(({ subject }) => bookings.indexOf(subject)).filter((place) => place >= 0),
		);
	}
	console.log(`  answers: ${JSON.stringify(found)}`);
	return {
		'every event of an AI agent is answered': found.all > 0 && found.unanswered === 0,
		'by one answer, to the agent that asked': found.contradicted === 0 && found.astray === 0,
		'which says what is so': found.untrue === 0,
		'nothing is booked twice': found.bookedTwice === 0,
		'what one agent asks for is done in order': found.outOfOrder === 0,
	};
}
