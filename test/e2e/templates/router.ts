// One trigger that hands each delivery to the workflows that it is for: to “Bring your own channel: answers”, and to simple
// workflows that stand for “Archive on close” and “Out of hours”.
import { randomUUID } from 'node:crypto';
import { Executions } from '../../../tools/n8n/executions';
import { fillTemplate, type Filling } from '../../../tools/n8n/templates';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { waitFor } from '../../../tools/wait';
import { inProduction, makeSecret, ownCredentials, say, settings } from './channel';
import { type TemplateDatabase, withTables } from './database';
import { type Json, startHttpStub } from './httpStub';

const TRIGGER = 'n8n-nodes-dynamics365-messaging.dynamics365MessagingTrigger';

interface Filled {
	name: string;
	nodes: Array<{ name: string; type: string }>;
	connections: Record<string, unknown>;
}

/** A template as a person sets it up for the router: without the trigger that would take the channel’s URL. */
function withoutTrigger(name: string, filling: Filling): object {
	const workflow = fillTemplate(name, filling).workflow as Filled;
	const nodes = workflow.nodes.filter(({ type }) => type !== TRIGGER);
	const isLeft = ([from]: [string, unknown]) => nodes.some((node) => node.name === from);
	return {
		...workflow,
		nodes,
		connections: Object.fromEntries(Object.entries(workflow.connections).filter(isLeft)),
	};
}

/** Stands for a workflow of the user: posts what it gets, and fails where that is not taken. */
function standIn(name: string, url: string): object {
	const parameters = {
		method: 'POST',
		url,
		sendBody: true,
		specifyBody: 'json',
		jsonBody: '={{ $json }}',
		options: {},
	};
	const nodes = [
		['When the router calls', 'n8n-nodes-base.executeWorkflowTrigger', 1.1, { inputSource: 'passthrough' }],
		['Post it', 'n8n-nodes-base.httpRequest', 4.3, parameters],
		// Ends without an item, as workflows of users do.
		['Nothing is left', 'n8n-nodes-base.limit', 1, { maxItems: 0 }],
	].map(([node, type, typeVersion, own], index) => ({
		id: randomUUID(),
		name: node,
		type,
		typeVersion,
		position: [index * 240, 0],
		parameters: own,
	}));
	const to = (node: string) => ({ main: [[{ node, type: 'main', index: 0 }]] });
	const connections = { 'When the router calls': to('Post it'), 'Post it': to('Nothing is left') };
	return { name, nodes, connections, settings: { executionOrder: 'v1' } };
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	return await withTables(setup, 'router', async (tables) => await checkWith(setup, tables));
}

