import { Executions } from '../../../tools/n8n/executions';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { waitFor } from '../../../tools/wait';
import { connect, startConversation } from '../../emulator/support';
import { callsSince, inProduction, makeSecret, ownCredentials, say, settings } from './channel';
import { type Json, startHttpStub } from './httpStub';

/** A custom event as it went out to the AI agent. */
interface Told {
	name: string;
	value: Json;
}

/** A business system and an AI agent, which send each other events. */
export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { desk } = setup.emulator;
	const secret = await makeSecret(setup);
	const business = await startHttpStub();
	const filling = {
		credentials: {
			...ownCredentials(setup),
			'n8n-nodes-base.webhook': { type: 'httpHeaderAuth', id: secret.credentialId },
		},
		set: settings({ orderSystem: `${business.url}/orders`, calendar: `${business.url}/appointments` }),
	};
	const conversationId = await startConversation(await connect(setup.emulator), {
		customercontext: { customerid: 'kim-copilot' },
	});
	const start = setup.emulator.log.length;
	/** The events that the AI agent of a conversation got, in order. */
	const told = (): Told[] =>
		callsSince(setup, start)
			.filter((entry) => entry.conversationId === conversationId && entry.status === 200)
			.map(({ body }) => {
				const { customEventName, customEventValue } = (body as { channelData: Record<string, string> })
					.channelData;
				return { name: customEventName!, value: JSON.parse(customEventValue!) as Json };
			});
	/** Lets the agent send an event, and waits for the event that answers it. */
	const ask = async (name: string, value: unknown): Promise<Told> => {
		const before = told().length;
		desk.customEvent(conversationId, { name, value });
		return await waitFor(`the answer to ${name}`, 30_000, () => told()[before]);
	};
	/** The IDs of the events that the agent sent, in their order. */
	const sentIds = () =>
		setup.emulator.log.flatMap((entry) =>
			entry.kind === 'delivery' && entry.conversationId === conversationId
				? [(entry.activity as { Id?: string }).Id]
				: [],
		);
	try {
		return await inProduction(setup, 'copilot-events', filling, async ({ urlOf }) => {
			const webhook = urlOf('Something happened');
			const shipped = { conversationId, event: 'OrderShipped', value: { orderNumber: 'A-100', parcels: 2 } };

			// Out.
			const stranger = await say(webhook, shipped);
			const incomplete = await say(webhook, { event: 'OrderShipped' }, secret.headers);
			const nameless = await say(webhook, { conversationId, event: '' }, secret.headers);
			const quiet = callsSince(setup, start).length === 0;
			const sent = await say(webhook, shipped, secret.headers);
			const [first] = told();
			const bare = await say(webhook, { conversationId, event: 'CustomerCalled' }, secret.headers);
			const reserved = await say(webhook, { conversationId, event: 'MessageRead' }, secret.headers);
			const wrongValue = await say(webhook, { ...shipped, value: 'A-100' }, secret.headers);
			const elsewhere = '00000000-0000-4000-8000-00000000dead';
			const gone = await say(webhook, { ...shipped, conversationId: elsewhere }, secret.headers);
			const afterOut = told();

			// In.
			business.answer = ({ path, query }) =>
				path === '/orders'
					? { status: 200, body: { orderNumber: query.get('orderNumber'), state: 'shipped' } }
					: { status: 201, body: { at: 'Mon 9:00' } };
			const status = await ask('OrderStatusRequested', { orderNumber: 'A-100' });
			const booked = await ask('AppointmentRequested', { service: 'Fan cleaning' });
			const booking = business.requests.at(-1);
			const misspelt = await ask('orderStatusRequested', { orderNumber: 'A-100' });
			const asked = business.requests.length;
			business.answer = () => ({ status: 500, body: { message: 'The order system is down' } });
			const failed = await ask('OrderStatusRequested', { orderNumber: 'A-101' });
			const failedBooking = await ask('AppointmentRequested', 'no JSON');
			await setup.emulator.idle();
			await new Executions(setup.n8n).waitUntilIdle();

			const ids = sentIds();
			const answers = [status, booked, misspelt, failed, failedBooking];
			return {
				'a stranger is refused': stranger.status === 403,
				'what is incomplete is refused': incomplete.status === 400 && nameless.status === 400,
				'none of that reached Dynamics 365': quiet,
				'an event goes out': sent.status === 200 && sent.body.conversationId === conversationId,
				'with its name and value':
					first?.name === 'OrderShipped' && JSON.stringify(first.value) === JSON.stringify(shipped.value),
				'and one without a value':
					bare.status === 200 && JSON.stringify(afterOut.at(-1)) === '{"name":"CustomerCalled","value":{}}',
				'a reserved name is told': reserved.status === 502 && /MessageRead/.test(String(reserved.body.error)),
				'and a value that is no object': wrongValue.status === 502 && wrongValue.body.outcome === 'notSent',
				'and a conversation that is not there': gone.status === 502 && gone.body.error !== undefined,
				'only the two good ones went out': afterOut.length === 2,
				'an order is looked up': status.name === 'OrderStatus',
				'and the agent gets it':
					JSON.stringify(status.value.order) === '{"orderNumber":"A-100","state":"shipped"}',
				'an appointment is booked':
					booked.name === 'AppointmentBooked' &&
					JSON.stringify(booked.value.appointment) === '{"at":"Mon 9:00"}',
				'with what the agent said': booking?.body.service === 'Fan cleaning',
				'and an ID that says which it is': booking?.body.bookingId === ids[1],
				'an unknown name is told':
					misspelt.name === 'EventUnknown' && misspelt.value.event === 'orderStatusRequested',
				'with the names that are known':
					JSON.stringify(misspelt.value.known) === '["OrderStatusRequested","AppointmentRequested"]',
				'and nothing is done for it': asked === 2,
				'what fails is told': failed.name === 'EventFailed' && failed.value.event === 'OrderStatusRequested',
				'and why': typeof failed.value.error === 'string' && /down|500/.test(failed.value.error),
				'whatever fails': failedBooking.name === 'EventFailed',
				'every answer says what it answers':
					ids.length === 5 && answers.every(({ value }, index) => value.inReplyTo === ids[index]),
				'and nothing is said twice': told().length === afterOut.length + answers.length,
			};
		});
	} finally {
		await business.close();
	}
}
