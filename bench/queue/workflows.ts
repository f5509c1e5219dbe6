import { randomUUID } from 'node:crypto';
import type { Cluster } from './cluster';

/** A workflow, and the node that Dynamics calls. */
export interface Made {
	workflow: object;
	trigger: { id: string; webhookId: string };
}

type Credentials = Cluster['credentials'];

/** How much later than the one after it a worker may start a delivery, seconds; each message is held back for so long. */
export const PAUSE_SECONDS = 1;

/** Puts nodes in a row; each is connected to the next. */
function inARow(
	name: string,
	nodes: Array<Record<string, unknown> & { name: string }>,
	loop?: [string, string],
) {
	const steps = nodes.slice(1).map((node, index) => [nodes[index]!.name, node.name]);
	const links = loop ? [...steps, loop] : steps;
	return {
		name,
		nodes: nodes.map((node, index) => ({ id: randomUUID(), position: [index * 240, 0], ...node })),
		connections: Object.fromEntries(
			links.map(([from, to]) => [from, { main: [[{ node: to, type: 'main', index: 0 }]] }]),
		) as Record<string, unknown>,
		settings: { executionOrder: 'v1' },
	};
}

function parts(credentials: Credentials) {
	const dynamics365MessagingApi = { id: credentials.dynamics365, name: 'Dynamics 365' };
	const trigger = { id: randomUUID(), webhookId: randomUUID() };
	const from = {
		...trigger,
		name: 'From Dynamics 365',
		type: 'n8n-nodes-dynamics365-messaging.dynamics365MessagingTrigger',
		typeVersion: 1,
		parameters: { events: ['message'] },
		credentials: { dynamics365MessagingApi },
	};
	const sendOf = (conversationId: string, text: string) => ({
		name: 'Send',
		type: 'n8n-nodes-dynamics365-messaging.dynamics365Messaging',
		typeVersion: 1,
		parameters: {
			resource: 'message',
			operation: 'send',
			conversationId: { __rl: true, mode: 'id', value: conversationId },
			text,
		},
		credentials: { dynamics365MessagingApi },
	});
	return { trigger, from, sendOf };
}

/** Replies at once, so that only n8n and the package are measured. */
export function asItComes(credentials: Credentials): Made {
	const { trigger, from, sendOf } = parts(credentials);
	const send = sendOf('={{ $json.conversationId }}', '={{ $json.text }}');
	return { trigger, workflow: inARow('As it comes', [from, send]) };
}

/** The same behind n8n's Remove Duplicates, which looks at what was seen before in n8n’s database. */
export function withRemoveDuplicates(credentials: Credentials): Made {
	const { trigger, from, sendOf } = parts(credentials);
	const send = sendOf('={{ $json.conversationId }}', '={{ $json.text }}');
	const removeDuplicates = {
		name: 'Seen before, in any process?',
		type: 'n8n-nodes-base.removeDuplicates',
		typeVersion: 2,
		parameters: {
			operation: 'removeItemsSeenInPreviousExecutions',
			logic: 'removeItemsWithAlreadySeenKeyValues',
			dedupeValue: "={{ $json.conversationId + '/' + $json.activityId }}",
			options: { scope: 'node', historySize: 10000 },
		},
	};
	return { trigger, workflow: inARow('Remove Duplicates', [from, removeDuplicates, send]) };
}

/**
 * Asks for order, and for each delivery once: an inbox in PostgreSQL (inbox.sql) gives out a conversation's messages in
 * their order, to one execution at a time.
 * @param sweepSeconds how often it looks for what executions that died have left.
 */
export function onceAndInOrder(credentials: Credentials, sweepSeconds: number): Made {
	const { trigger, from, sendOf } = parts(credentials);
	const query = (name: string, functionCall: string, values: string) => ({
		name,
		type: 'n8n-nodes-base.postgres',
		typeVersion: 2.5,
		parameters: {
			operation: 'executeQuery',
			query: `SELECT * FROM dynamics365.${functionCall}`,
			options: { queryReplacement: `={{ [${values}] }}` },
		},
		credentials: { postgres: { id: credentials.postgres, name: 'PostgreSQL' } },
		executeOnce: true,
		// Queries are tried again, because PostgreSQL may be restarting. The functions are idempotent.
		retryOnFail: true,
		maxTries: 5,
		waitBetweenTries: 3000,
	});
	const put = query(
		'Put it down',
		'put($1, $2, $3)',
		// A delivery without an id cannot be recognised as a duplicate. Its place is the order in which n8n took it.
		"$json.conversationId, $json.activityId ?? String($execution.id).padStart(13, '0'), $json.text",
	);
	// Two workers may start two deliveries of a conversation in any order, but only a short time apart.
	const pause = {
		name: 'Let the one before come',
		type: 'n8n-nodes-base.wait',
		typeVersion: 1.1,
		parameters: { amount: PAUSE_SECONDS, unit: 'seconds' },
	};
	const take = query(
		'Take my turn',
		'take($1, $2)',
		"$('From Dynamics 365').first().json.conversationId, $execution.id",
	);
	const send = sendOf('={{ $json.conversation }}', '={{ $json.message }}');
	const done = query('Done', 'done($1, $2)', '$execution.id, $runIndex');
	const workflow = inARow('Once and in order', [from, put, pause, take, send, done], ['Done', 'Send']);
	const schedule = {
		id: randomUUID(),
		name: 'Now and then',
		type: 'n8n-nodes-base.scheduleTrigger',
		typeVersion: 1.2,
		position: [0, 240],
		parameters: { rule: { interval: [{ field: 'seconds', secondsInterval: sweepSeconds }] } },
	};
	const takeOver = {
		...query('Take over', 'take_over($1)', '$execution.id'),
		id: randomUUID(),
		position: [240, 240],
	};
	const to = (node: string) => ({ main: [[{ node, type: 'main', index: 0 }]] });
	return {
		trigger,
		workflow: {
			...workflow,
			nodes: [...workflow.nodes, schedule, takeOver],
			connections: { ...workflow.connections, 'Now and then': to('Take over'), 'Take over': to('Send') },
		},
	};
}
