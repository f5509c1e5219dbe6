// A business system and an AI agent, which send each other events: each once, in order, over repeated posts and deliveries,
// kills of n8n, lost answers, and a booking system that is slow or odd. Nothing is booked twice.
import { randomUUID } from 'node:crypto';
import { type Filling, runQueryOf } from '../../../tools/n8n/templates';
import { type N8nWithEmulator, waitUntilResponsive } from '../../../tools/n8n/withN8n';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { callsSince, inProduction, makeSecret, ownCredentials, say, type Secret, settings } from './channel';
import { type TemplateDatabase, withTables } from './database';
import { type HttpStub, type Json, startHttpStub } from './httpStub';
import { atOnce, errorsOf, triesOf } from './looks';

/** A custom event as it went out to the AI agent. */
interface Told {
	name: string;
	value: Json;
}

interface Stage {
	setup: N8nWithEmulator;
	tables: TemplateDatabase;
	business: HttpStub;
	secret: Secret;
	start: () => Promise<string>;
	/** The events that the AI agent of a conversation got, in order. */
	told: (conversationId: string) => Told[];
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const business = await startHttpStub();
	try {
		return await withTables(setup, 'copilot-events', async (tables) => {
			await runQueryOf('copilot-events-answers', 'Make the table', tables.database);
			await runQueryOf('copilot-events-answers', 'Make the table', tables.database);
			const secret = await makeSecret(setup);
			const client = await connect(setup.emulator);
			const stage: Stage = {
				setup,
				tables,
				business,
				secret,
				start: () => startConversation(client, { customercontext: { customerid: randomUUID() } }),
				told: (conversationId) => toldTo(setup, conversationId),
			};
			return { ...(await checkPosts(stage)), ...(await checkEvents(stage)) };
		});
	} finally {
		await business.close();
	}
}

