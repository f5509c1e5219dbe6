// What a delivery costs in the package alone, without n8n: microseconds of processor time for each of its parts, and for a
// bare verification of the same token by jose. Settings come in the file of JSON that is named; prints the rounds as JSON.
/* global __dirname, fetch */
const { randomUUID } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { Session } = require('node:inspector/promises');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Response, triggerContext } = require('./fakes.cjs');

const root = join(__dirname, '..');
const fromRoot = createRequire(join(root, 'package.json'));
const load = (file) => require(join(root, 'dist/nodes/Dynamics365Messaging', file));

const { Dynamics365MessagingTrigger } = load('Dynamics365MessagingTrigger.node.js');
const { passes } = load('activity/filter.js');
const { triggerConnection } = load('webhook/connectionCache.js');
const { admit, identify } = load('webhook/duplicates.js');
const { authorizationOf, readDelivery } = load('webhook/readDelivery.js');
const { readSettings } = load('webhook/settings.js');
const { noteVerified, triggerOf } = load('webhook/verified.js');
const { verifyCaller } = load('webhook/verify.js');

const [, , file] = process.argv;
const { activity, tokens, credential, rounds, count, profiles } = JSON.parse(readFileSync(file, 'utf8'));
const [token] = tokens;
const PROFILED = 5_000;
const trigger = new Dynamics365MessagingTrigger();

let used = 0;
/** A token that the trigger has never seen, or forgotten since. */
const nextToken = () => tokens[1 + (used++ % (tokens.length - 1))];

/** A delivery of a text of its own, as n8n has read it. */
function newDelivery(bearer = token) {
	const text = JSON.stringify({ ...activity, text: activity.text.replace('{order}', randomUUID()) });
	const response = new Response();
	const request = {
		method: 'POST',
		headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
		rawHeaders: ['content-type', 'application/json', 'authorization', `Bearer ${bearer}`],
		body: JSON.parse(text),
		rawBody: Buffer.from(text),
	};
	const conversationId = activity.conversation.id;
	return { response, context: triggerContext({ credential, request, response, conversationId }) };
}

async function main() {
	const { createLocalJWKSet, decodeJwt, jwtVerify } = fromRoot('jose');
	const published = await fetch(`${credential.authorityHost}/${credential.tenantId}/discovery/v2.0/keys`);
	const find = createLocalJWKSet(await published.json());
	const { iss: issuer } = decodeJwt(token);
	const connection = await triggerConnection(newDelivery().context);
	const parts = {
		jose: async () => await jwtVerify(token, find, { algorithms: ['RS256'], issuer }),
		settings: async ({ context }) => {
			readSettings(context);
			await triggerConnection(context);
		},
		token: async ({ context }) => {
			await verifyCaller(authorizationOf(context), connection, {});
			noteVerified(triggerOf(context), { connection, trust: {}, webhookId: 'webhook' });
		},
		reading: async ({ context, settings, item }) => {
			item.read = readDelivery(context);
			if (!passes(item.read, settings)) throw new Error('The delivery is filtered out');
			// The text is made plain only here.
			item.fields = { ...item.read };
		},
		duplicates: async ({ context, response, item: { read } }) => {
			const body = JSON.stringify(read.activity);
			const { activityId: id, conversationId } = read;
			const identity = identify(triggerOf(context), conversationId, { id, type: 'message' }, body);
			if ((await admit(identity, response)) !== 'new') throw new Error('The delivery is a duplicate');
			response.end();
		},
		whole: async ({ context, response }) => {
			const { workflowData } = await trigger.webhook.call(context);
			if (!workflowData) throw new Error('The delivery started no workflow');
			response.end();
		},
	};
	parts.first = parts.whole;
	const settings = readSettings(newDelivery().context);
	const measured = [];
	// The first rounds are a warm-up.
	for (let round = -3; round < rounds; round++) {
		const deliveries = Array.from({ length: count }, () => ({ ...newDelivery(), settings, item: {} }));
		const others = Array.from({ length: count }, () => newDelivery());
		const withNew = Array.from({ length: count }, () => newDelivery(nextToken()));
		const result = {};
		const names = Object.keys(parts);
		// Each part is first as often, and what the duplicates need was read before.
		const order =
			round % 2 === 0 ? names : ['first', 'whole', 'reading', 'duplicates', 'token', 'settings', 'jose'];
		for (const name of order) {
			const given = { whole: others, first: withNew }[name] ?? deliveries;
			globalThis.gc?.();
			const before = process.cpuUsage();
			for (const delivery of given) await parts[name](delivery);
			const { user, system } = process.cpuUsage(before);
			result[name] = (user + system) / count;
		}
		if (round >= 0) measured.push(result);
	}
	const profile = profiles ? await profileOf(parts.whole) : undefined;
	console.log(JSON.stringify({ rounds: measured, profile }));
}

/** A profile of {@link PROFILED} whole deliveries. */
async function profileOf(whole) {
	const deliveries = Array.from({ length: PROFILED }, () => newDelivery());
	const session = new Session();
	session.connect();
	await session.post('Profiler.enable');
	await session.post('Profiler.setSamplingInterval', { interval: 100 });
	await session.post('Profiler.start');
	for (const delivery of deliveries) await whole(delivery);
	const { profile } = await session.post('Profiler.stop');
	return profile;
}

main().then(
	() => process.exit(0),
	(error) => {
		console.error(error);
		process.exit(1);
	},
);
