// What the trigger promises, in a real n8n at a real pace: 2,000 deliveries at 10 a second, every third one repeated as
// Dynamics repeats it, give exactly 2,000 executions, one of each, without a 5xx and none answered late.
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { unflatten } from '../../demo/executions';
import { importWorkflow, makeRunFolder, n8nLog, startN8n, type N8n } from '../../demo/n8n';
import { waitFor } from '../../demo/wait';
import { startEmulator, type Emulator } from '../../emulator';

const DELIVERIES = Number(process.env.E2E_DELIVERIES ?? 2000);
const INTERVAL_MS = 100;
const SLOWEST_ANSWER_MS = 5_000;
/** How long a caller that gives up waits: less than n8n takes to answer, so that the answer is lost. */
const PATIENCE_MS = 8;

interface Tally {
	statuses: Map<number, number>;
	slowestMs: number;
	/** Tries whose caller was gone before the answer. */
	unheard: number;
}

const workflow = {
	name: 'Deliveries',
	nodes: [
		{
			id: randomUUID(),
			name: 'Trigger',
			type: 'n8n-nodes-dynamics365-messaging.dynamics365MessagingTrigger',
			typeVersion: 1,
			position: [0, 0],
			webhookId: randomUUID(),
			parameters: {},
			credentials: { dynamics365MessagingApi: { id: 'CREDENTIAL_ID', name: 'Emulator' } },
		},
	],
	connections: {},
	settings: { executionOrder: 'v1' },
};

/** Posts one try. Gives the status, or undefined where the caller lost patience before the answer. */
async function tryOnce(
	url: URL,
	token: string,
	body: string,
	tally: Tally,
	patienceMs?: number,
): Promise<number | undefined> {
	const startedAt = performance.now();
	return await new Promise((resolve, reject) => {
		const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
		let answered = false;
		const sent = request(url, { method: 'POST', headers }, (answer) => {
			answered = true;
			answer.resume().on('end', () => {
				const status = answer.statusCode ?? 0;
				tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
				tally.slowestMs = Math.max(tally.slowestMs, performance.now() - startedAt);
				resolve(status);
			});
		});
		let gaveUp = false;
		sent.on('error', (error) => {
			if (!gaveUp) return reject(error);
			tally.unheard++;
			resolve(undefined);
		});
		sent.end(body, () => {
			if (patienceMs === undefined) return;
			setTimeout(() => {
				if (answered) return;
				gaveUp = true;
				sent.destroy();
			}, patienceMs);
		});
	});
}

/** One delivery as Dynamics makes it: of every three, one is tried again, as its answer was lost one way or another. */
async function deliver(index: number, base: string, token: string, tally: Tally): Promise<void> {
	const conversationId = `c0ffee00-0000-4000-8000-${String(index % 50).padStart(12, '0')}`;
	const withId = index % 2 === 0;
	const body = JSON.stringify({
		type: 'message',
		...(withId && { id: String(1_756_399_395_730 + index) }),
		conversation: { id: conversationId },
		text: `delivery ${index}`,
	});
	const url = new URL(`${base}/v3/conversations/${conversationId}/activities`);
	const isRepeated = index % 3 === 2;
	// With an id, the answer was given and got lost behind n8n; without, n8n sees that its caller was gone.
	const first = await tryOnce(url, token, body, tally, isRepeated && !withId ? PATIENCE_MS : undefined);
	if (isRepeated && (withId || first === undefined)) await tryOnce(url, token, body, tally);
}

async function textsOfExecutions(n8n: N8n): Promise<string[]> {
	const texts: string[] = [];
	for (let lastId: string | undefined; ;) {
		const path = `/executions?limit=100${lastId === undefined ? '' : `&lastId=${lastId}`}`;
		const { results } = await n8n.rest<{ results: Array<{ id: string }> }>('GET', path);
		const page = await Promise.all(
			results.map(async ({ id }) => {
				const { data } = await n8n.rest<{ data: string }>('GET', `/executions/${id}`);
				return (
					/"(delivery \d+)"/.exec(JSON.stringify(unflatten(data)))?.[1] ?? `execution ${id} holds no delivery`
				);
			}),
		);
		texts.push(...page);
		if (results.length < 100) return texts;
		lastId = results.at(-1)?.id;
	}
}

async function countExecutions(n8n: N8n): Promise<number> {
	return (await n8n.rest<{ count: number }>('GET', '/executions?limit=1')).count;
}

async function deliverAll(emulator: Emulator, base: string): Promise<Tally> {
	const tally: Tally = { statuses: new Map(), slowestMs: 0, unheard: 0 };
	const token = await emulator.issueDeliveryToken();
	const all: Array<Promise<void>> = [];
	const startedAt = performance.now();
	for (let index = 0; index < DELIVERIES; index++) {
		await pause(Math.max(0, startedAt + index * INTERVAL_MS - performance.now()));
		all.push(deliver(index, base, token, tally));
		if (index % 500 === 499) console.log(`  … ${index + 1} delivered`);
	}
	await Promise.all(all);
	return tally;
}

async function main(): Promise<number> {
	const runFolder = makeRunFolder();
	const emulator = await startEmulator({ port: 0, deskPort: 0 });
	const certificateFile = join(runFolder, 'emulator.pem');
	writeFileSync(certificateFile, emulator.certificate.cert);
	const n8n = await startN8n({ runFolder, certificateFile });
	try {
		const { tenantId, clientId, clientSecret, organizationId, geo, channelId } = emulator.world;
		const data = { tenantId, clientId, clientSecret, organizationId, geo, channelId };
		const credential = await n8n.rest<{ id: string }>('POST', '/credentials', {
			name: 'Emulator',
			type: 'dynamics365MessagingApi',
			data: { ...data, zone: '', baseUrl: emulator.origin, authorityHost: emulator.origin, scope: '' },
		});
		const file = join(runFolder, 'workflow.json');
		writeFileSync(file, JSON.stringify(workflow));
		await importWorkflow(n8n, 'deliveries', file, { CREDENTIAL_ID: credential.id });
		const [{ webhookId, id } = { webhookId: '', id: '' }] = workflow.nodes;
		const tally = await deliverAll(emulator, `${n8n.url}/webhook/${webhookId}/${id}`);
		await waitFor(`${DELIVERIES} executions`, 60_000, async () => (await countExecutions(n8n)) >= DELIVERIES);

		const texts = await textsOfExecutions(n8n);
		const twice = texts.filter((text, index) => texts.indexOf(text) !== index);
		const statuses = [...tally.statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
		console.log(`  answers: ${statuses}; tries whose caller had gone: ${tally.unheard}`);
		console.log(`  slowest answer: ${Math.round(tally.slowestMs)} ms`);
		console.log(
			`  executions: ${texts.length}, of them twice: ${twice.length} ${twice.slice(0, 5).join(', ')}`,
		);
		const passed = [
			texts.length === DELIVERIES && new Set(texts).size === DELIVERIES,
			[...tally.statuses.keys()].every((status) => status === 200),
			tally.slowestMs < SLOWEST_ANSWER_MS,
			tally.unheard > 0,
		];
		const good = passed.filter(Boolean).length;
		console.log(`deliveries: ${good} passed, ${passed.length - good} failed`);
		if (good < passed.length) console.log(`n8n's log: ${n8nLog}`);
		return good === passed.length ? 0 : 1;
	} finally {
		await n8n.stop();
		await emulator.close();
		rmSync(runFolder, { recursive: true, force: true });
	}
}

main().then(
	(code) => process.exit(code),
	(error: unknown) => {
		console.error(error);
		process.exit(1);
	},
);
