import { connect, createServer, type Server } from 'node:net';
import { type Place, TcpProxy } from '../../bench/queue/tcpProxy';
import type { DeliveryEntry } from '../../emulator';
import {
	type Delivery,
	type Outcome,
	isAscending,
	isUnderWayAt,
	evaluate,
	numberIn,
} from '../../tools/outcome';
import { close, closedPort, listen } from '../../tools/ports';

function entry(...statuses: number[]): DeliveryEntry {
	const tries = statuses.map((status, index) => ({ at: '', status, ms: 10 * (index + 1) }));
	const outcome = statuses.at(-1) === 200 ? 'accepted' : 'refused';
	return { seq: 1, at: '', kind: 'delivery', conversationId: 'a', activity: {}, url: '', tries, outcome };
}

function delivery(number: number, statuses: number[], repeat?: number[]): Delivery {
	const repeated = repeat && { repeat: entry(...repeat) };
	return { number, conversationId: 'a', entry: entry(...statuses), ...repeated };
}

describe('what became of deliveries', () => {
	it.each<[string, Delivery[], number[], Partial<Outcome>]>([
		['all arrived in order', [delivery(1, [200]), delivery(2, [200])], [1, 2], {}],
		['one was answered 200 and never arrived', [delivery(1, [200]), delivery(2, [200])], [1], { lost: [2] }],
		['one was never answered 200 and did not arrive', [delivery(1, [500, 503, 500])], [], { givenUp: [1] }],
		['one was answered 200 at a later try', [delivery(1, [503, 200])], [], { lost: [1] }],
		['its repeat was answered 200', [delivery(1, [503], [200])], [], { lost: [1] }],
		['one arrived twice', [delivery(1, [200], [200])], [1, 1], { twice: [1] }],
		['one arrived twice, late', [delivery(1, [200], [200]), delivery(2, [200])], [1, 2, 1], { twice: [1] }],
		['one was overtaken', [delivery(1, [200]), delivery(2, [200])], [2, 1], { outOfOrder: [[2, 1]] }],
	])('%s', (_, deliveries, arrived, expected) => {
		const outcome = evaluate(deliveries, new Map([['a', arrived]]), 1);
		expect(outcome).toMatchObject({ lost: [], twice: [], outOfOrder: [], ...expected });
	});

	it('counts the tries that were not answered 200, and the time of those that were', () => {
		const outcome = evaluate([delivery(1, [503, 200]), delivery(2, [200], [200])], new Map(), 1);
		expect(outcome).toMatchObject({
			numbers: [1, 2],
			accepted: [1, 2],
			otherAnswers: { 503: 1 },
			answersMs: [20, 10, 10],
		});
	});

	it.each([
		['delivery 12', 12],
		['delivery 12 and more', undefined],
		[undefined, undefined],
	])('reads the number of %p', (text, number) => {
		expect(numberIn(text)).toBe(number);
	});

	it('takes equal numbers for order', () => {
		expect([isAscending([1, 1, 2]), isAscending([1, 3, 2])]).toEqual([true, false]);
	});
});

describe('what was under way when a process was killed', () => {
	const at = (time: number, ms: number): DeliveryEntry => ({
		...entry(),
		tries: [{ at: new Date(time).toISOString(), ms, status: 200 }],
	});
	const one = (tried: DeliveryEntry, repeat?: DeliveryEntry): Delivery => ({
		number: 1,
		conversationId: 'a',
		entry: tried,
		...(repeat && { repeat }),
	});

	it.each<[string, Delivery, boolean]>([
		['began before and ended after', one(at(900, 200)), true],
		['ended long before', one(at(100, 200)), false],
		['began after', one(at(1_001, 200)), false],
		['its repeat was under way', one(at(100, 1), at(990, 20)), true],
		['was never tried', one(entry()), false],
	])('%s', (_, delivery, expected) => {
		expect(isUnderWayAt(1_000, delivery)).toBe(expected);
	});
});

describe('a TCP proxy', () => {
	const servers: Server[] = [];
	const proxies: TcpProxy[] = [];

	/** A service that says its name and hangs up, or waits. */
	async function service(name: string, hangsUp = true): Promise<Place> {
		const server = createServer((socket) => {
			socket.on('error', () => undefined);
			if (hangsUp) socket.end(name);
			else socket.write(name);
		});
		servers.push(server);
		return { host: '127.0.0.1', port: await listen(server) };
	}

	async function proxyTo(...targets: Place[]): Promise<TcpProxy> {
		const proxy = await TcpProxy.to(targets);
		proxies.push(proxy);
		return proxy;
	}

	/** What a client that connects receives, or the code of the error. */
	function receive(proxy: TcpProxy): Promise<string> {
		return new Promise((resolve) => {
			let received = '';
			connect(proxy.place)
				.on('data', (data) => (received += data.toString()))
				.on('end', () => resolve(received))
				.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
		});
	}

	afterEach(async () => {
		await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
		await Promise.all(servers.splice(0).map(close));
	});

	it('leads to its targets in turn', async () => {
		const proxy = await proxyTo(await service('one'), await service('two'));
		expect([await receive(proxy), await receive(proxy), await receive(proxy)]).toEqual(['one', 'two', 'one']);
	});

	it('leads to the next one where a target refuses', async () => {
		const gone = { host: '127.0.0.1', port: await closedPort() };
		const proxy = await proxyTo(gone, await service('there'));
		expect([await receive(proxy), await receive(proxy)]).toEqual(['there', 'there']);
	});

	it('resets all connections and refuses new ones while it is closed, and accepts again', async () => {
		const proxy = await proxyTo(await service('in', false));
		const inside = new Promise((resolve) => {
			connect(proxy.place)
				.on('data', () => void proxy.close())
				.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
		});
		expect(await inside).toBe('ECONNRESET');
		expect(await receive(proxy)).toBe('ECONNREFUSED');
		proxy.targets = [await service('again')];
		await proxy.reopen();
		expect(await receive(proxy)).toBe('again');
	});
});