async function checkWith(setup: N8nWithEmulator, tables: TemplateDatabase): Promise<Record<string, boolean>> {
	const { emulator } = setup;
	const secret = await makeSecret(setup);
	const frontEnd = await startHttpStub();
	const others = await startHttpStub();
	const header = { type: 'httpHeaderAuth', id: secret.credentialId };
	const credentials = {
		...ownCredentials(setup),
		...tables.credentials,
		'n8n-nodes-base.webhook': header,
		'n8n-nodes-base.httpRequest': header,
	};
	const ids = { answers: 'router-answers', archive: 'router-archive', hours: 'router-hours' };
	const chosen: Record<string, string> = {
		'Show it to the customer': ids.answers,
		'Keep it': ids.archive,
		'Tell that nobody is there': ids.hours,
	};
	const choose: Filling['set'] = ({ name, parameters }) => {
		if (name in chosen) parameters.workflowId = { __rl: true, mode: 'list', value: chosen[name] };
	};
	const checks: Record<string, boolean> = {};
	try {
		const set = settings({ callbackUrl: `${frontEnd.url}/callback` });
		await setup.n8n.rest('POST', '/workflows', {
			...withoutTrigger('bring-your-own-channel-answers', { credentials, set }),
			id: ids.answers,
		});
		const tooEarly = await inProduction(setup, 'router', { credentials, set: choose }, () =>
			Promise.resolve('published'),
		).catch(String);
		checks['n8n refuses to publish it before the workflows that it calls'] = /not published/.test(tooEarly);

		await setup.publish(
			`${ids.answers}-2`,
			withoutTrigger('bring-your-own-channel-answers', { credentials, set }),
		);
		chosen['Show it to the customer'] = `${ids.answers}-2`;
		await setup.publish(ids.archive, standIn('Archive', `${others.url}/archive`));
		await setup.publish(ids.hours, standIn('Hours', `${others.url}/hours`));
		return await inProduction(setup, 'bring-your-own-channel', { credentials }, async ({ urlOf }) => {
			const write = async (body: Json) => await say(urlOf('When a customer writes'), body, secret.headers);
			const open = async (customerId: string) => {
				const { body } = await write({ customerId, text: 'Hello' });
				return emulator.desk.get(String(body.conversationId));
			};
			const settled = async () => {
				await emulator.idle();
				await new Executions(setup.n8n).waitUntilIdle();
			};
			const shown = (id: string) =>
				frontEnd.requests.map(({ body }) => body).filter(({ conversationId }) => conversationId === id);
			const got = (path: string, id: string) =>
				others.requests.filter((request) => request.path === path && request.body.conversationId === id);
			const { desk } = emulator;

			await inProduction(setup, 'router', { credentials, set: choose }, async () => {
				const one = await open('router-1');
				desk.outOfHours(one.id);
				desk.accept(one.id);
				desk.typing(one.id);
				desk.reply(one.id, { text: 'Hello, this is Ana.' });
				desk.customEvent(one.id, { name: 'Booked', value: {} });
				desk.close(one.id);
				await settled();
				const events = shown(one.id).map(({ event }) => event);
				checks['messages, typing and the end reach the customer, once and in order'] =
					events.join() === 'typing,message,closed';
				checks['an end is kept, too'] =
					got('/archive', one.id)
						.map(({ body }) => body.eventName)
						.join() === 'ConversationClosed';
				checks['an out-of-hours event goes where it belongs'] =
					got('/hours', one.id)
						.map(({ body }) => body.eventCategory)
						.join() === 'outOfHours';
				checks['each delivery is taken at once'] = emulator.log.every(
					(entry) =>
						entry.kind !== 'delivery' ||
						entry.conversationId !== one.id ||
						(entry.outcome === 'accepted' && entry.tries.length === 1),
				);

				// The archive fails at the first try, then the front end does.
				const two = await open('router-2');
				desk.accept(two.id);
				let failing = 1;
				others.answer = () => (failing-- > 0 ? { status: 500 } : {});
				const end = desk.deliver(two.id, {
					type: 'event',
					name: 'ConversationClosed',
					channelId: two.channelId,
					conversation: { id: two.id },
				});
				await settled();
				checks['where one fails, Dynamics 365 delivers it again'] =
					end.outcome === 'accepted' && end.tries.length === 2 && got('/archive', two.id).length === 2;
				checks['and what was done is not done twice'] =
					shown(two.id).filter(({ event }) => event === 'closed').length === 1;

				const three = await open('router-3');
				desk.accept(three.id);
				await settled();
				frontEnd.answer = () => ({ status: 503 });
				const missed = desk.deliver(three.id, {
					type: 'event',
					name: 'ConversationClosed',
					channelId: three.channelId,
					conversation: { id: three.id },
				});
				await waitFor('a first try', 30_000, () => missed.tries.length === 1);
				frontEnd.answer = () => ({});
				checks['one that fails does not keep the other from its work'] =
					got('/archive', three.id).length >= 1;
				await settled();
				checks['and comes again itself'] = missed.outcome === 'accepted' && missed.tries.length === 2;

				const four = await open('router-4');
				desk.accept(four.id);
				for (const text of ['1', '2', '3', '4', '5']) desk.reply(four.id, { text });
				await settled();
				checks['five replies come in order'] =
					shown(four.id)
						.map(({ text }) => text)
						.join('') === '12345';
			});

			// Where a workflow is not there, its node is deactivated.
			const without: Filling['set'] = (node) => {
				choose(node);
				if (node.name === 'Keep it') Object.assign(node, { disabled: true });
			};
			await inProduction(setup, 'router', { credentials, set: without }, async () => {
				const { id } = await open('router-5');
				desk.accept(id);
				const before = got('/archive', id).length;
				desk.close(id);
				await settled();
				checks['a node that is deactivated is passed by'] =
					shown(id).some(({ event }) => event === 'closed') && got('/archive', id).length === before;
			});
			return checks;
		});
	} finally {
		await frontEnd.close();
		await others.close();
	}
}