/** A system posts, and the agent is told. */
async function checkPosts({ setup, tables, secret, start, told }: Stage): Promise<Record<string, boolean>> {
	const filling: Filling = {
		credentials: {
			...ownCredentials(setup),
			...tables.credentials,
			'n8n-nodes-base.webhook': { type: 'httpHeaderAuth', id: secret.credentialId },
		},
	};
	const { faults } = setup.emulator.settings;
	return await inProduction(setup, 'copilot-events', filling, async ({ urlOf }) => {
		const webhook = urlOf('When something happened');
		const post = (body: Json) => say(webhook, body, secret.headers);
		const conversationId = await start();
		const shipped = { conversationId, event: 'OrderShipped', value: { orderNumber: '007', note: '1e5' } };
		const checks: Record<string, boolean> = {};

		const stranger = await say(webhook, shipped);
		const odd = await Promise.all(
			[{}, { event: 'OrderShipped' }, { conversationId, event: '' }, []].map((body) => post(body as Json)),
		);
		checks['a stranger is refused'] = stranger.status === 403;
		checks['what is incomplete is refused'] = odd.every(({ status }) => status === 400);
		const reserved = await post({ conversationId, event: 'MessageRead' });
		const wrongValue = await post({ ...shipped, value: 'A-100' });
		const gone = await post({ ...shipped, conversationId: '00000000-0000-4000-8000-00000000dead' });
		checks['what Dynamics 365 does not take is told, and that a retry does not help'] = [
			reserved,
			wrongValue,
		].every(({ status, body }) => status === 422 && body.outcome === 'notSent' && body.mayRetry === false);
		checks['and a conversation that is not there'] =
			gone.status >= 400 && gone.body.outcome === 'notSent' && gone.body.error !== undefined;
		checks['nothing of that was sent'] = told(conversationId).length === 0;

		const sent = await post(shipped);
		checks['an event goes out, and texts stay texts'] =
			sent.status === 200 &&
			sent.body.conversationId === conversationId &&
			JSON.stringify(told(conversationId)) ===
				JSON.stringify([{ name: 'OrderShipped', value: shipped.value }]);
		const bare = await post({ conversationId, event: 'CustomerCalled' });
		checks['and one without a value'] =
			bare.status === 200 &&
			JSON.stringify(told(conversationId).at(-1)) === '{"name":"CustomerCalled","value":{}}';

		const hostile = await start();
		const value = {
			text: `'); DROP TABLE x; -- {{ $json }} $1 {"conversationId":"${conversationId}"} \u{1F525}`,
		};
		const attack = await post({
			conversationId: hostile,
			messageId: `x'; -- ${value.text}`,
			event: 'X',
			value,
		});
		checks['a hostile value goes where the post says, as it is'] =
			attack.status === 200 &&
			JSON.stringify(told(hostile)) === JSON.stringify([{ name: 'X', value }]) &&
			told(conversationId).length === 2;

		const twice = await start();
		const body = { conversationId: twice, messageId: 'a-100', event: 'Once' };
		const first = await post(body);
		const again = await post(body);
		checks['the same post twice is one event, and gets the same answer'] =
			told(twice).length === 1 && JSON.stringify(first) === JSON.stringify(again);
		const both = await Promise.all([1, 2, 3].map(() => post({ ...body, messageId: 'a-101' })));
		checks['also at the same moment'] =
			told(twice).length === 2 && both.every(({ status }) => status === 200);

		// While one is on its way, five more come 20 ms apart.
		const burst = await start();
		const names = [1, 2, 3, 4, 5].map((number) => `Event${number}`);
		faults.push({
			match: { operationId: 'sendActivity', conversationId: burst },
			action: { delayMs: 1_500 },
			times: 1,
		});
		const ahead = post({ conversationId: burst, messageId: 'ahead', sentAt: 0, event: 'Event0' });
		await waitFor('the first to be on its way', 30_000, () => faults[0]?.times === 0);
		faults.length = 0;
		await Promise.all([
			ahead,
			...names.map(async (event, index) => {
				await new Promise((resolve) => setTimeout(resolve, index * 20));
				await post({ conversationId: burst, messageId: event, sentAt: index + 1, event });
			}),
		]);
		checks['posts that come at about the same time arrive in the order of their sentAt'] =
			JSON.stringify(told(burst).map(({ name }) => name)) === JSON.stringify(['Event0', ...names]);

		// The answer of Dynamics 365 is lost.
		const lost = await start();
		faults.push({
			match: { operationId: 'sendActivity', conversationId: lost },
			action: 'resetAfter',
			times: 1,
		});
		const unclear = { conversationId: lost, messageId: 'b-1', event: 'Unclear' };
		const uncertain = [await post(unclear), await post(unclear)];
		faults.length = 0;
		checks['where the answer is lost, it is uncertain, and not sent again'] =
			uncertain.every(({ status, body: said }) => status === 502 && said.outcome === 'uncertain') &&
			told(lost).length === 1;

		await tables.allowConnections(false);
		const away = await post({ conversationId: lost, messageId: 'b-2', event: 'Later' });
		await tables.allowConnections(true);
		const back = await post({ conversationId: lost, messageId: 'b-2', event: 'Later' });
		checks['while PostgreSQL refuses, nothing is begun, and the same post succeeds later'] =
			away.status === 503 &&
			away.body.outcome === 'notSent' &&
			back.status === 200 &&
			told(lost).length === 2;

		// Killed in mid-post, and the system posts again.
		const killed = await start();
		faults.push({
			match: { operationId: 'sendActivity', conversationId: killed },
			action: { delayMs: 5_000 },
			times: 1,
		});
		const half = { conversationId: killed, messageId: 'c-1', event: 'Half' };
		const broken = post(half).catch(() => undefined);
		await waitFor('the event to be on its way', 30_000, () => faults[0]?.times === 0);
		await setup.restart('kill');
		await broken;
		await waitUntilResponsive(setup.n8n.url);
		faults.length = 0;
		const repeated = await waitFor('the turn of the run that died to end', 60_000, async () => {
			const answer = await post(half);
			return answer.status === 503 ? undefined : answer;
		});
		checks['killed in mid-post and posted again: sent once at the most, and the caller hears so'] =
			repeated.body.outcome === 'uncertain' && told(killed).length <= 1;
		return checks;
	});
}

