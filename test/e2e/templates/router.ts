// One trigger that hands each delivery to the workflows that it is for: “Bring your own channel: answers”, “Archive on close”
// and “Out of hours”, each as a person sets it up for the router.
import { type CredentialIds, fillTemplate, type Filling, runQueryOf } from '../../../tools/n8n/templates';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';
import { waitFor } from '../../../tools/wait';
import { inProduction, makeSecret, ownCredentials, say, settings } from './channel';
import { type TemplateDatabase, withTables } from './database';
import { type HttpStub, type Json, startHttpStub } from './httpStub';
import { atOnce } from './looks';
import { type SmtpStub, startSmtpStub } from './smtpStub';

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

/** The services around the workflows behind the router. */
interface Services {
	tables: TemplateDatabase;
	/** Gets what the customer is to see: of “Bring your own channel” at `/callback`, of “Out of hours” at `/hours`. */
	app: HttpStub;
	smtp: SmtpStub;
}

/** The workflows behind the router, by the node that calls them. */
export interface BehindRouter {
	/** Without the trigger, filled in. */
	workflows: Record<'Show it to the customer' | 'Keep it' | 'Tell that nobody is there', object>;
	credentials: CredentialIds;
	/** The headers of whoever posts to a webhook of them. */
	headers: Record<string, string>;
}

/**
 * Fills in the templates behind the router, and makes their tables.
 * @param settingsOfChannel more settings of “Bring your own channel: answers”.
 */
export async function behindRouter(
	setup: N8nWithEmulator,
	{ tables, app, smtp }: { tables: TemplateDatabase; app: { url: string }; smtp: { port: number } },
	settingsOfChannel: Record<string, string> = {},
): Promise<BehindRouter> {
	await runQueryOf('archive-on-close', 'Make the tables', tables.database);
	await runQueryOf('out-of-hours', 'Make the table', tables.database);
	const secret = await makeSecret(setup);
	const header = { type: 'httpHeaderAuth', id: secret.credentialId };
	const mailId = await makeCredential(setup.n8n, 'smtp', {
		user: '',
		password: '',
		host: '127.0.0.1',
		port: smtp.port,
		secure: false,
		disableStartTls: true,
	});
	const credentials = {
		...ownCredentials(setup),
		...tables.credentials,
		'n8n-nodes-base.webhook': header,
		'n8n-nodes-base.httpRequest': header,
		'n8n-nodes-base.emailSend': { type: 'smtp', id: mailId },
	};
	const soon = atOnce(
		{
			"'5 minutes'": "'15 seconds'",
			"'30 seconds'": "'2 seconds'",
			"'3 seconds'": "'1 second'",
		},
		2,
	);
	return {
		workflows: {
			'Show it to the customer': withoutTrigger('bring-your-own-channel-answers', {
				credentials,
				set: settings({ callbackUrl: `${app.url}/callback`, ...settingsOfChannel }),
			}),
			'Keep it': withoutTrigger('archive-on-close', {
				credentials,
				set: (node) => {
					soon(node);
					if (node.name !== 'Read the transcript') return;
					node.parameters.options = { ...(node.parameters.options as Json), waitForTranscript: 1 };
				},
			}),
			'Tell that nobody is there': withoutTrigger('out-of-hours', {
				credentials,
				set: (node) => {
					soon(node);
					if (node.name === 'Tell the customer') node.parameters.url = `${app.url}/hours`;
				},
			}),
		},
		credentials,
		headers: secret.headers,
	};
}

/** Publishes the workflows behind the router. @returns what sets the router up to call them */
export async function publishBehindRouter(
	{ publish }: N8nWithEmulator,
	{ workflows }: BehindRouter,
): Promise<NonNullable<Filling['set']>> {
	const ids = new Map<string, string>();
	for (const [node, workflow] of Object.entries(workflows)) {
		const id = `router-${ids.size}`;
		await publish(id, workflow);
		ids.set(node, id);
	}
	return ({ name, parameters }) => {
		const value = ids.get(name);
		if (value !== undefined) parameters.workflowId = { __rl: true, mode: 'list', value };
	};
}

export async function check(setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const app = await startHttpStub();
	const smtp = await startSmtpStub();
	const { availability, transcripts } = setup.emulator.settings;
	const before = { availability: { ...availability }, transcripts: { ...transcripts } };
	try {
		return await withTables(setup, 'router', async (tables) => await checkWith(setup, { tables, app, smtp }));
	} finally {
		Object.assign(availability, before.availability);
		Object.assign(transcripts, before.transcripts);
		await Promise.all([app.close(), smtp.close()]);
	}
}

