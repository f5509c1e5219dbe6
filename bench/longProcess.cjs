// One process that takes deliveries and sends messages for as long as it is told to, and says what it holds: memory, and
// what is left over. Commands come from the parent; its settings are in the file of JSON that is named.
const http = require('node:http');
const https = require('node:https');
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/* global __dirname */

/** The timers that are yet to fire. Node.js does not tell of those that let a process end. */
const timers = new Set();
const { setTimeout: realTimeout, clearTimeout: realClear } = globalThis;
globalThis.setTimeout = (work, ms, ...given) => {
	const timer = realTimeout(
		(...all) => {
			timers.delete(timer);
			work(...all);
		},
		ms,
		...given,
	);
	timers.add(timer);
	return timer;
};
globalThis.clearTimeout = (timer) => {
	timers.delete(timer);
	realClear(timer);
};
let ahead = 0;
const realNow = Date.now;
Date.now = () => realNow() + ahead;
const { performance } = globalThis;
const realMonotonic = performance.now.bind(performance);
performance.now = () => realMonotonic() + ahead;
/** Such as that too many wait for one event. */
const warnings = [];
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));

const { actionContext, triggerContext } = require('./fakes.cjs');
const load = (file) => require(join(__dirname, '../dist/nodes', file));
const { Dynamics365MessagingTrigger } = load('Dynamics365Messaging/Dynamics365MessagingTrigger.node.js');
const { Dynamics365Messaging } = load('Dynamics365Messaging/Dynamics365Messaging.node.js');
const { connectionFrom } = load('Dynamics365Messaging/connection.js');
const { placeCount } = load('Dynamics365Messaging/webhook/conversationLine.js');
const { getToken, sessionCount } = load('shared/entra/token.js');

const [, , file] = process.argv;
const { credential } = JSON.parse(readFileSync(file, 'utf8'));
const trigger = new Dynamics365MessagingTrigger();
const action = new Dynamics365Messaging();

/** What is open, as Node.js and the operating system tell it. */
function open() {
	const resources = {};
	for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
	const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
	return { resources, listeners, files: readdirSync('/proc/self/fd').length };
}

/** Answers as n8n does. */
async function answer(request, response) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	request.rawBody = Buffer.concat(chunks);
	request.body = JSON.parse(request.rawBody.toString());
	response.status = (code) => {
		response.statusCode = code;
		return response;
	};
	const [, conversationId] = /conversations\/([^/]+)/.exec(request.url) ?? [];
	const context = triggerContext({ credential, request, response, conversationId });
	const { noWebhookResponse, workflowData } = await trigger.webhook.call(context);
	if (!noWebhookResponse) response.writeHead(workflowData ? 200 : 500).end('');
}

const server = http.createServer((request, response) => {
	answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
});

const PARAMETERS = {
	resource: 'message',
	operation: 'send',
	options: { parallelConversations: 10 },
};

async function send({ conversations, count }) {
	const items = Array.from({ length: count }, (_, index) => ({
		conversationId: { __rl: true, mode: 'id', value: conversations[index % conversations.length] },
		text: `Message ${index}`,
	}));
	const context = actionContext({ credential, items, parameters: PARAMETERS });
	const [sent] = await action.execute.call(context);
	if (sent.length !== count) throw new Error(`${sent.length} of ${count} items came out`);
}

/** What was open before the first delivery. */
let before;

const commands = {
	start: async () => {
		before = open();
		await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
		return { port: server.address().port };
	},
	look: async () => {
		globalThis.gc();
		globalThis.gc();
		const { rss, heapUsed } = process.memoryUsage();
		return { rss, heapUsed };
	},
	send,
	credentials: async ({ count }) => {
		const channelId = (index) => `c0ffee00-0000-4000-8000-${String(index).padStart(12, '0')}`;
		const use = async (index) =>
			await getToken(connectionFrom({ ...credential, channelId: channelId(index) }));
		const known = sessionCount();
		for (let index = 0; index < count; index++) await use(index);
		const made = sessionCount() - known;
		ahead += 61 * 60_000;
		await use(0);
		return { made, left: sessionCount() };
	},
	end: async () => {
		https.globalAgent.destroy();
		await new Promise((resolve) => {
			server.close(resolve);
			server.closeAllConnections();
		});
		// The credential of a trigger is kept for ten seconds, and Node.js closes a server a little later than it says.
		for (let waited = 0; waited < 120 && (waited < 5 || timers.size > 0); waited++) {
			await new Promise((resolve) => realTimeout(resolve, 100));
		}
		globalThis.gc();
		return { before, after: open(), timers: timers.size, places: placeCount(), warnings };
	},
};

process.on('message', ({ id, name, given }) => {
	commands[name](given ?? {}).then(
		(value) => process.send({ id, value }),
		(error) => process.send({ id, error: error?.stack ?? String(error) }),
	);
});
process.on('disconnect', () => process.exit(0));
process.send({ id: 0 });