/** The agent asks, and something is done. */
async function checkEvents(stage: Stage): Promise<Record<string, boolean>> {
	const { setup, tables, business, start, told } = stage;
	const { desk, settings: emulated } = setup.emulator;
	const fillingWith = (knowsIds: boolean): Filling => ({
		credentials: { ...ownCredentials(setup), ...tables.credentials },
		set: (node) => {
			atOnce({ "'2 minutes'": "'6 seconds'", "'5 seconds'": "'1 second'" })(node);
			settings({ orderSystem: `${business.url}/orders`, calendar: `${business.url}/appointments` })?.(node);
			if (node.name === 'Settings' && knowsIds) {
				const { assignments } = node.parameters.assignments as {
					assignments: Array<{ name: string; value: unknown }>;
				};
				assignments.find(({ name }) => name === 'calendarKnowsBookingIds')!.value = true;
			}
			if (['Look up the order', 'Book the appointment'].includes(node.name)) {
				node.parameters.options = { ...(node.parameters.options as Json), timeout: 2_000 };
			}
		},
	});
	/** The IDs of the events that the agent sent, in their order. */
	const sentIds = (conversationId: string) => [
		...new Set(
			setup.emulator.log.flatMap((entry) =>
				entry.kind === 'delivery' && entry.conversationId === conversationId
					? [(entry.activity as { Id?: string }).Id]
					: [],
			),
		),
	];
	const bookings = () => business.requests.filter(({ path }) => path === '/appointments');
	const answered = (conversationId: string, count: number) =>
		waitFor(`${count} answers`, 60_000, () => {
			const all = told(conversationId);
			return all.length >= count ? all : undefined;
		});
	/** Lets the agent send an event, and waits for the event that answers it. */
	const ask = async (conversationId: string, name: string, value: unknown): Promise<Told> => {
		const before = told(conversationId).length;
		desk.customEvent(conversationId, { name, value });
		return (await answered(conversationId, before + 1))[before]!;
	};
	const killWhileBooking = async (conversationId: string) => {
		business.answer = () => ({ delayMs: 30_000 });
		const before = bookings().length;
		desk.customEvent(conversationId, { name: 'AppointmentRequested', value: { service: 'Killed' } });
		await waitFor('the booking to be on its way', 30_000, () => bookings().length > before);
		await setup.restart('kill');
		business.answer = () => ({ status: 201, body: { at: 'Mon 9:00' } });
		await waitUntilResponsive(setup.n8n.url);
		const [answer] = await answered(conversationId, 1);
		return { answer: answer!, bookings: bookings().slice(before) };
	};
	const checks: Record<string, boolean> = {};

	await inProduction(setup, 'copilot-events-answers', fillingWith(false), async ({ id: workflowId }) => {
		const one = await start();
		business.answer = ({ path, query }) =>
			path === '/orders'
				? { body: { orderNumber: query.get('orderNumber'), state: 'shipped' } }
				: { status: 201, body: { at: 'Mon 9:00' } };
		const status = await ask(one, 'OrderStatusRequested', { orderNumber: '007' });
		checks['an order is looked up, and the agent gets it'] =
			status.name === 'OrderStatus' &&
			JSON.stringify(status.value.order) === '{"orderNumber":"007","state":"shipped"}';
		const booked = await ask(one, 'AppointmentRequested', { service: 'Fan cleaning', bookingId: 'mine' });
		const booking = bookings().at(-1);
		checks['an appointment is booked with what the agent said, and an ID'] =
			booked.name === 'AppointmentBooked' &&
			JSON.stringify(booked.value.appointment) === '{"at":"Mon 9:00"}' &&
			booking?.body.service === 'Fan cleaning' &&
			booking.body.bookingId === sentIds(one)[1] &&
			booking.headers['idempotency-key'] === sentIds(one)[1];
		await ask(one, 'AppointmentRequested', '1e5');
		await ask(one, 'AppointmentRequested', '007');
		checks['texts that look like numbers stay texts'] =
			JSON.stringify(
				bookings()
					.slice(-2)
					.map(({ body }) => body.value),
			) === '["1e5","007"]';

		const before = bookings().length;
		const oddAnswers: Array<[unknown, ReturnType<HttpStub['answer']>]> = [
			['OK', { body: Buffer.from('OK'), contentType: 'application/json' }],
			[[], { body: [] }],
			['', { status: 204, body: Buffer.from('') }],
			['007', { body: Buffer.from('007'), contentType: 'text/plain' }],
			['{"broken', { body: Buffer.from('{"broken'), contentType: 'application/json' }],
		];
		const odd: Told[] = [];
		for (const [, answer] of oddAnswers) {
			business.answer = () => answer;
			odd.push(await ask(one, 'AppointmentRequested', { service: 'Odd' }));
		}
		checks['odd answers of the booking system are answers, and stay what they are'] =
			odd.every(({ name }) => name === 'AppointmentBooked') &&
			JSON.stringify(odd.map(({ value }) => value.appointment)) ===
				JSON.stringify(oddAnswers.map(([said]) => said)) &&
			bookings().length === before + odd.length;

		business.answer = () => ({ status: 422, body: { message: 'No such service' } });
		const refused = await ask(one, 'AppointmentRequested', { service: 'None' });
		checks['what is refused is told, and why'] =
			refused.name === 'EventFailed' && /422.*No such service/.test(String(refused.value.error));
		const unclear: Told[] = [];
		for (const answer of [
			{ delayMs: 4_000 },
			{ status: 500 },
			{ isCut: true },
			{ status: 303, location: '/x' },
		]) {
			business.answer = () => answer;
			unclear.push(await ask(one, 'AppointmentRequested', { service: 'Slow' }));
		}
		checks['where the booking system is slow, fails or cuts the connection, it is unclear, and told so'] =
			unclear.every(
				({ name, value }) => name === 'AppointmentUnclear' && value.bookingId === value.inReplyTo,
			);
		business.answer = () => ({ status: 500, body: { message: 'The order system is down' } });
		const failed = await ask(one, 'OrderStatusRequested', { orderNumber: 'A-101' });
		checks['an order system that fails is told'] =
			failed.name === 'EventFailed' && /down/.test(String(failed.value.error));
		const misspelt = await ask(one, 'orderStatusRequested', { orderNumber: 'A-100' });
		checks['an unknown name is told, with the names that are known'] =
			misspelt.name === 'EventUnknown' &&
			JSON.stringify(misspelt.value.known) === '["OrderStatusRequested","AppointmentRequested"]';
		checks['every answer says what it answers'] =
			JSON.stringify(told(one).map(({ value }) => value.inReplyTo)) === JSON.stringify(sentIds(one));
		checks['none of them was booked twice'] =
			new Set(bookings().map(({ body }) => body.bookingId)).size === bookings().length;

		// The same event comes several times at once.
		const two = await start();
		business.answer = () => ({ status: 201, body: { at: 'Tue 9:00' } });
		const conversation = { Id: two };
		const channelData = {
			customEvent: true,
			customEventName: 'AppointmentRequested',
			customEventValue: '{"service":"Once"}',
		};
		const activity = {
			Type: 'event',
			Id: randomUUID(),
			Conversation: conversation,
			ChannelId: setup.emulator.world.channelId,
			ChannelData: channelData,
		};
		const beforeTwice = bookings().length;
		for (let index = 0; index < 3; index++) desk.deliver(two, activity);
		await answered(two, 1);

		// The confirmation fails.
		const three = await start();
		emulated.faults.push({
			match: { operationId: 'sendActivity', conversationId: three },
			action: { status: 403 },
			times: 3,
		});
		const confirmed = await ask(three, 'AppointmentRequested', { service: 'Whatever comes after' });
		emulated.faults.length = 0;
		checks['“booked” is told whatever comes after, and not booked again for it'] =
			confirmed.name === 'AppointmentBooked' && bookings().length === beforeTwice + 2;
		checks['the same event three times is booked once, and told once'] = told(two).length === 1;
		checks['every delivery is taken in the end, and no execution failed'] =
			[one, two, three].every((id) => triesOf(setup, id).at(-1) === 200) &&
			(await errorsOf(setup, workflowId)) === 0;

		await tables.allowConnections(false);
		const away = await start();
		desk.customEvent(away, { name: 'AppointmentRequested', value: { service: 'Away' } });
		await waitFor('a delivery that is refused', 30_000, () =>
			triesOf(setup, away).some((status) => status !== 200),
		);
		await tables.allowConnections(true);
		checks['while PostgreSQL refuses, Dynamics gets no 200, and tries again'] =
			(await answered(away, 1))[0]!.name === 'AppointmentBooked';

		const unknown = await killWhileBooking(await start());
		checks['killed while it books: not booked again, and the agent hears that it is unclear'] =
			unknown.answer.name === 'AppointmentUnclear' && unknown.bookings.length === 1;
	});
	await inProduction(setup, 'copilot-events-answers', fillingWith(true), async () => {
		const known = await killWhileBooking(await start());
		checks['a booking system that knows the IDs is asked again with the same one'] =
			known.answer.name === 'AppointmentBooked' &&
			known.bookings.length === 2 &&
			new Set(known.bookings.map(({ body }) => body.bookingId)).size === 1;
	});
	return checks;
}

/** The events that an AI agent got, in order. An answer that was lost on its way back is one that it got. */
export function toldTo(setup: N8nWithEmulator, conversationId: string): Told[] {
	return callsSince(setup, 0)
		.filter(
			({ conversationId: id, status, fault, body }) =>
				id === conversationId &&
				(status === 200 || fault === 'resetAfter') &&
				(body as { type?: string }).type === 'event',
		)
		.map(({ body }) => {
			const { channelData } = body as { channelData: Record<string, string> };
			return {
				name: channelData.customEventName ?? '',
				value: JSON.parse(channelData.customEventValue ?? '{}') as Json,
			};
		});
}