async function checkWith(setup: N8nWithEmulator, services: Services): Promise<Record<string, boolean>> {
	const { emulator } = setup;
	const { desk } = emulator;
	const { tables, app, smtp } = services;
	Object.assign(emulator.settings.availability, { isOpen: false });
	Object.assign(emulator.settings.transcripts, { delayMs: 0 });
	const behind = await behindRouter(setup, services);
	const { credentials, headers } = behind;
	const checks: Record<string, boolean> = {};

	await setup.n8n.rest('POST', '/workflows', {
		...behind.workflows['Show it to the customer'],
		id: 'router-early',
	});
	const early: Filling['set'] = ({ parameters }) => {
		if ('workflowId' in parameters) {
			parameters.workflowId = { __rl: true, mode: 'list', value: 'router-early' };
		}
	};
	const tooEarly = await inProduction(setup, 'router', { credentials, set: early }, () =>
		Promise.resolve('published'),
	).catch(String);
	checks['n8n refuses to publish it before the workflows that it calls'] = /not published/.test(tooEarly);

	const choose = await publishBehindRouter(setup, behind);
	return await inProduction(setup, 'bring-your-own-channel', { credentials }, async ({ urlOf }) => {
		const write = async (body: Json) => await say(urlOf('When a customer writes'), body, headers);
		const open = async (customerId: string) => {
			const { body } = await write({ customerId, text: `Hello, this is ${customerId}` });
			return desk.get(String(body.conversationId));
		};
		// A delivery is over when its run is. The schedules behind the router go on all the time.
		const settled = async () => await emulator.idle();
		const got = (path: string, id: string) =>
			app.requests
				.filter((request) => request.path === path && request.body.conversationId === id)
				.map(({ body }) => body);
		const shown = (id: string) => got('/callback', id);
		const archiveOf = async (id: string) =>
			(
				await tables.database.rows<{ state: string; ends: number; messages: number | null }>(
					'SELECT state, ends, messages FROM dynamics365.archived_conversations WHERE conversation_id = $1',
					[id],
				)
			)[0];
		const archived = async (id: string) =>
			await waitFor(`conversation ${id} to be archived`, 60_000, async () => {
				const row = await archiveOf(id);
				return row?.state === 'archived' ? row : undefined;
			});
		const endOf = ({ id, channelId }: { id: string; channelId: string }) =>
			desk.deliver(id, {
				type: 'event',
				name: 'ConversationClosed',
				channelId,
				conversation: { id },
			});

		await inProduction(setup, 'router', { credentials, set: choose }, async () => {
			const one = await open('router-1');
			desk.outOfHours(one.id);
			await waitFor('the word that it is noted', 60_000, () =>
				got('/hours', one.id).some(({ kind }) => kind === 'noted'),
			);
			const mails = smtp.mails.filter(({ headers: { subject } }) => subject?.includes(one.id));
			checks['an out-of-hours event becomes a ticket with what they wrote, and they hear so'] =
				mails.length === 1 && mails[0]?.text.includes('Hello, this is router-1') === true;
			const ticketOf = async (id: string) => {
				const query = 'SELECT state FROM dynamics365.tickets WHERE conversation_id = $1';
				return (await tables.database.rows<{ state: string }>(query, [id]))[0]?.state;
			};
			const wasOpen = (await ticketOf(one.id)) === 'open';
			desk.accept(one.id);
			await settled();
			checks['when a representative joins, the ticket is closed'] =
				wasOpen && (await ticketOf(one.id)) === 'closed';
			const night = await open('router-night');
			desk.outOfHours(night.id);
			await settled();
			const isNoted = (await ticketOf(night.id)) === 'open';
			desk.close(night.id);
			await settled();
			checks['also when the conversation ends'] = isNoted && (await ticketOf(night.id)) === 'closed';
			desk.typing(one.id);
			desk.reply(one.id, { text: 'Hello, this is Ana.' });
			desk.customEvent(one.id, { name: 'Booked', value: {} });
			desk.close(one.id);
			await settled();
			const events = shown(one.id).map(({ event }) => event);
			checks['messages, typing and the end reach the customer, once and in order'] =
				events.join() === 'typing,message,closed';
			const archive = await archived(one.id);
			checks['an end is archived, too, with all that was said'] =
				archive.messages === 2 && archive.ends === 1;
			checks['each delivery is taken at once'] = emulator.log.every(
				(entry) =>
					entry.kind !== 'delivery' ||
					entry.conversationId !== one.id ||
					(entry.outcome === 'accepted' && entry.tries.length === 1),
			);

			// The archive has no table at the first try, then the app is down.
			const two = await open('router-2');
			desk.accept(two.id);
			await settled();
			const rename = async (from: string, to: string) =>
				await tables.database.rows(`ALTER TABLE dynamics365.${from} RENAME TO ${to}`);
			await rename('archived_conversations', 'away');
			const end = endOf(two);
			await waitFor('a first try', 30_000, () => end.tries.length === 1);
			await rename('away', 'archived_conversations');
			await settled();
			checks['where one fails, Dynamics 365 delivers it again'] =
				end.outcome === 'accepted' && end.tries.length === 2 && (await archiveOf(two.id))?.ends === 1;
			checks['and what was done is not done twice'] =
				shown(two.id).filter(({ event }) => event === 'closed').length === 1;

			const three = await open('router-3');
			desk.accept(three.id);
			await settled();
			app.answer = ({ path }) => ({ status: path === '/callback' ? 503 : 200 });
			const missed = endOf(three);
			await waitFor('a first try', 30_000, () => missed.tries.length === 1);
			app.answer = () => ({});
			checks['one that fails does not keep the other from its work'] =
				(await archiveOf(three.id)) !== undefined;
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
			desk.close(id);
			await settled();
			checks['a node that is deactivated is passed by'] =
				shown(id).some(({ event }) => event === 'closed') && (await archiveOf(id)) === undefined;
		});
		return checks;
	});
}
