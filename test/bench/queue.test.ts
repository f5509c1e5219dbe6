import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { Door } from '../../bench/queue/door';
import { type Delivery, isAscending, judge, numberIn } from '../../bench/queue/load';
import type { DeliveryEntry } from '../../emulator';

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
	it.each<[string, Delivery[], number[], { lost?: number[]; twice?: number[]; outOfOrder?: number }]>([
		['all arrived in order', [delivery(1, [200]), delivery(2, [200])], [1, 2], {}],
		['one was answered 200 and never arrived', [delivery(1, [200]), delivery(2, [200])], [1], { lost: [2] }],
		['one was never answered 200 and did not arrive', [delivery(1, [500, 503, 500])], [], {}],
		['one was answered 200 at a later try', [delivery(1, [503, 200])], [], { lost: [1] }],
		['its repeat was answered 200', [delivery(1, [503], [200])], [], { lost: [1] }],
		['one arrived twice', [delivery(1, [200], [200])], [1, 1], { twice: [1] }],
		['one arrived twice, late', [delivery(1, [200], [200]), delivery(2, [200])], [1, 2, 1], { twice: [1] }],
		['one was overtaken', [delivery(1, [200]), delivery(2, [200])], [2, 1], { outOfOrder: 1 }],
	])('%s', (_, deliveries, arrived, expected) => {
		const outcome = judge(deliveries, new Map([['a', arrived]]), 1);
		expect(outcome).toMatchObject({ lost: [], twice: [], outOfOrder: 0, ...expected });
	});

	it('counts the tries that were not answered 200, and the time of those that were', () => {
		const outcome = judge([delivery(1, [503, 200]), delivery(2, [200], [200])], new Map(), 1);
		expect(outcome).toMatchObject({ delivered: 2, accepted: 2, failedTries: 1, answersMs: [20, 10, 10] });
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

describe('a door', () => {
	const servers: Server[] = [];
	const doors: Door[] = [];
	const portOf = (server: Server) => (server.address() as AddressInfo).port;

	/** A service that says its name and hangs up, or waits. */
	async function service(name: string, hangsUp = true): Promise<Server> {
		const server = createServer((socket) => {
			socket.on('error', () => undefined);
			if (hangsUp) socket.end(name);
			else socket.write(name);
		});
		servers.push(server);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		return server;
	}

	async function doorTo(...targets: Server[]): Promise<Door> {
		const door = await Door.to(targets.map((server) => ({ host: '127.0.0.1', port: portOf(server) })));
		doors.push(door);
		return door;
	}

	/** What somebody hears who knocks, or the code of the error. */
	function knock(door: Door): Promise<string> {
		return new Promise((resolve) => {
			let heard = '';
			connect(door.place)
				.on('data', (data) => (heard += data.toString()))
				.on('end', () => resolve(heard))
				.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
		});
	}

	afterEach(async () => {
		await Promise.all(doors.splice(0).map((door) => door.shut()));
		await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
	});

	it('leads to its targets in turn', async () => {
		const door = await doorTo(await service('one'), await service('two'));
		expect([await knock(door), await knock(door), await knock(door)]).toEqual(['one', 'two', 'one']);
	});

	it('leads to the next one where a target refuses', async () => {
		const gone = await service('gone');
		const door = await doorTo(gone, await service('there'));
		await new Promise((resolve) => gone.close(resolve));
		expect([await knock(door), await knock(door)]).toEqual(['there', 'there']);
	});

	it('resets who is inside and refuses who comes while it is shut, and lets in again', async () => {
		const door = await doorTo(await service('in', false));
		const inside = new Promise((resolve) => {
			connect(door.place)
				.on('data', () => void door.shut())
				.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
		});
		expect(await inside).toBe('ECONNRESET');
		expect(await knock(door)).toBe('ECONNREFUSED');
		door.targets = [{ host: '127.0.0.1', port: portOf(await service('again')) }];
		await door.reopen();
		expect(await knock(door)).toBe('again');
	});
});
