// The proxy of deploy/ by itself (docs/production.md): what it holds, refuses and keeps in order. A plain server stands
// behind it, so that each failure comes at a known moment. The restarts of the real n8n are in restarts.ts.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { close, freePort, listen } from '../../tools/ports';
import { startProxy } from '../../tools/proxy';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';

/** How the server treats one request: a status, a status with a body, the connection cut after the request was read, or an answer after 4 seconds. */
type Treatment = number | { status: number; body: string } | 'cut' | 'slow';

/** A server in the place of n8n that keeps what it got, in the order in which it came. */
class Upstream {
	readonly got: Array<{ path: string; body: string }> = [];
	/** By path: how the next requests are treated, one after the other. What has none left is answered 200. */
	readonly treatments = new Map<string, Treatment[]>();
	private server = createServer();

	constructor(readonly port: number) {}

	async start(): Promise<void> {
		this.server = createServer((request, response) => void this.handle(request, response));
		await listen(this.server, this.port);
	}

	async stop(): Promise<void> {
		this.server.closeAllConnections();
		await close(this.server);
	}

	/** The bodies that came for a conversation, oldest first. */
	bodiesFor(conversation: string): string[] {
		return this.got.filter(({ path }) => path.includes(conversation)).map(({ body }) => body);
	}

	private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const path = request.url ?? '';
		if (path.startsWith('/healthz')) return void response.end('{"status":"ok"}');
		this.got.push({ path, body: await text(request) });
		const treatment = this.treatments.get(path)?.shift() ?? 200;
		if (treatment === 'slow') return void setTimeout(() => response.end(), 4_000);
		if (treatment === 'cut') return void request.socket.destroy();
		const { status, body } = typeof treatment === 'number' ? { status: treatment, body: '' } : treatment;
		response.statusCode = status;
		response.end(body);
	}
}

const conversationPath = (id: string) => `/webhook/${randomUUID()}/v3/conversations/${id}/activities`;

/** A new conversation at the proxy: its path, and posts to it. */
function newConversation(proxyUrl: string) {
	const id = randomUUID();
	const path = conversationPath(id);
	const post = async (body: string, below = '') => {
		const startedAt = performance.now();
		const { status } = await fetch(proxyUrl + path + below, { method: 'POST', body });
		return { status, ms: performance.now() - startedAt };
	};
	return { id, path, post };
}

/** Situations in which the server runs all the time: they are played beside each other. */
async function playFailures(url: string, upstream: Upstream): Promise<Record<string, boolean>> {
	/** The first try of `first` fails; `second` comes while its place is kept; then `first` comes again. */
	async function failThenNext(treatment: Treatment, below = '') {
		const { id, path, post } = newConversation(url);
		upstream.treatments.set(path + below, [treatment]);
		const failed = await post('first', below);
		const second = post('second');
		await sleep(500);
		const before = upstream.bodiesFor(id).length;
		const [again, next] = [await post('first', below), await second];
		return { failed, before, again, next, order: upstream.bodiesFor(id).join() };
	}
	const isKept = ({ before, again, next, order }: Awaited<ReturnType<typeof failThenNext>>) =>
		before === 1 && again.status === 200 && next.status === 200 && order === 'first,first,second';

	async function failThreeTimes() {
		const { id, path, post } = newConversation(url);
		upstream.treatments.set(path, [500, 500, 500]);
		for (let attempt = 0; attempt < 3; attempt++) await post('first');
		const { ms } = await post('second');
		return ms < 1000 && upstream.bodiesFor(id).join() === 'first,first,first,second';
	}

	async function waitBesideAnother() {
		const [failing, other] = [newConversation(url), newConversation(url)];
		upstream.treatments.set(failing.path, [500]);
		const failed = failing.post('first');
		await waitFor('the failure', 5_000, () => upstream.bodiesFor(failing.id).length === 1);
		const { status, ms } = await other.post('beside');
		await failed;
		return status === 200 && ms < 1000;
	}

	async function followSlowOne() {
		const { id, path, post } = newConversation(url);
		upstream.treatments.set(path, ['slow']);
		const slow = post('first');
		await waitFor('the slow one', 5_000, () => upstream.bodiesFor(id).length === 1);
		const { ms } = await post('second');
		await slow;
		return ms > 500 && ms < 3000;
	}

	async function refuse() {
		const { id, path, post } = newConversation(url);
		upstream.treatments.set(path, [401]);
		const [refused, next] = [await post('stranger'), await post('next')];
		return (
			refused.status === 401 && refused.ms < 1000 && next.ms < 1000 && upstream.bodiesFor(id).length === 2
		);
	}

	async function answerWithWords() {
		const { path, post } = newConversation(url);
		upstream.treatments.set(path, [{ status: 200, body: 'n8n is starting up. Please wait' }]);
		return (await post('hello')).status;
	}

	const [failed, missing, reply, cut, threeTimes, slow, beside, refused, words] = await Promise.all([
		failThenNext(500),
		failThenNext(404),
		failThenNext(500, '/activity-1'),
		failThenNext('cut'),
		failThreeTimes(),
		followSlowOne(),
		waitBesideAnother(),
		refuse(),
		answerWithWords(),
	]);
	return {
		'one that failed keeps its place until it is tried again': isKept(failed),
		'its failure is told about 4 seconds after it came': failed.failed.ms > 3500 && failed.failed.ms < 6000,
		'one that n8n answers 404 keeps its place': missing.failed.status === 404 && isKept(missing),
		'a reply to an activity is of the same conversation': isKept(reply),
		'one that n8n has had is not sent again by the proxy': cut.failed.status === 502 && cut.before === 1,
		'after three tries it is in nobody’s way': threeTimes,
		'one that n8n has for long goes a second ahead of the next, no more': slow,
		'another conversation does not wait': beside,
		'one that is refused is answered at once, and keeps no place': refused,
		'n8n’s words while it starts are no acceptance': words === 503,
	};
}

/** What comes while no server is there. */
async function playOutage(url: string, upstream: Upstream): Promise<Record<string, boolean>> {
	const [short, long] = [newConversation(url), newConversation(url)];
	const post = async (path: string) => await fetch(url + path, { method: 'POST', body: 'hello' });

	await upstream.stop();
	await waitFor('the proxy to see it', 10_000, async () => (await post('/webhook/front-end')).status === 503);
	const heldTooLong = long.post('first');
	const { status: late } = await heldTooLong;
	const held: Array<ReturnType<typeof short.post>> = [];
	for (const words of ['one', 'two', 'three']) {
		held.push(short.post(words));
		await sleep(200);
	}
	const behind = long.post('second');
	await upstream.start();
	const statuses = (await Promise.all(held)).map(({ status }) => status);
	const again = await long.post('first');
	await behind;
	const { status: other } = await post('/webhook/front-end');
	return {
		'what came while n8n was away arrives': statuses.every((status) => status === 200),
		'in its order, each once': upstream.bodiesFor(short.id).join() === 'one,two,three',
		'what was held for 9 seconds is answered 503': late === 503,
		'and goes ahead of what came behind it':
			again.status === 200 && upstream.bodiesFor(long.id).join() === 'first,second',
		'other webhooks get through again': other === 200,
	};
}

runMain(async () => {
	const upstream = new Upstream(await freePort());
	await upstream.start();
	const proxy = await startProxy('one-n8n', { N8N_UPSTREAM: `127.0.0.1:${upstream.port}` });
	try {
		const failures = await playFailures(proxy.url, upstream);
		return report('proxy', { ...failures, ...(await playOutage(proxy.url, upstream)) });
	} finally {
		await proxy.stop();
		await upstream.stop();
	}
});
