import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where a service listens. */
export interface Place {
	host: string;
	port: number;
}

/**
 * A port of this machine that leads to a service, or in turn to several of the same kind. It can be shut and opened
 * again: to those behind it that is what a restart of the service looks like, without touching the service.
 */
export class Door {
	/** Where to knock; the same after it was shut and opened again. */
	readonly place: Place;
	private readonly open = new Set<Socket>();
	private turn = 0;

	private constructor(
		private server: Server,
		/** Where it leads; may be changed at any time, and counts for connections to come. */
		public targets: Place[],
	) {
		// With a port, the address of a server is never a string or null.
		this.place = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
	}

	/** Opens a door on a free port. */
	static async to(targets: Place[]): Promise<Door> {
		const server = createServer({ allowHalfOpen: true });
		await listen(server, 0);
		const door = new Door(server, targets);
		server.on('connection', (socket) => door.lead(socket));
		return door;
	}

	/** Resets every connection, and refuses new ones until it is opened again. */
	async shut(): Promise<void> {
		const closed = new Promise((resolve) => this.server.close(resolve));
		this.reset();
		await closed;
	}

	/** Lets in again, at the same port. */
	async reopen(): Promise<void> {
		this.server = createServer({ allowHalfOpen: true }, (socket) => this.lead(socket));
		await listen(this.server, this.place.port);
	}

	/** Resets every connection; new ones are let in. */
	reset(): void {
		for (const socket of this.open) socket.resetAndDestroy();
	}

	/** Connects to the next target in turn; where that refuses, to the one after it, as a load balancer does. */
	private lead(client: Socket): void {
		this.keep(client);
		const inTurn = this.targets.map((_, index) => this.targets[(this.turn + index) % this.targets.length]!);
		this.turn++;
		const tryNext = () => {
			const target = inTurn.shift();
			if (!target || client.destroyed) return client.resetAndDestroy();
			const service = connect({ ...target, allowHalfOpen: true });
			service.once('error', tryNext);
			service.once('connect', () => {
				service.off('error', tryNext);
				this.keep(service);
				client.once('close', () => service.destroy());
				service.once('close', () => client.destroy());
				service.on('error', () => client.resetAndDestroy());
				client.on('error', () => service.resetAndDestroy());
				client.pipe(service).pipe(client);
			});
			return service;
		};
		tryNext();
	}

	private keep(socket: Socket): void {
		socket.setNoDelay(true);
		this.open.add(socket);
		socket.once('close', () => this.open.delete(socket));
		socket.on('error', () => undefined);
	}
}

function listen(server: Server, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => {
			server.off('error', reject);
			resolve();
		});
	});
}
